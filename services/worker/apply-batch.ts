import type { Claim } from '../../provisioning/ledger/claim.ts';
import { findExternalIds } from '../../provisioning/ledger/claim.ts';
import type { Outcome, Work } from '../../provisioning/ledger/work.ts';
import type { Database } from '../../provisioning/store/database.ts';
import type { Connector } from '../../provisioning/target/contract.ts';

/** A row on which a connector threw, alone, at this many tries is set aside for people to look at. */
const poisonAttempts = 4;

/** Applies the rows of a claim and keeps their lease meanwhile. Always answers for every row. */
export async function applyBatch(p: {
  readonly database: Database;
  readonly tenant: string;
  readonly connector: Connector;
  readonly claim: Claim;
  readonly keepLease: (claim: Claim) => Disposable;
  readonly onError: (error: Error) => void;
}): Promise<readonly Outcome[]> {
  using _lease = p.keepLease(p.claim);
  return applyRows({ ...p, batch: p.claim.rows });
}

/**
 * A connector that throws has a defect, and one row may be what brings it out. The first time the batch
 * is tried again as it is; rows that were tried before are halved until those that throw stand alone,
 * so that their neighbours go on.
 */
async function applyRows(p: {
  readonly database: Database;
  readonly tenant: string;
  readonly connector: Connector;
  readonly batch: readonly Work[];
  readonly onError: (error: Error) => void;
}): Promise<readonly Outcome[]> {
  const { database, tenant, connector, batch } = p;
  try {
    return await connector.apply({
      batch,
      externalIds: ({ kind, keys }) =>
        findExternalIds({ database, tenant, target: connector.name, kind, keys }),
    });
  } catch (error) {
    p.onError(error instanceof Error ? error : new Error(String(error)));
    if (batch.length === 1 || batch.every((work) => work.attempts === 0)) {
      return batch.map((work) => judgeDefect({ work, connector, alone: batch.length === 1 }));
    }
    const half = Math.ceil(batch.length / 2);
    const first = await applyRows({ ...p, batch: batch.slice(0, half) });
    return [...first, ...(await applyRows({ ...p, batch: batch.slice(half) }))];
  }
}

function judgeDefect(p: {
  readonly work: Work;
  readonly connector: Connector;
  readonly alone: boolean;
}): Outcome {
  const { connector, work } = p;
  if (p.alone && work.attempts >= poisonAttempts) {
    const detail = `The ${connector.type} connector fails on this row, alone and again and again; see the log.`;
    return { state: 'rejected', code: 'poison-row', detail };
  }
  const detail = `The ${connector.type} connector failed on this batch; see the log.`;
  return { state: 'retry', afterMs: 0, code: 'connector-defect', detail };
}
