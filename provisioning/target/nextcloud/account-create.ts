import { randomBytes } from 'node:crypto';
import type { NextcloudAccount } from '../../policy/resource.ts';
import type { Outcome } from '../contract.ts';
import { oidcPath, readUser, usersPath } from './api.ts';
import { isLost, NextcloudError, reject, retry } from './failure.ts';
import { findProvider } from './oidc.ts';
import { OidcUser, type User } from './schema.ts';
import type { Reply, Session } from './session.ts';

/** Local accounts with a password nobody knows, or accounts of the user_oidc app, written ahead. */
export type AccountMode =
  | { readonly kind: 'local' }
  | { readonly kind: 'oidc'; readonly identifier: string };

/**
 * Creates an account that was looked for just before and not found. Creating is not atomic
 * (recording nextcloud-34.0.1/07; parallel creates deadlock into accounts without name, e-mail and
 * groups), so that after any failure the account is read back; what is there now is ours and comes
 * back for completion. Only an outcome says that nothing was made. A local account that was answered
 * with success is not read: the server answers so after its last step only, and reading it the first
 * time costs a tenth of making it (34.0.1: 0.15 s and 1.6 s).
 */
export async function createAccount(p: {
  readonly session: Session;
  readonly mode: AccountMode;
  readonly desired: NextcloudAccount;
  readonly groupIds: readonly string[];
}): Promise<User | Outcome> {
  const { session, desired } = p;
  let reply: Reply | null = null;
  try {
    reply = p.mode.kind === 'local' ? await createLocal(p) : await createOidc(p, p.mode.identifier);
  } catch (error) {
    if (!isLost(error)) throw error;
  }
  if (reply?.code === 403) {
    throw new NextcloudError({ code: 'not-admin', message: 'creating an account: not allowed' });
  }
  if (reply?.ok && p.mode.kind === 'local') return asMade(p);
  const made = await readUser(session, desired.userId);
  // 102 is "exists" on 34.0.1, and on 29.0.1 also a refused value of an account that was made
  // nevertheless. Messages come in the service account's language, so that the name decides.
  if (reply?.code === 102 && made?.displayname !== desired.displayName) {
    return retry('created-meanwhile', 'the account was made by somebody else at this very moment');
  }
  if (made !== null) return made;
  return explain(reply);
}

function asMade(p: {
  readonly desired: NextcloudAccount;
  readonly groupIds: readonly string[];
}): User {
  const { userId, displayName, email, quota, language } = p.desired;
  return {
    id: userId,
    displayname: displayName,
    email,
    quota,
    used: 0,
    language,
    enabled: true,
    groups: [...p.groupIds],
    lastLogin: 0,
    backend: 'Database',
  };
}

async function createLocal(p: {
  readonly session: Session;
  readonly desired: NextcloudAccount;
  readonly groupIds: readonly string[];
}): Promise<Reply> {
  const { desired } = p;
  return p.session.ask({
    method: 'POST',
    path: usersPath,
    form: {
      userid: desired.userId,
      // Nobody knows it: people sign in through Keycloak, and a reset gives a new one.
      password: `${randomBytes(30).toString('base64url')}-aZ9`,
      displayName: desired.displayName,
      email: desired.email ?? '',
      quota: desired.quota,
      language: desired.language,
      'groups[]': p.groupIds,
    },
  });
}

/** The returned id must be the one wanted; anything else is an orphan that is taken away again. */
async function createOidc(
  p: { readonly session: Session; readonly desired: NextcloudAccount },
  identifier: string,
): Promise<Reply> {
  const reply = await writeOidcAccount({ ...p, identifier, withAll: true });
  const id = reply.ok ? OidcUser.safeParse(reply.data).data?.user_id : undefined;
  if (id === undefined || id === p.desired.userId) return reply;
  const path = `${oidcPath}/user/${encodeURIComponent(id)}`;
  await p.session.ask({ method: 'DELETE', path });
  throw new NextcloudError({
    code: 'oidc-provider-unsafe',
    message: `the provider "${identifier}" made another user id than the one asked for: set --unique-uid=0`,
  });
}

/**
 * The app's own endpoint, which creates and updates. Each call copies the skeleton files again, over
 * files of the same name, so that it is used for creating and for the display name only.
 */
export async function writeOidcAccount(p: {
  readonly session: Session;
  readonly identifier: string;
  readonly desired: NextcloudAccount;
  readonly withAll: boolean;
}): Promise<Reply> {
  const provider = await findProvider(p);
  const { desired } = p;
  return p.session.ask({
    method: 'POST',
    path: `${oidcPath}/user`,
    form: {
      providerId: String(provider.id),
      userId: desired.userId,
      displayName: desired.displayName,
      ...(p.withAll ? { email: desired.email ?? '', quota: desired.quota } : {}),
    },
  });
}

/** Codes of the create endpoint, in its own meanings. */
function explain(reply: Reply | null): Outcome {
  if (reply === null) return retry('answer-lost', 'creating an account: no answer, and no account');
  if (reply.code === 104) return retry('needs-group', 'a group of the account is gone');
  if (reply.code === 107) return retry('password-refused', 'the generated password was refused');
  // What policy can get wrong was refused before; "Bad request" is what a deadlock leaves.
  if (reply.code === 101 && !/bad request/i.test(reply.message)) {
    return reject('account-refused', 'the server refuses the user id or the display name');
  }
  return retry('account-create-failed', `creating an account: code ${reply.code}`);
}
