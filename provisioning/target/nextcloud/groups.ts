import type { NextcloudGroup } from '../../policy/resource.ts';
import type { Outcome, Work } from '../contract.ts';
import { groupPath, groupsPath, readGroup } from './api.ts';
import { applied, reject, retry } from './failure.ts';
import type { GroupDetail } from './schema.ts';
import type { Session } from './session.ts';

/**
 * Makes a group stand as wanted. An id is for life: Nextcloud cannot change it, so that a group that
 * continues keeps the id it was made with and gets a new display name. `active: false` changes
 * nothing here: members leave by their own accounts' rows, and the group stays for its folders.
 *
 * Nextcloud has no place for an owner mark. Known to be ours is what the ledger knows the id of, and
 * an empty group of the right id when an earlier attempt's answer was lost. Everything else that
 * already stands there is `group-taken`, also an empty one: it may be the first thing an
 * administrator made by hand.
 */
export async function applyGroup(p: {
  readonly session: Session;
  readonly work: Work;
}): Promise<Outcome> {
  const { session, work } = p;
  const desired = work.desired as NextcloudGroup | null;
  const known = work.externalId ?? (work.applied as NextcloudGroup | null)?.groupId ?? null;
  if (desired === null) return deleteGroup(session, known);
  const refusal = refuseId(desired.groupId);
  if (refusal !== null) return refusal;
  if (known === null) return createGroup({ session, desired, mayBeOurs: work.attempts > 0 });
  const standing = await readGroup(session, known);
  if (standing === null) {
    return createGroup({ session, desired: { ...desired, groupId: known }, mayBeOurs: true });
  }
  return renameGroup({ session, standing, displayName: desired.displayName });
}

/** Longer than 64 characters silently becomes a hash (recording nextcloud-34.0.1/15). */
function refuseId(id: string): Outcome | null {
  if (id === '') return reject('group-id-empty', 'a group id must not be empty');
  if ([...id].length > 64) {
    return reject(
      'group-id-too-long',
      `a group id of ${[...id].length} characters: 64 are allowed`,
    );
  }
  if (id.trim() !== id) {
    return reject(
      'group-id-space',
      'a group id must not begin or end with a space: MariaDB ignores it',
    );
  }
  return null;
}

async function createGroup(p: {
  readonly session: Session;
  readonly desired: NextcloudGroup;
  readonly mayBeOurs: boolean;
}): Promise<Outcome> {
  const { session, desired } = p;
  const { groupId, displayName } = desired;
  const form = { groupid: groupId, displayname: displayName };
  const reply = await session.ask({ method: 'POST', path: groupsPath, form });
  if (reply.ok) return applied(groupId);
  if (reply.code === 403) return notAdmin();
  if (reply.code !== 102) {
    return retry('group-create-failed', `creating a group: code ${reply.code}`);
  }
  const standing = p.mayBeOurs ? await readGroup(session, groupId) : null;
  if (standing?.usercount === 0) return renameGroup({ session, standing, displayName });
  return reject(
    'group-taken',
    'a group of this id exists and is not known to be ours: adopt it by a plan',
  );
}

async function renameGroup(p: {
  readonly session: Session;
  readonly standing: GroupDetail;
  readonly displayName: string;
}): Promise<Outcome> {
  const { id, displayname } = p.standing;
  if (displayname === p.displayName) return applied(id);
  const form = { key: 'displayname', value: p.displayName };
  const reply = await p.session.ask({ method: 'PUT', path: groupPath(id), form });
  if (reply.ok) return applied(id);
  if (reply.code === 403) return notAdmin();
  return retry('group-rename-failed', `renaming a group: code ${reply.code}`);
}

async function deleteGroup(session: Session, id: string | null): Promise<Outcome> {
  if (id === null) return applied(null);
  if (id === 'admin') return reject('group-protected', 'the group admin is never deleted');
  const reply = await session.ask({ method: 'DELETE', path: groupPath(id) });
  // 101 on this endpoint is "no such group" (recording nextcloud-34.0.1/16), but it is a code of many meanings.
  if (reply.ok || (await readGroup(session, id)) === null) return applied(null);
  if (reply.code === 403) return notAdmin();
  return retry('group-delete-failed', `deleting a group: code ${reply.code}`);
}

function notAdmin(): Outcome {
  return {
    state: 'unknown-host',
    code: 'not-admin',
    detail: 'the service account is not an administrator',
  };
}
