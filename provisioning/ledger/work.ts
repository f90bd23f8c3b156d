/** What the ledger asks of a connector, and the answers it understands. */

import type { Body, ResourceKind } from '../policy/resource.ts';

/** One row of the ledger that has to be made true in the target. */
export interface Work {
  readonly kind: ResourceKind;
  readonly key: string;
  /** What should stand there; null: the resource is to be deleted. */
  readonly desired: Body | null;
  /** What the target last confirmed; null: never written. */
  readonly applied: Body | null;
  /**
   * Other states that attempts may have written since, wholly or in part: they were desired when an
   * answer was lost, or a worker was stopped and wrote late. Left out: none.
   */
  readonly tried?: readonly Body[];
  /** The number under which somebody asked for the start password once more. Left out or null: nobody did. */
  readonly startAgain?: string | null;
  /** The target's own id, once known. */
  readonly externalId: string | null;
  /** How often this row was claimed before; above 0 an earlier attempt may have half-made it. */
  readonly attempts: number;
}

/** Everything of ours that may stand in the target: what is to be taken back is found among these. */
export function mayStand<B extends Body>(work: {
  readonly applied: B | null;
  readonly tried?: readonly B[];
}): readonly B[] {
  const { applied, tried = [] } = work;
  return applied === null ? tried : [applied, ...tried];
}

/**
 * `code` is stable and lower-case with hyphens; `detail` is for operators and holds no names, no
 * passwords, no tokens.
 */
export type Outcome =
  /** The target confirmed it. `incomplete` lists account keys that had to be left out for now because they do not exist in the target yet; the row is tried again. */
  | {
      readonly state: 'applied';
      readonly externalId: string | null;
      readonly incomplete?: readonly string[];
    }
  /** Passing trouble: try again, at the earliest after so many milliseconds (0: the ledger decides). */
  | {
      readonly state: 'retry';
      readonly afterMs: number;
      readonly code: string;
      readonly detail: string;
    }
  /** The server will not take this row as it is. */
  | { readonly state: 'rejected'; readonly code: string; readonly detail: string }
  /** The server is out of reach: conclude nothing, leave the row as it was. */
  | { readonly state: 'unknown-host'; readonly code: string; readonly detail: string };
