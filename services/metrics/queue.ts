import type { Registry } from 'prom-client';
import { readProgress } from '../../provisioning/ledger/progress.ts';
import { readQueue } from '../../provisioning/ledger/queue-view.ts';
import type { Calendar } from '../../provisioning/policy/calendar/schema.ts';
import { lanes } from '../../provisioning/policy/lane.ts';
import type { TargetTypes } from '../../provisioning/policy/route.ts';
import type { Database } from '../../provisioning/store/database.ts';
import { followCalendar } from '../worker/calm.ts';
import { forecastQueue } from '../worker/forecast.ts';
import type { Queues } from '../worker/queues.ts';
import { gaugesOf } from './gauges.ts';

/**
 * What waits in front of a tenant's targets and what holds it up.
 *
 * @returns reads it anew
 */
export function openQueueFigures(p: {
  readonly registry: Registry;
  readonly database: Database;
  readonly tenant: string;
  readonly targets: TargetTypes;
  readonly queues: Queues | null;
  readonly calendar: Calendar | null;
}): () => Promise<void> {
  const gauge = gaugesOf(p.registry);
  const place = ['target', 'lane'];
  const resources = gauge(
    'skolebus_resources',
    'Resources of the ledger by state; scheduled ones are counted in their state too.',
    ['target', 'kind', 'state'],
  );
  const due = gauge('skolebus_due_rows', 'Rows that wait.', place);
  const oldest = gauge(
    'skolebus_oldest_due_seconds',
    'How long the oldest waiting row has been different from what is desired.',
    place,
  );
  const doneIn = gauge(
    'skolebus_done_in_seconds',
    'When all of a lane will be done at the measured pace, calm windows left out; absent: nobody can tell.',
    place,
  );
  const rate = gauge(
    'skolebus_rows_per_second',
    'Rows applied a second of work, smoothed over two minutes of it.',
    ['target'],
  );
  const circuit = gauge(
    'skolebus_circuit_open',
    '1 while a target is left alone because it is out of reach or overloaded.',
    ['target'],
  );
  const brakes = gauge('skolebus_brakes', 'Brakes that operators have set, by kind.', ['kind']);
  const calm = gauge('skolebus_calm', '1 while a calm window keeps a lane shut.', ['lane']);
  const tickets = gauge('skolebus_tickets', 'Tickets waiting or under way.', ['lane']);
  const calmOf = followCalendar(p.calendar);
  return async () => {
    const now = new Date();
    const [progress, view] = await Promise.all([readProgress(p), readQueue(p)]);
    for (const one of [resources, due, oldest, doneIn, rate, brakes]) one.reset();
    for (const { target, kind, ...row } of progress) {
      for (const state of ['settled', 'due', 'failed', 'scheduled'] as const) {
        resources.set({ target, kind, state }, row[state]);
      }
    }
    for (const target of p.targets.keys()) {
      circuit.set({ target }, view.circuits.some((one) => one.target === target) ? 1 : 0);
      // A lane in which nothing waits is told too: a gap would look like a worker that is gone.
      for (const lane of lanes) {
        due.set({ target, lane }, 0);
        oldest.set({ target, lane }, 0);
      }
    }
    const forecast = forecastQueue({ view, calendar: p.calendar, now });
    for (const { target, lane, doneAt, ...row } of forecast.lanes) {
      due.set({ target, lane }, row.due);
      oldest.set({ target, lane }, row.oldestSeconds);
      if (doneAt !== null) doneIn.set({ target, lane }, (doneAt.getTime() - now.getTime()) / 1000);
    }
    for (const { target, rowsPerSecond } of view.rates) rate.set({ target }, rowsPerSecond);
    for (const kind of ['pause', 'drain', 'maintenance'] as const) {
      brakes.set({ kind }, view.brakes.filter((one) => one.kind === kind).length);
    }
    for (const lane of lanes) {
      calm.set({ lane }, calmOf({ lane, at: now }).open ? 0 : 1);
      if (p.queues !== null) tickets.set({ lane }, await p.queues.count(lane));
    }
  };
}
