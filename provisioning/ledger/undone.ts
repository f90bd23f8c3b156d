import type { OpenPlan } from '../plan/guard.ts';
import type { Transaction } from '../store/database.ts';

/**
 * Remembers what a committed undo has turned back, so that the next sync does not do it again. An undo
 * of an undo forgets it.
 */
export async function rememberUndone(p: {
  readonly tx: Transaction;
  readonly plan: OpenPlan;
}): Promise<void> {
  const { tx, plan } = p;
  if (plan.undoes === null) return;
  await tx.execute(
    `delete from undone u using change c
     where c.plan_id = $1 and c.outcome = 'committed'
       and (u.target, u.kind, u.key) = (c.target, c.kind, c.key)`,
    [plan.id],
  );
  await tx.execute(
    `insert into undone (tenant_id, target, kind, key, after, plan_id)
     select tenant_id, target, kind, key, found, plan_id from change
     where plan_id = $1 and outcome = 'committed'
       and not exists (select from plan where id = $2 and undoes is not null)`,
    [plan.id, plan.undoes],
  );
}

/**
 * Forgets what was undone once policy wants something else of it, or it was let through: a whole plan of
 * a feed, made since, no longer holds it.
 */
export async function forgetUndone(p: {
  readonly tx: Transaction;
  readonly plan: OpenPlan;
}): Promise<void> {
  if (p.plan.snapshotId === null || p.plan.replans !== null) return;
  await p.tx.execute(
    `delete from undone u where u.since < $2
       and not exists (select from change c where c.plan_id = $1 and c.outcome <> 'committed'
                         and (c.target, c.kind, c.key) = (u.target, u.kind, u.key))`,
    [p.plan.id, p.plan.createdAt],
  );
}
