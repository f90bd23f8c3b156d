import type { CommitReport } from './ledger/commit.ts';
import { commitPlan } from './ledger/commit.ts';
import { readClock } from './ledger/observed.ts';
import type { DriftReport, TargetSeen } from './plan/drift.ts';
import { planDrift } from './plan/drift.ts';
import type { Seen } from './plan/seen.ts';
import type { ResourceKind } from './policy/resource.ts';
import { kindOrder } from './policy/resource.ts';
import type { Policy } from './policy/schema.ts';
import type { Database } from './store/database.ts';
import { SyncBusyError } from './sync.ts';
import type { Connector } from './target/contract.ts';

export interface DriftResult extends DriftReport {
  /** Null when there was nothing to mend, or only a report was asked for. */
  readonly commit: CommitReport | null;
  /** Targets that could not be read: nothing is concluded about them. */
  readonly unread: readonly { readonly target: string; readonly message: string }[];
}

/**
 * Reads targets whole, compares them with the ledger, and makes due again what policy wants mended. The
 * reading takes its time and locks nothing; a target that does not answer is left out.
 *
 * @throws SyncBusyError when a sync of the tenant is running
 */
export async function findDrift(p: {
  readonly database: Database;
  readonly tenant: string;
  readonly policy: Policy;
  readonly connectors: readonly Connector[];
  /** Targets where so much is really missing that the limit would hold it. */
  readonly allowed: ReadonlySet<string>;
  readonly reportOnly: boolean;
  readonly now: Date;
}): Promise<DriftResult> {
  const { database, tenant, now } = p;
  const targets: TargetSeen[] = [];
  const unread: { target: string; message: string }[] = [];
  for (const connector of p.connectors) {
    const { name: target, type } = connector;
    try {
      const since = await readClock({ database, tenant });
      targets.push({ target, type, since, seen: await readTarget({ connector }) });
    } catch (error) {
      unread.push({ target, message: error instanceof Error ? error.message : String(error) });
    }
  }
  const done = await database.withLock(`sync/${tenant}`, async () => {
    const report = await planDrift({ ...p, targets });
    const planId = report.plan?.id;
    const commit =
      planId === undefined ? null : await commitPlan({ database, tenant, planId, now });
    return { ...report, commit, unread };
  });
  if (done === null) throw new SyncBusyError();
  return done.value;
}

/** Everything of the kinds up to `last` (all when left out), each kind as a list. */
export async function readTarget(p: {
  readonly connector: Connector;
  readonly last?: ResourceKind;
}): Promise<ReadonlyMap<ResourceKind, readonly Seen[]>> {
  const seen = new Map<ResourceKind, readonly Seen[]>();
  for (const kind of kindOrder[p.connector.type]) {
    const ofKind: Seen[] = [];
    for await (const one of p.connector.observe({ kind })) ofKind.push(one);
    seen.set(kind, ofKind);
    if (kind === p.last) break;
  }
  return seen;
}
