import type { Temporal } from 'temporal-polyfill';
import { holidayOn } from './holiday.ts';
import type { Calendar, CalmWindow, Period } from './schema.ts';

/** In the order of ISO: Monday is 1. */
export const weekdays = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;
type Weekday = (typeof weekdays)[number];

/** Whether there are lessons on a date. `open` beats everything, then holidays, then the weekday. */
export function isSchoolDay(p: {
  readonly calendar: Calendar;
  readonly date: Temporal.PlainDate;
}): boolean {
  const { holidays } = p.calendar;
  return holidays.open.includes(p.date.toString()) || isOrdinarySchoolDay(p);
}

/** What the date would be if `holidays.open` were empty. */
export function isOrdinarySchoolDay(p: {
  readonly calendar: Calendar;
  readonly date: Temporal.PlainDate;
}): boolean {
  const { holidays, schoolDays } = p.calendar;
  const date = p.date.toString();
  return (
    schoolDays.includes(weekdayOf(p.date)) &&
    holidayOn({ builtIn: holidays.builtIn, date }) === null &&
    !holidays.closed.some((period) => isInPeriod({ period, date }))
  );
}

/** Whether a window begins on a date. */
export function beginsOn(p: {
  readonly calendar: Calendar;
  readonly window: CalmWindow;
  readonly date: Temporal.PlainDate;
}): boolean {
  const { days, dates } = p.window;
  if (dates !== null) {
    const date = p.date.toString();
    if (!dates.some((period) => isInPeriod({ period, date }))) return false;
  }
  if (days === 'every-day') return true;
  return days === 'school-days' ? isSchoolDay(p) : days.includes(weekdayOf(p.date));
}

function weekdayOf(date: Temporal.PlainDate): Weekday {
  return weekdays[date.dayOfWeek - 1] as Weekday;
}

/** @param p.date ISO */
function isInPeriod(p: { readonly period: Period; readonly date: string }): boolean {
  const { from, to } = p.period;
  if (from.length === 10) return from <= p.date && p.date <= to;
  const day = p.date.slice(5);
  // From December into January.
  return from <= to ? from <= day && day <= to : from <= day || day <= to;
}
