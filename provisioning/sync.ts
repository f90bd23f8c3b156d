import type { FeedFormat } from './feed/read.ts';
import type { CommitReport } from './ledger/commit.ts';
import { commitPlan, promoteDue } from './ledger/commit.ts';
import type { PlanSummary } from './plan/make.ts';
import { makePlan } from './plan/make.ts';
import type { TargetTypes } from './policy/route.ts';
import type { Policy } from './policy/schema.ts';
import type { NewPolicyVersion } from './policy/version.ts';
import type { SnapshotReport } from './roster/accept.ts';
import { readSnapshot } from './roster/read-snapshot.ts';
import type { Database } from './store/database.ts';
import { inSpan } from './trace/span.ts';

export interface SyncReport {
  readonly snapshot: SnapshotReport;
  readonly plan: PlanSummary;
  /** Null when the plan was only made, or policy wants a second person for it. */
  readonly commit: CommitReport | null;
}

/**
 * The whole of Skolebus, from a feed to the ledger:
 *
 *   read and accept  the feed becomes the roster, or is refused and changes nothing
 *   desire           policy says what should stand in every target
 *   plan             the difference to the ledger, with reasons, is stored and can be read
 *   gate             what exceeds a limit is held for its institution
 *   commit           the rest becomes desired state, in one transaction
 *
 * From there on the workers bring each target to what the ledger says. Two syncs of one tenant never
 * run at the same time.
 *
 * @throws FeedError when the snapshot is refused
 * @throws RouteError when the policy's routes do not fit the targets
 * @throws SyncBusyError when another sync of the tenant is running
 */
export async function sync(p: {
  readonly database: Database;
  readonly tenant: string;
  readonly source: string;
  readonly feed: { readonly format: FeedFormat; readonly path: string };
  readonly policy: Policy;
  /** The policy, where none is in force yet: the commit puts it into force. */
  readonly candidate?: NewPolicyVersion | null;
  readonly targets: TargetTypes;
  /** Institutions whose losses a person has looked at and allowed for this run. */
  readonly allowed: ReadonlySet<string>;
  readonly commit: boolean;
  /** Of the hashes of civil numbers; null: they are no evidence of who somebody is. */
  readonly identityKey: string | null;
  readonly now: Date;
}): Promise<SyncReport> {
  const { database, tenant, now } = p;
  const facts = { 'skolebus.tenant': tenant, 'skolebus.format': p.feed.format };
  const work = async (): Promise<SyncReport> => {
    await promoteDue({ database, tenant, now });
    const snapshot = await readSnapshot({
      databaseUrl: database.url,
      tenant,
      source: p.source,
      ...p.feed,
      identityKey: p.identityKey,
      now,
    });
    const plan = await makePlan({
      database,
      tenant,
      policy: p.policy,
      candidate: p.candidate ?? null,
      targets: p.targets,
      snapshotId: snapshot.id,
      schoolYear: snapshot.schoolYear,
      allowed: p.allowed,
      now,
    });
    if (!p.commit || plan.fourEyes) return { snapshot, plan, commit: null };
    const commit = await commitPlan({ database, tenant, planId: plan.id, now });
    return { snapshot, plan, commit };
  };
  const done = await database.withLock(`sync/${tenant}`, () =>
    inSpan({ name: 'sync', facts, work }),
  );
  if (done === null) throw new SyncBusyError();
  return done.value;
}

export class SyncBusyError extends Error {
  override readonly name = 'SyncBusyError';
  readonly code = 'sync-busy';

  constructor() {
    super('Another sync of this tenant is running. Wait for it to end, then try again.');
  }
}
