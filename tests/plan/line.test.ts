import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readProgress } from '../../provisioning/ledger/progress.ts';
import type { MoodleCategory } from '../../provisioning/policy/resource.ts';
import type { Line } from '../support/line.ts';
import { countPlanned, openLine } from '../support/line.ts';
import type { SmallRoster } from '../support/roster.ts';
import { smallRoster } from '../support/roster.ts';

let line: Line;

beforeEach(async () => {
  line = await openLine();
});

afterEach(async () => {
  await line[Symbol.asyncDispose]();
});

const monday = new Date('2026-11-02T05:00:00Z');
const after = (days: number) => new Date(monday.getTime() + days * 86_400_000);
const roster = smallRoster({ pupils: 30 });

function without(r: SmallRoster, test: (uniId: string) => boolean): SmallRoster {
  return { ...r, people: r.people.filter((p) => !test(p.uniId)) };
}

/** Pupils of school 101001 with a number up to `n`. */
const firstPupils = (n: number) => (uniId: string) =>
  uniId.startsWith('elev1') && Number(uniId.slice(5)) <= n;

function account(uniId: string) {
  const body = [...line.targets.keycloak.held.values()].find(
    (b) => 'username' in b && b.username === uniId,
  );
  return body;
}

function course(name: RegExp) {
  const body = [...line.targets.moodle.held.values()].find(
    (b) => 'fullname' in b && name.test(b.fullname),
  );
  if (body === undefined || !('enrolments' in body)) throw new Error('No such course.');
  return body;
}

describe('the first load', () => {
  it('plans everything, sets it down, and a second sync plans nothing', async () => {
    const first = await line.day({ roster, now: monday });
    expect(first.plan.changes['keycloak']?.['account']).toEqual({
      create: 64,
      update: 0,
      deactivate: 0,
      delete: 0,
    });
    expect(first.plan.held).toEqual([]);
    await line.drain();
    const progress = await readProgress(line);
    expect(progress.every((row) => row.due === 0 && row.failed === 0)).toBe(true);
    expect(line.targets.keycloak.held.size).toBe(64 + 4);
    expect(Object.keys(course(/7\.A/).enrolments)).toHaveLength(31);

    const second = await line.day({ roster, now: after(1) });
    expect(countPlanned(second.plan)).toBe(0);
    await line.drain();
    expect(line.targets.keycloak.writes).toHaveLength(68);
  });

  it('writes what others need before what needs it', async () => {
    await line.day({ roster, now: monday });
    await line.drain();
    const { writes } = line.targets.moodle;
    const kinds = [...new Set(writes.map((ref) => ref.split('/')[0]))];
    expect(kinds).toEqual(['category', 'account', 'cohort', 'course']);
  });
});

describe('an ordinary day', () => {
  beforeEach(async () => {
    await line.day({ roster, now: monday });
    await line.drain();
  });

  it('gives every change its reason', async () => {
    const moved: SmallRoster = {
      ...roster,
      groups: [...roster.groups, { institution: '101001', id: '7B', name: '7.B' }],
      people: roster.people.map((p) => {
        if (p.uniId === 'elev1001') return { ...p, groups: ['7B'] };
        if (p.uniId === 'elev1002') return { ...p, family: 'Nygift' };
        return p;
      }),
    };
    const { plan } = await line.day({ roster: moved, now: after(1) });
    const accounts = (await line.changes(plan.id)).filter(
      (c) => c.target === 'keycloak' && c.kind === 'account',
    );
    expect(accounts.map((c) => [c.action, c.reason.code])).toEqual([
      ['update', 'moved'],
      ['update', 'renamed'],
    ]);
    expect(JSON.stringify(accounts[0]?.reason.fields)).toContain('7.B');
    await line.drain();
    expect(countPlanned((await line.day({ roster: moved, now: after(2) })).plan)).toBe(0);
  });

  it('deactivates a leaver after the grace period, with the memberships, and deletes only after the retention', async () => {
    const left = without(roster, firstPupils(1));
    const day2 = await line.day({ roster: left, now: after(1) });
    expect(day2.plan.changes['keycloak']?.['account']).toMatchObject({ deactivate: 1, delete: 0 });
    expect(day2.commit.scheduled).toBe(3);
    await line.drain();
    expect(account('elev1001')).toMatchObject({ active: true });
    expect(Object.keys(course(/7\.A/).enrolments)).toHaveLength(31);
    expect(countPlanned((await line.day({ roster: left, now: after(2) })).plan)).toBe(0);

    const day9 = await line.day({ roster: left, now: after(9) });
    await line.drain();
    expect(account('elev1001')).toMatchObject({ active: false });
    expect(Object.keys(course(/7\.A/).enrolments)).toHaveLength(30);
    expect(day9.plan.changes['moodle']?.['course']).toMatchObject({ update: 1 });

    expect(countPlanned((await line.day({ roster: left, now: after(60) })).plan)).toBe(0);
    const last = await line.day({ roster: left, now: after(70) });
    expect(last.plan.changes['keycloak']?.['account']).toMatchObject({ delete: 1 });
    await line.drain();
    expect(account('elev1001')).toBeUndefined();
  });

  it('calls a leaving off when the person is back within the grace period', async () => {
    await line.day({ roster: without(roster, firstPupils(1)), now: after(1) });
    const back = await line.day({ roster, now: after(3) });
    expect((await line.changes(back.plan.id)).map((c) => c.reason.code)).toEqual([
      'stays',
      'stays',
      'stays',
    ]);
    await line.promote(after(30));
    await line.drain();
    expect(account('elev1001')).toMatchObject({ active: true });
  });

  it('gives a returning person the same username and account', async () => {
    const left = without(roster, firstPupils(1));
    await line.day({ roster: left, now: after(1) });
    await line.day({ roster: left, now: after(9) });
    await line.drain();
    const keys = [...line.targets.keycloak.held.keys()];
    const back = await line.day({ roster, now: after(20) });
    expect((await line.changes(back.plan.id)).some((c) => c.reason.code === 'returned')).toBe(true);
    await line.drain();
    expect(account('elev1001')).toMatchObject({ active: true });
    expect([...line.targets.keycloak.held.keys()]).toEqual(keys);
  });
});

describe('the limit on deactivation', () => {
  beforeEach(async () => {
    await line.day({ roster, now: monday });
    await line.drain();
  });

  const newcomer = { uniId: 'elev2099', institution: '101002', groups: ['7A'] };

  it('holds the losses of one institution and lets the rest go on', async () => {
    const broken = without(roster, firstPupils(25));
    const { plan, commit } = await line.day({
      roster: { ...broken, people: [...broken.people, newcomer] },
      now: after(1),
    });
    expect(plan.held).toContainEqual({
      institution: '101001',
      target: 'keycloak',
      kind: 'account',
      action: 'deactivate',
      code: 'limit-deactivate',
      count: 25,
      of: 32,
    });
    expect(plan.changes['keycloak']?.['account']).toMatchObject({ create: 1, deactivate: 0 });
    expect(commit.held).toBe(75);
    await line.promote(after(30));
    await line.drain();
    expect(account('elev1001')).toMatchObject({ active: true });
    expect(account('elev2099')).toMatchObject({ active: true });
    expect(Object.keys(course(/7\.A/).enrolments).length).toBeGreaterThanOrEqual(31);
    // Still held, however often it comes: time alone lets nothing pass.
    expect((await line.day({ roster: broken, now: after(40) })).plan.held).not.toEqual([]);
    await line.drain();
    expect(account('elev1001')).toMatchObject({ active: true });
  });

  it('lets 20 people go without a question', async () => {
    const { plan } = await line.day({ roster: without(roster, firstPupils(20)), now: after(1) });
    expect(plan.held).toEqual([]);
  });

  it('goes on when a person has allowed the losses', async () => {
    const { plan } = await line.day({
      roster: without(roster, firstPupils(25)),
      now: after(1),
      allowed: ['101001'],
    });
    expect(plan.held).toEqual([]);
    expect(plan.changes['keycloak']?.['account']).toMatchObject({ deactivate: 25 });
  });
});

describe('protected people', () => {
  const hidden = { uniId: 'hemm1001', institution: '101001', groups: ['7A'], protected: true };

  it('without an alias stand under a placeholder, and a hold tells the school', async () => {
    const { plan } = await line.day({
      roster: { ...roster, people: [...roster.people, { ...hidden, given: null, family: null }] },
      now: monday,
    });
    expect(plan.held).toEqual([
      expect.objectContaining({ institution: '101001', code: 'protected-without-alias', count: 1 }),
    ]);
    await line.drain();
    const shown = [...line.targets.keycloak.held.values()].filter((b) => 'given' in b);
    expect(shown).toHaveLength(65);
    expect(shown.every((b) => 'given' in b && b.given !== '' && b.family !== '')).toBe(true);
  });
});

describe('several servers of one type', () => {
  it('gives each school its own Moodle, and everybody an account in the shared one', async () => {
    await line[Symbol.asyncDispose]();
    line = await openLine({
      policy: `version: 1
routes:
  - { target: moodle, type: moodle, institutions: ["101001"] }
  - { target: moodle-shared, type: moodle, only: [account] }
`,
      secondMoodle: 'moodle-shared',
    });
    const { plan } = await line.day({ roster, now: monday });
    expect(plan.changes['moodle']?.['account']?.create).toBe(32);
    expect(plan.changes['moodle']?.['course']?.create).toBe(1);
    expect(plan.changes['moodle-shared']?.['account']?.create).toBe(64);
    expect(plan.changes['moodle-shared']?.['course']?.create).toBe(0);
    await line.drain();
    expect(line.second?.held.size).toBe(64);
    expect(countPlanned((await line.day({ roster, now: after(1) })).plan)).toBe(0);
  });
});

describe('roles in a whole school', () => {
  it('are given to its leaders once they have an account, and taken when they lead no more', async () => {
    await line[Symbol.asyncDispose]();
    line = await openLine({
      policy: 'version: 1\ncourses:\n  categoryRoles: { leader: manager }\n',
    });
    await line.day({ roster, now: monday });
    await line.drain();
    const category = () =>
      [...line.targets.moodle.held.entries()].find(
        ([ref]) => ref === 'category/school:101001',
      )?.[1];
    const roles = (category() as MoodleCategory).roles ?? {};
    expect(Object.values(roles)).toEqual([['manager']]);
    const demoted: SmallRoster = {
      ...roster,
      people: roster.people.map((p) =>
        p.uniId === 'lede1001' ? { ...p, roles: ['teacher'] as const } : p,
      ),
    };
    await line.day({ roster: demoted, now: after(1) });
    await line.drain();
    expect((category() as MoodleCategory).roles).toBeUndefined();
    expect(countPlanned((await line.day({ roster: demoted, now: after(2) })).plan)).toBe(0);
  });
});
