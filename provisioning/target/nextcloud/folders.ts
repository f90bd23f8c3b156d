import { mayStand } from '../../ledger/work.ts';
import type { NextcloudFolder } from '../../policy/resource.ts';
import type { Outcome, Work } from '../contract.ts';
import { folderPath, foldersPath, listFolders, readFolder } from './api.ts';
import { applied, NextcloudError, reject, retry } from './failure.ts';
import { addGroup, lostOrThrow } from './folder-groups.ts';
import { type Folder, FolderCreated } from './schema.ts';
import type { Reply, Session } from './session.ts';
import { applySubfolders, needsSubfolders, serviceGroup } from './subfolders.ts';

/** The Team folders as they stood when the batch began, kept up as it creates and renames. */
export type FolderList = Map<number, Folder>;

/**
 * Makes a Team folder stand as wanted. 29.0.1 lets two folders have the same mount point
 * (recording 29.0.1/16), so that the list is always looked at before anything is created or renamed.
 * A folder is ours when the ledger knows its id, or when an earlier attempt may have made it and it
 * is still empty and open to none but our groups.
 */
export async function applyFolder(p: {
  readonly session: Session;
  readonly work: Work;
  readonly folders: FolderList;
  readonly groupIds: ReadonlyMap<string, string>;
  /** The account that we sign in with: it manages advanced permissions. */
  readonly serviceUser: string;
}): Promise<Outcome> {
  const { session, work, folders } = p;
  const desired = work.desired as NextcloudFolder | null;
  const id = work.externalId === null ? null : Number(work.externalId);
  if (desired === null) return deleteFolder({ session, folders, id });
  const mountPoint = tidyMountPoint(desired.mountPoint);
  if (mountPoint === '') return reject('mount-point-empty', 'a mount point must have a name');
  const access = accessById({ access: desired.access, active: desired.active, ids: p.groupIds });
  const refusal = refuseSubfolders(desired);
  if (refusal !== null) return refusal;
  if (access === null) return retry('needs-group', 'a group with access does not exist there yet');

  const stood = mayStand(work) as readonly NextcloudFolder[];
  const given = stood.flatMap((body) => Object.keys(body.access));
  // Groups that we gave access once; others are somebody else's doing and stay.
  const removable = new Set(given.map((key) => p.groupIds.get(key)));
  removable.add(serviceGroup);
  const known = id === null ? undefined : folders.get(id);
  const holder = [...folders.values()].find(
    (folder) => folder.id !== id && tidyMountPoint(folder.mount_point) === mountPoint,
  );
  let folder = known ?? null;
  if (holder !== undefined) {
    const ours =
      known === undefined && work.attempts > 0 && isHalfMade({ folder: holder, access, removable });
    if (!ours) {
      return reject(
        'mount-point-taken',
        'another Team folder has this mount point: adopt or rename it',
      );
    }
    folder = holder;
  }
  folder ??= await createFolder({ session, folders, mountPoint });
  let failure = await bringAbout({ session, folder, mountPoint, desired, access, removable });
  folders.set(folder.id, { ...folder, mount_point: mountPoint });
  if (failure === null && needsSubfolders({ desired, stood, folder })) {
    failure = await applySubfolders({ ...p, folder, mountPoint, desired });
  }
  return failure ?? applied(String(folder.id));
}

/** Names that WebDAV would take for something else, or refuse. */
function refuseSubfolders(desired: NextcloudFolder): Outcome | null {
  for (const { path } of desired.subfolders ?? []) {
    const segments = path.split('/');
    if (segments.every((one) => one.trim() !== '' && !/^\.{1,2}$|\\/.test(one))) continue;
    return reject('subfolder-refused', 'the path of a subfolder has an empty or forbidden part');
  }
  return null;
}

function tidyMountPoint(text: string): string {
  return text.replace(/^\/+|\/+$/g, '');
}

/** Group id to permission bits; null when a group is missing. Inactive: everybody only reads. */
function accessById(p: {
  readonly access: Readonly<Record<string, number>>;
  readonly active: boolean;
  readonly ids: ReadonlyMap<string, string>;
}): Map<string, number> | null {
  const byId = new Map<string, number>();
  for (const [key, bits] of Object.entries(p.access)) {
    const id = p.ids.get(key);
    if (id === undefined) return null;
    byId.set(id, p.active ? bits : bits & 1);
  }
  return byId;
}

function isHalfMade(p: {
  readonly folder: Folder;
  readonly access: ReadonlyMap<string, number>;
  readonly removable: ReadonlySet<string | undefined>;
}): boolean {
  const { folder, access, removable } = p;
  const groups = Object.keys(folder.groups);
  return folder.size === 0 && groups.every((group) => access.has(group) || removable.has(group));
}

/**
 * The list was looked at just before, so that a folder found afterwards under this mount point is
 * the one whose answer was lost.
 */
async function createFolder(p: {
  readonly session: Session;
  readonly folders: FolderList;
  readonly mountPoint: string;
}): Promise<Folder> {
  const { session, folders, mountPoint } = p;
  const form = { mountpoint: mountPoint };
  const reply = await session.ask({ method: 'POST', path: foldersPath, form }).catch(lostOrThrow);
  const id = reply?.ok === true ? FolderCreated.safeParse(reply.data).data?.id : undefined;
  if (id !== undefined) {
    const made: Folder = {
      id,
      mount_point: mountPoint,
      quota: -3,
      size: 0,
      groups: {},
      acl: false,
      manage: [],
    };
    folders.set(id, made);
    return made;
  }
  if (reply?.code === 403) {
    throw new NextcloudError({ code: 'not-admin', message: 'creating a Team folder: not allowed' });
  }
  const now = await listFolders(session);
  for (const folder of now.values()) {
    const same = tidyMountPoint(folder.mount_point) === mountPoint;
    if (same && !folders.has(folder.id)) {
      folders.set(folder.id, folder);
      return folder;
    }
  }
  throw new NextcloudError({
    code: 'answer-lost',
    message: `creating a Team folder: ${reply === null ? 'no answer' : `code ${reply.code}`}`,
  });
}

async function bringAbout(p: {
  readonly session: Session;
  readonly folder: Folder;
  readonly mountPoint: string;
  readonly desired: NextcloudFolder;
  readonly access: ReadonlyMap<string, number>;
  readonly removable: ReadonlySet<string | undefined>;
}): Promise<Outcome | null> {
  const { session, folder, desired } = p;
  const path = folderPath(folder.id);
  const post = (below: string, form: Readonly<Record<string, string>>) =>
    session.ask({ method: 'POST', path: `${path}/${below}`, form });

  if (tidyMountPoint(folder.mount_point) !== p.mountPoint) {
    const failure = judge(await post('mountpoint', { mountpoint: p.mountPoint }), 'renaming');
    if (failure !== null) return failure;
  }
  if (folder.quota !== desired.quota) {
    const failure = judge(await post('quota', { quota: String(desired.quota) }), 'the quota of');
    if (failure !== null) return failure;
  }
  const standing = folder.groups as Record<string, number>;
  for (const [group, bits] of p.access) {
    const now = standing[group] ?? (await addGroup({ session, folder, group }));
    if (now === bits) continue;
    const below = `groups/${encodeURIComponent(group)}`;
    const failure = judge(await post(below, { permissions: String(bits) }), 'permissions on');
    if (failure !== null) return failure;
  }
  for (const group of Object.keys(standing)) {
    if (p.access.has(group) || !p.removable.has(group)) continue;
    const below = `${path}/groups/${encodeURIComponent(group)}`;
    const failure = judge(await session.ask({ method: 'DELETE', path: below }), 'a group off');
    if (failure !== null) return failure;
  }
  return null;
}

function judge(reply: Reply, what: string): Outcome | null {
  if (reply.ok) return null;
  if (/mount point already exists/i.test(reply.message)) {
    return reject('mount-point-taken', 'another Team folder has this mount point');
  }
  if (reply.code === 403) {
    throw new NextcloudError({ code: 'not-admin', message: `${what} a Team folder: not allowed` });
  }
  return retry('folder-write-failed', `${what} a Team folder: code ${reply.code}`);
}

async function deleteFolder(p: {
  readonly session: Session;
  readonly folders: FolderList;
  readonly id: number | null;
}): Promise<Outcome> {
  const { session, folders, id } = p;
  if (id === null || !folders.has(id)) return applied(null);
  const reply = await session.ask({ method: 'DELETE', path: folderPath(id) });
  if (reply.ok || (await readFolder(session, id)) === null) {
    folders.delete(id);
    return applied(null);
  }
  return judge(reply, 'deleting') ?? applied(null);
}
