/** The owner mark, and which attributes are ours. */

/** User and group attribute that holds the ledger key of what we made. */
export const markAttribute = 'skolebusKey';

/** Set on a group that is no longer in use; see `groupNameOf`. */
export const closedAttribute = 'skolebusClosed';

export interface OwnAttribute {
  readonly name: string;
  readonly multivalued: boolean;
}

/** The user attributes that `prepare` declares: undeclared ones are dropped without a word. */
export const accountAttributes: readonly OwnAttribute[] = [
  { name: markAttribute, multivalued: false },
  { name: 'uniId', multivalued: false },
  { name: 'institutions', multivalued: true },
  { name: 'kinds', multivalued: true },
  { name: 'roles', multivalued: true },
  { name: 'grade', multivalued: true },
  { name: 'grades', multivalued: true },
];

export type Attributes = Readonly<Record<string, readonly string[]>>;

export function markOf(thing: { attributes?: Record<string, unknown> | undefined }): string | null {
  const value = thing.attributes?.[markAttribute];
  return Array.isArray(value) && typeof value[0] === 'string' ? value[0] : null;
}

/** Ours over what stands there; what we never wrote stays. */
export function mergeAttributes(p: {
  readonly current: Attributes;
  readonly desired: Attributes;
  /** What we may have written before, so that an attribute that policy dropped goes away. */
  readonly wrote: readonly Attributes[];
  readonly own: readonly string[];
}): Record<string, string[]> {
  const ours = new Set([...p.own, ...p.wrote.flatMap(Object.keys)]);
  const merged: Record<string, string[]> = {};
  for (const [name, values] of Object.entries(p.current)) {
    if (!ours.has(name)) merged[name] = [...values];
  }
  for (const [name, values] of Object.entries(p.desired)) {
    if (values.length > 0) merged[name] = [...values];
  }
  return merged;
}

/** Equal as sets per name: the server gives values back in no promised order. */
export function sameAttributes(a: Attributes, b: Attributes): boolean {
  const names = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...names].every((name) => {
    const left = [...(a[name] ?? [])].sort();
    const right = [...(b[name] ?? [])].sort();
    return left.length === right.length && left.every((value, i) => value === right[i]);
  });
}
