import { Agent, request } from 'undici';
import {
  openPace,
  type PaceClock,
  PaceHeldError,
  type PaceState,
  type Settled,
  type Verdict,
} from '../pace/pace.ts';
import { readRetryAfter } from '../pace/retry-after.ts';
import { NextcloudError } from './failure.ts';

export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'MKCOL' | 'PROPFIND' | 'PROPPATCH';
  /** Behind the server's address, with query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly form: Readonly<Record<string, string | readonly string[]>> | null;
  /** An XML document in place of a form. */
  readonly xml?: string;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

export interface Http extends AsyncDisposable {
  send(request: HttpRequest): Promise<HttpAnswer>;
  /** Of every request, sign-in and reading among them. */
  pace(): PaceState;
}

/** As many as any kind of row may have at once (connector.ts), each with one request at a time. */
const parallelRequests = 4;

/** Errors after which the request cannot have reached the application. */
const notSent = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
  'CERT_HAS_EXPIRED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'ERR_TLS_CERT_ALTNAME_INVALID',
]);

const closedMeanwhile = new Set(['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE']);

/** One keep-alive pool for a server. Every failure is a NextcloudError that says whether the request may have had an effect. */
export function openHttp(p: {
  readonly url: string;
  readonly timeoutMs: number;
  /** The system's by default. */
  readonly clock?: PaceClock;
}): Http {
  const agent = new Agent({
    connections: 8,
    connect: { timeout: Math.min(p.timeoutMs, 10_000) },
    headersTimeout: p.timeoutMs,
    bodyTimeout: p.timeoutMs,
  });
  const base = p.url.replace(/\/+$/, '');

  const pace = openPace({ cap: parallelRequests, ...p });

  function sendOnce(asked: HttpRequest): Promise<HttpAnswer> {
    const judged = (settled: Settled<HttpAnswer>) => judge({ asked, settled });
    return pace.run({ kind: kindOf(asked), work: () => exchange(asked), judge: judged });
  }

  async function exchange(asked: HttpRequest): Promise<HttpAnswer> {
    const [type, body] = encodeBody(asked);
    const response = await request(`${base}${asked.path}`, {
      method: asked.method as 'GET',
      dispatcher: agent,
      headers: { ...asked.headers, ...type },
      body,
    });
    const text = await response.body.text();
    return { status: response.statusCode, headers: response.headers, text };
  }

  return {
    async send(asked) {
      try {
        return await sendOnce(asked);
      } catch (cause) {
        // A kept connection that the server closed meanwhile, as a restart does: reading again is safe.
        if (asked.method !== 'GET' || !closedMeanwhile.has(codeOf(cause)))
          throw explain(asked, cause);
      }
      return sendOnce(asked).catch((cause: unknown) => {
        throw explain(asked, cause);
      });
    },
    pace: () => pace.state(),
    [Symbol.asyncDispose]: () => agent.close(),
  };
}

/** The endpoint without the id that it is about, and whether a page of a list was asked for. */
function kindOf({ method, path }: HttpRequest): string {
  const [route = '', query = ''] = path.split('?');
  const segments = route.split('/').slice(1);
  const names = [...new URLSearchParams(query).keys()].sort();
  return [method, ...segments.slice(0, 4), segments.length, ...names].join(' ');
}

function judge(p: { readonly asked: HttpRequest; readonly settled: Settled<HttpAnswer> }): Verdict {
  const { asked, settled } = p;
  if (!settled.ok) {
    const late = tooLate.has(codeOf(settled.error));
    return late ? { state: 'overload', afterMs: null } : { state: 'failed' };
  }
  const { headers, status } = settled.value;
  if (status === 429 || status === 503 || status === 504) {
    const afterMs = readRetryAfter({ header: headers['retry-after'], now: Date.now() });
    if (afterMs === null && status === 429 && isRationed(asked)) return { state: 'failed' };
    return { state: 'overload', afterMs };
  }
  // A refusal comes quicker than the work that it refuses.
  return { state: status < 400 ? 'done' : 'failed' };
}

/** Edits of profiles are rationed (decision 0027): that one is refused says nothing of the server's load. */
function isRationed({ method, path }: HttpRequest): boolean {
  return (method === 'PUT' || method === 'PATCH') && /\/cloud\/users\/[^/?]+(\?|$)/.test(path);
}

const tooLate = new Set(['UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT']);

function encodeBody(asked: HttpRequest): [Readonly<Record<string, string>>, string | null] {
  if (asked.xml !== undefined) return [{ 'Content-Type': 'application/xml' }, asked.xml];
  if (asked.form === null) return [{}, null];
  return [{ 'Content-Type': 'application/x-www-form-urlencoded' }, encodeForm(asked.form)];
}

function encodeForm(form: Readonly<Record<string, string | readonly string[]>>): string {
  const body = new URLSearchParams();
  for (const [name, value] of Object.entries(form)) {
    for (const one of typeof value === 'string' ? [value] : value) body.append(name, one);
  }
  return body.toString();
}

/**
 * A status line such as `HTTP/1.1 1062` (recordings 34.0.1/25 and 29.0.1/17: a database error number
 * used as status) fails in the parser as HPE_INVALID_STATUS: the answer is lost, the write may stand.
 */
function explain(asked: HttpRequest, cause: unknown): NextcloudError {
  const code = codeOf(cause);
  const where = `${asked.method} ${asked.path.split('?')[0]}`;
  if (cause instanceof PaceHeldError) {
    const { afterMs } = cause;
    return new NextcloudError({ code: 'busy', message: `${where}: ${cause.message}`, afterMs });
  }
  const message = `${where}: ${code}`;
  if (notSent.has(code)) return new NextcloudError({ code: 'unreachable', message, cause });
  const byServer = code.startsWith('HPE_');
  return new NextcloudError({
    code: byServer ? 'server-error' : 'connection-lost',
    message,
    cause,
  });
}

function codeOf(cause: unknown): string {
  if (!(cause instanceof Error)) return 'unknown';
  const { code } = cause as Error & { readonly code?: unknown };
  if (typeof code === 'string') return code;
  return cause.cause === undefined ? cause.name : codeOf(cause.cause);
}
