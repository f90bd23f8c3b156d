import type { Registry } from 'prom-client';
import { readArrivals } from '../../provisioning/ledger/arrival.ts';
import { readPlanFigures } from '../../provisioning/plan/figures.ts';
import type { Database } from '../../provisioning/store/database.ts';
import { gaugesOf } from './gauges.ts';
import { readRarely } from './rarely.ts';

/**
 * How long new people wait for their accounts, and what waits for a person's decision.
 *
 * @returns reads it anew, at most every half minute
 */
export function openPlanFigures(p: {
  readonly registry: Registry;
  readonly database: Database;
  readonly tenant: string;
}): () => Promise<void> {
  const gauge = gaugesOf(p.registry);
  const arrival = gauge(
    'skolebus_feed_to_account_seconds',
    'From the reading of a feed to the last account of a person who came with it, over 24 hours.',
    ['quantile'],
  );
  const arrived = gauge(
    'skolebus_new_people',
    'People who came within 24 hours, and whether all their accounts stand.',
    ['state'],
  );
  const plans = gauge('skolebus_open_plans', 'Plans with changes that wait for their commit.');
  const oldest = gauge(
    'skolebus_oldest_open_plan_seconds',
    'How long the oldest of them has waited; 0: there is none.',
  );
  const holds = gauge('skolebus_holds', 'Holds that wait for a decision.', ['code']);
  const limits = gauge(
    'skolebus_limit_places',
    'Places near a limit (over 70 per cent of it), beyond it, or let beyond it, in plans of 24 hours.',
    ['limit', 'state'],
  );
  return readRarely(async () => {
    const [arrivals, figures] = await Promise.all([readArrivals(p), readPlanFigures(p)]);
    for (const one of [arrival, holds, limits]) one.reset();
    const { seconds } = arrivals;
    if (seconds !== null) {
      arrival.set({ quantile: '0.5' }, seconds.p50);
      arrival.set({ quantile: '0.95' }, seconds.p95);
      arrival.set({ quantile: '1' }, seconds.max);
    }
    arrived.set({ state: 'ready' }, arrivals.arrived);
    arrived.set({ state: 'waiting' }, arrivals.waiting);
    plans.set(figures.open);
    oldest.set(figures.oldestSeconds ?? 0);
    for (const { code, count } of figures.holds) holds.set({ code }, count);
    for (const { limit, state, count } of figures.limits) limits.set({ limit, state }, count);
  });
}
