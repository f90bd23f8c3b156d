import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { kindOfRole } from '../../provisioning/feed/membership-role.ts';
import { advanceOneDay } from '../../services/generator/day.ts';
import { generate } from '../../services/generator/generate.ts';
import { generateMunicipality } from '../../services/generator/municipality.ts';
import { newFolder, read } from './reading.ts';

const plan = { seed: 1, schools: 6, people: 3000 };
const truth = generateMunicipality(plan);

describe('the municipality', () => {
  it('is the same for the same seed and another for another', () => {
    expect(generateMunicipality(plan)).toEqual(truth);
    expect(generateMunicipality({ ...plan, seed: 2 })).not.toEqual(truth);
  });

  it('has as many people as asked for, one staff account per eight pupils', () => {
    const kinds = Map.groupBy(
      truth.people.map(({ places }) => places[0]?.roles[0] ?? 'external'),
      kindOfRole,
    );

    expect(truth.people).toHaveLength(3000);
    expect((kinds.get('pupil')?.length ?? 0) / (kinds.get('staff')?.length ?? 1)).toBeCloseTo(8, 0);
  });

  it('has classes below the cap and near the mean of the country', () => {
    const sizes = truth.schools.flatMap(({ number, groups }) =>
      groups
        .filter(({ kind }) => kind === 'class')
        .map(
          ({ id }) =>
            truth.people.filter(({ places }) =>
              places.some((place) => place.school === number && place.mainGroup === id),
            ).length,
        ),
    );
    const mean = sizes.reduce((a, b) => a + b, 0) / sizes.length;

    expect(Math.max(...sizes)).toBeLessThanOrEqual(28);
    expect(mean).toBeGreaterThan(17);
    expect(mean).toBeLessThan(24);
  });

  it('has unique ids, none of which looks like a civil number', () => {
    const ids = truth.people.map(({ uniId }) => uniId);

    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.every((id) => /^([a-z]{4}[a-z0-9]{4}|[a-z][a-z0-9]{9})$/.test(id))).toBe(true);
  });

  it('has protected people with an alias, but exactly one', () => {
    const guarded = truth.people.filter((person) => person.protected);

    expect(guarded).toHaveLength(15);
    expect(guarded.filter(({ alias }) => alias === null)).toHaveLength(1);
  });

  it('has children in the SFO who are in no class yet', () => {
    const children = truth.people.filter(({ places }) => places[0]?.roles[0] === 'child');

    expect(children).toHaveLength(12);
    expect(children.every(({ places }) => places[0]?.grade === 'DT')).toBe(true);
  });

  it('needs a school and people for it', () => {
    expect(() => generateMunicipality({ seed: 1, schools: 0, people: 100 })).toThrow(RangeError);
    expect(() => generateMunicipality({ seed: 1, schools: 9, people: 100 })).toThrow(RangeError);
  });

  it('has people in two schools and people who are pupil and employee', () => {
    const twice = truth.people.filter(({ places }) => places.length > 1);
    const both = twice.filter(({ places }) => places[0]?.school === places[1]?.school);

    expect(twice.length).toBeGreaterThan(both.length);
    expect(both.length).toBeGreaterThan(0);
  });
});

describe('the day after', () => {
  const { truth: next, events } = advanceOneDay(truth);

  it('is ordinary: every kind of event, few of each', () => {
    expect(events).toEqual({
      joiners: 4,
      leavers: 4,
      classMoves: 5,
      schoolMoves: 1,
      nameChanges: 1,
      newTeachings: 1,
      groupsRenamed: 1,
      protectionsOn: 1,
    });
  });

  it('changes what the events say and nothing else', () => {
    const before = new Map(truth.people.map((person) => [person.uniId, person]));
    const after = new Map(next.people.map((person) => [person.uniId, person]));
    const changed = [...after].filter(
      ([id, person]) => before.has(id) && before.get(id) !== person,
    );

    expect([...before.keys()].filter((id) => !after.has(id))).toHaveLength(events.leavers);
    expect([...after.keys()].filter((id) => !before.has(id))).toHaveLength(events.joiners);
    expect(changed).toHaveLength(9);
    expect(next).toMatchObject({ day: 2, date: '2026-11-03' });
  });

  it('goes on for days', () => {
    let later = truth;
    for (let day = 0; day < 5; day++) later = advanceOneDay(later).truth;

    expect(later.day).toBe(6);
    expect(
      later.people.filter((person) => person.protected && person.alias === null).length,
    ).toBeLessThanOrEqual(1);
  });
});

describe('generate', () => {
  it('writes two days in three formats with their counts', async () => {
    const out = await newFolder();
    const summary = await generate({ out, seed: 4, schools: 2, people: 200 });
    const written: unknown = JSON.parse(await readFile(join(out, 'truth.json'), 'utf8'));

    expect(written).toEqual(summary);
    for (const day of summary.days) {
      for (const [format, name] of [
        ['ws17', 'ws17'],
        ['oneroster', 'oneroster11.zip'],
        ['oneroster', 'oneroster12.zip'],
      ] as const) {
        const reading = await read(format, join(out, `day${day.day}`, name));
        const count = (entity: string) =>
          reading.records.filter((record) => record.entity === entity).length;
        expect(count('institution')).toBe(day.institutions);
        expect(count('person')).toBe(day.people);
        expect(count('membership')).toBe(day.memberships);
        expect(count('affiliation')).toBe(Object.values(day.affiliations).reduce((a, b) => a + b));
      }
    }
  });
});
