import type { Database, Transaction } from '../store/database.ts';
import { adoptionOutcome, linkAdopted } from './adopt.ts';
import { driftOutcome, takeObserved } from './observed.ts';

export interface CommitReport {
  /** Changes that are now desired state, or are scheduled for their day. */
  readonly committed: number;
  readonly scheduled: number;
  readonly held: number;
  /** Changes whose resource was no longer as the plan had seen it; the next plan looks at them again. */
  readonly stale: number;
}

/**
 * Makes a plan the desired state, in one transaction. A change whose day has not come is written
 * beside the desired state and takes its place then (`promoteDue`).
 *
 * @throws PlanError when there is no such plan or it is no longer open
 */
export async function commitPlan(p: {
  readonly database: Database;
  readonly tenant: string;
  readonly planId: string;
  readonly now: Date;
}): Promise<CommitReport> {
  return p.database.as(p.tenant, async (tx) => {
    const [plan] = await tx.query<{ state: string }>(
      `select state from plan where id = $1 for update`,
      [p.planId],
    );
    if (plan === undefined) {
      throw new PlanError({ code: 'plan-unknown', message: `There is no plan ${p.planId}.` });
    }
    if (plan.state !== 'open') {
      throw new PlanError({
        code: 'plan-not-open',
        message: `Plan ${p.planId} is ${plan.state}: make a new plan and commit that one.`,
      });
    }
    await tx.execute(
      `update change c set outcome = case
         when c.held is not null then 'held'
         when c.origin = 'adoption' then ${adoptionOutcome}
         when c.before is distinct from (select r.desired from resource r
              where r.target = c.target and r.kind = c.kind and r.key = c.key) then 'stale'
         when c.origin = 'drift' then ${driftOutcome}
         else 'committed' end
       where c.plan_id = $1`,
      [p.planId],
    );
    await tx.execute(
      `insert into resource as r (tenant_id, target, kind, key, institution, title, person_id, needs,
                                  desired, state, lane, plan_id)
       select tenant_id, target, kind, key, institution, title, person_id, needs, after, 'due', lane, plan_id
       from change where plan_id = $1 and outcome = 'committed' and action = 'create' and origin = 'policy'
       on conflict (tenant_id, target, kind, key) do update
         set desired = excluded.desired, state = 'due', due_at = now(), lane = excluded.lane,
             scheduled = null, scheduled_at = null, inactive_since = null, plan_id = excluded.plan_id,
             changed_at = now()`,
      [p.planId],
    );
    await tx.execute(
      `update resource r set scheduled = c.after, scheduled_at = c.not_before, plan_id = c.plan_id,
              changed_at = now()
       from change c
       where c.plan_id = $1 and c.outcome = 'committed' and c.action <> 'create' and c.origin = 'policy' and c.not_before > $2
         and r.target = c.target and r.kind = c.kind and r.key = c.key`,
      [p.planId, p.now],
    );
    await tx.execute(
      `update resource r set desired = c.after, scheduled = null, scheduled_at = null,
              ${becomesDue('c.after', '$2')}, lane = c.lane, plan_id = c.plan_id, changed_at = now()
       from change c
       where c.plan_id = $1 and c.outcome = 'committed' and c.action <> 'create' and c.origin = 'policy'
         and (c.not_before is null or c.not_before <= $2)
         and r.target = c.target and r.kind = c.kind and r.key = c.key`,
      [p.planId, p.now],
    );
    await linkAdopted({ tx, planId: p.planId });
    await takeObserved({ tx, planId: p.planId });
    await tx.execute(`update plan set state = 'committed', committed_at = $2 where id = $1`, [
      p.planId,
      p.now,
    ]);
    const report = await countOutcomes({ tx, planId: p.planId });
    // A claim looks rows up by what they need; after a first load the planner must know how many there are.
    if (report.committed > 500) await tx.execute('analyze resource');
    return report;
  });
}

/** What committing a plan did, read from its changes; null when the plan is not committed. */
export async function readCommit(p: {
  readonly database: Database;
  readonly tenant: string;
  readonly planId: string;
}): Promise<CommitReport | null> {
  return p.database.as(p.tenant, async (tx) => {
    const committed = await tx.query(
      `select from plan where id::text = $1 and state = 'committed'`,
      [p.planId],
    );
    return committed.length === 0 ? null : countOutcomes({ tx, planId: p.planId });
  });
}

async function countOutcomes(p: {
  readonly tx: Transaction;
  readonly planId: string;
}): Promise<CommitReport> {
  const [counts] = await p.tx.query<CommitReport & Record<string, unknown>>(
    `select count(*) filter (where outcome = 'committed')::int as committed,
            count(*) filter (where outcome = 'committed' and not_before > committed_at)::int as scheduled,
            count(*) filter (where outcome = 'held')::int as held,
            count(*) filter (where outcome = 'stale')::int as stale
     from plan left join change on plan_id = id where id = $1`,
    [p.planId],
  );
  return counts ?? { committed: 0, scheduled: 0, held: 0, stale: 0 };
}

/**
 * Puts scheduled states whose day has come in the place of the desired ones.
 *
 * @returns the targets that have work now
 */
export async function promoteDue(p: {
  readonly database: Database;
  readonly tenant: string;
  readonly now: Date;
}): Promise<readonly string[]> {
  return p.database.as(p.tenant, async (tx) => {
    const rows = await tx.query<{ target: string }>(
      `with promoted as (
         update resource r set desired = r.scheduled, scheduled = null, scheduled_at = null,
                ${becomesDue('r.scheduled', '$1')}, lane = 'sync', changed_at = now()
         where r.scheduled_at <= $1 returning target)
       select distinct target from promoted`,
      [p.now],
    );
    return rows.map((row) => row.target);
  });
}

/**
 * The columns that follow from a new desired state. A row that the target has confirmed in just this
 * state already (changed and changed back before it was applied) has nothing to do. Attempts are kept
 * while nothing was ever confirmed: an earlier one may have half-made the resource.
 */
function becomesDue(state: string, now: string): string {
  return `state = case when r.applied is not distinct from ${state} and r.applied is not null
                       then 'settled' else 'due' end,
          due_at = now(), failure = null,
          attempts = case when r.applied is null then r.attempts else 0 end,
          inactive_since = case when coalesce((${state}->>'active')::boolean, false) then null
                                else coalesce(r.inactive_since, ${now}) end`;
}

export class PlanError extends Error {
  override readonly name = 'PlanError';
  readonly code: 'plan-unknown' | 'plan-not-open';

  constructor(p: { readonly code: PlanError['code']; readonly message: string }) {
    super(p.message);
    this.code = p.code;
  }
}
