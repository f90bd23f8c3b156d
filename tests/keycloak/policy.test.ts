/** What the policy's settings for Keycloak make of bodies, and of start-password sheets. */

import { expect, test } from 'vitest';
import { listStartingAccounts } from '../../provisioning/ledger/start-passwords.ts';
import { desireInstitution, desirePerson } from '../../provisioning/policy/desire.ts';
import type { KeycloakAccount } from '../../provisioning/policy/resource.ts';
import { openDatabase } from '../../provisioning/store/database.ts';
import { startPasswordOf } from '../../provisioning/target/keycloak/start-password.ts';
import { startWords } from '../../provisioning/target/keycloak/start-words.ts';
import {
  affiliation,
  institutions,
  north,
  person,
  policyOf,
  south,
  teacher,
} from '../policy/slices.ts';
import { createTestDatabase } from '../support/database.ts';

const roleGroups = [
  {
    group: 'staff',
    realmRoles: ['medarbejder', 'bruger'],
    clientRoles: { 'skolebus-api': ['skolebus-reader'] },
  },
];

function keycloakOf(settings: Record<string, unknown>) {
  const policy = policyOf({ keycloak: settings });
  return {
    school: desireInstitution({
      policy,
      institution: north,
      institutions: new Map(),
      people: [],
      schoolYear: null,
    })
      .filter((one) => one.target === 'keycloak')
      .map((one) => ({ key: one.key, needs: one.needs, body: one.body })),
    account(slice = person()) {
      const all = desirePerson({ policy, person: slice, institutions });
      return all.find((one) => one.target === 'keycloak')?.body as KeycloakAccount;
    },
  };
}

test('a school group with roles stands below its school, and its people are in it', () => {
  const { account, school } = keycloakOf({ roleGroups });

  expect(school.find((one) => one.key === 'school:280001:staff')).toMatchObject({
    needs: ['group/school:280001'],
    body: {
      parent: 'school:280001',
      realmRoles: ['bruger', 'medarbejder'],
      clientRoles: { 'skolebus-api': ['skolebus-reader'] },
    },
  });
  expect(account(person({ affiliations: [teacher] })).groups).toContain('school:280001:staff');
  expect(account().groups).not.toContain('school:280001:staff');
});

test('without settings there are no such groups and bodies hold no new words', () => {
  const { account, school } = keycloakOf({});

  expect(school.map((one) => one.key)).toEqual(['school:280001']);
  expect(account()).not.toHaveProperty('startPassword');
  expect(school[0]?.body).not.toHaveProperty('realmRoles');
});

test.each([
  ['a group that schools do not have', [{ group: 'nobody' }], /no school group nobody/],
  ['the same group twice', [{ group: 'staff' }, { group: 'staff' }], /there already/],
  [
    'roles that administer Keycloak',
    [{ group: 'staff', clientRoles: { 'realm-management': ['manage-users'] } }],
    /never given to a group/,
  ],
])('a policy is refused for %s', (_name, rules, message) => {
  expect(() => policyOf({ keycloak: { roleGroups: rules } })).toThrow(message);
});

test('only pupils of the named grades start with a password', () => {
  const { account } = keycloakOf({ startPasswords: { grades: [0, '1'], change: true } });
  const inGrade = (grade: string | null, kind: 'pupil' | 'staff' = 'pupil') => {
    const one = affiliation({ grade, kind, roles: [kind === 'pupil' ? 'pupil' : 'teacher'] });
    return account(person({ affiliations: [one] }));
  };

  expect(inGrade('0').startPassword).toEqual({ change: true });
  for (const other of [inGrade('2'), inGrade(null), inGrade('1', 'staff')]) {
    expect(other).not.toHaveProperty('startPassword');
  }
});

test('start passwords are words that differ by person and by secret, and are always the same', () => {
  const secret = 'x'.repeat(32);
  const keys = Array.from({ length: 2000 }, (_, n) => `person:${n}`);
  const words = keys.map((key) => startPasswordOf({ secret, key }));

  for (const one of words) expect(one).toMatch(/^[a-z]{3,9}-[a-z]{3,9}-\d\d$/);
  expect(new Set(words).size).toBeGreaterThan(1990);
  expect(keys.map((key) => startPasswordOf({ secret, key }))).toEqual(words);
  const others = keys.map((key) => startPasswordOf({ secret: 'y'.repeat(32), key }));
  expect(others.filter((one, n) => one === words[n])).toEqual([]);
  expect(new Set(startWords).size).toBe(256);
});

test('the sheet of a school names its starting accounts by class, and nobody else', async () => {
  await using created = await createTestDatabase();
  await using database = openDatabase({ url: created.url, max: 2 });
  await database.addTenant({ id: 'kommune', name: 'kommune' });
  const rows: [string, string, string, string, object][] = [
    ['group', 'group:280001/0b', '0B', north.key, { name: '0B' }],
    ['account', 'person:a', 'Asta Prøve', north.key, young('asta1', 'group:280001/0b')],
    ['account', 'person:b', 'Bo Prøve', north.key, { username: 'bo1', active: true, groups: [] }],
    ['account', 'person:c', 'Ida Prøve', south.key, young('ida1', 'group:280001/0b')],
    ['account', 'person:d', 'Max Prøve', north.key, { ...young('max1', ''), active: false }],
  ];
  await database.as('kommune', async (tx) => {
    for (const [kind, key, title, institution, applied] of rows) {
      await tx.execute(
        `insert into resource (tenant_id, target, kind, key, title, institution, applied, state, lane)
         values ('kommune', 'keycloak', $1, $2, $3, $4, $5, 'settled', 'sync')`,
        [kind, key, title, institution, JSON.stringify(applied)],
      );
    }
  });

  const where = { database, tenant: 'kommune', target: 'keycloak', institution: north.key };
  expect(await listStartingAccounts(where)).toEqual([
    {
      key: 'person:a',
      title: 'Asta Prøve',
      username: 'asta1',
      institution: north.key,
      groups: ['0B'],
    },
  ]);
});

function young(username: string, group: string) {
  return { username, active: true, groups: [group], startPassword: { change: false } };
}
