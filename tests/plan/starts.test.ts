import { afterEach, describe, expect, it } from 'vitest';
import type { SmallPerson, SmallRoster } from '../support/roster.ts';
import type { Life } from './life.ts';
import { after, dayAfter, openLife, teacher, town } from './life.ts';

let life: Life;

afterEach(async () => {
  await life[Symbol.asyncDispose]();
});

const hiding = 'version: 1\nlifecycle: { hideUntilStart: true }\n';

/** A teacher who begins on day 20: made ready on day 13. */
const hired = town({ ...teacher, from: dayAfter(20) });

describe('somebody whose first day lies ahead', () => {
  it('gets account and memberships so many days before', async () => {
    life = await openLife();
    await life.day({ roster: hired, now: after(0) });
    expect(life.account('nyla0001')).toBeUndefined();
    await life.day({ roster: hired, now: after(12) });
    expect(life.account('nyla0001')).toBeUndefined();

    await life.day({ roster: hired, now: after(13) });
    expect(life.open('nyla0001')).toBe(true);
    expect(life.account('nyla0001', 'nextcloud')?.active).toBe(true);
    expect(await life.inCourse('nyla0001')).toBe(true);
    expect(await life.day({ roster: hired, now: after(20) })).toEqual([]);
  });

  it('gets it on the day itself where policy says 0', async () => {
    life = await openLife('version: 1\nlifecycle: { readyDays: { staff: 0 } }\n');
    await life.day({ roster: hired, now: after(19) });
    expect(life.account('nyla0001')).toBeUndefined();
    await life.day({ roster: hired, now: after(20) });
    expect(life.open('nyla0001')).toBe(true);
  });

  it('is hidden until then if policy says so, and opened on the day without a feed', async () => {
    life = await openLife(hiding);
    await life.day({ roster: hired, now: after(12) });
    const reasons = await life.day({ roster: hired, now: after(13) });
    expect(reasons).toContain('keycloak account create new');
    expect(reasons).toContain('keycloak account update starts');
    expect(life.open('nyla0001')).toBe(false);
    expect(life.account('nyla0001', 'nextcloud')?.active).toBe(false);
    expect(life.account('nyla0001', 'moodle')?.active).toBe(false);
    expect(await life.inCourse('nyla0001')).toBe(true);

    await life.quietDay(after(19));
    expect(life.open('nyla0001')).toBe(false);
    await life.quietDay(new Date(`${dayAfter(20)}T00:00:00Z`));
    expect(life.open('nyla0001')).toBe(true);
    expect(life.account('nyla0001', 'moodle')?.active).toBe(true);
    expect(await life.day({ roster: hired, now: after(20) })).toEqual([]);
    expect(await life.day({ roster: hired, now: after(90) })).toEqual([]);
  });

  it('is opened on another day when the date moves, and keeps what changes meanwhile', async () => {
    life = await openLife(hiding);
    await life.day({ roster: hired, now: after(13) });
    const later = town({ ...teacher, from: dayAfter(21), family: 'Nygift' });
    expect(await life.day({ roster: later, now: after(14) })).toContain(
      'keycloak account update starts',
    );
    await life.quietDay(after(20));
    expect(life.open('nyla0001')).toBe(false);
    await life.quietDay(after(21));
    expect(life.account('nyla0001')).toMatchObject({ active: true, family: 'Nygift' });

    await life.day({ roster: later, now: after(21) });
  });

  it('is opened at once when the date moves to today', async () => {
    life = await openLife(hiding);
    await life.day({ roster: hired, now: after(13) });
    await life.day({ roster: town({ ...teacher, from: dayAfter(14) }), now: after(14) });
    expect(life.open('nyla0001')).toBe(true);
  });

  it('is never opened when the feed drops the person before', async () => {
    life = await openLife(hiding);
    await life.day({ roster: hired, now: after(13) });
    expect(await life.day({ roster: town(), now: after(15) })).toContain(
      'keycloak account deactivate left',
    );
    await life.quietDay(after(30));
    expect(life.open('nyla0001')).toBe(false);
    await life.day({ roster: town(), now: after(72) });
    expect(life.open('nyla0001')).toBe(false);
    await life.day({ roster: town(), now: after(73) });
    expect(life.account('nyla0001')).toBeUndefined();
  });

  it('is never opened when the feed forbids the sign-in before', async () => {
    life = await openLife(hiding);
    await life.day({ roster: hired, now: after(13) });
    const barred = town({ ...teacher, from: dayAfter(20), mayLogIn: false });
    await life.day({ roster: barred, now: after(15) });
    await life.quietDay(after(20));
    await life.day({ roster: barred, now: after(21) });
    expect(life.open('nyla0001')).toBe(false);
  });

  it('is hidden too when back from retention, under the same username', async () => {
    life = await openLife(hiding);
    await life.day({ roster: town(teacher), now: after(0) });
    await life.day({ roster: town(), now: after(1) });
    await life.day({ roster: town(), now: after(8) });
    expect(life.open('nyla0001')).toBe(false);
    await life.day({ roster: hired, now: after(14) });
    expect(life.open('nyla0001')).toBe(false);
    await life.quietDay(after(20));
    expect(life.open('nyla0001')).toBe(true);
  });

  it('who is here already moves on the first day, and is not shut before', async () => {
    life = await openLife(hiding);
    const here = { ...teacher, groups: [] };
    const moving = town(here, { ...teacher, institution: '101002', from: dayAfter(20) });
    await life.day({ roster: town(here), now: after(0) });
    expect(await life.day({ roster: moving, now: after(15) })).toEqual([]);
    expect(life.open('nyla0001')).toBe(true);
    // The old school ends before the new one begins: the gap shuts nobody out.
    const gap = town({ ...teacher, institution: '101002', from: dayAfter(20) });
    await life.day({ roster: gap, now: after(17) });
    expect(life.open('nyla0001')).toBe(true);
    await life.day({ roster: gap, now: after(20) });
    expect(life.account('nyla0001')).toMatchObject({
      active: true,
      attributes: { institutions: ['101002'] },
    });
  });

  it('a parent who is hired gets the account ahead like anybody', async () => {
    life = await openLife();
    const parent = { uniId: 'nyla0001', institution: '101001', kind: 'guardian' } as const;
    const roster = town({ ...parent, roles: ['guardian'] }, { ...teacher, from: dayAfter(20) });
    await life.day({ roster, now: after(13) });
    expect(life.open('nyla0001')).toBe(true);
  });
});

describe('the classes of next year in a feed without dates for people', () => {
  const child = (uniId: string, groups: readonly string[]) =>
    ({ uniId, institution: '101001', groups }) satisfies SmallPerson;

  /** 0.A and 8.A begin on day 30; the pupils of 8.A have left 7.A in the feed already. */
  function summer(...people: readonly SmallPerson[]): SmallRoster {
    const roster = town(...people);
    const from = dayAfter(30);
    return {
      ...roster,
      groups: [
        ...roster.groups,
        { institution: '101001', id: '0A', name: '0.A', grade: '0', from },
        { institution: '101001', id: '8A', name: '8.A', grade: '8', from },
      ],
    };
  }

  it('hide the pupils of grade 0 until they are made ready, with their class', async () => {
    life = await openLife();
    const roster = summer(child('nyel0001', ['0A']));
    await life.day({ roster, now: after(15) });
    expect(life.account('nyel0001')).toBeUndefined();
    await life.day({ roster, now: after(16) });
    expect(life.open('nyel0001')).toBe(true);
    expect(await life.inCourse('nyel0001')).toBe(true);
    expect(JSON.stringify([...life.line.targets.keycloak.held.values()])).not.toContain('8.A');
    await life.day({ roster, now: after(17) });
    await life.day({ roster, now: after(30) });
    expect(life.open('nyel0001')).toBe(true);
  });

  it('do so by the first day of their terms as well', async () => {
    life = await openLife(hiding);
    const base = town(child('nyel0001', ['0A']));
    const roster: SmallRoster = {
      ...base,
      terms: [{ key: 'next', from: dayAfter(30), to: dayAfter(300) }],
      groups: [
        ...base.groups,
        { institution: '101001', id: '0A', name: '0.A', grade: '0', terms: ['next'] },
      ],
    };
    await life.day({ roster, now: after(15) });
    expect(life.account('nyel0001')).toBeUndefined();
    await life.day({ roster, now: after(16) });
    expect(life.open('nyel0001')).toBe(false);
    expect(await life.inCourse('nyel0001')).toBe(true);
    await life.quietDay(after(30));
    expect(life.open('nyel0001')).toBe(true);
    expect(await life.day({ roster, now: after(30) })).toEqual([]);
  });

  it('shut nobody of another grade, and nobody who is in', async () => {
    life = await openLife();
    const before = town(child('nyel0001', ['7A']), child('nyel0008', ['7A']));
    await life.day({ roster: before, now: after(0) });
    const roster = summer(child('nyel0001', ['0A']), child('nyel0008', ['8A']));
    const reasons = await life.day({ roster, now: after(1) });
    expect(reasons.filter((reason) => reason.includes('deactivate'))).toEqual([]);
    expect(life.open('nyel0001')).toBe(true);
    expect(life.open('nyel0008')).toBe(true);
    await life.day({ roster, now: after(12) });
    expect(life.open('nyel0001')).toBe(true);
    expect(life.open('nyel0008')).toBe(true);
  });

  it('give the new class a name of its own year beside the running one', async () => {
    life = await openLife();
    const now = new Date('2027-07-25T05:00:00Z');
    const base = town(child('nyel0001', ['0A']), child('gael0001', ['0A-gl']));
    const roster = {
      ...base,
      groups: [
        ...base.groups,
        { institution: '101001', id: '0A-gl', name: '0.A', grade: '0' },
        { institution: '101001', id: '0A', name: '0.A', grade: '0', from: '2027-08-01' },
      ],
    };
    await life.day({ roster, now });
    const names = [...life.line.targets.keycloak.held.values()].flatMap((body) =>
      'name' in body && body.name.startsWith('0.A') ? [body.name] : [],
    );
    expect(names.sort()).toEqual(['0.A 2026-2027', '0.A 2027-2028']);
  });
});
