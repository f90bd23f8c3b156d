import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { desireGroup, desireInstitution, desirePerson } from '../../provisioning/policy/desire.ts';
import { foldName } from '../../provisioning/policy/naming.ts';
import type {
  AffiliationSlice,
  DesiredResource,
  GroupSlice,
  InstitutionSlice,
  KeycloakGroup,
  MoodleCourse,
  NextcloudFolder,
  NextcloudGroup,
  PersonSlice,
} from '../../provisioning/policy/resource.ts';
import { findDuplicateNames } from '../../provisioning/policy/resource-rules.ts';
import { groupKinds, membershipRoles } from '../../provisioning/policy/schema.ts';
import { group, north, policyOf } from './slices.ts';

const schoolYear = '2026-2027';
const policies = [
  policyOf(),
  policyOf({
    groups: Object.fromEntries(
      groupKinds.map((kind) => [
        kind,
        { keycloak: true, nextcloud: true, folder: true, course: true, cohort: true },
      ]),
    ),
    folders: { access: { learners: 'read' } },
  }),
];

const schools: readonly InstitutionSlice[] = ['280001', '280002', 'A12249'].map((key) => ({
  key,
  name: 'Skolen',
  kind: key === 'A12249' ? 'daycare' : 'school',
}));
const institutions = new Map(schools.map((one) => [one.key, one]));

/** Names that meet often, and names that nobody would think of. */
const wildName = fc.oneof(
  fc.constantFrom('7.A', '7.a', '7 A', '7.Á', '', ' ', '/', '🍎', '🍌', 'Skolen', 'x'.repeat(300)),
  fc.string({ unit: 'binary', maxLength: 120 }),
);
const schoolNumber = fc.constantFrom('280001', '280002', 'A12249', 'unknown');
const affiliations: fc.Arbitrary<AffiliationSlice> = fc.record({
  institution: schoolNumber,
  kind: fc.constantFrom('pupil', 'staff', 'external', 'guardian'),
  roles: fc.uniqueArray(fc.constantFrom('pupil', 'child', 'teacher', 'leader', 'substitute')),
  grade: fc.option(fc.constantFrom('0', '7', 'DT')),
  primary: fc.boolean(),
});
const people: fc.Arbitrary<PersonSlice> = fc.record({
  id: fc.uuid(),
  username: fc.stringMatching(/^[a-z0-9][a-z0-9._-]{2,63}$/),
  uniId: fc.option(fc.string()),
  protected: fc.boolean(),
  given: fc.option(wildName),
  family: fc.option(wildName),
  email: fc.option(fc.oneof(fc.emailAddress(), fc.string())),
  mayLogIn: fc.boolean(),
  affiliations: fc.array(affiliations, { maxLength: 5 }),
  groups: fc.array(
    fc.record({
      key: fc.constantFrom('280001/7a', '280001/7b', 'unknown/1'),
      institution: schoolNumber,
      kind: fc.constantFrom(...groupKinds),
      role: fc.constantFrom(...membershipRoles),
      main: fc.boolean(),
    }),
    { maxLength: 5 },
  ),
});
const groups: fc.Arbitrary<GroupSlice> = fc.record({
  key: fc.oneof(
    fc.stringMatching(/^28000[12]\/[a-zA-Z0-9]{1,3}$/),
    fc.uuid(),
    fc.string({ minLength: 1, maxLength: 300 }),
  ),
  institution: fc.constantFrom(...schools),
  kind: fc.constantFrom(...groupKinds),
  name: wildName,
  grade: fc.constantFrom('7', null),
  line: fc.constantFrom('A', null),
  subject: fc.constantFrom('Dansk', null),
  from: fc.constantFrom('2026-08-01', null),
  to: fc.constantFrom('2027-06-30', null),
  members: fc.array(
    fc.record({
      person: fc.constantFrom('p1', 'p2', 'p3'),
      role: fc.constantFrom(...membershipRoles),
      kind: fc.constantFrom('pupil', 'staff', 'external'),
      affiliations: fc.array(affiliations, { maxLength: 3 }),
    }),
    { maxLength: 6 },
  ),
});

/** Everything of a municipality of wildly named schools and groups. */
function everything(p: {
  readonly policy: (typeof policies)[number];
  readonly schools: readonly InstitutionSlice[];
  readonly groups: readonly GroupSlice[];
}): readonly DesiredResource[] {
  const { policy } = p;
  const duplicateNames = findDuplicateNames({
    policy,
    schoolYear,
    institutions: p.schools,
    groups: p.groups,
  });
  return [
    ...p.schools.flatMap((institution) =>
      desireInstitution({
        policy,
        institution,
        institutions: new Map(),
        people: [],
        schoolYear,
        duplicateNames,
      }),
    ),
    ...p.groups.flatMap((one) =>
      desireGroup({ policy, group: one, institutions, schoolYear, duplicateNames }),
    ),
  ];
}

function bodies<T>(resources: readonly DesiredResource[], target: string, kind: string): T[] {
  return resources
    .filter((one) => one.target === target && one.kind === kind)
    .map((one) => one.body as T);
}

function expectNoTwins(names: readonly string[]): void {
  expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
}

describe('desired state', () => {
  it('is the same in whatever order the lists come', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...policies),
        people,
        groups,
        fc.array(fc.nat(), { minLength: 40, maxLength: 40 }),
        (policy, person, slice, noise) => {
          const mix = <T>(list: readonly T[]): T[] =>
            list
              .map((item, index) => ({ item, at: noise[index] ?? 0 }))
              .sort((a, b) => a.at - b.at)
              .map(({ item }) => item);
          const mixAll = (list: readonly AffiliationSlice[]) =>
            mix(list.map((one) => ({ ...one, roles: mix(one.roles) })));
          const mixedPerson = {
            ...person,
            affiliations: mixAll(person.affiliations),
            groups: mix(person.groups),
          };
          const mixedGroup = {
            ...slice,
            members: mix(slice.members).map((member) => ({
              ...member,
              affiliations: mixAll(member.affiliations),
            })),
          };

          expect(JSON.stringify(desirePerson({ policy, person: mixedPerson, institutions }))).toBe(
            JSON.stringify(desirePerson({ policy, person, institutions })),
          );
          expect(
            JSON.stringify(desireGroup({ policy, group: mixedGroup, institutions, schoolYear })),
          ).toBe(JSON.stringify(desireGroup({ policy, group: slice, institutions, schoolYear })));
        },
      ),
    );
  });

  it('refers only to resources that are made', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...policies),
        fc.array(people, { maxLength: 3 }),
        fc.uniqueArray(groups, { selector: (one) => one.key, maxLength: 4 }),
        (policy, everybody, slices) => {
          const members = everybody.map((person) => ({
            ...person,
            groups: slices.map((one, index) => ({
              key: one.key,
              institution: one.institution.key,
              kind: one.kind,
              role: membershipRoles[index] ?? 'member',
              main: false,
            })),
          }));
          const all = [
            ...everything({ policy, schools, groups: slices }),
            ...members.flatMap((person) => desirePerson({ policy, person, institutions })),
          ];
          const made = new Set(all.map((one) => `${one.target}/${one.kind}/${one.key}`));
          for (const one of all) {
            for (const need of one.needs) expect(made).toContain(`${one.target}/${need}`);
          }
        },
      ),
    );
  });

  it('has unique names and ids within every limit, however wild the names', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...policies),
        fc.array(wildName, { minLength: 3, maxLength: 3 }),
        fc.uniqueArray(groups, { selector: (one) => one.key, maxLength: 8 }),
        (policy, schoolNames, slices) => {
          const named = schools.map((one, index) => ({ ...one, name: schoolNames[index] ?? '' }));
          const byKey = new Map(named.map((one) => [one.key, one]));
          const all = everything({
            policy,
            schools: named,
            groups: slices.map((one) => ({
              ...one,
              institution: byKey.get(one.institution.key) ?? one.institution,
            })),
          });
          const keycloak = bodies<KeycloakGroup>(all, 'keycloak', 'group');
          const nextcloud = bodies<NextcloudGroup>(all, 'nextcloud', 'group');
          const folders = bodies<NextcloudFolder>(all, 'nextcloud', 'folder');
          const courses = bodies<MoodleCourse>(all, 'moodle', 'course');

          expectNoTwins(all.map((one) => `${one.target}/${one.kind}/${one.key}`));
          expectNoTwins(keycloak.map((one) => `${one.parent}/${foldName(one.name)}`));
          expectNoTwins(nextcloud.map((one) => one.groupId));
          expectNoTwins(folders.map((one) => foldName(one.mountPoint)));
          expectNoTwins(courses.map((one) => foldName(one.shortname)));
          for (const { groupId, displayName } of nextcloud) {
            expect(groupId).toMatch(/^[a-z0-9._-]{1,64}$/);
            expect(Array.from(displayName).length).toBeLessThanOrEqual(64);
          }
          for (const name of [
            ...keycloak.map((one) => one.name),
            ...folders.map((one) => one.mountPoint),
          ]) {
            expect(name).toMatch(/^[^/\\:*?"<>|]{1,100}$/u);
            expect(name).toBe(name.trim());
          }
          for (const { shortname, fullname } of courses) {
            expect(shortname.length).toBeGreaterThan(0);
            expect(Array.from(shortname).length).toBeLessThanOrEqual(100);
            expect(fullname.trim()).not.toBe('');
            expect(Array.from(fullname).length).toBeLessThanOrEqual(254);
          }
        },
      ),
    );
  });
});

describe('two of one name', () => {
  const policy = policyOf();
  const twins = [group(), group({ key: '280001/X7A', name: '7.a' })];
  const duplicateNames = findDuplicateNames({
    policy,
    schoolYear,
    institutions: [north],
    groups: twins,
  });
  const mountPoints = (slices: readonly GroupSlice[]) =>
    bodies<NextcloudFolder>(
      slices.flatMap((one) =>
        desireGroup({ policy, group: one, institutions, schoolYear, duplicateNames }),
      ),
      'nextcloud',
      'folder',
    ).map((one) => one.mountPoint);

  it('both get their id behind the name, whoever comes first', () => {
    const [first, second] = mountPoints(twins);

    expect(first).toBe('7.A 2026-2027 (Nørreskolen) [280001_7a]');
    expect(second).toMatch(/^7\.a 2026-2027 \(Nørreskolen\) \[280001_x7a-[0-9a-f]{12}\]$/);
    expect(mountPoints(twins.toReversed())).toEqual([second, first]);
  });

  it('do not touch a third', () => {
    expect(mountPoints([group({ key: '280001/8a', name: '8.A' })])).toEqual([
      '8.A 2026-2027 (Nørreskolen)',
    ]);
  });
});
