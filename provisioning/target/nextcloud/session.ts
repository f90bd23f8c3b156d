import type { PaceClock, PaceState } from '../pace/pace.ts';
import { readRetryAfter } from '../pace/retry-after.ts';
import { NextcloudError } from './failure.ts';
import { type Http, type HttpAnswer, type HttpRequest, openHttp } from './http.ts';
import { Bare, Envelope } from './schema.ts';

export interface Ask {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Behind the server's address; `format=json` is added. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly form?: Readonly<Record<string, string | readonly string[]>>;
}

/** WebDAV in the home of the service account. */
export interface DavAsk {
  readonly method: 'MKCOL' | 'PROPFIND' | 'PROPPATCH';
  /** Segments below the home, as they are. */
  readonly path: readonly string[];
  /** 1: with what lies directly in it; 0 when left out. */
  readonly depth?: 0 | 1;
  readonly xml?: string;
}

/** An answer that could be read, successful or not. */
export interface Reply {
  readonly ok: boolean;
  /** The OCS code, or the HTTP status where there is no envelope. */
  readonly code: number;
  readonly message: string;
  readonly data: unknown;
}

export interface Session extends AsyncDisposable {
  /** Signs in when needed. Throws NextcloudError; what the endpoint refuses is an ordinary reply. */
  ask(asked: Ask): Promise<Reply>;
  /**
   * The session's cookies are enough for WebDAV too, together with the header that OCS wants: 0.04 s
   * a call against 0.8 s with Basic (measured, Nextcloud 32.0.1). What WebDAV refuses is an answer.
   */
  askDav(asked: DavAsk): Promise<HttpAnswer>;
  /** Without signing in; for status.php. */
  readPublic(path: string): Promise<HttpAnswer>;
  pace(): PaceState;
}

/** The confirmation holds 30 minutes and 15 seconds; renewed well before, also when a request waits long. */
const renewAfterMs = 25 * 60 * 1000;
/** A refused password is not tried again at once: ten wrong ones make the server slow for everybody behind our address. */
const refusedForMs = 60 * 1000;

/**
 * Basic costs the server an argon2 verification per request (0.25-0.5 s, reference), so it is sent
 * twice only: the first answer sets a test cookie, the second makes the session (recording
 * nextcloud-34.0.1/20). After that the cookies are enough, for writes too while the password counts
 * as confirmed.
 */
export function openSession(p: {
  readonly url: string;
  readonly user: string;
  readonly password: string;
  readonly timeoutMs: number;
  readonly clock?: PaceClock;
}): Session {
  const http = openHttp(p);
  const basic = `Basic ${Buffer.from(`${p.user}:${p.password}`).toString('base64')}`;
  let jar = new Map<string, string>();
  let signedInAt = Number.NEGATIVE_INFINITY;
  let refusedAt = Number.NEGATIVE_INFINITY;
  let signingIn: Promise<void> | null = null;

  async function signIn(): Promise<void> {
    if (Date.now() - refusedAt < refusedForMs) throw refusedSignIn();
    const fresh = new Map<string, string>();
    for (let round = 0; round < 2; round += 1) {
      const asked: Ask = { method: 'GET', path: '/ocs/v2.php/cloud/user' };
      const answer = await send({ http, asked, jar: fresh, authorization: basic });
      const reply = readReply({ asked, answer });
      if (reply.code === 997 || answer.status === 401) {
        refusedAt = Date.now();
        throw refusedSignIn();
      }
      if (!reply.ok) throw unreadable(asked, answer);
    }
    jar = fresh;
    signedInAt = Date.now();
  }

  /** Everybody who finds the session too old waits for the same sign-in. */
  async function ensureSession(staleSince: number): Promise<void> {
    if (signedInAt > staleSince && Date.now() - signedInAt < renewAfterMs) return;
    signingIn ??= signIn().finally(() => {
      signingIn = null;
    });
    await signingIn;
  }

  async function ask(asked: Ask): Promise<Reply> {
    await ensureSession(Number.NEGATIVE_INFINITY);
    const usedSignIn = signedInAt;
    const first = await sendWithCookies(asked);
    if (!isStale(first)) return first;
    // Refused before anything was done, so that sending it again is safe.
    await ensureSession(usedSignIn);
    const second = await sendWithCookies(asked);
    if (second.code === 403 && isConfirmationRefusal(second)) {
      throw new NextcloudError({
        code: 'confirmation-refused',
        message: `${asked.path}: the server wants the account's own password for writes, an app password is not enough`,
      });
    }
    return second;
  }

  async function sendWithCookies(asked: Ask): Promise<Reply> {
    const answer = await send({ http, asked, jar, authorization: null });
    return readReply({ asked, answer });
  }

  async function askDav(asked: DavAsk): Promise<HttpAnswer> {
    await ensureSession(Number.NEGATIVE_INFINITY);
    const usedSignIn = signedInAt;
    const first = await sendDav(asked);
    if (first.status !== 401) return first;
    await ensureSession(usedSignIn);
    return sendDav(asked);
  }

  async function sendDav(asked: DavAsk): Promise<HttpAnswer> {
    const path = `/remote.php/dav/files/${[p.user, ...asked.path].map(encodeURIComponent).join('/')}`;
    const headers = {
      'OCS-APIRequest': 'true',
      Depth: String(asked.depth ?? 0),
      ...cookieHeader(jar),
    };
    const xml = asked.xml === undefined ? {} : { xml: asked.xml };
    const answer = await http.send({ method: asked.method, path, headers, form: null, ...xml });
    keepCookies(jar, answer);
    const where = { method: asked.method, path: '/remote.php/dav' };
    if (answer.status === 503) throw closed({ asked: where, answer });
    if (answer.status === 502 || answer.status === 504) throw unreadable(where, answer);
    return answer;
  }

  return {
    ask,
    askDav,
    readPublic: (path) => http.send({ method: 'GET', path, headers: {}, form: null }),
    pace: () => http.pace(),
    [Symbol.asyncDispose]: () => http[Symbol.asyncDispose](),
  };
}

function refusedSignIn(): NextcloudError {
  return new NextcloudError({
    code: 'sign-in-refused',
    message:
      'the server refuses the service account: check its name, its password, and that it is enabled',
  });
}

/** 997 the session is gone; 403 the confirmation ran out; 412 the cookies no longer belong together. */
function isStale(reply: Reply): boolean {
  return reply.code === 997 || reply.code === 412 || isConfirmationRefusal(reply);
}

function isConfirmationRefusal(reply: Reply): boolean {
  return reply.code === 403 && /password confirmation/i.test(reply.message);
}

async function send(p: {
  readonly http: Http;
  readonly asked: Ask;
  readonly jar: Map<string, string>;
  readonly authorization: string | null;
}): Promise<HttpAnswer> {
  const query = new URLSearchParams({ ...p.asked.query, format: 'json' });
  const headers: Record<string, string> = {
    'OCS-APIRequest': 'true',
    Accept: 'application/json',
    'Accept-Language': 'en',
  };
  if (p.authorization !== null) headers['Authorization'] = p.authorization;
  Object.assign(headers, cookieHeader(p.jar));
  const answer = await p.http.send({
    method: p.asked.method,
    path: `${p.asked.path}?${query}`,
    headers,
    form: p.asked.form ?? null,
  });
  keepCookies(p.jar, answer);
  return answer;
}

function cookieHeader(jar: ReadonlyMap<string, string>): Record<string, string> {
  if (jar.size === 0) return {};
  return { Cookie: [...jar].map(([name, value]) => `${name}=${value}`).join('; ') };
}

function keepCookies(jar: Map<string, string>, answer: HttpAnswer): void {
  const header = answer.headers['set-cookie'] ?? [];
  for (const cookie of typeof header === 'string' ? [header] : header) {
    const [pair = ''] = cookie.split(';');
    const at = pair.indexOf('=');
    const value = pair.slice(at + 1);
    if (value === '' || value === 'deleted') jar.delete(pair.slice(0, at));
    else jar.set(pair.slice(0, at), value);
  }
}

/** Decides on the body, not on the HTTP status, which v1 routes and Team folders leave at 200. */
export function readReply(p: { readonly asked: Ask; readonly answer: HttpAnswer }): Reply {
  const { answer } = p;
  if (answer.status === 503) throw closed(p);
  if (answer.status === 429) {
    const afterMs = retryAfterMs(answer) ?? 30_000;
    throw new NextcloudError({ code: 'too-many-requests', message: describe(p), afterMs });
  }
  const body = parseJson(answer.text);
  const envelope = Envelope.safeParse(body);
  if (envelope.success) {
    const { meta, data } = envelope.data.ocs;
    const ok = meta.statuscode === 200 || meta.statuscode === 100;
    return { ok, code: meta.statuscode, message: meta.message ?? '', data };
  }
  // 29.0.1 answers a refused login as XML although JSON was asked for (recording 29.0.1/02).
  const code = /<statuscode>(\d+)<\/statuscode>/.exec(answer.text)?.[1];
  if (code !== undefined && code !== '200' && code !== '100') {
    const message = /<message>([^<]*)<\/message>/.exec(answer.text)?.[1] ?? '';
    return { ok: false, code: Number(code), message, data: [] };
  }
  const bare = Bare.safeParse(body);
  if (bare.success && answer.status >= 400) {
    return { ok: false, code: answer.status, message: bare.data.message, data: [] };
  }
  // An empty 400 is how 34.0.1 refuses a missing parameter; 404 is an app that is not installed.
  if (answer.status === 400 || answer.status === 404 || answer.status === 405) {
    return { ok: false, code: answer.status, message: '', data: [] };
  }
  throw unreadable(p.asked, answer);
}

type Asked = Pick<HttpRequest, 'method' | 'path'>;

function closed(p: { readonly asked: Asked; readonly answer: HttpAnswer }): NextcloudError {
  // The WebDAV page of maintenance has the exception's name and no header (recording 34.0.1/30).
  const { headers, text } = p.answer;
  const planned =
    headers['x-nextcloud-maintenance-mode'] === '1' || /maintenance ?mode/i.test(text);
  const afterMs = retryAfterMs(p.answer);
  const state = planned ? 'the server is in maintenance' : 'the server is closed for the moment';
  const when = afterMs === null ? '' : `; try again after ${Math.round(afterMs / 1000)} s`;
  return new NextcloudError({
    code: planned ? 'maintenance' : 'busy',
    message: `${describe(p)}: ${state}${when}`,
    afterMs: afterMs ?? 0,
  });
}

function retryAfterMs(answer: HttpAnswer): number | null {
  return readRetryAfter({ header: answer.headers['retry-after'], now: Date.now() });
}

function describe(p: { readonly asked: Asked; readonly answer: HttpAnswer }): string {
  return `${p.asked.method} ${p.asked.path}: HTTP ${p.answer.status}`;
}

/** HTML, an empty page, a proxy's error: nobody knows what was done. A redirect names another address. */
function unreadable(asked: Asked, answer: HttpAnswer): NextcloudError {
  const message = describe({ asked, answer });
  if (answer.status >= 300 && answer.status < 400) {
    return new NextcloudError({
      code: 'not-nextcloud',
      message: `${message}: the server sends us elsewhere; configure the address it redirects to`,
    });
  }
  return new NextcloudError({ code: 'server-error', message: `${message}, not a readable answer` });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
