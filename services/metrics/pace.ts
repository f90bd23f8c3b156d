import type { Registry } from 'prom-client';
import { Counter } from 'prom-client';
import type { Connector } from '../../provisioning/target/contract.ts';
import { gaugesOf } from './gauges.ts';

/**
 * How fast this process may go at each target, as its own calls have shown it.
 *
 * @returns reads it anew
 */
export function openPaceFigures(p: {
  readonly registry: Registry;
  readonly connectors: Iterable<Connector>;
}): () => void {
  const shape = { labelNames: ['target'], registers: [p.registry] };
  const make = gaugesOf(p.registry);
  const gauge = (name: string, help: string) => make(name, help, shape.labelNames);
  const limit = gauge('skolebus_pace_limit', 'Calls at once that a target gets now.');
  const cap = gauge('skolebus_pace_cap', 'Calls at once that a target never gets more of.');
  const inFlight = gauge('skolebus_pace_in_flight', 'Calls under way.');
  const waiting = gauge('skolebus_pace_waiting', 'Calls that wait for their turn.');
  const latency = gauge(
    'skolebus_pace_latency_seconds',
    'Smoothed latency of calls that were done; absent before the first.',
  );
  const throttled = gauge(
    'skolebus_pace_throttled_seconds',
    'How long the server still wants to be left alone (Retry-After).',
  );
  const calls = new Counter({
    name: 'skolebus_pace_calls_total',
    help: 'Calls that ended.',
    ...shape,
  });
  const overloads = new Counter({
    name: 'skolebus_pace_overloads_total',
    help: 'Calls that ended with 429, 503 or without an answer in time.',
    ...shape,
  });
  const connectors = [...p.connectors];
  return () => {
    calls.reset();
    overloads.reset();
    for (const { name: target, pace } of connectors) {
      const state = pace();
      limit.set({ target }, state.limit);
      cap.set({ target }, state.cap);
      inFlight.set({ target }, state.inFlight);
      waiting.set({ target }, state.waiting);
      if (state.latencyMs !== null) latency.set({ target }, state.latencyMs / 1000);
      const until = state.throttledUntil?.getTime() ?? 0;
      throttled.set({ target }, Math.max(0, until - Date.now()) / 1000);
      calls.inc({ target }, state.calls);
      overloads.inc({ target }, state.overloads);
    }
  };
}
