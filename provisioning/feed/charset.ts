import { FeedError } from './record.ts';

/**
 * Bytes to text, never guessing and never replacing: a byte that does not belong refuses the feed,
 * because one U+FFFD in a name is a wrong name in three servers. Letters that are cut between two
 * chunks are read whole.
 */
export async function* decodeText(p: {
  readonly bytes: AsyncIterable<Uint8Array>;
  readonly file: string;
  /** `xml`: the declaration decides; `utf-8`: nothing but UTF-8. A byte order mark is dropped. */
  readonly encoding: 'xml' | 'utf-8';
}): AsyncGenerator<string> {
  let decoder: TextDecoder | null = null;
  let lost = 0;
  let intact = 0;
  for await (const chunk of p.bytes) {
    decoder ??= new TextDecoder(p.encoding === 'xml' ? declaredEncoding(chunk, p.file) : 'utf-8', {
      fatal: true,
    });
    const text = decode(decoder, chunk, p.file);
    lost += count(text, lostLetter);
    intact += count(text, intactLetter);
    if (text !== '') yield text;
  }
  if (decoder === null) return;
  try {
    const rest = decoder.decode();
    if (rest !== '') yield rest;
  } catch (cause) {
    throw new FeedError({
      code: 'feed-truncated',
      message: `${p.file} ends in the middle of a letter: it was cut. Fetch it again.`,
      file: p.file,
      cause,
    });
  }
  if (lost > fewLost && intact === 0) throw lettersLost(p.file);
}

/** What a program puts in the place of a letter that it could not read. */
const lostLetter = /\uFFFD/g;
const intactLetter = /[\u0080-\uFFFC]/g;
/** A name or two may have been garbled by hand; what has lost every letter of its kind is another matter. */
const fewLost = 2;

function count(text: string, letter: RegExp): number {
  return text.match(letter)?.length ?? 0;
}

/** Read in the wrong charset before it came to us: not only names, roles and ids too may be others now. */
function lettersLost(file: string): FeedError {
  return new FeedError({
    code: 'feed-wrong-charset',
    message: `${file} has lost letters (U+FFFD stands in their place): something read it in another charset before. Export it again as UTF-8.`,
    file,
  });
}

function decode(decoder: TextDecoder, chunk: Uint8Array, file: string): string {
  try {
    return decoder.decode(chunk, { stream: true });
  } catch (cause) {
    throw new FeedError({
      code: 'feed-wrong-charset',
      message: `${file} holds bytes that are not ${decoder.encoding}. Export it as UTF-8.`,
      file,
      cause,
    });
  }
}

const readable = new Map([
  ['utf-8', 'utf-8'],
  ['utf8', 'utf-8'],
  ['us-ascii', 'utf-8'],
  ['iso-8859-1', 'windows-1252'],
  ['latin1', 'windows-1252'],
  ['windows-1252', 'windows-1252'],
]);

function declaredEncoding(start: Uint8Array, file: string): string {
  if (start[0] === 0xff && start[1] === 0xfe) return 'utf-16le';
  if (start[0] === 0xfe && start[1] === 0xff) return 'utf-16be';
  const head = new TextDecoder('windows-1252').decode(start.subarray(0, 256));
  const declared = /^[^<]*<\?xml[^>]*?encoding\s*=\s*["']([A-Za-z0-9._-]+)["']/.exec(head)?.[1];
  const encoding = readable.get((declared ?? 'utf-8').toLowerCase());
  if (encoding !== undefined) return encoding;
  throw new FeedError({
    code: 'feed-wrong-charset',
    message: `${file} declares an encoding that is not read here. Export it as UTF-8.`,
    file,
  });
}
