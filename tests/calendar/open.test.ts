import { describe, expect, it } from 'vitest';
import {
  estimateEnd,
  mayRun,
  nextChange,
  nextClosing,
  nextOpening,
  openAt,
} from '../../provisioning/policy/calendar/open.ts';
import { calendarOf, everyDay, namesOf } from './calendars.ts';

/** Without the school hours, in which all lanes go on. */
const bell = calendarOf({ windows: calendarOf().windows.filter((one) => one.name === 'bell') });
const at = (text: string) => new Date(text);
/** Thursday, a school day; Copenhagen is an hour ahead of UTC. */
const before = at('2026-11-26T07:29:59.999+01:00');
const begins = at('2026-11-26T07:30:00+01:00');
const within = at('2026-11-26T08:00:00+01:00');
const ends = at('2026-11-26T08:45:00+01:00');

describe('the bell of the default calendar', () => {
  it('begins and ends on the millisecond', () => {
    expect(namesOf(openAt({ calendar: bell, at: before }))).toEqual([]);
    expect(namesOf(openAt({ calendar: bell, at: begins }))).toEqual(['bell']);
    expect(namesOf(openAt({ calendar: bell, at: new Date(ends.getTime() - 1) }))).toEqual(['bell']);
    expect(namesOf(openAt({ calendar: bell, at: ends }))).toEqual([]);
  });

  it('leaves lane now its work, but nothing that everybody would feel', () => {
    expect(openAt({ calendar: bell, at: within })).toMatchObject({
      lanes: ['now'],
      not: ['moodle-course-write', 'nextcloud-large-group'],
      grades: {},
    });
    expect(openAt({ calendar: bell, at: before })).toMatchObject({
      lanes: ['now', 'sync', 'bulk'],
      not: [],
    });
  });

  it.each([
    ['a Saturday', '2026-11-28T08:00:00+01:00'],
    ['Maundy Thursday', '2026-04-02T08:00:00+02:00'],
    ['the summer holidays', '2026-07-15T08:00:00+02:00'],
  ])('does not ring on %s', (_, text) => {
    expect(namesOf(openAt({ calendar: bell, at: at(text) }))).toEqual([]);
  });

  it('rings at the same time of day in summer and in winter', () => {
    expect(namesOf(openAt({ calendar: bell, at: at('2026-06-15T05:30:00Z') }))).toEqual(['bell']);
    expect(namesOf(openAt({ calendar: bell, at: at('2026-11-26T05:30:00Z') }))).toEqual([]);
  });

  it('is seen coming, over the weekend too', () => {
    const from = at('2026-11-27T12:00:00+01:00');

    expect(nextChange({ calendar: bell, from })).toEqual(at('2026-11-30T07:30:00+01:00'));
    expect(nextChange({ calendar: bell, from: begins })).toEqual(ends);
    expect(nextClosing({ calendar: bell, from, lane: 'sync' })).toEqual(
      at('2026-11-30T07:30:00+01:00'),
    );
    expect(nextClosing({ calendar: bell, from: within, lane: 'sync' })).toEqual(within);
    expect(nextOpening({ calendar: bell, from: within, lane: 'sync' })).toEqual(ends);
    expect(nextOpening({ calendar: bell, from, lane: 'sync' })).toEqual(from);
    expect(nextClosing({ calendar: bell, from, lane: 'sync', days: 2 })).toBeNull();
  });

  it('is seen coming at the end of the summer holidays', () => {
    const from = at('2026-06-30T12:00:00+02:00');

    expect(nextClosing({ calendar: bell, from, lane: 'bulk' })).toEqual(
      at('2026-08-03T07:30:00+02:00'),
    );
    expect(nextClosing({ calendar: bell, from, lane: 'bulk', days: 30 })).toBeNull();
  });

  it('never stops lane now, but some of its operations', () => {
    const operations = ['moodle-course-write'] as const;

    expect(nextClosing({ calendar: bell, from: before, lane: 'now' })).toBeNull();
    expect(nextClosing({ calendar: bell, from: before, lane: 'now', operations })).toEqual(begins);
  });
});

describe('estimates', () => {
  it('skip the calm windows in between', () => {
    const from = at('2026-11-26T07:00:00+01:00');
    const end = (seconds: number) => estimateEnd({ calendar: bell, lane: 'sync', from, seconds });

    expect(end(0)).toEqual(from);
    expect(end(1800)).toEqual(begins);
    expect(end(1800.001)).toEqual(new Date(ends.getTime() + 1));
    expect(end(3600)).toEqual(at('2026-11-26T09:15:00+01:00'));
    // 22.75 hours of each day are open.
    expect(end(1800 + 22.75 * 3600 + 60)).toEqual(at('2026-11-27T08:46:00+01:00'));
  });

  it('count nothing while the lane has to wait', () => {
    expect(estimateEnd({ calendar: bell, lane: 'bulk', from: within, seconds: 60 })).toEqual(
      at('2026-11-26T08:46:00+01:00'),
    );
    expect(estimateEnd({ calendar: bell, lane: 'now', from: within, seconds: 60 })).toEqual(
      at('2026-11-26T08:01:00+01:00'),
    );
  });

  it('say when they see no end', () => {
    const p = { calendar: bell, lane: 'sync', from: before } as const;

    expect(estimateEnd({ ...p, seconds: Number.POSITIVE_INFINITY })).toBeNull();
    expect(estimateEnd({ ...p, seconds: 86_400, days: 1 })).toBeNull();
    expect(() => estimateEnd({ ...p, seconds: Number.NaN })).toThrow(RangeError);
    expect(() => estimateEnd({ ...p, seconds: -1 })).toThrow(RangeError);
    expect(() => openAt({ calendar: bell, at: new Date(Number.NaN) })).toThrow(RangeError);
  });
});

describe('windows of some grades', () => {
  const calendar = calendarOf({
    windows: [
      { name: 'bell', from: '07:30', to: '08:45' },
      {
        name: 'exam',
        from: '08:00',
        to: '14:00',
        dates: [{ from: '2027-05-03', to: '2027-05-07' }],
        grades: [9, 10],
        lanes: [],
      },
    ],
  });
  const noon = openAt({ calendar, at: at('2027-05-04T12:00:00+02:00') });

  it('leave everybody else alone', () => {
    expect(noon).toMatchObject({
      lanes: ['now', 'sync', 'bulk'],
      grades: { '9': { lanes: [] }, '10': { lanes: [] } },
    });
    expect(mayRun({ state: noon, lane: 'sync' })).toBe(true);
    expect(mayRun({ state: noon, lane: 'sync', grades: ['8'] })).toBe(true);
    expect(mayRun({ state: noon, lane: 'now', grades: ['8', '9'] })).toBe(false);
  });

  it('add to what holds for all', () => {
    const state = openAt({ calendar, at: at('2027-05-04T08:15:00+02:00') });

    expect(namesOf(state)).toEqual(['bell', 'exam']);
    expect(state).toMatchObject({ lanes: ['now'], grades: { '9': { lanes: [] } } });
    expect(mayRun({ state, lane: 'now' })).toBe(true);
    expect(mayRun({ state, lane: 'sync', grades: ['3'] })).toBe(false);
  });

  it('come only on their days', () => {
    const from = at('2027-05-01T00:00:00+02:00');

    expect(nextClosing({ calendar, from, lane: 'now', grades: ['9'] })).toEqual(
      at('2027-05-03T08:00:00+02:00'),
    );
    expect(nextClosing({ calendar, from, lane: 'now' })).toBeNull();
    expect(
      nextClosing({ calendar, from: at('2027-05-07T14:00:00+02:00'), lane: 'now', grades: ['9'] }),
    ).toBeNull();
  });
});

describe('windows over midnight', () => {
  const calendar = calendarOf({
    windows: [
      { name: 'backup', from: '23:00', to: '02:00', days: ['fri'], lanes: [] },
      { name: 'sunday', from: '00:00', to: '24:00', days: ['sun'] },
    ],
  });

  it('belong to the day on which they begin', () => {
    expect(namesOf(openAt({ calendar, at: at('2026-11-27T01:00:00+01:00') }))).toEqual([]);
    expect(namesOf(openAt({ calendar, at: at('2026-11-27T23:30:00+01:00') }))).toEqual(['backup']);
    expect(namesOf(openAt({ calendar, at: at('2026-11-28T01:59:59+01:00') }))).toEqual(['backup']);
    expect(namesOf(openAt({ calendar, at: at('2026-11-28T02:00:00+01:00') }))).toEqual([]);
  });

  it('may end with the day', () => {
    expect(nextOpening({ calendar, from: at('2026-11-29T12:00:00+01:00'), lane: 'sync' })).toEqual(
      at('2026-11-30T00:00:00+01:00'),
    );
  });

  it('do not change where one day takes over from the other', () => {
    const always = calendarOf({
      windows: [everyDay('00:00', '24:00', { lanes: ['now', 'sync'], days: ['mon', 'tue'] })],
    });

    expect(nextChange({ calendar: always, from: at('2026-11-30T12:00:00+01:00') })).toEqual(
      at('2026-12-02T00:00:00+01:00'),
    );
  });
});

describe('a calendar without windows', () => {
  it('lets everything run, and never changes', () => {
    const calendar = calendarOf({ windows: [] });

    expect(openAt({ calendar, at: within })).toMatchObject({ lanes: ['now', 'sync', 'bulk'] });
    expect(nextChange({ calendar, from: within })).toBeNull();
    expect(nextClosing({ calendar, from: within, lane: 'bulk' })).toBeNull();
    expect(estimateEnd({ calendar, lane: 'bulk', from: begins, seconds: 1800 })).toEqual(within);
  });
});

describe('the named operations', () => {
  it('do not run in a window that forbids them, though their lane does', () => {
    const state = openAt({ calendar: bell, at: within });

    expect(mayRun({ state, lane: 'now' })).toBe(true);
    expect(mayRun({ state, lane: 'now', operations: ['nextcloud-large-group'] })).toBe(false);
  });
});

describe('the speed', () => {
  it('lets a worker ask before every batch', () => {
    const times = Array.from({ length: 20_000 }, (_, n) => new Date(within.getTime() + n * 1000));
    for (const one of times) openAt({ calendar: bell, at: one });
    const rounds = Array.from({ length: 5 }, () => {
      const start = performance.now();
      for (const one of times) openAt({ calendar: bell, at: one });
      return performance.now() - start;
    });

    // Microseconds each; measured 0.1, so that a busy machine does not matter.
    expect((Math.min(...rounds) * 1000) / times.length).toBeLessThan(20);
  });
});
