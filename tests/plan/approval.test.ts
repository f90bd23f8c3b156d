import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { describe, expect, it } from 'vitest';
import { approvePlan } from '../../provisioning/plan/approve.ts';
import { acceptSnapshot } from '../../provisioning/roster/accept.ts';
import type { Line } from '../support/line.ts';
import { countPlanned, openLine } from '../support/line.ts';
import type { SmallRoster } from '../support/roster.ts';
import { feedItems, smallRoster } from '../support/roster.ts';

const monday = new Date('2026-11-23T05:00:00Z');
const hours = (n: number) => new Date(monday.getTime() + n * 3_600_000);
const roster = smallRoster({ pupils: 3 });
const ole = { id: 'ole', name: 'Ole' };
const lis = { id: 'lis', name: 'Lis' };

async function outcomes(line: Line, planId: string): Promise<Readonly<Record<string, number>>> {
  const counts: Record<string, number> = {};
  for (const { outcome } of await line.changes(planId)) {
    counts[String(outcome)] = (counts[String(outcome)] ?? 0) + 1;
  }
  return counts;
}

async function waits(line: Line): Promise<readonly string[]> {
  const rows = await line.database.as(line.tenant, (tx) =>
    tx.query<{ at: string }>(
      `select target || ' ' || ref as at from resource where state <> 'settled' order by 1`,
    ),
  );
  return rows.map(({ at }) => at);
}

describe('a part of a plan', () => {
  it('is committed by institution, and the next plan shows the rest', async () => {
    await using line = await openLine();
    const plan = await line.plan({ roster, now: monday });
    const all = await line.changes(plan.id);
    const report = await line.commit({
      planId: plan.id,
      now: monday,
      selection: { institution: ['101001'] },
    });
    const there = all.filter(({ institution }) => institution === '101001').length;
    expect(report).toMatchObject({ committed: there, left: all.length - there, waiting: 0 });
    await line.drain();
    expect(await waits(line)).toEqual([]);
    const next = await line.day({ roster, now: monday });
    expect(next.commit.committed).toBe(all.length - there);
    await line.drain();
    expect(countPlanned((await line.day({ roster, now: monday })).plan)).toBe(0);
  });

  it('takes along what it needs', async () => {
    await using line = await openLine();
    const plan = await line.plan({ roster, now: monday });
    const changes = await line.changes(plan.id);
    const pupil = changes.find(
      ({ target, title }) => target === 'keycloak' && title.includes('elev1001'),
    );
    const selection = { seqs: [pupil?.seq ?? 0] };
    const report = await line.commit({ planId: plan.id, now: monday, selection });
    const committed = (await line.changes(plan.id)).filter((one) => one.outcome === 'committed');
    expect(committed.map(({ kind, title }) => `${kind} ${title}`).toSorted()).toEqual([
      'account Fornavnelev1001 Prøvesen',
      'group 7.A 2026-2027',
      'group Skole 101001',
    ]);
    expect(report).toMatchObject({ committed: 3, left: changes.length - 3, waiting: 0 });
    await line.drain();
    expect(await waits(line)).toEqual([]);
  });

  it('is rejected, and what needs it waits and says so', async () => {
    await using line = await openLine();
    const plan = await line.plan({ roster, now: monday });
    const selection = { target: ['keycloak'], kind: ['group'], except: true };
    const report = await line.commit({ planId: plan.id, now: monday, selection });
    const rejected = (await line.changes(plan.id)).filter((one) => one.outcome === 'left');
    expect(new Set(rejected.map(({ target, kind }) => `${target} ${kind}`))).toEqual(
      new Set(['keycloak group']),
    );
    // Two teachers, two leaders, six pupils.
    expect(report).toMatchObject({ left: rejected.length, waiting: 10 });
    await line.drain();
    expect(await waits(line)).toHaveLength(10);
    await line.day({ roster, now: monday });
    await line.drain();
    expect(await waits(line)).toEqual([]);
  });
});

describe('a plan is what was shown', () => {
  it('is refused when a row was changed, whichever', async () => {
    await using line = await openLine();
    const plan = await line.plan({ roster, now: monday });
    const tampering = [
      `after = jsonb_set(after, '{active}', 'false')`,
      `held = 'limit-deactivate'`,
      `institution = '999999'`,
      `not_before = now()`,
      `lane = 'now'`,
    ];
    for (const set of tampering) {
      const kept = await line.database.as(line.tenant, async (tx) => {
        const rows = await tx.query('select * from change where seq = 3');
        await tx.execute(`update change set ${set} where seq = 3`);
        return rows[0];
      });
      await expect(line.commit({ planId: plan.id, now: monday })).rejects.toMatchObject({
        code: 'plan-tampered',
      });
      await line.database.as(line.tenant, async (tx) => {
        await tx.execute('delete from change where seq = 3');
        await tx.execute(
          'insert into change select * from jsonb_populate_record(null::change, $1)',
          [JSON.stringify(kept)],
        );
      });
    }
    await line.database.as(line.tenant, (tx) =>
      tx.execute('delete from change where seq = (select max(seq) from change)'),
    );
    await expect(
      approvePlan({ ...line, planId: plan.id, actor: ole, selection: {}, now: monday }),
    ).rejects.toMatchObject({ code: 'plan-tampered' });
  });

  it('runs out', async () => {
    await using line = await openLine({ policy: 'version: 1\napproval: { expiresHours: 24 }\n' });
    const plan = await line.plan({ roster, now: monday });
    await expect(line.commit({ planId: plan.id, now: hours(24) })).rejects.toMatchObject({
      code: 'plan-expired',
    });
    expect((await line.commit({ planId: plan.id, now: hours(23) })).committed).toBe(
      countPlanned(plan),
    );
  });
});

describe('four eyes', () => {
  const policy = 'version: 1\napproval: { fourEyes: [{ kinds: [account], atLeast: 20 }] }\n';

  it('are those of two different people, over all that is committed', async () => {
    await using line = await openLine({ policy });
    const plan = await line.plan({ roster, now: monday });
    expect(plan.fourEyes).toBe(true);
    const commit = { planId: plan.id, now: monday };
    const refused = { code: 'plan-needs-approval' };
    const approve = (actor: typeof ole, selection: object) =>
      approvePlan({ ...line, ...commit, actor, selection });

    await expect(line.commit({ ...commit, actor: ole })).rejects.toMatchObject(refused);
    await approve(ole, {});
    await expect(line.commit({ ...commit, actor: ole })).rejects.toMatchObject(refused);
    await approve(lis, { institution: ['101001'] });
    await expect(line.commit({ ...commit, actor: ole })).rejects.toMatchObject(refused);
    const selection = { institution: ['101002'] };
    await expect(line.commit({ ...commit, actor: ole, selection })).rejects.toMatchObject(refused);
    await approve(lis, { kind: ['account', 'group'], except: true });
    await expect(line.commit({ ...commit, actor: ole })).rejects.toMatchObject(refused);
    await approve(lis, {});
    expect((await line.commit({ ...commit, actor: ole })).committed).toBe(countPlanned(plan));
  });

  it('are not asked for less than policy says', async () => {
    await using line = await openLine({ policy });
    const small = smallRoster({ pupils: 1 });
    const plan = await line.plan({ roster: small, now: monday });
    expect(plan.fourEyes).toBe(false);
    await line.commit({ planId: plan.id, actor: ole, now: monday });
  });
});

describe('what was overtaken', () => {
  const rename = (uniId: string, family: string, of: SmallRoster = roster): SmallRoster => ({
    ...of,
    people: of.people.map((one) => (one.uniId === uniId ? { ...one, family } : one)),
  });

  it('by a newer feed is planned again, and the rest committed', async () => {
    await using line = await openLine();
    await line.day({ roster, now: monday });
    const both = rename('elev1001', 'Ny', rename('elev2001', 'Ny'));
    const plan = await line.plan({ roster: both, now: hours(1) });
    const items = feedItems(rename('elev1001', 'Nyere', both));
    await acceptSnapshot({ ...line, source: 'main', items, now: hours(2) });

    const report = await line.commit({ planId: plan.id, now: hours(3), planned: true });
    expect(report).toMatchObject({ committed: 3, stale: 3, replanned: { changes: 3 } });
    const again = report.replanned?.id ?? '';
    expect((await line.changes(again)).map(({ title }) => title)).toEqual([
      ...Array.from({ length: 3 }, () => 'Fornavnelev1001 Nyere'),
    ]);
    expect(await outcomes(line, again)).toEqual({ null: 3 });
    expect((await line.commit({ planId: again, now: hours(4) })).committed).toBe(3);
    const last = await line.day({ roster: rename('elev1001', 'Nyere', both), now: hours(5) });
    expect(countPlanned(last.plan)).toBe(0);
  });

  it('by another change is planned again; what is not wanted any more is not', async () => {
    await using line = await openLine();
    await line.day({ roster, now: monday });
    const both = rename('elev1001', 'Ny', rename('elev2001', 'Ny'));
    const plan = await line.plan({ roster: both, now: hours(1) });
    await line.database.as(line.tenant, (tx) =>
      tx.execute(`update resource set desired = jsonb_set(desired, '{family}', '"Ny"')
                  where target = 'keycloak' and desired->>'username' = 'elev1001'`),
    );
    await line.database.as(line.tenant, (tx) =>
      tx.execute(`update resource set desired = jsonb_set(desired, '{lastname}', '"Andet"')
                  where target = 'moodle' and desired->>'username' = 'elev1001'`),
    );
    const report = await line.commit({ planId: plan.id, now: hours(2), planned: true });
    expect(report).toMatchObject({ committed: 4, stale: 2, replanned: { changes: 1 } });
    const [again] = await line.changes(report.replanned?.id ?? '');
    expect(again).toMatchObject({ target: 'moodle', title: 'Fornavnelev1001 Ny' });
    expect(again?.reason.fields).toEqual([{ field: 'lastname', from: 'Andet', to: 'Ny' }]);
  });

  it('nothing is planned again where nothing moved', async () => {
    await using line = await openLine();
    const plan = await line.plan({ roster, now: monday });
    const report = await line.commit({ planId: plan.id, now: hours(1), planned: true });
    expect(report).toMatchObject({ committed: countPlanned(plan), stale: 0, replanned: null });
  });
});

it('a process killed in the middle of a commit has committed nothing', async () => {
  await using line = await openLine();
  const plan = await line.plan({ roster, now: monday });
  const client = new pg.Client({ connectionString: line.database.url });
  await client.connect();
  try {
    // The last table that a commit writes to: until then everything else is written.
    await client.query('begin; lock table undone in access exclusive mode');
    const script = `
      import { openDatabase } from './provisioning/store/database.ts';
      import { commitPlan } from './provisioning/ledger/commit.ts';
      const [url, tenant, planId] = process.argv.slice(1);
      const database = openDatabase({ url });
      await commitPlan({ database, tenant, planId, now: new Date('${monday.toISOString()}') });`;
    const args = ['--input-type=module', '-e', script, line.database.url, line.tenant, plan.id];
    const child = spawn(process.execPath, args, { stdio: 'inherit' });
    const ended = new Promise((resolve) => child.once('close', (_, signal) => resolve(signal)));
    for (let blocked = false; !blocked; ) {
      await sleep(50);
      expect(child.exitCode).toBeNull();
      const { rows } = await client.query(
        `select from pg_locks where not granted and relation = 'undone'::regclass`,
      );
      blocked = rows.length > 0;
    }
    child.kill('SIGKILL');
    expect(await ended).toBe('SIGKILL');
    await client.query('rollback');
  } finally {
    await client.end();
  }
  const rows = await line.database.as(line.tenant, (tx) => tx.query('select from resource'));
  expect(rows).toHaveLength(0);
  expect(await outcomes(line, plan.id)).toEqual({ null: countPlanned(plan) });
  expect((await line.commit({ planId: plan.id, now: monday })).committed).toBe(countPlanned(plan));
}, 60_000);
