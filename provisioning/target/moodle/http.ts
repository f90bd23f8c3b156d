import { Agent, request } from 'undici';
import * as z from 'zod';
import {
  openPace,
  type PaceClock,
  PaceHeldError,
  type PaceState,
  type Settled,
  type Verdict,
} from '../pace/pace.ts';
import { readRetryAfter } from '../pace/retry-after.ts';
import { type MoodleFunction, moodleFunctions } from './functions.ts';

/** A form as Moodle takes it: `{a: [{b: 1}]}` is sent as `a[0][b]=1`. */
export type FormValue =
  | string
  | number
  | boolean
  | readonly FormValue[]
  | { readonly [name: string]: FormValue | undefined };

export type MoodleErrorCode =
  /** Moodle looked at it and said no; `reason` is its errorcode. */
  | 'refused'
  /** It said that it cannot now; `afterMs` says when to come again. */
  | 'busy'
  /** Nothing was done: no connection, no token, web services off. */
  | 'unreachable'
  /** It may or may not have been done: read back before trying again. */
  | 'answer-lost';

export class MoodleError extends Error {
  override readonly name = 'MoodleError';
  readonly code: MoodleErrorCode;
  /** Lower-case with hyphens, or Moodle's own errorcode when refused. Never a message: those hold names and HTML. */
  readonly reason: string;
  readonly afterMs: number;

  constructor(p: {
    readonly code: MoodleErrorCode;
    readonly reason: string;
    readonly message: string;
    readonly afterMs?: number;
    readonly cause?: unknown;
  }) {
    super(p.message, { cause: p.cause });
    this.code = p.code;
    this.reason = p.reason;
    this.afterMs = p.afterMs ?? 0;
  }
}

export interface Moodle extends AsyncDisposable {
  /** A call that changes nothing: repeated when its answer is lost. Throws MoodleError. */
  read<T>(p: MoodleCall<T>): Promise<T>;
  /** A call that writes: sent once. Throws MoodleError. */
  write<T>(p: MoodleCall<T>): Promise<T>;
  /** Of both: every call goes through it. */
  pace(): PaceState;
}

export interface MoodleCall<T> {
  readonly function: MoodleFunction;
  readonly params: Readonly<Record<string, FormValue | undefined>>;
  readonly answer: z.ZodType<T>;
  /** For what takes long by nature; the connection's own limit by default. */
  readonly timeoutMs?: number;
}

/** Nothing was gained beyond four calls at a time (reference: batch 50, 4 parallel, 168 users/s). */
const parallelCalls = 4;

/** PHP's default is 1000, and what is beyond is dropped without a word. */
export const maxFormFields = 990;

const readAttempts = 3;

export function openMoodle(p: {
  readonly url: string;
  readonly token: string;
  readonly timeoutMs: number;
  /** The system's by default. */
  readonly clock?: PaceClock;
}): Moodle {
  const endpoint = `${p.url.replace(/\/+$/, '')}/webservice/rest/server.php`;
  const agent = new Agent({
    connections: parallelCalls,
    connect: { timeout: Math.min(p.timeoutMs, 10_000) },
    headersTimeout: p.timeoutMs,
    bodyTimeout: p.timeoutMs,
  });
  const pace = openPace({ cap: parallelCalls, ...p });

  async function exchange<T>(call: MoodleCall<T>): Promise<T> {
    const body = encodeForm({
      wstoken: p.token,
      wsfunction: call.function,
      moodlewsrestformat: 'json',
      ...call.params,
    });
    const sent: { answered: Answered | null } = { answered: null };
    try {
      return await pace.run({
        // A batch of fifty takes longer than one: alike is what is sent within a factor of two.
        kind: `${call.function}/${Math.ceil(Math.log2(body.length))}`,
        async work() {
          const timeoutMs = call.timeoutMs ?? p.timeoutMs;
          sent.answered = await send({ endpoint, agent, body, timeoutMs });
          return understand({ call, answered: sent.answered });
        },
        judge: (settled) => judgeCall({ settled, answered: sent.answered }),
      });
    } catch (error) {
      if (error instanceof PaceHeldError) throw busy('busy', error.afterMs);
      throw error;
    }
  }

  return {
    write: (call) => exchange(call),
    async read(call) {
      for (let attempt = 1; ; attempt += 1) {
        try {
          return await exchange(call);
        } catch (error) {
          if (!(error instanceof MoodleError) || error.code !== 'answer-lost') throw error;
          if (attempt === readAttempts) throw unreachable('no-answer', error);
        }
      }
    },
    pace: () => pace.state(),
    [Symbol.asyncDispose]: () => agent.close(),
  };
}

/** Only what Moodle did counts for its latency: refusals come quicker than the work they refuse. */
function judgeCall(p: {
  readonly settled: Settled<unknown>;
  readonly answered: Answered | null;
}): Verdict {
  if (p.settled.ok) return { state: 'done' };
  const { status, retryAfter } = p.answered ?? { status: 0, retryAfter: null };
  if (status === 429 || status === 503 || status === 504) {
    return { state: 'overload', afterMs: readRetryAfter({ header: retryAfter, now: Date.now() }) };
  }
  const { error } = p.settled;
  const late = p.answered === null && tooLate.has(codeOf((error as { cause?: unknown }).cause));
  return late ? { state: 'overload', afterMs: null } : { state: 'failed' };
}

const tooLate = new Set(['UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT']);

function understand<T>(p: { readonly call: MoodleCall<T>; readonly answered: Answered }): T {
  const { call } = p;
  const value = readAnswer(p.answered);
  refuseWarnings(call.function, value);
  const parsed = call.answer.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new MoodleError({
    code: 'unreachable',
    reason: 'unexpected-answer',
    message: `${call.function} did not answer as Moodle does. Is the address that of a Moodle?`,
  });
}

const warned = z.object({ warnings: z.array(z.unknown()).min(1) });

function refuseWarnings(called: MoodleFunction, value: unknown): void {
  if (moodleFunctions[called] !== 'unexpected' || !warned.safeParse(value).success) return;
  throw new MoodleError({
    code: 'unreachable',
    reason: 'unexpected-warning',
    message: `${called} answered with a warning that nobody expects of it`,
  });
}

interface Answered {
  readonly status: number;
  readonly type: string;
  readonly retryAfter: string | null;
  readonly text: string;
}

async function send(p: {
  readonly endpoint: string;
  readonly agent: Agent;
  readonly body: string;
  readonly timeoutMs: number;
}): Promise<Answered> {
  try {
    const response = await request(p.endpoint, {
      dispatcher: p.agent,
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: p.body,
      headersTimeout: p.timeoutMs,
      bodyTimeout: p.timeoutMs,
    });
    const retryAfter = response.headers['retry-after'];
    return {
      status: response.statusCode,
      type: String(response.headers['content-type'] ?? ''),
      retryAfter: typeof retryAfter === 'string' ? retryAfter : null,
      text: await response.body.text(),
    };
  } catch (error) {
    if (neverSent.has(codeOf(error))) throw unreachable('no-connection', error);
    throw new MoodleError({
      code: 'answer-lost',
      reason: 'answer-lost',
      message: `the connection broke before Moodle answered (${codeOf(error)})`,
      cause: error,
    });
  }
}

/** Failures before a byte of the request can have arrived. */
const neverSent = new Set([
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

function codeOf(error: unknown): string {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : 'unknown';
}

function unreachable(reason: string, cause?: unknown): MoodleError {
  return new MoodleError({
    code: 'unreachable',
    reason,
    message: `Moodle cannot be used (${reason})`,
    cause,
  });
}

/** Errorcodes that speak of the token or the site, and never of the row that was sent. */
const siteErrors: Readonly<Record<string, string>> = {
  invalidtoken: 'invalid-token',
  accessexception: 'function-not-allowed',
  wsaccessusersuspended: 'token-user-suspended',
  wsaccessuserdeleted: 'token-user-deleted',
  wsaccessuserunconfirmed: 'token-user-unconfirmed',
  wsaccessuserexpired: 'token-user-expired',
  wsaccessusernologin: 'token-user-may-not-log-in',
};

/**
 * Errorcodes of what goes wrong after the database has everything: Moodle 4.4 and later mail everybody
 * who is enrolled, by default, and say this when their mail does not work; the whole batch is enrolled
 * all the same (seen on 4.5.6).
 */
const lateErrors: Readonly<Record<string, string>> = {
  'Message was not sent.': 'welcome-mail-failed',
};

const waitMs = 60_000;

const exception = z.object({ exception: z.string(), errorcode: z.string().optional() });

/**
 * HTTP 200 is no success: errors are objects with `exception` (recording moodle-4.5.6/02). 403 with
 * an empty body is "web services off" (29), 503 is maintenance and says for how long (30).
 */
function readAnswer(response: Answered): unknown {
  if (response.status === 503 || response.status === 429) {
    const afterMs = readRetryAfter({ header: response.retryAfter, now: Date.now() });
    throw busy(response.status === 429 ? 'too-many-requests' : 'maintenance', afterMs);
  }
  if (response.status === 403) throw unreachable('web-services-off');
  if (response.status >= 500) {
    throw new MoodleError({
      code: 'answer-lost',
      reason: 'server-error',
      message: `Moodle or a proxy before it answered HTTP ${response.status}`,
    });
  }
  if (response.status !== 200 || !response.type.includes('json')) {
    throw unreachable('unexpected-answer');
  }
  let value: unknown;
  try {
    value = JSON.parse(response.text);
  } catch (error) {
    throw new MoodleError({
      code: 'answer-lost',
      reason: 'answer-cut',
      message: 'Moodle answered JSON that ends early',
      cause: error,
    });
  }
  const failed = exception.safeParse(value);
  if (!failed.success) return value;
  const errorcode = failed.data.errorcode ?? 'php-error';
  if (errorcode === 'sitemaintenance' || errorcode === 'upgraderunning') {
    throw busy('maintenance', null);
  }
  const siteError = siteErrors[errorcode];
  if (siteError !== undefined) throw unreachable(siteError);
  const lateError = lateErrors[errorcode];
  if (lateError !== undefined) {
    throw new MoodleError({
      code: 'answer-lost',
      reason: lateError,
      message: `Moodle wrote it and then failed (${lateError})`,
    });
  }
  // A weak password's errorcode is a page of HTML (recording moodle-4.5.6/08).
  const reason = /^[\w-]{1,60}$/.test(errorcode) ? errorcode : 'refused-with-text';
  throw new MoodleError({ code: 'refused', reason, message: `Moodle refused it (${reason})` });
}

function busy(reason: string, afterMs: number | null): MoodleError {
  return new MoodleError({
    code: 'busy',
    reason,
    message: `Moodle asks to wait (${reason})`,
    afterMs: afterMs ?? waitMs,
  });
}

/** @throws Error when there are more fields than a server of default settings reads. */
export function encodeForm(params: Readonly<Record<string, FormValue | undefined>>): string {
  const pairs: string[] = [];
  const add = (name: string, value: FormValue | undefined): void => {
    if (value === undefined) return;
    if (typeof value === 'object') {
      for (const [key, one] of Object.entries(value)) add(`${name}[${key}]`, one);
    } else {
      const text = typeof value === 'boolean' ? (value ? '1' : '0') : String(value);
      pairs.push(`${encodeURIComponent(name)}=${encodeURIComponent(text)}`);
    }
  };
  for (const [name, value] of Object.entries(params)) add(name, value);
  return pairs.join('&');
}
