import type { Body, ResourceKind } from '../policy/resource.ts';

/** One thing that stands in a target, as a connector reports it (see `Observed` of the contract). */
export interface Seen {
  readonly kind: ResourceKind;
  readonly externalId: string;
  /** Ledger key of our owner mark; null for what carries none. */
  readonly key: string | null;
  readonly body: Fields;
}

/** A body whose fields are looked at one by one, without knowing which kind it is of. */
export type Fields = Readonly<Record<string, unknown>>;

/** Which of our resources a target means by a name of its own. */
export interface Names {
  /** Ledger keys of what the target calls so (an id, a path, a username): mostly one, none for what is not ours. */
  keysOf(p: { readonly kind: ResourceKind; readonly name: string }): readonly string[];
  /** False while a worker may be changing the resource: nothing is concluded from it then. */
  isSteady(p: { readonly kind: ResourceKind; readonly key: string }): boolean;
  /** Whether brokered logins can be read at all in this target. */
  readonly linksSeen: boolean;
}

/** Brings what was found into the words of a body, as near to `expected` as both mean the same. */
export type ReadBack = (p: {
  readonly kind: ResourceKind;
  readonly expected: Body;
  readonly found: Fields;
  readonly names: Names;
}) => Body;

/**
 * Collects names as resources become known: every text by which the target's bodies refer to another
 * resource.
 */
export function collectNames(p: {
  readonly linksSeen: boolean;
  readonly unsteady: ReadonlySet<string>;
}): Names & {
  add(p: { readonly key: string; readonly seen: Seen }): void;
} {
  const keys = new Map<string, Set<string>>();
  return {
    linksSeen: p.linksSeen,
    keysOf: ({ kind, name }) => [...(keys.get(`${kind}/${name}`) ?? [])],
    isSteady: ({ kind, key }) => !p.unsteady.has(`${kind}/${key}`),
    add({ key, seen }) {
      const { path, username, name } = seen.body;
      const texts = [seen.externalId, path, username, seen.kind === 'category' ? name : null];
      for (const text of texts) {
        if (typeof text !== 'string') continue;
        const at = `${seen.kind}/${text}`;
        keys.set(at, (keys.get(at) ?? new Set()).add(key));
      }
    },
  };
}

/** Whether any account of the target shows a brokered login. */
export function seesLinks(seen: readonly Seen[]): boolean {
  return seen.some(({ body }) => Array.isArray(body['links']) && body['links'].length > 0);
}

/** The text that people know a thing in a target by. */
export function nameOfSeen(seen: Seen): string {
  const { body } = seen;
  const name =
    body['path'] ??
    body['username'] ??
    body['userId'] ??
    body['shortname'] ??
    body['mountPoint'] ??
    body['groupId'] ??
    body['name'];
  return typeof name === 'string' ? name : seen.externalId;
}

/** A text field in the words expected where the server only changed letter case. */
export function sameText(p: { readonly expected: unknown; readonly found: unknown }): unknown {
  const { expected, found } = p;
  const bare = (value: unknown) => (typeof value === 'string' ? value.toLowerCase() : '');
  return bare(expected) === bare(found) ? expected : found === '' ? null : found;
}

/** Keys of what a list of the target's own names stands for, with what cannot be judged now as expected. */
export function keysFor(p: {
  readonly kind: ResourceKind;
  readonly expected: readonly string[];
  readonly found: unknown;
  readonly names: Names;
}): readonly string[] {
  const { kind, names } = p;
  const listed = Array.isArray(p.found) ? p.found.map(String) : [];
  const keys = new Set(p.expected.filter((key) => !names.isSteady({ kind, key })));
  for (const name of listed) {
    const ours = names.keysOf({ kind, name });
    const key = ours.find((one) => p.expected.includes(one)) ?? ours[0];
    if (key === undefined) continue;
    if (p.expected.includes(key) || names.isSteady({ kind, key })) keys.add(key);
  }
  return [...keys].sort();
}

/** The key of one other resource; `expected` where it cannot be judged now, the target's own name where it is not ours. */
export function keyFor(p: {
  readonly kind: ResourceKind;
  readonly expected: string | null;
  readonly found: unknown;
  readonly names: Names;
}): string | null {
  const { kind, expected, names } = p;
  if (expected !== null && !names.isSteady({ kind, key: expected })) return expected;
  if (typeof p.found !== 'string' || p.found === '') return null;
  const keys = names.keysOf({ kind, name: p.found });
  if (expected !== null && keys.includes(expected)) return expected;
  return keys[0] ?? p.found;
}
