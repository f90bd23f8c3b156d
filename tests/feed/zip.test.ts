import { createWriteStream } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { describe, expect, it } from 'vitest';
import yazl from 'yazl';
import { good } from './package-files.ts';
import { failure, newFolder, read, refusal } from './reading.ts';

async function zipOf(files: Readonly<Record<string, string | Uint8Array>>): Promise<string> {
  const zip = new yazl.ZipFile();
  for (const [name, content] of Object.entries(files)) zip.addBuffer(Buffer.from(content), name);
  zip.end();
  return writeZip(zip);
}

async function writeZip(zip: yazl.ZipFile): Promise<string> {
  const path = join(await newFolder(), 'roster.zip');
  await pipeline(zip.outputStream, createWriteStream(path));
  return path;
}

function inFolder(folder: string): Record<string, string> {
  return Object.fromEntries(
    Object.entries(good).map(([name, text]) => [`${folder}/${name}`, text]),
  );
}

describe('a zip', () => {
  it('with its files at the root is read', async () => {
    expect((await read('oneroster', await zipOf(good))).has('person', 'U1')).toBe(true);
  });

  it('with its files in one sub folder, beside what macOS adds, is read', async () => {
    const path = await zipOf({
      ...inFolder('export/roster'),
      '__MACOSX/users.csv': 'x',
      'notes.txt': 'x',
    });

    expect((await read('oneroster', path)).has('person', 'U1')).toBe(true);
  });

  it('with packages in two folders is refused', async () => {
    expect(await refusal('oneroster', await zipOf({ ...inFolder('a'), ...inFolder('b') }))).toBe(
      'feed-malformed',
    );
  });

  it('that is none is refused', async () => {
    const path = join(await newFolder(), 'roster.zip');
    await writeFile(path, 'PK but no more');

    expect(await refusal('oneroster', path)).toBe('feed-malformed');
  });

  it('whose entry climbs out of its folder is refused', async () => {
    const path = await zipOf({ ...good, 'XXXusers.csv': 'x' });
    const bytes = await readFile(path, 'latin1');
    await writeFile(path, bytes.replaceAll('XXXusers.csv', '../users.csv'), 'latin1');

    expect(await refusal('oneroster', path)).toBe('feed-malformed');
  });

  it('whose content does not fit its checksum is refused', async () => {
    const zip = new yazl.ZipFile();
    for (const [name, text] of Object.entries(good))
      zip.addBuffer(Buffer.from(text), name, { compress: false });
    zip.end();
    const path = await writeZip(zip);
    const bytes = await readFile(path, 'latin1');
    await writeFile(path, bytes.replace('anna@x.example', 'otto@x.example'), 'latin1');

    expect(await refusal('oneroster', path)).toBe('feed-malformed');
  });

  it('that unpacks a thousandfold is refused before it fills anything', async () => {
    const rows = Readable.from(
      (function* () {
        yield Buffer.from(`${good['users.csv']?.split('\r\n')[0]}\r\n`);
        for (let megabyte = 0; megabyte < 20; megabyte++)
          yield Buffer.from('\n'.repeat(1024 * 1024));
      })(),
    );
    const zip = new yazl.ZipFile();
    for (const [name, text] of Object.entries(good)) {
      if (name !== 'users.csv') zip.addBuffer(Buffer.from(text), name);
    }
    zip.addReadStream(rows, 'users.csv');
    zip.end();

    const error = await failure('oneroster', await writeZip(zip));

    expect(error?.code).toBe('feed-too-large');
  });
});
