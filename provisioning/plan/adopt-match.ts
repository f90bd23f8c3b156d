/**
 * What in a target is a resource that policy wants, and how sure that is. No I/O.
 *
 *   an account is linked when all evidence points at one account, and that one
 *     carries our mark for just this resource                                       mark
 *     or has the brokered login that the person gets                                login
 *     or has the person's username, and the name is more than a guess: it is the
 *       UNI-ID, or the person has it in another target, or e-mail or UNI-ID agree   username
 *     or has the person's e-mail and UNI-ID                                         email
 *   anything else is linked by the one name that the server keeps unique            name
 *
 * Names of people are no evidence, an e-mail alone is none, and a username that we made up is none
 * either: such likenesses are told and not linked.
 */

import type { Body, ResourceKind } from '../policy/resource.ts';
import type { Fields, Seen } from './seen.ts';

/** A resource that policy wants and that the ledger has never seen in the target. */
export interface Wish {
  readonly kind: ResourceKind;
  readonly key: string;
  readonly body: Body;
  /** UNI-IDs of the person; empty for what is no account. */
  readonly uniIds: readonly string[];
  /** Usernames under which the person stands in some target already. */
  readonly standing: readonly string[];
  /** The name that the target keeps unique, in the words of `naturalNameOf`; null for accounts. */
  readonly name: string | null;
}

export type LinkEvidence = 'mark' | 'login' | 'username' | 'email' | 'name';

/** Why a likeness is not a link. */
export type Doubt =
  /** Evidence points at several things, or one thing is like several of ours. */
  | 'several'
  /** It carries our mark for something else, or the ledger has it as something else. */
  | 'taken'
  /** It states another UNI-ID. */
  | 'other-person'
  /** Only the username is alike, and that was made up by us. */
  | 'username-only'
  | 'email-only'
  | 'uni-id-only'
  /** Linking would change a username that the person uses elsewhere. */
  | 'other-username'
  /** Its username is somebody else's, or not usable in the other targets. */
  | 'unusable-username';

export type Match =
  | {
      readonly state: 'link';
      readonly wish: Wish;
      readonly seen: Seen;
      readonly by: LinkEvidence;
    }
  | {
      readonly state: 'doubt';
      readonly wish: Wish;
      readonly candidates: readonly Seen[];
      readonly doubt: Doubt;
    };

/** Matches wishes of one kind; a wish that nothing is like is not among the answers. */
export function matchWishes(p: {
  readonly wishes: readonly Wish[];
  readonly seen: readonly Seen[];
  /** The target's ids of what the ledger has linked already. */
  readonly linked: ReadonlySet<string>;
  /** Whether a username belongs to another person in the register. */
  readonly isTaken: (p: { readonly username: string; readonly wish: Wish }) => boolean;
}): readonly Match[] {
  const index = indexSeen(p.seen);
  const matches = p.wishes.flatMap((wish) => {
    const match = wish.name === null ? matchAccount({ ...p, wish, index }) : null;
    return match ?? (wish.name === null ? [] : (matchName({ ...p, wish, index }) ?? []));
  });
  const wanted = new Map<string, number>();
  for (const match of matches) {
    if (match.state !== 'link') continue;
    wanted.set(match.seen.externalId, (wanted.get(match.seen.externalId) ?? 0) + 1);
  }
  return matches.map((match) =>
    match.state === 'link' && (wanted.get(match.seen.externalId) ?? 0) > 1
      ? { state: 'doubt', wish: match.wish, candidates: [match.seen], doubt: 'several' }
      : match,
  );
}

interface Index {
  readonly mark: ReadonlyMap<string, readonly Seen[]>;
  readonly login: ReadonlyMap<string, readonly Seen[]>;
  readonly username: ReadonlyMap<string, readonly Seen[]>;
  readonly email: ReadonlyMap<string, readonly Seen[]>;
  readonly uniId: ReadonlyMap<string, readonly Seen[]>;
  readonly name: ReadonlyMap<string, readonly Seen[]>;
}

function indexSeen(seen: readonly Seen[]): Index {
  const by = (textsOf: (one: Seen) => readonly (string | null)[]) => {
    const map = new Map<string, Seen[]>();
    for (const one of seen) {
      for (const text of new Set(textsOf(one))) {
        if (text === null || text === '') continue;
        const list = map.get(text);
        if (list === undefined) map.set(text, [one]);
        else list.push(one);
      }
    }
    return map;
  };
  return {
    mark: by((one) => [one.key]),
    login: by((one) => loginsOf(one.body)),
    username: by((one) => [usernameOf(one.body)]),
    email: by((one) => [emailOf(one.body)]),
    uniId: by(uniIdsOf),
    name: by((one) => [naturalNameOf(one)]),
  };
}

type Search = Pick<Parameters<typeof matchWishes>[0], 'linked' | 'isTaken'> & {
  readonly wish: Wish;
  readonly index: Index;
};

function matchAccount(p: Search): Match | null {
  const { wish, index } = p;
  const body = wish.body as unknown as Fields;
  const doubt = (reason: Doubt, candidates: readonly Seen[]): Match => ({
    state: 'doubt',
    wish,
    candidates,
    doubt: reason,
  });
  const marked = index.mark.get(wish.key) ?? [];
  if (marked[0] !== undefined) {
    if (marked.length > 1) return doubt('several', marked);
    return { state: 'link', wish, seen: marked[0], by: 'mark' };
  }
  const email = emailOf(body);
  const logins = loginsOf(body).flatMap((login) => index.login.get(login) ?? []);
  const named = index.username.get(usernameOf(body) ?? '') ?? [];
  const mailed = email === null ? [] : (index.email.get(email) ?? []);
  const withUniId = wish.uniIds.flatMap((uniId) => index.uniId.get(uniId.toLowerCase()) ?? []);
  const both = mailed.filter((one) => withUniId.includes(one));
  const strong = [...new Set([...logins, ...named, ...both])];
  const [seen] = strong;
  if (seen === undefined) {
    const free = (list: readonly Seen[]) =>
      list.filter((one) => one.key === null && !p.linked.has(one.externalId));
    if (free(withUniId).length > 0) return doubt('uni-id-only', free(withUniId));
    return free(mailed).length > 0 ? doubt('email-only', free(mailed)) : null;
  }
  if (strong.length > 1) return doubt('several', strong);
  const reason = doubtAbout({
    ...p,
    seen,
    likeness: named.includes(seen) && !logins.includes(seen),
  });
  if (reason !== null) return doubt(reason, strong);
  const by = logins.includes(seen) ? 'login' : named.includes(seen) ? 'username' : 'email';
  return { state: 'link', wish, seen, by };
}

function doubtAbout(
  p: Search & {
    readonly seen: Seen;
    /** The username is alike, and no login proves anything. */
    readonly likeness: boolean;
  },
): Doubt | null {
  const { wish, seen } = p;
  if (seen.key !== null || p.linked.has(seen.externalId)) return 'taken';
  const stated = statedUniIds(seen.body);
  const uniIds = wish.uniIds.map((uniId) => uniId.toLowerCase());
  if (stated.length > 0 && uniIds.length > 0 && !stated.some((one) => uniIds.includes(one))) {
    return 'other-person';
  }
  const username = usernameOf(seen.body) ?? '';
  const wanted = usernameOf(wish.body as unknown as Fields) ?? '';
  if (p.likeness) {
    const email = emailOf(wish.body as unknown as Fields);
    const known =
      uniIds.includes(username) ||
      wish.standing.some((name) => name.toLowerCase() === username) ||
      stated.some((one) => uniIds.includes(one)) ||
      uniIdsOf(seen).some((one) => uniIds.includes(one)) ||
      (email !== null && email === emailOf(seen.body));
    if (!known) return 'username-only';
  }
  if (username === wanted) return null;
  if (wish.standing.length > 0) return 'other-username';
  const usable = /^[a-z0-9][a-z0-9._-]{1,63}$/.test(textOf(seen.body, 'username', 'userId') ?? '');
  return usable && !p.isTaken({ username, wish }) ? null : 'unusable-username';
}

/** Names that a server lets several things share: one of ours under the name says nothing of the others. */
const shared: ReadonlySet<ResourceKind> = new Set(['category', 'cohort']);

function matchName(p: Search): Match | null {
  const { wish, index } = p;
  const marked = index.mark.get(wish.key) ?? [];
  if (marked.length === 1 && marked[0] !== undefined) {
    return { state: 'link', wish, seen: marked[0], by: 'mark' };
  }
  const isFree = (one: Seen) => one.key === null && !p.linked.has(one.externalId);
  const named = index.name.get(wish.name ?? '') ?? [];
  const candidates =
    marked.length > 1 ? marked : shared.has(wish.kind) ? named.filter(isFree) : named;
  const [seen] = candidates;
  if (seen === undefined) return null;
  if (candidates.length > 1) return { state: 'doubt', wish, candidates, doubt: 'several' };
  if (!isFree(seen)) return { state: 'doubt', wish, candidates, doubt: 'taken' };
  return { state: 'link', wish, seen, by: 'name' };
}

/**
 * The text that names a group, folder, category, course or cohort in its server: path, group id, mount
 * point, name with the name above it, short name. Null for an account.
 */
export function naturalNameOf(seen: Pick<Seen, 'kind' | 'body'>): string | null {
  const { kind, body } = seen;
  switch (kind) {
    case 'account':
      return null;
    case 'group':
      return textOf(body, 'path', 'groupId');
    case 'folder':
      return (textOf(body, 'mountPoint') ?? '').replace(/^\/+|\/+$/g, '');
    case 'category':
      return `${textOf(body, 'parent') ?? ''}/${textOf(body, 'name') ?? ''}`;
    case 'course':
      return (textOf(body, 'shortname') ?? '').toLowerCase();
    case 'cohort':
      return textOf(body, 'name');
  }
}

function textOf(body: Fields, ...names: readonly string[]): string | null {
  for (const name of names) {
    const value = body[name];
    if (typeof value === 'string') return value;
  }
  return null;
}

export function usernameOf(body: Fields): string | null {
  return textOf(body, 'username', 'userId')?.toLowerCase() ?? null;
}

/** Made-up addresses say nothing. */
function emailOf(body: Fields): string | null {
  const email = textOf(body, 'email')?.toLowerCase() ?? '';
  return email === '' || email.endsWith('.invalid') ? null : email;
}

function loginsOf(body: Fields): readonly string[] {
  const links = Array.isArray(body['links']) ? (body['links'] as Fields[]) : [];
  return links.map((link) => `${String(link['provider'])}/${String(link['userId'])}`);
}

/** The UNI-ID that an account says it is of. */
function statedUniIds(body: Fields): readonly string[] {
  const attributes = (body['attributes'] ?? {}) as Fields;
  const values = attributes['uniId'];
  return Array.isArray(values) ? values.map((value) => String(value).toLowerCase()) : [];
}

/** Where an account may hold a UNI-ID: its attribute, its username, and Moodle's ID number. */
function uniIdsOf(seen: Seen): readonly string[] {
  const idnumber = seen.key === null ? textOf(seen.body, 'idnumber') : null;
  return [...statedUniIds(seen.body), usernameOf(seen.body) ?? '', idnumber?.toLowerCase() ?? ''];
}
