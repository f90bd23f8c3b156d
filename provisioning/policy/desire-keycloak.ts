import { emailOf } from './email.ts';
import { cutCodePoints, sortedRecord, sortedUnique } from './naming.ts';
import { type Entitlement, type Institutions, primaryAffiliation } from './packages.ts';
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
  schoolKey,
  schoolNames,
} from './resource-rules.ts';
import type { Policy } from './schema.ts';
import { shownName } from './shown-name.ts';

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
  };
  return {
    target: 'keycloak',
    kind: 'account',
    key: accountKey(person.id),
    institution: primaryAffiliation(affiliations)?.institution ?? null,
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
  return sortedUnique([...schools, ...groups]);
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
