import { emailOf, syntheticEmail } from './email.ts';
import { compareText, sortedRecord, sortedUnique } from './naming.ts';
import { type Entitlement, getsMoodle, type Institutions } from './packages.ts';
import type {
  DesiredResource,
  GroupMemberSlice,
  GroupSlice,
  InstitutionPersonSlice,
  InstitutionSlice,
  MoodleAccount,
  MoodleCategory,
  MoodleCohort,
  MoodleCourse,
  MoodleRole,
  PersonSlice,
} from './resource.ts';
import {
  accountKey,
  groupNames,
  groupResourceKey,
  type NamingContext,
  renderName,
  schoolKey,
} from './resource-rules.ts';
import type { Policy } from './schema.ts';
import { shownName } from './shown-name.ts';
import { startOfSchoolYear } from './template.ts';

export function desireCategory(
  p: NamingContext & {
    readonly institution: InstitutionSlice;
    readonly institutions: Institutions;
    readonly people: readonly InstitutionPersonSlice[];
  },
): DesiredResource {
  const { institution, schoolYear } = p;
  const template = p.policy.schools.name;
  const name = renderName({ institution, group: null, schoolYear, template, max: 100 });
  const roles = categoryRoles(p);
  const body: MoodleCategory = {
    name,
    parent: null,
    active: true,
    ...(Object.keys(roles).length === 0 ? {} : { roles }),
  };
  return {
    target: 'moodle',
    kind: 'category',
    key: schoolKey(institution.key),
    institution: institution.key,
    title: name,
    person: null,
    needs: [],
    body,
  };
}

/** Roles in the whole category, for those who have an account in Moodle. */
function categoryRoles(p: {
  readonly policy: Policy;
  readonly institutions: Institutions;
  readonly people: readonly InstitutionPersonSlice[];
}): Readonly<Record<string, readonly MoodleRole[]>> {
  const given = p.policy.courses.categoryRoles;
  const entries: [string, readonly MoodleRole[]][] = [];
  for (const { person, roles, affiliations } of p.people) {
    if (!getsMoodle({ ...p, affiliations })) continue;
    const due = new Set(
      Object.entries(given).flatMap(([role, as]) => (roles.includes(role) ? [as] : [])),
    );
    if (due.size > 0) entries.push([accountKey(person), [...due].sort(compareText)]);
  }
  return sortedRecord(entries);
}

type GroupInput = NamingContext & {
  readonly group: GroupSlice;
  readonly institutions: Institutions;
};

export function desireCourse(p: GroupInput): DesiredResource {
  const { group, policy, schoolYear } = p;
  const { institution } = group;
  const template = policy.courses.fullName;
  const fullname = renderName({ institution, group, schoolYear, template, max: 200 });
  const category = schoolKey(institution.key);
  const body: MoodleCourse = {
    fullname,
    shortname: groupNames(p).course,
    category,
    ...courseDates({ group, schoolYear }),
    active: true,
    enrolments: enrolmentsOf(p),
    ...(policy.courses.template === null ? {} : { template: policy.courses.template }),
  };
  return {
    target: 'moodle',
    kind: 'course',
    key: groupResourceKey(group.key),
    institution: institution.key,
    title: fullname,
    person: null,
    needs: [`category/${category}`],
    body,
  };
}

export function desireCohort(p: GroupInput): DesiredResource {
  const { group, policy, schoolYear } = p;
  const { institution } = group;
  const template = policy.groupNames.cohort;
  const name = renderName({ institution, group, schoolYear, template, max: 200 });
  const category = schoolKey(institution.key);
  const body: MoodleCohort = {
    name,
    category,
    active: true,
    members: sortedUnique(
      group.members
        .filter((member) => policy.courses.cohortMembers.some((role) => role === member.role))
        .filter((member) => getsMoodle({ ...p, affiliations: member.affiliations }))
        .map((member) => accountKey(member.person)),
    ),
  };
  return {
    target: 'moodle',
    kind: 'cohort',
    key: groupResourceKey(group.key),
    institution: institution.key,
    title: name,
    person: null,
    needs: [`category/${category}`],
    body,
  };
}

export function desireMoodleAccount(p: {
  readonly policy: Policy;
  readonly person: PersonSlice;
  readonly entitlement: Entitlement;
  readonly settings: NonNullable<Entitlement['moodle']>;
}): DesiredResource {
  const { policy, person, settings } = p;
  const { affiliations } = p.entitlement;
  const name = shownName(person);
  const real = settings.email === 'real' ? emailOf({ policy, person, affiliations }) : null;
  const body: MoodleAccount = {
    username: person.username,
    firstname: name.given,
    lastname: name.family,
    email: real ?? syntheticEmail({ username: person.username, domain: settings.emailDomain }),
    auth: settings.auth,
    active: person.mayLogIn,
    ...profileFieldsOf(p),
  };
  return {
    target: 'moodle',
    kind: 'account',
    key: accountKey(person.id),
    institution: p.entitlement.primary?.institution ?? null,
    title: name.full,
    person: person.id,
    needs: [],
    body,
  };
}

/** What policy puts into custom profile fields; one without a value is left out. */
function profileFieldsOf(p: {
  readonly person: PersonSlice;
  readonly entitlement: Entitlement;
  readonly settings: NonNullable<Entitlement['moodle']>;
}): Pick<MoodleAccount, 'profileFields'> {
  const { primary } = p.entitlement;
  const values = {
    uniId: p.person.uniId,
    kind: primary?.kind ?? null,
    grade: primary?.grade ?? null,
    institutionNumber: primary?.institution ?? null,
  };
  const filled = Object.entries(p.settings.profileFields).flatMap(([name, source]) => {
    const value = values[source];
    return value === null ? [] : [[name, value] as const];
  });
  return filled.length === 0 ? {} : { profileFields: sortedRecord(filled) };
}

function enrolmentsOf(p: GroupInput): Readonly<Record<string, readonly MoodleRole[]>> {
  const rolesOf = new Map<string, Set<MoodleRole>>();
  for (const member of p.group.members) {
    const role = moodleRoleOf({
      policy: p.policy,
      member,
      institution: p.group.institution.key,
    });
    if (role === null || !getsMoodle({ ...p, affiliations: member.affiliations })) continue;
    const key = accountKey(member.person);
    rolesOf.set(key, (rolesOf.get(key) ?? new Set()).add(role));
  }
  return sortedRecord(
    [...rolesOf].map(([key, roles]) => [key, [...roles].sort(compareText)] as const),
  );
}

/** From least to most. */
const roleRank: readonly MoodleRole[] = ['student', 'teacher', 'editingteacher', 'manager'];

/**
 * The membership decides; `courses.affiliationRoles` lowers it for somebody all of whose roles at the
 * school stand there (a teacher who is only a substitute). A pupil is never more than a student: a
 * wrong word in a feed must not let a child grade others.
 */
function moodleRoleOf(p: {
  readonly policy: Policy;
  readonly member: GroupMemberSlice;
  readonly institution: string;
}): MoodleRole | null {
  const { roles, affiliationRoles } = p.policy.courses;
  const known: Readonly<Record<string, MoodleRole | null>> = roles;
  const role = known[p.member.role] ?? null;
  if (role === null) return null;
  if (p.member.kind === 'pupil' || p.member.kind === 'guardian') return 'student';
  const lowered: Readonly<Record<string, MoodleRole>> = affiliationRoles;
  const own = p.member.affiliations
    .filter((one) => one.institution === p.institution && one.kind === p.member.kind)
    .flatMap((one) => one.roles);
  const ceilings = own.map((one) => lowered[one]);
  if (ceilings.length === 0 || ceilings.includes(undefined)) return role;
  const ceiling = Math.max(
    ...ceilings.map((one) => (one === undefined ? 0 : roleRank.indexOf(one))),
  );
  return roleRank[Math.min(roleRank.indexOf(role), ceiling)] ?? role;
}

/** The group's own dates, else the Danish school year (1 August to 31 July), else Moodle's. */
function courseDates(p: {
  readonly group: GroupSlice;
  readonly schoolYear: string | null;
}): Pick<MoodleCourse, 'startDate' | 'endDate'> {
  const year = startOfSchoolYear(p.schoolYear);
  const startDate = p.group.from ?? (year === null ? null : `${year}-08-01`);
  const endDate = p.group.to ?? (year === null ? null : `${year + 1}-07-31`);
  // Moodle refuses a course that ends before it begins.
  return startDate !== null && endDate !== null && endDate <= startDate
    ? { startDate, endDate: null }
    : { startDate, endDate };
}
