import type { OpenPlan } from '../plan/guard.ts';
import { finishAgain, planAgain } from '../plan/make.ts';
import type { TargetTypes } from '../policy/route.ts';
import type { Policy } from '../policy/schema.ts';
import type { Transaction } from '../store/database.ts';

/** What is needed to plan again. */
export interface Rules {
  readonly policy: Policy;
  readonly targets: TargetTypes;
}

/**
 * Plans again the part of a plan that feed or ledger have overtaken since it was made, and leaves the
 * rest of it to its commit. What comes out of planning again just as it was is not overtaken. The new
 * plan is open: nobody has seen it yet.
 */
export async function replanOvertaken(p: {
  readonly tx: Transaction;
  readonly plan: OpenPlan;
  readonly rules: Rules;
  readonly now: Date;
}): Promise<void> {
  const { tx, plan } = p;
  if (!(await isOvertaken(p))) return;
  const again = await planAgain({ tx, planId: plan.id, ...p.rules, now: p.now });
  await tx.execute(
    `update change c set outcome = 'stale'
     where c.plan_id = $1 and c.outcome = 'committed' and c.origin = 'policy'
       and not exists (select from change n where n.plan_id = $2
                         and (n.target, n.kind, n.key, n.action) = (c.target, c.kind, c.key, c.action)
                         and n.after is not distinct from c.after)`,
    [plan.id, again],
  );
  await tx.execute(
    `delete from change n where n.plan_id = $2
       and not exists (select from change c where c.plan_id = $1 and c.outcome = 'stale'
                         and (c.target, c.kind, c.key) = (n.target, n.kind, n.key))`,
    [plan.id, again],
  );
  const [left] = await tx.query(`select from change where plan_id = $1 limit 1`, [again]);
  if (left === undefined) await tx.execute(`delete from plan where id = $1`, [again]);
  else await finishAgain({ tx, planId: again, ...p.rules, now: p.now });
}

async function isOvertaken(p: {
  readonly tx: Transaction;
  readonly plan: OpenPlan;
}): Promise<boolean> {
  const rows = await p.tx.query(
    `select where exists (select from change where plan_id = $1 and outcome = 'stale' and origin = 'policy')
       or exists (select from snapshot own join snapshot s on s.read_at > own.read_at
                  where own.id = $2 and s.state = 'accepted')`,
    [p.plan.id, p.plan.snapshotId],
  );
  return rows.length > 0;
}
