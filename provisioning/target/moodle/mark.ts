import { createHash } from 'node:crypto';
import type { ResourceKind } from '../../policy/resource.ts';
import type { Work } from '../contract.ts';

const prefix = 'skolebus:';

/** The widths of the idnumber columns: one character more is a database error (recordings moodle-4.5.6/07, 15). */
function widthOf(kind: ResourceKind): number {
  return kind === 'account' ? 255 : 100;
}

/**
 * What we write into `idnumber` to know our own again: `skolebus:<key>`. A key that is too long for
 * the column keeps its beginning and ends in `~` and 32 hexadecimal digits of its SHA-256, so that
 * it is still one mark per key; such a key cannot be read back from the mark.
 */
export function ownerMark(p: { readonly kind: ResourceKind; readonly key: string }): string {
  const mark = `${prefix}${p.key}`;
  const width = widthOf(p.kind);
  if ([...mark].length <= width) return mark;
  const digest = createHash('sha256').update(p.key).digest('hex').slice(0, 32);
  return `${[...mark].slice(0, width - 33).join('')}~${digest}`;
}

/** The key of a mark (shortened as above where it was too long), or null for what is not ours. */
export function keyOfMark(idnumber: string | null | undefined): string | null {
  return idnumber?.startsWith(prefix) ? idnumber.slice(prefix.length) : null;
}

/**
 * Whether what stands under the ledger's number is the row's own: it carries the row's mark, or a plan
 * has linked it and no write was confirmed since. What carries another mark of ours never is, whatever
 * number stood in the place of the mark before.
 */
export function isOwn(p: {
  readonly work: Work;
  readonly mark: string;
  readonly idnumber: string;
}): boolean {
  const { work, mark, idnumber } = p;
  if (idnumber === mark) return true;
  const linked = work.desired !== null && work.applied === null && work.externalId !== null;
  return linked && keyOfMark(idnumber) === null;
}

/**
 * Course and category names come back HTML-escaped, while they are sent and looked up raw
 * (recording moodle-4.5.6/28).
 */
export function unescapeName(name: string): string {
  return name
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&#039;', "'")
    .replaceAll('&amp;', '&');
}

const clocks = new Map<string, Intl.DateTimeFormat>();

/** Making a formatter costs far more than using it. */
function clockOf(timeZone: string): Intl.DateTimeFormat {
  const known = clocks.get(timeZone);
  if (known !== undefined) return known;
  const number = 'numeric';
  const clock = new Intl.DateTimeFormat('en', {
    timeZone,
    year: number,
    month: number,
    day: number,
    hour: number,
    minute: number,
    second: number,
    hourCycle: 'h23',
  });
  clocks.set(timeZone, clock);
  return clock;
}

/** Milliseconds by which the zone's clock is ahead of UTC at that moment. */
function offsetMs(moment: number, timeZone: string): number {
  const parts = clockOf(timeZone).formatToParts(moment);
  const part = (type: string) => Number(parts.find((one) => one.type === type)?.value);
  const wall = Date.UTC(
    part('year'),
    part('month') - 1,
    part('day'),
    part('hour'),
    part('minute'),
    part('second'),
  );
  return wall - Math.floor(moment / 1000) * 1000;
}

function midnightMs(date: string, timeZone: string): number {
  const utc = Date.parse(`${date}T00:00:00Z`);
  const guess = utc - offsetMs(utc, timeZone);
  const better = utc - offsetMs(guess, timeZone);
  // Where the clock is put forward at midnight there is no midnight: the day begins later.
  return dayOf(better / 1000, timeZone) === date ? better : guess;
}

/** Seconds at which a course that begins on that day begins. */
export function startOfDay(date: string, timeZone: string): number {
  return midnightMs(date, timeZone) / 1000;
}

/** Seconds of the last minute of that day: the last day of a course belongs to it. */
export function endOfDay(date: string, timeZone: string): number {
  const next = new Date(Date.parse(`${date}T00:00:00Z`) + 86_400_000).toISOString().slice(0, 10);
  return midnightMs(next, timeZone) / 1000 - 60;
}

/** The day of a moment; null for Moodle's 0, which is no date. */
export function dayOf(seconds: number, timeZone: string): string | null {
  if (seconds === 0) return null;
  const wall = seconds * 1000 + offsetMs(seconds * 1000, timeZone);
  return new Date(wall).toISOString().slice(0, 10);
}
