import { createHash, randomBytes } from 'node:crypto';
import type { Collection, Documents } from '../documents.ts';

export interface User {
  readonly id: string;
  password: string | null;
  backend: 'Database' | 'user_oidc';
  displayName: string;
  email: string;
  /** `none`, `default`, or a size as Nextcloud writes it. */
  quota: string;
  language: string;
  locale: string;
  manager: string;
  enabled: boolean;
  readonly groups: string[];
  readonly subadmin: string[];
  /** Seconds; 0 before the first login. */
  firstLogin: number;
  lastLogin: number;
  /** Phone, organisation and the like. */
  readonly fields: Record<string, string>;
}

export interface Group {
  readonly id: string;
  displayName: string;
}

export interface AclManager {
  readonly type: string;
  readonly id: string;
}

export interface TeamFolder {
  readonly id: number;
  mountPoint: string;
  quota: number;
  acl: boolean;
  readonly groups: Record<string, number>;
  manage: AclManager[];
  /** File id of the folder's root. */
  readonly root: number;
}

export interface AclRule {
  readonly type: string;
  readonly id: string;
  readonly mask: number;
  readonly permissions: number;
}

/** A file or folder. Space is `home:<user id>` or `folder:<id>`; the path of a space's root is ''. */
export interface Node {
  readonly id: number;
  space: string;
  path: string;
  readonly directory: boolean;
  /** Base64; empty for a directory. */
  content: string;
  contentType: string;
  etag: string;
  /** Seconds. */
  modified: number;
  acl: AclRule[];
}

export interface Share {
  readonly id: string;
  readonly owner: string;
  readonly node: number;
  readonly type: number;
  readonly with: string;
  permissions: number;
  /** Seconds. */
  readonly made: number;
}

export interface OidcProvider {
  readonly id: number;
  identifier: string;
  clientId: string;
  discoveryEndpoint: string;
  scope: string;
  settings: Record<string, unknown>;
}

interface AppPassword {
  readonly user: string;
}

export interface State {
  readonly documents: Documents;
  readonly users: Collection<User>;
  readonly groups: Collection<Group>;
  readonly folders: Collection<TeamFolder>;
  readonly nodes: Collection<Node>;
  readonly shares: Collection<Share>;
  readonly providers: Collection<OidcProvider>;
  readonly appPasswords: Collection<AppPassword>;
  readonly settings: Collection<{ value: string }>;
  /** Members of a group; follows `users`, so that listing members does not read every account. */
  readonly members: Map<string, Set<string>>;
  /** Accounts in the order of their display names, until one changes. */
  order: readonly User[] | null;
  /** Team folders that a user's mount cache knows, and when it was filled, in seconds. */
  readonly mounts: Map<string, { readonly at: number; readonly folders: ReadonlySet<number> }>;
}

export interface Baseline {
  readonly user: string;
  readonly password: string;
  readonly appPassword: string;
  /** File id of the administrator's home. */
  readonly homeId: number;
}

export function openState(p: Baseline & { readonly documents: Documents }): State {
  const { documents } = p;
  const state: State = {
    documents,
    users: documents.collection('nextcloud.user'),
    groups: documents.collection('nextcloud.group'),
    folders: documents.collection('nextcloud.folder'),
    nodes: documents.collection('nextcloud.node'),
    shares: documents.collection('nextcloud.share'),
    providers: documents.collection('nextcloud.provider'),
    appPasswords: documents.collection('nextcloud.app-password'),
    settings: documents.collection('nextcloud.setting'),
    members: new Map(),
    order: null,
    mounts: new Map(),
  };
  seed(state, p);
  indexMembers(state);
  return state;
}

/** When the administrator of the recordings' baseline logged in first, in seconds. */
const baselineLogin = 1_795_282_860;

/** The recordings' baseline: the administrator and the group `admin`. */
function seed(state: State, p: Baseline): void {
  if (!state.settings.has('instanceid')) {
    state.settings.set('instanceid', { value: `oc${randomBytes(5).toString('hex')}` });
  }
  if (!state.groups.has('admin')) state.groups.set('admin', { id: 'admin', displayName: 'admin' });
  const admin = state.users.get(p.user.toLowerCase()) ?? {
    ...newUser({ id: p.user, password: '' }),
    groups: ['admin'],
    firstLogin: baselineLogin,
    lastLogin: baselineLogin,
    // The administrator's home came with the example files; accounts made later start empty.
    fields: { skeletonBytes: '17323471' },
  };
  admin.password = hashSecret(p.password);
  state.users.set(p.user.toLowerCase(), admin);
  state.appPasswords.set(hashSecret(p.appPassword), { user: admin.id });
  const home = homeOf(admin.id);
  if (nodeAt(state, home, '') === undefined) {
    makeNode(state, { space: home, path: '', id: p.homeId });
  }
}

/** Forgets everything but the baseline. */
export function resetState(state: State, p: Baseline): void {
  const { users, groups, folders, nodes, shares, providers, appPasswords, settings } = state;
  for (const each of [users, groups, folders, nodes, shares, providers, appPasswords, settings]) {
    for (const [id] of [...each.entries()]) each.delete(id);
  }
  seed(state, p);
  indexMembers(state);
}

function indexMembers(state: State): void {
  state.order = null;
  state.members.clear();
  state.mounts.clear();
  for (const user of state.users.values()) {
    for (const group of user.groups) membersOf(state, group).add(user.id);
  }
}

export function membersOf(state: State, group: string): Set<string> {
  const known = state.members.get(group);
  if (known !== undefined) return known;
  const fresh = new Set<string>();
  state.members.set(group, fresh);
  return fresh;
}

export function newUser(p: { readonly id: string; readonly password: string | null }): User {
  return {
    id: p.id,
    password: p.password === null ? null : hashSecret(p.password),
    backend: 'Database',
    displayName: p.id,
    email: '',
    quota: 'default',
    language: 'en',
    locale: '',
    manager: '',
    enabled: true,
    groups: [],
    subadmin: [],
    firstLogin: 0,
    lastLogin: 0,
    fields: {},
  };
}

/** User ids are found in any letter case and keep the one they were made with. */
export function findUser(state: State, id: string): User | undefined {
  return state.users.get(id.toLowerCase());
}

export function saveUser(state: State, user: User): void {
  state.users.set(user.id.toLowerCase(), user);
  state.order = null;
}

/** MariaDB compares group ids without trailing spaces, but minds their letter case. */
export function findGroup(state: State, id: string): Group | undefined {
  return state.groups.get(groupKey(id));
}

export function groupKey(id: string): string {
  return id.replace(/ +$/, '');
}

export function joinGroup(state: State, user: User, group: Group): void {
  if (user.groups.includes(group.id)) return;
  user.groups.push(group.id);
  membersOf(state, group.id).add(user.id);
  state.mounts.delete(user.id);
  saveUser(state, user);
}

export function leaveGroup(state: State, user: User, group: string): void {
  const at = user.groups.indexOf(group);
  if (at >= 0) user.groups.splice(at, 1);
  membersOf(state, group).delete(user.id);
  saveUser(state, user);
}

export function removeUser(state: State, user: User): void {
  for (const group of user.groups) membersOf(state, group).delete(user.id);
  state.users.delete(user.id.toLowerCase());
  state.order = null;
  for (const node of [...state.nodes.values()]) {
    if (node.space === homeOf(user.id)) state.nodes.delete(nodeKey(node));
  }
}

export function homeOf(user: string): string {
  return `home:${user}`;
}

export function nodeKey(p: { readonly space: string; readonly path: string }): string {
  return `${p.space}\n${p.path}`;
}

export function nodeAt(state: State, space: string, path: string): Node | undefined {
  return state.nodes.get(nodeKey({ space, path }));
}

export function makeNode(
  state: State,
  p: {
    readonly space: string;
    readonly path: string;
    /** Given only to what stands there from the start. */
    readonly id?: number;
    readonly content?: string;
    readonly contentType?: string;
  },
): Node {
  const node: Node = {
    id: p.id ?? nextNumber(state, 'node', 80),
    space: p.space,
    path: p.path,
    directory: p.content === undefined,
    content: p.content ?? '',
    contentType: p.contentType ?? '',
    etag: randomBytes(16).toString('hex'),
    modified: secondsNow(),
    acl: [],
  };
  state.nodes.set(nodeKey(node), node);
  return node;
}

export function rootOf(state: State, space: string): Node {
  return nodeAt(state, space, '') ?? makeNode(state, { space, path: '' });
}

/** Ids are given once, also after deletion and over restarts. */
export function nextNumber(state: State, name: string, first = 0): number {
  const last = Number(state.settings.get(`last-${name}`)?.value ?? first);
  state.settings.set(`last-${name}`, { value: String(last + 1) });
  return last + 1;
}

export function inMaintenance(state: State): boolean {
  return state.settings.get('maintenance')?.value === 'on';
}

export function hashSecret(secret: string): string {
  return createHash('sha256').update(`stand-in:${secret}`).digest('hex');
}

export function secondsNow(): number {
  return Math.floor(Date.now() / 1000);
}
