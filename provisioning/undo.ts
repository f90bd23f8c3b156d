import type { CommitReport } from './ledger/commit.ts';
import { commitPlan } from './ledger/commit.ts';
import type { Actor } from './plan/guard.ts';
import type { UndoPlan } from './plan/undo.ts';
import { planUndo } from './plan/undo.ts';
import type { TargetTypes } from './policy/route.ts';
import type { Policy } from './policy/schema.ts';
import type { Database } from './store/database.ts';
import { SyncBusyError } from './sync.ts';

/**
 * Plans the inverse of a committed plan, and with `commit` commits it, unless policy wants a second
 * person for it.
 *
 * @throws PlanError when the plan cannot be undone
 * @throws SyncBusyError when a sync of the tenant is running
 */
export async function undo(p: {
  readonly database: Database;
  readonly tenant: string;
  readonly policy: Policy;
  readonly targets: TargetTypes;
  readonly planId: string;
  readonly actor: Actor;
  readonly commit: boolean;
  readonly now: Date;
}): Promise<{ readonly plan: UndoPlan; readonly commit: CommitReport | null }> {
  const { database, tenant, actor, now } = p;
  const done = await database.withLock(`sync/${tenant}`, async () => {
    const plan = await planUndo(p);
    if (!p.commit || plan.fourEyes) return { plan, commit: null };
    return { plan, commit: await commitPlan({ database, tenant, planId: plan.id, actor, now }) };
  });
  if (done === null) throw new SyncBusyError();
  return done.value;
}
