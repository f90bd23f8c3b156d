import { randomUUID } from 'node:crypto';
import type { Lane } from '../policy/lane.ts';
import type { Body, ResourceKind } from '../policy/resource.ts';
import type { Database, Transaction } from '../store/database.ts';
import type { Due } from './due.ts';
import { findDue } from './due.ts';
import { type Exclusion, exclude, nothingExcluded } from './exclusion.ts';
import type { Work } from './work.ts';

/**
 * How long a claim holds without a sign of life, in seconds. A worker renews what it is writing, so
 * this is only how long the rows of a dead one stay put.
 */
const leaseSeconds = 15;
/** How often a worker should renew, in ms. */
export const renewEveryMs = 5_000;

/** A row whose last claims brought no outcome may be what killed them: so many, and it is tried alone. */
const suspectAfter = 3;
/** So many, and it is set aside. */
const poisonAfter = 6;

/** What may be claimed of a lane now. */
export interface LaneClaim {
  readonly lane: Lane;
  /** Only what was committed until then; null: everything. */
  readonly committedUntil: Date | null;
  readonly without: Exclusion;
}

/** Everything of these lanes. */
export function wholeLanes(lanes: readonly Lane[]): readonly LaneClaim[] {
  return lanes.map((lane) => ({ lane, committedUntil: null, without: nothingExcluded }));
}

/** Rows that one worker has taken, and the mark under which it may settle them. */
export interface Claim {
  readonly id: string;
  readonly rows: readonly Work[];
}

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
  readonly lanes: readonly LaneClaim[];
  readonly size: (kind: ResourceKind) => number;
}): Promise<Claim | null> {
  const order = [
    ...p.kinds.map((kind) => ({ kind, deleting: false })),
    ...p.kinds.toReversed().map((kind) => ({ kind, deleting: true })),
  ];
  return p.database.as(p.tenant, async (tx) => {
    const all = await findDue({ tx, targets: [p.target], kinds: p.kinds });
    const due = all.filter((one) => p.lanes.some(({ lane }) => lane === one.lane));
    if (due.length === 0) return null;
    for (const suspects of [false, true]) {
      if (suspects) await setPoisonAside({ ...p, tx });
      for (const lane of p.lanes) {
        const steps = order.filter((step) => due.some((one) => isIn({ one, step, lane })));
        for (const step of steps) {
          const limit = Math.min(p.size(step.kind), suspects ? 1 : Number.POSITIVE_INFINITY);
          const claim = await claimStep({ ...p, ...step, tx, ...lane, suspects, limit });
          if (claim.rows.length > 0) return claim;
        }
      }
    }
    return null;
  });
}

type Step = Pick<Due, 'kind' | 'deleting'>;

function isIn(p: { readonly one: Due; readonly step: Step; readonly lane: LaneClaim }): boolean {
  const { one, step } = p;
  return one.lane === p.lane.lane && one.kind === step.kind && one.deleting === step.deleting;
}

async function claimStep(p: {
  readonly tx: Transaction;
  readonly target: string;
  readonly lane: Lane;
  readonly committedUntil: Date | null;
  readonly without: Exclusion;
  readonly kind: ResourceKind;
  readonly deleting: boolean;
  readonly suspects: boolean;
  readonly limit: number;
}): Promise<Claim> {
  const id = randomUUID();
  const values = [
    ...[p.tx.tenant, p.target, p.lane, p.kind],
    ...[p.limit, leaseSeconds, id, p.committedUntil],
  ];
  const excluded = exclude({ without: p.without, firstValue: values.length + 1 });
  const rows = await p.tx.query<{
    key: string;
    desired: Body | null;
    applied: Body | null;
    tried: readonly Body[];
    start_again: string | null;
    external_id: string | null;
    attempts: number;
  }>(
    `with due as (
       select r.key from resource r
       where r.tenant_id = $1 and r.target = $2 and r.lane = $3 and r.kind = $4 and r.state = 'due'
         and r.desired is ${p.deleting ? '' : 'not '}null and r.due_at <= now()
         and (r.leased_until is null or r.leased_until < now())
         and r.unanswered ${p.suspects ? '>=' : '<'} ${suspectAfter}
         and ($8::timestamptz is null or r.changed_at <= $8)
         ${excluded.sql}
         ${p.deleting ? '' : needsStand}
       order by r.due_at, r.key limit $5 for update skip locked)
     update resource r set leased_until = now() + make_interval(secs => $6), claim = $7,
            attempts = r.attempts + 1, unanswered = r.unanswered + 1
     from due where r.tenant_id = $1 and r.target = $2 and r.kind = $4 and r.key = due.key
     returning r.key, r.desired, r.applied, r.tried, r.start_again, r.external_id, r.attempts - 1 as attempts`,
    [...values, ...excluded.values],
  );
  return {
    id,
    rows: rows.map((row) => ({
      kind: p.kind,
      key: row.key,
      desired: row.desired,
      applied: row.applied,
      tried: row.tried,
      startAgain: row.start_again,
      externalId: row.external_id,
      attempts: row.attempts,
    })),
  };
}

/** Rows that were claimed again and again and never answered for: whoever takes them up may die of it. */
async function setPoisonAside(p: {
  readonly tx: Transaction;
  readonly target: string;
}): Promise<void> {
  await p.tx.execute(
    `update resource set state = 'failed', leased_until = null, claim = null, failure = jsonb_build_object(
       'code', 'poison-row', 'detail', 'Its workers ended before they could answer for it.')
     where tenant_id = $1 and target = $2 and state = 'due' and unanswered >= ${suspectAfter}
       and unanswered >= $3 and (leased_until is null or leased_until < now())`,
    [p.tx.tenant, p.target, poisonAfter],
  );
}

/** What a row needs stands in the target already. */
const needsStand = `and not exists (
   select from unnest(r.needs) need where not exists (
     select from resource n where n.tenant_id = $1 and n.target = $2 and n.ref = need
       and n.applied is not null))`;

/** Says that the rows of a claim are still being written. */
export async function renewLease(p: {
  readonly database: Database;
  readonly tenant: string;
  readonly target: string;
  readonly claim: Claim;
}): Promise<void> {
  await p.database.as(p.tenant, (tx) =>
    tx.execute(
      `update resource set leased_until = now() + make_interval(secs => $5)
       where target = $1 and kind = $2 and key = any($3) and claim = $4`,
      [
        p.target,
        p.claim.rows[0]?.kind,
        p.claim.rows.map((work) => work.key),
        p.claim.id,
        leaseSeconds,
      ],
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
