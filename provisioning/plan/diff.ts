/**
 * What a resource's ledger row and policy's wish make of each other. No I/O.
 *
 *   ledger row            | policy wants    | change
 *   ----------------------+-----------------+------------------------------------------------------
 *   none                  | it, active      | create
 *   none                  | it, hidden      | create, shut; and open it on the first day (decideStart)
 *   none                  | it, inactive    | nothing: what was never needed is not made to be shut
 *   none                  | nothing         | nothing
 *   deletion under way    | it              | create
 *   as wanted             | it              | nothing
 *   as wanted, leaving    | it              | update: stays after all (the leaving is called off)
 *   as wanted, to open    | it, inactive    | update: is not opened after all
 *   otherwise             | it, active      | update
 *   active                | it, inactive    | deactivate, at once
 *   active                | nothing         | deactivate, when the grace period is over
 *   active, leaving       | nothing         | nothing: it is under way
 *   active, kept          | nothing         | nothing, as long as an operator keeps it
 *   inactive, to open     | nothing         | deactivate, at once: is not opened after all
 *   inactive              | nothing         | delete, once the retention is over; until then nothing
 *   inactive, kept        | nothing         | nothing, as long as it is kept or under a legal hold
 *
 * Nothing is ever deleted that was not deactivated before.
 */

import type { Body } from '../policy/resource.ts';
import type { KeepKind } from '../store/keep-alive.ts';

/** What a change does; `adopt` takes over what stands in the target already (see adopt.ts). */
export type Action = 'create' | 'update' | 'deactivate' | 'delete' | 'adopt';

export type ReasonCode =
  | 'new'
  | 'starts'
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
  /** When a hidden account is to be opened; null: policy hides nothing. */
  readonly opens: Date | null;
  /** What an operator has put on the person; null: nothing. */
  readonly kept: KeepKind | null;
  readonly graceDays: number;
  readonly retentionDays: number;
  readonly now: Date;
}): Decision | null {
  const { row, wanted, now } = p;
  if (row === null || row.desired === null) {
    if (wanted === null || (!wanted.active && p.opens === null)) return null;
    return { action: 'create', after: wanted, notBefore: null, reason: 'new' };
  }
  if (wanted !== null) {
    if (p.same) {
      if (row.scheduledAt === null || p.opens !== null) return null;
      const reason = wanted.active ? 'stays' : 'shut';
      return { action: 'update', after: wanted, notBefore: null, reason };
    }
    if (row.desired.active && !wanted.active) {
      return { action: 'deactivate', after: wanted, notBefore: null, reason: 'shut' };
    }
    const back = row.scheduledAt === null ? 'returned' : 'starts';
    const reason = row.desired.active || !wanted.active ? 'changed' : back;
    return { action: 'update', after: wanted, notBefore: null, reason };
  }
  if (p.kept === 'keep') return null;
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
  if (row.scheduledAt !== null) {
    return { action: 'deactivate', after: row.desired, notBefore: null, reason: 'left' };
  }
  if (p.kept !== null) return null;
  const since = row.inactiveSince ?? now;
  if (addDays(since, p.retentionDays) > now) return null;
  return { action: 'delete', after: null, notBefore: null, reason: 'retention-over' };
}

/**
 * The second half of a hidden start: that the account is opened on the first day, whether a feed comes
 * that day or not. Null where nothing is hidden, or where just this is scheduled.
 */
export function decideStart(p: {
  readonly row: LedgerRow | null;
  readonly wanted: Body | null;
  readonly same: boolean;
  readonly opens: Date | null;
}): Decision | null {
  const { row, wanted, opens } = p;
  if (wanted === null || opens === null) return null;
  if (p.same && row?.scheduledAt?.getTime() === opens.getTime()) return null;
  return {
    action: 'update',
    after: { ...wanted, active: true },
    notBefore: opens,
    reason: 'starts',
  };
}

function addDays(date: Date, days: number): Date {
  return new Date(date.getTime() + days * 86_400_000);
}
