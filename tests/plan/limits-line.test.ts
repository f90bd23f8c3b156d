import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { PlanSummary } from '../../provisioning/plan/make.ts';
import { findPlan, listPlans } from '../../provisioning/plan/read.ts';
import type { Line } from '../support/line.ts';
import { countPlanned, openLine } from '../support/line.ts';
import type { SmallPerson, SmallRoster } from '../support/roster.ts';

const broken = '101001';
const neighbour = '101002';
const monday = new Date('2026-11-02T05:00:00Z');
const after = (days: number) => new Date(monday.getTime() + days * 86_400_000);

const classes = Array.from({ length: 18 }, (_, i) => `${Math.floor(i / 2)}${i % 2 ? 'B' : 'A'}`);

/** Two schools of 18 classes with 5 pupils each, 12 teachers with 4 classes each, and a leader. */
function town(): SmallRoster {
  const institutions = [broken, neighbour];
  const number = (institution: string, n: number) =>
    `${institution.slice(-1)}${String(n).padStart(3, '0')}`;
  return {
    institutions,
    groups: institutions.flatMap((institution) =>
      classes.map((id) => ({ institution, id, name: id })),
    ),
    people: institutions.flatMap((institution) => [
      { uniId: `lede${number(institution, 1)}`, institution, kind: 'staff', roles: ['leader'] },
      ...Array.from(
        { length: 12 },
        (_, i): SmallPerson => ({
          uniId: `lear${number(institution, i)}`,
          institution,
          kind: 'staff',
          roles: ['teacher'],
          groups: [0, 1, 2, 3].map((k) => classes[(i * 3 + k) % classes.length] ?? ''),
        }),
      ),
      ...Array.from(
        { length: 90 },
        (_, i): SmallPerson => ({
          uniId: `elev${number(institution, i)}`,
          institution,
          groups: [classes[i % classes.length] ?? ''],
        }),
      ),
    ]),
  };
}

const isPupil = (p: SmallPerson) => p.uniId.startsWith('elev');
const isTeacher = (p: SmallPerson) => p.uniId.startsWith('lear');

/** The same roster, with every person of the broken school as `change` makes it; null: left out. */
function atBroken(
  roster: SmallRoster,
  change: (person: SmallPerson) => SmallPerson | null,
): SmallRoster {
  const people = roster.people.flatMap((p) => {
    const changed = p.institution === broken ? change(p) : p;
    return changed === null ? [] : [changed];
  });
  return { ...roster, people };
}

/** A new pupil at each school; and at the neighbour somebody leaves, moves class, gets another name. */
function ordinaryDay(roster: SmallRoster): SmallRoster {
  const people = roster.people.flatMap((p): SmallPerson[] => {
    if (p.uniId === 'elev2001') return [];
    if (p.uniId === 'elev2002') return [{ ...p, groups: ['8B'] }];
    if (p.uniId === 'elev2003') return [{ ...p, family: 'Nygift' }];
    return [p];
  });
  const joins = (institution: string): SmallPerson => ({
    uniId: `elev${institution.slice(-1)}900`,
    institution,
    groups: ['0A'],
  });
  return { ...roster, people: [...people, joins(broken), joins(neighbour)] };
}

/** What stands there to lose grows with what went through. */
const losses = ({ of: _, ...held }: PlanSummary['held'][number]) => held;

const codesOf = (plan: PlanSummary) => [...new Set(plan.held.map((h) => h.code))].sort();

let line: Line;

beforeEach(async () => {
  line = await openLine();
  const { plan } = await line.day({ roster: town(), now: monday });
  expect(plan.held).toEqual([]);
  await line.drain();
});

afterEach(async () => {
  await line[Symbol.asyncDispose]();
});

/** What people see of the Keycloak accounts. */
const accounts = () =>
  [...line.targets.keycloak.held.values()].flatMap((b) => {
    if (!('username' in b && 'groups' in b)) return [];
    const { username, given, family, active, groups } = b;
    return [{ username, given, family, active, groups }];
  });
const account = (username: string) => accounts().find((b) => b.username === username);

/** Holds as they stand in the inbox. */
const inbox = () =>
  line.database.as(line.tenant, (tx) =>
    tx.query<{ code: string; subject: string; state: string; evidence: Record<string, unknown> }>(
      `select code, subject, state, evidence from hold order by code, subject, opened_at`,
    ),
  );

async function decide(p: { readonly code: string; readonly choice: string }) {
  await line.database.as(line.tenant, (tx) =>
    tx.execute(
      `update hold set state = 'decided', choice = $2, scope = 'once', decided_at = now()
       where state = 'open' and code = $1`,
      [p.code, p.choice],
    ),
  );
}

const swapNames = (p: SmallPerson) => ({
  ...p,
  given: 'Prøvesen',
  family: `Fornavn${p.uniId}`,
});

const breakages: readonly {
  readonly what: string;
  readonly day: SmallRoster;
  readonly codes: readonly string[];
  /** Whether the school's own new pupil gets an account all the same. */
  readonly newcomer: boolean;
}[] = [
  {
    what: 'the end of the list of people is missing',
    day: atBroken(town(), (p) => (isPupil(p) && Number(p.uniId.slice(5)) >= 40 ? null : p)),
    codes: ['limit-deactivate'],
    newcomer: true,
  },
  {
    what: 'the classes are missing',
    day: { ...town(), groups: town().groups.filter((g) => g.institution !== broken) },
    codes: ['limit-groups-vanishing', 'limit-memberships-lost'],
    newcomer: true,
  },
  {
    what: 'the list of members is cut off',
    day: atBroken(town(), (p) =>
      isPupil(p) && Number(p.uniId.slice(5)) >= 30 ? { ...p, groups: [] } : p,
    ),
    codes: ['limit-memberships-lost'],
    newcomer: true,
  },
  {
    what: 'all teachers come as substitutes',
    day: atBroken(town(), (p) => (isTeacher(p) ? { ...p, roles: ['substitute'] } : p)),
    codes: ['limit-teacher-roles-lost'],
    newcomer: true,
  },
  {
    what: 'all pupils come as staff',
    day: atBroken(town(), (p) =>
      isPupil(p) ? { ...p, kind: 'staff', roles: ['support'], groups: [] } : p,
    ),
    codes: ['limit-access-gained', 'limit-memberships-lost'],
    newcomer: true,
  },
  {
    what: 'given and family name are swapped',
    day: atBroken(town(), swapNames),
    codes: ['limit-names-changed'],
    newcomer: true,
  },
  {
    what: 'every pupil has another UNI-ID',
    day: atBroken(town(), (p) => (isPupil(p) ? { ...p, uniId: `ny${p.uniId}` } : p)),
    codes: ['limit-deactivate', 'limit-identifiers-changed'],
    newcomer: false,
  },
  {
    what: 'another school’s pupils came along',
    day: {
      ...town(),
      people: [
        ...town().people,
        ...Array.from({ length: 150 }, (_, i) => ({
          uniId: `frem${i + 1000}`,
          institution: broken,
          groups: ['3A'],
        })),
      ],
    },
    codes: ['limit-growth'],
    newcomer: false,
  },
];

describe('a broken export', () => {
  it.each(breakages)('is held for its school: $what', async ({ day, codes, newcomer }) => {
    const before = new Map(accounts().map((b) => [b.username, b]));
    const roster = ordinaryDay(day);
    const { plan, commit } = await line.day({ roster, now: after(1) });
    expect(codesOf(plan)).toEqual(codes);
    expect(plan.held.every((h) => h.institution === broken && h.count > 0)).toBe(true);
    expect(commit.held).toBeGreaterThan(0);
    await line.drain();

    // The neighbour's day, and the pupil who is new at the broken school.
    expect(account('elev2900')).toBeDefined();
    expect(account('elev2003')).toMatchObject({ family: 'Nygift' });
    expect(account('elev2002')?.groups).toContain('group:101002/8B');
    expect(account('elev1900') !== undefined).toBe(newcomer);
    // At the broken school nobody has lost, changed or gained anything.
    for (const [username, body] of before) {
      if (/^....1/.test(username)) expect(account(username)).toEqual(body);
    }

    const second = await line.day({ roster, now: after(2) });
    expect(countPlanned(second.plan)).toBe(0);
    expect(second.plan.held.map(losses)).toEqual(plan.held.map(losses));
    expect((await inbox()).every(({ state }) => state === 'open')).toBe(true);

    // Mended: nothing is left of it, neither in the plan nor in the inbox.
    const mended = await line.day({ roster: ordinaryDay(town()), now: after(3) });
    expect(mended.plan.held).toEqual([]);
    expect((await inbox()).every(({ state }) => state === 'gone')).toBe(true);
  });
});

describe('a change of policy', () => {
  const write = `version: 1
folders: { access: { school: { leaders: write } } }
limits:
  institutions:
    "101002": { accessGained: { percent: 100 }, accessLost: { percent: 100 } }
`;

  it('that opens or closes many folders at once is held, but for the school that may', async () => {
    const gain = await line.day({ roster: town(), now: after(1), policy: write });
    expect(gain.plan.held).toEqual([
      {
        institution: broken,
        target: 'nextcloud',
        kind: 'folder',
        action: 'update',
        code: 'limit-access-gained',
        count: 18,
        of: 19,
      },
    ]);
    expect(gain.plan.changes['nextcloud']?.['folder']).toMatchObject({ update: 18 });
    expect((await inbox())[0]?.evidence).toMatchObject({ detail: 'leaders', percentLimit: 25 });
    await line.day({ roster: town(), now: after(2), policy: write, allowed: [broken] });
    const loss = await line.day({ roster: town(), now: after(3) });
    expect(loss.plan.held.map((h) => [h.institution, h.code, h.count])).toEqual([
      [broken, 'limit-access-lost', 18],
      [neighbour, 'limit-access-lost', 18],
    ]);
  });
});

describe('what goes through', () => {
  it('is an ordinary day, with what came near a limit beside it', async () => {
    const roster = ordinaryDay(town());
    const leaving = atBroken(roster, (p) =>
      isPupil(p) && Number(p.uniId.slice(5)) < 18 ? null : p,
    );
    const { plan } = await line.day({ roster: leaving, now: after(1) });
    expect(plan.held).toEqual([]);
    const near = plan.limits.filter(({ state }) => state !== 'ok');
    expect(near.map((r) => [r.institution, r.target, r.code, r.count, r.of, r.state])).toEqual(
      ['keycloak', 'moodle', 'nextcloud'].map((target) => [
        broken,
        target,
        'limit-deactivate',
        18,
        103,
        'near',
      ]),
    );
    const kept = await findPlan({ ...line, id: plan.id });
    expect(kept?.limits).toEqual(plan.limits);
    const [listed] = await listPlans({ ...line, before: null, limit: 1 });
    expect(listed?.limits).toEqual(near);
    await line.drain();
    expect(countPlanned((await line.day({ roster: leaving, now: after(2) })).plan)).toBe(0);
    // When the grace period is over their places go too, and are not asked for a second time.
    const late = await line.day({ roster: leaving, now: after(9) });
    expect(late.plan.held).toEqual([]);
  });

  it('is a new class list on a declared rollover', async () => {
    const moved = atBroken(town(), (p) => ({ ...p, groups: isPupil(p) ? ['8B'] : [] }));
    const ordinary = await line.day({ roster: moved, now: after(1) });
    expect(codesOf(ordinary.plan)).toContain('limit-memberships-lost');
    const declared = await line.day({ roster: moved, now: after(1), occasion: 'rollover' });
    expect(declared.plan.held).toEqual([]);
    expect(countPlanned(declared.plan)).toBeGreaterThan(100);
  });

  it('is what a person allowed for once, once', async () => {
    const code = 'limit-names-changed';
    const swapped = atBroken(town(), swapNames);
    await line.day({ roster: swapped, now: after(1) });
    await decide({ code, choice: 'allow' });
    const allowed = await line.day({ roster: swapped, now: after(2) });
    expect(allowed.plan.held).toEqual([]);
    expect(allowed.plan.limits.some(({ state }) => state === 'allowed')).toBe(true);
    await line.drain();
    expect(account('elev1010')).toMatchObject({ given: 'Prøvesen' });
    const back = await line.day({ roster: town(), now: after(3) });
    expect(codesOf(back.plan)).toEqual([code]);
  });

  it('is not much more than was seen when it was allowed', async () => {
    const gone = (n: number) =>
      atBroken(town(), (p) => (isPupil(p) && Number(p.uniId.slice(5)) < n ? null : p));
    await line.day({ roster: gone(25), now: after(1) });
    await decide({ code: 'limit-deactivate', choice: 'allow' });
    const { plan } = await line.day({ roster: gone(60), now: after(2) });
    expect(plan.held).toMatchObject([{ count: 60 }, { count: 60 }, { count: 60 }]);
    expect((await inbox()).filter(({ state }) => state === 'open')).toHaveLength(3);
  });
});

describe('what a person refused', () => {
  it('stays held and is asked for again only when it grows', async () => {
    const gone = (n: number) =>
      atBroken(town(), (p) => (isPupil(p) && Number(p.uniId.slice(5)) < n ? null : p));
    const open = async () => (await inbox()).filter(({ state }) => state === 'open').length;
    await line.day({ roster: gone(25), now: after(1) });
    expect(await open()).toBe(3);
    await decide({ code: 'limit-deactivate', choice: 'refuse' });
    const { plan } = await line.day({ roster: gone(25), now: after(2) });
    expect(codesOf(plan)).toEqual(['limit-deactivate']);
    expect(await open()).toBe(0);
    await line.day({ roster: gone(26), now: after(3) });
    expect(await open()).toBe(3);
    // Another time it is another case.
    await line.day({ roster: town(), now: after(4) });
    await line.day({ roster: gone(22), now: after(5) });
    expect(await open()).toBe(3);
  });
});

describe('what a source does not say any more', () => {
  it('is told: an institution that is missing, until it is back', async () => {
    const roster = town();
    const without: SmallRoster = {
      institutions: [neighbour],
      groups: roster.groups.filter((g) => g.institution === neighbour),
      people: roster.people.filter((p) => p.institution === neighbour),
    };
    for (const day of [1, 2]) {
      const { plan } = await line.day({ roster: without, now: after(day) });
      expect(countPlanned(plan)).toBe(0);
      expect(plan.held).toEqual([
        {
          institution: broken,
          target: '*',
          kind: 'institution',
          action: 'update',
          code: 'limit-institution-missing',
          count: 103,
          of: 103,
        },
      ]);
    }
    expect((await line.day({ roster, now: after(3) })).plan.held).toEqual([]);
    expect(await inbox()).toMatchObject([{ state: 'gone', evidence: { count: 103 } }]);
  });

  it('is told: what was full and is silent now', async () => {
    const silent = { ...town(), coverage: 'silent' } as const;
    const { plan } = await line.day({ roster: silent, now: after(1) });
    expect(plan.held.map((h) => [h.institution, h.kind, h.code, h.count])).toEqual(
      [broken, neighbour].flatMap((institution) => [
        [institution, 'affiliation', 'limit-source-silent', 103],
        [institution, 'group', 'limit-source-silent', 18],
        [institution, 'membership', 'limit-source-silent', 138],
      ]),
    );
  });

  it('is told: a source that was not read for days, and only then', async () => {
    await line.day({ roster: town(), now: after(1), source: 'other' });
    expect((await line.day({ roster: town(), now: after(7) })).plan.held).toEqual([]);
    const { plan } = await line.day({ roster: town(), now: after(9) });
    expect(plan.held).toEqual([
      expect.objectContaining({ code: 'limit-source-silent', kind: 'source', count: 1, of: 2 }),
    ]);
    expect(plan.limits).toContainEqual(
      expect.objectContaining({ limit: 'sourceSilent', detail: 'other', state: 'exceeded' }),
    );
  });
});
