import type { Exclusion } from '../../provisioning/ledger/exclusion.ts';
import { isGentle, nextClosing, openAt } from '../../provisioning/policy/calendar/open.ts';
import type { Calendar } from '../../provisioning/policy/calendar/schema.ts';
import type { OpenState } from '../../provisioning/policy/calendar/timeline.ts';
import type { Lane } from '../../provisioning/policy/lane.ts';
import { type CalmOf, neverCalm } from './gate.ts';

/** What the tenant's calendar of calm windows lets run; null: everything. Keep the calendar object: it is worked out once a day. */
export function followCalendar(calendar: Calendar | null): CalmOf {
  if (calendar === null) return neverCalm;
  return ({ lane, at }) => {
    const state = openAt({ calendar, at });
    const closing = nextClosing({ calendar, lane, from: at, days: 1 });
    return {
      open: state.lanes.includes(lane),
      without: leaveOut({ state, lane, largeGroup: calendar.largeGroup }),
      endsInMs: closing === null ? null : closing.getTime() - at.getTime(),
      gentle: isGentle(state),
    };
  };
}

/** What must wait in a lane that may run. An operation is left out for everybody, whichever grades its window is for. */
function leaveOut(p: {
  readonly state: OpenState;
  readonly lane: Lane;
  readonly largeGroup: number;
}): Exclusion {
  const { state, lane } = p;
  const not = new Set(state.windows.flatMap((window) => window.not));
  const grades = Object.entries(state.grades).filter(
    ([, allowed]) => !allowed.lanes.includes(lane),
  );
  return {
    courseWrites: not.has('moodle-course-write'),
    groupsAbove: not.has('nextcloud-large-group') ? p.largeGroup : null,
    grades: grades.map(([grade]) => grade),
  };
}
