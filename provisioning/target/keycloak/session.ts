/** The way into one Keycloak: the admin client, and tokens that are fetched once for all callers. */

import { setTimeout as sleep } from 'node:timers/promises';
import KeycloakAdminClient, { NetworkError } from '@keycloak/keycloak-admin-client';
import { z } from 'zod';
import { openPace, type PaceState, type Settled, type Verdict } from '../pace/pace.ts';
import { readRetryAfter } from '../pace/retry-after.ts';
import type { KeycloakConnection } from './connection.ts';

export interface KeycloakSession {
  readonly client: KeycloakAdminClient;
  readonly realm: string;
  readonly idpAlias: string | null | undefined;
  /** The rest of the connection, with nothing absent. */
  readonly settings: Required<
    Pick<
      KeycloakConnection,
      'identityProviders' | 'realmRoles' | 'api' | 'organization' | 'startPasswordSecret'
    >
  >;
  /**
   * Runs one call when its turn has come; a 401 gets a new token and one more try, since tokens die when
   * a server restarts. Never a call inside a call: the inner one might wait for the outer one's place.
   */
  call<T>(work: () => Promise<T>, kind?: CallKind): Promise<T>;
  /** `call` for what only reads: a broken connection or a 5xx gets one more try, so that one does not hold up a whole batch. */
  read<T>(work: () => Promise<T>, kind?: CallKind): Promise<T>;
  pace(): PaceState;
}

/** Calls that take about the same time: one thing read or written, a new user, a list, a search through all. */
export type CallKind = 'read' | 'write' | 'create' | 'list' | 'search';

/** Measured on 26.7.5, two shared cores, server and client together: see tests/keycloak/README.md. */
export const parallelCalls = 12;

/** Keycloak answered, but would not let us in. */
export class SignInError extends Error {
  override readonly name = 'SignInError';
  readonly code: 'sign-in-refused' | 'realm-missing';

  constructor(p: { readonly code: SignInError['code']; readonly message: string }) {
    super(p.message);
    this.code = p.code;
  }
}

const tokenAnswer = z.object({ access_token: z.string(), expires_in: z.number() });

export function openSession(p: KeycloakConnection): KeycloakSession {
  const url = p.url.replace(/\/+$/, '');
  const timeout = p.timeoutMs ?? 30_000;
  const client = new KeycloakAdminClient({ baseUrl: url, realmName: p.realm, timeout });
  const tokens = singleFlightTokens(() => fetchToken({ ...p, url, timeoutMs: timeout }));
  client.registerTokenProvider({ getAccessToken: () => tokens.get() });
  const pace = openPace({ cap: parallelCalls, ...p });
  async function signedIn<T>(work: () => Promise<T>): Promise<T> {
    const before = await tokens.get();
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof NetworkError) || error.response.status !== 401) throw error;
      tokens.drop(before);
      return await work();
    }
  }
  function call<T>(work: () => Promise<T>, kind: CallKind = 'write'): Promise<T> {
    return pace.run({ kind, work: () => signedIn(work), judge });
  }
  return {
    client,
    realm: p.realm,
    idpAlias: p.idpAlias,
    settings: {
      identityProviders: p.identityProviders ?? [],
      realmRoles: p.realmRoles ?? [],
      api: p.api ?? null,
      organization: p.organization ?? null,
      startPasswordSecret: p.startPasswordSecret ?? null,
    },
    call,
    read: (work, kind = 'read') => tryTwice(() => call(work, kind), isPassing),
    pace: () => pace.state(),
  };
}

function judge(settled: Settled<unknown>): Verdict {
  if (settled.ok) return { state: 'done' };
  const { error } = settled;
  if (error instanceof NetworkError) {
    const { headers, status } = error.response;
    if (status !== 429 && status !== 503 && status !== 504) return { state: 'failed' };
    const afterMs = readRetryAfter({ header: headers.get('retry-after'), now: Date.now() });
    return { state: 'overload', afterMs };
  }
  const late = error instanceof Error && error.name === 'TimeoutError';
  return late ? { state: 'overload', afterMs: null } : { state: 'failed' };
}

/** Waits a moment in between, so that the other dead connections of the pool are noticed too. */
async function tryTwice<T>(work: () => Promise<T>, again: (error: unknown) => boolean): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!again(error)) throw error;
    await sleep(100);
    return await work();
  }
}

function isBroken(error: unknown): boolean {
  const code = (error as { cause?: { code?: unknown } }).cause?.code;
  return code === 'ECONNRESET' || code === 'UND_ERR_SOCKET';
}

/** A server that says when to come back is not asked again before. */
function isPassing(error: unknown): boolean {
  if (!(error instanceof NetworkError)) return isBroken(error);
  return error.response.status >= 500 && !error.response.headers.has('retry-after');
}

interface Token {
  readonly value: string;
  /** Milliseconds on the monotonic clock. */
  readonly renewAt: number;
}

/**
 * One fetch at a time, renewed at 80 % of a token's life. The client's own renewal starts one fetch
 * per waiting call (10 of 10 measured), and throws for service accounts, which have no refresh token.
 */
function singleFlightTokens(fetchOne: () => Promise<Token>): {
  get(): Promise<string>;
  drop(value: string): void;
} {
  let current: Token | null = null;
  let flying: Promise<Token> | null = null;
  return {
    async get() {
      if (current !== null && performance.now() < current.renewAt) return current.value;
      flying ??= fetchOne().finally(() => {
        flying = null;
      });
      current = await flying;
      return current.value;
    },
    drop(value) {
      if (current?.value === value) current = null;
    },
  };
}

async function fetchToken(p: KeycloakConnection & { readonly timeoutMs: number }): Promise<Token> {
  const started = performance.now();
  const byUser = 'user' in p.credentials;
  const realm = byUser ? 'master' : p.realm;
  const form = byUser
    ? {
        grant_type: 'password',
        client_id: 'admin-cli',
        username: p.credentials.user,
        password: p.credentials.password,
      }
    : {
        grant_type: 'client_credentials',
        client_id: p.credentials.clientId,
        client_secret: p.credentials.clientSecret,
      };
  const address = `${p.url}/realms/${encodeURIComponent(realm)}/protocol/openid-connect/token`;
  const answer = await postForm({ address, form, timeoutMs: p.timeoutMs });
  if (answer.status === 404) {
    throw new SignInError({
      code: 'realm-missing',
      message: `Keycloak has no realm "${realm}": check the target's realm and address.`,
    });
  }
  // Measured on 26.7.5: a wrong password answers 400 invalid_grant, a wrong client secret 401.
  if (answer.status === 400 || answer.status === 401 || answer.status === 403) {
    throw new SignInError({
      code: 'sign-in-refused',
      message: `Keycloak refused the sign-in (${answer.status}): check the target's credentials.`,
    });
  }
  const data: unknown = await answer.json().catch(() => null);
  if (!answer.ok) {
    throw new NetworkError('token endpoint failed', { response: answer, responseData: data });
  }
  const token = tokenAnswer.parse(data);
  return { value: token.access_token, renewAt: started + token.expires_in * 800 };
}

/** Asking for a token twice does no harm. */
function postForm(p: {
  readonly address: string;
  readonly form: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
}): Promise<Response> {
  return tryTwice(
    () =>
      fetch(p.address, {
        method: 'POST',
        body: new URLSearchParams(p.form),
        signal: AbortSignal.timeout(p.timeoutMs),
      }),
    isBroken,
  );
}
