import type { AffiliationKind, AffiliationRole, GroupKind, RelationRecord } from '../record.ts';

/** STIL's Elevrolle, Ansatrolle and Eksternrolle, one table for reading and for writing. */
const roles: readonly (readonly [string, AffiliationRole])[] = [
  ['Barn', 'child'],
  ['Elev', 'pupil'],
  ['Studerende', 'student'],
  ['Lærer', 'teacher'],
  ['Pædagog', 'pedagogue'],
  ['Vikar', 'substitute'],
  ['Leder', 'leader'],
  ['Ledelse', 'management'],
  ['TAP', 'support'],
  ['Konsulent', 'consultant'],
  ['Praktikant', 'trainee'],
  ['Ekstern', 'external'],
];

const groupTypes: readonly (readonly [string, GroupKind])[] = [
  ['Hovedgruppe', 'class'],
  ['Årgang', 'year'],
  ['Retning', 'line'],
  ['Hold', 'teaching'],
  ['SFO', 'afterschool'],
  ['Team', 'team'],
  ['Andet', 'other'],
];

const relations: readonly (readonly [string, RelationRecord['kind']])[] = [
  ['Mor', 'mother'],
  ['Far', 'father'],
  ['Andet', 'other'],
  ['Officielt tilknyttet person', 'officially-attached'],
];

export const roleOfStil: ReadonlyMap<string, AffiliationRole> = new Map(roles);
export const stilOfRole = invert(roles);
export const groupKindOfStil: ReadonlyMap<string, GroupKind> = new Map(groupTypes);
export const stilOfGroupKind = invert(groupTypes);
export const relationOfStil: ReadonlyMap<string, RelationRecord['kind']> = new Map(relations);
export const stilOfRelation = invert(relations);

/**
 * The role of somebody whose role is unknown: the one that carries the fewest rights among those the
 * element itself (Student, Employee, Extern) makes certain.
 */
export const fallbackRole: Readonly<Record<AffiliationKind, AffiliationRole>> = {
  pupil: 'pupil',
  staff: 'support',
  external: 'external',
  guardian: 'guardian',
};

function invert<A extends string, B extends string>(
  pairs: readonly (readonly [A, B])[],
): ReadonlyMap<B, A> {
  return new Map(pairs.map(([stil, neutral]) => [neutral, stil]));
}
