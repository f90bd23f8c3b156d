import { Temporal } from 'temporal-polyfill';
import { describe, expect, it } from 'vitest';
import { easterOf, holidayOn } from '../../provisioning/policy/calendar/holiday.ts';
import { isSchoolDay } from '../../provisioning/policy/calendar/school-day.ts';
import { calendarOf } from './calendars.ts';

/** Easter Monday, Ascension, Whit Monday: as printed in Danish calendars. */
const printed = [
  ['2024', '2024-03-31', '2024-03-28', '2024-05-09', '2024-05-20'],
  ['2025', '2025-04-20', '2025-04-17', '2025-05-29', '2025-06-09'],
  ['2026', '2026-04-05', '2026-04-02', '2026-05-14', '2026-05-25'],
  ['2027', '2027-03-28', '2027-03-25', '2027-05-06', '2027-05-17'],
  ['2028', '2028-04-16', '2028-04-13', '2028-05-25', '2028-06-05'],
  ['2029', '2029-04-01', '2029-03-29', '2029-05-10', '2029-05-21'],
  ['2030', '2030-04-21', '2030-04-18', '2030-05-30', '2030-06-10'],
] as const;

const nameOf = (date: string) => holidayOn({ builtIn: 'danish', date });

function isOpen(date: string, settings: object = {}): boolean {
  return isSchoolDay({ calendar: calendarOf(settings), date: Temporal.PlainDate.from(date) });
}

describe('the Danish holidays', () => {
  it.each(printed)(
    'of %s are those of the printed calendars',
    (year, easter, thursday, up, whit) => {
      expect(easterOf(Number(year)).toString()).toBe(easter);
      expect(nameOf(easter)).toBe('påskedag');
      expect(nameOf(thursday)).toBe('skærtorsdag');
      expect(nameOf(up)).toBe('Kristi himmelfartsdag');
      // In 2028 Whit Monday is Constitution Day too.
      expect(['2. pinsedag', 'grundlovsdag']).toContain(nameOf(whit));
    },
  );

  it.each([
    [1818, '1818-03-22'],
    [1943, '1943-04-25'],
    [2038, '2038-04-25'],
    [2285, '2285-03-22'],
  ])('have the Easter of %i, one of the earliest and latest there are', (year, date) => {
    expect(easterOf(year).toString()).toBe(date);
  });

  it('are all there in 2026', () => {
    let date = Temporal.PlainDate.from('2026-01-01');
    const found: string[] = [];
    for (; date.year === 2026; date = date.add({ days: 1 })) {
      const name = nameOf(date.toString());
      if (name !== null) found.push(`${date.toString().slice(5)} ${name}`);
    }

    expect(found).toEqual([
      '01-01 nytårsdag',
      '04-02 skærtorsdag',
      '04-03 langfredag',
      '04-05 påskedag',
      '04-06 2. påskedag',
      '05-14 Kristi himmelfartsdag',
      '05-24 pinsedag',
      '05-25 2. pinsedag',
      '06-05 grundlovsdag',
      '12-24 juleaftensdag',
      '12-25 juledag',
      '12-26 2. juledag',
      '12-31 nytårsaftensdag',
    ]);
  });

  it.each(['2024-04-26', '2025-05-16', '2026-05-01', '2027-04-23'])(
    'have no store bededag any more: %s is a school day',
    (date) => {
      expect(nameOf(date)).toBeNull();
      expect(isOpen(date)).toBe(true);
    },
  );
});

describe('a school day', () => {
  it.each([
    ['a Thursday', '2026-11-26', true],
    ['a Saturday', '2026-11-28', false],
    ['Constitution Day', '2026-06-05', false],
    ['the day after Ascension, which municipalities decide about', '2026-05-15', true],
    ['a day in July', '2026-07-15', false],
    ['the day before the Christmas holidays', '2026-12-23', true],
    ['a weekday between Christmas and New Year', '2026-12-29', false],
    ['the first weekday after them', '2027-01-04', true],
  ])('%s (%s): %s', (_, date, expected) => {
    expect(isOpen(date)).toBe(expected);
  });

  it('knows holidays of its own, their first and last day too', () => {
    const holidays = { closed: [{ name: 'vinterferie', from: '2027-02-15', to: '2027-02-19' }] };
    const days = ['2027-02-12', '2027-02-15', '2027-02-19', '2027-02-22', '2028-02-16'];

    expect(days.map((day) => isOpen(day, { holidays }))).toEqual([true, false, false, true, true]);
  });

  it('knows holidays that come every year and go on into the next', () => {
    const holidays = { builtIn: 'none', closed: [{ name: 'jul', from: '12-21', to: '01-05' }] };
    const days = ['2026-12-18', '2026-12-21', '2027-01-05', '2027-01-06', '2027-12-21'];

    expect(days.map((day) => isOpen(day, { holidays }))).toEqual([true, false, false, true, false]);
  });

  it('can be a Saturday, a holiday or a day of a closed period that the school declares open', () => {
    const holidays = { open: ['2026-11-28', '2026-06-05', '2026-07-31'] };

    expect(holidays.open.map((day) => isOpen(day, { holidays }))).toEqual([true, true, true]);
    expect(isOpen('2026-07-30', { holidays })).toBe(false);
  });

  it('comes on 5 June and at Easter where nothing Danish is built in', () => {
    const holidays = { builtIn: 'none', closed: [] };

    expect(isOpen('2026-06-05', { holidays })).toBe(true);
    expect(isOpen('2026-04-06', { holidays })).toBe(true);
  });

  it('follows the weekdays of the policy', () => {
    const schoolDays = ['sun', 'mon'];

    expect(isOpen('2026-11-29', { schoolDays })).toBe(true);
    expect(isOpen('2026-11-26', { schoolDays })).toBe(false);
  });
});
