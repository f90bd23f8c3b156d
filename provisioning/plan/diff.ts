/**
 * What a resource's ledger row and policy's wish make of each other. No I/O.
 *
 *   ledger row            | policy wants    | change
 *   ----------------------+-----------------+------------------------------------------------------
 *   none                  | it, active      | create
 *   none                  | it, inactive    | nothing: what was never needed is not made to be shut
 *   none                  | nothing         | nothing
 *   deletion under way    | it              | create
 *   as wanted             | it              | nothing
 *   as wanted, leaving    | it              | update: stays after all (the leaving is called off)
 *   otherwise             | it, active      | update
 *   active                | it, inactive    | deactivate, at once
 *   active                | nothing         | deactivate, when the grace period is over
 *   active, leaving       | nothing         | nothing: it is under way
 *   inactive              | nothing         | delete, once the retention is over; until then nothing
 *
 * Nothing is ever deleted that was not deactivated before.
 */

import type { Body } from '../policy/resource.ts';

/** What a change does; `adopt` takes over what stands in the target already (see adopt.ts). */
export type Action = 'create' | 'update' | 'deactivate' | 'delete' | 'adopt';

export type ReasonCode =
  | 'new'
  | 'changed'
  | 'returned'
  | 'stays'
  | 'left'
  | 'shut'
  | 'retention-over'
  | AdoptionReason
  | DriftReason;

/** By what an adopted resource was recognised; `adopt-unclear`: it was not. */
export type AdoptionReason =
  | 'adopt-mark'
  | 'adopt-login'
  | 'adopt-username'
  | 'adopt-email'
  | 'adopt-name'
  | 'adopt-unclear';

/** Changed by hand in the target, deleted there by hand, or changed by hand and accepted by policy. */
export type DriftReason = 'drift' | 'drift-missing' | 'drift-accepted';

export interface LedgerRow {
  /** Null while the resource is being deleted. */
  readonly desired: Body | null;
  readonly scheduledAt: Date | null;
  readonly inactiveSince: Date | null;
}

export interface Decision {
  readonly action: Action;
  readonly after: Body | null;
  /** When the change may take effect; null: at once. */
  readonly notBefore: Date | null;
  readonly reason: ReasonCode;
}

export function decide(p: {
  readonly row: LedgerRow | null;
  readonly wanted: Body | null;
  /** Whether `row.desired` and `wanted` are equal as JSON; the database has compared them already. */
  readonly same: boolean;
  readonly graceDays: number;
  readonly retentionDays: number;
  readonly now: Date;
}): Decision | null {
  const { row, wanted, now } = p;
  if (row === null || row.desired === null) {
    if (wanted === null || !wanted.active) return null;
    return { action: 'create', after: wanted, notBefore: null, reason: 'new' };
  }
  if (wanted !== null) {
    if (p.same) {
      if (row.scheduledAt === null) return null;
      return { action: 'update', after: wanted, notBefore: null, reason: 'stays' };
    }
    if (row.desired.active && !wanted.active) {
      return { action: 'deactivate', after: wanted, notBefore: null, reason: 'shut' };
    }
    const reason = row.desired.active ? 'changed' : 'returned';
    return { action: 'update', after: wanted, notBefore: null, reason };
  }
  if (row.desired.active) {
    if (row.scheduledAt !== null) return null;
    const notBefore = p.graceDays > 0 ? addDays(now, p.graceDays) : null;
    return {
      action: 'deactivate',
      after: { ...row.desired, active: false },
      notBefore,
      reason: 'left',
    };
  }
  const since = row.inactiveSince ?? now;
  if (addDays(since, p.retentionDays) > now) return null;
  return { action: 'delete', after: null, notBefore: null, reason: 'retention-over' };
}

function addDays(date: Date, days: number): Date {
  return new Date(date.getTime() + days * 86_400_000);
}
