/**
 * What a call of one kind takes when none of ours is in its way, in milliseconds: against this a slow
 * answer is recognised. Kinds are kept apart because a batch of 50 people and the look-up of one differ
 * a hundredfold on a server that is well. No clock, no I/O.
 */

export interface Baseline {
  readonly aloneMs: number;
  /** The latency of late, whatever else was under way. */
  readonly smoothMs: number;
  /** What the last lone calls took. */
  readonly lone: readonly number[];
  /** When the last call of the kind ended, in ms of a monotonic clock. */
  readonly at: number;
}

export interface Latency {
  readonly latencyMs: number;
  /** No other call of ours was under way when it began and when it ended. */
  readonly alone: boolean;
  readonly at: number;
}

/** Faster answers say more of our own machine than of the server. */
const leastMs = 10;
/** Over some twenty calls, so that a few quick ones among many do not become the measure. */
const smoothing = 0.1;
/** Lone calls are few where there is always work. Their median forgets a first one into cold caches. */
const loneKept = 9;
/**
 * A server that became slower for good, or whose day has begun, is believed with this time constant. A
 * slowdown of k is within the tolerance of 2.5 after ln(2.5 (k - 1) / 1.5 k) of it, so that a limit of
 * one rises again after 2.6 minutes and two rounds at most, however slow the server has become.
 */
const acceptMs = 300_000;
/** After a pause the first call must not count for all of it. */
const longestGapMs = 30_000;

/** Falls with the latency of late, and rises slowly and by lone calls only: what others wait for may be us. */
export function nextBaseline(p: {
  readonly baseline: Baseline | null;
  readonly latency: Latency;
}): Baseline {
  const { baseline } = p;
  const { alone, at, latencyMs } = p.latency;
  if (baseline === null) {
    return { aloneMs: latencyMs, smoothMs: latencyMs, lone: alone ? [latencyMs] : [], at };
  }
  const smoothMs = baseline.smoothMs + smoothing * (latencyMs - baseline.smoothMs);
  const lone = alone ? [...baseline.lone, latencyMs].slice(-loneKept) : baseline.lone;
  const aloneMs = Math.min(baseline.aloneMs, smoothMs, medianOf(lone));
  if (!alone || latencyMs <= aloneMs) return { aloneMs, smoothMs, lone, at };
  const gapMs = Math.min(Math.max(at - baseline.at, 0), longestGapMs);
  const share = 1 - Math.exp(-gapMs / acceptMs);
  return { aloneMs: aloneMs + share * (latencyMs - aloneMs), smoothMs, lone, at };
}

/** The upper one of two; of none, more than any. */
function medianOf(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.POSITIVE_INFINITY;
}

/** How many times as long as a lone call of its kind: 1 or below on a server that is well. */
export function slowdownOf(p: { readonly baseline: Baseline; readonly latencyMs: number }): number {
  return p.latencyMs / Math.max(p.baseline.aloneMs, leastMs);
}
