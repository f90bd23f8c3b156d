import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { FeedFormat } from '../../provisioning/feed/read.ts';
import { generateMunicipality } from '../../services/generator/municipality.ts';
import { toOneRoster, writeOneRoster12 } from '../../services/generator/oneroster.ts';
import { toWs17 } from '../../services/generator/ws17.ts';
import type { Reading } from './reading.ts';
import { failure, newFolder, place, read } from './reading.ts';

const truth = generateMunicipality({ seed: 3, schools: 1, people: 24 });
const [[number, xml] = ['', '']] = [...toWs17(truth)];
const csv = Object.fromEntries(toOneRoster(truth, '1.1'));
const runs = { numRuns: 100 };

function keysOf(reading: Reading): ReadonlySet<string> {
  return new Set(reading.records.map((record) => `${record.entity} ${record.key}`));
}

/** The reading of a damaged feed, or null where it was refused; another error fails the test. */
async function survive(format: FeedFormat, path: string): Promise<Reading | null> {
  return (await failure(format, path)) === null ? read(format, path) : null;
}

describe('cut anywhere', () => {
  it('WS17 is refused, or nothing of it is missing', async () => {
    const bytes = Buffer.from(xml);
    const folder = await newFolder();
    const file = join(folder, `${number}.xml`);
    await writeFile(file, bytes);
    const whole = keysOf(await read('ws17', file));

    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: bytes.length - 1 }), async (length) => {
        await writeFile(file, bytes.subarray(0, length));
        const reading = await survive('ws17', file);
        if (reading !== null) expect(keysOf(reading)).toEqual(whole);
      }),
      runs,
    );
  });

  it('a zip is always refused', async () => {
    const path = join(await newFolder(), 'roster.zip');
    await writeOneRoster12({ truth, path });
    const bytes = await readFile(path);

    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: bytes.length - 1 }), async (length) => {
        await writeFile(path, bytes.subarray(0, length));
        expect(await survive('oneroster', path)).toBeNull();
      }),
      runs,
    );
  });

  /**
   * One file of a folder. What is lost must be told. Between two rows of enrollments.csv nothing in
   * the format can tell a cut, so that one place is left to the limits.
   */
  it('a CSV folder is refused, or what is missing is told', async () => {
    const folder = await place(csv);
    const whole = keysOf(await read('oneroster', folder));
    const names = Object.keys(csv);

    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...names),
        fc.double({ min: 0, max: 1, noNaN: true }),
        async (name, share) => {
          const bytes = Buffer.from(csv[name] ?? '');
          const cut = bytes.subarray(0, Math.floor(share * (bytes.length - 1)));
          await writeFile(join(folder, name), cut);
          const reading = await survive('oneroster', folder);
          await writeFile(join(folder, name), bytes);
          if (reading === null) return;
          if (name === 'enrollments.csv' && /[\r\n]$/.test(cut.toString('latin1'))) return;
          const now = keysOf(reading);
          const lost = [...whole].filter((key) => !now.has(key));
          const told =
            reading.rejected.length +
            reading.diagnostics.filter((d) => d.code !== 'alias-missing').length;
          if (lost.length > 0)
            expect({ name, cut: cut.length, told }).not.toMatchObject({ told: 0 });
        },
      ),
      runs,
    );
  });

  it('users.csv between two rows: everybody who is missing is kept by name', async () => {
    const lines = csv['users.csv']?.split('\r\n') ?? [];
    const half = `${lines.slice(0, 9).join('\r\n')}\r\n`;
    const whole = await read('oneroster', await place(csv));
    const reading = await read('oneroster', await place({ ...csv, 'users.csv': half }));
    const kept = new Set(reading.rejected.map((item) => item.person ?? item.key));
    const enrolled = whole.records.flatMap((record) =>
      record.entity === 'membership' ? [record.person] : [],
    );

    expect(
      enrolled.filter((person) => !reading.has('person', person) && !kept.has(person)),
    ).toEqual([]);
  });
});

describe('bytes changed anywhere never end in anything but a reading or a FeedError', () => {
  const damage = fc.array(
    fc.tuple(fc.double({ min: 0, max: 0.999999, noNaN: true }), fc.integer({ min: 0, max: 255 })),
    { minLength: 1, maxLength: 6 },
  );

  async function damaged(format: FeedFormat, path: string, file: string): Promise<void> {
    const bytes = await readFile(file);
    await fc.assert(
      fc.asyncProperty(damage, async (changes) => {
        const copy = Buffer.from(bytes);
        for (const [share, value] of changes) copy[Math.floor(share * copy.length)] = value;
        await writeFile(file, copy);
        const error = await failure(format, path);
        if (error !== null) expect(error.code).toMatch(/^feed-/);
      }),
      runs,
    );
  }

  it('WS17', async () => {
    const file = join(await newFolder(), `${number}.xml`);
    await writeFile(file, xml);
    await damaged('ws17', file, file);
  });

  it.each(Object.keys(csv))('%s', async (name) => {
    const folder = await place(csv);
    await damaged('oneroster', folder, join(folder, name));
  });

  it('a zip', async () => {
    const path = join(await newFolder(), 'roster.zip');
    await writeOneRoster12({ truth, path });
    await damaged('oneroster', path, path);
  });

  it('text that was never a feed', async () => {
    const folder = await newFolder();
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary', maxLength: 400 }), async (text) => {
        await writeFile(
          join(folder, 'users.csv'),
          `sourcedId,givenName,familyName,orgSourcedIds\n${text}`,
        );
        await writeFile(join(folder, 'orgs.csv'), 'sourcedId,name,type\nO1,o,school\n');
        await writeFile(join(folder, 'classes.csv'), `sourcedId,title,schoolSourcedId\n${text}`);
        await writeFile(
          join(folder, 'enrollments.csv'),
          `userSourcedId,classSourcedId,role\n${text}`,
        );
        await writeFile(
          join(folder, 'a.xml'),
          `<UNILoginExportFull><Institution>${text}</Institution>`,
        );
        await failure('oneroster', folder);
        await failure('ws17', folder);
      }),
      runs,
    );
  });
});
