/**
 * Which resources policy makes for schools and groups, and what they are called. Everything that
 * refers to a group, folder, category or course asks here, so that nothing ever refers to a resource
 * that is not made.
 */

import { cleanTitle, foldName, keyToken, withToken } from './naming.ts';
import type { GroupSlice, InstitutionSlice } from './resource.ts';
import { groupKinds, type Policy } from './schema.ts';
import { renderTemplate, startYearOf } from './template.ts';

/** A group without its people: all that names depend on. */
export type GroupHead = Omit<GroupSlice, 'members'>;

type GroupRules = Policy['groups']['class'];

/** Whether an institution has resources of its own: its groups, folders and Moodle category. */
export function hasSchoolResources(p: {
  readonly policy: Policy;
  readonly institutionKind: string;
}): boolean {
  return p.policy.schools.institutionKinds.some((kind) => kind === p.institutionKind);
}

/** What is made for a group of this kind at an institution of this kind; null: nothing at all. */
export function groupResources(p: {
  readonly policy: Policy;
  readonly groupKind: string;
  readonly institutionKind: string;
}): (GroupRules & { readonly teacherGroup: boolean }) | null {
  const kind = groupKinds.find((known) => known === p.groupKind);
  if (kind === undefined || !hasSchoolResources(p)) return null;
  const rules = p.policy.groups[kind];
  const { access, subfolders } = p.policy.folders;
  const differ = [access, ...subfolders].some((one) => one.learners !== one.teachers);
  return { ...rules, teacherGroup: rules.folder && differ };
}

export const schoolKey = (institution: string): string => `school:${institution}`;
export const schoolGroupKey = (p: { readonly institution: string; readonly key: string }): string =>
  `school:${p.institution}:${p.key}`;
export const groupResourceKey = (group: string): string => `group:${group}`;
export const teacherGroupKey = (group: string): string => `group:${group}:teachers`;
export const accountKey = (person: string): string => `person:${person}`;

/** The group's id within its institution: WS17 keys begin with the institution number, OneRoster's do not. */
function groupIdOf(p: { readonly key: string; readonly institution: string }): string {
  const start = `${p.institution}/`;
  return p.key.startsWith(start) && p.key.length > start.length ? p.key.slice(start.length) : p.key;
}

/** A place in which no two names may be alike, with what the pickiest server takes for alike. */
function claim(p: { readonly space: string; readonly name: string }): string {
  return `${p.space}|${foldName(p.name)}`;
}

interface Place {
  /** `keycloak` names are unique under their parent, `folder` and `course` names in the whole server. */
  readonly space: string;
  readonly template: string;
  readonly max: number;
  /** What tells this one from others of the same name: a token of its own key. */
  readonly token: string;
}

interface Naming {
  readonly schoolYear: string | null;
  readonly institution: InstitutionSlice;
  readonly group: GroupHead | null;
}

/** Keycloak's own limit is 255; folders must leave room for paths below them on Windows. */
const maxTitle = 100;

function schoolPlaces(p: { readonly policy: Policy; readonly institution: InstitutionSlice }): {
  readonly keycloak: Place;
  readonly folders: ReadonlyMap<string, Place>;
} {
  const { schools } = p.policy;
  const token = keyToken(p.institution.key);
  const folderToken = (key: string) => (schools.folders.length > 1 ? `${token}-${key}` : token);
  return {
    keycloak: { space: 'keycloak', template: schools.name, max: maxTitle, token },
    folders: new Map(
      schools.folders.map((folder) => [
        folder.key,
        { space: 'folder', template: folder.name, max: maxTitle, token: folderToken(folder.key) },
      ]),
    ),
  };
}

function groupPlaces(p: { readonly policy: Policy; readonly group: GroupHead }): {
  readonly keycloak: Place;
  readonly folder: Place;
  readonly course: Place;
} {
  const { policy, group } = p;
  const token = keyToken(group.key);
  return {
    keycloak: {
      space: `keycloak/${group.institution.key}`,
      template: policy.groupNames.keycloak,
      max: maxTitle,
      token,
    },
    folder: { space: 'folder', template: policy.folders.name, max: maxTitle, token },
    course: { space: 'course', template: policy.courses.shortName, max: maxTitle, token },
  };
}

/** A name made of a template; the group's or school's own name, then its id, where nothing is left of it. */
export function renderName(
  p: Naming & { readonly template: string; readonly max: number },
): string {
  const { institution, group } = p;
  const rendered = renderTemplate({
    template: p.template,
    values: {
      institutionName: institution.name,
      institutionNumber: institution.key,
      schoolYear: p.schoolYear,
      groupName: group?.name ?? null,
      groupId: group === null ? null : groupIdOf({ key: group.key, institution: institution.key }),
      grade: group?.grade ?? null,
      line: group?.line ?? null,
      subject: group?.subject ?? null,
      startYear: startYearOf({ grade: group?.grade ?? null, schoolYear: p.schoolYear }),
    },
  });
  const title = cleanTitle(rendered, p.max);
  if (title !== '') return title;
  const own = cleanTitle(group?.name ?? institution.name, p.max);
  return own === '' ? keyToken(group?.key ?? institution.key) : own;
}

function nameIn(p: {
  readonly place: Place;
  readonly naming: Naming;
  readonly duplicateNames: ReadonlySet<string>;
}): string {
  const { space, max, token } = p.place;
  const title = renderName({ ...p.naming, template: p.place.template, max });
  return p.duplicateNames.has(claim({ space, name: title }))
    ? withToken({ title, token, max })
    : title;
}

export interface NamingContext {
  readonly policy: Policy;
  readonly schoolYear: string | null;
  /** From `findDuplicateNames`: whoever has one of these gets its id behind the name, in brackets. */
  readonly duplicateNames: ReadonlySet<string>;
}

/** Names of a school's resources that must be unique in their server. */
export function schoolNames(p: NamingContext & { readonly institution: InstitutionSlice }): {
  readonly keycloak: string;
  readonly folders: ReadonlyMap<string, string>;
} {
  const naming = { schoolYear: p.schoolYear, institution: p.institution, group: null };
  const places = schoolPlaces(p);
  const name = (place: Place) => nameIn({ place, naming, duplicateNames: p.duplicateNames });
  return {
    keycloak: name(places.keycloak),
    folders: new Map([...places.folders].map(([key, place]) => [key, name(place)])),
  };
}

/** Names of a group's resources that must be unique in their server. */
export function groupNames(p: NamingContext & { readonly group: GroupHead }): {
  readonly keycloak: string;
  readonly folder: string;
  readonly course: string;
} {
  const naming = { schoolYear: p.schoolYear, institution: p.group.institution, group: p.group };
  const places = groupPlaces(p);
  const name = (place: Place) => nameIn({ place, naming, duplicateNames: p.duplicateNames });
  return {
    keycloak: name(places.keycloak),
    folder: name(places.folder),
    course: name(places.course),
  };
}

/**
 * Names that two or more resources of one server would share: schools of one name, two classes 7.A,
 * ids that differ by case only. All who share a name get their id behind it, not only the latecomer,
 * so that the outcome does not depend on the order. Needs all institutions and groups at once, but
 * none of their people.
 */
export function findDuplicateNames(p: {
  readonly policy: Policy;
  readonly schoolYear: string | null;
  readonly institutions: Iterable<InstitutionSlice>;
  readonly groups: Iterable<GroupHead>;
}): ReadonlySet<string> {
  const seen = new Set<string>();
  const duplicates = new Set<string>();
  const note = (place: Place, naming: Naming) => {
    const name = renderName({ ...naming, template: place.template, max: place.max });
    const one = claim({ space: place.space, name });
    if (seen.has(one)) duplicates.add(one);
    seen.add(one);
  };
  const { policy, schoolYear } = p;
  for (const institution of p.institutions) {
    if (!hasSchoolResources({ policy, institutionKind: institution.kind })) continue;
    const places = schoolPlaces({ policy, institution });
    for (const place of [places.keycloak, ...places.folders.values()]) {
      note(place, { schoolYear, institution, group: null });
    }
  }
  for (const group of p.groups) {
    const { institution } = group;
    const schoolYear = group.schoolYear ?? p.schoolYear;
    const made = groupResources({
      policy,
      groupKind: group.kind,
      institutionKind: institution.kind,
    });
    if (made === null) continue;
    const places = groupPlaces({ policy, group });
    if (made.keycloak) note(places.keycloak, { schoolYear, institution, group });
    if (made.folder) note(places.folder, { schoolYear, institution, group });
    if (made.course) note(places.course, { schoolYear, institution, group });
  }
  return duplicates;
}
