/**
 * What recorded Moodles did wrong, each by a name, to be thrown in at a rate.
 *
 * - `database-race`: `dmlwriteexception`, nothing written (six at once with one username)
 * - `batch-rollback`: a whole batch refused with `invalidparameter`, nothing written
 * - `cut-look-up`: a list of values loses its second half without a word (PHP's max_input_vars)
 * - `unavailable`: 503 and a page, with Retry-After (recording moodle-4.5.6/30)
 * - `unavailable-without-hint`: the same without Retry-After, as a proxy answers
 * - `too-many-requests`: 429 with Retry-After, as a proxy that counts requests answers (RFC 6585 §4)
 * - `reset-before`, `reset-after`: the connection breaks before or after the call was done
 * - `empty-403`: what Moodle says while web services are off (recording moodle-4.5.6/29)
 * - `slow`: an answer that takes longer the more items a call has
 */
export const moodleFaultNames = [
  'database-race',
  'batch-rollback',
  'cut-look-up',
  'unavailable',
  'unavailable-without-hint',
  'too-many-requests',
  'reset-before',
  'reset-after',
  'empty-403',
  'slow',
] as const;

export type MoodleFaultName = (typeof moodleFaultNames)[number];

/** What goes wrong on purpose with one call. */
export type MoodleFault =
  /** The connection breaks before the call is done. */
  | { readonly at: 'before'; readonly effect: 'reset' }
  /** The call is done and its answer lost. */
  | { readonly at: 'after'; readonly effect: 'reset' }
  | {
      readonly at: 'before';
      readonly effect: 'status';
      readonly status: number;
      /** Seconds, or an HTTP date. */
      readonly retryAfter: number | string | null;
    }
  /** Answered as an exception, and nothing is done. */
  | { readonly at: 'before'; readonly effect: 'exception'; readonly errorcode: string }
  /** So many form fields are read and the others dropped. */
  | { readonly at: 'before'; readonly effect: 'cut'; readonly fields: number }
  | { readonly at: 'before'; readonly effect: 'wait'; readonly milliseconds: number };

/** One call as the faults see it. */
export interface FaultyCall {
  readonly function: string;
  /** Form fields that were sent, token and function included. */
  readonly fields: number;
  /** Entries of the first list that was sent, 0 when there is none. */
  readonly items: number;
}

/** The one place where faults enter: asked for each call, null lets it pass. */
export type MoodleFaults = (call: FaultyCall) => MoodleFault | null;

export interface RandomFaults {
  readonly faults: MoodleFaults;
  /** How often each was thrown in so far. */
  readonly thrown: ReadonlyMap<MoodleFaultName, number>;
}

const reading = /_(get|search)_/;

/**
 * Every fault at this rate of the calls that it can befall, the same ones for the same seed and order of
 * calls. A call suffers one at most.
 *
 * @param p.rate 0.01 for one per cent of each
 */
export function randomFaults(p: {
  readonly rate: number;
  readonly seed: number;
  readonly only?: readonly MoodleFaultName[];
}): RandomFaults {
  const names = p.only ?? moodleFaultNames;
  const thrown = new Map<MoodleFaultName, number>(names.map((name) => [name, 0]));
  const random = randomFrom(p.seed);
  return {
    thrown,
    faults(call) {
      for (const name of names) {
        if (random() >= p.rate) continue;
        const fault = faultOf(name, call);
        if (fault === null) continue;
        thrown.set(name, (thrown.get(name) ?? 0) + 1);
        return fault;
      }
      return null;
    },
  };
}

/** Null where the fault cannot befall the call. */
function faultOf(name: MoodleFaultName, call: FaultyCall): MoodleFault | null {
  const reads = reading.test(call.function);
  switch (name) {
    case 'database-race':
      return reads ? null : { at: 'before', effect: 'exception', errorcode: 'dmlwriteexception' };
    case 'batch-rollback':
      return reads || call.items < 2
        ? null
        : { at: 'before', effect: 'exception', errorcode: 'invalidparameter' };
    case 'cut-look-up':
      return reads && call.items > 1
        ? { at: 'before', effect: 'cut', fields: call.fields - Math.floor(call.items / 2) }
        : null;
    case 'unavailable':
      return { at: 'before', effect: 'status', status: 503, retryAfter: 300 };
    case 'unavailable-without-hint':
      return { at: 'before', effect: 'status', status: 503, retryAfter: null };
    case 'too-many-requests':
      return { at: 'before', effect: 'status', status: 429, retryAfter: 60 };
    case 'reset-before':
      return { at: 'before', effect: 'reset' };
    case 'reset-after':
      return { at: 'after', effect: 'reset' };
    case 'empty-403':
      return { at: 'before', effect: 'status', status: 403, retryAfter: null };
    case 'slow':
      return { at: 'before', effect: 'wait', milliseconds: Math.min(1000, 2 * call.items) };
  }
}

/** Mulberry32: small, and the same everywhere. */
function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
