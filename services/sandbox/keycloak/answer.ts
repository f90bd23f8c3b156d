/** How the stand-in speaks: the shapes and texts of Keycloak 26.7.5, read off a running server. */

import type { Json } from './state.ts';

export interface Answer {
  readonly status: number;
  readonly body?: unknown;
  /** Path of what was made, for the header Location. */
  readonly location?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Thrown by a handler; nothing that it wrote before is kept. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly answer: Answer;

  constructor(answer: Answer) {
    super(`answered ${answer.status}`);
    this.answer = answer;
  }
}

export interface Call {
  readonly method: string;
  readonly realm: string;
  readonly query: URLSearchParams;
  /** Parsed JSON; null without a body. */
  readonly body: unknown;
  /** The body as it came. */
  readonly text: string;
  /** Path parameters, decoded. */
  readonly params: readonly string[];
  /** Path of the call, for Location headers. */
  readonly path: string;
}

export const noContent: Answer = { status: 204 };

export function ok(body: unknown): Answer {
  return { status: 200, body };
}

export function notFound(error: string): Refusal {
  return new Refusal({ status: 404, body: { error } });
}

export function refuse(status: number, errorMessage: string): Refusal {
  return new Refusal({ status, body: { errorMessage } });
}

/** What any unforeseen exception looks like from outside. */
export function unknownError(): Refusal {
  return new Refusal({
    status: 500,
    body: {
      error: 'unknown_error',
      error_description: 'For more on this error consult the server log.',
    },
  });
}

export function objectIn(call: Call): Json {
  if (typeof call.body !== 'object' || call.body === null || Array.isArray(call.body)) {
    throw new Refusal({
      status: 400,
      body: { error: 'invalid_request', error_description: 'Cannot parse the JSON' },
    });
  }
  return call.body as Json;
}

export function flag(call: Call, name: string, absent: boolean): boolean {
  const value = call.query.get(name);
  return value === null ? absent : value === 'true';
}

/** `max` below 0 means all. */
export function pageOf<T>(p: {
  readonly call: Call;
  readonly items: readonly T[];
  readonly max: number;
}): readonly T[] {
  const first = Number(p.call.query.get('first') ?? 0);
  const max = Number(p.call.query.get('max') ?? p.max);
  return p.items.slice(first, max < 0 ? undefined : first + max);
}

/** `q=name:value "quoted name":"quoted value"`; matching ignores letter case for users. */
export function attributeQuery(text: string): [string, string][] {
  const token = /"((?:[^"\\]|\\.)*)"|([^\s:"]+)/y;
  const pairs: [string, string][] = [];
  let at = 0;
  while (at < text.length) {
    if (/\s/.test(text.charAt(at))) {
      at += 1;
      continue;
    }
    token.lastIndex = at;
    const name = token.exec(text);
    if (name === null || text.charAt(token.lastIndex) !== ':') break;
    at = token.lastIndex + 1;
    const quoted = /"((?:[^"\\]|\\.)*)"/y;
    const bare = /\S*/y;
    quoted.lastIndex = at;
    bare.lastIndex = at;
    const value = quoted.exec(text) ?? bare.exec(text);
    const raw = value?.[1]?.replaceAll('\\"', '"') ?? value?.[0] ?? '';
    at += value?.[0].length ?? 0;
    pairs.push([name[1]?.replaceAll('\\"', '"') ?? name[2] ?? '', raw]);
  }
  return pairs;
}
