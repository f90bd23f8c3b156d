import type {
  Body,
  NextcloudAccount,
  NextcloudFolder,
  NextcloudGroup,
  ResourceKind,
} from '../../provisioning/policy/resource.ts';
import type { Connector, Observed, Outcome, Work } from '../../provisioning/target/contract.ts';

/** What the ledger does around a connector, in a Map: remembers ids and confirmed states. */
export interface MiniLedger {
  apply(rows: readonly Row[]): Promise<readonly Outcome[]>;
  /** As if an earlier attempt had been made whose answer nobody got. */
  forget(kind: ResourceKind, key: string): void;
  /** The last write was the first one, and its answer was lost: what it gave is only thought to stand. */
  doubt(kind: ResourceKind, key: string): void;
  externalId(kind: ResourceKind, key: string): string | undefined;
  know(p: { kind: ResourceKind; key: string; externalId: string }): void;
}

export interface Row {
  readonly kind: ResourceKind;
  readonly key: string;
  readonly desired: Body | null;
  readonly attempts?: number;
}

export function openMiniLedger(connector: Connector): MiniLedger {
  const ids = new Map<string, string>();
  const states = new Map<string, Body>();
  const tried = new Map<string, Body>();
  function forget(kind: ResourceKind, key: string): void {
    ids.delete(`${kind}/${key}`);
    states.delete(`${kind}/${key}`);
  }
  return {
    async apply(rows) {
      const batch: Work[] = rows.map((row) => ({
        kind: row.kind,
        key: row.key,
        desired: row.desired,
        applied: states.get(`${row.kind}/${row.key}`) ?? null,
        tried: [...tried].flatMap(([at, body]) => (at === `${row.kind}/${row.key}` ? [body] : [])),
        externalId: ids.get(`${row.kind}/${row.key}`) ?? null,
        attempts: row.attempts ?? 0,
      }));
      const outcomes = await connector.apply({
        batch,
        async externalIds({ kind, keys }) {
          const found = keys.map((key) => [key, ids.get(`${kind}/${key}`)] as const);
          return new Map(found.filter((pair): pair is [string, string] => pair[1] !== undefined));
        },
      });
      for (const [index, outcome] of outcomes.entries()) {
        const row = rows[index];
        if (row === undefined || outcome.state !== 'applied') continue;
        const at = `${row.kind}/${row.key}`;
        tried.delete(at);
        if (row.desired === null) states.delete(at);
        else states.set(at, row.desired);
        if (outcome.externalId === null) ids.delete(at);
        else ids.set(at, outcome.externalId);
      }
      return outcomes;
    },
    forget,
    doubt(kind, key) {
      const state = states.get(`${kind}/${key}`);
      if (state !== undefined) tried.set(`${kind}/${key}`, state);
      forget(kind, key);
    },
    know: ({ kind, key, externalId }) => void ids.set(`${kind}/${key}`, externalId),
    externalId: (kind, key) => ids.get(`${kind}/${key}`),
  };
}

export function group(groupId: string, over: Partial<NextcloudGroup> = {}): Row {
  return {
    kind: 'group',
    key: groupId,
    desired: { groupId, displayName: groupId, active: true, ...over },
  };
}

export function account(
  userId: string,
  over: Partial<NextcloudAccount> = {},
): Row & { readonly desired: NextcloudAccount } {
  return {
    kind: 'account',
    key: userId,
    desired: {
      userId,
      displayName: `Elev ${userId}`,
      email: null,
      quota: '2 GB',
      language: 'da',
      active: true,
      groups: [],
      ...over,
    },
  };
}

export function folder(
  mountPoint: string,
  over: Partial<NextcloudFolder> = {},
): Row & { readonly desired: NextcloudFolder } {
  return {
    kind: 'folder',
    key: mountPoint,
    desired: { mountPoint, quota: -3, access: {}, active: true, ...over },
  };
}

export function gone(row: Row): Row {
  return { ...row, desired: null };
}

export async function observed(
  connector: Connector,
  kind: ResourceKind,
): Promise<ReadonlyMap<string, Observed>> {
  const found = new Map<string, Observed>();
  for await (const one of connector.observe({ kind })) {
    if (found.has(one.externalId)) throw new Error(`${kind} ${one.externalId} came twice`);
    found.set(one.externalId, one);
  }
  return found;
}

/**
 * Applies until every row is confirmed, in batches of the size that the connector likes, as a worker
 * does. Returns how often each cause of failure came.
 */
export async function drain(p: {
  readonly ledger: MiniLedger;
  readonly connector: Connector;
  readonly rows: readonly Row[];
  readonly order: readonly ResourceKind[];
}): Promise<ReadonlyMap<string, number>> {
  const causes = new Map<string, number>();
  for (const kind of p.order) {
    const size = p.connector.claimSize[kind] ?? 1;
    let due = p.rows.filter((row) => row.kind === kind);
    for (let attempts = 0; due.length > 0; attempts += 1) {
      if (attempts > 30) throw new Error(`${due.length} rows of ${kind} never settle`);
      const left: Row[] = [];
      for (let from = 0; from < due.length; from += size) {
        const batch = due.slice(from, from + size).map((row) => ({ ...row, attempts }));
        const outcomes = await p.ledger.apply(batch);
        for (const [index, outcome] of outcomes.entries()) {
          const row = batch[index];
          if (outcome.state === 'applied' || row === undefined) continue;
          left.push(row);
          const cause = `${outcome.state} ${outcome.code}`;
          causes.set(cause, (causes.get(cause) ?? 0) + 1);
        }
      }
      due = left;
    }
  }
  return causes;
}
