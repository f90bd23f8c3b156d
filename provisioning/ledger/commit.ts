import type { Span } from '@opentelemetry/api';
import type { Actor } from '../plan/guard.ts';
import { requireOpen, requireSecondPerson } from '../plan/guard.ts';
import type { Selection } from '../plan/selection.ts';
import { putIntoForce, readPreview } from '../policy/version.ts';
import type { Database, Transaction } from '../store/database.ts';
import { spendDecisions } from '../store/hold.ts';
import { currentTraceparent, inSpan, linkTo } from '../trace/span.ts';
import { linkAdopted } from './adopt.ts';
import { fates, fateValues } from './fate.ts';
import { hurryNeeds } from './hurry.ts';
import { takeObserved } from './observed.ts';
import type { Rules } from './replan.ts';
import { replanOvertaken } from './replan.ts';
import { forgetUndone, rememberUndone } from './undone.ts';

export interface CommitReport {
  /** Changes that are now desired state, or are scheduled for their day. */
  readonly committed: number;
  readonly scheduled: number;
  readonly held: number;
  /** Changes whose resource was no longer as the plan had seen it; the next plan looks at them again. */
  readonly stale: number;
  /** Changes that were not approved; the next plan shows them again. */
  readonly left: number;
  /** Committed changes that wait for what was not approved or is held. */
  readonly waiting: number;
  /** The open plan in which what was overtaken is planned again. */
  readonly replanned: { readonly id: string; readonly changes: number } | null;
}

/**
 * Makes a plan, or the approved part of it, the desired state, in one transaction. A change whose day has
 * not come is written beside the desired state and takes its place then (`promoteDue`).
 *
 * @param p.selection what is approved; all when left out. What it needs and the plan would create is
 *   approved with it, unless it was rejected
 * @param p.rules with them, what feed or ledger have overtaken since is planned again
 * @throws PlanError when there is no such plan, or it may not be committed (any more)
 */
export async function commitPlan(p: {
  readonly database: Database;
  readonly tenant: string;
  readonly planId: string;
  readonly selection?: Selection;
  /** Who commits; left out where nobody in particular does. */
  readonly actor?: Actor;
  readonly rules?: Rules;
  readonly now: Date;
}): Promise<CommitReport> {
  return inSpan({
    name: 'commit',
    facts: { 'skolebus.tenant': p.tenant },
    work: (span) => p.database.as(p.tenant, (tx) => commitAll({ ...p, tx, span })),
  });
}

async function commitAll(
  p: Parameters<typeof commitPlan>[0] & { readonly tx: Transaction; readonly span: Span },
): Promise<CommitReport> {
  const { tx, span, selection = {}, actor = null } = p;
  const plan = await requireOpen(p);
  await requireSecondPerson({ tx, plan, selection, actor });
  await decideOutcomes({ ...p, planId: plan.id, selection });
  if (p.rules !== undefined) {
    // What a new policy wants is not overtaken by the one that it replaces.
    const policy = (await readPreview({ tx, planId: plan.id })) ?? p.rules.policy;
    await replanOvertaken({ ...p, plan, rules: { ...p.rules, policy } });
  }
  await writeOutcomes({ ...p, planId: plan.id });
  await putIntoForce(p);
  await rememberUndone({ tx, plan });
  await forgetUndone({ tx, plan });
  await spendDecisions({ tx, ids: plan.decisions, now: p.now });
  const [before] = await tx.query<{ made: string | null }>(
    `update plan p set state = 'committed', committed_at = $2, committed_by = $3, traceparent = $4
       from (select id, traceparent as made from plan where id = $1) before
       where p.id = before.id returning before.made`,
    [plan.id, p.now, actor?.name ?? null, currentTraceparent()],
  );
  // It may have waited for its commit for days, and was made in another trace.
  linkTo(span, before?.made ? [before.made] : []);
  const report = await countOutcomes({ tx, planId: plan.id });
  span.setAttribute('skolebus.committed', report.committed);
  // A claim looks rows up by what they need; after a first load the planner must know how many there are.
  if (report.committed > 500) await tx.execute('analyze resource');
  return report;
}

/** What becomes of each change: held, not approved, overtaken, or committed. */
async function decideOutcomes(p: {
  readonly tx: Transaction;
  readonly planId: string;
  readonly selection: Selection;
  readonly now: Date;
}): Promise<void> {
  await p.tx.execute(
    `with recursive ${fates}
     update change c set outcome = case f.became when 'along' then 'committed' else f.became end
     from fate f where c.plan_id = $1 and c.seq = f.seq`,
    fateValues(p),
  );
}

/** Brings the ledger's desired state to what is committed of a plan. */
async function writeOutcomes(p: {
  readonly tx: Transaction;
  readonly planId: string;
  readonly now: Date;
}): Promise<void> {
  const { tx } = p;
  await tx.execute(
    `insert into resource as r (tenant_id, target, kind, key, institution, title, person_id, needs,
                                desired, inactive_since, state, lane, plan_id)
     select tenant_id, target, kind, key, institution, title, person_id, needs, after,
            case when not (after->>'active')::boolean then $2::timestamptz end, 'due', lane, plan_id
     from change where plan_id = $1 and outcome = 'committed' and action = 'create' and origin = 'policy'
     on conflict (tenant_id, target, kind, key) do update
       set desired = excluded.desired, state = 'due', due_at = now(), lane = excluded.lane,
           scheduled = null, scheduled_at = null, inactive_since = excluded.inactive_since,
           plan_id = excluded.plan_id, changed_at = now()`,
    [p.planId, p.now],
  );
  await tx.execute(
    `update resource r set desired = c.after, scheduled = null, scheduled_at = null,
              ${becomesDue('c.after', '$2')}, lane = c.lane, plan_id = c.plan_id, changed_at = now()
       from change c
       where c.plan_id = $1 and c.outcome = 'committed' and c.action <> 'create' and c.origin in ('policy', 'undo')
         and (c.not_before is null or c.not_before <= $2)
         and r.target = c.target and r.kind = c.kind and r.key = c.key`,
    [p.planId, p.now],
  );
  // After what is at once: of a hidden start both come in one plan, for one resource.
  await tx.execute(
    `update resource r set scheduled = c.after, scheduled_at = c.not_before, plan_id = c.plan_id,
            changed_at = now()
     from change c
     where c.plan_id = $1 and c.outcome = 'committed' and c.action <> 'create'
       and c.origin in ('policy', 'undo') and c.not_before > $2
       and r.target = c.target and r.kind = c.kind and r.key = c.key`,
    [p.planId, p.now],
  );
  await hurryNeeds(tx);
  await linkAdopted({ tx, planId: p.planId });
  await takeObserved({ tx, planId: p.planId });
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
  const [report] = await p.tx.query<CommitReport & Record<string, unknown>>(
    // A look-up in one object: as a join, without statistics of rows just written, it was quadratic.
    `with missing as materialized (
       select coalesce(jsonb_object_agg(target || '/' || kind || '/' || key, 1), '{}') as refs from change
       where plan_id = $1 and outcome in ('held', 'left', 'stale') and action = 'create')
     select count(*) filter (where outcome = 'committed')::int as committed,
            count(*) filter (where outcome = 'committed' and not_before > committed_at)::int as scheduled,
            count(*) filter (where outcome = 'held')::int as held,
            count(*) filter (where outcome = 'stale')::int as stale,
            count(*) filter (where outcome = 'left')::int as left,
            count(*) filter (where outcome = 'committed' and (select refs from missing)
              ?| array(select target || '/' || need from unnest(needs) need))::int as waiting,
            (select jsonb_build_object('id', r.id, 'changes',
                      (select count(*) from change n where n.plan_id = r.id))
             from plan r where r.replans = $1) as replanned
     from plan left join change on plan_id = id where id = $1`,
    [p.planId],
  );
  if (report === undefined) throw new Error(`Plan ${p.planId} vanished while it was committed.`);
  return report;
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
 * state already (changed and changed back before anybody tried to write it) has nothing to do. Attempts are kept
 * while nothing was ever confirmed: an earlier one may have half-made the resource.
 */
function becomesDue(state: string, now: string): string {
  return `state = case when r.applied is not distinct from ${state} and r.applied is not null
                            and r.attempts = 0 and r.tried = '[]' and r.start_again is null
                       then 'settled' else 'due' end,
          due_at = now(), failure = null,
          attempts = case when r.applied is null then r.attempts else 0 end,
          inactive_since = case when coalesce((${state}->>'active')::boolean, false) then null
                                else coalesce(r.inactive_since, ${now}) end`;
}
