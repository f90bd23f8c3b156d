/**
 * The pace of one target: as many calls at once as it bears now, the others wait in the order in which
 * they came. Whether calls in flight are finished is never touched: a smaller limit only lets fewer new
 * ones begin. A call inside a call would wait for itself: connectors wrap single requests.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { type Baseline, nextBaseline, slowdownOf } from './baseline.ts';
import { firstLimit, nextLimit } from './limit.ts';

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

const latencySmoothing = 0.2;

const systemClock: PaceClock = {
  now: () => performance.now(),
  sleep: (ms) => sleep(ms),
};

interface Waiting {
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
  const baselines = new Map<string, Baseline>();
  const waiting: Waiting[] = [];
  let limit = firstLimit();
  let inFlight = 0;
  let calls = 0;
  let overloads = 0;
  let latencyMs: number | null = null;
  let heldUntil = Number.NEGATIVE_INFINITY;
  let waking = false;

  function admit(): void {
    const heldMs = heldUntil - clock.now();
    if (heldMs > patienceMs) {
      for (const one of waiting.splice(0)) one.refuse(new PaceHeldError({ afterMs: heldMs }));
    } else if (heldMs > 0) {
      if (waiting.length > 0) wakeAfter(heldMs);
    } else {
      while (inFlight < Math.floor(limit.limit)) {
        const next = waiting.shift();
        if (next === undefined) return;
        inFlight += 1;
        next.begin();
      }
    }
  }

  function wakeAfter(ms: number): void {
    if (waking) return;
    waking = true;
    void clock.sleep(ms).then(() => {
      waking = false;
      admit();
    });
  }

  function note(sample: {
    readonly kind: string;
    readonly verdict: Verdict;
    readonly startedAt: number;
    readonly together: number;
  }): void {
    const { kind, startedAt, together, verdict } = sample;
    const endedAt = clock.now();
    calls += 1;
    if (verdict.state === 'failed') return;
    const times = { startedAt, endedAt, together };
    if (verdict.state === 'overload') {
      overloads += 1;
      limit = nextLimit({ state: limit, sample: { ...times, ...verdict, slowdown: 1 }, cap });
      if (verdict.afterMs !== null) heldUntil = Math.max(heldUntil, endedAt + verdict.afterMs);
      return;
    }
    const took = endedAt - startedAt;
    latencyMs = latencyMs === null ? took : latencyMs + latencySmoothing * (took - latencyMs);
    const baseline = nextBaseline({
      baseline: baselines.get(kind) ?? null,
      latency: { latencyMs: took, alone: together === 1 && inFlight === 1, at: endedAt },
    });
    baselines.set(kind, baseline);
    const slowdown = slowdownOf({ baseline, latencyMs: took });
    limit = nextLimit({ state: limit, sample: { ...times, state: 'done', slowdown }, cap });
  }

  return {
    async run({ kind, work, judge }) {
      await new Promise<void>((begin, refuse) => {
        waiting.push({ begin, refuse });
        admit();
      });
      const startedAt = clock.now();
      const together = inFlight;
      const settled = await settle(work);
      try {
        note({ kind, verdict: judge(settled), startedAt, together });
      } finally {
        inFlight -= 1;
        admit();
      }
      if (settled.ok) return settled.value;
      throw settled.error;
    },
    state() {
      const heldMs = heldUntil - clock.now();
      return {
        limit: Math.floor(limit.limit),
        cap,
        inFlight,
        waiting: waiting.length,
        latencyMs,
        calls,
        overloads,
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
