import type { AffiliationSlice } from './resource.ts';
import type { Policy } from './schema.ts';

type Lifecycle = Policy['lifecycle'];

/**
 * Days of grace or retention for somebody who was this: of all roles the longest. A role without days
 * of its own has those of the affiliation's kind. Nobody (groups, folders, courses, whose people may
 * have been anything): the longest there is.
 */
export function leavingDays(p: {
  readonly lifecycle: Lifecycle;
  readonly which: 'graceDays' | 'retentionDays';
  readonly affiliations: readonly Pick<AffiliationSlice, 'kind' | 'roles'>[];
}): number {
  const { lifecycle, which, affiliations } = p;
  if (affiliations.length === 0) {
    const ofRoles = Object.values(lifecycle.roles).map((days) => days[which] ?? 0);
    return Math.max(...Object.values(lifecycle[which]), ...ofRoles);
  }
  const own: Partial<Record<string, Lifecycle['roles'][keyof Lifecycle['roles']]>> =
    lifecycle.roles;
  const days = affiliations.flatMap(({ kind, roles }) => {
    const ofKind = lifecycle[which][kind];
    return roles.length === 0 ? [ofKind] : roles.map((role) => own[role]?.[which] ?? ofKind);
  });
  return Math.max(...days);
}
