/**
 * How one committed change is turned back. No I/O.
 *
 *   what the plan did            | how it stands now      | undo
 *   -----------------------------+------------------------+------------------------------------------------
 *   created                      | as the plan left it    | deactivate at once, an account without its
 *                                |                        | groups; deletion only by retention
 *   updated                      | as the plan left it    | update to what was before
 *   updated to active            | as the plan left it    | deactivate, with what was before
 *   called a leaving off         | as the plan left it    | leaves again, the grace period starts anew
 *   deactivated                  | as the plan left it    | update to what was before
 *   deactivated on a later day   | the day has not come   | the leaving is called off
 *   deleted                      | whatever               | cannot: `deleted`
 *   linked what stood there      | whatever               | cannot: `linked`
 *   mended or accepted by drift  | whatever               | cannot: `mended`
 *   anything                     | otherwise              | cannot: `changed-since`
 *
 * Somebody who is protected by now gets memberships back, but nothing else that stood there before: it
 * may be what the protection hides (cannot: `protected`).
 */

import type { Body } from '../policy/resource.ts';
import type { Action } from './diff.ts';

export type CannotCode = 'changed-since' | 'deleted' | 'linked' | 'mended' | 'protected';

export interface DoneChange {
  readonly action: Action;
  readonly origin: 'policy' | 'adoption' | 'drift' | 'undo';
  readonly before: Body | null;
  readonly after: Body | null;
  /** `as-left`: desired now; `scheduled`: still waits for its day; `moved`: neither. */
  readonly stands: 'as-left' | 'scheduled' | 'moved';
  /** Whether it did nothing but call a leaving off. */
  readonly stayed: boolean;
  /** Whether it is about somebody whose identity is protected now. */
  readonly hidden: boolean;
}

export type Undoing =
  | {
      readonly action: 'update' | 'deactivate';
      readonly after: Body;
      readonly notBefore: Date | null;
    }
  | { readonly cannot: CannotCode };

export function undoChange(p: {
  readonly change: DoneChange;
  readonly graceDays: number;
  readonly now: Date;
}): Undoing {
  const { action, origin, before, after, stands } = p.change;
  if (origin === 'adoption') return { cannot: 'linked' };
  if (origin === 'drift') return { cannot: 'mended' };
  if (action === 'delete' || after === null) return { cannot: 'deleted' };
  if (stands === 'moved') return { cannot: 'changed-since' };
  if (p.change.hidden && before !== null && shownOf(before) !== shownOf(after)) {
    return { cannot: 'protected' };
  }
  if (p.change.stayed) {
    const notBefore = p.graceDays > 0 ? new Date(p.now.getTime() + p.graceDays * 86_400_000) : null;
    return { action: 'deactivate', after: { ...after, active: false }, notBefore };
  }
  const back = before ?? shut(after);
  const active = stands === 'scheduled' ? back.active : after.active;
  return { action: active && !back.active ? 'deactivate' : 'update', after: back, notBefore: null };
}

/** A shut account is in no group: what stood before the plan has its members back. */
function shut(body: Body): Body {
  const isAccount = 'groups' in body && Array.isArray(body.groups);
  return { ...body, active: false, ...(isAccount ? { groups: [] } : {}) } as Body;
}

/** All of an account that could show who somebody is. */
function shownOf(body: Body): string {
  const { active: _, ...shown } = body;
  return JSON.stringify({ ...shown, groups: null });
}
