/**
 * What policy wants to stand in the servers for one institution, one group, one person. Pure: the same
 * slice gives the same resources, in whatever order its lists come.
 */

import {
  desireChildGroup,
  desireKeycloakAccount,
  desireKeycloakRoleGroups,
  desireSchoolGroup,
} from './desire-keycloak.ts';
import {
  desireCategory,
  desireCohort,
  desireCourse,
  desireMoodleAccount,
} from './desire-moodle.ts';
import {
  desireMemberFolder,
  desireMemberGroups,
  desireNextcloudAccount,
  desireRoleGroups,
  desireSchoolFolders,
} from './desire-nextcloud.ts';
import { type Institutions, packagesFor } from './packages.ts';
import type {
  AffiliationSlice,
  DesiredResource,
  GroupSlice,
  InstitutionPersonSlice,
  InstitutionSlice,
  PersonSlice,
} from './resource.ts';
import { groupResources, hasSchoolResources } from './resource-rules.ts';
import type { Policy } from './schema.ts';

const none: ReadonlySet<string> = new Set();

/**
 * A school's Keycloak group, Nextcloud role groups, Team folders and Moodle category; nothing for
 * kinds of institutions that policy leaves out.
 *
 * @param p.duplicateNames from `findDuplicateNames`; without it names are as the templates make them
 */
export function desireInstitution(p: {
  readonly policy: Policy;
  readonly institution: InstitutionSlice;
  readonly institutions: Institutions;
  /** People with a role that `courses.categoryRoles` names. */
  readonly people: readonly InstitutionPersonSlice[];
  /** `2026-2027`. */
  readonly schoolYear: string | null;
  readonly duplicateNames?: ReadonlySet<string>;
}): readonly DesiredResource[] {
  if (!hasSchoolResources({ policy: p.policy, institutionKind: p.institution.kind })) return [];
  const context = { ...p, duplicateNames: p.duplicateNames ?? none };
  return [
    desireSchoolGroup(context),
    ...desireKeycloakRoleGroups(context),
    ...desireRoleGroups(context),
    ...desireSchoolFolders(context),
    desireCategory(context),
  ];
}

/**
 * What the policy's matrix of group kinds has for this group. Only people with a Moodle account are
 * enrolled; accounts name their groups themselves (`desirePerson`).
 *
 * @param p.institutions all institutions: whether a member has an account may depend on another school
 * @param p.duplicateNames from `findDuplicateNames`; without it names are as the templates make them
 */
export function desireGroup(p: {
  readonly policy: Policy;
  readonly group: GroupSlice;
  readonly institutions: Institutions;
  readonly schoolYear: string | null;
  readonly duplicateNames?: ReadonlySet<string>;
}): readonly DesiredResource[] {
  const { policy, group } = p;
  const made = groupResources({
    policy,
    groupKind: group.kind,
    institutionKind: group.institution.kind,
  });
  if (made === null) return [];
  const context = {
    ...p,
    schoolYear: group.schoolYear ?? p.schoolYear,
    duplicateNames: p.duplicateNames ?? none,
    teacherGroup: made.teacherGroup,
  };
  return [
    ...(made.keycloak ? [desireChildGroup(context)] : []),
    ...(made.nextcloud ? desireMemberGroups(context) : []),
    ...(made.folder ? [desireMemberFolder(context)] : []),
    ...(made.course ? [desireCourse(context)] : []),
    ...(made.cohort ? [desireCohort(context)] : []),
  ];
}

/**
 * The accounts that the packages give a person. Whoever must not sign in keeps the accounts, switched
 * off. Institutions that are not in the map count as unknown: nothing refers to their resources.
 */
export function desirePerson(p: {
  readonly policy: Policy;
  readonly person: PersonSlice;
  readonly institutions: Institutions;
}): readonly DesiredResource[] {
  const { policy, person, institutions } = p;
  const entitlement = packagesFor({ policy, affiliations: person.affiliations, institutions });
  const context = { ...p, entitlement };
  const { nextcloud, moodle } = entitlement;
  const serves = [...new Set(entitlement.affiliations.map((one) => one.institution))].sort();
  const opens = policy.lifecycle.hideUntilStart ? firstDayOf(entitlement.affiliations) : null;
  return [
    ...(entitlement.targets.includes('keycloak') ? [desireKeycloakAccount(context)] : []),
    ...(nextcloud !== null ? [desireNextcloudAccount({ ...context, settings: nextcloud })] : []),
    ...(moodle !== null ? [desireMoodleAccount({ ...context, settings: moodle })] : []),
  ].map((resource) => ({
    ...resource,
    serves,
    ...(opens === null || !person.mayLogIn ? {} : { opens }),
  }));
}

/** The first day of somebody all of whose affiliations begin later; null for who is here already. */
function firstDayOf(affiliations: readonly AffiliationSlice[]): string | null {
  const days = affiliations.map((one) => one.starts ?? null);
  return days.includes(null) ? null : (days.toSorted()[0] ?? null);
}
