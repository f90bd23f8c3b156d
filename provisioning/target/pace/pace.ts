/**
 * The pace of one target: as many calls at once as it bears now, or one where they are gentle; urgent ones
 * first, and otherwise in the order in which they came. Whether calls in flight are finished is never touched: a smaller limit only lets fewer new
 * ones begin. A call inside a call would wait for itself: connectors wrap single requests.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { currentManner, type Manner } from './manner.ts';
import { openMeter } from './meter.ts';

/** What a target's pace is now, for metrics and for whoever plans work for it. */
export interface PaceState {
  /** Calls at once that it gets now: 1 to `cap`. */
  readonly limit: number;
  readonly cap: number;
  readonly inFlight: number;
  readonly waiting: number;
  /** Smoothed over the last calls of every kind, in milliseconds; null before the first that was done. */
  readonly latencyMs: number | null;
  /** Since the connector was opened: requests that ended, and how many of them in overload. */
  readonly calls: number;
  readonly overloads: number;
  /** The server asked (Retry-After) to be left alone until then; null when it did not, or that is over. */
  readonly throttledUntil: Date | null;
}

export type Verdict =
  /** The server did its work: its latency counts. */
  | { readonly state: 'done' }
  /** It refused, or is not there; this says nothing of its load. */
  | { readonly state: 'failed' }
  /** 429, 503 or no answer in time; `afterMs` is its Retry-After, null where it gave none. */
  | { readonly state: 'overload'; readonly afterMs: number | null };

export type Settled<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: unknown };

/** Monotonic milliseconds, and a way to let them pass. */
export interface PaceClock {
  now(): number;
  sleep(ms: number): Promise<void>;
}

export interface Pace {
  /**
   * Runs one request when its turn has come.
   *
   * @throws PaceHeldError without having asked, when the server wants to be left alone for long; and
   *   whatever `work` throws
   */
  run<T>(p: {
    /** Requests that take about the same time on a server that is well, in any words; not logged. */
    readonly kind: string;
    readonly work: () => Promise<T>;
    readonly judge: (settled: Settled<T>) => Verdict;
  }): Promise<T>;
  state(): PaceState;
}

/** The target asked to be left alone for so long that nobody waits for it; the request was not sent. */
export class PaceHeldError extends Error {
  override readonly name = 'PaceHeldError';
  /** How long still. */
  readonly afterMs: number;

  constructor(p: { readonly afterMs: number }) {
    super(`the server asked to be left alone for another ${Math.ceil(p.afterMs / 1000)} s`);
    this.afterMs = p.afterMs;
  }
}

/** So long a call waits for a server that said when to come back; beyond, its row goes back to the ledger. */
export const patienceMs = 5000;

/** After a call that took longer, a gentle one waits no longer than this. */
const longestRestMs = 5000;

const systemClock: PaceClock = {
  now: () => performance.now(),
  sleep: (ms) => sleep(ms),
};

/** Most urgent first. */
const manners: readonly Manner[] = ['urgent', 'full', 'gentle'];

interface Waiting {
  readonly manner: Manner;
  readonly begin: () => void;
  readonly refuse: (error: PaceHeldError) => void;
}

export function openPace(p: {
  /** Most calls at once that a healthy server is known to bear. */
  readonly cap: number;
  /** The system's by default. */
  readonly clock?: PaceClock;
}): Pace {
  const { cap, clock = systemClock } = p;
  const meter = openMeter({ cap, now: clock.now() });
  const waiting: Waiting[] = [];
  let inFlight = 0;
  let heldUntil = Number.NEGATIVE_INFINITY;
  let gentleInFlight = false;
  let restUntil = Number.NEGATIVE_INFINITY;
  let wakeAt = Number.POSITIVE_INFINITY;

  function admit(): void {
    const now = clock.now();
    const heldMs = heldUntil - now;
    if (heldMs > patienceMs) {
      for (const one of waiting.splice(0)) one.refuse(new PaceHeldError({ afterMs: heldMs }));
    } else if (heldMs > 0) {
      if (waiting.length > 0) wake(heldUntil);
    } else {
      const places = meter.places(now);
      while (inFlight < places) {
        const next = takeNext(now);
        if (next === undefined) return;
        inFlight += 1;
        next.begin();
      }
    }
  }

  function takeNext(now: number): Waiting | undefined {
    for (const manner of manners) {
      const index = waiting.findIndex((one) => one.manner === manner);
      if (index < 0) continue;
      if (manner === 'gentle') {
        if (gentleInFlight) return undefined;
        if (restUntil > now) {
          wake(restUntil);
          return undefined;
        }
        gentleInFlight = true;
      }
      return waiting.splice(index, 1)[0];
    }
    return undefined;
  }

  function wake(at: number): void {
    if (at >= wakeAt) return;
    wakeAt = at;
    void clock.sleep(at - clock.now()).then(() => {
      if (wakeAt === at) wakeAt = Number.POSITIVE_INFINITY;
      admit();
    });
  }

  return {
    async run({ kind, work, judge }) {
      const manner = currentManner();
      await new Promise<void>((begin, refuse) => {
        waiting.push({ manner, begin, refuse });
        admit();
      });
      const startedAt = clock.now();
      const together = inFlight;
      const settled = await settle(work);
      try {
        const verdict = judge(settled);
        const endedAt = clock.now();
        const times = { startedAt, endedAt, together, togetherAtEnd: inFlight };
        meter.note({ kind, state: verdict.state, ...times });
        const afterMs = verdict.state === 'overload' ? verdict.afterMs : null;
        if (afterMs !== null) heldUntil = Math.max(heldUntil, endedAt + afterMs);
      } finally {
        inFlight -= 1;
        if (manner === 'gentle') {
          gentleInFlight = false;
          const endedAt = clock.now();
          restUntil = endedAt + Math.min(longestRestMs, endedAt - startedAt);
        }
        admit();
      }
      if (settled.ok) return settled.value;
      throw settled.error;
    },
    state() {
      const heldMs = heldUntil - clock.now();
      return {
        ...meter.readings(),
        cap,
        inFlight,
        waiting: waiting.length,
        throttledUntil: heldMs > 0 ? new Date(Date.now() + heldMs) : null,
      };
    },
  };
}

async function settle<T>(work: () => Promise<T>): Promise<Settled<T>> {
  try {
    return { ok: true, value: await work() };
  } catch (error) {
    return { ok: false, error };
  }
}
