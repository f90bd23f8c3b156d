/** What a real Keycloak does now and then, on purpose. */

import { type Answer, unknownError } from './answer.ts';

export type Fault =
  | { readonly kind: 'delay'; readonly milliseconds: number }
  /** The server answers this and does nothing. */
  | { readonly kind: 'answer'; readonly answer: Answer }
  /** The connection breaks: before the work is done, or after it, so that only the answer is lost. */
  | { readonly kind: 'reset'; readonly when: 'before' | 'after' };

export interface FaultCall {
  readonly method: string;
  readonly path: string;
  /** How many users the stand-in holds, for what gets slower with size. */
  readonly users: number;
}

/** Asked once per request; null lets it pass. */
export type FaultHook = (call: FaultCall) => Fault | null;

export const faultKinds = [
  'race',
  'unknown-error',
  'busy',
  'busy-with-time',
  'too-many-requests',
  'reset-before',
  'reset-after',
  'slow',
] as const;

/**
 * Every kind at this rate, over the admin API only, drawn from a seed so that a run can be repeated.
 * `slow` takes a millisecond more for every thousand users; a race is a 409 that nobody else caused.
 */
export function everyFault(p: {
  /** 0.01 is one call in a hundred, for each kind. */
  readonly rate: number;
  readonly seed: number;
  readonly onFault?: (kind: (typeof faultKinds)[number]) => void;
}): FaultHook {
  const next = randomNumbers(p.seed);
  return (call) => {
    if (!call.path.startsWith('/admin/')) return null;
    const kind = faultKinds[Math.floor(next() / p.rate)];
    if (kind === undefined || (kind === 'race' && call.method === 'GET')) return null;
    p.onFault?.(kind);
    return faultOf({ kind, call });
  };
}

function faultOf(p: {
  readonly kind: (typeof faultKinds)[number];
  readonly call: FaultCall;
}): Fault {
  switch (p.kind) {
    case 'race':
      return { kind: 'answer', answer: raceOf(p.call) };
    case 'unknown-error':
      return { kind: 'answer', answer: unknownError().answer };
    case 'busy':
      return { kind: 'answer', answer: { status: 503 } };
    case 'busy-with-time':
      return { kind: 'answer', answer: { status: 503, headers: { 'retry-after': '1' } } };
    case 'too-many-requests':
      return { kind: 'answer', answer: { status: 429, headers: { 'retry-after': '1' } } };
    case 'reset-before':
      return { kind: 'reset', when: 'before' };
    case 'reset-after':
      return { kind: 'reset', when: 'after' };
    case 'slow':
      return { kind: 'delay', milliseconds: p.call.users / 1000 };
  }
}

/** The texts of a lost race: the database's unique constraint speaks, not the check before it. */
function raceOf(call: FaultCall): Answer {
  const name = call.path.includes('/groups') ? 'group' : 'user';
  const errorMessage =
    name === 'user' ? 'User exists with same username or email' : 'Group already exists.';
  return { status: 409, body: { errorMessage } };
}

/** mulberry32: small, even, and the same on every machine. */
function randomNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
