import { compareText } from './naming.ts';
import type { AffiliationSlice, InstitutionSlice, TargetType } from './resource.ts';
import type { Condition, Policy } from './schema.ts';

export type Institutions = ReadonlyMap<string, InstitutionSlice>;

type Gives = Policy['packages'][number]['gives'];

/** What a person gets, and why. */
export interface Entitlement {
  readonly targets: readonly TargetType[];
  readonly nextcloud: { readonly quota: string; readonly language: string } | null;
  readonly moodle: Gives['moodle'];
  /** Names of the packages that fired, in the order of the policy. */
  readonly rules: readonly string[];
  /** The affiliations that a package fired for, in a fixed order; no other may show in a target. */
  readonly affiliations: readonly AffiliationSlice[];
  /** The one of them that the accounts are counted under. */
  readonly primary: AffiliationSlice | null;
}

/**
 * Adds up all packages of which some affiliation meets the whole condition. Where two give different
 * settings for a target, the most generous quota counts, and for all else the package that stands
 * first in the policy.
 */
export function packagesFor(p: {
  readonly policy: Policy;
  readonly affiliations: readonly AffiliationSlice[];
  readonly institutions: Institutions;
}): Entitlement {
  const { policy, institutions } = p;
  const affiliations = p.affiliations.toSorted(compareAffiliations);
  const meets = (condition: Condition) => (affiliation: AffiliationSlice) =>
    meetsCondition({ condition, affiliation, institutions });

  const fired = policy.packages.filter((one) => affiliations.some(meets(one.when)));
  const targets = new Set<TargetType>();
  let nextcloud = null as Entitlement['nextcloud'];
  let moodle: Entitlement['moodle'] = null;
  for (const { gives } of fired) {
    if (gives.keycloak) targets.add('keycloak');
    if (gives.moodle !== null) {
      targets.add('moodle');
      moodle ??= gives.moodle;
    }
    if (gives.nextcloud !== null) {
      targets.add('nextcloud');
      const language = nextcloud?.language ?? gives.nextcloud.language ?? policy.language;
      nextcloud = {
        quota: moreGenerous(nextcloud?.quota ?? null, gives.nextcloud.quota),
        language,
      };
    }
  }
  const counted = affiliations.filter((affiliation) =>
    fired.some((one) => meets(one.when)(affiliation)),
  );
  return {
    targets: [...targets].sort(compareText),
    nextcloud,
    moodle,
    rules: fired.map((one) => one.name),
    affiliations: counted,
    primary: primaryAffiliation({ policy, affiliations: counted, institutions }),
  };
}

/** Whether some package gives an account in Moodle: `packagesFor`, but cheap enough for every membership. */
export function getsMoodle(p: {
  readonly policy: Policy;
  readonly affiliations: readonly AffiliationSlice[];
  readonly institutions: Institutions;
}): boolean {
  return p.policy.packages.some(
    ({ when, gives }) =>
      gives.moodle !== null &&
      p.affiliations.some((affiliation) =>
        meetsCondition({ condition: when, affiliation, institutions: p.institutions }),
      ),
  );
}

/**
 * True when the affiliation is in every list that the condition has.
 *
 * @throws Error when the condition asks for group kinds and the slice does not hold them
 */
export function meetsCondition(p: {
  readonly condition: Condition;
  readonly affiliation: AffiliationSlice;
  readonly institutions: Institutions;
}): boolean {
  const { condition, affiliation } = p;
  const institutionKind = p.institutions.get(affiliation.institution)?.kind;
  return (
    holds(condition.kinds, [affiliation.kind]) &&
    holds(condition.roles, affiliation.roles) &&
    holds(condition.grades, affiliation.grade === null ? [] : [affiliation.grade]) &&
    holds(condition.institutions, [affiliation.institution]) &&
    holds(condition.institutionKinds, institutionKind === undefined ? [] : [institutionKind]) &&
    (condition.groupKinds === undefined || holds(condition.groupKinds, groupKindsOf(affiliation)))
  );
}

function holds(wanted: readonly string[] | undefined, values: readonly string[]): boolean {
  return wanted === undefined || values.some((value) => wanted.includes(value));
}

function groupKindsOf(affiliation: AffiliationSlice): readonly string[] {
  if (affiliation.groupKinds === undefined) {
    throw new Error(
      'A package of the policy asks for groupKinds, but the affiliations were read without them: fill AffiliationSlice.groupKinds.',
    );
  }
  return affiliation.groupKinds;
}

const kindRank = ['pupil', 'staff', 'external', 'guardian'];

/** By kind (pupil, staff, external, guardian), then institution number, then the rest, so that any input order gives one order. */
function compareAffiliations(a: AffiliationSlice, b: AffiliationSlice): number {
  return (
    kindRank.indexOf(a.kind) - kindRank.indexOf(b.kind) ||
    compareText(a.institution, b.institution) ||
    Number(b.primary) - Number(a.primary) ||
    compareText(a.grade ?? '', b.grade ?? '') ||
    compareText(a.roles.toSorted().join(), b.roles.toSorted().join()) ||
    compareText(a.groupKinds?.toSorted().join() ?? '', b.groupKinds?.toSorted().join() ?? '')
  );
}

/**
 * The affiliation that an account is counted under: the one that an operator or the feed calls primary,
 * else by the policy's order of kinds, then of kinds of institutions, else the lowest institution number.
 */
export function primaryAffiliation(p: {
  readonly policy: Policy;
  readonly affiliations: readonly AffiliationSlice[];
  readonly institutions: Institutions;
}): AffiliationSlice | null {
  const { institutionKinds, kinds } = p.policy.primary;
  const place = (list: readonly string[], value: string | undefined) => {
    const index = list.indexOf(value ?? '');
    return index < 0 ? list.length : index;
  };
  const kindOf = (one: AffiliationSlice) => p.institutions.get(one.institution)?.kind;
  const sorted = p.affiliations.toSorted(
    (a, b) =>
      Number(b.primary) - Number(a.primary) ||
      place(kinds, a.kind) - place(kinds, b.kind) ||
      place(institutionKinds, kindOf(a)) - place(institutionKinds, kindOf(b)) ||
      compareAffiliations(a, b),
  );
  return sorted[0] ?? null;
}

/** Unlimited beats every size, a larger size a smaller one, any size the server's own default. */
function moreGenerous(a: string | null, b: string): string {
  return a === null || quotaRank(b) > quotaRank(a) ? b : a;
}

function quotaRank(quota: string): number {
  if (quota === 'none') return Number.POSITIVE_INFINITY;
  return quota === 'default' ? -1 : quotaBytes(quota);
}

const unitBytes: Readonly<Record<string, number>> = {
  B: 1,
  KB: 1024,
  MB: 1024 ** 2,
  GB: 1024 ** 3,
  TB: 1024 ** 4,
};

/** Bytes of a size such as `5 GB` (1 GB = 1024^3 bytes, as Nextcloud counts). */
export function quotaBytes(size: string): number {
  const [amount, unit] = size.split(' ');
  return Math.round(Number(amount) * (unitBytes[unit ?? 'B'] ?? 1));
}
