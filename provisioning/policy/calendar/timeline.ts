/** The calendar laid out in time: stretches between whose ends nothing changes, worked out once a day. */

import { Temporal } from 'temporal-polyfill';
import { type Lane, lanes } from '../lane.ts';
import { type Occurrence, occurrencesOn } from './occurrence.ts';
import type { Operation } from './operation.ts';
import type { Calendar, CalmWindow } from './schema.ts';

/** What may run. */
export interface Allowance {
  /** Most urgent first; empty: nothing runs. */
  readonly lanes: readonly Lane[];
  /** Operations that do not run, whatever their lane; sorted. */
  readonly not: readonly Operation[];
}

/** What holds at an instant. One object per set of windows: equal exactly when identical. */
export interface OpenState extends Allowance {
  /** The windows in force, in the order of the policy. `lanes` and `not` are those of the ones for all grades. */
  readonly windows: readonly CalmWindow[];
  /** By grade, for each grade that a window in force names; includes what holds for all grades. */
  readonly grades: Readonly<Record<string, Allowance>>;
}

/** Instants in ms since 1970; `to` is exclusive. */
export interface Stretch {
  readonly from: number;
  readonly to: number;
  readonly state: OpenState;
}

interface Timeline {
  readonly calendar: Calendar;
  readonly states: Map<string, OpenState>;
  /** Days since 1970 in UTC -> the stretches that make it up, in order. */
  readonly days: Map<number, readonly Stretch[]>;
  readonly occurrences: Map<string, readonly Occurrence[]>;
}

export const msOfDay = 86_400_000;
/** Entries kept per calendar: more than two years ahead, then all are forgotten and worked out anew. */
const mostDays = 800;

// A policy is parsed once and kept, so that its calendar is the same object at every call.
const timelines = new WeakMap<Calendar, Timeline>();

/** The stretches from an instant on that begin before `until`; the first one may have begun before `from`. */
export function* stretchesBetween(p: {
  readonly calendar: Calendar;
  readonly from: number;
  readonly until: number;
}): Generator<Stretch> {
  for (let day = Math.floor(p.from / msOfDay); day * msOfDay < p.until; day++) {
    for (const stretch of stretchesOf({ calendar: p.calendar, day })) {
      if (stretch.to > p.from && stretch.from < p.until) yield stretch;
    }
  }
}

/** The stretch that an instant lies in. It ends at midnight UTC at the latest, changed or not. */
export function stretchAt(p: { readonly calendar: Calendar; readonly at: number }): Stretch {
  const stretches = stretchesOf({ calendar: p.calendar, day: Math.floor(p.at / msOfDay) });
  const found = stretches.find((one) => p.at < one.to);
  if (found === undefined) throw new RangeError(`not an instant: ${p.at}`);
  return found;
}

function stretchesOf(p: { readonly calendar: Calendar; readonly day: number }): readonly Stretch[] {
  let timeline = timelines.get(p.calendar);
  if (timeline === undefined) {
    const { calendar } = p;
    timeline = { calendar, states: new Map(), days: new Map(), occurrences: new Map() };
    timelines.set(calendar, timeline);
  }
  const known = timeline.days.get(p.day);
  if (known !== undefined) return known;
  const stretches = layOut({ timeline, day: p.day });
  keep(timeline.days, p.day, stretches);
  return stretches;
}

/** Measured 0.6 ms a day with one window as with three, nearly all of it in the conversions of Temporal. */
function layOut(p: { readonly timeline: Timeline; readonly day: number }): readonly Stretch[] {
  const { timeline } = p;
  const start = p.day * msOfDay;
  const end = start + msOfDay;
  if (timeline.calendar.windows.length === 0) {
    return [{ from: start, to: end, state: stateOf({ timeline, windows: [] }) }];
  }
  const { timezone } = timeline.calendar;
  const dateAt = (ms: number) =>
    Temporal.Instant.fromEpochMilliseconds(ms).toZonedDateTimeISO(timezone).toPlainDate();
  const last = dateAt(end);
  const found: Occurrence[] = [];
  // A window that crosses midnight began the day before.
  let date = dateAt(start).subtract({ days: 1 });
  while (Temporal.PlainDate.compare(date, last) <= 0) {
    found.push(...occurrencesOf({ timeline, date }));
    date = date.add({ days: 1 });
  }
  const edges = found.flatMap(({ from, to }) => [from, to]);
  const marks = [start, ...edges.filter((ms) => start < ms && ms < end), end];
  const times = [...new Set(marks)].sort((a, b) => a - b);
  return times.slice(1).map((to, index): Stretch => {
    const from = times[index] ?? start;
    const inForce = found.filter((one) => one.from <= from && to <= one.to);
    return { from, to, state: stateOf({ timeline, windows: inForce.map((one) => one.window) }) };
  });
}

function occurrencesOf(p: {
  readonly timeline: Timeline;
  readonly date: Temporal.PlainDate;
}): readonly Occurrence[] {
  const { calendar, occurrences } = p.timeline;
  const key = p.date.toString();
  const known = occurrences.get(key);
  if (known !== undefined) return known;
  const found = occurrencesOn({ calendar, date: p.date });
  keep(occurrences, key, found);
  return found;
}

function stateOf(p: {
  readonly timeline: Timeline;
  readonly windows: readonly number[];
}): OpenState {
  const { calendar, states } = p.timeline;
  const indexes = [...new Set(p.windows)].sort((a, b) => a - b);
  const key = indexes.join();
  const known = states.get(key);
  if (known !== undefined) return known;
  const windows = calendar.windows.filter((_, index) => indexes.includes(index));
  const named = new Set(windows.flatMap((window) => window.grades ?? []));
  const state: OpenState = {
    windows,
    ...combine(windows.filter((window) => window.grades === null)),
    grades: Object.fromEntries(
      [...named].map((grade) => [
        grade,
        combine(windows.filter(({ grades }) => grades === null || grades.includes(grade))),
      ]),
    ),
  };
  states.set(key, state);
  return state;
}

/** All windows have to agree that a lane runs; one is enough to forbid an operation. */
function combine(windows: readonly CalmWindow[]): Allowance {
  return {
    lanes: lanes.filter((lane) => windows.every((window) => window.lanes.includes(lane))),
    not: [...new Set(windows.flatMap((window) => window.not))].sort(),
  };
}

function keep<Key, Value>(cache: Map<Key, Value>, key: Key, value: Value): void {
  if (cache.size >= mostDays) cache.clear();
  cache.set(key, value);
}
