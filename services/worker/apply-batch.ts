import type { Claim } from '../../provisioning/ledger/claim.ts';
import { findExternalIds } from '../../provisioning/ledger/claim.ts';
import { findOrigins } from '../../provisioning/ledger/origin.ts';
import type { Outcome, Work } from '../../provisioning/ledger/work.ts';
import type { Database } from '../../provisioning/store/database.ts';
import type { Connector } from '../../provisioning/target/contract.ts';
import { inSpan, linkTo } from '../../provisioning/trace/span.ts';

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
  const { rows } = p.claim;
  const target = p.connector.name;
  const kind = rows[0]?.kind ?? 'account';
  return inSpan({
    name: `batch ${kind}`,
    facts: { 'skolebus.target': target, 'skolebus.kind': kind, 'skolebus.rows': rows.length },
    work: async (span) => {
      // The ticket carries nothing: which commits this goes on with, the ledger knows.
      if (span.isRecording()) {
        linkTo(span, await findOrigins({ ...p, target, kind, keys: rows.map((row) => row.key) }));
      }
      const outcomes = await applyRows({ ...p, batch: rows });
      for (const [code, count] of Object.entries(countOutcomes({ outcomes, before: {} }))) {
        span.setAttribute(`skolebus.outcome.${code}`, count);
      }
      return outcomes;
    },
  });
}

/** How many rows came to each end: `applied`, or a code. */
export function countOutcomes(p: {
  readonly outcomes: readonly Outcome[];
  /** What is added to. */
  readonly before: Readonly<Record<string, number>>;
}): Readonly<Record<string, number>> {
  const counts = { ...p.before };
  for (const outcome of p.outcomes) {
    const code = outcome.state === 'applied' ? 'applied' : outcome.code;
    counts[code] = (counts[code] ?? 0) + 1;
  }
  return counts;
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
