import { describe, expect, it } from 'vitest';
import { nextChange, openAt } from '../../provisioning/policy/calendar/open.ts';
import { calendarOf, everyDay, namesOf } from './calendars.ts';

const day = 86_400_000;

/** When a window of one local date is in force, in UTC: `29T00:30-29T01:00`, day of the month first. */
function stretchesOf(p: {
  readonly timezone: string;
  readonly date: string;
  readonly from: string;
  readonly to: string;
}): readonly string[] {
  const dates = [{ from: p.date, to: p.date }];
  const calendar = calendarOf({
    timezone: p.timezone,
    windows: [everyDay(p.from, p.to, { dates })],
  });
  const found: string[] = [];
  let at = new Date(Date.parse(p.date) - 2 * day);
  for (;;) {
    const next = nextChange({ calendar, from: at, days: 6 });
    if (next === null) return found;
    if (namesOf(openAt({ calendar, at })).length > 0) found.push(`${utc(at)}-${utc(next)}`);
    at = next;
  }
}

function utc(at: Date): string {
  return at.toISOString().slice(8, 16);
}

describe('when the clock goes forward (Copenhagen, 2026-03-29, 02:00 to 03:00)', () => {
  it.each([
    ['within the hour that is skipped never comes', '02:15', '02:45', []],
    ['that is just that hour never comes', '02:00', '03:00', []],
    ['that ends in it ends when the clock jumps', '01:30', '02:30', ['29T00:30-29T01:00']],
    ['that begins in it begins when the clock jumps', '02:30', '04:00', ['29T01:00-29T02:00']],
    ['around it is an hour shorter', '01:30', '03:30', ['29T00:30-29T01:30']],
    ['later that day is at its time of day', '07:30', '08:45', ['29T05:30-29T06:45']],
    ['of the whole day has 23 hours', '00:00', '24:00', ['28T23:00-29T22:00']],
    ['over the night to come is as long as ever', '22:00', '06:00', ['29T20:00-30T04:00']],
  ])('a window %s', (_, from, to, expected) => {
    const place = { timezone: 'Europe/Copenhagen', date: '2026-03-29' };

    expect(stretchesOf({ ...place, from, to })).toEqual(expected);
  });

  it('a window over the night before is an hour shorter', () => {
    const place = { timezone: 'Europe/Copenhagen', date: '2026-03-28' };

    expect(stretchesOf({ ...place, from: '22:00', to: '06:00' })).toEqual(['28T21:00-29T04:00']);
    expect(stretchesOf({ ...place, from: '22:00', to: '02:30' })).toEqual(['28T21:00-29T01:00']);
  });
});

describe('when the clock goes back (Copenhagen, 2026-10-25, 03:00 to 02:00)', () => {
  it.each([
    ['within the hour that comes twice holds from the first time to the second', '02:15', '02:45'],
    ['that is just that hour is two hours long', '02:00', '03:00', '25T00:00-25T02:00'],
    ['that ends in it ends the second time', '01:30', '02:30', '24T23:30-25T01:30'],
    ['that begins in it begins the first time', '02:30', '04:00', '25T00:30-25T03:00'],
    ['later that day is at its time of day', '07:30', '08:45', '25T06:30-25T07:45'],
    ['of the whole day has 25 hours', '00:00', '24:00', '24T22:00-25T23:00'],
  ])('a window %s', (_, from, to, expected = '25T00:15-25T01:45') => {
    const place = { timezone: 'Europe/Copenhagen', date: '2026-10-25' };

    expect(stretchesOf({ ...place, from, to })).toEqual([expected]);
  });
});

describe('in other timezones', () => {
  it.each([
    // At 02:00, 07:00 in UTC, the clock goes to 03:00.
    ['New York, forward', 'America/New_York', '2026-03-08', '01:30', '02:30', '08T06:30-08T07:00'],
    // At 02:00 it goes to 01:00: 01:15 comes at 05:15 and at 06:15 in UTC.
    ['New York, back', 'America/New_York', '2026-11-01', '01:15', '01:45', '01T05:15-01T06:45'],
    // Half an hour: at 02:00, 15:00 in UTC the day before, it goes to 01:30.
    ['Lord Howe, back', 'Australia/Lord_Howe', '2026-04-05', '01:40', '01:50', '04T14:40-04T15:20'],
    // At 00:00, 22:00 in UTC the day before, it goes to 01:00: the day has no midnight.
    ['Cairo, forward', 'Africa/Cairo', '2026-04-24', '00:00', '02:00', '23T22:00-23T23:00'],
    ['Kolkata', 'Asia/Kolkata', '2026-03-29', '07:30', '08:45', '29T02:00-29T03:15'],
    ['Kiritimati', 'Pacific/Kiritimati', '2026-03-29', '07:30', '08:45', '28T17:30-28T18:45'],
    ['UTC', 'UTC', '2026-03-29', '02:15', '02:45', '29T02:15-29T02:45'],
  ])('%s', (_, timezone, date, from, to, expected) => {
    expect(stretchesOf({ timezone, date, from, to })).toEqual([expected]);
  });

  it('a date that a country left out has no windows (Samoa, 2011-12-30)', () => {
    const place = { timezone: 'Pacific/Apia', from: '08:00', to: '09:00' };

    expect(stretchesOf({ ...place, date: '2011-12-29' })).toEqual(['29T18:00-29T19:00']);
    expect(stretchesOf({ ...place, date: '2011-12-30' })).toEqual([]);
    expect(stretchesOf({ ...place, date: '2011-12-31' })).toEqual(['30T18:00-30T19:00']);
  });
});
