/** What the requests of one target have shown so far, and how many it gets at once after that. */

import { type Baseline, nextBaseline, slowdownOf } from './baseline.ts';
import { firstLimit, nextLimit } from './limit.ts';
import { afterLoneCall, dueProbe, firstProbe } from './probe.ts';

export interface Meter {
  /** Requests at once that it gets now. */
  places(now: number): number;
  note(call: NotedCall): void;
  readings(): Readings;
}

export interface NotedCall {
  readonly kind: string;
  readonly state: 'done' | 'failed' | 'overload';
  /** Milliseconds of one monotonic clock. */
  readonly startedAt: number;
  readonly endedAt: number;
  /** Calls at once when it began, and when it ended, itself among them. */
  readonly together: number;
  readonly togetherAtEnd: number;
}

export interface Readings {
  readonly limit: number;
  readonly latencyMs: number | null;
  readonly calls: number;
  readonly overloads: number;
}

const latencySmoothing = 0.2;

export function openMeter(p: { readonly cap: number; readonly now: number }): Meter {
  const { cap } = p;
  const baselines = new Map<string, Baseline>();
  let limit = firstLimit();
  let probe = firstProbe(p.now);
  let latencyMs: number | null = null;
  let calls = 0;
  let overloads = 0;

  return {
    places(now) {
      probe = dueProbe({ probe, now });
      return probe.left > 0 ? 1 : Math.floor(limit.limit);
    },
    note(call) {
      const { endedAt, kind, startedAt, state, together } = call;
      const alone = together === 1 && call.togetherAtEnd === 1;
      const probing = probe.left > 0 && alone && startedAt >= probe.at;
      if (probing) probe = afterLoneCall({ probe, now: endedAt });
      calls += 1;
      if (state === 'failed') return;
      const sample = { startedAt, endedAt, together, state };
      if (state === 'overload') {
        overloads += 1;
        limit = nextLimit({ state: limit, sample: { ...sample, state, slowdown: 1 }, cap });
        return;
      }
      const took = endedAt - startedAt;
      latencyMs = latencyMs === null ? took : latencyMs + latencySmoothing * (took - latencyMs);
      const baseline = nextBaseline({
        baseline: baselines.get(kind) ?? null,
        latency: { latencyMs: took, alone, at: endedAt },
      });
      baselines.set(kind, baseline);
      // That a lone call is quick says nothing of a larger crowd.
      if (probing) return;
      const slowdown = slowdownOf({ baseline, latencyMs: took });
      limit = nextLimit({ state: limit, sample: { ...sample, state, slowdown }, cap });
    },
    readings: () => ({ limit: Math.floor(limit.limit), latencyMs, calls, overloads }),
  };
}
