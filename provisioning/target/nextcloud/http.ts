import { Agent, request } from 'undici';
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
}

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
export function openHttp(p: { readonly url: string; readonly timeoutMs: number }): Http {
  const agent = new Agent({
    connections: 8,
    connect: { timeout: Math.min(p.timeoutMs, 10_000) },
    headersTimeout: p.timeoutMs,
    bodyTimeout: p.timeoutMs,
  });
  const base = p.url.replace(/\/+$/, '');

  async function sendOnce(asked: HttpRequest): Promise<HttpAnswer> {
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
    [Symbol.asyncDispose]: () => agent.close(),
  };
}

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
