import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import type { FeedFormat } from '../../provisioning/feed/read.ts';
import { readFeed } from '../../provisioning/feed/read.ts';
import { good } from './package-files.ts';
import { newFolder, place } from './reading.ts';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

function heapMegabytes(): number {
  collect();
  return process.memoryUsage().heapUsed / 1024 ** 2;
}

/** Reads a feed and keeps nothing of it; the heap is measured after a collection now and then. */
async function measure(p: {
  readonly format: FeedFormat;
  readonly path: string;
}): Promise<{ readonly people: number; readonly growth: number }> {
  const before = heapMegabytes();
  let highest = before;
  let items = 0;
  let people = 0;
  for await (const item of readFeed(p)) {
    if (item.type === 'record' && item.record.entity === 'person') people += 1;
    items += 1;
    if (items % 20_000 === 0) highest = Math.max(highest, heapMegabytes());
  }
  return { people, growth: highest - before };
}

/** 20 MB of one institution: more people than any school has, so that keeping them would show. */
async function writeLargeDocument(file: string, people: number): Promise<number> {
  const handle = await open(file, 'w');
  const address = `<Address><StreetAddress>${'Lang vej '.repeat(40)}</StreetAddress></Address>`;
  await handle.write(
    '<UNILoginExportFullMyndighed accessLevel="full"><Institution><InstitutionNumber>A12249</InstitutionNumber><InstitutionName>Skolen</InstitutionName><Group><GroupId>G1</GroupId><GroupName>5A</GroupName><GroupType>Hovedgruppe</GroupType></Group>',
  );
  let bytes = 0;
  for (let block = 0; block < people / 500; block++) {
    const text = Array.from({ length: 500 }, (_, i) => {
      const id = `u${String(block * 500 + i).padStart(9, '0')}`;
      return `<InstitutionPerson source="s"><Person protected="false"><FirstName>Søren</FirstName><FamilyName>Østergård</FamilyName><UserId>${id}</UserId>${address}</Person><Student><Role>Elev</Role><Level>5</Level><MainGroupId>G1</MainGroupId></Student></InstitutionPerson>\n`;
    }).join('');
    bytes += (await handle.write(text)).bytesWritten;
  }
  await handle.write('</Institution></UNILoginExportFullMyndighed>');
  await handle.close();
  return bytes;
}

describe('memory', () => {
  it('of a 20 MB WS17 document stays below what its keys need', { timeout: 30_000 }, async () => {
    const file = join(await newFolder(), 'large.xml');
    const bytes = await writeLargeDocument(file, 30_000);

    const { people, growth } = await measure({ format: 'ws17', path: file });

    expect(bytes).toBeGreaterThan(18 * 1024 ** 2);
    expect(people).toBe(30_000);
    expect(growth).toBeLessThan(30);
  });

  it('of 30,000 OneRoster users stays below what their keys need', {
    timeout: 30_000,
  }, async () => {
    const filler = 'x'.repeat(500);
    const users = Array.from(
      { length: 30_000 },
      (_, i) => `X${i},,,true,O1,student,${filler},,Søren,Østergård,,,,,,,05,\r\n`,
    );
    const enrolments = users.map((_, i) => `E${i},,,C1,O1,X${i},student,,,\r\n`);
    const path = await place({
      ...good,
      'users.csv': `${good['users.csv']}${users.join('')}`,
      'enrollments.csv': `${good['enrollments.csv']}${enrolments.join('')}`,
    });
    users.length = 0;
    enrolments.length = 0;

    const { people, growth } = await measure({ format: 'oneroster', path });

    expect(people).toBe(30_002);
    expect(growth).toBeLessThan(30);
  });
});
