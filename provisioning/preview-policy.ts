import type { PlanSummary } from './plan/make.ts';
import { makePlan } from './plan/make.ts';
import type { TargetTypes } from './policy/route.ts';
import type { NewPolicyVersion } from './policy/version.ts';
import { readLastSnapshot } from './roster/read.ts';
import type { Database } from './store/database.ts';
import { SyncBusyError } from './sync.ts';

/**
 * What another policy would change, as a plan against the roster as it stands. Nothing takes effect:
 * the commit of the plan puts the policy into force together with what it changes.
 *
 * @throws RouteError when the policy's routes do not fit the targets
 * @throws SyncBusyError when a sync of the tenant is running
 */
export async function previewPolicy(p: {
  readonly database: Database;
  readonly tenant: string;
  readonly candidate: NewPolicyVersion;
  readonly targets: TargetTypes;
  /** Institutions whose losses a person has looked at and allowed. */
  readonly allowed: ReadonlySet<string>;
  readonly now: Date;
}): Promise<PlanSummary> {
  const { database, tenant, candidate } = p;
  const done = await database.withLock(`sync/${tenant}`, async () => {
    const { schoolYear } = await database.as(tenant, readLastSnapshot);
    return makePlan({ ...p, policy: candidate.policy, snapshotId: null, schoolYear });
  });
  if (done === null) throw new SyncBusyError();
  return done.value;
}
