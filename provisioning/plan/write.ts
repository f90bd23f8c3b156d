import type { Approval } from '../policy/approval-schema.ts';
import type { Lane } from '../policy/lane.ts';
import type { Body, ResourceKind } from '../policy/resource.ts';
import { kindOrder } from '../policy/resource.ts';
import type { TargetTypes } from '../policy/route.ts';
import type { Transaction } from '../store/database.ts';
import { currentTraceparent } from '../trace/span.ts';
import type { Action } from './diff.ts';
import { gatePlan, planHash } from './guard.ts';
import type { Held, LimitRow } from './limits.ts';
import type { ActionCounts, PlanSummary } from './make.ts';
import type { Reason } from './reason.ts';

/** A change as a plan stores it. */
export interface NewChange {
  readonly target: string;
  readonly kind: ResourceKind;
  readonly key: string;
  readonly institution: string | null;
  readonly title: string;
  readonly person_id: string | null;
  readonly needs: readonly string[];
  readonly action: Action;
  /** The ledger's desired state; of an adoption: what stands in the target. */
  readonly before: Body | null;
  readonly after: Body | null;
  readonly not_before: Date | null;
  readonly reason: Reason;
  readonly lane: Lane;
  readonly held?: string | null;
  /** `policy` when left out. */
  readonly origin?: 'policy' | 'adoption' | 'drift' | 'undo';
  /** Adoption: the target's own id of what is linked. */
  readonly external_id?: string | null;
  /** Drift: what the target was found to hold, in the words of the body; null: nothing. Undo: what is turned back. */
  readonly found?: Body | null;
}

/** A new, open plan; one that was still open gives way to it. One that turns another back waits on. */
export async function openPlan(p: {
  readonly tx: Transaction;
  readonly snapshotId: string | null;
}): Promise<string> {
  await p.tx.execute(
    `update plan set state = 'superseded' where state = 'open' and undoes is null`,
  );
  return insertPlan(p);
}

/** The same, for a plan that is committed at once: one that waits for a person goes on waiting. */
export async function insertPlan(p: {
  readonly tx: Transaction;
  readonly snapshotId: string | null;
}): Promise<string> {
  const [plan] = await p.tx.query<{ id: string }>(
    `insert into plan (tenant_id, snapshot_id, state, traceparent) values ($1, $2, 'open', $3)
     returning id`,
    [p.tx.tenant, p.snapshotId, currentTraceparent()],
  );
  if (plan === undefined) throw new Error('The plan row was not returned.');
  return plan.id;
}

const columns = {
  tenant_id: 'text',
  plan_id: 'uuid',
  seq: 'integer',
  target: 'text',
  kind: 'text',
  key: 'text',
  institution: 'text',
  title: 'text',
  person_id: 'uuid',
  needs: 'text[]',
  action: 'text',
  before: 'jsonb',
  after: 'jsonb',
  not_before: 'timestamptz',
  reason: 'jsonb',
  lane: 'text',
  held: 'text',
  origin: 'text',
  external_id: 'text',
  found: 'jsonb',
} as const;

/** A plan of more changes than this is a first load or a rollover: it goes through lane `bulk`. */
const bulkThreshold = 2000;
/** A plan about so few people, in so few changes, is somebody at a desk who waits: lane `now`. */
const fewPeople = 3;
const fewChanges = 60;

/** Numbers the changes in the order they come, and stores them. */
export async function insertChanges(p: {
  readonly tx: Transaction;
  readonly planId: string;
  readonly rows: AsyncIterable<NewChange> | Iterable<NewChange>;
}): Promise<void> {
  const { tx, planId } = p;
  let seq = 0;
  async function* numbered(): AsyncGenerator<Readonly<Record<string, unknown>>> {
    for await (const row of p.rows) {
      yield { origin: 'policy', ...row, tenant_id: tx.tenant, plan_id: planId, seq: ++seq };
    }
  }
  await tx.insert({ table: 'change', columns, rows: numbered() });
  await chooseLanes({ tx, planId, changes: seq });
  // Whoever joins them must know how many there are: without, a commit of 8,000 was quadratic.
  if (seq > bulkThreshold) await tx.execute('analyze change');
}

/**
 * What changes in the accounts of a protected person is done before anything else: it may be the
 * protection that has just been switched on, and the old name stands in the targets until then.
 */
async function chooseLanes(p: {
  readonly tx: Transaction;
  readonly planId: string;
  readonly changes: number;
}): Promise<void> {
  const { tx, planId, changes } = p;
  if (changes > bulkThreshold) {
    await tx.execute(`update change set lane = 'bulk' where plan_id = $1`, [planId]);
  }
  await tx.execute(
    `update change c set lane = 'now' where c.plan_id = $1 and c.action <> 'create'
       and c.person_id in (
         select g.person_id from recognition g
         join record r on r.source = g.source and r.entity = 'person' and r.key = g.record_key
         where r.gone_at is null and (r.body->>'protected')::boolean)`,
    [planId],
  );
  if (changes > fewChanges) return;
  await tx.execute(
    `update change set lane = 'now' where plan_id = $1
       and (select count(distinct person_id) from change where plan_id = $1) between 1 and $2`,
    [planId, fewPeople],
  );
}

/** Counts a plan's changes and seals it: the hash is over everything that a commit will do. */
export async function finishPlan(p: {
  readonly tx: Transaction;
  readonly planId: string;
  readonly held: readonly Held[];
  readonly limits?: readonly LimitRow[];
  /** Decisions about holds that let some of the changes through; the commit uses up those for once. */
  readonly decisions?: readonly string[];
  readonly targets: TargetTypes;
  /** Null: nobody is asked. */
  readonly approval: Approval | null;
  readonly now: Date;
  /** What else the plan's summary tells. */
  readonly more?: Readonly<Record<string, unknown>>;
}): Promise<PlanSummary> {
  const { tx, planId, held, limits = [], decisions = [] } = p;
  const counts = await tx.query<{ target: string; kind: string; action: Action; n: number }>(
    `select target, kind, action, count(*)::int as n from change
     where plan_id = $1 and held is null group by 1, 2, 3`,
    [planId],
  );
  const changes: Record<string, Record<string, ActionCounts>> = {};
  for (const [target, type] of p.targets) {
    const ofTarget: Record<string, ActionCounts> = {};
    for (const kind of kindOrder[type]) {
      const n = (action: Action) =>
        counts.find((c) => c.target === target && c.kind === kind && c.action === action)?.n ?? 0;
      ofTarget[kind] = {
        create: n('create'),
        update: n('update'),
        deactivate: n('deactivate'),
        delete: n('delete'),
        ...(n('adopt') === 0 ? {} : { adopt: n('adopt') }),
      };
    }
    changes[target] = ofTarget;
  }
  await tx.execute(`update plan set summary = $2, hash = ${planHash} where id = $1`, [
    planId,
    JSON.stringify({ changes, held, limits, decisions, ...p.more }),
  ]);
  const fourEyes = await gatePlan(p);
  return { id: planId, changes, held, limits, fourEyes };
}
