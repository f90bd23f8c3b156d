/** People who sign in with a password of their own, as far as provisioning has to do with them. */

import { argon2Sync, pbkdf2Sync, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Answer } from './answer.ts';
import type { Json, KeycloakState, RealmDoc, UserDoc } from './state.ts';

type Grant = (
  account: { readonly realm: string; readonly userId: string },
  seconds: number,
  refresh: string,
) => Answer;

const accessSeconds = 300;

function invalid(text: string): Answer {
  return { status: 400, body: { error: 'invalid_grant', error_description: text } };
}

/** The password grant, which a client must be allowed to use. */
export function signIn(p: {
  readonly state: KeycloakState;
  readonly realm: RealmDoc;
  readonly form: URLSearchParams;
  readonly grant: Grant;
}): Answer {
  const { form, realm, state } = p;
  const client = realm.clients.find((one) => one['clientId'] === form.get('client_id'));
  if (client === undefined) {
    const error_description = 'Invalid client or Invalid client credentials';
    return { status: 401, body: { error: 'invalid_client', error_description } };
  }
  if (client['directAccessGrantsEnabled'] !== true) {
    const error_description = 'Client not allowed for direct access grants';
    return { status: 400, body: { error: 'unauthorized_client', error_description } };
  }
  const username = (form.get('username') ?? '').toLowerCase();
  const user = state.userByName({ realm: realm.realm, username });
  if (user === null) return invalid('Invalid user credentials');
  if (!user.enabled) return invalid('Account disabled');
  if (!hasPassword({ user, password: form.get('password') ?? '' })) {
    return invalid('Invalid user credentials');
  }
  if (user.requiredActions.length > 0) return invalid('Account is not fully set up');
  const refreshToken = randomBytes(24).toString('base64url');
  state.sessions.set(refreshToken, {
    id: state.newId(),
    realm: realm.realm,
    userId: user.id,
    clientId: String(client['clientId']),
    start: Date.now(),
  });
  return p.grant({ realm: realm.realm, userId: user.id }, accessSeconds, refreshToken);
}

/** Whoever was disabled, or logged out by an administrator, is refused. */
export function refresh(p: {
  readonly state: KeycloakState;
  readonly form: URLSearchParams;
  readonly grant: Grant;
}): Answer {
  const token = p.form.get('refresh_token') ?? '';
  const session = p.state.sessions.get(token);
  if (session === undefined) return invalid('Session not active');
  const user = p.state.user({ realm: session.realm, id: session.userId });
  if (user === null) return invalid('Session not active');
  if (!user.enabled) return invalid('User disabled');
  return p.grant({ realm: session.realm, userId: user.id }, accessSeconds, token);
}

/** Standard base64 with padding; the server compares texts, so another spelling never fits. */
function hasPassword(p: { readonly user: UserDoc; readonly password: string }): boolean {
  const stored = p.user.credentials?.find((one) => one['type'] === 'password');
  if (stored === undefined) return false;
  if (typeof stored['value'] === 'string') return stored['value'] === p.password;
  const secret = JSON.parse(String(stored['secretData'])) as { value: string; salt: string };
  const how = JSON.parse(String(stored['credentialData'])) as {
    algorithm: string;
    hashIterations: number;
    additionalParameters: Json;
  };
  const salt = Buffer.from(secret.salt, 'base64');
  const wanted = Buffer.from(secret.value);
  const got = Buffer.from(hash({ ...how, salt, password: p.password }).toString('base64'));
  return got.length === wanted.length && timingSafeEqual(got, wanted);
}

function hash(p: {
  readonly algorithm: string;
  readonly hashIterations: number;
  readonly additionalParameters: Json;
  readonly salt: Buffer;
  readonly password: string;
}): Buffer {
  if (p.algorithm === 'pbkdf2-sha512') {
    return pbkdf2Sync(p.password, p.salt, p.hashIterations, 64, 'sha512');
  }
  if (p.algorithm !== 'argon2') throw new Error(`the stand-in does not know ${p.algorithm}`);
  const parameter = (name: string) => (p.additionalParameters[name] as string[])[0] ?? '';
  return argon2Sync(`argon2${parameter('type')}` as 'argon2id', {
    message: p.password,
    nonce: p.salt,
    parallelism: Number(parameter('parallelism')),
    tagLength: Number(parameter('hashLength')),
    memory: Number(parameter('memory')),
    passes: p.hashIterations,
  });
}
