import type { Action } from './diff.ts';

/** Changes of one sort, and how many active resources of that sort there are to lose. */
export interface ChangeCount {
  readonly institution: string;
  readonly target: string;
  readonly kind: string;
  readonly action: Action;
  readonly count: number;
  readonly of: number;
}

export interface DeactivationLimit {
  readonly percent: number;
  readonly count: number;
}

/** Changes that wait for a person, counted. */
export interface Held {
  readonly institution: string;
  readonly target: string;
  readonly kind: string;
  readonly action: Action;
  /** Why: `limit-deactivate`, or `protected-without-alias`. */
  readonly code: string;
  readonly count: number;
  readonly of: number;
}

/**
 * Finds the institutions where more would be shut down than the limit lets pass: more than so many
 * per cent and more than so many of one kind in one target. One such finding holds everything that
 * would be deactivated or deleted in that institution, in every target, for what looks like a broken
 * export in one place is not to be trusted in another.
 */
export function findHeld(p: {
  readonly counts: readonly ChangeCount[];
  readonly limitOf: (institution: string) => DeactivationLimit;
  /** Institutions whose losses a person has looked at and allowed. */
  readonly allowed: ReadonlySet<string>;
}): readonly Held[] {
  const losses = p.counts.filter(
    (c) => (c.action === 'deactivate' || c.action === 'delete') && !p.allowed.has(c.institution),
  );
  const tripped = new Set(
    losses
      .filter((c) => {
        const limit = p.limitOf(c.institution);
        return c.count > limit.count && c.count * 100 > c.of * limit.percent;
      })
      .map((c) => c.institution),
  );
  return losses
    .filter((c) => tripped.has(c.institution))
    .map((c) => ({ ...c, code: 'limit-deactivate' }));
}
