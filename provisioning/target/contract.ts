/**
 * What every connector does for the ledger, and how it says what came of it.
 *
 * A connector knows its server: it decides on (endpoint, code), reads back what it cannot be sure
 * of, and answers for every row on its own. One bad row never fails its neighbours.
 */

import type { Outcome, Work } from '../ledger/work.ts';
import type { ResourceKind, TargetType } from '../policy/resource.ts';
import type { PaceState } from './pace/pace.ts';

export type { Outcome, Work } from '../ledger/work.ts';

/** One thing as it stands in the target now. */
export interface Observed {
  readonly kind: ResourceKind;
  readonly externalId: string;
  /** The ledger key from our owner mark; null for what is not ours. */
  readonly key: string | null;
  /** What the server holds, in the words of the body of this kind, but with the target's own names where a body has keys (see each connector). */
  readonly body: Readonly<Record<string, unknown>>;
}

export interface CheckResult {
  /** Stable name of the check, for example `write-probe`. */
  readonly name: string;
  readonly ok: boolean;
  /** What was found, and what to do when it is not ok. */
  readonly message: string;
}

/** The target's ids of resources of one kind, by key; a key that is not there yet is absent from the map. */
export type ExternalIdLookup = (p: {
  readonly kind: ResourceKind;
  readonly keys: readonly string[];
}) => Promise<ReadonlyMap<string, string>>;

export interface Connector extends AsyncDisposable {
  readonly name: string;
  readonly type: TargetType;
  /** How many rows of a kind are worth claiming at once. */
  readonly claimSize: Readonly<Partial<Record<ResourceKind, number>>>;
  /** How many requests the server gets at once now, and whether it wants to be left alone. */
  readonly pace: () => PaceState;
  /** Makes the target ready for us (idempotent): realm, profile, fields. Rights for it may be wider than for apply. */
  prepare(): Promise<void>;
  check(): Promise<readonly CheckResult[]>;
  /** All that stands in the target of one kind, page by page inside, in no special order. */
  observe(p: { readonly kind: ResourceKind }): AsyncIterable<Observed>;
  /** One outcome per row, in the same order. All rows of a batch are of one kind. Never throws for a row. */
  apply(p: {
    readonly batch: readonly Work[];
    readonly externalIds: ExternalIdLookup;
  }): Promise<readonly Outcome[]>;
}
