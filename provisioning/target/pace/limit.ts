/**
 * How many calls a target gets at once: additive increase, multiplicative decrease (D.-M. Chiu and
 * R. Jain, "Analysis of the Increase and Decrease Algorithms for Congestion Avoidance in Computer
 * Networks", Computer Networks and ISDN Systems 17, 1989), with slow start (V. Jacobson, 1988). A round
 * is congested when its median call takes longer than it would alone, as in TCP Vegas (L. Brakmo and
 * S. O'Malley, 1994), or when the server says so. docs/decisions/0021-pace.md has why. No clock, no I/O.
 */

export interface LimitState {
  /** From 1 to the cap; so many calls at once, rounded down. */
  readonly limit: number;
  /** True until something was congested for the first time. */
  readonly doubling: boolean;
  /** When the limit last fell, in ms: calls that began before tell of the old limit. */
  readonly fellAt: number;
  /** What the calls of this round were slowed down by. */
  readonly slowdowns: readonly number[];
  /** Most calls at once in this round: what was allowed and not used did not cause anything. */
  readonly peak: number;
}

export interface LimitSample {
  /** Milliseconds of one monotonic clock. */
  readonly startedAt: number;
  readonly endedAt: number;
  /** Calls at once when it began, itself among them. */
  readonly together: number;
  /** `overload`: the server refused it for its load, or did not answer in time. */
  readonly state: 'done' | 'overload';
  /** Its latency over that of a lone call of its kind (slowdownOf); not looked at for an overload. */
  readonly slowdown: number;
}

/**
 * Above what servers do that are well at their caps: 2.0 in Moodle with four calls at once (1.19 s a
 * batch of 50 against 0.60 s), 1.5 in Nextcloud with two creates (docs/decisions/0021-pace.md).
 */
const tolerance = 2.5;
/** Fewer calls than this are too few to be judged by. */
const leastRound = 5;
const easeOff = 0.75;
const backOff = 0.5;

/** Starts with one call at a time, which shows what a lone call takes. */
export function firstLimit(): LimitState {
  return {
    limit: 1,
    doubling: true,
    fellAt: Number.NEGATIVE_INFINITY,
    slowdowns: [],
    peak: 0,
  };
}

export function nextLimit(p: {
  readonly state: LimitState;
  readonly sample: LimitSample;
  /** What a healthy server is known to bear: 1 or more. */
  readonly cap: number;
}): LimitState {
  const { cap, sample, state } = p;
  // Once for each congestion: its other calls were under way already.
  if (sample.startedAt < state.fellAt) return state;
  const peak = Math.max(state.peak, sample.together);
  if (sample.state === 'overload') return fall({ state, sample, peak, by: backOff });
  const slowdowns = [...state.slowdowns, sample.slowdown];
  if (slowdowns.length < Math.max(leastRound, Math.ceil(state.limit))) {
    return { ...state, slowdowns, peak };
  }
  if (medianOf(slowdowns) > tolerance) return fall({ state, sample, peak, by: easeOff });
  const raised = state.doubling ? state.limit * 2 : state.limit + 1;
  return { ...state, limit: Math.min(cap, raised), slowdowns: [], peak: 0 };
}

function fall(p: {
  readonly state: LimitState;
  readonly sample: LimitSample;
  readonly peak: number;
  readonly by: number;
}): LimitState {
  const used = Math.min(p.state.limit, p.peak);
  return {
    limit: Math.max(1, used * p.by),
    doubling: false,
    fellAt: p.sample.endedAt,
    slowdowns: [],
    peak: 0,
  };
}

/** One call that hangs in a round of five says nothing of the other four. */
function medianOf(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? 0;
}
