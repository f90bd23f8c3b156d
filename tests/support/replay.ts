import { readFileSync } from 'node:fs';
import { compareResponse, type Difference } from './compare.ts';
import { exchangeRaw, type RawResponse } from './raw-http.ts';
import { type RecordedRequest, type Recording, valueAt } from './recording.ts';

export type { Difference } from './compare.ts';
export type { RecordedRequest, Recording } from './recording.ts';

export function readRecording(file: string): Recording {
  return JSON.parse(readFileSync(file, 'utf8')) as Recording;
}

export interface ReplayReport {
  readonly scenario: string;
  /** Requests sent; every one of them was compared. */
  readonly exchanges: number;
  readonly differences: readonly Difference[];
}

/**
 * Sends the steps of a recording to a server and compares every answer with the recorded one. The
 * server must stand at the recording's baseline. Ids that the server gave earlier replace the
 * recorded ones (`bindings`), and cookies are kept where a step asks for them.
 */
export async function replayRecording(p: {
  readonly recording: Recording;
  /** Scheme, host and port; recorded paths are put behind it as they are. */
  readonly url: string;
  /**
   * Turns the recording's labels into what this server takes: the Authorization label into a header
   * or a form field, `<password>` into a password. Asynchronous, since a label may need a login first.
   */
  readonly dress: (request: RecordedRequest) => Promise<RecordedRequest> | RecordedRequest;
  /** Does what an administrator did before the step, outside HTTP. */
  readonly before?: (what: string) => Promise<void>;
}): Promise<ReplayReport> {
  const differences: Difference[] = [];
  const bodies: unknown[] = [];
  const jar = new Map<string, string>();
  for (const [index, step] of p.recording.steps.entries()) {
    if (step.before !== undefined) {
      if (p.before === undefined) throw new Error(`step ${index} needs: ${step.before}`);
      await p.before(step.before);
    }
    const bound = bindRequest({ recording: p.recording, step: index, bodies });
    const request = await p.dress(bound);
    const actual = await exchangeRaw({ url: p.url, request: toRaw({ request, jar }) });
    if (step.request.headers['Cookie'] !== undefined) keepCookies({ jar, response: actual });
    bodies.push(parseOrNull(actual.body));
    differences.push(...compareResponse({ recording: p.recording, step: index, actual }));
  }
  return { scenario: p.recording.scenario, exchanges: bodies.length, differences };
}

/** Differences as lines to read in a test's message. */
export function describeDifferences(report: ReplayReport): string {
  return report.differences
    .map(
      (difference) =>
        `${report.scenario} step ${difference.step} "${difference.name}" ${difference.where}\n` +
        `    expected ${short(difference.expected)}\n    actual   ${short(difference.actual)}`,
    )
    .join('\n');
}

function short(value: unknown): string {
  return (JSON.stringify(value) ?? 'nothing').slice(0, 700);
}

function bindRequest(p: {
  readonly recording: Recording;
  readonly step: number;
  readonly bodies: readonly unknown[];
}): RecordedRequest {
  const recorded = p.recording.steps[p.step]?.request;
  if (recorded === undefined) throw new Error(`no step ${p.step}`);
  const prefix = `/steps/${p.step}/request/`;
  const request = structuredClone(recorded) as unknown as Record<string, unknown>;
  for (const binding of Object.values(p.recording.bindings ?? {})) {
    const given = boundValue(binding.from, p.bodies);
    if (given === undefined) continue;
    for (const pointer of binding.usedIn) {
      if (!pointer.startsWith(prefix)) continue;
      const tokens = pointer.slice(prefix.length).split('/');
      const last = (tokens.pop() ?? '').replaceAll('~1', '/').replaceAll('~0', '~');
      const holder = valueAt({ document: request, pointer: ['', ...tokens].join('/') });
      const fields = holder as Record<string, unknown>;
      fields[last] = replaceToken(fields[last], String(binding.value), given);
    }
  }
  return request as unknown as RecordedRequest;
}

function boundValue(from: string, bodies: readonly unknown[]): unknown {
  const [, step, pointer] = /^\/steps\/(\d+)\/response\/body(.*)$/.exec(from) ?? [];
  if (step === undefined) throw new Error(`a binding must come from a response body, not ${from}`);
  return valueAt({ document: bodies[Number(step)], pointer: pointer ?? '' });
}

/** The recorded id as a whole value, or as a whole word inside a path or a text body. */
function replaceToken(value: unknown, recorded: string, given: unknown): unknown {
  if (typeof value === 'number') return given;
  const escaped = recorded.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
  const word = new RegExp(`(?<![\\w.-])${escaped}(?![\\w.-])`, 'g');
  return String(value).replace(word, String(given));
}

function toRaw(p: { readonly request: RecordedRequest; readonly jar: Map<string, string> }) {
  const { request } = p;
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(request.headers)) {
    if (name === 'Cookie') {
      const cookies = [...p.jar].map(([key, content]) => `${key}=${content}`).join('; ');
      if (value !== '<none>') headers['Cookie'] = cookies;
    } else {
      headers[name] = value;
    }
  }
  const query = encodeFields(request.query ?? {});
  return {
    method: request.method,
    target: query === '' ? request.path : `${request.path}?${query}`,
    headers,
    body: encodeBody(request),
  };
}

function encodeBody(request: RecordedRequest): string {
  const { body } = request;
  if (body === null || body === undefined) return '';
  if (typeof body === 'string') return body;
  const type = request.headers['Content-Type'] ?? '';
  return type.includes('json')
    ? JSON.stringify(body)
    : encodeFields(body as Record<string, string | readonly string[]>);
}

function encodeFields(fields: Readonly<Record<string, unknown>>): string {
  const pairs: string[] = [];
  for (const [name, value] of Object.entries(fields)) {
    for (const one of Array.isArray(value) ? value : [value]) {
      pairs.push(`${encodeURIComponent(name)}=${encodeURIComponent(String(one))}`);
    }
  }
  return pairs.join('&');
}

function keepCookies(p: { readonly jar: Map<string, string>; readonly response: RawResponse }) {
  for (const cookie of p.response.headers.get('set-cookie') ?? []) {
    const [pair = ''] = cookie.split(';');
    const at = pair.indexOf('=');
    p.jar.set(pair.slice(0, at), pair.slice(at + 1));
  }
}

function parseOrNull(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
