/** Danish days without school, computed; dates are ISO, `2026-04-05`. */

import { Temporal } from 'temporal-polyfill';

/**
 * Easter Sunday of a year, by the anonymous Gregorian algorithm (Meeus, Jones, Butcher): exact for
 * every year of the Gregorian calendar.
 */
export function easterOf(year: number): Temporal.PlainDate {
  const a = year % 19;
  const b = Math.floor(year / 100);
  const c = year % 100;
  const d = Math.floor(b / 4);
  const e = b % 4;
  const f = Math.floor((b + 8) / 25);
  const g = Math.floor((b - f + 1) / 3);
  const h = (19 * a + b - d - g + 15) % 30;
  const i = Math.floor(c / 4);
  const k = c % 4;
  const l = (32 + 2 * e + 2 * i - h - k) % 7;
  const m = Math.floor((a + 11 * h + 22 * l) / 451);
  const n = h + l - 7 * m + 114;
  return new Temporal.PlainDate(year, Math.floor(n / 31), (n % 31) + 1);
}

/** Days after Easter Sunday. Store bededag (26) is no public holiday any more, from 2024 on. */
const movable: readonly (readonly [number, string])[] = [
  [-3, 'skærtorsdag'],
  [-2, 'langfredag'],
  [0, 'påskedag'],
  [1, '2. påskedag'],
  [39, 'Kristi himmelfartsdag'],
  [49, 'pinsedag'],
  [50, '2. pinsedag'],
];

/** Constitution Day, Christmas Eve and New Year's Eve are no public holidays, but no school has lessons. */
const fixed: readonly (readonly [string, string])[] = [
  ['01-01', 'nytårsdag'],
  ['06-05', 'grundlovsdag'],
  ['12-24', 'juleaftensdag'],
  ['12-25', 'juledag'],
  ['12-26', '2. juledag'],
  ['12-31', 'nytårsaftensdag'],
];

/** Date -> name of the day, for one year. */
function danishHolidays(year: number): ReadonlyMap<string, string> {
  const easter = easterOf(year);
  return new Map([
    ...movable.map(([days, name]) => [easter.add({ days }).toString(), name] as const),
    ...fixed.map(([day, name]) => [`${year}-${day}`, name] as const),
  ]);
}

const byYear = new Map<number, ReadonlyMap<string, string>>();

/** The name of the built-in day without school that a date is, or null. */
export function holidayOn(p: {
  readonly builtIn: 'danish' | 'none';
  readonly date: string;
}): string | null {
  if (p.builtIn === 'none') return null;
  const year = Number(p.date.slice(0, 4));
  let holidays = byYear.get(year);
  if (holidays === undefined) {
    holidays = danishHolidays(year);
    byYear.set(year, holidays);
  }
  return holidays.get(p.date) ?? null;
}
