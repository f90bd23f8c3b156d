import {
  homeOf,
  type Node,
  nodeAt,
  rootOf,
  type Share,
  type State,
  type TeamFolder,
  type User,
} from './state.ts';

/** A file or folder as one user sees it. */
export interface Seen {
  /** Path in the user's own home, without a slash at either end; '' is the home. */
  readonly path: string;
  readonly node: Node;
  /** Permission bits: 1 read, 2 update, 4 create, 8 delete, 16 share. */
  readonly permissions: number;
  readonly mount: '' | 'group' | 'shared';
  /** The mount's own folder, not something inside. */
  readonly mountRoot: boolean;
  readonly owner: string;
  readonly folder: TeamFolder | null;
}

interface Mount {
  readonly path: string;
  readonly space: string;
  readonly inner: string;
  readonly permissions: number;
  readonly mount: '' | 'group' | 'shared';
  readonly owner: string;
  readonly folder: TeamFolder | null;
}

/** Where a user's paths lead: the home, the Team folders of the user's groups, and what is shared with them. */
function mountsOf(state: State, user: User): Mount[] {
  const mounts: Mount[] = [];
  for (const folder of state.folders.values()) {
    let permissions = 0;
    for (const group of user.groups) permissions |= folder.groups[group] ?? 0;
    if (permissions === 0) continue;
    const path = folder.mountPoint.replace(/^\/+|\/+$/g, '');
    const space = `folder:${folder.id}`;
    mounts.push({ path, space, inner: '', permissions, mount: 'group', owner: user.id, folder });
  }
  for (const share of state.shares.values()) {
    const node = sharedNode(state, share);
    if (node === undefined || share.owner === user.id || !receives(user, share)) continue;
    const path = node.path.split('/').at(-1) ?? '';
    const { permissions, owner } = share;
    const { space } = node;
    mounts.push({
      path,
      space,
      inner: node.path,
      permissions,
      mount: 'shared',
      owner,
      folder: null,
    });
  }
  mounts.sort((a, b) => b.path.length - a.path.length);
  mounts.push({
    path: '',
    space: homeOf(user.id),
    inner: '',
    permissions: 31,
    mount: '',
    owner: user.id,
    folder: null,
  });
  return mounts;
}

/** Ids of the Team folders that a user's groups open. */
export function teamFoldersOf(state: State, user: User): number[] {
  return mountsOf(state, user).flatMap(({ folder }) => (folder === null ? [] : [folder.id]));
}

export function receives(user: User, share: Share): boolean {
  return share.type === 1 ? user.groups.includes(share.with) : user.id === share.with;
}

export function sharedNode(state: State, share: Share): Node | undefined {
  for (const node of state.nodes.values()) if (node.id === share.node) return node;
  return undefined;
}

export interface Place {
  readonly mount: Mount;
  /** Path inside the space. */
  readonly inner: string;
}

/** The space and the path in it that a path of the user's home leads to. */
export function placeOf(state: State, user: User, path: string): Place {
  for (const mount of mountsOf(state, user)) {
    if (mount.path !== '' && path !== mount.path && !path.startsWith(`${mount.path}/`)) continue;
    const rest = mount.path === '' ? path : path.slice(mount.path.length + 1);
    return { mount, inner: [mount.inner, rest].filter((part) => part !== '').join('/') };
  }
  throw new Error('every user has a home');
}

export function lookAt(state: State, user: User, path: string): Seen | null {
  if (path === '') rootOf(state, homeOf(user.id));
  const { mount, inner } = placeOf(state, user, path);
  const node = nodeAt(state, mount.space, inner);
  if (node === undefined) return null;
  const permissions = permissionsAt({ state, user, mount, inner });
  if ((permissions & 1) === 0) return null;
  return {
    path,
    node,
    permissions,
    mount: mount.mount,
    mountRoot: mount.mount !== '' && path === mount.path,
    owner: mount.owner,
    folder: mount.folder,
  };
}

/** Advanced permissions along the path, where they are switched on: later rules win bit by bit. */
function permissionsAt(p: {
  readonly state: State;
  readonly user: User;
  readonly mount: Mount;
  readonly inner: string;
}): number {
  let { permissions } = p.mount;
  if (p.mount.folder?.acl !== true) return permissions;
  const parts = p.inner === '' ? [] : p.inner.split('/');
  for (let depth = 0; depth <= parts.length; depth += 1) {
    const node = nodeAt(p.state, p.mount.space, parts.slice(0, depth).join('/'));
    let allow = 0;
    let mask = 0;
    for (const rule of node?.acl ?? []) {
      const mine = rule.type === 'group' ? p.user.groups.includes(rule.id) : p.user.id === rule.id;
      if (!mine) continue;
      mask |= rule.mask;
      allow |= rule.mask & rule.permissions;
    }
    permissions = (permissions & ~mask) | (allow & p.mount.permissions);
  }
  return permissions;
}

export function mayManage(folder: TeamFolder, user: User): boolean {
  return folder.manage.some((one) =>
    one.type === 'group' ? user.groups.includes(one.id) : one.id === user.id,
  );
}

/** What lies directly in a folder, own files first, in the order of names. */
export function listChildren(state: State, user: User, seen: Seen): Seen[] {
  const prefix = seen.path === '' ? '' : `${seen.path}/`;
  const names = new Set<string>();
  const { space, path } = seen.node;
  const inner = path === '' ? '' : `${path}/`;
  for (const node of state.nodes.values()) {
    if (node.space !== space || node.path === '' || !node.path.startsWith(inner)) continue;
    const name = node.path.slice(inner.length);
    if (name !== '' && !name.includes('/')) names.add(name);
  }
  for (const mount of mountsOf(state, user)) {
    if (mount.path === '' || !mount.path.startsWith(prefix)) continue;
    const name = mount.path.slice(prefix.length);
    if (name !== '' && !name.includes('/')) names.add(name);
  }
  const children: Seen[] = [];
  for (const name of [...names].sort()) {
    const child = lookAt(state, user, `${prefix}${name}`);
    if (child !== null) children.push(child);
  }
  return children;
}
