import type { Body, TargetType } from '../policy/resource.ts';
import { readBackKeycloak } from './drift-keycloak.ts';
import { readBackMoodle } from './drift-moodle.ts';
import { readBackNextcloud } from './drift-nextcloud.ts';
import type { Fields, ReadBack } from './seen.ts';

export const readBacks: Readonly<Record<TargetType, ReadBack>> = {
  keycloak: readBackKeycloak,
  nextcloud: readBackNextcloud,
  moodle: readBackMoodle,
};

/** What sort of thing differs; policy decides for each what is done about it. */
export type DriftAspect =
  | 'memberships'
  | 'extraMemberships'
  | 'enabled'
  | 'names'
  | 'email'
  | 'placement'
  | 'other';

/** One difference of one field; of a list or record of others, one for each entry. */
export interface FieldDrift {
  readonly aspect: DriftAspect;
  readonly field: string;
  /** Key of the other resource where the field holds several; null for a field with one value. */
  readonly entry: string | null;
  readonly expected: unknown;
  readonly found: unknown;
}

const aspects: Readonly<Record<string, DriftAspect>> = {
  active: 'enabled',
  email: 'email',
  parent: 'placement',
  category: 'placement',
  ...Object.fromEntries(
    [
      'given',
      'family',
      'displayName',
      'firstname',
      'lastname',
      'name',
      'fullname',
      'shortname',
      'mountPoint',
      'username',
      'userId',
    ].map((name) => [name, 'names' as const]),
  ),
};

/** Fields that say who or what belongs to a thing, entry by entry. */
const memberships = new Set(['groups', 'members', 'enrolments', 'access']);

/** Every difference between two bodies of one resource, in the order of the fields. No I/O. */
export function compareBodies(p: {
  readonly expected: Body;
  readonly found: Body;
}): readonly FieldDrift[] {
  const expected = p.expected as unknown as Fields;
  const found = p.found as unknown as Fields;
  return Object.keys(expected).flatMap((field) => {
    const [wanted, there] = [expected[field], found[field]];
    if (equal(wanted, there)) return [];
    if (!memberships.has(field)) {
      const aspect = aspects[field] ?? 'other';
      return [{ aspect, field, entry: null, expected: wanted, found: there }];
    }
    return compareEntries({ field, wanted: entriesOf(wanted), there: entriesOf(there) });
  });
}

function compareEntries(p: {
  readonly field: string;
  readonly wanted: ReadonlyMap<string, unknown>;
  readonly there: ReadonlyMap<string, unknown>;
}): readonly FieldDrift[] {
  const drifts: FieldDrift[] = [];
  for (const entry of [...new Set([...p.wanted.keys(), ...p.there.keys()])].sort()) {
    const [expected, found] = [p.wanted.get(entry) ?? null, p.there.get(entry) ?? null];
    if (equal(expected, found)) continue;
    const extra = expected === null || isMore({ expected, found });
    const aspect = extra ? 'extraMemberships' : 'memberships';
    drifts.push({ aspect, field: p.field, entry, expected, found });
  }
  return drifts;
}

/** Everything that should be there and something besides: a role that somebody gave by hand. */
function isMore(p: { readonly expected: unknown; readonly found: unknown }): boolean {
  const { expected, found } = p;
  if (!Array.isArray(expected) || !Array.isArray(found)) return false;
  return expected.every((one) => found.includes(one));
}

/** The entries of a list (each with itself) or of a record. */
function entriesOf(value: unknown): ReadonlyMap<string, unknown> {
  if (Array.isArray(value)) return new Map(value.map((one) => [String(one), true]));
  return new Map(Object.entries((value ?? {}) as Fields));
}

/** A body that has the found state in just these differences, and is as expected in all others. */
export function patchBody(p: {
  readonly expected: Body;
  readonly drifts: readonly FieldDrift[];
}): Body {
  const body: Record<string, unknown> = { ...(p.expected as unknown as Fields) };
  for (const { field, entry, found } of p.drifts) {
    if (entry === null) {
      body[field] = found;
      continue;
    }
    const list = Array.isArray(body[field]);
    const entries = new Map(entriesOf(body[field]));
    if (found === null) entries.delete(entry);
    else entries.set(entry, found);
    const sorted = [...entries].sort(([a], [b]) => (a < b ? -1 : 1));
    body[field] = list ? sorted.map(([key]) => key) : Object.fromEntries(sorted);
  }
  return body as unknown as Body;
}

/** Equal as JSON whatever the order of an object's fields: the database keeps its own. */
function equal(a: unknown, b: unknown): boolean {
  return canonical(a) === canonical(b);
}

function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    const fields = Object.entries(value).sort(([x], [y]) => (x < y ? -1 : 1));
    return `{${fields.map(([name, one]) => `${JSON.stringify(name)}:${canonical(one)}`).join(',')}}`;
  }
  return JSON.stringify(value ?? null);
}
