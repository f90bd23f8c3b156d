/**
 * When to send a few calls one at a time, so that what a lone call takes stays known while there is always
 * work for all places: as BBR does for its round-trip time (N. Cardwell et al., "BBR: Congestion-Based
 * Congestion Control", ACM Queue 14, 2016). Without it, a kind that was first met in a crowd would have the
 * crowd's latency for its measure. No clock, no I/O.
 */

export interface Probe {
  /** Lone calls still wanted; 0: none is under way. */
  readonly left: number;
  /** When it began, or when the next one is due: ms of a monotonic clock. */
  readonly at: number;
}

const probeCalls = 5;
const probeMs = 3000;
const firstMs = 10_000;
const everyMs = 60_000;
/** Calls that take long by nature are not sent alone for more than a twentieth of the time. */
const shareOfTime = 20;

export function firstProbe(now: number): Probe {
  return { left: 0, at: now + firstMs };
}

/** Begins what is due. */
export function dueProbe(p: { readonly probe: Probe; readonly now: number }): Probe {
  const { now, probe } = p;
  return probe.left === 0 && now >= probe.at ? { left: probeCalls, at: now } : probe;
}

/** After a call that was sent alone. */
export function afterLoneCall(p: { readonly probe: Probe; readonly now: number }): Probe {
  const { now, probe } = p;
  if (probe.left === 0) return probe;
  const took = now - probe.at;
  if (probe.left > 1 && took < probeMs) return { ...probe, left: probe.left - 1 };
  return { left: 0, at: now + Math.max(everyMs, shareOfTime * took) };
}
