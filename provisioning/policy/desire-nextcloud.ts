import { emailOf } from './email.ts';
import { compareText, cutCodePoints, keyToken, sortedRecord, sortedUnique } from './naming.ts';
import { type Entitlement, type Institutions, meetsCondition, quotaBytes } from './packages.ts';
import type {
  DesiredResource,
  InstitutionSlice,
  NextcloudAccount,
  NextcloudFolder,
  NextcloudGroup,
  NextcloudSubfolder,
  PersonSlice,
} from './resource.ts';
import {
  accountKey,
  type GroupHead,
  groupNames,
  groupResourceKey,
  groupResources,
  hasSchoolResources,
  type NamingContext,
  renderName,
  schoolGroupKey,
  schoolNames,
  teacherGroupKey,
} from './resource-rules.ts';
import type { FolderAccess, Policy } from './schema.ts';
import { shownName } from './shown-name.ts';

/** 1 read, 2 update, 4 create, 8 delete, 16 share. */
const permissionBits: Readonly<Record<FolderAccess, number>> = {
  none: 0,
  read: 1,
  write: 15,
  share: 31,
};

/** Team folders say -3 for "no limit". */
const unlimited = -3;

export function desireRoleGroups(
  p: NamingContext & { readonly institution: InstitutionSlice },
): readonly DesiredResource[] {
  const { institution, schoolYear } = p;
  return p.policy.schools.groups.map((rule) =>
    toGroup({
      key: schoolGroupKey({ institution: institution.key, key: rule.key }),
      // An underscore stands in no plain token and in no rule key: no two of these ids are alike.
      groupId: `school_${keyToken(institution.key, 32)}_${rule.key}`,
      name: renderName({ institution, group: null, schoolYear, template: rule.name, max: 64 }),
      institution: institution.key,
    }),
  );
}

export function desireSchoolFolders(
  p: NamingContext & { readonly institution: InstitutionSlice },
): readonly DesiredResource[] {
  const { key: institution } = p.institution;
  const names = schoolNames(p).folders;
  return p.policy.schools.folders.map((rule) =>
    toFolder({
      key: schoolGroupKey({ institution, key: rule.key }),
      mountPoint: names.get(rule.key) ?? rule.key,
      quota: rule.quota,
      institution,
      access: schoolAccess({ institution, access: rule.access }),
    }),
  );
}

/** The group of a class or team; a second one of its teachers where they may do more in the folder. */
export function desireMemberGroups(
  p: NamingContext & { readonly group: GroupHead; readonly teacherGroup: boolean },
): readonly DesiredResource[] {
  const { group, schoolYear } = p;
  const { key: institution } = group.institution;
  const groupId = `group_${keyToken(group.key, 48)}`;
  const template = p.policy.groupNames.nextcloud;
  const shown = (max: number) =>
    renderName({ institution: group.institution, group, schoolYear, template, max });
  const all = toGroup({ key: groupResourceKey(group.key), groupId, name: shown(64), institution });
  if (!p.teacherGroup) return [all];
  const teachers = toGroup({
    key: teacherGroupKey(group.key),
    groupId: `${groupId}_teachers`,
    name: `${shown(56)} lærere`,
    institution,
  });
  return [all, teachers];
}

/** The Team folder of a class: its people write, the school's leaders read, or as policy has it. */
export function desireMemberFolder(
  p: NamingContext & { readonly group: GroupHead; readonly teacherGroup: boolean },
): DesiredResource {
  const { group, policy } = p;
  const { key: institution } = group.institution;
  const { learners, teachers, school } = policy.folders.access;
  const own: (readonly [string, number])[] = [
    [groupResourceKey(group.key), permissionBits[learners]],
    [teacherGroupKey(group.key), p.teacherGroup ? permissionBits[teachers] : 0],
  ];
  return toFolder({
    key: groupResourceKey(group.key),
    mountPoint: groupNames(p).folder,
    quota: policy.folders.quota,
    institution,
    access: [...own, ...schoolAccess({ institution, access: school })],
    subfolders: subfoldersOf(p),
  });
}

/**
 * Rules stand for the group and for its teachers, since teachers are in both: Nextcloud adds up what
 * the rules of a person's groups allow.
 */
function subfoldersOf(
  p: NamingContext & { readonly group: GroupHead; readonly teacherGroup: boolean },
): readonly NextcloudSubfolder[] {
  const { group, policy, teacherGroup } = p;
  const { key: institution } = group.institution;
  const subfolders = policy.folders.subfolders.map(({ name, learners, teachers, school }) => ({
    path: name,
    access: sortedRecord([
      [groupResourceKey(group.key), permissionBits[learners]] as const,
      ...(teacherGroup ? [[teacherGroupKey(group.key), permissionBits[teachers]] as const] : []),
      ...schoolAccess({ institution, access: school }),
    ]),
  }));
  return subfolders.sort((a, b) => compareText(a.path, b.path));
}

export function desireNextcloudAccount(p: {
  readonly policy: Policy;
  readonly person: PersonSlice;
  readonly institutions: Institutions;
  readonly entitlement: Entitlement;
  readonly settings: NonNullable<Entitlement['nextcloud']>;
}): DesiredResource {
  const { policy, person, entitlement, settings } = p;
  const { affiliations } = entitlement;
  const { onDelete } = policy.nextcloud;
  const name = shownName(person);
  const groups = sortedUnique([...roleGroupsOf(p), ...memberGroupsOf(p)]);
  const body: NextcloudAccount = {
    userId: person.username,
    displayName: name.full,
    email: emailOf({ policy, person, affiliations }),
    quota: settings.quota,
    language: settings.language,
    active: person.mayLogIn,
    groups,
    ...(onDelete === 'delete' ? {} : { keepFilesWith: onDelete.keepFilesWith }),
  };
  return {
    target: 'nextcloud',
    kind: 'account',
    key: accountKey(person.id),
    institution: entitlement.primary?.institution ?? null,
    title: name.full,
    person: person.id,
    needs: groups.map((group) => `group/${group}`),
    body,
  };
}

function roleGroupsOf(p: {
  readonly policy: Policy;
  readonly institutions: Institutions;
  readonly entitlement: Entitlement;
}): readonly string[] {
  const { policy, institutions } = p;
  return p.entitlement.affiliations.flatMap((affiliation) => {
    const school = institutions.get(affiliation.institution);
    if (school === undefined || !hasSchoolResources({ policy, institutionKind: school.kind })) {
      return [];
    }
    return policy.schools.groups
      .filter((rule) => meetsCondition({ condition: rule.when, affiliation, institutions }))
      .map((rule) => schoolGroupKey({ institution: school.key, key: rule.key }));
  });
}

/** A pupil never gets into the group of teachers, whatever the membership is called. */
function memberGroupsOf(p: {
  readonly policy: Policy;
  readonly institutions: Institutions;
  readonly person: PersonSlice;
}): readonly string[] {
  const { policy, institutions } = p;
  const teaching = ['teacher', 'lead', 'assistant'];
  return p.person.groups.flatMap((group) => {
    const institutionKind = institutions.get(group.institution)?.kind;
    if (institutionKind === undefined) return [];
    const made = groupResources({ policy, groupKind: group.kind, institutionKind });
    if (made?.nextcloud !== true || !made.members.some((role) => role === group.role)) return [];
    const worksThere = p.person.affiliations.some(
      (one) => one.institution === group.institution && one.kind !== 'pupil',
    );
    return made.teacherGroup && worksThere && teaching.includes(group.role)
      ? [groupResourceKey(group.key), teacherGroupKey(group.key)]
      : [groupResourceKey(group.key)];
  });
}

function schoolAccess(p: {
  readonly institution: string;
  readonly access: Readonly<Record<string, FolderAccess>>;
}): (readonly [string, number])[] {
  return Object.entries(p.access).map(([key, level]) => [
    schoolGroupKey({ institution: p.institution, key }),
    permissionBits[level],
  ]);
}

function toGroup(p: {
  readonly key: string;
  readonly groupId: string;
  readonly name: string;
  readonly institution: string;
}): DesiredResource {
  const body: NextcloudGroup = {
    groupId: p.groupId,
    displayName: cutCodePoints(p.name, 64),
    active: true,
  };
  return {
    target: 'nextcloud',
    kind: 'group',
    key: p.key,
    institution: p.institution,
    title: body.displayName,
    person: null,
    needs: [],
    body,
  };
}

function toFolder(p: {
  readonly key: string;
  readonly mountPoint: string;
  readonly quota: string;
  readonly institution: string;
  readonly access: readonly (readonly [string, number])[];
  readonly subfolders?: readonly NextcloudSubfolder[];
}): DesiredResource {
  const access = sortedRecord(p.access.filter(([, bits]) => bits > 0));
  const subfolders = p.subfolders ?? [];
  const groups = [access, ...subfolders.map((one) => one.access)].flatMap(Object.keys);
  const body: NextcloudFolder = {
    mountPoint: p.mountPoint,
    quota: p.quota === 'none' ? unlimited : quotaBytes(p.quota),
    access,
    active: true,
    ...(subfolders.length > 0 ? { subfolders } : {}),
  };
  return {
    target: 'nextcloud',
    kind: 'folder',
    key: p.key,
    institution: p.institution,
    title: p.mountPoint,
    person: null,
    needs: sortedUnique(groups).map((key) => `group/${key}`),
    body,
  };
}
