/** Tokens: opaque, in memory, gone with the process, so that clients meet a 401 as after a real restart. */

import { randomBytes } from 'node:crypto';
import type { Answer } from './answer.ts';
import { serviceAccountOf } from './realm.ts';
import { refresh, signIn } from './sessions.ts';
import type { Json, KeycloakState, RealmDoc } from './state.ts';

export type Right =
  | 'view-users'
  | 'manage-users'
  | 'view-realm'
  | 'manage-realm'
  | 'view-clients'
  | 'manage-clients'
  | 'view-organizations'
  | 'manage-organizations'
  | 'view-identity-providers'
  | 'manage-identity-providers'
  /** Any role at all in the realm. */
  | 'any'
  /** Administrators of the master realm only. */
  | 'master';

export interface Tokens {
  issue(p: { readonly realm: RealmDoc | null; readonly form: URLSearchParams }): Answer;
  /** Null when the token is unknown or too old. */
  visitor(authorization: string | undefined): Visitor | null;
}

export interface Visitor {
  /** The realm that the account lives in. */
  readonly realm: string;
  may(p: { readonly realm: string; readonly right: Right }): boolean;
}

interface Issued {
  /** Null: the administrator. */
  readonly account: { readonly realm: string; readonly userId: string } | null;
  readonly until: number;
}

/** What a role brings along. */
const implied: Readonly<Record<string, readonly Right[]>> = {
  'manage-users': ['view-users'],
  'manage-realm': ['view-realm', 'view-organizations', 'manage-organizations'],
  'manage-identity-providers': ['view-identity-providers'],
  'manage-clients': ['view-clients'],
  'manage-organizations': ['view-organizations'],
};

export function openTokens(p: {
  readonly state: KeycloakState;
  readonly user: string;
  readonly password: string;
}): Tokens {
  const issued = new Map<string, Issued>();

  function grant(
    account: Issued['account'],
    seconds: number,
    refresh: string | null = null,
  ): Answer {
    const now = Date.now();
    for (const [token, one] of issued) if (one.until <= now) issued.delete(token);
    const token = randomBytes(24).toString('base64url');
    issued.set(token, { account, until: now + seconds * 1000 });
    const byAdministrator = account === null ? randomBytes(24).toString('base64url') : null;
    const refreshToken = refresh ?? byAdministrator;
    const body: Json = {
      access_token: token,
      expires_in: seconds,
      refresh_expires_in: refreshToken === null ? 0 : 1800,
      ...(refreshToken === null ? {} : { refresh_token: refreshToken }),
      token_type: 'Bearer',
      'not-before-policy': 0,
      scope: 'profile email',
    };
    return { status: 200, body };
  }

  return {
    issue({ form, realm }) {
      if (realm === null) return { status: 404, body: { error: 'Realm does not exist' } };
      if (form.get('grant_type') === 'client_credentials') {
        const client = realm.clients.find((one) => one['clientId'] === form.get('client_id'));
        if (client === undefined) return refused(401, 'invalid_client');
        if (client['secret'] !== form.get('client_secret'))
          return refused(401, 'unauthorized_client');
        const account = serviceAccountOf({ state: p.state, realm, client });
        if (account === null) return refused(401, 'unauthorized_client');
        const seconds = Number(realm.settings['accessTokenLifespan'] ?? 300);
        return grant({ realm: realm.realm, userId: account.id }, seconds);
      }
      if (form.get('grant_type') === 'refresh_token') {
        return refresh({ state: p.state, form, grant });
      }
      if (form.get('grant_type') === 'password' && realm.realm !== 'master') {
        return signIn({ state: p.state, realm, form, grant });
      }
      if (form.get('grant_type') !== 'password') {
        return {
          status: 400,
          body: { error: 'unsupported_grant_type', error_description: 'Unsupported grant_type' },
        };
      }
      const known = form.get('username') === p.user && form.get('password') === p.password;
      if (!known || realm.realm !== 'master') {
        // 400, not 401: measured on 26.7.5.
        return {
          status: 400,
          body: { error: 'invalid_grant', error_description: 'Invalid user credentials' },
        };
      }
      return grant(null, Number(realm.settings['accessTokenLifespan'] ?? 60));
    },
    visitor(authorization) {
      const token = issued.get(/^Bearer (.+)$/i.exec(authorization ?? '')?.[1] ?? '');
      if (token === undefined || token.until <= Date.now()) return null;
      return {
        realm: token.account?.realm ?? 'master',
        may: (wish) => mayDo({ state: p.state, account: token.account, ...wish }),
      };
    },
  };
}

function refused(status: number, error: string): Answer {
  const text = 'Invalid client or Invalid client credentials';
  return { status, body: { error, error_description: text } };
}

/** The roles of this moment count, not those at sign-in. */
function mayDo(p: {
  readonly state: KeycloakState;
  readonly account: Issued['account'];
  readonly realm: string;
  readonly right: Right;
}): boolean {
  if (p.account === null) return true;
  if (p.account.realm !== p.realm || p.right === 'master') return false;
  const user = p.state.user({ realm: p.realm, id: p.account.userId });
  const realm = p.state.realms.get(p.realm);
  const management = realm?.clients.find((client) => client['clientId'] === 'realm-management');
  const roles = user?.roles[String(management?.['id'])] ?? [];
  if (roles.includes('realm-admin')) return true;
  const rights = new Set(roles.flatMap((role) => [role, ...(implied[role] ?? [])]));
  return p.right === 'any' ? rights.size > 0 : rights.has(p.right);
}
