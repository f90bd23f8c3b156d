import type { Express } from 'express';
import fc from 'fast-check';
import { pino } from 'pino';
import request from 'supertest';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { CommitReport } from '../../provisioning/ledger/commit.ts';
import { commitPlan } from '../../provisioning/ledger/commit.ts';
import { approvePlan } from '../../provisioning/plan/approve.ts';
import type { ChangeRow } from '../../provisioning/plan/read.ts';
import type { Selection } from '../../provisioning/plan/selection.ts';
import { parsePolicy } from '../../provisioning/policy/parse.ts';
import type { Database } from '../../provisioning/store/database.ts';
import { createApi } from '../../services/api/app.ts';
import type { Line } from '../support/line.ts';
import { openLine } from '../support/line.ts';
import { smallRoster } from '../support/roster.ts';
import { answered } from './answered.ts';

const token = 'a-token-for-tests';
const policy = 'version: 1\napproval: { fourEyes: [{ actions: [delete] }] }\nundo: { days: 10 }\n';
const day = (n: number) => new Date(Date.now() + n * 86_400_000);
let line: Line;
let app: Express;
let planId: string;
let changes: readonly ChangeRow[];

/** New class and pupils, two to delete, a school of which most are gone, and a pupil overtaken meanwhile. */
beforeAll(async () => {
  line = await openLine({ policy });
  const rules = {
    policy: parsePolicy({ text: policy, file: 'policy.yaml' }),
    targets: new Map((['keycloak', 'nextcloud', 'moodle'] as const).map((name) => [name, name])),
  };
  app = createApi({
    database: line.database,
    tenant: line.tenant,
    queues: null,
    access: { kind: 'local-token', token },
    rules,
    console: null,
    onCommitted: async () => {},
    logger: pino({ level: 'silent' }),
  });
  const first = smallRoster({ pupils: 40 });
  await line.day({ roster: first, now: day(-100) });
  const without = (...ids: readonly string[]) =>
    first.people.filter(({ uniId }) => !ids.includes(uniId));
  const second = { ...first, people: without('elev1001', 'elev1002') };
  await line.day({ roster: second, now: day(-90) });
  await line.drain();
  await line.promote(day(-70));
  const fresh = ['ny001', 'ny002'].map((uniId) => ({
    ...{ uniId, institution: '101001', groups: ['8B'] },
  }));
  const third = {
    ...second,
    groups: [...second.groups, { institution: '101001', id: '8B', name: '8.B' }],
    people: [
      ...second.people.filter(
        ({ institution, uniId }) => institution === '101001' || uniId > 'elev2035',
      ),
      ...fresh,
    ],
  };
  ({ id: planId } = await line.plan({ roster: third, now: day(0) }));
  changes = await line.changes(planId);
  await line.database.as(line.tenant, (tx) =>
    tx.execute(
      `update resource set desired = desired || jsonb_build_object('active', not (desired->>'active')::boolean)
       where key in (select key from change where plan_id = $1 and held is null and action = 'delete'
                     order by seq limit 1)`,
      [planId],
    ),
  );
});

afterAll(async () => {
  await line[Symbol.asyncDispose]();
});

const at = (path: string) => `/api/v1/plans/${planId}/${path}`;
const weigh = (selection?: Selection) =>
  request(app).post(at('weigh')).auth(token, { type: 'bearer' }).send({ selection });

class RolledBack extends Error {
  readonly report: unknown;
  constructor(report: unknown) {
    super('rolled back');
    this.report = report;
  }
}

/** What the commit reports, on a transaction that is thrown away. */
async function tryCommit(selection: Selection): Promise<CommitReport> {
  const thrownAway: Database = {
    ...line.database,
    as: (tenant, work) =>
      line.database.as(tenant, async (tx) => {
        throw new RolledBack(await work(tx));
      }),
  };
  const actor = { id: 'ole', name: 'Ole' };
  try {
    await commitPlan({
      ...{ database: thrownAway, tenant: line.tenant, planId, selection, actor },
      now: new Date(),
    });
  } catch (error) {
    if (error instanceof RolledBack) return error.report as CommitReport;
    throw error;
  }
  throw new Error('The commit was not rolled back.');
}

it('has a plan with something of every sort', () => {
  const held = new Set(changes.map((one) => one.held));
  expect([...held].some((code) => code?.startsWith('limit-'))).toBe(true);
  expect(new Set(changes.map((one) => one.action))).toContain('delete');
});

it('tells what the commit then does, whatever is selected', async () => {
  // Approved by somebody, or policy would let nothing through.
  await approvePlan({
    ...{ database: line.database, tenant: line.tenant, planId, selection: {} },
    ...{ actor: { id: 'lone', name: 'Lone' }, now: new Date() },
  });
  const some = <T extends string | number>(values: readonly T[]) =>
    fc.subarray([...new Set(values)], { minLength: 1 });
  const selections = fc.record(
    {
      institution: some(changes.flatMap((one) => one.institution ?? [])),
      target: some(changes.map((one) => one.target)),
      kind: some(changes.map((one) => one.kind)),
      action: some(changes.map((one) => one.action)),
      seqs: some(changes.map((one) => one.seq)),
      except: fc.boolean(),
    },
    { requiredKeys: [] },
  );
  // Its pupils wait for a class that was rejected.
  const fresh = changes.filter((one) => one.kind === 'group' && one.action === 'create');
  const rejected = { seqs: fresh.map((one) => one.seq), except: true };
  const seen = { along: 0, stale: 0, waiting: 0, held: 0 };
  await fc.assert(
    fc.asyncProperty(selections, async (selection) => {
      const weighed = answered('weighPlan', await weigh(selection));
      const count = (list: readonly { readonly count: number }[]) =>
        list.reduce((sum, one) => sum + one.count, 0);
      const report = await tryCommit(selection);
      const along = count(weighed.along);
      expect({
        committed: weighed.named + along,
        stale: weighed.stale,
        left: weighed.left,
        waiting: weighed.waiting,
      }).toEqual({
        committed: report.committed,
        stale: report.stale,
        left: report.left,
        waiting: report.waiting,
      });
      expect(Object.values<number>(weighed.actions).reduce((sum, n) => sum + n, 0)).toBe(
        report.committed,
      );
      expect(count(weighed.held)).toBeLessThanOrEqual(report.held);
      seen.along += along;
      seen.stale += weighed.stale;
      seen.waiting += weighed.waiting;
      seen.held += count(weighed.held);
    }),
    {
      numRuns: 60,
      examples: [[{}], [{ kind: ['account'], institution: ['101001'] }], [rejected]],
    },
  );
  expect(Object.entries(seen).filter(([, n]) => n === 0)).toEqual([]);
});

it('counts what is held, and what no undo turns back', async () => {
  const weighed = answered('weighPlan', await weigh());
  const held = changes.filter((one) => one.held !== null);
  expect(weighed.changes).toBe(changes.length);
  expect(weighed.held.reduce((sum: number, one: { count: number }) => sum + one.count, 0)).toBe(
    held.length,
  );
  expect(weighed.lasting).toEqual([{ code: 'deleted', count: weighed.actions.delete }]);
  expect(weighed.newerFeed).toBe(false);
});

it('tells whose approval is missing', async () => {
  await line.database.as(line.tenant, (tx) => tx.execute('delete from plan_approval'));
  const selection = { institution: ['101001'] };
  const meant = changes.filter((one) => one.institution === '101001' && one.held === null).length;
  await request(app).post(at('approve')).auth(token, { type: 'bearer' }).send({ selection });
  expect(answered('weighPlan', await weigh(selection))).toMatchObject({
    unapproved: meant,
    approvals: [{ name: 'local-token', mine: true, count: meant }],
  });
  const part = { institution: ['101001'], kind: ['account'] };
  await approvePlan({
    ...{ database: line.database, tenant: line.tenant, planId, selection: part },
    ...{ actor: { id: 'lone', name: 'Lone' }, now: new Date() },
  });
  expect(answered('weighPlan', await weigh(part)).unapproved).toBe(0);
  expect(answered('weighPlan', await weigh()).unapproved).toBeGreaterThan(0);
});

it('tells what a commit did, until when it can be undone, and what undoes it', async () => {
  const get = (id: string) =>
    request(app).get(`/api/v1/plans/${id}/commit`).auth(token, { type: 'bearer' });
  expect((await get(planId)).body.code).toBe('plan-not-committed');
  const selection = { institution: ['101001'], kind: ['account'] };
  const report = (
    await request(app).post(at('commit')).auth(token, { type: 'bearer' }).send({ selection })
  ).body;
  expect(report.stale).toBeGreaterThan(0);
  expect(report.replanned.changes).toBeGreaterThan(0);
  const done = answered('getCommit', await get(planId));
  expect(done).toMatchObject({ report, undoneBy: null });
  expect(Date.parse(done.undoUntil) - Date.now()).toBeGreaterThan(9.9 * 86_400_000);
  const undo = await request(app).post(at('undo')).auth(token, { type: 'bearer' });
  expect((await get(planId)).body.undoneBy).toEqual({ id: undo.body.id, state: 'open' });
  expect((await weigh()).body.code).toBe('plan-not-open');
});
