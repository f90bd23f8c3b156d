/**
 * What may run when: the questions that a worker and a plan ask the calendar. Pure: the caller brings
 * the time. The calendar is known again by identity, so hand over the same object at each call.
 */

import type { Lane } from '../lane.ts';
import type { Operation } from './operation.ts';
import type { Calendar } from './schema.ts';
import { msOfDay, type OpenState, stretchAt, stretchesBetween } from './timeline.ts';

/** Some work, as far as the calendar asks about it. */
export interface CalmWork {
  readonly lane: Lane;
  /** Grades of the pupils whom it concerns; absent or empty: windows for named grades leave it alone. */
  readonly grades?: readonly string[];
  /** The named operations that it is (`operationsOf`); absent: none. */
  readonly operations?: readonly Operation[];
}

interface Search {
  readonly calendar: Calendar;
  readonly from: Date;
  /** How far ahead to look; 400 by default. */
  readonly days?: number;
}

const lookAhead = 400;

/**
 * What holds at an instant. Measured 0.1 µs; the first call of a day works the day out, 0.6 ms.
 *
 * @throws RangeError for an invalid date
 */
export function openAt(p: { readonly calendar: Calendar; readonly at: Date }): OpenState {
  return stretchAt({ calendar: p.calendar, at: toMs(p.at) }).state;
}

/** Whether lanes `sync` and `bulk` go gently in a state. */
export function isGentle(state: Pick<OpenState, 'windows'>): boolean {
  return state.windows.some((window) => window.pace === 'gentle');
}

/** Whether some work may run in a state: every window that concerns it has to agree. */
export function mayRun(p: CalmWork & { readonly state: Pick<OpenState, 'windows'> }): boolean {
  for (const window of p.state.windows) {
    if (window.grades !== null && !p.grades?.some((grade) => window.grades?.includes(grade))) {
      continue;
    }
    if (!window.lanes.includes(p.lane)) return false;
    if (p.operations?.some((operation) => window.not.includes(operation))) return false;
  }
  return true;
}

/**
 * The next instant after `from` at which another set of windows is in force.
 *
 * @param p.days how far to look; 400 by default
 * @returns null when nothing changes within so many days
 */
export function nextChange(p: Search): Date | null {
  const before = openAt({ calendar: p.calendar, at: p.from });
  return findStretch(p, (state) => state !== before);
}

/**
 * The instant from which some work may not run: `from` itself where it may not run then.
 *
 * @param p.days how far to look; 400 by default
 * @returns null when it may run all the time within so many days
 */
export function nextClosing(p: CalmWork & Search): Date | null {
  return isNeverStopped(p) ? null : findStretch(p, (state) => !mayRun({ ...p, state }));
}

/**
 * The instant from which some work may run: `from` itself where it may run then.
 *
 * @param p.days how far to look; 400 by default
 * @returns null when it may never run within so many days
 */
export function nextOpening(p: CalmWork & Search): Date | null {
  return findStretch(p, (state) => mayRun({ ...p, state }));
}

/**
 * When so many seconds of work will be done that stops whenever it may not run.
 *
 * @param p.seconds of open time, at least 0; 0 gives `from`. A fraction of a millisecond counts as a whole one
 * @param p.gentleSpeed how much of it a second in a gentle window counts for: above 0, 1 by default
 * @param p.days how far to look; 400 by default
 * @returns null when it is not done within so many days
 * @throws RangeError for an invalid date, or a duration below 0
 */
export function estimateEnd(
  p: CalmWork & Search & { readonly seconds: number; readonly gentleSpeed?: number },
): Date | null {
  const from = toMs(p.from);
  const until = from + (p.days ?? lookAhead) * msOfDay;
  let left = toDuration(p.seconds * 1000);
  if (left === 0) return p.from;
  for (const stretch of stretchesBetween({ calendar: p.calendar, from, until })) {
    if (!mayRun({ ...p, state: stretch.state })) continue;
    const start = Math.max(stretch.from, from);
    const speed = isGentle(stretch.state) ? (p.gentleSpeed ?? 1) : 1;
    const done = (Math.min(stretch.to, until) - start) * speed;
    if (left <= done) return new Date(start + Math.ceil(left / speed));
    left -= done;
  }
  return null;
}

/** Not even with all windows in force at once: then nobody has to look a year ahead. */
function isNeverStopped(p: CalmWork & { readonly calendar: Calendar }): boolean {
  return mayRun({ ...p, state: { windows: p.calendar.windows } });
}

function findStretch(p: Search, fits: (state: OpenState) => boolean): Date | null {
  const from = toMs(p.from);
  const until = from + (p.days ?? lookAhead) * msOfDay;
  for (const stretch of stretchesBetween({ calendar: p.calendar, from, until })) {
    if (fits(stretch.state)) return new Date(Math.max(stretch.from, from));
  }
  return null;
}

function toMs(at: Date): number {
  const ms = at.getTime();
  if (Number.isNaN(ms)) throw new RangeError('not a date');
  return ms;
}

function toDuration(ms: number): number {
  if (!(ms >= 0)) throw new RangeError(`not a duration: ${ms} ms`);
  return Math.ceil(ms);
}
