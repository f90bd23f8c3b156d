/** What must be true when everything is over. */
import { findDrift } from '../../../provisioning/drift.ts';
import { parsePolicy } from '../../../provisioning/policy/parse.ts';
import type { Database } from '../../../provisioning/store/database.ts';
import type { Connector } from '../../../provisioning/target/contract.ts';
import { readPolicyText } from '../../../services/config.ts';
import { inspectTargets } from '../inspect-targets.ts';

/** What was committed: for each resource a digest of what is desired; null: it must be gone. */
export type Promised = ReadonlyMap<string, string | null>;

/** Read after a commit was confirmed, and before anybody can have spoilt it. */
export async function readPromised(p: {
  readonly database: Database;
  readonly tenant: string;
}): Promise<Promised> {
  const rows = await p.database.as(p.tenant, (tx) =>
    tx.query<{ ref: string; digest: string | null }>(
      `select target || '/' || kind || '/' || key as ref, md5(desired::text) as digest from resource`,
    ),
  );
  return new Map(rows.map((row) => [row.ref, row.digest]));
}

export interface Verdict {
  /** Promised, and not or otherwise in the ledger or in the target. */
  readonly lost: readonly string[];
  /** Twice in a target, or there and unknown to the ledger. */
  readonly doubled: readonly string[];
  /** Neither settled nor on its way. */
  readonly stuck: readonly string[];
}

export async function verify(p: {
  readonly database: Database;
  readonly tenant: string;
  readonly home: string;
  readonly connectors: ReadonlyMap<string, Connector>;
  readonly promised: Promised;
}): Promise<Verdict> {
  const { database, tenant, promised } = p;
  const rows = await database.as(tenant, (tx) =>
    tx.query<{ ref: string; state: string; code: string | null; digest: string | null }>(
      `select target || '/' || kind || '/' || key as ref, state, failure->>'code' as code, md5(applied::text) as digest
       from resource`,
    ),
  );
  const stuck = rows.filter((row) => row.state !== 'settled');
  const found = new Map(rows.map((row) => [row.ref, row.digest]));
  const lost = [...promised].filter(([ref, digest]) => (found.get(ref) ?? null) !== digest);
  const drift = await findDrift({
    database,
    tenant,
    policy: parsePolicy(await readPolicyText(p.home)),
    connectors: [...p.connectors.values()],
    allowed: new Set(),
    reportOnly: true,
    now: new Date(),
  });
  if (drift.unread.length > 0) throw new Error(`${drift.unread[0]?.target} could not be read.`);
  const extra = drift.differences.filter((one) => one.aspect === 'extra');
  const otherwise = drift.differences.filter((one) => one.aspect !== 'extra');
  const { doubled } = await inspectTargets(p.connectors);
  const place = (one: (typeof extra)[number]) => `${one.target}/${one.kind}: ${one.aspect}`;
  return {
    stuck: stuck.map((row) => `${row.ref}: ${row.state} ${row.code ?? ''}`),
    lost: [...new Set([...lost.map(([ref]) => ref), ...otherwise.map(place)])],
    doubled: [...extra.map(place), ...Array.from({ length: doubled }, () => 'twice in a target')],
  };
}
