import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareBodies, patchBody, readBacks } from '../../provisioning/plan/drift-compare.ts';
import type { Fields } from '../../provisioning/plan/seen.ts';
import { collectNames } from '../../provisioning/plan/seen.ts';
import type {
  Body,
  KeycloakAccount,
  MoodleCourse,
  NextcloudAccount,
  NextcloudFolder,
} from '../../provisioning/policy/resource.ts';

const names = collectNames({ linksSeen: false, unsteady: new Set(['group/moving']) });
names.add({ key: 'a', seen: { kind: 'group', externalId: '1', key: 'a', body: { path: '/A' } } });
names.add({ key: 'moving', seen: { kind: 'group', externalId: '2', key: null, body: {} } });
for (const key of ['p1', 'p2']) {
  const body = { username: `${key}-name` };
  names.add({ key, seen: { kind: 'account', externalId: key, key, body } });
}

const account: KeycloakAccount = {
  username: 'abcd1234',
  given: 'Alma',
  family: 'Prøvesen',
  email: 'alma@skole.example',
  active: true,
  attributes: { kinds: ['pupil'] },
  groups: ['a', 'moving'],
  links: [{ provider: 'uni', userId: 'abcd1234' }],
};

function keycloak(found: Fields) {
  const body = readBacks.keycloak({ kind: 'account', expected: account, found, names });
  return compareBodies({ expected: account, found: body });
}

describe('what a server says otherwise than a body does', () => {
  const asIs = {
    ...account,
    email: 'Alma@Skole.example',
    groups: ['/A', '/of somebody else'],
    links: [],
  };

  it('is no difference where it means the same, is not ours, or cannot be read', () => {
    expect(keycloak(asIs)).toEqual([]);
  });

  it('is told field by field', () => {
    const found = { ...asIs, groups: [], active: false, attributes: { kinds: ['staff'] } };
    expect(keycloak(found)).toMatchObject([
      { field: 'active', aspect: 'enabled', expected: true, found: false },
      { field: 'attributes', aspect: 'other' },
      // The group that moves just now is not judged.
      { field: 'groups', aspect: 'memberships', entry: 'a', found: null },
    ]);
  });

  it('is a quota of the same size in Nextcloud, and whatever the default is', () => {
    const body: NextcloudAccount = {
      userId: 'u',
      displayName: 'U',
      email: null,
      quota: '5 GB',
      language: 'da',
      active: true,
      groups: [],
    };
    const there = { ...body, email: '', quota: '5368709120 B' };
    const read = (expected: NextcloudAccount, found: Fields) =>
      compareBodies({
        expected,
        found: readBacks.nextcloud({ kind: 'account', expected, found, names }),
      }).map((drift) => drift.field);
    expect(read(body, there)).toEqual([]);
    expect(read({ ...body, quota: 'default' }, there)).toEqual([]);
    expect(read({ ...body, quota: 'none' }, there)).toEqual(['quota']);
  });

  it('is a right to read only in a closed folder', () => {
    const expected: NextcloudFolder = {
      mountPoint: '7.A',
      quota: -3,
      access: { a: 31 },
      active: false,
    };
    const found = (bits: number) => ({ mountPoint: '/7.A', quota: -3, access: { '1': bits } });
    const fields = (bits: number) =>
      compareBodies({
        expected,
        found: readBacks.nextcloud({ kind: 'folder', expected, found: found(bits), names }),
      });
    expect(fields(1)).toEqual([]);
    expect(fields(31)).toMatchObject([{ field: 'active', expected: false, found: true }]);
    expect(fields(3)).toMatchObject([{ field: 'access', entry: 'a', expected: 31, found: 3 }]);
  });

  it('is a lost role, and a role more', () => {
    const expected: MoodleCourse = {
      fullname: '7.A',
      shortname: '7a',
      category: 'c',
      startDate: null,
      endDate: null,
      active: true,
      enrolments: { p1: ['teacher'], p2: ['student'] },
    };
    const found = {
      ...expected,
      enrolments: [
        { username: 'p1-name', roles: ['student', 'teacher'] },
        { username: 'guest', roles: ['student'] },
      ],
    };
    const body = readBacks.moodle({ kind: 'course', expected, found, names });
    expect(compareBodies({ expected, found: body })).toMatchObject([
      { entry: 'p1', aspect: 'extraMemberships' },
      { entry: 'p2', aspect: 'memberships', found: null },
    ]);
  });
});

it('a body that takes over every difference has none left', () => {
  const key = fc.constantFrom('a', 'b', 'c', 'd');
  const body = fc.record({
    name: fc.string(),
    active: fc.boolean(),
    groups: fc.uniqueArray(key).map((list) => list.sort()),
    enrolments: fc.dictionary(key, fc.uniqueArray(fc.constantFrom('teacher', 'student')), {
      noNullPrototype: true,
    }),
  });
  fc.assert(
    fc.property(body, body, (one, other) => {
      const [expected, found] = [one, other] as unknown as [Body, Body];
      const patched = patchBody({ expected, drifts: compareBodies({ expected, found }) });
      expect(compareBodies({ expected: patched, found })).toEqual([]);
      expect(patchBody({ expected, drifts: [] })).toEqual(expected);
    }),
  );
});
