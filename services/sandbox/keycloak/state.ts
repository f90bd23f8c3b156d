/** What the Keycloak stand-in remembers, with the indexes that keep 10,000 users fast. */

import { randomUUID } from 'node:crypto';
import type { Collection, Documents } from '../documents.ts';

export type Json = Record<string, unknown>;

export interface RealmDoc {
  readonly id: string;
  readonly realm: string;
  settings: Json;
  profile: ProfileConfig;
  requiredActions: Json[];
  clientScopes: Json[];
  clients: Json[];
  providers: Json[];
  roles: Json[];
  /** A client's uuid -> its roles; absent before the first one. */
  clientRoles?: Record<string, Json[]>;
  flows?: Json[];
  organizations?: OrganizationDoc[];
}

export interface OrganizationDoc {
  readonly id: string;
  readonly alias: string;
  name: string;
  domains: string[];
  /** User ids. */
  members: string[];
}

/** Somebody who signed in; gone with the process. */
export interface SessionDoc {
  readonly id: string;
  readonly realm: string;
  readonly userId: string;
  readonly clientId: string;
  /** Milliseconds. */
  readonly start: number;
}

export interface ProfileAttribute {
  name: string;
  displayName?: string;
  validations?: Record<string, Json>;
  required?: Json;
  permissions?: { view?: string[]; edit?: string[] };
  multivalued?: boolean;
}

export interface ProfileConfig {
  attributes: ProfileAttribute[];
  groups?: Json[];
  unmanagedAttributePolicy?: string;
}

export interface LinkDoc {
  identityProvider: string;
  userId: string;
  userName: string;
}

export interface UserDoc {
  readonly id: string;
  readonly realm: string;
  username: string;
  email: string;
  firstName: string;
  lastName: string;
  enabled: boolean;
  emailVerified: boolean;
  createdTimestamp: number;
  requiredActions: string[];
  attributes: Record<string, string[]>;
  /** Ids of groups the user is a direct member of. */
  groups: string[];
  links: LinkDoc[];
  /** Seconds; moved by logout. */
  notBefore: number;
  /** `realm` or a client's uuid -> role names. */
  roles: Record<string, string[]>;
  /** Set on the user behind a client's service account: not listed, but found by exact name. */
  serviceAccountClientId: string | null;
  /** As they were sent, hashes and all; shown without their secrets. */
  credentials?: Json[];
}

export interface GroupDoc {
  readonly id: string;
  readonly realm: string;
  name: string;
  parentId: string | null;
  description: string | null;
  attributes: Record<string, string[]>;
  /** `realm` or a client's uuid -> role names. */
  roles?: Record<string, string[]>;
}

export interface KeycloakState {
  readonly documents: Documents;
  readonly realms: Collection<RealmDoc>;
  /** By refresh token. */
  readonly sessions: Map<string, SessionDoc>;
  user(p: { readonly realm: string; readonly id: string }): UserDoc | null;
  group(p: { readonly realm: string; readonly id: string }): GroupDoc | null;
  /** Both writes keep the indexes; `before` is what the indexes hold of it now. */
  saveUser(user: UserDoc): void;
  removeUser(user: UserDoc): void;
  saveGroup(group: GroupDoc): void;
  removeGroup(group: GroupDoc): void;
  userByName(p: { readonly realm: string; readonly username: string }): UserDoc | null;
  usersByEmail(p: { readonly realm: string; readonly email: string }): readonly UserDoc[];
  usersByLink(p: { readonly realm: string; readonly link: string }): readonly UserDoc[];
  /** In order of username, without service accounts. */
  usersOf(realm: string): readonly UserDoc[];
  membersOf(group: GroupDoc): readonly UserDoc[];
  /** In order of name; `parent` null gives the top groups. */
  childrenOf(p: { readonly realm: string; readonly parent: string | null }): readonly GroupDoc[];
  pathOf(group: GroupDoc): string;
  /** Of all realms. */
  countUsers(): number;
  newId(): string;
}

/** The parts joined so that no part can run into the next. */
function indexKey(...parts: readonly string[]): string {
  return JSON.stringify(parts);
}

export function linkKey(p: { readonly alias: string; readonly userId: string }): string {
  return indexKey(p.alias, p.userId);
}

class Index {
  readonly #ids = new Map<string, Set<string>>();

  add(key: string, id: string): void {
    const ids = this.#ids.get(key);
    if (ids === undefined) this.#ids.set(key, new Set([id]));
    else ids.add(id);
  }

  drop(key: string, id: string): void {
    const ids = this.#ids.get(key);
    ids?.delete(id);
    if (ids?.size === 0) this.#ids.delete(key);
  }

  get(key: string): readonly string[] {
    return [...(this.#ids.get(key) ?? [])];
  }
}

interface Indexed {
  readonly index: Index;
  readonly key: string;
}

export function openState(documents: Documents): KeycloakState {
  const realms = documents.collection<RealmDoc>('keycloak-realm');
  const users = documents.collection<UserDoc>('keycloak-user');
  const groups = documents.collection<GroupDoc>('keycloak-group');
  const names = new Index();
  const emails = new Index();
  const links = new Index();
  const members = new Index();
  const children = new Index();
  const byRealm = new Index();
  const sorted = new Map<string, readonly UserDoc[]>();
  /** Documents change in place, so what was indexed has to be remembered apart. */
  const entered = new Map<string, readonly Indexed[]>();

  function enter(id: string, places: readonly Indexed[]): void {
    for (const { index, key } of entered.get(id) ?? []) index.drop(key, id);
    for (const { index, key } of places) index.add(key, id);
    if (places.length === 0) entered.delete(id);
    else entered.set(id, places);
  }

  function placesOfUser(user: UserDoc): Indexed[] {
    return [
      { index: byRealm, key: user.realm },
      { index: names, key: indexKey(user.realm, user.username) },
      ...(user.email === '' ? [] : [{ index: emails, key: indexKey(user.realm, user.email) }]),
      ...user.links.map((link) => ({
        index: links,
        key: indexKey(user.realm, linkKey({ alias: link.identityProvider, userId: link.userId })),
      })),
      ...user.groups.map((group) => ({ index: members, key: group })),
    ];
  }

  function placesOfGroup(group: GroupDoc): Indexed[] {
    return [{ index: children, key: indexKey(group.realm, group.parentId ?? '') }];
  }

  const usersFor = (ids: readonly string[]) => ids.flatMap((id) => users.get(id) ?? []);
  for (const user of users.values()) enter(user.id, placesOfUser(user));
  for (const group of groups.values()) enter(group.id, placesOfGroup(group));

  const state: KeycloakState = {
    documents,
    realms,
    sessions: new Map(),
    user: ({ realm, id }) => inRealm(users.get(id), realm),
    group: ({ realm, id }) => inRealm(groups.get(id), realm),
    saveUser(user) {
      users.set(user.id, user);
      enter(user.id, placesOfUser(user));
      sorted.delete(user.realm);
    },
    removeUser(user) {
      users.delete(user.id);
      enter(user.id, []);
      sorted.delete(user.realm);
    },
    saveGroup(group) {
      groups.set(group.id, group);
      enter(group.id, placesOfGroup(group));
    },
    removeGroup(group) {
      groups.delete(group.id);
      enter(group.id, []);
    },
    userByName: ({ realm, username }) => usersFor(names.get(indexKey(realm, username)))[0] ?? null,
    usersByEmail: ({ realm, email }) => usersFor(emails.get(indexKey(realm, email))),
    usersByLink: ({ realm, link }) => usersFor(links.get(indexKey(realm, link))),
    usersOf(realm) {
      const kept = sorted.get(realm);
      if (kept !== undefined) return kept;
      const all = usersFor(byRealm.get(realm))
        .filter((user) => user.serviceAccountClientId === null)
        .sort(byUsername);
      sorted.set(realm, all);
      return all;
    },
    membersOf: (group) => usersFor(members.get(group.id)).sort(byUsername),
    childrenOf: ({ realm, parent }) =>
      children
        .get(indexKey(realm, parent ?? ''))
        .flatMap((id) => groups.get(id) ?? [])
        .sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0)),
    pathOf(group) {
      const parent = group.parentId === null ? undefined : groups.get(group.parentId);
      return `${parent === undefined ? '' : state.pathOf(parent)}/${group.name}`;
    },
    countUsers: () => users.size,
    newId: () => randomUUID(),
  };
  return state;
}

function inRealm<T extends { readonly realm: string }>(
  doc: T | undefined,
  realm: string,
): T | null {
  return doc !== undefined && doc.realm === realm ? doc : null;
}

function byUsername(a: UserDoc, b: UserDoc): number {
  return a.username < b.username ? -1 : a.username > b.username ? 1 : 0;
}
