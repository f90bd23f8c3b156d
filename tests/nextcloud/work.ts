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
  externalId(kind: ResourceKind, key: string): string | undefined;
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
  return {
    async apply(rows) {
      const batch: Work[] = rows.map((row) => ({
        kind: row.kind,
        key: row.key,
        desired: row.desired,
        applied: states.get(`${row.kind}/${row.key}`) ?? null,
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
        if (row.desired === null) states.delete(at);
        else states.set(at, row.desired);
        if (outcome.externalId === null) ids.delete(at);
        else ids.set(at, outcome.externalId);
      }
      return outcomes;
    },
    forget(kind, key) {
      ids.delete(`${kind}/${key}`);
      states.delete(`${kind}/${key}`);
    },
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

export function folder(mountPoint: string, over: Partial<NextcloudFolder> = {}): Row {
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
