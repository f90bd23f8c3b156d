import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { RosterRecord } from '../../provisioning/feed/record.ts';
import { advanceOneDay } from '../../services/generator/day.ts';
import { generateMunicipality } from '../../services/generator/municipality.ts';
import { writeOneRoster11, writeOneRoster12 } from '../../services/generator/oneroster.ts';
import type { Municipality } from '../../services/generator/truth.ts';
import { toRecords } from '../../services/generator/truth.ts';
import { writeWs17 } from '../../services/generator/ws17.ts';
import type { Reading } from './reading.ts';
import { newFolder, read } from './reading.ts';

/**
 * What a format says beyond the others: WS17 has no terms, and only OneRoster 1.2 says which
 * affiliation is the primary one. All else must be the same to the letter.
 */
function comparable(records: Iterable<RosterRecord>): readonly string[] {
  return [...records]
    .filter((record) => record.entity !== 'term')
    .map((record) => {
      if (record.entity === 'group') return { ...record, terms: [] };
      return record.entity === 'affiliation' ? { ...record, primary: null } : record;
    })
    .map((record) => JSON.stringify(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1))))
    .sort();
}

const first = generateMunicipality({ seed: 11, schools: 3, people: 600 });
const days: readonly (readonly [string, Municipality])[] = [
  ['day 1', first],
  ['day 2', advanceOneDay(first).truth],
  ['with guardians', generateMunicipality({ seed: 5, schools: 2, people: 120, guardians: true })],
];

describe.each(days)('%s', (_, truth) => {
  const readings: Record<string, Reading> = {};

  beforeAll(async () => {
    const folder = await newFolder();
    const zip = join(folder, 'oneroster11.zip');
    await writeWs17({ truth, folder: join(folder, 'ws17') });
    await writeOneRoster11({ truth, path: zip });
    await writeOneRoster12({ truth, path: join(folder, 'oneroster12') });
    readings['WS17'] = await read('ws17', join(folder, 'ws17'));
    readings['OneRoster 1.1 zip'] = await read('oneroster', zip);
    readings['OneRoster 1.2 folder'] = await read('oneroster', join(folder, 'oneroster12'));
  });

  it.each(['WS17', 'OneRoster 1.1 zip', 'OneRoster 1.2 folder'])(
    '%s gives the records of the truth',
    (format) => {
      const reading = readings[format] as Reading;

      expect(comparable(reading.records)).toEqual(comparable(toRecords(truth)));
      expect(reading.rejected).toEqual([]);
      expect(reading.snapshot.schoolYear).toBe('2026-2027');
    },
  );

  it('covers every institution alike in all formats', () => {
    const covered = Object.values(readings).map((reading) =>
      reading.coverage.toSorted((a, b) => (a.institution < b.institution ? -1 : 1)),
    );

    expect(covered[1]).toEqual(covered[0]);
    expect(covered[2]).toEqual(covered[0]);
    expect(covered[0]).toHaveLength(truth.schools.length);
    expect(covered[0]?.[0]).toMatchObject({
      affiliation: 'full',
      group: 'full',
      membership: 'full',
    });
  });

  it('tells nothing but the protected person without alias', () => {
    const told = Object.values(readings).map(({ codes }) => [...codes].sort());

    expect(told).toEqual([['alias-missing'], ['alias-missing'], ['alias-missing']]);
  });

  it('never shows the name of a protected person', () => {
    for (const person of truth.people.filter((one) => one.protected)) {
      for (const reading of Object.values(readings)) {
        const record = reading.find('person', person.uniId);
        expect(record).toMatchObject({
          protected: true,
          given: person.alias?.given ?? null,
          family: person.alias?.family ?? null,
          email: null,
        });
      }
    }
  });
});
