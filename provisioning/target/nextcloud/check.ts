import { randomBytes } from 'node:crypto';
import type { CheckResult } from '../contract.ts';
import type { AccountMode } from './account-create.ts';
import { foldersPath, get, groupPath, groupsPath, pageOfUsers } from './api.ts';
import { openDavHome } from './dav.ts';
import { NextcloudError } from './failure.ts';
import { checkOidc } from './oidc.ts';
import type { ProfileEditor } from './profile.ts';
import { FolderList, Status, User } from './schema.ts';
import type { Session } from './session.ts';
import { checkLocking, checkTopology } from './topology.ts';

interface CheckInput {
  readonly session: Session;
  readonly url: string;
  readonly user: string;
  readonly password: string;
  readonly profile: ProfileEditor;
  readonly mode: AccountMode;
  readonly uidClaim: string;
}

/** Below 29 nothing was tried. */
const oldestMajor = 29;

/**
 * What has to be right before anything is written: the server, its version, our rights, the Team
 * folders app, and a write that is really made, since an app password reads everything and writes
 * nothing on 34.0.1 (recording nextcloud-34.0.1/19).
 */
export async function checkNextcloud(p: CheckInput): Promise<readonly CheckResult[]> {
  const results: CheckResult[] = [];
  const status = await attempt('server', () => checkServer(p.session));
  results.push(...status);
  if (status.some((result) => !result.ok)) return results;
  const rights = await attempt('admin-right', () => checkRights(p));
  results.push(...rights);
  if (rights.some((result) => !result.ok)) return results;
  results.push(...(await attempt('team-folders', () => checkTeamFolders(p.session))));
  results.push(...(await attempt('write-probe', () => probeWrite(p.session))));
  results.push(...(await attempt('webdav', () => probeDav(p))));
  results.push(...(await attempt('locking', () => checkLocking(p.session))));
  results.push(...(await attempt('size', () => checkTopology(p.session))));
  results.push(explainEditLimit(p));
  const { mode } = p;
  if (mode.kind === 'oidc') {
    const oidc = { session: p.session, identifier: mode.identifier, uidClaim: p.uidClaim };
    results.push(...(await attempt('oidc-provider', () => checkOidc(oidc))));
    results.push(...(await attempt('oidc-local-accounts', () => checkLocalAccounts(p))));
  }
  return results;
}

/**
 * Accounts made in mode local. They keep working, but user_oidc in its strict setting refuses their
 * owners ("User conflict"). No API moves them: the row in the database has to go (reference sign-in
 * 1.9), and that is the administrator's to do. The first hundred tell whether there are any.
 */
async function checkLocalAccounts(p: CheckInput): Promise<readonly CheckResult[]> {
  const page = await pageOfUsers({ session: p.session, limit: 100, offset: 0 });
  const own = new Set([p.user.toLowerCase(), 'admin']);
  const local = page.filter((one) => one.backend === 'Database' && !own.has(one.id.toLowerCase()));
  const message =
    local.length === 0
      ? 'no local accounts among the first hundred'
      : `${local.length} of the first ${page.length} accounts are local: with soft_auto_provision off their owners cannot sign in through Keycloak. ` +
        'Move them in maintenance mode, after a dump: INSERT INTO oc_user_oidc (user_id, display_name) SELECT uid, displayname FROM oc_users WHERE uid IN (...), then DELETE FROM oc_users for the same. Files, groups and settings stay';
  return [{ name: 'oidc-local-accounts', ok: local.length === 0, message }];
}

/**
 * No API tells whether an administrator has lifted the limit, and trying it out would use it up, so that
 * it passes as long as no edit was refused. Both ways out were tried: the list on 32.0.1, the higher
 * limit on 34.0.1.
 */
function explainEditLimit(p: CheckInput): CheckResult {
  const waitMs = p.profile.closedForMs();
  const state =
    waitMs === 0
      ? 'no edit was refused so far'
      : `the limit is reached, and the next edit goes through in ${Math.ceil(waitMs / 1000)} s`;
  const language =
    p.mode.kind === 'local'
      ? ''
      : '. user_oidc cannot write the language, so that each new account costs an edit: occ config:system:set default_language --value da, where most speak Danish';
  const message =
    `an account may edit 50 profiles in ten minutes (name, e-mail, quota, language; from 34 on 100): ${state}. ` +
    'Exempt the address of Skolebus before much changes: occ config:app:set bruteForce whitelist_1 --value <address>/32 and ' +
    'occ config:app:set bruteforcesettings apply_allowlist_to_ratelimit --value true --type boolean; ' +
    `or on 34 raise ratelimit_overwrite for provisioning_api.users.edituser${language}`;
  return { name: 'edit-limit', ok: waitMs === 0, message };
}

async function attempt(
  name: string,
  check: () => Promise<readonly CheckResult[]>,
): Promise<readonly CheckResult[]> {
  try {
    return await check();
  } catch (error) {
    const known = error instanceof NextcloudError;
    const message = known ? `${error.code}: ${error.message}` : `failed: ${nameOf(error)}`;
    return [{ name, ok: false, message }];
  }
}

function nameOf(error: unknown): string {
  const { status } = error as { readonly status?: unknown };
  if (typeof status === 'number') return `HTTP ${status}`;
  return error instanceof Error ? error.name : 'unknown';
}

async function checkServer(session: Session): Promise<readonly CheckResult[]> {
  const answer = await session.readPublic('/status.php');
  const status = Status.safeParse(parseJson(answer.text));
  if (!status.success) {
    const message = `status.php answers HTTP ${answer.status}, but not as Nextcloud does: check the address, and that its host is in trusted_domains`;
    return [{ name: 'server', ok: false, message }];
  }
  const { versionstring, maintenance } = status.data;
  const major = Number(versionstring.split('.')[0]);
  return [
    {
      name: 'server',
      ok: !maintenance,
      message: maintenance
        ? 'the server is in maintenance mode: end it with occ maintenance:mode --off'
        : 'reachable',
    },
    {
      name: 'version',
      ok: major >= oldestMajor,
      message:
        major >= oldestMajor
          ? `Nextcloud ${versionstring}`
          : `Nextcloud ${versionstring} is older than ${oldestMajor}: upgrade it`,
    },
  ];
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

async function checkRights(p: CheckInput): Promise<readonly CheckResult[]> {
  const reply = await p.session.ask(get('/ocs/v2.php/cloud/user'));
  const user = User.safeParse(reply.data);
  const admin = user.success && user.data.groups.includes('admin');
  const message = admin
    ? 'the service account is an administrator'
    : 'the service account is not in the group admin: put it there (occ group:adduser admin <account>)';
  return [{ name: 'admin-right', ok: reply.ok && admin, message }];
}

async function checkTeamFolders(session: Session): Promise<readonly CheckResult[]> {
  const reply = await session.ask(get(foldersPath));
  const ok = reply.ok && FolderList.safeParse(reply.data).success;
  const message = ok
    ? 'the app Team folders answers'
    : 'the app Team folders is missing: occ app:enable groupfolders';
  return [{ name: 'team-folders', ok, message }];
}

async function probeWrite(session: Session): Promise<readonly CheckResult[]> {
  const groupid = `skolebus-probe-${randomBytes(6).toString('hex')}`;
  try {
    const made = await session.ask({ method: 'POST', path: groupsPath, form: { groupid } });
    const gone = await session.ask({ method: 'DELETE', path: groupPath(groupid) });
    const ok = made.ok && gone.ok;
    const message = ok
      ? 'a group was made and deleted again'
      : `making a group: code ${made.code}; deleting it: code ${gone.code}`;
    return [{ name: 'write-probe', ok, message }];
  } catch (error) {
    if (!(error instanceof NextcloudError) || error.code !== 'confirmation-refused') throw error;
    const message =
      'reading works, but the server refuses to write: "Password confirmation is required". ' +
      'The configured password is an app password, and those cannot write on this version (34.0.1 does this, 29.0.1 did not). ' +
      "Configure the service account's own password instead, without two-factor authentication for this one account.";
    return [{ name: 'write-probe', ok: false, message }];
  }
}

async function probeDav(p: CheckInput): Promise<readonly CheckResult[]> {
  const home = await openDavHome(p);
  const name = `skolebus-probe-${randomBytes(6).toString('hex')}`;
  await home.makeFolder(name);
  const seen = (await home.list()).includes(name);
  await home.remove(name);
  const message = seen
    ? 'a folder was made, read back and removed'
    : 'a folder was made over WebDAV, but it does not show in the list';
  return [{ name: 'webdav', ok: seen, message }];
}
