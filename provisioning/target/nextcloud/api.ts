import type { z } from 'zod';
import { NextcloudError } from './failure.ts';
import {
  Folder,
  FolderList,
  type GroupDetail,
  GroupPage,
  type Provider,
  ProviderList,
  User,
  UserIds,
  UserPage,
} from './schema.ts';
import type { Ask, Reply, Session } from './session.ts';

export const usersPath = '/ocs/v2.php/cloud/users';
export const groupsPath = '/ocs/v2.php/cloud/groups';
export const foldersPath = '/index.php/apps/groupfolders/folders';
export const oidcPath = '/ocs/v2.php/apps/user_oidc/api/v1';

export function userPath(id: string): string {
  return `${usersPath}/${encodeURIComponent(id)}`;
}

export function groupPath(id: string): string {
  return `${groupsPath}/${encodeURIComponent(id)}`;
}

export function folderPath(id: number): string {
  return `${foldersPath}/${id}`;
}

export function get(path: string, query: Readonly<Record<string, string>> = {}): Ask {
  return { method: 'GET', path, query };
}

/** The data of a successful reply in the shape it must have. */
export function read<T extends z.ZodType>(p: {
  readonly schema: T;
  readonly reply: Reply;
  readonly what: string;
}): z.infer<T> {
  if (!p.reply.ok) throw refused(p);
  const parsed = p.schema.safeParse(p.reply.data);
  if (parsed.success) return parsed.data;
  throw new NextcloudError({
    code: 'not-nextcloud',
    message: `${p.what}: the answer does not have the shape of Nextcloud's`,
  });
}

function refused(p: { readonly reply: Reply; readonly what: string }): NextcloudError {
  const code = p.reply.code === 403 ? 'not-admin' : 'answer-lost';
  return new NextcloudError({ code, message: `${p.what}: code ${p.reply.code}` });
}

/**
 * Null when there is no such account: 404 on this endpoint. 998 is the answer to somebody who may
 * not see the account, and means that the service account is no administrator.
 */
export async function readUser(session: Session, id: string): Promise<User | null> {
  const reply = await session.ask(get(userPath(id)));
  if (reply.code === 404) return null;
  if (reply.code === 998) {
    throw new NextcloudError({
      code: 'not-admin',
      message: 'reading an account: the service account is not an administrator',
    });
  }
  return read({ schema: User, reply, what: 'reading an account' });
}

/** The group of exactly this id. The search also finds parts of ids, display names and other letter cases. */
export async function readGroup(session: Session, id: string): Promise<GroupDetail | null> {
  const reply = await session.ask(get(`${groupsPath}/details`, { search: id }));
  const page = read({ schema: GroupPage, reply, what: 'reading a group' });
  return page.groups.find((group) => group.id === id) ?? null;
}

export async function listFolders(session: Session): Promise<Map<number, Folder>> {
  const reply = await session.ask(get(foldersPath));
  const list = read({ schema: FolderList, reply, what: 'listing the Team folders' });
  return new Map(Object.values(list as Record<string, Folder>).map((one) => [one.id, one]));
}

/** Null when it is gone: HTTP 404 on 34.0.1, OCS 404 on 29.0.1. */
export async function readFolder(session: Session, id: number): Promise<Folder | null> {
  const reply = await session.ask(get(folderPath(id)));
  return reply.code === 404 ? null : read({ schema: Folder, reply, what: 'reading a Team folder' });
}

export async function listUserIds(session: Session): Promise<readonly string[]> {
  const reply = await session.ask(get(usersPath));
  return read({ schema: UserIds, reply, what: 'listing the accounts' }).users;
}

/** Never ask for limit 0 or below offset 0: both answer 500 (recording nextcloud-34.0.1/08). */
export async function pageOfUsers(p: {
  readonly session: Session;
  readonly limit: number;
  readonly offset: number;
}): Promise<readonly User[]> {
  const query = { limit: String(p.limit), offset: String(p.offset) };
  const reply = await p.session.ask(get(`${usersPath}/details`, query));
  const page = read({ schema: UserPage, reply, what: 'reading a page of accounts' });
  return Object.values(page.users as Record<string, User>);
}

export async function pageOfGroups(p: {
  readonly session: Session;
  readonly limit: number;
  readonly offset: number;
}): Promise<readonly GroupDetail[]> {
  const query = { limit: String(p.limit), offset: String(p.offset) };
  const reply = await p.session.ask(get(`${groupsPath}/details`, query));
  return read({ schema: GroupPage, reply, what: 'reading a page of groups' }).groups;
}

export async function listProviders(session: Session): Promise<readonly Provider[]> {
  const reply = await session.ask(get(`${oidcPath}/provider`));
  if (reply.code === 404 || reply.code === 998) {
    throw new NextcloudError({
      code: 'oidc-provider-missing',
      message: 'the app user_oidc is not installed: install it and configure the provider',
    });
  }
  return read({ schema: ProviderList, reply, what: 'listing the OpenID Connect providers' });
}
