import {
  type Baseline,
  nextBaseline,
  slowdownOf,
} from '../../provisioning/target/pace/baseline.ts';
import { firstLimit, type LimitState, nextLimit } from '../../provisioning/target/pace/limit.ts';

/**
 * A server on paper, and a client that always has work for it. So many calls are done at a time without
 * delay; more share the server evenly, ours and other people's.
 */
export interface ServerModel {
  limit: LimitState;
  baseline: Baseline | null;
  /** Milliseconds since the beginning. */
  now: number;
}

export function openServerModel(): ServerModel {
  return { limit: firstLimit(), baseline: null, now: 0 };
}

/** As many calls as the limit allows begin together and end together. */
export function serveRound(p: {
  readonly model: ServerModel;
  readonly cap: number;
  readonly serviceMs: number;
  readonly cores: number;
  /** How much slower the server is than on a good day. */
  readonly slower?: number;
  readonly refused?: boolean;
  /** From -1 to 1; a tenth of it is added to a latency. */
  readonly noise?: () => number;
}): void {
  const { cap, cores, model, noise = () => 0, refused = false, serviceMs, slower = 1 } = p;
  const together = Math.floor(model.limit.limit);
  const startedAt = model.now;
  const busyMs = serviceMs * slower * Math.max(1, together / cores);
  model.now += busyMs;
  for (let call = 0; call < together; call += 1) {
    const times = { startedAt, endedAt: model.now, together };
    if (refused) {
      const sample = { ...times, state: 'overload', slowdown: 1 } as const;
      model.limit = nextLimit({ state: model.limit, sample, cap });
      continue;
    }
    const latencyMs = busyMs * (1 + 0.1 * noise());
    const latency = { latencyMs, alone: together === 1, at: model.now };
    model.baseline = nextBaseline({ baseline: model.baseline, latency });
    const slowdown = slowdownOf({ baseline: model.baseline, latencyMs });
    const sample = { ...times, state: 'done', slowdown } as const;
    model.limit = nextLimit({ state: model.limit, sample, cap });
  }
}
