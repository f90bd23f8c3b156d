import type { ResourceKind } from '../policy/resource.ts';
import type { Policy } from '../policy/schema.ts';
import type { Drifted } from './drift.ts';
import type { DriftAspect, FieldDrift } from './drift-compare.ts';
import type { FieldChange, Reason } from './reason.ts';
import type { Seen } from './seen.ts';
import { nameOfSeen } from './seen.ts';

/** What policy does about a difference. */
export type DriftDecision = 'repair' | 'report' | 'adopt';

/** One difference between a target and the ledger, in words for people. */
export interface DriftDifference {
  readonly target: string;
  readonly kind: ResourceKind;
  readonly key: string;
  readonly institution: string | null;
  readonly title: string;
  readonly aspect: DriftAspect | 'missing' | 'extra';
  /** The field, or null where the whole resource is missing or is too much. */
  readonly attribute: string | null;
  readonly expected: string | null;
  readonly found: string | null;
  /** `held`: so much is missing that a person has to look first. */
  readonly decision: DriftDecision | 'held';
}

type Titles = ReadonlyMap<string, string>;

/** Every difference of a target, with titles in the place of keys. */
export function describeDrifts(p: {
  readonly target: string;
  readonly policy: Policy;
  readonly drifted: readonly Drifted[];
  readonly extras: readonly Seen[];
  readonly titles: Titles;
  readonly held: boolean;
}): readonly DriftDifference[] {
  const { target, titles } = p;
  const decide = (decision: DriftDecision) =>
    p.held && decision !== 'report' ? ('held' as const) : decision;
  const differences = p.drifted.flatMap(({ kind, row, drifts }): readonly DriftDifference[] => {
    const { key, institution, title } = row;
    const common = { target, kind, key, institution, title };
    if (drifts === null) {
      const decision = decide(p.policy.drift.missing);
      const what = { aspect: 'missing', attribute: null, found: null } as const;
      return [{ ...common, ...what, expected: title, decision }];
    }
    return drifts.map((drift) => ({
      ...common,
      aspect: drift.aspect,
      attribute: drift.field,
      expected: show({ drift, value: drift.expected, titles }),
      found: show({ drift, value: drift.found, titles }),
      decision: decide(drift.decision),
    }));
  });
  const extras = p.extras.map((seen) => ({
    target,
    kind: seen.kind,
    key: seen.key ?? '',
    institution: null,
    title: nameOfSeen(seen),
    aspect: 'extra' as const,
    attribute: null,
    expected: null,
    found: nameOfSeen(seen),
    decision: 'report' as const,
  }));
  return [...differences, ...extras];
}

/** An entry is shown by its title, with its roles or rights where it has some. */
function show(p: {
  readonly drift: FieldDrift;
  readonly value: unknown;
  readonly titles: Titles;
}): string | null {
  const { drift, value, titles } = p;
  if (value === null || value === undefined) return null;
  const text = Array.isArray(value)
    ? value.map((one) => (typeof one === 'object' ? JSON.stringify(one) : String(one))).join(', ')
    : typeof value === 'object'
      ? JSON.stringify(value)
      : String(value);
  if (drift.entry === null) {
    const isKey = drift.aspect === 'placement';
    return isKey ? (titles.get(text) ?? text) : text;
  }
  const title = titles.get(drift.entry) ?? drift.entry;
  return value === true ? title : `${title} (${text})`;
}

/** Entries that a reason names before it only counts. */
const entriesNamed = 10;

/** Why a drifted resource is in a plan: what repair brings back and takes away. */
export function describeReason(p: {
  readonly drifts: readonly FieldDrift[];
  readonly titles: Titles;
  readonly repair: boolean;
}): Reason {
  const fields = new Map<string, FieldChange>();
  for (const drift of p.drifts) {
    const { field, entry } = drift;
    const [was, becomes] = p.repair ? [drift.found, drift.expected] : [drift.expected, drift.found];
    const [from, to] = [was, becomes].map((value) => show({ drift, value, titles: p.titles }));
    if (entry === null) {
      fields.set(field, { field, from: from ?? null, to: to ?? null });
      continue;
    }
    const known = fields.get(field);
    const lists = known !== undefined && 'added' in known ? known : { added: [], removed: [] };
    fields.set(field, {
      field,
      added: [...lists.added, ...(to === null || to === undefined ? [] : [to])],
      removed: [...lists.removed, ...(from === null || from === undefined ? [] : [from])],
    });
  }
  const code = p.repair ? 'drift' : 'drift-accepted';
  return { code, fields: [...fields.values()].map(shorten) };
}

function shorten(change: FieldChange): FieldChange {
  if (!('added' in change)) return change;
  const cut = (list: readonly string[]) =>
    list.length <= entriesNamed
      ? list
      : [...list.slice(0, entriesNamed), `… ${list.length - entriesNamed}`];
  return { field: change.field, added: cut(change.added), removed: cut(change.removed) };
}
