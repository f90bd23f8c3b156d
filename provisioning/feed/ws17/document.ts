import { createReadStream } from 'node:fs';
import { SaxesParser } from 'saxes';
import { decodeText } from '../charset.ts';
import type { CivilSeal } from '../civil.ts';
import { FeedError } from '../record.ts';
import type { Element } from './element.ts';
import { localName, unread } from './element.ts';

/** What a document says, in its order. `line` is the line where the element begins. */
export type DocumentEvent =
  | {
      readonly type: 'export';
      readonly takenAt: string | null;
      readonly accessLevel: string | null;
      readonly hasAliases: boolean;
    }
  | { readonly type: 'source'; readonly schoolYear: string | null }
  | { readonly type: 'institution'; readonly line: number }
  | { readonly type: 'element'; readonly element: Element }
  | { readonly type: 'institution-end'; readonly line: number };

/** Children of Institution that are handed on whole; one of them is in memory at a time. */
const handedOn = new Set(['InstitutionNumber', 'InstitutionName', 'Group', 'InstitutionPerson']);

/** Deeper than any export; a document that nests on and on is not one. */
const deepest = 40;

/**
 * Streams one UNILoginExport document, bare or in its SOAP envelope, versions 5 to 7, in constant
 * memory (saxes: 38-40 MB/s measured). Of a civil number only what `civil` makes of it leaves the parser. The end of the root element must be reached: a document that
 * stops earlier throws feed-truncated after its events were handed on, so the caller must discard.
 */
export async function* readDocument(p: {
  readonly path: string;
  readonly file: string;
  readonly civil: CivilSeal;
}): AsyncGenerator<DocumentEvent> {
  const { file } = p;
  const state = createState(p);
  let seen = false;
  for await (const text of decodeText({
    bytes: createReadStream(p.path),
    file,
    encoding: 'xml',
  })) {
    seen ||= text.trim() !== '';
    if (seen) parse(state, (parser) => parser.write(text), 'feed-malformed');
    yield* state.events.splice(0);
  }
  if (!seen) {
    throw new FeedError({
      code: 'feed-empty',
      message: `${file} is empty. Fetch it again.`,
      file,
    });
  }
  parse(state, (parser) => parser.close(), 'feed-truncated');
  yield* state.events.splice(0);
  if (!state.exportSeen) throw notAnExport(file, state.fault);
}

interface State {
  readonly file: string;
  readonly civil: CivilSeal;
  readonly parser: SaxesParser;
  readonly path: string[];
  readonly open: Element[];
  readonly events: DocumentEvent[];
  exportSeen: boolean;
  fault: boolean;
  skipDepth: number;
}

function createState(p: { readonly file: string; readonly civil: CivilSeal }): State {
  const state: State = {
    file: p.file,
    civil: p.civil,
    parser: new SaxesParser(),
    path: [],
    open: [],
    events: [],
    exportSeen: false,
    fault: false,
    skipDepth: 0,
  };
  state.parser.on('opentag', (tag) => openTag(state, tag));
  state.parser.on('closetag', () => closeTag(state));
  state.parser.on('text', (text) => addText(state, text));
  state.parser.on('cdata', (text) => addText(state, text));
  return state;
}

function parse(
  state: State,
  step: (parser: SaxesParser) => void,
  code: 'feed-malformed' | 'feed-truncated',
): void {
  try {
    step(state.parser);
  } catch (error) {
    if (error instanceof FeedError) throw error;
    // The parser's own message may quote the document, so only its place is handed on.
    const line = state.parser.line;
    const message =
      code === 'feed-truncated'
        ? `${state.file} ends in the middle, at line ${line}: it was cut. Fetch it again.`
        : `${state.file} is not well-formed XML at line ${line}. Fetch it again.`;
    throw new FeedError({ code, message, file: state.file, line });
  }
}

function openTag(
  state: State,
  tag: { readonly name: string; readonly attributes: Readonly<Record<string, string>> },
): void {
  const name = localName(tag.name);
  const parent = state.path.at(-1);
  state.path.push(name);
  if (state.path.length > deepest) throw notAnExport(state.file, false);
  if (state.skipDepth > 0) return;
  const holder = state.open.at(-1);
  if (unread.has(name) && holder !== undefined) {
    state.skipDepth = state.path.length;
    return;
  }
  const attributes = Object.fromEntries(
    Object.entries(tag.attributes).map(([key, value]) => [localName(key), value]),
  );
  const { line } = state.parser;
  if (holder !== undefined || (parent === 'Institution' && handedOn.has(name))) {
    const element: Element = { name, attributes, line, children: [], text: '' };
    holder?.children.push(element);
    state.open.push(element);
    return;
  }
  if (name.startsWith('UNILoginExport')) {
    refuseThinPackage(state.file, name);
    state.exportSeen = true;
    state.events.push({
      type: 'export',
      takenAt: attributes['exportDateTime'] ?? null,
      accessLevel: attributes['accessLevel'] ?? null,
      hasAliases: name.toLowerCase().endsWith('myndighed'),
    });
  } else if (name === 'ImportSource') {
    state.events.push({ type: 'source', schoolYear: attributes['schoolYear'] ?? null });
  } else if (name === 'Institution' && state.exportSeen) {
    state.events.push({ type: 'institution', line });
  } else if (name === 'Fault') {
    state.fault = true;
  }
}

function closeTag(state: State): void {
  const name = state.path.pop();
  if (state.skipDepth > 0) {
    if (state.path.length < state.skipDepth) state.skipDepth = 0;
    return;
  }
  const element = state.open.pop();
  if (element !== undefined) {
    if (element.name === 'CivilRegistrationNumber') {
      element.evidence = state.civil.seal(element.text);
      element.text = '';
    }
    if (state.open.length === 0) state.events.push({ type: 'element', element });
    return;
  }
  if (name === 'Institution' && state.exportSeen) {
    state.events.push({ type: 'institution-end', line: state.parser.line });
  }
}

function addText(state: State, text: string): void {
  const element = state.open.at(-1);
  if (element !== undefined && state.skipDepth === 0) element.text += text;
}

/** The small and medium packages do not say who is protected: reading them would show real names. */
function refuseThinPackage(file: string, root: string): void {
  if (!/^UNILoginExport(Small|Medium|Lille|Mellem)/i.test(root)) return;
  throw new FeedError({
    code: 'feed-malformed',
    message: `${file} is a package without name protection. Fetch eksporterXmlFuldMyndighed instead.`,
    file,
  });
}

function notAnExport(file: string, fault: boolean): FeedError {
  return new FeedError({
    code: 'feed-malformed',
    message: fault
      ? `${file} is a SOAP fault, not an export. Look at the fetch's rights and certificate.`
      : `${file} is not a UNILoginExport document. Point at a folder of eksporterXmlFuldMyndighed answers.`,
    file,
  });
}
