import { type Institutions, meetsCondition } from './packages.ts';
import type { AffiliationSlice, TargetType } from './resource.ts';
import type { Condition, Policy } from './schema.ts';

/** Whether a package fired for somebody, and what of its condition did not hold. */
export interface PackageExplanation {
  readonly name: string;
  readonly gives: readonly TargetType[];
  readonly fired: boolean;
  readonly checks: readonly AffiliationCheck[];
}

/** One affiliation against the condition: it fits where nothing is unmet. */
interface AffiliationCheck {
  readonly institution: string;
  readonly kind: string;
  readonly unmet: readonly UnmetList[];
}

export interface UnmetList {
  readonly list: keyof Condition;
  readonly wanted: readonly string[];
  readonly has: readonly string[];
}

/** Says of every package why it fired or did not; pure, like `packagesFor`, whose answer it explains. */
export function explainPackages(p: {
  readonly policy: Policy;
  readonly affiliations: readonly AffiliationSlice[];
  readonly institutions: Institutions;
}): readonly PackageExplanation[] {
  return p.policy.packages.map(({ name, when, gives }) => {
    const checks = p.affiliations.map((affiliation) => ({
      institution: affiliation.institution,
      kind: affiliation.kind,
      unmet: findUnmet({ ...p, condition: when, affiliation }),
    }));
    const given: readonly (readonly [TargetType, boolean])[] = [
      ['keycloak', gives.keycloak],
      ['nextcloud', gives.nextcloud !== null],
      ['moodle', gives.moodle !== null],
    ];
    return {
      name,
      gives: given.filter(([, yes]) => yes).map(([type]) => type),
      fired: checks.some(({ unmet }) => unmet.length === 0),
      checks,
    };
  });
}

const lists = [
  'kinds',
  'roles',
  'grades',
  'institutions',
  'institutionKinds',
  'groupKinds',
] as const satisfies readonly (keyof Condition)[];

function findUnmet(p: {
  readonly condition: Condition;
  readonly affiliation: AffiliationSlice;
  readonly institutions: Institutions;
}): readonly UnmetList[] {
  return lists.flatMap((list) => {
    const wanted = p.condition[list];
    if (wanted === undefined) return [];
    if (meetsCondition({ ...p, condition: { [list]: wanted } })) return [];
    return [{ list, wanted, has: valuesOf({ ...p, list }) }];
  });
}

function valuesOf(p: {
  readonly list: (typeof lists)[number];
  readonly affiliation: AffiliationSlice;
  readonly institutions: Institutions;
}): readonly string[] {
  const { affiliation } = p;
  switch (p.list) {
    case 'kinds':
      return [affiliation.kind];
    case 'roles':
      return affiliation.roles;
    case 'grades':
      return affiliation.grade === null ? [] : [affiliation.grade];
    case 'institutions':
      return [affiliation.institution];
    case 'institutionKinds': {
      const kind = p.institutions.get(affiliation.institution)?.kind;
      return kind === undefined ? [] : [kind];
    }
    case 'groupKinds':
      return affiliation.groupKinds ?? [];
  }
}
