/** `calendar` of the policy: school days, and the calm windows in which only some lanes may write. */

import { z } from 'zod';
import { lanes } from '../lane.ts';
import { findCalendarFaults } from './contradiction.ts';
import { operations } from './operation.ts';
import { weekdays } from './school-day.ts';

const Timezone = z
  .stringFormat('timezone', isTimezone, {
    error: ({ input }) =>
      `not a timezone: ${String(input)}; write a name of the IANA list, such as Europe/Copenhagen`,
  })
  .describe('A timezone of the IANA list, such as Europe/Copenhagen');

function isTimezone(name: string): boolean {
  // An offset such as +01:00 is taken by Intl too, but knows no summer time.
  if (!/^[A-Za-z]/.test(name)) return false;
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

const clock = '(?:[01]\\d|2[0-3]):[0-5]\\d';
const From = z
  .string()
  .regex(new RegExp(`^${clock}$`), 'not a time of day: write it as "07:30", in quotes');
const To = z
  .string()
  .regex(
    new RegExp(`^(?:${clock}|24:00)$`),
    'not a time of day: write it as "08:45" or "24:00", in quotes',
  );

const DateOnly = z
  .stringFormat('date', isDate, 'not a date of the years 2000 to 2199: write it as 2026-05-04')
  .describe('A date: `2026-05-04`');

/** With a year, or without one for every year. */
const Day = z
  .stringFormat(
    'day',
    (text) => isDate(text) || isDate(`2000-${text}`),
    'not a date: write it as 2026-05-04, or as 05-04 for every year',
  )
  .describe('A date, `2026-05-04`; or a day of every year, `05-04`');

function isDate(text: string): boolean {
  if (!/^2[01]\d\d-\d\d-\d\d$/.test(text)) return false;
  const time = Date.parse(`${text}T00:00:00Z`);
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(text);
}

/** Both days are in it. */
const Period = z.strictObject({ from: Day, to: Day });
export type Period = z.output<typeof Period>;

const gradeFault = 'not a grade: write 0 to 10, DT, U1 to U4, VU or other';
const Grade = z
  .union([z.string().regex(/^(?:\d|10|DT|U[1-4]|VU|other)$/, gradeFault), z.int().min(0).max(10)])
  .transform(String)
  .describe('A grade in the words of the roster: 0 to 10, DT, U1 to U4, VU, other');

const dayWords = 'school-days, every-day or a list of mon, tue, wed, thu, fri, sat, sun';
// Patterns, not enums: of a union whose parts are enums nobody learns which value was wrong.
const Days = z
  .union([
    z.string().regex(/^(?:school-days|every-day)$/, `not ${dayWords}`),
    z
      .array(z.string().regex(/^(?:mon|tue|wed|thu|fri|sat|sun)$/, `not a day: write ${dayWords}`))
      .min(1),
  ])
  .describe(`On which days the window begins: ${dayWords}`);

const CalmWindow = z.strictObject({
  name: z.string().min(1).max(60),
  from: From,
  to: To.describe('Exclusive. Earlier than `from`: on the day after. `24:00`: the end of the day'),
  days: Days.default('school-days'),
  dates: z
    .array(Period)
    .min(1)
    .nullable()
    .default(null)
    .describe('Only in these periods, such as exam days; null: all year'),
  grades: z
    .array(Grade)
    .min(1)
    .nullable()
    .default(null)
    .describe('Concerns only what belongs to pupils of these grades; null: everything'),
  lanes: z.array(z.enum(lanes)).default(['now']).describe('Which lanes may write in it'),
  pace: z
    .enum(['full', 'gentle'])
    .default('full')
    .describe(
      'gentle: one call at a time to each server, with a rest as long as the call; lane now goes on as ever',
    ),
  not: z
    .array(z.enum(operations))
    .default([])
    .describe('Operations that never run in it, whatever their lane'),
});
export type CalmWindow = z.output<typeof CalmWindow>;

const Holidays = z.strictObject({
  builtIn: z
    .enum(['danish', 'none'])
    .default('danish')
    .describe('danish: public holidays, 5 June, 24 and 31 December'),
  closed: z
    .array(z.strictObject({ name: z.string().min(1).max(60), ...Period.shape }))
    .default([
      { name: 'sommerferie', from: '07-01', to: '07-31' },
      { name: 'juleferie', from: '12-24', to: '01-01' },
    ])
    .describe('School holidays, first and last day'),
  open: z
    .array(DateOnly)
    .default([])
    .describe('School days although a weekend, a holiday or in a closed period'),
});

const defaultWindows = [
  {
    name: 'bell',
    from: '07:30',
    to: '08:45',
    lanes: ['now'],
    not: ['moodle-course-write', 'nextcloud-large-group'],
  },
  {
    name: 'school-hours',
    from: '07:00',
    to: '16:00',
    lanes: ['now', 'sync', 'bulk'],
    pace: 'gentle',
  },
] satisfies z.input<typeof CalmWindow>[];

const CalendarShape = z.strictObject({
  timezone: Timezone.default('Europe/Copenhagen'),
  schoolDays: z.array(z.enum(weekdays)).default(['mon', 'tue', 'wed', 'thu', 'fri']),
  holidays: Holidays.prefault({}),
  largeGroup: z
    .int()
    .min(1)
    .default(200)
    .describe('A group in Nextcloud with more members than this is a large one'),
  windows: z.array(CalmWindow).max(50).prefault(defaultWindows),
});
/** With every default filled in; treated as immutable. */
export type Calendar = z.output<typeof CalendarShape>;

export const Calendar = CalendarShape.superRefine((calendar, context) => {
  // A wrong date or time of day is no reason to stop reading, but nothing can be said about it either.
  if (context.issues.length > 0) return;
  for (const fault of findCalendarFaults(calendar)) {
    context.addIssue({ code: 'custom', path: [...fault.path], message: fault.message });
  }
}).prefault({});
