import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { commitPlan } from '../../provisioning/ledger/commit.ts';
import { decideHold } from '../../provisioning/plan/hold-inbox.ts';
import { acceptSnapshot } from '../../provisioning/roster/accept.ts';
import { tellHolds } from '../../provisioning/store/hold.ts';
import { placeKeep } from '../../provisioning/store/keep-alive.ts';
import type { Outcome } from '../../provisioning/target/contract.ts';
import type { Line } from '../support/line.ts';
import { countPlanned, openLine } from '../support/line.ts';
import type { SmallPerson, SmallRoster } from '../support/roster.ts';
import { feedItems, smallRoster } from '../support/roster.ts';
import { ask, codes, sentence } from './asking.ts';

let line: Line;
const monday = new Date('2026-11-02T05:00:00Z');
const after = (days: number) => new Date(monday.getTime() + days * 86_400_000);
const roster = smallRoster({ pupils: 3 });

beforeEach(async () => {
  line = await openLine();
});

afterEach(async () => {
  await line[Symbol.asyncDispose]();
});

/** A day of the roster with one person as the test says, written to the targets. */
async function dayWith(p: { readonly person: Partial<SmallPerson>; readonly now?: Date }) {
  const now = p.now ?? monday;
  const people = roster.people.map((one) =>
    one.uniId === 'elev1001' ? { ...one, ...p.person } : one,
  );
  const done = await line.day({ roster: { ...roster, people }, now });
  await line.drain();
  return done;
}

const without = (test: (uniId: string) => boolean): SmallRoster => ({
  ...roster,
  people: roster.people.filter(({ uniId }) => !test(uniId)),
});

describe('what is right', () => {
  it('all-right: the whole chain from the feed to three targets', async () => {
    await dayWith({ person: {} });
    const one = await ask(line, 'elev1001', { now: monday });
    expect(codes(one)).toEqual(['all-right']);
    expect(one.feed).toMatchObject([{ source: 'main', key: 'elev1001', state: 'present' }]);
    expect(one.recognition.evidence).toMatchObject([{ system: 'uni-id', value: 'elev1001' }]);
    expect(one.affiliations).toMatchObject([
      { institution: '101001', kind: 'pupil', grade: '7', state: 'present' },
    ]);
    expect(one.packages.map(({ name, fired }) => [name, fired])).toEqual([
      ['pupils', true],
      ['staff', false],
      ['externals', false],
    ]);
    expect(one.targets.map(({ account }) => [account?.state, account?.open])).toEqual([
      ['settled', true],
      ['settled', true],
      ['settled', true],
    ]);
    expect(one.targets[0]?.account?.triedAt).toEqual(one.targets[0]?.account?.settledAt);
  });

  it("says why she is in 7A's folder", async () => {
    await dayWith({ person: {} });
    const { targets } = await ask(line, 'elev1001', { now: monday });
    const folder = targets[1]?.places.find(({ kind }) => kind === 'folder');
    expect(folder?.title).toContain('7.A');
    expect(folder?.because.en).toMatch(/learner in 7\.A \(home class\) by the feed main/);
    const leader = await ask(line, 'lede1001', { now: monday });
    const seen = leader.targets[1]?.places.find(({ title }) => title.startsWith('7.A'));
    expect(seen?.because.en).toMatch(/by the group .*leader at Skole 101001 \(leaders\)/);
  });

  it('says who decided this: the plan that last set it, and why', async () => {
    await dayWith({ person: {} });
    const { plan } = await dayWith({ person: { family: 'Nygift' }, now: after(1) });
    const { targets } = await ask(line, 'elev1001', { now: after(1) });
    expect(targets[0]?.account?.decided).toMatchObject({
      plan: plan.id,
      action: 'update',
      reason: 'renamed',
    });
  });
});

describe('what the feed says', () => {
  it('no-account: names the condition that failed', async () => {
    await dayWith({ person: { roles: ['child'] } });
    const one = await ask(line, 'elev1001', { now: monday });
    expect(codes(one)).toEqual([
      'no-account keycloak',
      'no-account nextcloud',
      'no-account moodle',
    ]);
    expect(sentence({ explanation: one, code: 'no-account' })).toContain(
      'pupils: role must be pupil or student, and is child',
    );
  });

  it('may-not-log-in', async () => {
    await dayWith({ person: {} });
    await dayWith({ person: { mayLogIn: false }, now: after(1) });
    const one = await ask(line, 'elev1001', { now: after(1) });
    expect(codes(one)).toContain('may-not-log-in');
    expect(sentence({ explanation: one, code: 'account-disabled' })).toContain(
      'must not be open any more',
    );
  });

  it('starts-later and ended: the dates of the affiliation', async () => {
    await dayWith({ person: { from: '2027-01-04' } });
    const later = await ask(line, 'elev1001', { now: monday });
    expect(codes(later)).toEqual(['starts-later']);
    expect(sentence({ explanation: later, code: 'starts-later' })).toContain('2027-01-04');
    await dayWith({ person: { to: '2026-10-30' }, now: after(1) });
    expect(codes(await ask(line, 'elev1001', { now: after(1) }))).toEqual(['ended']);
  });

  it('starts-later, with accounts made ready before the first day', async () => {
    await dayWith({ person: { from: '2026-11-10' } });
    const soon = await ask(line, 'elev1001', { now: monday });
    expect(sentence({ explanation: soon, code: 'starts-later' })).toContain('made ready before it');
    expect(soon.targets.map(({ account }) => account?.open)).toEqual([true, true, true]);
  });

  it('kept: by an operator, though the feed has let go', async () => {
    await dayWith({ person: {} });
    const { person } = await ask(line, 'elev1001', { now: monday });
    await line.database.as(line.tenant, (tx) =>
      placeKeep({
        tx,
        person: person.id,
        kind: 'keep',
        until: '2027-01-31',
        reason: 'exam',
        by: 'lone',
        now: monday,
      }),
    );
    await line.day({ roster: without((id) => id === 'elev1001'), now: after(1) });
    const one = await ask(line, 'elev1001', { now: after(1) });
    expect(codes(one)).toEqual(['left-the-feed', 'kept']);
    expect(sentence({ explanation: one, code: 'kept' })).toContain(
      'until 2027-01-31 by lone (exam)',
    );
  });

  it('left-the-feed and account-ends: within the grace period', async () => {
    await dayWith({ person: {} });
    await line.day({ roster: without((id) => id === 'elev1001'), now: after(1) });
    const one = await ask(line, 'elev1001', { now: after(1) });
    expect(codes(one)).toEqual([
      'left-the-feed',
      'account-ends keycloak',
      'account-ends nextcloud',
      'account-ends moodle',
    ]);
    expect(sentence({ explanation: one, code: 'account-ends' })).toContain('2026-11-10');
    const folder = one.targets[1]?.places.find(({ kind }) => kind === 'folder');
    expect(folder?.because.en).toContain('gone since 2026-11-03');
  });

  it('account-disabled: since when, because the person left', async () => {
    await dayWith({ person: {} });
    await line.day({ roster: without((id) => id === 'elev1001'), now: after(1) });
    await line.day({ roster: without((id) => id === 'elev1001'), now: after(9) });
    await line.drain();
    const one = await ask(line, 'elev1001', { now: after(9) });
    expect(codes(one)).toContain('account-disabled keycloak');
    expect(sentence({ explanation: one, code: 'account-disabled' })).toBe(
      'The account in keycloak is disabled since 2026-11-11 because the person left the feed on 2026-11-03.',
    );
  });

  it('not-planned: what the last plan did not know of', async () => {
    await dayWith({ person: {} });
    const more: SmallRoster = {
      ...roster,
      people: [...roster.people, { uniId: 'elev1999', institution: '101001' }],
    };
    const items = feedItems(more);
    await acceptSnapshot({ ...line, source: 'main', items, now: after(1) });
    const one = await ask(line, 'elev1999', { now: after(1) });
    expect(codes(one)).toEqual([
      'not-planned keycloak',
      'not-planned nextcloud',
      'not-planned moodle',
    ]);
  });
});

describe('what waits for a person', () => {
  it('held: more would leave than the limit lets pass', async () => {
    const many = smallRoster({ pupils: 30 });
    await line.day({ roster: many, now: monday });
    await line.drain();
    const staying = many.people.filter(({ uniId }) => uniId > 'elev1025');
    await line.day({ roster: { ...many, people: staying }, now: after(1) });
    const one = await ask(line, 'elev1001', { now: after(1) });
    expect(sentence({ explanation: one, code: 'held', target: 'moodle' })).toContain('limit-');
    expect(one.targets[0]?.account?.open).toBe(true);
  });

  it('held: identity-contradiction, where another record has an id of the person and one of somebody else', async () => {
    await dayWith({ person: {} });
    const record = {
      entity: 'person' as const,
      key: 'two-in-one',
      ids: ['elev1001', 'elev1002'].map((value) => ({ system: 'uni-id', value })),
      protected: false,
      given: 'To',
      family: 'Personer',
      email: null,
      mayLogIn: true,
    };
    const affiliation = {
      entity: 'affiliation' as const,
      key: '101001/two-in-one/pupil',
      person: 'two-in-one',
      institution: '101001',
      kind: 'pupil' as const,
      roles: ['pupil' as const],
      grade: '7',
      localId: null,
      from: null,
      to: null,
      primary: null,
    };
    const items = feedItems(roster, [
      { type: 'record', record },
      { type: 'record', record: affiliation },
    ]);
    await acceptSnapshot({ ...line, source: 'main', items, now: after(1) });
    const one = await ask(line, 'elev1001', { now: after(1) });
    expect(sentence({ explanation: one, code: 'held' })).toContain('identity-contradiction');
  });

  it('held: a hold that names the person, until it is decided', async () => {
    await dayWith({ person: {} });
    const { person } = await ask(line, 'elev1001', { now: monday });
    const hold = {
      code: 'identity-shared',
      subject: 'uni-id/elev1001',
      institution: '101001',
      person: null,
      evidence: { people: [person.id] },
    };
    await line.database.as(line.tenant, (tx) =>
      tellHolds({ tx, codes: ['identity-shared'], holds: [hold] }),
    );
    const one = await ask(line, 'elev1001', { now: monday });
    expect(codes(one)).toEqual(['held']);
    const id = one.holds[0]?.id ?? '';
    await decideHold({
      ...line,
      id,
      choice: 'new',
      scope: 'once',
      until: null,
      by: 'anna',
      now: monday,
    });
    const decided = await ask(line, 'elev1001', { now: monday });
    expect(codes(decided)).toEqual(['all-right']);
    expect(decided.holds).toMatchObject([{ decision: { choice: 'new', by: 'anna' } }]);
  });

  it('protected-without-alias: and all else is right', async () => {
    await dayWith({ person: { protected: true, given: null, family: null } });
    expect(codes(await ask(line, 'elev1001', { now: monday }))).toEqual([
      'protected-without-alias',
      'all-right',
    ]);
  });
});

describe('what a target says', () => {
  const failed: Outcome = { state: 'rejected', code: 'username-taken', detail: 'Taken.' };
  const busy: Outcome = { state: 'retry', afterMs: 60_000, code: 'busy', detail: 'Busy.' };
  const away: Outcome = { state: 'unknown-host', code: 'unreachable', detail: 'No answer.' };
  const accounts = (outcome: Outcome) => (work: { readonly kind: string }) =>
    work.kind === 'account' ? outcome : null;

  it('account-failed: the cause and what to do', async () => {
    line.targets.moodle.misbehave(accounts(failed));
    await dayWith({ person: {} });
    const one = await ask(line, 'elev1001', { now: monday });
    expect(codes(one)).toContain('account-failed moodle');
    expect(sentence({ explanation: one, code: 'account-failed' })).toMatch(/username-taken.*adopt/);
    expect(one.targets[2]?.account?.triedAt).not.toBeNull();
    expect(one.targets[2]?.account?.settledAt).toBeNull();
  });

  it('account-waits: tried, and when it is tried again', async () => {
    line.targets.moodle.misbehave(accounts(busy));
    await dayWith({ person: {} });
    const one = await ask(line, 'elev1001', { now: monday });
    expect(codes(one)).toContain('account-waits moodle');
    expect(sentence({ explanation: one, code: 'account-waits' })).toMatch(/busy.*Next try 20/);
  });

  it('account-waits: until its group stands there', async () => {
    line.targets.keycloak.misbehave((work) => (work.kind === 'group' ? failed : null));
    await dayWith({ person: {} });
    const one = await ask(line, 'elev1001', { now: monday });
    expect(sentence({ explanation: one, code: 'account-waits' })).toMatch(
      /keycloak waits until these stand there: Skole 101001/,
    );
    expect(codes(one)).toContain('place-not-ready keycloak');
  });

  it('place-not-ready: a course that the target refused', async () => {
    line.targets.moodle.misbehave((work) => (work.kind === 'course' ? failed : null));
    await dayWith({ person: {} });
    const one = await ask(line, 'elev1001', { now: monday });
    expect(codes(one)).toEqual(['place-not-ready moodle']);
  });

  it('target-unreachable: since when it has not answered', async () => {
    await dayWith({ person: {} });
    line.targets.moodle.misbehave(() => away);
    await dayWith({ person: { family: 'Nygift' }, now: after(1) });
    const one = await ask(line, 'elev1001', { now: after(1) });
    expect(codes(one)).toEqual(['target-unreachable moodle']);
    expect(sentence({ explanation: one, code: 'target-unreachable' })).toMatch(/since 20\d\d-/);

    line.targets.moodle.misbehave(null);
    for (const over of [
      'update resource set due_at = now()',
      'update target_state set probe_at = now()',
    ]) {
      await line.database.as(line.tenant, (tx) => tx.execute(over));
    }
    await line.drain();
    expect(codes(await ask(line, 'elev1001', { now: after(1) }))).toEqual(['all-right']);
  });

  it('account-queued: committed, and no worker has come yet', async () => {
    await line.day({ roster, now: monday });
    const one = await ask(line, 'elev1001', { now: monday });
    expect(codes(one)).toContain('account-queued nextcloud');
    await line.drain();
    expect(codes(await ask(line, 'elev1001', { now: monday }))).toEqual(['all-right']);
  });
});

it('asking changes nothing: the next day plans nothing', async () => {
  await dayWith({ person: {} });
  await ask(line, 'elev1001', { now: monday });
  const { plan } = await dayWith({ person: {}, now: after(1) });
  expect(countPlanned(plan)).toBe(0);
  await expect(commitPlan({ ...line, planId: plan.id, now: after(1) })).rejects.toMatchObject({
    code: 'plan-not-open',
  });
});
