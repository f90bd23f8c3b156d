import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { DriftDifference } from '../../provisioning/plan/drift-words.ts';
import type { ResourceKind } from '../../provisioning/policy/resource.ts';
import { inKeycloak, inMoodle, inNextcloud } from '../adopt/by-hand.ts';
import type { TargetName, Town } from '../adopt/town.ts';
import { openTown } from '../adopt/town.ts';
import { countPlanned } from '../support/line.ts';
import { smallRoster } from '../support/roster.ts';

let town: Town;

beforeEach(async () => {
  town = await openTown();
  await town.sync({ roster, commit: true });
  expect(await town.unsettled()).toEqual([]);
});

afterEach(async () => {
  await town[Symbol.asyncDispose]();
});

const roster = smallRoster({ pupils: 3 });

async function idOf(p: {
  readonly target: TargetName;
  readonly kind: ResourceKind;
  readonly name: RegExp;
}): Promise<string> {
  const found = (await town.observe(p.target, p.kind)).filter(({ body }) =>
    p.name.test(
      String(
        body['path'] ??
          body['username'] ??
          body['userId'] ??
          body['shortname'] ??
          body['mountPoint'] ??
          body['groupId'] ??
          body['name'],
      ),
    ),
  );
  const [one] = found;
  if (one === undefined || found.length > 1) {
    throw new Error(`${found.length} of ${p.target} ${p.kind} are called ${p.name}`);
  }
  return one.externalId;
}

/** Sees the differences, mends them, and finds nothing the second time, in the ledger and in the feed. */
async function seeAndMend(): Promise<readonly DriftDifference[]> {
  const told = await town.drift({ reportOnly: true });
  expect(told.plan).toBeNull();
  const { differences, plan } = await town.drift();
  expect(differences).toEqual(told.differences);
  expect(plan).not.toBeNull();
  expect(await town.unsettled()).toEqual([]);
  const second = await town.drift();
  expect(second.differences).toEqual([]);
  expect(second.plan).toBeNull();
  expect(countPlanned(await town.sync({ roster, commit: true }))).toBe(0);
  return differences;
}

it('finds nothing where nobody did anything', async () => {
  const { differences, plan, compared, unread } = await town.drift();
  expect(unread).toEqual([]);
  expect(differences).toEqual([]);
  expect(plan).toBeNull();
  expect(compared).toBeGreaterThan(50);
});

describe('a pupil whom somebody took out of the class by hand', () => {
  const title = 'Fornavnelev1001 Prøvesen';

  it('is put back in Keycloak', async () => {
    const id = await idOf({ target: 'keycloak', kind: 'account', name: /^elev1001$/ });
    const groups = await town.observe('keycloak', 'group');
    const group = groups.find(({ key }) => key === 'group:101001/7A')?.externalId;
    await inKeycloak({ town, method: 'DELETE', path: `users/${id}/groups/${group}` });
    const differences = await seeAndMend();
    expect(differences).toMatchObject([
      { title, attribute: 'groups', aspect: 'memberships', found: null, decision: 'repair' },
    ]);
    expect(differences[0]?.expected).toContain('7.A');
  });

  it('is put back in Nextcloud', async () => {
    const group = (await town.observe('nextcloud', 'group')).find(({ body }) =>
      String(body['displayName']).startsWith('7.A Skole 101001'),
    )?.externalId;
    const path = '/ocs/v2.php/cloud/users/elev1001/groups';
    await inNextcloud({ town, method: 'DELETE', path: `${path}?groupid=${group}` });
    expect(await seeAndMend()).toMatchObject([
      { title, attribute: 'groups', aspect: 'memberships', found: null, decision: 'repair' },
    ]);
  });

  it('is put back in the course and the cohort of Moodle', async () => {
    const user = await idOf({ target: 'moodle', kind: 'account', name: /^elev1001$/ });
    const course = await idOf({ target: 'moodle', kind: 'course', name: /^101001/ });
    const cohort = await idOf({ target: 'moodle', kind: 'cohort', name: /101001/ });
    await inMoodle({
      town,
      function: 'enrol_manual_unenrol_users',
      form: { 'enrolments[0][userid]': user, 'enrolments[0][courseid]': course },
    });
    await inMoodle({
      town,
      function: 'core_cohort_delete_cohort_members',
      form: { 'members[0][cohortid]': cohort, 'members[0][userid]': user },
    });
    const differences = await seeAndMend();
    expect(differences).toMatchObject([
      { kind: 'cohort', attribute: 'members', expected: title, found: null },
      { kind: 'course', attribute: 'enrolments', expected: `${title} (student)`, found: null },
    ]);
  });

  it('is explained in the plan', async () => {
    const id = await idOf({ target: 'keycloak', kind: 'account', name: /^elev1001$/ });
    const groups = await town.observe('keycloak', 'group');
    const group = groups.find(({ key }) => key === 'group:101001/7A')?.externalId;
    await inKeycloak({ town, method: 'DELETE', path: `users/${id}/groups/${group}` });
    const { plan } = await town.drift();
    const [change] = await town.changes(plan?.id ?? '');
    expect(change).toMatchObject({ action: 'update', outcome: 'committed', title });
    expect(change?.reason).toMatchObject({ code: 'drift', fields: [{ field: 'groups' }] });
    expect(JSON.stringify(change?.reason)).toContain('7.A');
  });
});

describe('what somebody deleted by hand', () => {
  it('is made again in Keycloak, with its members', async () => {
    const groups = await town.observe('keycloak', 'group');
    const group = groups.find(({ key }) => key === 'group:101001/7A')?.externalId;
    await inKeycloak({ town, method: 'DELETE', path: `groups/${group}` });
    const differences = await seeAndMend();
    expect(differences.filter((one) => one.aspect === 'missing')).toMatchObject([
      { kind: 'group', decision: 'repair' },
    ]);
    expect(differences.filter((one) => one.attribute === 'groups')).toHaveLength(4);
  });

  it('is made again in Nextcloud', async () => {
    await inNextcloud({ town, method: 'DELETE', path: '/ocs/v2.php/cloud/users/elev1001' });
    const folder = await idOf({ target: 'nextcloud', kind: 'folder', name: /^7\.A.*101001/ });
    const path = `/index.php/apps/groupfolders/folders/${folder}`;
    await inNextcloud({ town, method: 'DELETE', path });
    expect((await seeAndMend()).map((one) => [one.kind, one.aspect])).toEqual([
      ['account', 'missing'],
      ['folder', 'missing'],
    ]);
  });

  it('is made again in Moodle', async () => {
    const course = await idOf({ target: 'moodle', kind: 'course', name: /^101001/ });
    const user = await idOf({ target: 'moodle', kind: 'account', name: /^elev1002$/ });
    await inMoodle({
      town,
      function: 'core_course_delete_courses',
      form: { 'courseids[0]': course },
    });
    await inMoodle({ town, function: 'core_user_delete_users', form: { 'userids[0]': user } });
    const differences = await seeAndMend();
    expect(differences.map((one) => [one.kind, one.aspect])).toEqual([
      ['account', 'missing'],
      ['cohort', 'memberships'],
      ['course', 'missing'],
    ]);
  });
});

describe('what somebody changed by hand', () => {
  it('is mended where an account was shut, and only told where a name was changed', async () => {
    const id = await idOf({ target: 'keycloak', kind: 'account', name: /^elev1001$/ });
    const other = await idOf({ target: 'keycloak', kind: 'account', name: /^elev1002$/ });
    const path = (user: string) => `users/${user}`;
    await inKeycloak({ town, method: 'PUT', path: path(id), body: { enabled: false } });
    await inKeycloak({ town, method: 'PUT', path: path(other), body: { lastName: 'Omdøbt' } });
    const { differences } = await town.drift();
    expect(differences).toMatchObject([
      { attribute: 'active', expected: 'true', found: 'false', decision: 'repair' },
      { attribute: 'family', expected: 'Prøvesen', found: 'Omdøbt', decision: 'report' },
    ]);
    expect((await town.drift()).differences).toMatchObject([{ attribute: 'family' }]);
  });

  it('is accepted where policy says so, and not told again', async () => {
    const id = await idOf({ target: 'keycloak', kind: 'account', name: /^elev1001$/ });
    await inKeycloak({ town, method: 'PUT', path: `users/${id}`, body: { lastName: 'Omdøbt' } });
    const policy = 'version: 1\ndrift: { names: adopt }\n';
    const { plan } = await town.drift({ policy });
    const [change] = await town.changes(plan?.id ?? '');
    expect(change).toMatchObject({ action: 'adopt', reason: { code: 'drift-accepted' } });
    expect((await town.drift({ policy })).differences).toEqual([]);
    const user = (await town.observe('keycloak', 'account')).find((one) => one.externalId === id);
    expect(user?.body['family']).toBe('Omdøbt');
    expect(countPlanned(await town.sync({ roster, commit: true }))).toBe(0);
  });

  it('is told where somebody was added, and stays', async () => {
    const teacher = await idOf({ target: 'moodle', kind: 'account', name: /^lear2001$/ });
    const course = await idOf({ target: 'moodle', kind: 'course', name: /^101001/ });
    await inMoodle({
      town,
      function: 'enrol_manual_enrol_users',
      form: {
        'enrolments[0][roleid]': '5',
        'enrolments[0][userid]': teacher,
        'enrolments[0][courseid]': course,
      },
    });
    const { differences, plan } = await town.drift();
    expect(plan).toBeNull();
    expect(differences).toMatchObject([
      { aspect: 'extraMemberships', expected: null, decision: 'report' },
    ]);
  });

  it('is told where something carries our mark and the ledger does not know it', async () => {
    await inMoodle({
      town,
      function: 'core_user_create_users',
      form: {
        'users[0][username]': 'genganger',
        'users[0][firstname]': 'Gen',
        'users[0][lastname]': 'Ganger',
        'users[0][email]': 'genganger@elev.invalid',
        'users[0][auth]': 'oidc',
        'users[0][idnumber]': 'skolebus:person:00000000-0000-4000-8000-000000000000',
      },
    });
    expect((await town.drift()).differences).toMatchObject([
      { aspect: 'extra', found: 'genganger', decision: 'report' },
    ]);
  });
});

it('holds everything in a server where unusually much is missing, until a person allows it', async () => {
  const many = smallRoster({ pupils: 15 });
  await town.sync({ roster: many, commit: true });
  const users = await town.observe('moodle', 'account');
  const ours = users.filter((one) => one.key !== null).slice(0, 22);
  for (const one of ours) {
    const form = { 'userids[0]': one.externalId };
    await inMoodle({ town, function: 'core_user_delete_users', form });
  }
  const { plan, commit } = await town.drift();
  expect(plan?.held).toMatchObject([{ target: 'moodle', code: 'limit-drift', count: 22, of: 34 }]);
  expect(commit).toMatchObject({ committed: 0 });
  expect(await town.observe('moodle', 'account')).toHaveLength(users.length - 22);
  await town.drift({ allowed: ['moodle'] });
  expect(await town.observe('moodle', 'account')).toHaveLength(users.length);
  await town.drift();
  expect((await town.drift()).differences).toEqual([]);
});
