import { readTarget } from './drift.ts';
import type { CommitReport } from './ledger/commit.ts';
import { commitPlan } from './ledger/commit.ts';
import { planAdoption } from './plan/adopt.ts';
import type { PlanSummary } from './plan/make.ts';
import type { ResourceKind } from './policy/resource.ts';
import { kindOrder } from './policy/resource.ts';
import type { TargetTypes } from './policy/route.ts';
import type { Policy } from './policy/schema.ts';
import type { Database } from './store/database.ts';
import { SyncBusyError } from './sync.ts';
import type { Connector } from './target/contract.ts';

/**
 * Proposes to link what stands in a target to what policy wants of the roster that was read last, and
 * with `commit` links it at once. Reading changes nothing in the target. There is no plan where nothing
 * is like what policy wants.
 *
 * @throws RouteError when the policy's routes do not fit the targets
 * @throws SyncBusyError when a sync of the tenant is running
 */
export async function adopt(p: {
  readonly database: Database;
  readonly tenant: string;
  readonly policy: Policy;
  readonly targets: TargetTypes;
  readonly connector: Connector;
  /** Kinds to link; null: all that the target has. */
  readonly kind: ResourceKind | null;
  readonly commit: boolean;
  readonly now: Date;
}): Promise<{ readonly plan: PlanSummary | null; readonly commit: CommitReport | null }> {
  const { database, tenant, connector, now } = p;
  const { name: target, type } = connector;
  const kinds = p.kind === null ? kindOrder[type] : [p.kind];
  const seen = await readTarget({ connector, ...(p.kind === null ? {} : { last: p.kind }) });
  const done = await database.withLock(`sync/${tenant}`, async () => {
    const plan = await planAdoption({ ...p, target, type, kinds, seen });
    if (plan === null || !p.commit || plan.fourEyes) return { plan, commit: null };
    return { plan, commit: await commitPlan({ database, tenant, planId: plan.id, now }) };
  });
  if (done === null) throw new SyncBusyError();
  return done.value;
}
