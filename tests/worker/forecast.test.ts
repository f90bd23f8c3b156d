import { expect, it } from 'vitest';
import type { QueueView } from '../../provisioning/ledger/queue-view.ts';
import { parsePolicy } from '../../provisioning/policy/parse.ts';
import { forecastQueue } from '../../services/worker/forecast.ts';

const { calendar } = parsePolicy({ text: 'version: 1\n', file: 'policy.yaml' });
const at = (time: string) => new Date(`2026-11-03T${time}:00+01:00`);
const due = (lane: 'now' | 'sync' | 'bulk', rows: number) =>
  ({ target: 'moodle', lane, due: rows, oldestSeconds: 0 }) as const;
const view: QueueView = {
  lanes: [due('now', 10), due('sync', 590), due('bulk', 3600)],
  brakes: [],
  circuits: [],
  rates: [{ target: 'moodle', rowsPerSecond: 1, measuredAt: at('07:00') }],
};

it('counts what is more urgent first, and leaves the bell out', () => {
  const { calm, lanes } = forecastQueue({ view, calendar, now: at('07:00') });
  expect(calm).toEqual({ windows: ['school-hours'], until: at('07:30') });
  // Half an hour until the bell, and 2,400 s of the 4,200 after it.
  expect(lanes.map((one) => one.doneAt)).toEqual([
    new Date(at('07:00').getTime() + 10_000),
    at('07:10'),
    at('09:25'),
  ]);
  expect(lanes.map((one) => one.opensAt)).toEqual([null, null, null]);
});

it('goes slower in a gentle window than the pace that was measured outside of it', () => {
  const rates = [{ target: 'moodle', rowsPerSecond: 1, measuredAt: at('06:50') }];
  const lane = { ...view, lanes: [due('bulk', 1000)] };
  const doneAt = (now: string, of: QueueView) =>
    forecastQueue({ view: of, calendar, now: at(now) }).lanes[0]?.doneAt;
  // 600 until 07:00, 360 in the half hour until the bell, and 40 after it.
  expect(doneAt('06:50', { ...lane, rates })).toEqual(new Date(at('08:45').getTime() + 200_000));
  expect(doneAt('06:50', { ...lane, lanes: [due('now', 960)], rates })).toEqual(at('07:06'));
  // Measured in it, it goes on as it was measured.
  expect(doneAt('07:00', lane)).toEqual(new Date(at('07:00').getTime() + 1_000_000));
});

it('says in the bell what waits, and until when', () => {
  const { calm, lanes } = forecastQueue({ view, calendar, now: at('08:00') });
  expect(calm).toEqual({ windows: ['bell', 'school-hours'], until: at('08:45') });
  expect(lanes.map((one) => one.opensAt)).toEqual([null, at('08:45'), at('08:45')]);
  expect(lanes[1]?.doneAt).toEqual(at('08:55'));
});

it('knows no windows where there is no calendar', () => {
  const { calm, lanes } = forecastQueue({ view, calendar: null, now: at('08:00') });
  expect(calm).toBeNull();
  expect(lanes[1]).toMatchObject({ opensAt: null, doneAt: at('08:10') });
});

it('promises nothing where nothing was measured, somebody stopped it, or the server is away', () => {
  const none = (p: Partial<QueueView>) =>
    forecastQueue({ view: { ...view, ...p }, calendar, now: at('10:00') }).lanes.map(
      (one) => one.doneAt !== null,
    );
  expect(none({})).toEqual([true, true, true]);
  expect(none({ rates: [] })).toEqual([false, false, false]);
  const brake = { id: '1', tenant: 'kommune', target: null, since: at('09:00'), until: null };
  const why = { reason: 'flytning', by: 'drift' };
  expect(none({ brakes: [{ ...brake, ...why, lane: 'bulk', kind: 'pause' }] })).toEqual([
    true,
    true,
    false,
  ]);
  const circuit = {
    openedAt: at('09:00'),
    openings: 1,
    cause: 'unreachable',
    probeAt: at('10:01'),
  };
  expect(none({ circuits: [{ ...circuit, target: 'moodle' }] })).toEqual([false, false, false]);
});
