import type { Temporal } from 'temporal-polyfill';
import type { Calendar } from './schema.ts';
import { beginsOn } from './school-day.ts';

/** One window on one day; instants in ms since 1970, `to` is exclusive. */
export interface Occurrence {
  /** Index in `calendar.windows`. */
  readonly window: number;
  readonly from: number;
  readonly to: number;
}

/**
 * The windows that begin on a local date.
 *
 * Where the clock is set, a window errs on the side of calm: it begins when the clock first shows `from`
 * or later, and ends when it shows `to` or later for good. So of an hour that comes twice both are in
 * it, and of an hour that is skipped nothing is left.
 */
export function occurrencesOn(p: {
  readonly calendar: Calendar;
  readonly date: Temporal.PlainDate;
}): readonly Occurrence[] {
  const { calendar, date } = p;
  return calendar.windows.flatMap((window, index) => {
    if (!beginsOn({ calendar, window, date })) return [];
    const begins = localTime(date, window.from);
    const ends = localTime(window.to > window.from ? date : date.add({ days: 1 }), window.to);
    const from = toInstant({ local: begins, timezone: calendar.timezone, which: 'earlier' });
    const to = toInstant({ local: ends, timezone: calendar.timezone, which: 'later' });
    return from < to ? [{ window: index, from, to }] : [];
  });
}

function localTime(date: Temporal.PlainDate, clock: string): Temporal.PlainDateTime {
  return clock === '24:00' ? date.add({ days: 1 }).toPlainDateTime() : date.toPlainDateTime(clock);
}

/** A time that does not exist is the instant at which the clock jumps over it. */
function toInstant(p: {
  readonly local: Temporal.PlainDateTime;
  readonly timezone: string;
  readonly which: 'earlier' | 'later';
}): number {
  const found = p.local.toZonedDateTime(p.timezone, { disambiguation: p.which });
  if (found.toPlainDateTime().equals(p.local)) return found.epochMilliseconds;
  // Of a skipped time, Temporal gives one side of the jump for each disambiguation.
  const before = p.local.toZonedDateTime(p.timezone, { disambiguation: 'earlier' });
  const jump = before.getTimeZoneTransition('next');
  return (jump ?? found).epochMilliseconds;
}
