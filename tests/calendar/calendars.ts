import type { Calendar } from '../../provisioning/policy/calendar/schema.ts';
import { parsePolicy } from '../../provisioning/policy/parse.ts';

/** A calendar as somebody would write it in policy.yaml; JSON is YAML. */
export function calendarOf(settings: object = {}): Calendar {
  return parsePolicy({ text: JSON.stringify({ version: 1, calendar: settings }), file: 'p' })
    .calendar;
}

/** One window on every day, in which only lane `now` may write. */
export function everyDay(from: string, to: string, more: object = {}) {
  return { name: `${from}-${to}`, from, to, days: 'every-day', ...more };
}

export function namesOf(state: { readonly windows: readonly { readonly name: string }[] }) {
  return state.windows.map((window) => window.name);
}
