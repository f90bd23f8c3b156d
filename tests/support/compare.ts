import type { RawResponse } from './raw-http.ts';
import { escapeToken, type RecordedResponse, type Recording } from './recording.ts';

export interface Difference {
  readonly step: number;
  readonly name: string;
  /** Pointer into the response, for example `/body/ocs/meta/statuscode`. */
  readonly where: string;
  readonly expected: unknown;
  readonly actual: unknown;
}

/** The headers the recordings keep: one that is not in a recording must not be in the answer either. */
const keptHeaders = [
  'Content-Type',
  'Retry-After',
  'X-Nextcloud-Maintenance-Mode',
  'WWW-Authenticate',
  'DAV',
  'Allow',
  'ETag',
  'OC-ETag',
  'OC-FileId',
  'Location',
];

interface Context {
  readonly step: number;
  readonly name: string;
  readonly volatile: ReadonlySet<string>;
  readonly volatileKeys: ReadonlySet<string>;
  readonly elements: readonly string[];
  readonly found: Difference[];
}

/** What differs between a recorded answer and a given one, apart from what the recording lists as volatile. */
export function compareResponse(p: {
  readonly recording: Recording;
  readonly step: number;
  readonly actual: RawResponse;
}): readonly Difference[] {
  const step = p.recording.steps[p.step];
  if (step === undefined) throw new Error(`no step ${p.step} in ${p.recording.scenario}`);
  const context: Context = {
    step: p.step,
    name: step.name,
    volatile: new Set(p.recording.volatile),
    volatileKeys: new Set(p.recording.volatileKeys),
    elements: p.recording.volatileElements ?? [],
    found: [],
  };
  const expected = step.response;
  if (expected.status === null) {
    check(context, '/statusLine', expected.statusLine?.trim(), p.actual.statusLine.trim());
  } else {
    check(context, '/status', expected.status, p.actual.status);
  }
  compareHeaders(context, expected, p.actual);
  compareBody(context, expected, p.actual.body);
  return context.found;
}

function check(context: Context, where: string, expected: unknown, actual: unknown): void {
  if (expected === actual) return;
  if (typeof expected === 'string' && typeof actual === 'string' && matches(expected, actual))
    return;
  context.found.push({ step: context.step, name: context.name, where, expected, actual });
}

/** `{base}`, `{datadir}` and the like in a recorded text stand for anything on one line. */
function matches(expected: string, actual: string): boolean {
  if (!/\{[a-z-]+\}/.test(expected)) return false;
  const parts = expected
    .split(/\{[a-z-]+\}/)
    .map((part) => part.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*?')}$`, 's').test(actual);
}

function isVolatile(context: Context, where: string): boolean {
  return context.volatile.has(`/steps/${context.step}/response${where}`);
}

function compareHeaders(context: Context, expected: RecordedResponse, actual: RawResponse): void {
  for (const name of new Set([...keptHeaders, ...Object.keys(expected.headers)])) {
    const where = `/headers/${escapeToken(name)}`;
    const wanted = expected.headers[name];
    const given = actual.headers.get(name.toLowerCase());
    if (isVolatile(context, where)) {
      check(context, where, wanted !== undefined, given !== undefined);
    } else if (name === 'Set-Cookie') {
      compareCookies(context, where, wanted ?? '', given ?? []);
    } else {
      check(context, where, wanted, given?.join(', '));
    }
  }
}

/** Recorded as `names only: a, b`; `{instanceid}` is a name that every server makes up itself. */
function compareCookies(
  context: Context,
  where: string,
  wanted: string,
  given: readonly string[],
): void {
  const names = new Set(given.map((cookie) => cookie.split('=')[0] ?? ''));
  const expected = wanted.replace('names only: ', '').split(', ');
  for (const name of expected) {
    const found = name.startsWith('{')
      ? [...names].find((candidate) => !expected.includes(candidate))
      : name;
    check(context, where, name, found !== undefined && names.delete(found) ? name : 'absent');
  }
  check(context, where, '', [...names].join(', '));
}

function compareBody(context: Context, expected: RecordedResponse, actual: string): void {
  const wanted = expected.body;
  if (typeof wanted !== 'string') {
    let parsed: unknown;
    try {
      parsed = JSON.parse(actual);
    } catch {
      check(context, '/body', wanted, actual);
      return;
    }
    compareValue(context, '/body', wanted, parsed);
  } else if (isVolatile(context, '/body')) {
    return;
  } else if (wanted === '<!DOCTYPE html>') {
    check(context, '/body', wanted, actual.trimStart().slice(0, wanted.length));
  } else {
    const left = blankElements(wanted, context.elements);
    const right = blankElements(actual, context.elements);
    // A cut text may end inside an element that is blanked when whole: leave its tail out.
    const cut = expected.bodyTruncatedFromBytes !== undefined;
    const length = Math.max(0, left.length - 200);
    check(
      context,
      '/body',
      cut ? left.slice(0, length) : left,
      cut ? right.slice(0, length) : right,
    );
  }
}

function blankElements(text: string, elements: readonly string[]): string {
  let blanked = text;
  for (const element of elements) {
    const [name = '', attribute] = element.split(' ');
    const [key, value] = (attribute ?? '').split('=');
    const open = attribute === undefined ? `<${name}(?: [^>]*)?>` : `<${name} ${key}="${value}">`;
    blanked = blanked.replace(new RegExp(`(${open}).*?(</${name}>)`, 'gs'), '$1$2');
  }
  return blanked;
}

function compareValue(context: Context, where: string, expected: unknown, actual: unknown): void {
  if (isVolatile(context, where)) {
    check(context, where, kindOf(expected), kindOf(actual));
    return;
  }
  if (typeof expected !== 'object' || expected === null) {
    check(context, where, expected, actual);
    return;
  }
  if (kindOf(expected) !== kindOf(actual)) {
    check(context, where, expected, actual);
    return;
  }
  const left = Object.entries(expected);
  const right = Object.entries(actual as object);
  if (context.volatileKeys.has(`/steps/${context.step}/response${where}`)) {
    check(context, `${where} (entries)`, left.length, right.length);
    for (const [index, [key, value]] of left.entries()) {
      compareValue(context, `${where}/${escapeToken(key)}`, value, right[index]?.[1]);
    }
    return;
  }
  const given = new Map(right);
  for (const [key, value] of left) {
    compareValue(context, `${where}/${escapeToken(key)}`, value, given.get(key));
    given.delete(key);
  }
  for (const [key, value] of given) {
    check(context, `${where}/${escapeToken(key)}`, undefined, value);
  }
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'array' : typeof value;
}
