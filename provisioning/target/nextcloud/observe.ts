import type { ResourceKind } from '../../policy/resource.ts';
import type { Observed } from '../contract.ts';
import { listFolders, listUserIds, pageOfGroups, pageOfUsers, readUser } from './api.ts';
import { readQuota } from './quota.ts';
import type { User } from './schema.ts';
import type { Session } from './session.ts';
import { serviceGroup } from './subfolders.ts';

const usersPerPage = 100;
const groupsPerPage = 200;

/**
 * What stands in the server, ours or not: `key` is always null, since Nextcloud has no place for an
 * owner mark; the ledger knows the ids. Bodies hold the server's own group ids.
 */
export async function* observeNextcloud(p: {
  readonly session: Session;
  readonly kind: ResourceKind;
}): AsyncIterable<Observed> {
  if (p.kind === 'account') yield* observeAccounts(p.session);
  if (p.kind === 'group') yield* observeGroups(p.session);
  if (p.kind === 'folder') yield* observeFolders(p.session);
}

/**
 * Pages follow the order of display names (recording nextcloud-34.0.1/08): an account renamed
 * meanwhile comes twice or not at all. Doubles are dropped, and who is missing from the pages but on
 * the list of ids is read alone.
 */
async function* observeAccounts(session: Session): AsyncIterable<Observed> {
  const seen = new Set<string>();
  for (let offset = 0; ; offset += usersPerPage) {
    const page = await pageOfUsers({ session, limit: usersPerPage, offset });
    for (const user of page) {
      if (seen.has(user.id)) continue;
      seen.add(user.id);
      yield accountSeen(user);
    }
    if (page.length === 0) break;
  }
  for (const id of await listUserIds(session)) {
    if (seen.has(id)) continue;
    const user = await readUser(session, id);
    if (user !== null) yield accountSeen(user);
  }
}

function accountSeen(user: User): Observed {
  const quota = readQuota(user.quota);
  return {
    kind: 'account',
    externalId: user.id,
    key: null,
    body: {
      userId: user.id,
      displayName: user.displayname,
      email: user.email === '' ? null : (user.email ?? null),
      quota: quota === 'unlimited' ? 'none' : `${quota} B`,
      language: user.language,
      active: user.enabled,
      groups: [...user.groups].sort(),
      /** Milliseconds since 1970; 0 when nobody ever logged in. */
      lastLogin: user.lastLogin,
    },
  };
}

async function* observeGroups(session: Session): AsyncIterable<Observed> {
  const seen = new Set<string>();
  for (let offset = 0; ; offset += groupsPerPage) {
    const page = await pageOfGroups({ session, limit: groupsPerPage, offset });
    for (const group of page) {
      if (seen.has(group.id)) continue;
      seen.add(group.id);
      const body = {
        groupId: group.id,
        displayName: group.displayname,
        members: group.usercount,
      };
      yield { kind: 'group', externalId: group.id, key: null, body };
    }
    if (page.length === 0) return;
  }
}

async function* observeFolders(session: Session): AsyncIterable<Observed> {
  for (const folder of (await listFolders(session)).values()) {
    const body = {
      mountPoint: folder.mount_point,
      quota: folder.quota,
      access: withoutServiceGroup(folder.groups as Record<string, number>),
      /** Bytes of the files in it. */
      size: folder.size,
    };
    yield { kind: 'folder', externalId: String(folder.id), key: null, body };
  }
}

/** Ours, and on a folder only for moments. */
function withoutServiceGroup(groups: Record<string, number>): Record<string, number> {
  return Object.fromEntries(Object.entries(groups).filter(([group]) => group !== serviceGroup));
}
