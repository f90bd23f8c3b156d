import { mayStand } from '../../ledger/work.ts';
import type { NextcloudAccount } from '../../policy/resource.ts';
import type { Outcome, Work } from '../contract.ts';
import { type AccountMode, createAccount, writeOidcAccount } from './account-create.ts';
import { readUser, userPath } from './api.ts';
import { applied, NextcloudError, reject, retry } from './failure.ts';
import type { ProfileEditor, ProfileField } from './profile.ts';
import { parseQuota, readQuota } from './quota.ts';
import type { User } from './schema.ts';
import type { Reply, Session } from './session.ts';

interface AccountWork {
  readonly session: Session;
  readonly profile: ProfileEditor;
  readonly mode: AccountMode;
  readonly work: Work;
  /** Key of a group resource to its id. */
  readonly groupIds: ReadonlyMap<string, string>;
  /** The account that we sign in with: never touched. */
  readonly serviceUser: string;
}

/**
 * Makes an account stand as wanted and writes only what differs. Nextcloud has no place for an owner
 * mark: ours is what the ledger knows, and on a later attempt an account that nobody ever logged in
 * to, since an earlier answer may have been lost. Anything else of this id is `username-taken`.
 */
export async function applyAccount(p: AccountWork): Promise<Outcome> {
  const { session, work } = p;
  const desired = work.desired as NextcloudAccount | null;
  const before = work.applied as NextcloudAccount | null;
  const known = work.externalId ?? before?.userId ?? null;
  const id = known ?? desired?.userId ?? null;
  if (id === null) return applied(null);
  if (id.toLowerCase() === p.serviceUser.toLowerCase() || id.toLowerCase() === 'admin') {
    return reject('account-protected', 'the service account and admin are never changed');
  }
  if (desired === null) {
    const heir = before?.keepFilesWith ?? null;
    return known === null ? applied(null) : deleteAccount({ session, id: known, heir });
  }
  const stood = mayStand(work) as readonly NextcloudAccount[];
  const groups = groupsOf({ desired, stood, groupIds: p.groupIds });
  if (groups === null)
    return retry('needs-group', 'a group of the account does not exist there yet');
  const refusal = refuseValues(desired);
  if (refusal !== null) return refusal;

  const standing = await readUser(session, id);
  if (standing === null) {
    const wanted = { ...desired, userId: id };
    const made = await createAccount({ ...p, desired: wanted, groupIds: groups.wanted });
    if ('state' in made) return made;
    return complete({ ...p, desired: wanted, stood: [], standing: made, groups });
  }
  if (standing.id !== id) {
    return reject('username-taken', 'an account of this id in other letter case exists');
  }
  if (known === null && (work.attempts === 0 || standing.lastLogin !== 0)) {
    return reject(
      'username-taken',
      'an account of this id exists and is not known to be ours: adopt it by a plan',
    );
  }
  return complete({ ...p, desired: { ...desired, userId: id }, stood, standing, groups });
}

/** Checked here too, since the user_oidc endpoint takes any text for an id (reference sign-in 1.1). */
function refuseValues(desired: NextcloudAccount): Outcome | null {
  if (!/^[a-zA-Z0-9 _.@'-]{1,64}$/.test(desired.userId) || /^[. ]|[ ]$/.test(desired.userId)) {
    return reject(
      'username-refused',
      'a user id is 1 to 64 of a-z A-Z 0-9 _ . @ - and no space at its ends',
    );
  }
  if (desired.displayName.length > 64) {
    return reject(
      'display-name-refused',
      `a display name of ${desired.displayName.length} characters: 64 are allowed`,
    );
  }
  if (parseQuota(desired.quota) === null) {
    return reject('quota-refused', 'a quota is none, default, or a size such as 5 GB');
  }
  return null;
}

interface Groups {
  readonly wanted: readonly string[];
  /** Groups that we put the account into once and that it shall leave; others are left alone. */
  readonly leaving: readonly string[];
}

function groupsOf(p: {
  readonly desired: NextcloudAccount;
  readonly stood: readonly NextcloudAccount[];
  readonly groupIds: ReadonlyMap<string, string>;
}): Groups | null {
  const wanted: string[] = [];
  for (const key of p.desired.groups) {
    const id = p.groupIds.get(key);
    if (id === undefined) return null;
    wanted.push(id);
  }
  const leaving = new Set<string>();
  for (const key of p.stood.flatMap((body) => body.groups)) {
    const id = p.groupIds.get(key);
    if (id !== undefined && !wanted.includes(id)) leaving.add(id);
  }
  return { wanted, leaving: [...leaving] };
}

interface Completion extends AccountWork {
  readonly desired: NextcloudAccount;
  /** What we may have written before. */
  readonly stood: readonly NextcloudAccount[];
  readonly standing: User;
  readonly groups: Groups;
}

/**
 * Every difference is tried, also when one of them is refused, so that a bad e-mail address does not
 * keep a pupil out of a class. The first refusal is the outcome.
 */
async function complete(p: Completion): Promise<Outcome> {
  const { changes, byApp } = profileOf(p);
  const failures: Outcome[] = [];
  for (const [field, reply] of await p.profile.write({ ...p.desired, changes })) {
    const failure = reply === null ? limited(p.profile) : judge(reply, field);
    if (failure !== null) failures.push(failure);
  }
  for (const [step, what] of [...byApp, ...stepsOf(p)]) {
    const failure = judge(await step(), what);
    if (failure !== null) failures.push(failure);
  }
  return failures[0] ?? applied(p.desired.userId);
}

type Step = readonly [() => Promise<Reply>, string];

/** What the profile lacks, and the display name where only the app user_oidc can write it. */
function profileOf(p: Completion): {
  readonly changes: ReadonlyMap<ProfileField, string>;
  readonly byApp: readonly Step[];
} {
  const { standing, desired, mode } = p;
  const changes = new Map<ProfileField, string>();
  const byApp: Step[] = [];
  if (standing.displayname !== desired.displayName) {
    // OCS cannot rename what belongs to user_oidc (code 113, reference sign-in 1.6).
    if (standing.backend === 'user_oidc' && mode.kind === 'oidc') {
      byApp.push([() => writeOidcAccount({ ...p, ...mode, withAll: false }), 'displayname']);
    } else changes.set('displayname', desired.displayName);
  }
  if ((standing.email ?? '').toLowerCase() !== (desired.email ?? '').toLowerCase()) {
    changes.set('email', desired.email ?? '');
  }
  if (differsInQuota(p)) changes.set('quota', desired.quota);
  if (standing.language !== desired.language) changes.set('language', desired.language);
  return { changes, byApp };
}

/** The account's other rows go on: only edits of profiles are limited, not groups and not creating. */
function limited(profile: ProfileEditor): Outcome {
  const afterMs = profile.closedForMs();
  const seconds = Math.ceil(afterMs / 1000);
  const detail = `the server takes 50 edits of profiles in ten minutes; the next one in ${seconds} s`;
  return { state: 'retry', afterMs, code: 'edit-limit', detail };
}

function stepsOf(p: Completion): readonly Step[] {
  const { session, standing, desired } = p;
  const path = userPath(desired.userId);
  const steps: Step[] = [];
  const groupsPath = `${path}/groups`;
  for (const groupid of p.groups.wanted) {
    if (standing.groups.includes(groupid)) continue;
    steps.push([
      () => session.ask({ method: 'POST', path: groupsPath, form: { groupid } }),
      'join',
    ]);
  }
  for (const groupid of p.groups.leaving) {
    if (!standing.groups.includes(groupid)) continue;
    const query = { groupid };
    steps.push([() => session.ask({ method: 'DELETE', path: groupsPath, query }), 'leave']);
  }
  if (standing.enabled !== desired.active) {
    const verb = desired.active ? 'enable' : 'disable';
    steps.push([() => session.ask({ method: 'PUT', path: `${path}/${verb}` }), verb]);
  }
  return steps;
}

/**
 * `default` cannot be read back: the server shows the default's size, or unlimited. It is written
 * when we may have written something else there.
 */
function differsInQuota(p: Completion): boolean {
  const wanted = parseQuota(p.desired.quota);
  if (wanted === 'default') return p.stood.some((body) => body.quota !== p.desired.quota);
  return readQuota(p.standing.quota) !== wanted;
}

/** Codes of the edit endpoints; 34.0.1 and 29.0.1 number them differently, so that the key decides. */
function judge(reply: Reply, what: string): Outcome | null {
  if (reply.ok) return null;
  if (reply.code === 403) {
    throw new NextcloudError({ code: 'not-admin', message: `${what} of an account: not allowed` });
  }
  const detail = `${what} of an account: code ${reply.code}`;
  if (reply.code === 404 || reply.code === 998) return retry('account-gone', detail);
  if (what === 'join') return retry(reply.code === 102 ? 'needs-group' : 'join-failed', detail);
  // 102 on leaving: the group itself is gone (recording nextcloud-34.0.1/17).
  if (what === 'leave') return reply.code === 102 ? null : retry('leave-failed', detail);
  if (what === 'email') return reject('email-refused', detail);
  if (what === 'quota') return reject('quota-refused', detail);
  if (what === 'language') return reject('language-refused', detail);
  if (what === 'displayname') return reject('display-name-refused', detail);
  return retry(`${what}-failed`, detail);
}

const dayMs = 24 * 60 * 60 * 1000;

/**
 * Where files are to be kept, the account goes only when its home is empty. Nobody but the owner can
 * hand files over by API, and the heir has to accept (OCS `files/api/v1/transferownership`, read in
 * 32.0.1 and tried); an administrator does it on the server, with occ.
 */
async function deleteAccount(p: {
  readonly session: Session;
  readonly id: string;
  readonly heir: string | null;
}): Promise<Outcome> {
  const { session, id, heir } = p;
  if (heir !== null) {
    const standing = await readUser(session, id);
    if (standing === null) return applied(null);
    if (standing.used > 0) {
      const detail = `${standing.used} bytes of files are to be kept: run occ files:transfer-ownership <account> ${heir} on the server; the account is deleted when its home is empty`;
      return { state: 'retry', afterMs: dayMs, code: 'files-not-transferred', detail };
    }
  }
  const reply = await session.ask({ method: 'DELETE', path: userPath(id) });
  // 998 on this endpoint is "no such account" (recording nextcloud-34.0.1/12).
  if (reply.ok || (await readUser(session, id)) === null) return applied(null);
  return judge(reply, 'delete') ?? applied(null);
}
