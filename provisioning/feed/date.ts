/** How a date was written; everything but `iso` deviates from both formats. */
export type DateShape = 'iso' | 'datetime' | 'day-first' | 'month-first' | 'ambiguous' | 'invalid';

export interface DateReading {
  /** `YYYY-MM-DD`, or null where there is none or none can be read. */
  readonly date: string | null;
  readonly shape: DateShape;
}

const none: DateReading = { date: null, shape: 'iso' };
const invalid: DateReading = { date: null, shape: 'invalid' };

/**
 * Reads the shapes seen in one and the same package: `2023-05-01`, `2023-05-01T18:25:43.511Z` (its
 * date part as written, no time zone is applied) and `1/05/2023`. Where day and month could be
 * either, the day is first, as in all of Europe. Two-digit years are not read.
 */
export function readDate(raw: string | null): DateReading {
  if (raw === null) return none;
  const iso = /^(\d{4})-(\d{2})-(\d{2})(?:$|([T ]\d{2}:|Z$|[+-]\d{2}:?\d{2}$))/.exec(raw);
  if (iso !== null) {
    const date = toDate(Number(iso[1]), Number(iso[2]), Number(iso[3]));
    if (date === null) return invalid;
    return { date, shape: iso[4] === undefined ? 'iso' : 'datetime' };
  }
  const slashed = /^(\d{1,2})([/.-])(\d{1,2})\2(\d{4})$/.exec(raw);
  if (slashed === null) return invalid;
  const first = Number(slashed[1]);
  const second = Number(slashed[3]);
  const year = Number(slashed[4]);
  if (second > 12) return named(toDate(year, first, second), 'month-first');
  const shape = first > 12 || first === second ? 'day-first' : 'ambiguous';
  return named(toDate(year, second, first), shape);
}

/** The day before, for formats whose end dates are exclusive. */
export function dayBefore(date: string): string {
  return new Date(Date.parse(`${date}T00:00:00Z`) - 86_400_000).toISOString().slice(0, 10);
}

/** The day after. */
export function dayAfter(date: string): string {
  return new Date(Date.parse(`${date}T00:00:00Z`) + 86_400_000).toISOString().slice(0, 10);
}

function named(date: string | null, shape: DateShape): DateReading {
  return date === null ? invalid : { date, shape };
}

function toDate(year: number, month: number, day: number): string | null {
  if (year < 1900 || year > 2200) return null;
  const date = new Date(Date.UTC(year, month - 1, day));
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return null;
  return date.toISOString().slice(0, 10);
}
