/** One made-up person's browser: its own connection, its own cookies, the real pages and forms. */

import { createHash, randomBytes } from 'node:crypto';
import { Client } from 'undici';
import { z } from 'zod';
import { openCookies } from './cookies.ts';
import type { LoginForm } from './login-form.ts';
import { findLoginForm } from './login-form.ts';
import type { Cause } from './measure.ts';

/** The realm, and the two applications that people sign in to. */
export interface Site {
  /** Base address of the realm, `https://host/realms/NAME`. */
  readonly realm: string;
  readonly applications: readonly [string, string];
  /** Where both would be sent back to. Nobody goes there. */
  readonly redirectUri: string;
  readonly timeoutMs: number;
}

export class BrowserFailure extends Error {
  override readonly name = 'BrowserFailure';
  readonly code: Cause;

  constructor(code: Cause) {
    super(`The sign-in came to a halt: ${code}`);
    this.code = code;
  }
}

/** An authorisation that is under way. */
export interface Ticket {
  readonly application: string;
  readonly state: string;
  readonly verifier: string;
}

/** Every step throws BrowserFailure, and nothing else, for what the server does. */
export interface Browser extends AsyncDisposable {
  openLoginPage(
    application: string,
  ): Promise<{ readonly ticket: Ticket; readonly form: LoginForm }>;
  /** Gives the code. */
  postForm(p: {
    readonly ticket: Ticket;
    readonly form: LoginForm;
    readonly username: string;
    readonly password: string;
  }): Promise<string>;
  /** Opens an application on the session that is there already; gives the code. */
  comeBack(application: string): Promise<{ readonly ticket: Ticket; readonly code: string }>;
  takeToken(p: { readonly ticket: Ticket; readonly code: string }): Promise<void>;
}

const TokenAnswer = z.object({ access_token: z.string().min(1) });

export function openBrowser(site: Site): Browser {
  const client = new Client(new URL(site.realm).origin, {
    headersTimeout: site.timeoutMs,
    bodyTimeout: site.timeoutMs,
    connectTimeout: site.timeoutMs,
  });
  const cookies = openCookies();

  async function send(p: {
    readonly address: string;
    readonly form?: Readonly<Record<string, string>>;
  }): Promise<Answer> {
    const url = new URL(p.address);
    const cookie = cookies.header();
    try {
      const { body, headers, statusCode } = await client.request({
        path: `${url.pathname}${url.search}`,
        method: p.form === undefined ? 'GET' : 'POST',
        headers: {
          accept: 'text/html,application/json',
          ...(cookie === '' ? {} : { cookie }),
          ...(p.form && { 'content-type': 'application/x-www-form-urlencoded' }),
        },
        ...(p.form && { body: new URLSearchParams(p.form).toString() }),
      });
      const set = headers['set-cookie'] ?? [];
      cookies.take(typeof set === 'string' ? [set] : set);
      const location = headers['location'];
      return {
        status: statusCode,
        location: typeof location === 'string' ? new URL(location, url).href : null,
        text: await body.text(),
      };
    } catch (error) {
      throw new BrowserFailure(causeOf(error));
    }
  }

  const authorize = (ticket: Ticket) => send({ address: authorizeAddress({ site, ticket }) });

  return {
    async openLoginPage(application) {
      const ticket = newTicket(application);
      const answer = await authorize(ticket);
      if (answer.status !== 200) throw new BrowserFailure(causeOfStatus(answer.status));
      const form = findLoginForm({ html: answer.text, page: site.realm });
      if (form === null) throw new BrowserFailure('no-form');
      return { ticket, form };
    },
    async postForm({ form, password, ticket, username }) {
      const fields = { ...form.hidden, username, password };
      return codeIn({ site, ticket, answer: await send({ address: form.action, form: fields }) });
    },
    async comeBack(application) {
      const ticket = newTicket(application);
      const answer = await authorize(ticket);
      if (answer.status === 200) throw new BrowserFailure('asked-again');
      return { ticket, code: codeIn({ site, ticket, answer }) };
    },
    async takeToken({ code, ticket }) {
      const answer = await send({
        address: `${site.realm}/protocol/openid-connect/token`,
        form: {
          grant_type: 'authorization_code',
          client_id: ticket.application,
          redirect_uri: site.redirectUri,
          code,
          code_verifier: ticket.verifier,
        },
      });
      if (answer.status === 400) throw new BrowserFailure('refused');
      if (answer.status !== 200) throw new BrowserFailure(causeOfStatus(answer.status));
      if (!TokenAnswer.safeParse(parseJson(answer.text)).success) {
        throw new BrowserFailure('bad-token');
      }
    },
    [Symbol.asyncDispose]: () => client.destroy(),
  };
}

interface Answer {
  readonly status: number;
  /** Absolute; null: no redirect. */
  readonly location: string | null;
  readonly text: string;
}

function newTicket(application: string): Ticket {
  return {
    application,
    state: randomBytes(12).toString('base64url'),
    verifier: randomBytes(32).toString('base64url'),
  };
}

function authorizeAddress(p: { readonly site: Site; readonly ticket: Ticket }): string {
  const { site, ticket } = p;
  const query = new URLSearchParams({
    client_id: ticket.application,
    redirect_uri: site.redirectUri,
    response_type: 'code',
    scope: 'openid',
    state: ticket.state,
    code_challenge: createHash('sha256').update(ticket.verifier).digest('base64url'),
    code_challenge_method: 'S256',
  });
  return `${site.realm}/protocol/openid-connect/auth?${query}`;
}

/**
 * @throws BrowserFailure `wrong-credentials` where the login page comes again: Keycloak says the same
 * to a locked account
 */
function codeIn(p: {
  readonly site: Site;
  readonly ticket: Ticket;
  readonly answer: Answer;
}): string {
  const { answer, site, ticket } = p;
  if (answer.status === 200) throw new BrowserFailure('wrong-credentials');
  if (answer.status === 400) throw new BrowserFailure('refused');
  if (answer.status !== 302 && answer.status !== 303) {
    throw new BrowserFailure(causeOfStatus(answer.status));
  }
  const location = answer.location ?? '';
  if (!location.startsWith(`${site.redirectUri}?`)) {
    throw new BrowserFailure(
      location.includes('/login-actions/required-action') ? 'required-action' : 'refused',
    );
  }
  const query = new URL(location).searchParams;
  if (query.get('state') !== ticket.state) throw new BrowserFailure('wrong-state');
  const code = query.get('code');
  if (code === null) throw new BrowserFailure('refused');
  return code;
}

function causeOfStatus(status: number): Cause {
  if (status === 429 || status === 503) return 'busy';
  return status >= 500 ? 'server-error' : 'unexpected-status';
}

const noConnection = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
]);
const timeouts = new Set([
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
  'UND_ERR_CONNECT_TIMEOUT',
]);

/** Only what carries a code is the network's doing; the rest is a defect of ours. */
function causeOf(error: unknown): Cause {
  const code = (error as { code?: unknown } | null)?.code;
  if (typeof code !== 'string') throw error;
  if (noConnection.has(code)) return 'no-connection';
  return timeouts.has(code) ? 'timeout' : 'connection-lost';
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
