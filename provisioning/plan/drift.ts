import type { Body, ResourceKind, TargetType } from '../policy/resource.ts';
import { kindOrder } from '../policy/resource.ts';
import type { Policy } from '../policy/schema.ts';
import type { Database, Transaction } from '../store/database.ts';
import type { FieldDrift } from './drift-compare.ts';
import { compareBodies, patchBody, readBacks } from './drift-compare.ts';
import type { DriftDecision, DriftDifference } from './drift-words.ts';
import { describeDrifts, describeReason } from './drift-words.ts';
import type { Held } from './limits.ts';
import type { PlanSummary } from './make.ts';
import type { Names, Seen } from './seen.ts';
import { collectNames, seesLinks } from './seen.ts';
import type { NewChange } from './write.ts';
import { finishPlan, insertChanges, insertPlan } from './write.ts';

/** All that stands in one target, and the moment (of the database's clock) before it was read. */
export interface TargetSeen {
  readonly target: string;
  readonly type: TargetType;
  readonly since: Date;
  readonly seen: ReadonlyMap<ResourceKind, readonly Seen[]>;
}

export interface DriftReport {
  /** Null when there is nothing to mend or to accept, or only a report was asked for. */
  readonly plan: PlanSummary | null;
  readonly differences: readonly DriftDifference[];
  /** Resources that were compared. */
  readonly compared: number;
}

/**
 * Compares what stands in targets with what the ledger last saw confirmed, field by field, and stores
 * what policy has mended or accepted as a plan. Resources that a worker has touched since `since`, or
 * that are not settled, are left for the next look.
 *
 * @param p.allowed targets where so much is really missing that the limit would hold it
 * @param p.reportOnly stores nothing
 */
export async function planDrift(p: {
  readonly database: Database;
  readonly tenant: string;
  readonly policy: Policy;
  readonly targets: readonly TargetSeen[];
  readonly allowed: ReadonlySet<string>;
  readonly reportOnly: boolean;
  readonly now: Date;
}): Promise<DriftReport> {
  return p.database.as(p.tenant, async (tx) => {
    const looks: Look[] = [];
    for (const target of p.targets) looks.push(await lookAtTarget({ ...p, tx, target }));
    const differences = looks.flatMap((look) => look.differences);
    const changes = looks.flatMap((look) => look.changes);
    const compared = looks.reduce((sum, look) => sum + look.compared, 0);
    if (p.reportOnly || changes.length === 0) return { plan: null, differences, compared };
    const planId = await insertPlan({ tx, snapshotId: null });
    await insertChanges({ tx, planId, rows: changes });
    const targets = new Map(p.targets.map(({ target, type }) => [target, type]));
    const held = looks.flatMap((look) => look.held);
    const plan = await finishPlan({ tx, planId, held, targets, approval: null, now: p.now });
    return { plan, differences, compared };
  });
}

interface Look {
  readonly changes: readonly NewChange[];
  readonly held: readonly Held[];
  readonly differences: readonly DriftDifference[];
  readonly compared: number;
}

interface LedgerRow {
  readonly key: string;
  readonly institution: string | null;
  readonly title: string;
  readonly person_id: string | null;
  readonly needs: readonly string[];
  readonly desired: Body;
  readonly applied: Body;
  readonly external_id: string;
}

/** A row of the ledger that is not as the target is. */
export interface Drifted {
  readonly kind: ResourceKind;
  readonly row: LedgerRow;
  /** Null: it is not there any more. */
  readonly drifts: readonly (FieldDrift & { readonly decision: DriftDecision })[] | null;
}

async function lookAtTarget(p: {
  readonly tx: Transaction;
  readonly policy: Policy;
  readonly target: TargetSeen;
  readonly allowed: ReadonlySet<string>;
}): Promise<Look> {
  const { tx, policy } = p;
  const { target, type, seen, since } = p.target;
  const names = collectNames({
    linksSeen: seesLinks(seen.get('account') ?? []),
    unsteady: await readUnsteady({ tx, target, since }),
  });
  const drifted: Drifted[] = [];
  const extras: Seen[] = [];
  const counts = new Map<ResourceKind, { missing: number; of: number }>();
  for (const kind of kindOrder[type].filter((one) => seen.has(one))) {
    const there = new Map((seen.get(kind) ?? []).map((one) => [one.externalId, one]));
    extras.push(...(await nameOurs({ tx, target, kind, there, names })));
    const count = { missing: 0, of: 0 };
    for await (const row of readSettled({ tx, target, kind, since })) {
      count.of += 1;
      const found = there.get(row.external_id);
      if (found === undefined) {
        count.missing += 1;
        drifted.push({ kind, row, drifts: null });
        continue;
      }
      const drifts = compareRow({ type, policy, row, found, names });
      if (drifts.length > 0) drifted.push({ kind, row, drifts });
    }
    counts.set(kind, count);
  }
  const held = p.allowed.has(target) ? [] : findLosses({ target, policy, counts });
  const titles = await readEntryTitles({ tx, target, drifted });
  const code = held.length > 0 ? 'limit-drift' : null;
  return {
    changes: drifted.flatMap((one) => toChange({ ...one, policy, target, titles, held: code })),
    held,
    differences: describeDrifts({ target, policy, drifted, extras, titles, held: code !== null }),
    compared: [...counts.values()].reduce((sum, count) => sum + count.of, 0),
  };
}

/** `kind/key` of what a worker may be changing; below a group that moves, every path is new. */
async function readUnsteady(p: {
  readonly tx: Transaction;
  readonly target: string;
  readonly since: Date;
}): Promise<ReadonlySet<string>> {
  const rows = await p.tx.query<{ ref: string }>(
    `with recursive unsteady as (
       select kind, key, ref from resource
       where target = $1 and (state <> 'settled' or settled_at >= $2 or changed_at >= $2)
       union
       select r.kind, r.key, r.ref from resource r
       join unsteady u on u.kind = 'group' and r.kind = 'group' and r.applied->>'parent' = u.key
       where r.target = $1)
     select ref from unsteady`,
    [p.target, p.since],
  );
  return new Set(rows.map((row) => row.ref));
}

/** Makes the target's names for our resources known; returns what carries our mark and is not in the ledger. */
async function nameOurs(p: {
  readonly tx: Transaction;
  readonly target: string;
  readonly kind: ResourceKind;
  readonly there: ReadonlyMap<string, Seen>;
  readonly names: ReturnType<typeof collectNames>;
}): Promise<readonly Seen[]> {
  const known = new Set<string>();
  const keys = new Set<string>();
  const rows = await p.tx.query<{ key: string; external_id: string | null }>(
    `select key, external_id from resource where target = $1 and kind = $2`,
    [p.target, p.kind],
  );
  for (const { key, external_id } of rows) {
    keys.add(key);
    const seen = external_id === null ? undefined : p.there.get(external_id);
    if (seen === undefined) continue;
    known.add(seen.externalId);
    p.names.add({ key, seen });
  }
  return [...p.there.values()].filter(
    (seen) => seen.key !== null && !known.has(seen.externalId) && !keys.has(seen.key),
  );
}

/** Rows that were right before the reading began, and were not touched since. */
function readSettled(p: {
  readonly tx: Transaction;
  readonly target: string;
  readonly kind: ResourceKind;
  readonly since: Date;
}): AsyncIterable<LedgerRow> {
  return p.tx.stream<LedgerRow & Record<string, unknown>>(
    `select key, institution, title, person_id, needs, desired, applied, external_id from resource
     where target = $1 and kind = $2 and state = 'settled' and desired is not null
       and applied is not null and external_id is not null and settled_at < $3 and changed_at < $3
     order by institution, title, key`,
    [p.target, p.kind, p.since],
  );
}

/** Keycloak's memberships and every single value are written whole as soon as anything is mended. */
function compareRow(p: {
  readonly type: TargetType;
  readonly policy: Policy;
  readonly row: LedgerRow;
  readonly found: Seen;
  readonly names: Names;
}): readonly (FieldDrift & { readonly decision: DriftDecision })[] {
  const { type, policy, row, found, names } = p;
  const body = readBacks[type]({
    kind: found.kind,
    expected: row.applied,
    found: found.body,
    names,
  });
  const drifts = compareBodies({ expected: row.applied, found: body }).map((drift) => ({
    ...drift,
    decision: policy.drift[drift.aspect] as DriftDecision,
  }));
  if (type !== 'nextcloud' && !isMarkOf({ mark: found.key, key: row.key })) {
    const field = { field: 'mark', entry: null, expected: 'ours', found: found.key };
    // The connectors leave alone what does not carry our mark: only a person can give it back.
    return [
      ...drifts.map((drift) => ({ ...drift, decision: 'report' as const })),
      { ...field, aspect: 'other', decision: 'report' },
    ];
  }
  if (!drifts.some((drift) => drift.decision === 'repair')) return drifts;
  return drifts.map((drift) =>
    drift.entry === null || type === 'keycloak' ? { ...drift, decision: 'repair' } : drift,
  );
}

/** A mark that was too long for its place ends in a digest of the key. */
function isMarkOf(p: { readonly mark: string | null; readonly key: string }): boolean {
  if (p.mark === null) return false;
  return (
    p.mark === p.key || (/~[0-9a-f]{32}$/.test(p.mark) && p.key.startsWith(p.mark.slice(0, -33)))
  );
}

/** Much that is missing at once looks like a missing right, another server or an old copy. */
function findLosses(p: {
  readonly target: string;
  readonly policy: Policy;
  readonly counts: ReadonlyMap<ResourceKind, { readonly missing: number; readonly of: number }>;
}): readonly Held[] {
  const { percent, count } = p.policy.limits.deactivate;
  return [...p.counts]
    .filter(([, { missing, of }]) => missing > count && missing * 100 > of * percent)
    .map(([kind, { missing, of }]) => ({
      institution: '*',
      target: p.target,
      kind,
      action: 'create',
      code: 'limit-drift',
      count: missing,
      of,
    }));
}

/** Titles of the resources that differing memberships speak of, by `kind/key`. */
async function readEntryTitles(p: {
  readonly tx: Transaction;
  readonly target: string;
  readonly drifted: readonly Drifted[];
}): Promise<ReadonlyMap<string, string>> {
  const keys = new Set<string>();
  for (const { drifts } of p.drifted) {
    for (const { entry, expected, found } of drifts ?? []) {
      for (const text of [entry, expected, found]) if (typeof text === 'string') keys.add(text);
    }
  }
  const rows = await p.tx.query<{ key: string; title: string }>(
    `select key, min(title) as title from resource where target = $1 and key = any($2) group by key`,
    [p.target, [...keys]],
  );
  return new Map(rows.map((row) => [row.key, row.title]));
}

function toChange(
  p: Drifted & {
    readonly policy: Policy;
    readonly target: string;
    readonly titles: ReadonlyMap<string, string>;
    readonly held: string | null;
  },
): readonly NewChange[] {
  const { kind, target, row, drifts, held } = p;
  const { key, institution, title, person_id, needs, desired } = row;
  const base = {
    target,
    kind,
    key,
    institution,
    title,
    person_id,
    needs,
    before: desired,
  } as const;
  const common = { ...base, not_before: null, lane: 'bulk', origin: 'drift', held } as const;
  if (drifts === null) {
    if (p.policy.drift.missing === 'report') return [];
    const reason = { code: 'drift-missing', fields: [] } as const;
    // What is closed and gone has only skipped the rest of its retention.
    return desired.active
      ? [{ ...common, action: 'create', after: desired, found: null, reason }]
      : [{ ...common, action: 'delete', after: null, found: null, reason }];
  }
  const taken = drifts.filter((drift) => drift.decision !== 'report');
  if (taken.length === 0) return [];
  const found = patchBody({ expected: row.applied, drifts: taken });
  const repairs = taken.filter((drift) => drift.decision === 'repair');
  const shown = repairs.length > 0 ? repairs : taken;
  const reason = describeReason({ drifts: shown, titles: p.titles, repair: repairs.length > 0 });
  const action = repairs.length > 0 ? 'update' : 'adopt';
  return [{ ...common, action, after: desired, found, reason }];
}
