import { createReadStream } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Readable } from 'node:stream';
import { crc32 } from 'node:zlib';
import type { Entry, ZipFile } from 'yauzl';
import yauzl from 'yauzl';
import { FeedError } from '../record.ts';

/** The files of a OneRoster package, whatever holds them. */
export interface Archive extends AsyncDisposable {
  /** Lower-cased name -> name as written. */
  readonly names: ReadonlyMap<string, string>;
  open(name: string): AsyncIterable<Uint8Array>;
}

/** Roster files of a nation stay below this; what is larger is not a roster. */
const largestBytes = 4 * 1024 ** 3;
/** CSV packs 5 to 30 times; a bomb packs a thousand times. Small files may pack as they like. */
const largestRatio = 200;
const ratioFreeBytes = 16 * 1024 ** 2;
const mostEntries = 10_000;

/**
 * Opens a folder or a zip. Files that all stand in one sub folder are found there. Nothing is ever
 * unpacked to disk.
 */
export async function openArchive(path: string): Promise<Archive> {
  const found = await stat(path).catch(() => null);
  if (found === null) {
    throw new FeedError({
      code: 'feed-not-found',
      message: 'The OneRoster folder or zip does not exist. Check the path of the source.',
    });
  }
  return found.isDirectory() ? openFolder(path) : openZip(path);
}

async function openFolder(path: string): Promise<Archive> {
  const files = async (folder: string): Promise<readonly string[]> =>
    (await readdir(folder, { withFileTypes: true }))
      .filter((entry) => !entry.isDirectory())
      .map((entry) => join(folder, entry.name))
      .filter(isCsv);
  let paths = await files(path);
  if (paths.length === 0) {
    const entries = await readdir(path, { withFileTypes: true });
    const folders = entries.filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'));
    const [only] = folders;
    if (folders.length === 1 && only !== undefined) paths = await files(join(path, only.name));
  }
  const byName = new Map(paths.map((full) => [basename(full), full]));
  return {
    names: namesOf([...byName.keys()]),
    open: (name) => createReadStream(byName.get(name) ?? name),
    [Symbol.asyncDispose]: async () => {},
  };
}

async function openZip(path: string): Promise<Archive> {
  const label = basename(path);
  const zip = await guarded(label, () => yauzl.openPromise(path, { autoClose: false }));
  try {
    const entries = await guarded(label, () => listEntries(zip, label));
    return {
      names: namesOf([...entries.keys()]),
      open: (name) => readEntry({ zip, entry: entries.get(name), label }),
      [Symbol.asyncDispose]: async () => zip.close(),
    };
  } catch (error) {
    zip.close();
    throw error;
  }
}

async function listEntries(zip: ZipFile, label: string): Promise<ReadonlyMap<string, Entry>> {
  if (zip.entryCount > mostEntries) throw tooLarge(label);
  const found: Entry[] = [];
  for await (const entry of zip.eachEntry()) {
    if (!isCsv(entry.fileName) || entry.fileName.startsWith('__MACOSX/')) continue;
    if (entry.isEncrypted()) throw malformed(label, 'is encrypted. Send it without a password.');
    found.push(entry);
  }
  const folders = new Set(found.map((entry) => entry.fileName.slice(0, -base(entry).length)));
  const chosen = folders.has('') ? '' : folders.size === 1 ? [...folders][0] : null;
  if (chosen === null) {
    throw malformed(label, 'has files in several folders. Put them at the root.');
  }
  return new Map(
    found
      .filter((entry) => entry.fileName === `${chosen}${base(entry)}`)
      .map((entry) => [base(entry), entry]),
  );
}

function base(entry: Entry): string {
  return basename(entry.fileName);
}

async function* readEntry(p: {
  readonly zip: ZipFile;
  readonly entry: Entry | undefined;
  readonly label: string;
}): AsyncGenerator<Uint8Array> {
  const { zip, entry, label } = p;
  if (entry === undefined) return;
  const stream: Readable = await guarded(label, () => zip.openReadStreamPromise(entry));
  let bytes = 0;
  let checksum = 0;
  try {
    for await (const chunk of stream as AsyncIterable<Uint8Array>) {
      bytes += chunk.length;
      const bomb = bytes > ratioFreeBytes && bytes > largestRatio * entry.compressedSize;
      if (bytes > largestBytes || bomb) throw tooLarge(label);
      checksum = crc32(chunk, checksum);
      yield chunk;
    }
    // yauzl compares sizes, not checksums.
    if (checksum !== entry.crc32) throw malformed(label, 'is damaged. Fetch it again.');
  } catch (error) {
    throw asFeedError(label, error);
  } finally {
    stream.destroy();
  }
}

async function guarded<T>(label: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw asFeedError(label, error);
  }
}

function asFeedError(label: string, error: unknown): FeedError {
  if (error instanceof FeedError) return error;
  return malformed(label, 'is not a whole zip file. Fetch it again.');
}

function malformed(label: string, what: string): FeedError {
  return new FeedError({ code: 'feed-malformed', message: `${label} ${what}`, file: label });
}

function tooLarge(label: string): FeedError {
  return new FeedError({
    code: 'feed-too-large',
    message: `${label} unpacks to more than any roster holds. Nothing of it is read.`,
    file: label,
  });
}

function isCsv(name: string): boolean {
  return name.toLowerCase().endsWith('.csv') && !basename(name).startsWith('.');
}

function namesOf(names: readonly string[]): ReadonlyMap<string, string> {
  return new Map(names.map((name) => [name.toLowerCase(), name]));
}
