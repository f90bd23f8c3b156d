/**
 * Signing in at Keycloak from the browser: authorization code with PKCE, as a public client. Tokens
 * live in this page's memory only; a reload goes by Keycloak again, which knows the person still.
 */
import type { Session } from '../api/session.ts';

type Realm = NonNullable<Session['keycloak']>;

interface Tokens {
  readonly realm: Realm;
  readonly access: string;
  readonly refresh: string | null;
  /** Tells Keycloak at the end whose session it is, so that it need not ask. */
  readonly identity: string | null;
  /** Milliseconds since 1970. */
  readonly renewAt: number;
}

const attemptKey = 'skolebus-sign-in';
let tokens: Tokens | null = null;
let renewal: Promise<void> | null = null;

/** Null where nobody signed in at Keycloak: then the session cookie speaks, if there is one. */
export async function readAccessToken(): Promise<string | null> {
  if (tokens !== null && Date.now() > tokens.renewAt && tokens.refresh !== null) {
    renewal ??= renew(tokens, tokens.refresh).finally(() => {
      renewal = null;
    });
    await renewal;
  }
  return tokens?.access ?? null;
}

/** Hashing is given to pages only over https, or on this machine. */
export function canSignIn(): boolean {
  return globalThis.isSecureContext;
}

/** Leaves this page for Keycloak's. */
export async function goToKeycloak(realm: Realm): Promise<void> {
  const verifier = randomText();
  const state = randomText();
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(verifier));
  const back = location.pathname + location.search;
  sessionStorage.setItem(attemptKey, JSON.stringify({ verifier, state, back }));
  const query = new URLSearchParams({
    client_id: realm.clientId,
    redirect_uri: `${location.origin}/`,
    response_type: 'code',
    scope: 'openid',
    state,
    code_challenge: toBase64Url(new Uint8Array(digest)),
    code_challenge_method: 'S256',
  });
  location.assign(`${endpoint(realm, 'auth')}?${query}`);
}

/** Takes the code that Keycloak sent back with the person, if it did; true when someone is signed in now. */
export async function finishSignIn(realm: Realm): Promise<boolean> {
  const query = new URLSearchParams(location.search);
  const code = query.get('code');
  const kept = sessionStorage.getItem(attemptKey);
  if (code === null || kept === null) return false;
  sessionStorage.removeItem(attemptKey);
  const attempt = JSON.parse(kept) as { verifier: string; state: string; back: string };
  history.replaceState(null, '', attempt.back);
  // Someone else's code must not sign this person in as them.
  if (query.get('state') !== attempt.state) return false;
  await askForTokens(realm, {
    grant_type: 'authorization_code',
    code,
    redirect_uri: `${location.origin}/`,
    code_verifier: attempt.verifier,
  });
  return tokens !== null;
}

export function leaveKeycloak(realm: Realm): void {
  const identity = tokens?.identity ?? null;
  tokens = null;
  const query = new URLSearchParams({
    ...(identity === null ? {} : { id_token_hint: identity }),
    client_id: realm.clientId,
    post_logout_redirect_uri: `${location.origin}/`,
  });
  location.assign(`${endpoint(realm, 'logout')}?${query}`);
}

async function renew(old: Tokens, refresh: string): Promise<void> {
  await askForTokens(old.realm, { grant_type: 'refresh_token', refresh_token: refresh });
}

async function askForTokens(realm: Realm, form: Record<string, string>): Promise<void> {
  const response = await fetch(endpoint(realm, 'token'), {
    method: 'POST',
    body: new URLSearchParams({ ...form, client_id: realm.clientId }),
  }).catch(() => null);
  if (!response?.ok) {
    tokens = null;
    return;
  }
  const answer = (await response.json()) as {
    readonly access_token: string;
    readonly refresh_token?: string;
    readonly id_token?: string;
    readonly expires_in: number;
  };
  tokens = {
    realm,
    access: answer.access_token,
    refresh: answer.refresh_token ?? null,
    identity: answer.id_token ?? null,
    renewAt: Date.now() + (answer.expires_in - 30) * 1000,
  };
}

function endpoint(realm: Realm, name: 'auth' | 'token' | 'logout'): string {
  const base = realm.url.replace(/\/$/, '');
  return `${base}/realms/${encodeURIComponent(realm.realm)}/protocol/openid-connect/${name}`;
}

function randomText(): string {
  return toBase64Url(crypto.getRandomValues(new Uint8Array(32)));
}

function toBase64Url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');
}
