import type { Body, ResourceKind } from '../policy/resource.ts';
import type { Database, Transaction } from '../store/database.ts';
import type { Work } from './work.ts';

/**
 * How long a claim holds without a sign of life, in seconds. A worker renews what it is writing, so
 * this is only how long the rows of a dead one stay put.
 */
const leaseSeconds = 15;
/** How often a worker should renew, in ms. */
export const renewEveryMs = 5_000;

const lanes = ['now', 'sync', 'bulk'] as const;

/**
 * Claims the rows of one kind that come first in a target: lane before lane, and within a lane what
 * others need before what needs it; deletions come last, the other way round. Rows whose needs do not
 * stand in the target yet are passed over.
 *
 * @param p.kinds the target's kinds, in the order they are set down
 * @returns null when nothing can be done now
 */
export async function claimWork(p: {
  readonly database: Database;
  readonly tenant: string;
  readonly target: string;
  readonly kinds: readonly ResourceKind[];
  readonly size: (kind: ResourceKind) => number;
}): Promise<readonly Work[] | null> {
  const steps = [
    ...p.kinds.map((kind) => ({ kind, deleting: false })),
    ...p.kinds.toReversed().map((kind) => ({ kind, deleting: true })),
  ];
  return p.database.as(p.tenant, async (tx) => {
    for (const lane of lanes) {
      for (const step of steps) {
        const work = await claimStep({ ...p, ...step, tx, lane, limit: p.size(step.kind) });
        if (work.length > 0) return work;
      }
    }
    return null;
  });
}

async function claimStep(p: {
  readonly tx: Transaction;
  readonly target: string;
  readonly lane: string;
  readonly kind: ResourceKind;
  readonly deleting: boolean;
  readonly limit: number;
}): Promise<readonly Work[]> {
  const rows = await p.tx.query<{
    key: string;
    desired: Body | null;
    applied: Body | null;
    external_id: string | null;
    attempts: number;
  }>(
    `with due as (
       select r.key from resource r
       where r.tenant_id = $1 and r.target = $2 and r.lane = $3 and r.kind = $4 and r.state = 'due'
         and (r.desired is null) = $5 and r.due_at <= now()
         and (r.leased_until is null or r.leased_until < now())
         and ($5 or not exists (
           select from unnest(r.needs) need where not exists (
             select from resource n where n.tenant_id = $1 and n.target = $2 and n.ref = need
               and n.applied is not null)))
       order by r.due_at, r.key limit $6 for update skip locked)
     update resource r set leased_until = now() + make_interval(secs => $7), attempts = r.attempts + 1
     from due where r.tenant_id = $1 and r.target = $2 and r.kind = $4 and r.key = due.key
     returning r.key, r.desired, r.applied, r.external_id, r.attempts - 1 as attempts`,
    [p.tx.tenant, p.target, p.lane, p.kind, p.deleting, p.limit, leaseSeconds],
  );
  return rows.map((row) => ({
    kind: p.kind,
    key: row.key,
    desired: row.desired,
    applied: row.applied,
    externalId: row.external_id,
    attempts: row.attempts,
  }));
}

/** Says that the rows of a claim are still being written. */
export async function renewLease(p: {
  readonly database: Database;
  readonly tenant: string;
  readonly target: string;
  readonly batch: readonly Work[];
}): Promise<void> {
  await p.database.as(p.tenant, (tx) =>
    tx.execute(
      `update resource set leased_until = now() + make_interval(secs => $4)
       where target = $1 and kind = $2 and key = any($3) and leased_until is not null`,
      [p.target, p.batch[0]?.kind, p.batch.map((work) => work.key), leaseSeconds],
    ),
  );
}

/** The target's own ids of resources that stand there, by key. */
export async function findExternalIds(p: {
  readonly database: Database;
  readonly tenant: string;
  readonly target: string;
  readonly kind: ResourceKind;
  readonly keys: readonly string[];
}): Promise<ReadonlyMap<string, string>> {
  const rows = await p.database.as(p.tenant, (tx) =>
    tx.query<{ key: string; external_id: string }>(
      `select key, external_id from resource
       where target = $1 and kind = $2 and key = any($3) and applied is not null and external_id is not null`,
      [p.target, p.kind, p.keys],
    ),
  );
  return new Map(rows.map((row) => [row.key, row.external_id]));
}
