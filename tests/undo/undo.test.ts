import { expect, it } from 'vitest';
import { approvePlan } from '../../provisioning/plan/approve.ts';
import type { Line } from '../support/line.ts';
import { countPlanned, openLine } from '../support/line.ts';
import type { SmallRoster } from '../support/roster.ts';
import { smallRoster } from '../support/roster.ts';

const monday = new Date('2026-11-23T05:00:00Z');
const days = (n: number) => new Date(monday.getTime() + n * 86_400_000);
const first = smallRoster({ pupils: 3 });

function without(uniId: string): SmallRoster {
  return { ...first, people: first.people.filter((person) => person.uniId !== uniId) };
}

function withPupil(uniId: string, change: object, roster: SmallRoster = first): SmallRoster {
  const people = roster.people.map((one) => (one.uniId === uniId ? { ...one, ...change } : one));
  return { ...roster, people };
}

const joined: SmallRoster = {
  ...first,
  people: [...first.people, { uniId: 'elev1900', institution: '101001', groups: ['7A'] }],
};

/** `target: username active` of the accounts of one person in the ledger. */
async function accounts(line: Line, username: string): Promise<readonly string[]> {
  const rows = await line.database.as(line.tenant, (tx) =>
    tx.query<{ line: string }>(
      `select target || ' ' || (desired->>'active') || case when scheduled_at is null then '' else ' leaving' end as line
       from resource where kind = 'account' and coalesce(desired->>'username', desired->>'userId') = $1
       order by 1`,
      [username],
    ),
  );
  return rows.map((row) => row.line);
}

async function openHolds(line: Line): Promise<readonly string[]> {
  const rows = await line.database.as(line.tenant, (tx) =>
    tx.query<{ subject: string }>(
      `select subject from hold where code = 'undone' and state = 'open' order by 1`,
    ),
  );
  return rows.map((row) => row.subject);
}

it('calls off a leaving whose day has not come, and holds it as long as policy wants it again', async () => {
  await using line = await openLine();
  await line.day({ roster: first, now: monday });
  await line.drain();
  const { plan } = await line.day({ roster: without('elev1001'), now: days(1) });
  expect(await accounts(line, 'elev1001')).toEqual([
    'keycloak true leaving',
    'moodle true leaving',
    'nextcloud true leaving',
  ]);

  const undo = await line.undo({ planId: plan.id, now: days(2) });
  expect(undo.cannot).toEqual([]);
  await line.commit({ planId: undo.id, now: days(2) });
  const stands = ['keycloak true', 'moodle true', 'nextcloud true'];
  expect(await accounts(line, 'elev1001')).toEqual(stands);

  const again = await line.day({ roster: without('elev1001'), now: days(3) });
  expect(countPlanned(again.plan)).toBe(0);
  expect(again.plan.held.map(({ code, institution, count }) => [code, institution, count])).toEqual(
    Array.from({ length: 3 }, () => ['undone', '101001', 1]),
  );
  expect(await openHolds(line)).toEqual(
    ['keycloak', 'moodle', 'nextcloud'].map((target) => `101001/${target}/account/deactivate`),
  );
  await line.promote(days(20));
  expect(await accounts(line, 'elev1001')).toEqual(stands);

  // Back in the feed, the wish is another one: a later leaving is a leaving like every other.
  expect(countPlanned((await line.day({ roster: first, now: days(21) })).plan)).toBe(0);
  expect(await openHolds(line)).toEqual([]);
  const later = await line.day({ roster: without('elev1001'), now: days(22) });
  expect(later.commit).toMatchObject({ committed: 3, scheduled: 3, held: 0 });
});

it('a decision lets one sort through, and is spent by the commit', async () => {
  await using line = await openLine();
  await line.day({ roster: first, now: monday });
  const { plan } = await line.day({ roster: joined, now: days(1) });
  const undo = await line.undo({ planId: plan.id, now: days(1) });
  await line.commit({ planId: undo.id, now: days(1) });
  await line.day({ roster: joined, now: days(2) });
  await line.database.as(line.tenant, (tx) =>
    tx.execute(
      `update hold set state = 'decided', choice = 'allow', scope = 'once', decided_at = now()
       where subject = '101001/keycloak/account/update'`,
    ),
  );
  const let1 = await line.day({ roster: joined, now: days(3) });
  expect(let1.commit.committed).toBe(1);
  expect(await accounts(line, 'elev1900')).toEqual([
    'keycloak true',
    'moodle false',
    'nextcloud false',
  ]);
  const spent = await line.database.as(line.tenant, (tx) =>
    tx.query(`select from hold where choice = 'allow' and spent_at is not null`),
  );
  expect(spent).toHaveLength(1);
  expect(countPlanned((await line.day({ roster: joined, now: days(4) })).plan)).toBe(0);
});

it('says what cannot be turned back, and turns back the rest', async () => {
  await using line = await openLine();
  await line.day({ roster: first, now: monday });
  const renamed = withPupil('elev1001', { family: 'Ny' }, withPupil('elev1002', { family: 'Ny' }));
  const { plan } = await line.day({ roster: renamed, now: days(1) });
  await line.day({ roster: withPupil('elev1002', { family: 'Nyere' }, renamed), now: days(2) });

  const undo = await line.undo({ planId: plan.id, now: days(3) });
  const changed = await line.changes(undo.id);
  expect(new Set(changed.map(({ title }) => title))).toEqual(new Set(['Fornavnelev1001 Ny']));
  expect(undo.cannot).toEqual(
    ['keycloak', 'moodle', 'nextcloud'].map((target) => ({
      institution: '101001',
      ...{ target, kind: 'account', action: 'update', code: 'changed-since', count: 1 },
      titles: ['Fornavnelev1002 Nyere'],
    })),
  );
});

it('what was deleted does not come back', async () => {
  await using line = await openLine();
  await line.day({ roster: first, now: monday });
  await line.drain();
  await line.day({ roster: without('elev1001'), now: days(1) });
  await line.day({ roster: without('elev1001'), now: days(9) });
  const gone = await line.day({ roster: without('elev1001'), now: days(80) });
  await line.drain();
  expect(gone.plan.changes['nextcloud']?.['account']?.delete).toBe(1);
  const undo = await line.undo({ planId: gone.plan.id, now: days(81) });
  expect(countPlanned(undo)).toBe(0);
  expect(undo.cannot.map(({ code, count }) => [code, count])).toEqual([
    ['deleted', 1],
    ['deleted', 1],
    ['deleted', 1],
  ]);
});

it('an undo is undone like any other plan', async () => {
  await using line = await openLine();
  await line.day({ roster: first, now: monday });
  const { plan } = await line.day({ roster: joined, now: days(1) });
  const before = await line.database.as(line.tenant, (tx) =>
    tx.query('select target, ref, desired from resource order by 1, 2'),
  );
  const undo = await line.undo({ planId: plan.id, now: days(2) });
  expect(undo.losses.map(({ target, kind, count }) => [target, kind, count])).toEqual([
    ['keycloak', 'account', 1],
    ['moodle', 'account', 1],
    ['nextcloud', 'account', 1],
  ]);
  await line.commit({ planId: undo.id, now: days(2) });
  const redo = await line.undo({ planId: undo.id, now: days(3) });
  await line.commit({ planId: redo.id, now: days(3) });
  const after = await line.database.as(line.tenant, (tx) =>
    tx.query('select target, ref, desired from resource order by 1, 2'),
  );
  expect(after).toEqual(before);
  const next = await line.day({ roster: joined, now: days(4) });
  expect([countPlanned(next.plan), next.plan.held]).toEqual([0, []]);
});

it('an undo waits for its commit while syncs go on', async () => {
  await using line = await openLine();
  await line.day({ roster: first, now: monday });
  const { plan } = await line.day({ roster: joined, now: days(1) });
  const undo = await line.undo({ planId: plan.id, now: days(2) });
  await line.day({ roster: withPupil('elev2001', { family: 'Ny' }, joined), now: days(2) });
  expect((await line.commit({ planId: undo.id, now: days(3) })).committed).toBe(countPlanned(undo));
});

it('is refused when nothing was committed, and when the window is over', async () => {
  await using line = await openLine();
  const open = await line.plan({ roster: first, now: monday });
  await expect(line.undo({ planId: open.id, now: monday })).rejects.toMatchObject({
    code: 'plan-not-committed',
  });
  await line.commit({ planId: open.id, now: monday });
  await expect(line.undo({ planId: open.id, now: days(31) })).rejects.toMatchObject({
    code: 'undo-too-late',
  });
  await expect(line.undo({ planId: 'no-plan', now: monday })).rejects.toMatchObject({
    code: 'plan-unknown',
  });
  const undo = await line.undo({ planId: open.id, now: days(29) });
  expect(countPlanned(undo)).toBe(countPlanned(open));
});

it('four eyes hold for an undo too', async () => {
  const policy = 'version: 1\napproval: { fourEyes: [{ actions: [deactivate] }] }\n';
  await using line = await openLine({ policy });
  await line.day({ roster: first, now: monday });
  const { plan } = await line.day({ roster: joined, now: days(1) });
  const undo = await line.undo({ planId: plan.id, now: days(1) });
  expect(undo.fourEyes).toBe(true);
  const commit = { planId: undo.id, actor: { id: 'ole', name: 'Ole' }, now: days(1) };
  await expect(line.commit(commit)).rejects.toMatchObject({ code: 'plan-needs-approval' });
  await approvePlan({ ...line, ...commit, selection: {}, actor: { id: 'lis', name: 'Lis' } });
  expect((await line.commit(commit)).committed).toBe(countPlanned(undo));
});
