import type { Approval } from '../policy/approval-schema.ts';
import type { Transaction } from '../store/database.ts';
import { PlanError } from './plan-error.ts';
import type { Selection } from './selection.ts';
import { approves } from './selection.ts';

/** Who approves or commits. Two people are two when their ids differ. */
export interface Actor {
  readonly id: string;
  readonly name: string;
}

/**
 * SQL: the hash over all that a commit of plan `$1` will do. Each change is hashed on its own first: the
 * texts of a large municipality together are more than PostgreSQL takes as one.
 */
export const planHash = `(
  select encode(sha256(coalesce(string_agg(sha256(convert_to(jsonb_build_array(seq, target, kind, key,
           institution, title, person_id, to_jsonb(needs), action, before, after,
           extract(epoch from not_before), lane, held, origin, external_id, found)::text, 'UTF8')),
         ''::bytea order by seq), ''::bytea)), 'hex')
  from change where plan_id = $1)`;

/**
 * Says until when a plan can be committed, and whether it needs a second person. Drift has no `approval`:
 * policy has decided already what is mended, and it is committed at once.
 *
 * @returns whether it needs a second person
 */
export async function gatePlan(p: {
  readonly tx: Transaction;
  readonly planId: string;
  readonly approval: Approval | null;
  readonly now: Date;
}): Promise<boolean> {
  if (p.approval === null) return false;
  const [row] = await p.tx.query<{ four_eyes: boolean }>(
    `update plan set expires_at = $2, four_eyes = exists (
       select from jsonb_to_recordset($3::jsonb) as rule(actions jsonb, kinds jsonb, "atLeast" integer)
       where (select count(*) from change c where c.plan_id = $1 and c.held is null
                and (rule.actions is null or rule.actions ? c.action)
                and (rule.kinds is null or rule.kinds ? c.kind)) >= rule."atLeast")
     where id = $1 returning four_eyes`,
    [
      p.planId,
      new Date(p.now.getTime() + p.approval.expiresHours * 3_600_000),
      JSON.stringify(p.approval.fourEyes),
    ],
  );
  return row?.four_eyes === true;
}

export interface OpenPlan {
  readonly id: string;
  readonly createdAt: Date;
  readonly fourEyes: boolean;
  readonly snapshotId: string | null;
  readonly undoes: string | null;
  readonly replans: string | null;
  /** Decisions about holds that let some of its changes through. */
  readonly decisions: readonly string[];
}

/**
 * Locks a plan that can be decided about.
 *
 * @throws PlanError when there is none, or it is not open any more, too old, or not as it was made
 */
export async function requireOpen(p: {
  readonly tx: Transaction;
  readonly planId: string;
  readonly now: Date;
}): Promise<OpenPlan> {
  const [plan] = await p.tx.query<
    OpenPlan & { state: string; expires_at: Date | null; hash: string | null }
  >(
    `select id, state, expires_at, hash, created_at as "createdAt", four_eyes as "fourEyes",
            snapshot_id as "snapshotId", undoes, replans, coalesce(summary->'decisions', '[]') as decisions
     from plan where id::text = $1 for update`,
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
  if (plan.expires_at !== null && plan.expires_at <= p.now) {
    throw new PlanError({
      code: 'plan-expired',
      message: `Plan ${p.planId} could be committed until ${plan.expires_at.toISOString()}: make a new plan and commit that one.`,
    });
  }
  const [stored] = await p.tx.query<{ hash: string }>(`select ${planHash} as hash`, [plan.id]);
  if (stored?.hash !== plan.hash) {
    throw new PlanError({
      code: 'plan-tampered',
      message: `The changes of plan ${p.planId} are not those that were made and shown. Find out who wrote to the database; then make a new plan and commit that one.`,
    });
  }
  return plan;
}

/**
 * @throws PlanError `plan-needs-approval` when something of the selection was approved by nobody but the
 *   one who commits
 */
export async function requireSecondPerson(p: {
  readonly tx: Transaction;
  readonly plan: OpenPlan;
  readonly selection: Selection;
  readonly actor: Actor | null;
}): Promise<void> {
  if (!p.plan.fourEyes) return;
  const [row] = await p.tx.query<{ n: number }>(
    `select count(*)::int as n from change c
     where c.plan_id = $1 and c.held is null and ${approves('$2::jsonb')}
       and not exists (select from plan_approval a
                       where a.plan_id = $1 and a.who <> $3 and ${approves('a.selection')})`,
    [p.plan.id, JSON.stringify(p.selection), p.actor?.id ?? ''],
  );
  if (row?.n === 0) return;
  throw new PlanError({
    code: 'plan-needs-approval',
    message: `Policy wants two people for plan ${p.plan.id}, and ${row?.n} of its changes have one: somebody else approves them (skolebus approve ${p.plan.id} --as NAME), then commit again.`,
  });
}
