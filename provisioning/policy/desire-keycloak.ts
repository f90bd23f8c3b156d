import { emailOf } from './email.ts';
import { cutCodePoints, sortedRecord, sortedUnique } from './naming.ts';
import { type Entitlement, type Institutions, meetsCondition } from './packages.ts';
import type {
  DesiredResource,
  InstitutionSlice,
  KeycloakAccount,
  KeycloakGroup,
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
  schoolKey,
  schoolNames,
} from './resource-rules.ts';
import type { Policy } from './schema.ts';
import { shownName } from './shown-name.ts';

const maxRoleGroupName = 100;

/** Group attribute values hold at most 255 characters (keycloak.md §4). */
const maxAttribute = 255;

type Attributes = Readonly<Record<string, readonly string[]>>;

export function desireSchoolGroup(
  p: NamingContext & { readonly institution: InstitutionSlice },
): DesiredResource {
  const { institution } = p;
  const { keycloak: name } = schoolNames(p);
  const body: KeycloakGroup = {
    name,
    parent: null,
    active: true,
    attributes: attributes({ institution: [institution.key], kind: [institution.kind] }),
  };
  return {
    target: 'keycloak',
    kind: 'group',
    key: schoolKey(institution.key),
    institution: institution.key,
    title: name,
    person: null,
    needs: [],
    body,
  };
}

/** The school groups that policy wants in Keycloak as well, for the roles that go with them. */
export function desireKeycloakRoleGroups(
  p: NamingContext & { readonly institution: InstitutionSlice },
): readonly DesiredResource[] {
  const { institution, policy, schoolYear } = p;
  const parent = schoolKey(institution.key);
  return policy.keycloak.roleGroups.flatMap((wanted) => {
    const rule = policy.schools.groups.find((group) => group.key === wanted.group);
    if (rule === undefined) return [];
    const name = renderName({
      institution,
      group: null,
      schoolYear,
      template: rule.name,
      max: maxRoleGroupName,
    });
    const clientRoles = Object.entries(wanted.clientRoles).map(
      ([client, roles]) => [client, sortedUnique(roles)] as const,
    );
    const body: KeycloakGroup = {
      name,
      parent,
      active: true,
      attributes: attributes({ institution: [institution.key], kind: [rule.key] }),
      ...(wanted.realmRoles.length === 0 ? {} : { realmRoles: sortedUnique(wanted.realmRoles) }),
      ...(clientRoles.length === 0 ? {} : { clientRoles: sortedRecord(clientRoles) }),
    };
    return [
      {
        target: 'keycloak',
        kind: 'group',
        key: schoolGroupKey({ institution: institution.key, key: rule.key }),
        institution: institution.key,
        title: name,
        person: null,
        needs: [`group/${parent}`],
        body,
      } as const,
    ];
  });
}

export function desireChildGroup(
  p: NamingContext & { readonly group: GroupHead },
): DesiredResource {
  const { group } = p;
  const { key: institution } = group.institution;
  const { keycloak: name } = groupNames(p);
  const parent = schoolKey(institution);
  const body: KeycloakGroup = {
    name,
    parent,
    active: true,
    attributes: attributes({
      institution: [institution],
      kind: [group.kind],
      grade: group.grade === null ? [] : [group.grade],
    }),
  };
  return {
    target: 'keycloak',
    kind: 'group',
    key: groupResourceKey(group.key),
    institution,
    title: name,
    person: null,
    needs: [`group/${parent}`],
    body,
  };
}

/**
 * The sign-in account. Attributes and school groups come only from affiliations that a package fired
 * for: that somebody is a guardian too is nobody's business in a staff account.
 */
export function desireKeycloakAccount(p: {
  readonly policy: Policy;
  readonly person: PersonSlice;
  readonly institutions: Institutions;
  readonly entitlement: Entitlement;
}): DesiredResource {
  const { policy, person, entitlement } = p;
  const { affiliations } = entitlement;
  const name = shownName(person);
  const uniId = person.uniId?.trim() ?? '';
  const groups = keycloakGroupsOf(p);
  const body: KeycloakAccount = {
    username: person.username,
    given: name.given,
    family: name.family,
    email: emailOf({ policy, person, affiliations }),
    active: person.mayLogIn,
    attributes: attributes({
      uniId: uniId === '' ? [] : [uniId],
      institutions: affiliations.map((one) => one.institution),
      kinds: affiliations.map((one) => one.kind),
      roles: affiliations.flatMap((one) => one.roles),
      grades: affiliations.flatMap((one) => (one.grade === null ? [] : [one.grade])),
    }),
    groups,
    links: linksOf({ policy, uniId, kinds: affiliations.map((one) => one.kind) }),
    ...startPasswordOf({ policy, affiliations }),
  };
  return {
    target: 'keycloak',
    kind: 'account',
    key: accountKey(person.id),
    institution: entitlement.primary?.institution ?? null,
    title: name.full,
    person: person.id,
    needs: groups.map((group) => `group/${group}`),
    body,
  };
}

function keycloakGroupsOf(p: {
  readonly policy: Policy;
  readonly person: PersonSlice;
  readonly institutions: Institutions;
  readonly entitlement: Entitlement;
}): readonly string[] {
  const { policy, institutions } = p;
  const schools = p.entitlement.affiliations
    .map((one) => institutions.get(one.institution))
    .filter((school) => school !== undefined)
    .filter((school) => hasSchoolResources({ policy, institutionKind: school.kind }))
    .map((school) => schoolKey(school.key));
  const groups = p.person.groups
    .filter((group) => {
      const institutionKind = institutions.get(group.institution)?.kind;
      if (institutionKind === undefined) return false;
      const made = groupResources({ policy, groupKind: group.kind, institutionKind });
      return made?.keycloak === true && made.members.some((role) => role === group.role);
    })
    .map((group) => groupResourceKey(group.key));
  return sortedUnique([...schools, ...groups, ...roleGroupsOf(p)]);
}

function roleGroupsOf(p: {
  readonly policy: Policy;
  readonly institutions: Institutions;
  readonly entitlement: Entitlement;
}): readonly string[] {
  const { institutions, policy } = p;
  const wanted = policy.keycloak.roleGroups.map((one) => one.group);
  const rules = policy.schools.groups.filter((rule) => wanted.includes(rule.key));
  return p.entitlement.affiliations.flatMap((affiliation) => {
    const school = institutions.get(affiliation.institution);
    if (school === undefined || !hasSchoolResources({ policy, institutionKind: school.kind })) {
      return [];
    }
    return rules
      .filter((rule) => meetsCondition({ condition: rule.when, affiliation, institutions }))
      .map((rule) => schoolGroupKey({ institution: school.key, key: rule.key }));
  });
}

/** Absent for everybody else, so that a policy without it changes no body. */
function startPasswordOf(p: {
  readonly policy: Policy;
  readonly affiliations: Entitlement['affiliations'];
}): Pick<KeycloakAccount, 'startPassword'> {
  const { change, grades } = p.policy.keycloak.startPasswords;
  const young = p.affiliations.some(
    (one) => one.kind === 'pupil' && one.grade !== null && grades.includes(one.grade),
  );
  return young ? { startPassword: { change } } : {};
}

/** An empty UNI-ID is never linked: before 26.8.1 Keycloak could take it for somebody else's (CVE-2026-82968). */
function linksOf(p: {
  readonly policy: Policy;
  readonly uniId: string;
  readonly kinds: readonly string[];
}): KeycloakAccount['links'] {
  if (p.uniId === '') return [];
  const { pupil, staff, external } = p.policy.keycloak.idpAlias;
  const aliases: Readonly<Record<string, string | null>> = { pupil, staff, external };
  const providers = p.kinds.map((kind) => aliases[kind] ?? null).filter((alias) => alias !== null);
  return sortedUnique(providers).map((provider) => ({ provider, userId: p.uniId }));
}

function attributes(values: Readonly<Record<string, readonly string[]>>): Attributes {
  return sortedRecord(
    Object.entries(values)
      .filter(([, list]) => list.length > 0)
      .map(([name, list]) => [
        name,
        sortedUnique(list.map((value) => cutCodePoints(value, maxAttribute))),
      ]),
  );
}
