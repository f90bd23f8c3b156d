import type { QueueView } from '../../provisioning/ledger/queue-view.ts';
import {
  estimateEnd,
  isGentle,
  nextChange,
  nextOpening,
  openAt,
} from '../../provisioning/policy/calendar/open.ts';
import type { Calendar } from '../../provisioning/policy/calendar/schema.ts';
import { lanes } from '../../provisioning/policy/lane.ts';

type LaneView = QueueView['lanes'][number];

export interface Forecast {
  /** The calm windows in force, and when that changes; null: none is. */
  readonly calm: { readonly windows: readonly string[]; readonly until: Date | null } | null;
  readonly lanes: readonly (LaneView & {
    /** When the calm window ends in which the lane waits; null: it does not wait for one. */
    readonly opensAt: Date | null;
    /** When all of it is done at the measured pace, calm windows left out; null: nobody can tell. */
    readonly doneAt: Date | null;
  })[];
}

/** How far ahead windows are looked for, in days: over the summer holidays. */
const days = 60;

/** What becomes of what waits. Pure. */
export function forecastQueue(p: {
  readonly view: QueueView;
  /** Null: there are no calm windows. */
  readonly calendar: Calendar | null;
  readonly now: Date;
}): Forecast {
  const { calendar, now } = p;
  const windows = calendar === null ? [] : openAt({ calendar, at: now }).windows;
  return {
    calm:
      calendar === null || windows.length === 0
        ? null
        : {
            windows: windows.map((window) => window.name),
            until: nextChange({ calendar, from: now, days }),
          },
    lanes: p.view.lanes.map((one) => ({
      ...one,
      opensAt: opensAt({ ...p, one }),
      doneAt: doneAt({ ...p, one }),
    })),
  };
}

function opensAt(p: {
  readonly calendar: Calendar | null;
  readonly now: Date;
  readonly one: LaneView;
}): Date | null {
  if (p.calendar === null) return null;
  const opening = nextOpening({ calendar: p.calendar, from: p.now, lane: p.one.lane, days });
  return opening === null || opening.getTime() === p.now.getTime() ? null : opening;
}

/** Rows a second in a gentle window, over those outside of one: a real Keycloak (docs/decisions/0029-gentle.md). */
const gentleSpeed = 0.2;

/**
 * 1 where the pace was measured in a gentle window: nobody has seen how much faster it goes outside of it,
 * and too late is better than too early.
 */
function speedWhenGentle(p: {
  readonly calendar: Calendar;
  readonly lane: LaneView['lane'];
  readonly measuredAt: Date;
}): number {
  const seen = p.lane === 'now' || isGentle(openAt({ calendar: p.calendar, at: p.measuredAt }));
  return seen ? 1 : gentleSpeed;
}

/** What is more urgent comes first. What an operator stopped, or a server that does not answer, has no end. */
function doneAt(p: {
  readonly view: QueueView;
  readonly calendar: Calendar | null;
  readonly now: Date;
  readonly one: LaneView;
}): Date | null {
  const { view, calendar, now, one } = p;
  const stopped = view.brakes.some(
    (brake) =>
      brake.kind !== 'drain' &&
      (brake.target === null || brake.target === one.target) &&
      (brake.lane === null || brake.lane === one.lane),
  );
  const rate = view.rates.find(({ target }) => target === one.target);
  if (stopped || rate === undefined || rate.rowsPerSecond === 0) return null;
  if (view.circuits.some(({ target }) => target === one.target)) return null;
  const rows = view.lanes
    .filter(({ target, lane }) => target === one.target && comesBefore(lane, one.lane))
    .reduce((sum, { due }) => sum + due, 0);
  const seconds = rows / rate.rowsPerSecond;
  if (calendar === null) return new Date(now.getTime() + seconds * 1000);
  const { lane } = one;
  const speed = speedWhenGentle({ ...rate, calendar, lane });
  return estimateEnd({ calendar, from: now, lane, seconds, gentleSpeed: speed, days });
}

/** Or is the same. */
function comesBefore(a: LaneView['lane'], b: LaneView['lane']): boolean {
  return lanes.indexOf(a) <= lanes.indexOf(b);
}
