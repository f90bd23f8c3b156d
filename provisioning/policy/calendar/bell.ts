import type { Calendar, CalmWindow } from './schema.ts';
import { msOfDay, stretchesBetween } from './timeline.ts';

/** How far ahead a bell is looked for, in days: over the summer holidays. */
const lookAhead = 60;

/** A bell lasts no longer than this, in days: one that rings now began within it. */
const lookBack = 1;

export interface Bell {
  /** When it begins, or began: by then everything has to be ready. */
  readonly at: Date;
  readonly rings: boolean;
}

/**
 * The bell that rings, or the next one: a calm window for everybody in which lane `sync` may not write,
 * on school days. Where a window of this sort is called `bell`, only those of this name are; a calendar
 * whose windows name weekdays instead of school days has its bell in these.
 *
 * @returns null where no window is a bell, or none begins within 60 days
 */
export function findBell(p: { readonly calendar: Calendar; readonly now: Date }): Bell | null {
  const bells = bellsOf(p.calendar);
  if (bells.length === 0) return null;
  const now = p.now.getTime();
  const span = { from: now - lookBack * msOfDay, until: now + lookAhead * msOfDay };
  let since: number | null = null;
  for (const { from, to, state } of stretchesBetween({ calendar: p.calendar, ...span })) {
    if (!state.windows.some((window) => bells.includes(window))) {
      since = null;
      continue;
    }
    since ??= from;
    if (to > now) return { at: new Date(since), rings: since <= now };
  }
  return null;
}

function bellsOf(calendar: Calendar): readonly CalmWindow[] {
  const calm = calendar.windows.filter(
    ({ grades, lanes }) => grades === null && !lanes.includes('sync'),
  );
  const ofSchool = calm.filter(({ days }) => days === 'school-days');
  const found = ofSchool.length > 0 ? ofSchool : calm;
  const named = found.filter(({ name }) => name === 'bell');
  return named.length > 0 ? named : found;
}
