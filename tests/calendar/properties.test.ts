import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  estimateEnd,
  mayRun,
  nextChange,
  nextClosing,
  nextOpening,
  openAt,
} from '../../provisioning/policy/calendar/open.ts';
import type { Calendar } from '../../provisioning/policy/calendar/schema.ts';
import { calendarOf } from './calendars.ts';

const minute = 60_000;
const lanes = ['now', 'sync', 'bulk'] as const;
const clock = fc
  .integer({ min: 0, max: 1439 })
  .map((at) => new Date(at * minute).toISOString().slice(11, 16));

const someWindow = fc.record({
  from: clock,
  to: fc.oneof({ weight: 5, arbitrary: clock }, fc.constant('24:00')),
  days: fc.oneof(
    fc.constantFrom('school-days', 'every-day'),
    fc.uniqueArray(fc.constantFrom('mon', 'wed', 'sat', 'sun'), { minLength: 1 }),
  ),
  grades: fc.constantFrom(null, null, ['9'], ['9', '10']),
  lanes: fc.constantFrom([], ['now'], ['now', 'sync']),
});

const someCalendar = fc
  .record({
    timezone: fc.constantFrom('Europe/Copenhagen', 'America/New_York', 'Australia/Lord_Howe'),
    windows: fc.array(someWindow, { maxLength: 3 }),
  })
  .map(({ timezone, windows }) => {
    const named = windows.map((window, at) => ({ ...window, name: `w${at}` }));
    try {
      return calendarOf({ timezone, windows: named });
    } catch {
      // Of no length, or together without a gap: the schema refuses it.
      return null;
    }
  })
  .filter((calendar) => calendar !== null);

/** A minute near to a change of the clock in one of the timezones, or on an ordinary day. */
const someInstant = fc
  .tuple(
    fc.constantFrom(
      '2026-03-08',
      '2026-03-28',
      '2026-04-04',
      '2026-10-03',
      '2026-10-24',
      '2026-11-26',
    ),
    fc.integer({ min: 0, max: 3 * 1440 }),
  )
  .map(([day, minutes]) => new Date(Date.parse(day) + minutes * minute));

const someWork = fc.record({
  lane: fc.constantFrom(...lanes),
  grades: fc.constantFrom([], ['9'], ['3', '10']),
});

function mayRunAt(p: { readonly calendar: Calendar; readonly at: Date } & Work): boolean {
  return mayRun({ ...p, state: openAt(p) });
}
interface Work {
  readonly lane: (typeof lanes)[number];
  readonly grades: readonly string[];
}

/** Windows begin and end on whole minutes, so that a look at each minute sees everything. */
function openMinutes(p: { calendar: Calendar; from: Date; to: Date } & Work): number {
  let count = 0;
  for (let at = p.from.getTime(); at < p.to.getTime(); at += minute) {
    if (mayRunAt({ ...p, at: new Date(at) })) count++;
  }
  return count;
}

/** What the wall clock shows, by Intl, which the calendar does not use. */
function localOf(calendar: Calendar, at: Date): { weekday: string; time: string } {
  const parts = new Intl.DateTimeFormat('en-GB', {
    timeZone: calendar.timezone,
    weekday: 'short',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  }).formatToParts(at);
  const of = (type: string) => parts.find((part) => part.type === type)?.value ?? '';
  return { weekday: of('weekday').toLowerCase(), time: `${of('hour')}:${of('minute')}` };
}

describe('any calendar', () => {
  it('is in a window whenever the wall clock is, and hardly ever else', () => {
    fc.assert(
      fc.property(someCalendar, someInstant, (calendar, at) => {
        const { windows } = openAt({ calendar, at });
        const offsets = [-26, 0, 26].map((hours) =>
          offsetOf(calendar, new Date(at.getTime() + hours * 60 * minute)),
        );
        const isClockSet = new Set(offsets).size > 1;
        const { weekday, time } = localOf(calendar, at);
        const yesterday = localOf(calendar, new Date(at.getTime() - 1440 * minute)).weekday;
        for (const window of calendar.windows) {
          // Holidays and school days have tests of their own.
          if (window.days === 'school-days') continue;
          const begins = (day: string) => window.days === 'every-day' || window.days.includes(day);
          const { from, to } = window;
          const isShown =
            from < to
              ? begins(weekday) && from <= time && time < to
              : (begins(weekday) && from <= time) || (begins(yesterday) && time < to);
          if (isShown && !isClockSet) expect(windows).toContain(window);
          if (!isShown && !isClockSet) expect(windows).not.toContain(window);
          if (isShown && isClockSet && from < to) expect(windows).toContain(window);
        }
      }),
      { numRuns: 400 },
    );
  });

  it('changes next where the windows change, and not before', () => {
    fc.assert(
      fc.property(someCalendar, someInstant, (calendar, from) => {
        const before = openAt({ calendar, at: from });
        const next = nextChange({ calendar, from, days: 2 });
        const end = next ?? new Date(from.getTime() + 2 * 1440 * minute);
        for (let at = from.getTime(); at < end.getTime(); at += minute) {
          expect(openAt({ calendar, at: new Date(at) })).toBe(before);
        }
        if (next === null) return;
        expect(next.getTime()).toBeGreaterThan(from.getTime());
        expect(openAt({ calendar, at: next }).windows).not.toEqual(before.windows);
      }),
      { numRuns: 100 },
    );
  });

  it('closes and opens a lane where it says so, and not before', () => {
    fc.assert(
      fc.property(someCalendar, someInstant, someWork, (calendar, from, work) => {
        const closing = nextClosing({ calendar, from, ...work, days: 2 });
        const opening = nextOpening({ calendar, from, ...work, days: 2 });
        const end = (at: Date | null) => at ?? new Date(from.getTime() + 2 * 1440 * minute);
        const isOpen = mayRunAt({ calendar, at: from, ...work });

        expect(isOpen ? opening : closing).toEqual(from);
        const until = end(isOpen ? closing : opening);
        const minutes = (until.getTime() - from.getTime()) / minute;
        expect(openMinutes({ calendar, from, to: until, ...work })).toBe(isOpen ? minutes : 0);
        for (const at of [closing, opening]) {
          if (at === null) continue;
          expect(mayRunAt({ calendar, at, ...work })).toBe(at === opening);
        }
      }),
      { numRuns: 100 },
    );
  });

  it('has as much open time until the estimated end as was asked for', () => {
    const minutes = fc.integer({ min: 0, max: 3000 });
    fc.assert(
      fc.property(someCalendar, someInstant, someWork, minutes, (calendar, from, work, length) => {
        const to = estimateEnd({ calendar, from, ...work, seconds: length * 60, days: 8 });
        if (to === null) {
          const limit = new Date(from.getTime() + 8 * 1440 * minute);
          expect(openMinutes({ calendar, from, to: limit, ...work })).toBeLessThan(length);
          return;
        }
        expect(openMinutes({ calendar, from, to, ...work })).toBe(length);
        // The last moment was one of work: it is no later than it has to be.
        if (length > 0) {
          const last = new Date(to.getTime() - 1);
          expect(mayRunAt({ calendar, at: last, ...work })).toBe(true);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('is done later with more work, or with a later beginning', () => {
    const seconds = fc.double({ min: 0, max: 200_000, noNaN: true });
    fc.assert(
      fc.property(
        fc.tuple(someCalendar, someWork),
        fc.tuple(someInstant, someInstant),
        fc.tuple(seconds, seconds),
        ([calendar, work], instants, amounts) => {
          const [from, laterFrom] = instants.toSorted((a, b) => a.getTime() - b.getTime());
          const [less, more] = amounts.toSorted((a, b) => a - b);
          const end = (start: Date | undefined, amount: number | undefined) =>
            estimateEnd({
              ...{ calendar, ...work, seconds: amount ?? 0, from: start ?? new Date() },
              days: 400,
            })?.getTime() ?? Number.POSITIVE_INFINITY;

          expect(end(from, less)).toBeGreaterThanOrEqual(from?.getTime() ?? 0);
          expect(end(from, more)).toBeGreaterThanOrEqual(end(from, less));
          expect(end(laterFrom, less)).toBeGreaterThanOrEqual(end(from, less));
        },
      ),
      { numRuns: 200 },
    );
  });
});

function offsetOf(calendar: Calendar, at: Date): string | undefined {
  const format = { timeZone: calendar.timezone, timeZoneName: 'longOffset' } as const;
  return new Intl.DateTimeFormat('en', format)
    .formatToParts(at)
    .find((part) => part.type === 'timeZoneName')?.value;
}
