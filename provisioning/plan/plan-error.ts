export type PlanErrorCode =
  | 'plan-unknown'
  | 'plan-not-open'
  | 'plan-expired'
  | 'plan-tampered'
  | 'plan-needs-approval'
  | 'plan-not-committed'
  | 'undo-too-late';

/** Why a plan cannot be approved, committed or undone; the message names the remedy. */
export class PlanError extends Error {
  override readonly name = 'PlanError';
  readonly code: PlanErrorCode;

  constructor(p: { readonly code: PlanErrorCode; readonly message: string }) {
    super(p.message);
    this.code = p.code;
  }
}
