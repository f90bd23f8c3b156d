import { Temporal } from 'temporal-polyfill';
import { type Lane, lanes } from '../lane.ts';
import { operations } from './operation.ts';
import type { Calendar, CalmWindow, Period } from './schema.ts';
import { beginsOn, isOrdinarySchoolDay, weekdays } from './school-day.ts';

interface Fault {
  readonly path: readonly (string | number)[];
  /** With what to do about it. */
  readonly message: string;
}

const minutesOfDay = 1440;

/** What each setting of the calendar allows alone, but not together with another one. */
export function findCalendarFaults(calendar: Calendar): readonly Fault[] {
  const { holidays, windows } = calendar;
  return [
    ...findPeriodFaults({ periods: holidays.closed, path: ['holidays', 'closed'] }),
    ...findOpenFaults(calendar),
    ...windows.flatMap((window, index) => [
      ...findWindowFaults({ window, others: windows.slice(0, index), path: ['windows', index] }),
    ]),
    ...windows.flatMap((window, index) => [
      ...findDayFaults({ calendar, window, path: ['windows', index] }),
    ]),
    ...findStandstill(calendar),
  ];
}

function* findPeriodFaults(p: {
  readonly periods: readonly Period[];
  readonly path: readonly (string | number)[];
}): Generator<Fault> {
  for (const [index, { from, to }] of p.periods.entries()) {
    const path = [...p.path, index, 'to'];
    if (from.length !== to.length) {
      yield { path, message: `${from} and ${to}: write both days with a year, or both without` };
    } else if (from.length === 10 && from > to) {
      yield { path, message: `the last day ${to} is before the first day ${from}: swap them` };
    }
  }
}

function* findOpenFaults(calendar: Calendar): Generator<Fault> {
  for (const [index, day] of calendar.holidays.open.entries()) {
    if (isOrdinarySchoolDay({ calendar, date: Temporal.PlainDate.from(day) })) {
      const message = `${day} is a school day anyway: take it out, or correct the date`;
      yield { path: ['holidays', 'open', index], message };
    }
  }
}

function* findWindowFaults(p: {
  readonly window: CalmWindow;
  readonly others: readonly CalmWindow[];
  readonly path: readonly (string | number)[];
}): Generator<Fault> {
  const { window, path } = p;
  if (p.others.some((other) => other.name === window.name)) {
    yield { path: [...path, 'name'], message: `there is a window ${window.name} already` };
  }
  if (window.from === window.to) {
    const message = `it ends when it begins (${window.from}): for a whole day write from "00:00" to "24:00"`;
    yield { path: [...path, 'to'], message };
  }
  const may = (lane: Lane) => window.lanes.includes(lane);
  if (lanes.every(may) && window.not.length === 0 && window.pace === 'full') {
    const message =
      'the window has no effect: take a lane out of lanes, name an operation in not, or make its pace gentle';
    yield { path: [...path, 'lanes'], message };
  }
  const hurried = lanes.find((lane, at) => !may(lane) && lanes.slice(at + 1).some(may));
  if (hurried !== undefined) {
    const message = `lane ${hurried} would wait while less urgent work goes on: add ${hurried} to lanes`;
    yield { path: [...path, 'lanes'], message };
  }
  if (window.lanes.length === 0 && window.not.length > 0) {
    const message = 'no lane runs, so that not has no effect: take it out, or allow a lane';
    yield { path: [...path, 'not'], message };
  }
  if (window.pace === 'gentle' && !may('sync')) {
    const message =
      'lane now is never gentle, so that pace has no effect: take it out, or allow sync';
    yield { path: [...path, 'pace'], message };
  }
  if (window.dates !== null) {
    yield* findPeriodFaults({ periods: window.dates, path: [...path, 'dates'] });
  }
}

/** A window that never comes, such as exam days that all lie in a holiday. */
function* findDayFaults(p: {
  readonly calendar: Calendar;
  readonly window: CalmWindow;
  readonly path: readonly (string | number)[];
}): Generator<Fault> {
  const periods = p.window.dates ?? [{ from: '01-01', to: '12-31' }];
  // Told already.
  if (!findPeriodFaults({ periods, path: [] }).next().done) return;
  if (periods.some((period) => findDay({ ...p, period }))) return;
  yield {
    path: [...p.path, p.window.dates === null ? 'days' : 'dates'],
    message: 'the window never comes, since no such day is in days: correct days or dates',
  };
}

function findDay(p: {
  readonly calendar: Calendar;
  readonly window: CalmWindow;
  readonly period: Period;
}): boolean {
  const yearly = p.period.from.length === 5;
  // Within 28 years every day of the year, 29 February too, falls on every weekday.
  let date = Temporal.PlainDate.from(yearly ? '2024-01-01' : p.period.from);
  const last = Temporal.PlainDate.from(yearly ? '2051-12-31' : p.period.to);
  while (Temporal.PlainDate.compare(date, last) <= 0) {
    if (beginsOn({ calendar: p.calendar, window: p.window, date })) return true;
    date = date.add({ days: 1 });
  }
  return false;
}

/** Work that would wait for ever: no minute of an ordinary week is left to it. */
function* findStandstill(calendar: Calendar): Generator<Fault> {
  const always = calendar.windows.filter((one) => one.dates === null && one.grades === null);
  const stopping = [
    ...lanes.map((lane) => ({
      what: `lane ${lane}`,
      windows: always.filter((window) => !window.lanes.includes(lane)),
    })),
    ...operations.map((operation) => ({
      what: operation,
      windows: always.filter((window) => window.not.includes(operation)),
    })),
  ];
  for (const { what, windows } of stopping) {
    if (!isWeekFull({ calendar, windows })) continue;
    const message = `${what} never runs in an ordinary week: leave it some time outside of the windows`;
    yield { path: ['windows'], message };
  }
}

function isWeekFull(p: {
  readonly calendar: Calendar;
  readonly windows: readonly CalmWindow[];
}): boolean {
  const taken = new Uint8Array(7 * minutesOfDay);
  for (const { days, from, to } of p.windows) {
    const length = (minuteOf(to) - minuteOf(from) + minutesOfDay) % minutesOfDay || minutesOfDay;
    for (const [day, name] of weekdays.entries()) {
      const has = days === 'school-days' ? p.calendar.schoolDays : days;
      if (has !== 'every-day' && !has.includes(name)) continue;
      const start = day * minutesOfDay + minuteOf(from);
      for (let at = start; at < start + length; at++) taken[at % taken.length] = 1;
    }
  }
  return taken.every((minute) => minute === 1);
}

function minuteOf(clock: string): number {
  return Number(clock.slice(0, 2)) * 60 + Number(clock.slice(3));
}
