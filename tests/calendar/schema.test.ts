import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { Calendar } from '../../provisioning/policy/calendar/schema.ts';
import { parsePolicy } from '../../provisioning/policy/parse.ts';
import { PolicyError, type PolicyProblem } from '../../provisioning/policy/problem.ts';
import { policyJsonSchema } from '../../provisioning/policy/schema.ts';
import { calendarOf, everyDay } from './calendars.ts';

/** Of a policy whose calendar is one line, so that the line number says nothing. */
function problemsOf(yaml: string): readonly PolicyProblem[] {
  try {
    parsePolicy({ text: `version: 1\ncalendar: ${yaml}\n`, file: 'policy.yaml' });
  } catch (error) {
    if (error instanceof PolicyError) return error.problems;
    throw error;
  }
  return [];
}

const exam = (more: string) => `{ windows: [{ name: exam, from: "08:00", to: "14:00", ${more} }] }`;

describe('the default calendar', () => {
  it('keeps the bell of school days to lane now', () => {
    expect(calendarOf()).toMatchObject({
      timezone: 'Europe/Copenhagen',
      holidays: { builtIn: 'danish' },
      largeGroup: 200,
      windows: [
        {
          name: 'bell',
          from: '07:30',
          to: '08:45',
          days: 'school-days',
          lanes: ['now'],
          not: ['moodle-course-write', 'nextcloud-large-group'],
          pace: 'full',
        },
        {
          name: 'school-hours',
          from: '07:00',
          to: '16:00',
          days: 'school-days',
          lanes: ['now', 'sync', 'bulk'],
          not: [],
          pace: 'gentle',
        },
      ],
    });
  });

  it('means the same when it is read back from the store', () => {
    const full = calendarOf({
      holidays: { open: ['2027-03-06'] },
      windows: [
        everyDay('22:00', '06:00', { grades: [9, 'DT'], dates: [{ from: '05-02', to: '06-25' }] }),
      ],
    });

    expect(Calendar.parse(JSON.parse(JSON.stringify(full)))).toEqual(full);
  });

  it('can be none at all', () => {
    expect(calendarOf({ windows: [] }).windows).toEqual([]);
  });
});

describe('a wrong calendar', () => {
  it.each([
    [
      'an unknown timezone',
      '{ timezone: Europe/Kopenhagen }',
      'timezone',
      'not a timezone: Europe/Kopenhagen; write',
    ],
    ['an offset for a timezone', '{ timezone: "+01:00" }', 'timezone', 'not a timezone: +01:00'],
    ['no text for a timezone', '{ timezone: 1 }', 'timezone', ''],
    ['an unknown weekday', '{ schoolDays: [man] }', 'schoolDays.0', ''],
    [
      'a time that no clock shows',
      exam('to: "8:75"').replace('to: "14:00", ', ''),
      'windows.0.to',
      'not a time of day',
    ],
    [
      'a beginning at 24:00',
      '{ windows: [{ name: a, from: "24:00", to: "08:00" }] }',
      'windows.0.from',
      'not a time of day',
    ],
    [
      'a word for days',
      exam('days: schooldays'),
      'windows.0.days',
      'not school-days, every-day or a list',
    ],
    ['a weekday in Danish', exam('days: [mandag]'), 'windows.0.days.0', 'not a day: write'],
    ['no days', exam('days: []'), 'windows.0.days', ''],
    [
      'a grade that there is not',
      exam('grades: [nine]'),
      'windows.0.grades.0',
      'not a grade: write',
    ],
    ['grade 11', exam('grades: [11]'), 'windows.0.grades.0', ''],
    ['a lane that there is not', exam('lanes: [fast]'), 'windows.0.lanes.0', ''],
    ['an operation that there is not', exam('not: [everything]'), 'windows.0.not.0', ''],
    [
      'a day that there is not',
      exam('dates: [{ from: 2026-02-30, to: 2026-03-01 }]'),
      'windows.0.dates.0.from',
      'not a date',
    ],
    [
      'a day of no year',
      exam('dates: [{ from: 02-30, to: 03-01 }]'),
      'windows.0.dates.0.from',
      'not a date',
    ],
    [
      'an open day without a year',
      '{ holidays: { open: [06-05] } }',
      'holidays.open.0',
      'not a date',
    ],
    ['an unknown setting', exam('lane: now'), 'windows.0.lane', ''],
  ])('with %s names its place', (_, yaml, path, message) => {
    const [problem] = problemsOf(yaml);

    expect(problem?.path).toBe(`calendar.${path}`);
    expect(problem?.message).toContain(message);
    expect(problem?.code).toMatch(/^policy-(wrong-value|unknown-setting)$/);
    expect(problem?.remedy).toMatch(/\.$/);
  });

  it('says what to write where one of several forms was meant', () => {
    expect(problemsOf(exam('grades: [11]'))[0]?.remedy).toBe('Use 10 or less.');
    expect(problemsOf(exam('days: []'))[0]?.remedy).toBe('Use 1 or more.');
    expect(problemsOf(exam('lanes: [fast]'))[0]?.remedy).toBe(
      'Write now, sync, bulk (one of these).',
    );
  });
});

describe('a calendar that contradicts itself', () => {
  const whole = '{ name: a, from: "00:00", to: "24:00", days: every-day, lanes: [now] }';
  it.each([
    [
      'a window of no length',
      '{ windows: [{ name: a, from: "08:00", to: "08:00" }] }',
      'windows.0.to',
      'it ends when it begins (08:00)',
    ],
    [
      'a window without effect',
      exam('lanes: [now, sync, bulk]'),
      'windows.0.lanes',
      'has no effect',
    ],
    [
      'a gentle window in which only lane now runs',
      exam('pace: gentle'),
      'windows.0.pace',
      'lane now is never gentle',
    ],
    [
      'a lane before a more urgent one',
      exam('lanes: [now, bulk]'),
      'windows.0.lanes',
      'lane sync would wait',
    ],
    [
      'operations where nothing runs',
      exam('lanes: [], not: [moodle-course-write]'),
      'windows.0.not',
      'not has no effect',
    ],
    [
      'two windows of one name',
      `{ windows: [{ name: a, from: "01:00", to: "02:00" }, { name: a, from: "03:00", to: "04:00" }] }`,
      'windows.1.name',
      'there is a window a already',
    ],
    [
      'a period that ends before it begins',
      exam('dates: [{ from: 2026-05-04, to: 2026-05-01 }]'),
      'windows.0.dates.0.to',
      'swap them',
    ],
    [
      'a period with a year at one end',
      exam('dates: [{ from: 2026-05-04, to: 05-08 }]'),
      'windows.0.dates.0.to',
      'both days with a year, or both without',
    ],
    [
      'a holiday that ends before it begins',
      '{ holidays: { closed: [{ name: f, from: 2027-02-19, to: 2027-02-15 }] } }',
      'holidays.closed.0.to',
      'swap them',
    ],
    [
      'a window that only weekends could have',
      exam('dates: [{ from: 2026-11-28, to: 2026-11-29 }]'),
      'windows.0.dates',
      'never comes',
    ],
    [
      'a window of every 5 June, which no school has',
      exam('dates: [{ from: 06-05, to: 06-05 }]'),
      'windows.0.dates',
      'never comes',
    ],
    [
      'school days of a school without any',
      '{ schoolDays: [], windows: [{ name: a, from: "01:00", to: "02:00" }] }',
      'windows.0.days',
      'never comes',
    ],
    [
      'an open day that is open anyway',
      '{ holidays: { open: [2026-11-26] } }',
      'holidays.open.0',
      'is a school day anyway',
    ],
    ['a lane that never runs', `{ windows: [${whole}] }`, 'windows', 'lane sync never runs'],
  ])('with %s names its place and the way out', (_, yaml, path, message) => {
    const [problem] = problemsOf(yaml);

    expect(problem).toMatchObject({ code: 'policy-contradiction', path: `calendar.${path}` });
    expect(problem?.message).toContain(message);
  });

  it('is found where two windows together leave no time', () => {
    const night = everyDay('20:00', '08:00');
    const day = (more: object) => everyDay('08:00', '20:00', more);

    expect(() => calendarOf({ windows: [night, day({})] })).toThrow('lane bulk never runs');
    expect(() =>
      calendarOf({
        windows: [
          { ...night, lanes: ['now', 'sync', 'bulk'], not: ['moodle-course-write'] },
          day({ not: ['moodle-course-write'] }),
        ],
      }),
    ).toThrow('moodle-course-write never runs');
    expect(() => calendarOf({ windows: [night, everyDay('08:00', '19:59')] })).not.toThrow();
    expect(() => calendarOf({ windows: [night, day({ grades: [9] })] })).not.toThrow();
    expect(() => calendarOf({ windows: [night, day({ days: 'school-days' })] })).not.toThrow();
  });

  it('is not one for a leap day that only now and then is a school day', () => {
    const leap = { dates: [{ from: '02-29', to: '02-29' }], days: ['thu'] };

    expect(() => calendarOf({ windows: [everyDay('01:00', '02:00', leap)] })).not.toThrow();
  });
});

describe('what is written about it', () => {
  it('has a JSON schema for editors', () => {
    const { calendar } = (policyJsonSchema() as { properties: Record<string, object> }).properties;

    expect(calendar).toMatchObject({
      properties: {
        windows: { items: { required: ['name', 'from', 'to'], properties: { lanes: {} } } },
      },
    });
  });

  it('has examples in docs/policy.md that work', () => {
    const page = readFileSync(new URL('../../docs/policy.md', import.meta.url), 'utf8');
    const examples = [...page.matchAll(/```yml\n(calendar:[\s\S]*?)```/g)].map((match) => match[1]);

    expect(examples).not.toEqual([]);
    for (const text of examples) parsePolicy({ text: `version: 1\n${text}`, file: 'policy.md' });
  });
});
