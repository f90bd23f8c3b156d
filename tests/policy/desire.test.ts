import { describe, expect, it } from 'vitest';
import { desireGroup, desireInstitution, desirePerson } from '../../provisioning/policy/desire.ts';
import type {
  DesiredResource,
  GroupMemberSlice,
  GroupSlice,
  InstitutionSlice,
  KeycloakAccount,
  MoodleAccount,
  MoodleCourse,
  NextcloudAccount,
  PersonSlice,
} from '../../provisioning/policy/resource.ts';
import type { Policy } from '../../provisioning/policy/schema.ts';
import {
  affiliation,
  child,
  external,
  group,
  guardian,
  institutions,
  leader,
  north,
  nursery,
  person,
  policyOf,
  south,
  substitute,
  teacher,
} from './slices.ts';

const schoolYear = '2026-2027';

function forSchool(institution: InstitutionSlice, policy = policyOf()) {
  return desireInstitution({
    policy,
    institution,
    institutions: new Map(),
    people: [],
    schoolYear,
  });
}

function forGroup(slice: GroupSlice, policy = policyOf(), year: string | null = schoolYear) {
  return desireGroup({ policy, group: slice, institutions, schoolYear: year });
}

function forPerson(slice: PersonSlice, policy = policyOf()) {
  return desirePerson({ policy, person: slice, institutions });
}

function names(resources: readonly DesiredResource[]): readonly string[] {
  return resources.map((one) => `${one.target} ${one.kind} ${one.key}`);
}

function bodyOf(resources: readonly DesiredResource[], target: string, kind: string) {
  return resources.find((one) => one.target === target && one.kind === kind)?.body;
}

const keycloakOf = (slice: PersonSlice, policy?: Policy) =>
  bodyOf(forPerson(slice, policy), 'keycloak', 'account') as KeycloakAccount;
const nextcloudOf = (slice: PersonSlice, policy?: Policy) =>
  bodyOf(forPerson(slice, policy), 'nextcloud', 'account') as NextcloudAccount;
const moodleOf = (slice: PersonSlice, policy?: Policy) =>
  bodyOf(forPerson(slice, policy), 'moodle', 'account') as MoodleAccount;
const courseOf = (slice: GroupSlice, policy?: Policy, year?: string | null) =>
  bodyOf(forGroup(slice, policy, year), 'moodle', 'course') as MoodleCourse;

describe('a school', () => {
  it('gets its groups, its staff folder and a category', () => {
    expect(names(forSchool(north))).toEqual([
      'keycloak group school:280001',
      'nextcloud group school:280001:pupils',
      'nextcloud group school:280001:teachers',
      'nextcloud group school:280001:leaders',
      'nextcloud group school:280001:staff',
      'nextcloud folder school:280001:staff-folder',
      'moodle category school:280001',
    ]);
  });

  it('has bodies as the templates say', () => {
    const resources = forSchool(north);

    expect(resources.find((one) => one.key === 'school:280001:pupils')).toEqual({
      target: 'nextcloud',
      kind: 'group',
      key: 'school:280001:pupils',
      institution: '280001',
      title: 'Nørreskolen elever',
      person: null,
      needs: [],
      body: { groupId: 'school_280001_pupils', displayName: 'Nørreskolen elever', active: true },
    });
    expect(bodyOf(resources, 'keycloak', 'group')).toEqual({
      name: 'Nørreskolen',
      parent: null,
      active: true,
      attributes: { institution: ['280001'], kind: ['school'] },
    });
    expect(resources.find((one) => one.kind === 'folder')).toMatchObject({
      needs: ['group/school:280001:staff'],
      body: {
        mountPoint: 'Nørreskolen personale',
        quota: -3,
        access: { 'school:280001:staff': 15 },
        active: true,
      },
    });
    expect(bodyOf(resources, 'moodle', 'category')).toEqual({
      name: 'Nørreskolen',
      parent: null,
      active: true,
    });
  });

  it('gets nothing where policy leaves its kind out', () => {
    expect(forSchool(nursery)).toEqual([]);
    expect(
      names(forSchool(nursery, policyOf({ schools: { institutionKinds: ['daycare'] } }))),
    ).toContain('moodle category school:280003');
  });
});

describe('a class', () => {
  const members: readonly GroupMemberSlice[] = [
    { person: 'p1', role: 'learner', kind: 'pupil', affiliations: [affiliation()] },
    { person: 'p2', role: 'learner', kind: 'pupil', affiliations: [child] },
    { person: 't1', role: 'teacher', kind: 'staff', affiliations: [teacher] },
    { person: 't2', role: 'assistant', kind: 'staff', affiliations: [substitute] },
    { person: 't3', role: 'teacher', kind: 'staff', affiliations: [substitute] },
    { person: 't4', role: 'lead', kind: 'staff', affiliations: [leader] },
    { person: 't5', role: 'member', kind: 'staff', affiliations: [leader] },
    { person: 'g1', role: 'member', kind: 'guardian', affiliations: [guardian] },
  ];

  it('gets groups, folder, course and cohort, each needing what it refers to', () => {
    const resources = forGroup(group());

    expect(resources.map((one) => [`${one.target} ${one.kind}`, one.key, one.needs])).toEqual([
      ['keycloak group', 'group:280001/7a', ['group/school:280001']],
      ['nextcloud group', 'group:280001/7a', []],
      [
        'nextcloud folder',
        'group:280001/7a',
        ['group/group:280001/7a', 'group/school:280001:leaders'],
      ],
      ['moodle course', 'group:280001/7a', ['category/school:280001']],
      ['moodle cohort', 'group:280001/7a', ['category/school:280001']],
    ]);
    expect(new Set(resources.map((one) => one.institution))).toEqual(new Set(['280001']));
  });

  it('has bodies as the templates say', () => {
    const resources = forGroup(group({ members }));

    expect(bodyOf(resources, 'keycloak', 'group')).toEqual({
      name: '7.A 2026-2027',
      parent: 'school:280001',
      active: true,
      attributes: { grade: ['7'], institution: ['280001'], kind: ['class'] },
    });
    expect(bodyOf(resources, 'nextcloud', 'group')).toEqual({
      groupId: 'group_280001_7a',
      displayName: '7.A Nørreskolen',
      active: true,
    });
    expect(bodyOf(resources, 'nextcloud', 'folder')).toEqual({
      mountPoint: '7.A 2026-2027 (Nørreskolen)',
      quota: -3,
      access: { 'group:280001/7a': 15, 'school:280001:leaders': 1 },
      active: true,
    });
    expect(bodyOf(resources, 'moodle', 'course')).toEqual({
      fullname: '7.A 2026-2027',
      shortname: '280001-7a-2026-2027',
      category: 'school:280001',
      startDate: '2026-08-01',
      endDate: '2027-07-31',
      active: true,
      enrolments: {
        'person:p1': ['student'],
        'person:t1': ['editingteacher'],
        'person:t2': ['teacher'],
        'person:t3': ['teacher'],
        'person:t4': ['editingteacher'],
      },
    });
    expect(bodyOf(resources, 'moodle', 'cohort')).toEqual({
      name: '7.A Nørreskolen',
      category: 'school:280001',
      active: true,
      members: ['person:p1'],
    });
  });

  it('never makes a pupil a teacher', () => {
    const pupil: GroupMemberSlice = { ...members[0], role: 'teacher' } as GroupMemberSlice;

    expect(courseOf(group({ members: [pupil] })).enrolments).toEqual({ 'person:p1': ['student'] });
  });

  it('leaves a teacher who substitutes elsewhere or besides a teacher', () => {
    const both = { ...substitute, roles: ['substitute', 'teacher'] };
    const t6: GroupMemberSlice = {
      person: 't6',
      role: 'teacher',
      kind: 'staff',
      affiliations: [both],
    };
    const t7 = {
      ...t6,
      person: 't7',
      affiliations: [teacher, { ...substitute, institution: south.key }],
    };

    expect(courseOf(group({ members: [t6, t7] })).enrolments).toEqual({
      'person:t6': ['editingteacher'],
      'person:t7': ['editingteacher'],
    });
  });

  it('adds up the roles of somebody who is in it twice', () => {
    const twice: readonly GroupMemberSlice[] = [
      { person: 'x', role: 'learner', kind: 'staff', affiliations: [teacher] },
      { person: 'x', role: 'teacher', kind: 'staff', affiliations: [teacher] },
    ];

    expect(courseOf(group({ members: twice })).enrolments).toEqual({
      'person:x': ['editingteacher', 'student'],
    });
  });

  it('takes its own dates, and never ends before it begins', () => {
    const dates = (p: Partial<GroupSlice>, year?: string | null) => {
      const { startDate, endDate } = courseOf(group(p), policyOf(), year);
      return [startDate, endDate];
    };

    expect(dates({ from: '2026-08-10', to: '2027-06-25' })).toEqual(['2026-08-10', '2027-06-25']);
    expect(dates({ to: '2026-07-01' })).toEqual(['2026-08-01', null]);
    expect(dates({}, null)).toEqual([null, null]);
  });

  it('has a group of its teachers where they may do more', () => {
    const policy = policyOf({ folders: { access: { learners: 'read' } } });
    const inClass = { key: '280001/7a', institution: north.key, kind: 'class', main: true };
    const staff = person({ affiliations: [teacher], groups: [{ ...inClass, role: 'teacher' }] });

    const resources = forGroup(group(), policy);

    expect(names(resources)).toContain('nextcloud group group:280001/7a:teachers');
    expect(bodyOf(resources, 'nextcloud', 'folder')).toMatchObject({
      access: {
        'group:280001/7a': 1,
        'group:280001/7a:teachers': 15,
        'school:280001:leaders': 1,
      },
    });
    expect(nextcloudOf(staff, policy).groups).toContain('group:280001/7a:teachers');
    const pupil = person({ groups: [{ ...inClass, role: 'teacher' }] });
    expect(nextcloudOf(pupil, policy).groups).toEqual(['group:280001/7a', 'school:280001:pupils']);
  });

  it('gets nothing where its institution gets nothing', () => {
    expect(forGroup(group({ institution: nursery }))).toEqual([]);
  });
});

describe('other groups', () => {
  it.each([
    ['teaching', ['moodle course group:280001/7a']],
    ['team', ['nextcloud group group:280001/7a']],
    ['year', []],
    ['line', []],
    ['afterschool', []],
    ['other', []],
    ['something new', []],
  ])('of the kind %s', (kind, expected) => {
    expect(names(forGroup(group({ kind })))).toEqual(expected);
  });
});

describe('a pupil', () => {
  it('gets three accounts', () => {
    const resources = forPerson(person());

    expect(resources).toEqual([
      {
        target: 'keycloak',
        kind: 'account',
        key: 'person:00000000-0000-4000-8000-000000000001',
        institution: '280001',
        serves: ['280001'],
        title: 'Amalie Hansen',
        person: '00000000-0000-4000-8000-000000000001',
        needs: ['group/group:280001/7a', 'group/school:280001'],
        body: {
          username: '1000013b36',
          given: 'Amalie',
          family: 'Hansen',
          email: null,
          active: true,
          attributes: {
            grades: ['7'],
            institutions: ['280001'],
            kinds: ['pupil'],
            roles: ['pupil'],
            uniId: ['1000013b36'],
          },
          groups: ['group:280001/7a', 'school:280001'],
          links: [],
        },
      },
      {
        target: 'nextcloud',
        kind: 'account',
        key: 'person:00000000-0000-4000-8000-000000000001',
        institution: '280001',
        serves: ['280001'],
        title: 'Amalie Hansen',
        person: '00000000-0000-4000-8000-000000000001',
        needs: ['group/group:280001/7a', 'group/school:280001:pupils'],
        body: {
          userId: '1000013b36',
          displayName: 'Amalie Hansen',
          email: null,
          quota: '5 GB',
          language: 'da',
          active: true,
          groups: ['group:280001/7a', 'school:280001:pupils'],
        },
      },
      {
        target: 'moodle',
        kind: 'account',
        key: 'person:00000000-0000-4000-8000-000000000001',
        institution: '280001',
        serves: ['280001'],
        title: 'Amalie Hansen',
        person: '00000000-0000-4000-8000-000000000001',
        needs: [],
        body: {
          username: '1000013b36',
          firstname: 'Amalie',
          lastname: 'Hansen',
          email: '1000013b36@elev.invalid',
          auth: 'oidc',
          active: true,
        },
      },
    ]);
  });

  it('keeps switched-off accounts when signing in is not allowed', () => {
    const resources = forPerson(person({ mayLogIn: false }));

    expect(resources.map((one) => one.body.active)).toEqual([false, false, false]);
  });

  it('is in no group that is not made', () => {
    const at = (kind: string, role = 'learner', institution = north.key) => ({
      key: `${institution}/${kind}`,
      institution,
      kind,
      role,
      main: false,
    });
    const groups = [
      at('teaching'),
      at('year'),
      at('team', 'member'),
      at('class', 'member'),
      at('class', 'learner', nursery.key),
      at('class', 'learner', 'unknown'),
    ];

    expect(nextcloudOf(person({ groups })).groups).toEqual([
      'group:280001/team',
      'school:280001:pupils',
    ]);
    expect(keycloakOf(person({ groups })).groups).toEqual(['school:280001']);
  });

  it('has a login written ahead where policy names a provider and the feed a UNI-ID', () => {
    const policy = policyOf({ keycloak: { idpAlias: { pupil: 'unilogin', staff: 'unilogin' } } });
    const links = (p: Partial<PersonSlice>) => keycloakOf(person(p), policy).links;

    expect(links({})).toEqual([{ provider: 'unilogin', userId: '1000013b36' }]);
    expect(links({ affiliations: [affiliation(), teacher] })).toHaveLength(1);
    expect(links({ affiliations: [external] })).toEqual([]);
    expect(links({ uniId: ' ' })).toEqual([]);
    expect(links({ uniId: null })).toEqual([]);
  });
});

describe('people of several kinds', () => {
  it('show only what a package fired for', () => {
    const mother = person({
      affiliations: [{ ...guardian, institution: south.key, primary: true }, teacher],
    });

    const [account] = forPerson(mother);

    expect(account?.institution).toBe('280001');
    expect(account?.body).toMatchObject({
      attributes: { institutions: ['280001'], kinds: ['staff'], roles: ['teacher'] },
    });
  });

  it.each([
    ['a guardian', [guardian], []],
    ['a child in day care', [child], []],
    ['an external', [external], ['keycloak', 'moodle']],
  ])('%s', (_, affiliations, targets) => {
    expect(forPerson(person({ affiliations })).map((one) => one.target)).toEqual(targets);
  });

  it('are in the role groups of each school', () => {
    const affiliations = [leader, { ...teacher, institution: south.key }];

    expect(nextcloudOf(person({ affiliations, groups: [] })).groups).toEqual([
      'school:280001:leaders',
      'school:280001:staff',
      'school:280002:staff',
      'school:280002:teachers',
    ]);
  });
});

describe('e-mail', () => {
  const email = 'Amalie.Hansen@skole.example';
  const staff = person({ affiliations: [teacher], email });
  const real = policyOf({
    packages: [
      {
        name: 'all',
        when: {},
        gives: { keycloak: true, nextcloud: {}, moodle: { email: 'real' } },
      },
    ],
  });

  it('is written for staff, and to Moodle only where policy says so', () => {
    expect(keycloakOf(staff).email).toBe('amalie.hansen@skole.example');
    expect(nextcloudOf(staff).email).toBe('amalie.hansen@skole.example');
    expect(moodleOf(staff).email).toBe('1000013b36@elev.invalid');
    expect(moodleOf(staff, real).email).toBe('amalie.hansen@skole.example');
  });

  it.each([
    ['of a pupil', person({ email })],
    ['of a protected person', person({ ...staff, protected: true, given: 'F', family: 'E' })],
    ['that is none', person({ ...staff, email: 'notanemail' })],
    ['with letters Moodle refuses', person({ ...staff, email: 'søren@skole.example' })],
    ['that is missing', person({ ...staff, email: null })],
  ])('%s is left out', (_, slice) => {
    expect(keycloakOf(slice, real).email).toBeNull();
    expect(moodleOf(slice, real).email).toBe('1000013b36@elev.invalid');
  });

  it('stays valid and unique for usernames with dots', () => {
    const of = (username: string) => moodleOf(person({ username })).email;

    expect(of('a.b')).toBe('a.b@elev.invalid');
    expect(of('a..b')).toMatch(/^a--b-[0-9a-f]{12}@elev\.invalid$/);
    expect(of('a..b')).not.toBe(of('a-.b'));
  });
});

describe('protected people', () => {
  const marker = { email: 'zebulon.quist@skole.example', protected: true };

  it('appear by alias', () => {
    const resources = forPerson(person({ ...marker, given: 'Navne', family: 'Beskyttet' }));

    expect(resources.map((one) => one.title)).toEqual(Array(3).fill('Navne Beskyttet'));
    expect(JSON.stringify(resources)).not.toMatch(/zebulon|quist/i);
  });

  it('appear by a placeholder where there is no alias', () => {
    const resources = forPerson(
      person({ ...marker, given: null, family: null, affiliations: [teacher] }),
    );

    expect(resources.map((one) => one.title)).toEqual(Array(3).fill('Navn Beskyttet'));
    expect(resources[2]?.body).toMatchObject({ firstname: 'Navn', lastname: 'Beskyttet' });
    expect(JSON.stringify(resources)).not.toMatch(/zebulon|quist/i);
  });
});
