import {
  claimWork,
  findExternalIds,
  renewEveryMs,
  renewLease,
} from '../../provisioning/ledger/claim.ts';
import { settleWork } from '../../provisioning/ledger/settle.ts';
import type { Outcome, Work } from '../../provisioning/ledger/work.ts';
import { kindOrder } from '../../provisioning/policy/resource.ts';
import type { Database } from '../../provisioning/store/database.ts';
import type { Connector } from '../../provisioning/target/contract.ts';

/** How long one ticket may keep a target before others of its lane have their turn, in ms. */
const turnMs = 2000;

interface DrainReport {
  readonly applied: number;
  readonly failed: number;
  /** True when there may be more to do at once. */
  readonly more: boolean;
}

/**
 * One turn of work on a target: claim, apply, settle, until the turn is over or nothing is due. Only
 * one turn of a target runs at a time, in whichever process, so that a connector's own limits on
 * parallel calls hold and no natural key has two writers. Returns null when somebody else has it.
 */
export async function drainTarget(p: {
  readonly database: Database;
  readonly tenant: string;
  readonly connector: Connector;
  readonly onError: (error: Error) => void;
}): Promise<DrainReport | null> {
  const { database, tenant, connector } = p;
  const target = connector.name;
  const done = await database.withLock(`drain/${tenant}/${target}`, async () => {
    const end = Date.now() + turnMs;
    let applied = 0;
    let failed = 0;
    while (Date.now() < end) {
      const batch = await claimWork({
        database,
        tenant,
        target,
        kinds: kindOrder[connector.type],
        size: (kind) => connector.claimSize[kind] ?? 20,
      });
      if (batch === null) return { applied, failed, more: false };
      const outcomes = await applyBatch({ ...p, batch });
      const settled = await settleWork({
        database,
        tenant,
        target,
        batch,
        outcomes,
        random: Math.random,
      });
      applied += settled.applied;
      failed += settled.failed;
      if (settled.outage) return { applied, failed, more: false };
    }
    return { applied, failed, more: true };
  });
  return done === null ? null : done.value;
}

/** A connector that throws has a defect; its rows are tried again like after any other trouble. */
async function applyBatch(p: {
  readonly database: Database;
  readonly tenant: string;
  readonly connector: Connector;
  readonly batch: readonly Work[];
  readonly onError: (error: Error) => void;
}): Promise<readonly Outcome[]> {
  const { database, tenant, connector } = p;
  const renewing = setInterval(() => {
    renewLease({ ...p, target: connector.name }).catch(p.onError);
  }, renewEveryMs);
  try {
    return await connector.apply({
      batch: p.batch,
      externalIds: ({ kind, keys }) =>
        findExternalIds({ database, tenant, target: connector.name, kind, keys }),
    });
  } catch (error) {
    p.onError(error instanceof Error ? error : new Error(String(error)));
    return p.batch.map(() => ({
      state: 'retry',
      afterMs: 0,
      code: 'connector-defect',
      detail: `The ${connector.type} connector failed on this batch; see the log.`,
    }));
  } finally {
    clearInterval(renewing);
  }
}
