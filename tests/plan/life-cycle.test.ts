import { afterEach, describe, expect, it } from 'vitest';
import { choosePrimary } from '../../provisioning/store/primary-choice.ts';
import type { SmallPerson } from '../support/roster.ts';
import type { Life } from './life.ts';
import { after, dayAfter, openLife, teacher, town } from './life.ts';

let life: Life;

afterEach(async () => {
  await life[Symbol.asyncDispose]();
});

describe('an affiliation whose last day is over', () => {
  it('leaves like one that is gone from the feed: after the grace, with its memberships', async () => {
    life = await openLife();
    const roster = town({ ...teacher, to: dayAfter(10) });
    await life.day({ roster, now: after(0) });
    expect(await life.day({ roster, now: after(10) })).toEqual([]);
    expect(await life.day({ roster, now: after(11) })).toContain(
      'keycloak account deactivate left',
    );
    expect(await life.inCourse('nyla0001')).toBe(true);
    // The feed drops what is over: the grace goes on as it began.
    expect(await life.day({ roster: town(), now: after(14) })).toEqual([]);
    expect(life.open('nyla0001')).toBe(true);
    expect(await life.inCourse('nyla0001')).toBe(true);

    await life.day({ roster: town(), now: after(18) });
    expect(life.open('nyla0001')).toBe(false);
    expect(await life.inCourse('nyla0001')).toBe(false);
    await life.day({ roster: town(), now: after(77) });
    expect(life.account('nyla0001')).toBeDefined();
    await life.day({ roster: town(), now: after(78) });
    expect(life.account('nyla0001')).toBeUndefined();
  });

  it('does not bring back memberships of one that was over before', async () => {
    life = await openLife();
    const old = { ...teacher, to: dayAfter(5) };
    const rest = { ...teacher, institution: '101002', groups: [] };
    await life.day({ roster: town(old, rest), now: after(0) });
    await life.day({ roster: town(old, rest), now: after(6) });
    expect(await life.inCourse('nyla0001')).toBe(false);
    const reasons = await life.day({ roster: town(old), now: after(7) });
    expect(reasons.filter((one) => !one.includes('deactivate'))).toEqual([]);
  });

  it('takes its memberships at once from somebody who is elsewhere too', async () => {
    life = await openLife();
    const elsewhere = { ...teacher, institution: '101002', groups: [] };
    const roster = town({ ...teacher, to: dayAfter(10) }, elsewhere);
    await life.day({ roster, now: after(0) });
    expect(await life.inCourse('nyla0001')).toBe(true);
    await life.day({ roster, now: after(11) });
    expect(await life.inCourse('nyla0001')).toBe(false);
    expect(life.open('nyla0001')).toBe(true);
  });
});

describe('no grace at all', () => {
  it('takes account and memberships in one plan, also when only the last day is over', async () => {
    life = await openLife('version: 1\nlifecycle: { roles: { substitute: { graceDays: 0 } } }\n');
    const roster = town({ ...teacher, roles: ['substitute'], to: dayAfter(10) });
    await life.day({ roster, now: after(0) });
    const reasons = await life.day({ roster, now: after(11) });
    expect(reasons).toContain('keycloak account deactivate left');
    expect(reasons).toContain('moodle course update members');
    expect(life.open('nyla0001')).toBe(false);
    expect(await life.inCourse('nyla0001')).toBe(false);
  });

  it('does not count for somebody who is kept', async () => {
    life = await openLife('version: 1\nlifecycle: { graceDays: { staff: 0 } }\n');
    await life.day({ roster: town(teacher), now: after(0) });
    await life.keep({ who: 'nyla0001', until: dayAfter(9), now: after(0) });
    expect(await life.day({ roster: town(), now: after(9) })).toEqual([]);
    await life.day({ roster: town(), now: after(10) });
    expect(life.open('nyla0001')).toBe(false);
  });
});

describe('days of a role', () => {
  const days = `version: 1
lifecycle:
  roles: { substitute: { graceDays: 0, retentionDays: 10 }, leader: { graceDays: 30 } }
`;
  it.each([
    ['a substitute', ['substitute'], 1, 11],
    ['a leader', ['leader'], 31, 91],
    ['who was both', ['leader', 'substitute'], 31, 91],
    ['a teacher', ['teacher'], 8, 68],
    ['a teacher who was a substitute too', ['substitute', 'teacher'], 8, 68],
  ] as const)('%s', async (_name, roles, shut, deleted) => {
    life = await openLife(days);
    await life.day({ roster: town({ ...teacher, roles }), now: after(0) });
    const roster = town();
    await life.day({ roster, now: after(1) });
    if (shut > 1) {
      await life.day({ roster, now: after(shut - 1) });
      expect(life.open('nyla0001')).toBe(true);
    }
    await life.day({ roster, now: after(shut) });
    expect(life.open('nyla0001')).toBe(false);
    await life.day({ roster, now: after(deleted - 1) });
    expect(life.account('nyla0001')).toBeDefined();
    await life.day({ roster, now: after(deleted) });
    expect(life.account('nyla0001')).toBeUndefined();
  });
});

describe('somebody who comes back', () => {
  /** Names that nobody could guess again: they must come from the register. */
  const drawn = 'version: 1\nusernames: { strategy: random }\n';
  const here = town(teacher);

  async function usernameOf(uniId: string): Promise<string> {
    const id = await life.person(uniId);
    const rows = await life.line.database.as(life.line.tenant, (tx) =>
      tx.query<{ username: string }>('select username from username where person_id = $1', [id]),
    );
    return rows[0]?.username ?? '';
  }

  it('within the grace stays as if nothing had been', async () => {
    life = await openLife(drawn);
    await life.day({ roster: here, now: after(0) });
    await life.day({ roster: town(), now: after(1) });
    expect(await life.day({ roster: here, now: after(7) })).toEqual([
      'keycloak account update stays',
      'moodle account update stays',
      'nextcloud account update stays',
    ]);
    await life.quietDay(after(30));
    expect(life.open(await usernameOf('nyla0001'))).toBe(true);
  });

  it('within the retention has the same username, account and memberships again', async () => {
    life = await openLife(drawn);
    await life.day({ roster: here, now: after(0) });
    const name = await usernameOf('nyla0001');
    await life.day({ roster: town(), now: after(1) });
    await life.day({ roster: town(), now: after(8) });
    expect(life.open(name)).toBe(false);
    expect(await life.day({ roster: here, now: after(40) })).toContain(
      'keycloak account update returned',
    );
    expect(life.open(name)).toBe(true);
    expect(await life.inCourse(name)).toBe(true);
  });

  it('after the deletion gets a new account under the same username', async () => {
    life = await openLife(drawn);
    await life.day({ roster: here, now: after(0) });
    const name = await usernameOf('nyla0001');
    for (const n of [1, 8, 68]) await life.day({ roster: town(), now: after(n) });
    expect(life.account(name)).toBeUndefined();
    expect(await life.day({ roster: here, now: after(400) })).toContain(
      'keycloak account create new',
    );
    expect(life.open(name)).toBe(true);
    expect(life.account(name, 'nextcloud')?.active).toBe(true);
  });
});

describe('somebody whom an operator keeps', () => {
  const here = town(teacher);

  it('loses nothing until the day, and then the ordinary grace begins', async () => {
    life = await openLife();
    await life.day({ roster: here, now: after(0) });
    await life.keep({ who: 'NYLA0001', until: dayAfter(40), now: after(0) });
    for (const n of [1, 9, 40]) {
      expect(await life.day({ roster: town(), now: after(n) })).toEqual([]);
      expect(life.open('nyla0001')).toBe(true);
      expect(await life.inCourse('nyla0001')).toBe(true);
    }
    expect(await life.day({ roster: town(), now: after(41) })).toContain(
      'keycloak account deactivate left',
    );
    await life.quietDay(after(47));
    expect(life.open('nyla0001')).toBe(true);
    await life.day({ roster: town(), now: after(48) });
    expect(life.open('nyla0001')).toBe(false);
    expect(await life.inCourse('nyla0001')).toBe(false);
  });

  it('is not touched by a plan that was made before', async () => {
    life = await openLife('version: 1\nlifecycle: { graceDays: { staff: 0 } }\n');
    await life.day({ roster: here, now: after(0) });
    const { commit } = await life.line.day({
      roster: town(),
      now: after(1),
      between: () => life.keep({ who: 'nyla0001', until: dayAfter(60), now: after(1) }),
    });
    expect(commit.stale).toBe(3);
    await life.line.drain();
    expect(life.open('nyla0001')).toBe(true);
    await life.day({ roster: town(), now: after(2) });
    expect(await life.inCourse('nyla0001')).toBe(true);
  });

  it('is not deactivated by a grace that ran already', async () => {
    life = await openLife();
    await life.day({ roster: here, now: after(0) });
    await life.day({ roster: town(), now: after(1) });
    await life.keep({ who: 'nyla0001', until: dayAfter(60), now: after(3) });
    await life.quietDay(after(20));
    expect(life.open('nyla0001')).toBe(true);
    expect(await life.day({ roster: town(), now: after(20) })).toEqual([]);
    // Back in the feed meanwhile: nothing special.
    expect(await life.day({ roster: here, now: after(30) })).toEqual([]);
  });

  it('stays open though the feed forbids the sign-in, and is shut when the keep is ended', async () => {
    life = await openLife();
    await life.day({ roster: here, now: after(0) });
    await life.keep({ who: 'nyla0001', until: dayAfter(60), now: after(0) });
    const barred = town({ ...teacher, mayLogIn: false, family: 'Nygift' });
    await life.day({ roster: barred, now: after(1) });
    expect(life.account('nyla0001')).toMatchObject({ active: true, family: 'Nygift' });
    await life.endKeeps({ who: 'nyla0001', now: after(2) });
    await life.day({ roster: barred, now: after(2) });
    expect(life.open('nyla0001')).toBe(false);
  });

  it('is not deleted who was deactivated before', async () => {
    life = await openLife();
    await life.day({ roster: here, now: after(0) });
    for (const n of [1, 8]) await life.day({ roster: town(), now: after(n) });
    await life.keep({ who: 'nyla0001', until: dayAfter(100), now: after(9) });
    expect(await life.day({ roster: town(), now: after(100) })).toEqual([]);
    expect(life.open('nyla0001')).toBe(false);
    await life.day({ roster: town(), now: after(101) });
    expect(life.account('nyla0001')).toBeUndefined();
  });
});

describe('a legal hold', () => {
  it('lets the account be deactivated, and never deleted until it is lifted', async () => {
    life = await openLife();
    await life.day({ roster: town(teacher), now: after(0) });
    await life.keep({ who: 'nyla0001', kind: 'legal-hold', now: after(0) });
    await life.day({ roster: town(), now: after(1) });
    await life.day({ roster: town(), now: after(8) });
    expect(life.open('nyla0001')).toBe(false);
    expect(await life.day({ roster: town(), now: after(1000) })).toEqual([]);
    expect(life.account('nyla0001', 'nextcloud')).toBeDefined();
    await life.endKeeps({ who: 'nyla0001', now: after(1000) });
    expect(await life.day({ roster: town(), now: after(1001) })).toContain(
      'nextcloud account delete retention-over',
    );
    expect(life.account('nyla0001', 'nextcloud')).toBeUndefined();
  });

  it('calls off a deletion that no target has done yet', async () => {
    life = await openLife();
    const { line } = life;
    await life.day({ roster: town(teacher), now: after(0) });
    for (const n of [1, 8]) await life.day({ roster: town(), now: after(n) });
    await line.day({ roster: town(), now: after(70) });
    await life.keep({ who: 'nyla0001', kind: 'legal-hold', now: after(70) });
    await line.drain();
    expect(life.open('nyla0001')).toBe(false);
    expect(await life.day({ roster: town(), now: after(71) })).toEqual([]);
  });
});

describe('the institution of somebody at several', () => {
  const at = (institution: string, more: Partial<SmallPerson> = {}): SmallPerson => ({
    ...teacher,
    groups: [],
    ...more,
    institution,
  });

  async function institutionOf(): Promise<string | null> {
    const rows = await life.line.database.as(life.line.tenant, (tx) =>
      tx.query<{ institution: string }>(
        `select distinct institution from resource r join username u using (person_id)
         where u.username = 'nyla0001'`,
      ),
    );
    expect(rows).toHaveLength(1);
    return rows[0]?.institution ?? null;
  }

  it('is what the feed says, else a school before others, else the lowest number', async () => {
    life = await openLife();
    const both = town(at('101001'), at('101002'));
    await life.day({ roster: both, now: after(0) });
    expect(await institutionOf()).toBe('101001');
    const office = { ...both, institutionKinds: { '101001': 'authority' } as const };
    await life.day({ roster: office, now: after(1) });
    expect(await institutionOf()).toBe('101002');
    const marked = town(at('101001', { primary: true }), at('101002'));
    await life.day({
      roster: { ...marked, ...{ institutionKinds: office.institutionKinds } },
      now: after(2),
    });
    expect(await institutionOf()).toBe('101001');
  });

  it('is what an operator chose, before the feed, as long as the person is there', async () => {
    life = await openLife();
    const both = town(at('101001', { primary: true }), at('101002'));
    await life.day({ roster: both, now: after(0) });
    const person = await life.person('nyla0001');
    await life.line.database.as(life.line.tenant, (tx) =>
      choosePrimary({ tx, person, institution: '101002', by: 'test' }),
    );
    await life.day({ roster: both, now: after(1) });
    expect(await institutionOf()).toBe('101002');
    // A feed without it for some days does not cost the choice; its end does.
    await life.day({ roster: town(at('101001')), now: after(2) });
    expect(await institutionOf()).toBe('101001');
    await life.day({ roster: both, now: after(5) });
    expect(await institutionOf()).toBe('101002');
    await life.day({ roster: town(at('101001')), now: after(6) });
    await life.day({ roster: town(at('101001')), now: after(20) });
    await life.day({ roster: both, now: after(30) });
    expect(await institutionOf()).toBe('101001');
  });
});
