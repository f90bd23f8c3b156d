import type { Body } from '../policy/resource.ts';
import type { Transaction } from '../store/database.ts';
import type { Decision, ReasonCode } from './diff.ts';

/** Why a change is in a plan, for people: `fields` names what differs, with titles instead of keys. */
export interface Reason {
  readonly code: ReasonCode | 'moved' | 'renamed' | 'members' | 'undone';
  readonly fields: readonly FieldChange[];
}

export type FieldChange =
  | { readonly field: string; readonly from: string | null; readonly to: string | null }
  | {
      readonly field: string;
      readonly added: readonly string[];
      readonly removed: readonly string[];
    };

/** Fields whose entries are keys of other resources. */
const keyFields = new Set(['groups', 'access', 'parent', 'category']);
/** Fields whose entries are account keys: people read how many, not who. */
const memberFields = new Set(['enrolments', 'members']);
const nameFields = new Set([
  'given',
  'family',
  'displayName',
  'firstname',
  'lastname',
  'name',
  'fullname',
  'mountPoint',
]);

export function giveReason(p: {
  readonly decision: Decision;
  readonly before: Body | null;
  /** `target/key` -> title */
  readonly titles: ReadonlyMap<string, string>;
  readonly target: string;
}): Reason {
  const { decision, before } = p;
  if (decision.after === null || before === null) return { code: decision.reason, fields: [] };
  const fields = compareFields({ ...p, before, after: decision.after });
  if (decision.reason !== 'changed') return { code: decision.reason, fields };
  const names = fields.map((f) => f.field);
  if (names.includes('groups')) return { code: 'moved', fields };
  if (names.some((name) => nameFields.has(name))) return { code: 'renamed', fields };
  if (names.some((name) => memberFields.has(name))) return { code: 'members', fields };
  return { code: 'changed', fields };
}

/** What becomes what, for people: titles instead of keys, and people counted. */
export function compareFields(p: {
  /** Null: nothing. */
  readonly before: Body | null;
  readonly after: Body | null;
  readonly titles: ReadonlyMap<string, string>;
  readonly target: string;
}): readonly FieldChange[] {
  const before = (p.before ?? {}) as Readonly<Record<string, unknown>>;
  const after = (p.after ?? {}) as Readonly<Record<string, unknown>>;
  const changes: FieldChange[] = [];
  for (const field of new Set([...Object.keys(before), ...Object.keys(after)])) {
    const [from, to] = [before[field], after[field]];
    if (JSON.stringify(from) === JSON.stringify(to)) continue;
    const show = (entry: string) =>
      keyFields.has(field) ? (p.titles.get(`${p.target}/${entry}`) ?? entry) : entry;
    if (isSimple(from) && isSimple(to)) {
      changes.push({ field, from: toText(from, show), to: toText(to, show) });
    } else {
      const [old, wanted] = [entriesOf(from), entriesOf(to)];
      const added = [...wanted].filter((entry) => !old.has(entry)).map(show);
      const removed = [...old].filter((entry) => !wanted.has(entry)).map(show);
      if (memberFields.has(field)) {
        changes.push({ field, from: `${old.size} people`, to: `${wanted.size} people` });
      } else changes.push({ field, added, removed });
    }
  }
  return changes;
}

function isSimple(value: unknown): boolean {
  return value === null || value === undefined || typeof value !== 'object';
}

function toText(value: unknown, show: (entry: string) => string): string | null {
  return value === null || value === undefined ? null : show(String(value));
}

/** The entries of a list, or of a record as `key` (its values differ only with the key's rights). */
function entriesOf(value: unknown): ReadonlySet<string> {
  if (Array.isArray(value)) {
    return new Set(
      value.map((v) => (typeof v === 'string' ? v : Object.values(v as object).join(' '))),
    );
  }
  if (typeof value !== 'object' || value === null) return new Set();
  return new Set(
    Object.entries(value).flatMap(([key, v]) =>
      Array.isArray(v) ? v.map((one) => `${key} ${String(one)}`) : [key],
    ),
  );
}

/** `target/key` of group, category and course resources -> the title that people know them by. */
export async function readTitles(p: {
  readonly tx: Transaction;
  /** Whether the temporary table `wanted` is there to be looked at too. */
  readonly alsoWanted: boolean;
}): Promise<ReadonlyMap<string, string>> {
  const wanted = `union select target || '/' || key, title from wanted where person_id is null`;
  const rows = await p.tx.query<{ ref: string; title: string }>(
    `select target || '/' || key as ref, title from resource where person_id is null
     ${p.alsoWanted ? wanted : ''}`,
  );
  return new Map(rows.map((row) => [row.ref, row.title]));
}
