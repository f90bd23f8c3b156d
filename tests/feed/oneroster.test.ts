import { describe, expect, it } from 'vitest';
import { altered, good, manifestOf, packageOf, readPackage, rolesHeader } from './package-files.ts';
import { place, refusal } from './reading.ts';

async function refusePackage(changes: Parameters<typeof packageOf>[0]) {
  return refusal('oneroster', await place(packageOf(changes)));
}

describe('a 1.1 bulk package', () => {
  it('is read: institutions, term, groups, people, affiliations, memberships', async () => {
    const reading = await readPackage();

    expect(reading.codes).toEqual(new Set());
    expect(reading.snapshot).toMatchObject({ format: 'oneroster-1.1', schoolYear: '2026-2027' });
    expect(reading.find('institution', 'A12249')).toMatchObject({
      name: 'Åskolen',
      kind: 'school',
    });
    expect(reading.find('institution', 'O2').kind).toBe('authority');
    expect(reading.find('term', 'T1')).toMatchObject({ kind: 'schoolYear', to: '2027-07-31' });
    expect(reading.find('group', 'C1')).toMatchObject({ kind: 'class', grade: '5', terms: ['T1'] });
    expect(reading.find('group', 'C2')).toMatchObject({ kind: 'teaching', subject: 'Tysk' });
    expect(reading.find('person', 'U1')).toMatchObject({
      ids: [{ system: 'uni-id', value: 'anna1234' }],
      given: 'Zoë',
      email: 'anna@x.example',
      mayLogIn: true,
    });
    expect(reading.find('affiliation', 'A12249/U1/pupil')).toMatchObject({ grade: '5' });
    expect(reading.find('membership', 'A12249/U1/pupil>C1')).toMatchObject({
      role: 'learner',
      main: true,
    });
    expect(reading.find('membership', 'A12249/U1/pupil>C2').main).toBe(false);
    expect(reading.find('membership', 'A12249/U2/staff>C1')).toMatchObject({
      role: 'teacher',
      main: true,
    });
    expect(reading.coverage[0]).toEqual({
      type: 'coverage',
      institution: 'A12249',
      affiliation: 'full',
      group: 'full',
      membership: 'full',
      relation: 'silent',
    });
  });

  it('in one sub folder is read', async () => {
    const files = Object.entries(good).map(([name, text]) => [`roster/${name}`, text]);
    const reading = await readPackage({
      ...Object.fromEntries(Object.keys(good).map((name) => [name, null])),
      ...Object.fromEntries(files),
    });

    expect(reading.has('person', 'U1')).toBe(true);
  });

  it('knows who must not sign in: that is not gone', async () => {
    const reading = await readPackage({
      'users.csv': altered('users.csv', 'U1,,,true', 'U1,,,false'),
    });

    expect(reading.find('person', 'U1').mayLogIn).toBe(false);
  });

  it('makes guardians of agents, with a relation at the school of the child', async () => {
    const users = `${altered('users.csv', 'anna@x.example,,,,05', 'anna@x.example,,,"G1,G2",05')}G1,,,true,O1,guardian,g,,Mette,Bæk,,,,,,U1,,\r\n`;
    const reading = await readPackage({ 'users.csv': users });

    expect(reading.find('relation', 'A12249/G1>U1')).toMatchObject({
      kind: 'other',
      custody: null,
    });
    expect(reading.find('affiliation', 'A12249/G1/guardian').roles).toEqual(['guardian']);
    expect(reading.rejected).toMatchObject([
      { entity: 'relation', key: 'A12249/G2>U1', diagnostic: { code: 'agent-dangling' } },
    ]);
  });

  it('ends an enrolment on the day before its exclusive end date', async () => {
    const reading = await readPackage({
      'enrollments.csv': altered(
        'enrollments.csv',
        'U1,student,,,',
        'U1,student,,2026-08-01,2027-01-01',
      ),
    });

    expect(reading.find('membership', 'A12249/U1/pupil>C2')).toMatchObject({
      from: '2026-08-01',
      to: '2026-12-31',
    });
  });
});

describe('1.2', () => {
  const users =
    'sourcedId,status,dateLastModified,enabledUser,username,userIds,givenName,familyName,grades,userMasterIdentifier,preferredGivenName\r\nU1,,,true,anna,,Zoë,Bæk,05,MASTER7,Zo\r\nU2,,,true,bent,{UniLogin:bent1234},Bent,Ågård,,,\r\n';
  const roles = `${rolesHeader}\r\nR1,,,U1,primary,student,2026-08-01,,O1,\r\nR2,,,U2,primary,teacher,,,O1,\r\nR3,,,U2,secondary,principal,,,O1,\r\nR4,,,U2,secondary,counselor,,,O2,\r\n`;
  const changes = {
    'manifest.csv': manifestOf({ 'oneroster.version': '1.2', 'file.roles': 'bulk' }),
    'users.csv': users,
    'roles.csv': roles,
  };

  it('has its affiliations in roles.csv: dates, primary, several roles and places', async () => {
    const reading = await readPackage(changes);

    expect(reading.snapshot.format).toBe('oneroster-1.2');
    expect(reading.find('affiliation', 'A12249/U1/pupil')).toMatchObject({
      from: '2026-08-01',
      primary: true,
      grade: '5',
    });
    expect(reading.find('affiliation', 'A12249/U2/staff')).toMatchObject({
      roles: ['leader', 'teacher'],
      primary: true,
    });
    expect(reading.find('affiliation', 'O2/U2/staff')).toMatchObject({
      roles: ['consultant'],
      primary: false,
    });
    expect(reading.find('person', 'U1')).toMatchObject({
      given: 'Zo',
      ids: [{ system: 'usermasteridentifier', value: 'MASTER7' }],
    });
    expect(reading.find('person', 'U2').ids).toEqual([{ system: 'uni-id', value: 'bent1234' }]);
  });

  it('keeps people whom roles.csv names and users.csv does not list', async () => {
    const reading = await readPackage({
      ...changes,
      'roles.csv': `${roles}R5,,,U9,primary,student,,,O1,\r\n`,
    });

    expect(reading.rejected).toMatchObject([
      { entity: 'person', key: 'U9', institution: null, diagnostic: { code: 'user-dangling' } },
    ]);
  });

  it('keeps the affiliations of a role row that cannot be read', async () => {
    const reading = await readPackage({
      ...changes,
      'roles.csv': `${roles}R5,,,U1,primary,student,,,O9,\r\nR6,,,,primary,student,,,O1,\r\n`,
    });

    expect(reading.rejected).toMatchObject([
      { entity: 'affiliation', person: 'U1', diagnostic: { code: 'org-dangling' } },
      {
        entity: 'affiliation',
        person: null,
        institution: 'A12249',
        diagnostic: { code: 'role-row-incomplete' },
      },
    ]);
  });
});

describe('a delta', () => {
  const delta = manifestOf({
    'file.orgs': 'absent',
    'file.academicSessions': 'absent',
    'file.classes': 'absent',
    'file.users': 'delta',
    'file.enrollments': 'delta',
  });
  const header = good['users.csv']?.split('\r\n')[0];
  const enrolHeader = good['enrollments.csv']?.split('\r\n')[0];
  const changes = {
    'manifest.csv': delta,
    'orgs.csv': null,
    'academicSessions.csv': null,
    'classes.csv': null,
    'users.csv': `${header}\r\nU3,active,2026-11-02T06:00:00Z,true,A12249,student,,,Ny,Elev,,,,,,,05,\r\nU1,tobedeleted,2026-11-02T06:00:00Z,true,A12249,student,,,Zoë,Bæk,,,,,,,05,\r\n`,
    'enrollments.csv': `${enrolHeader}\r\nE1,tobedeleted,2026-11-02T06:00:00Z,C1,A12249,U2,teacher,,,\r\nE9,active,2026-11-02T06:00:00Z,C1,A12249,U3,student,,,\r\n`,
  };

  it('removes only what it names, and covers nothing', async () => {
    const reading = await readPackage(changes);

    expect(reading.removed).toEqual([
      { type: 'removed', entity: 'person', key: 'U1' },
      { type: 'removed', entity: 'membership', key: 'A12249/U2/staff>C1' },
    ]);
    expect(reading.has('membership', 'A12249/U3/pupil>C1')).toBe(true);
    expect(reading.has('person', 'U1')).toBe(false);
    expect(reading.coverage).toEqual([]);
    expect(reading.rejected).toEqual([]);
  });

  it('beside bulk orgs covers as delta', async () => {
    const reading = await readPackage({
      'manifest.csv': manifestOf({ 'file.users': 'delta', 'file.enrollments': 'delta' }),
    });

    expect(reading.coverage[0]).toMatchObject({
      affiliation: 'delta',
      membership: 'delta',
      group: 'full',
    });
  });

  it('without rows is no mistake', async () => {
    const reading = await readPackage({
      ...changes,
      'users.csv': `${header}\r\n`,
      'enrollments.csv': `${enrolHeader}\r\n`,
    });

    expect(reading.records).toEqual([]);
  });
});

describe('a package is refused', () => {
  it.each([
    ['feed-file-missing', 'users are announced but missing', { 'users.csv': null }],
    ['feed-file-missing', 'orgs are announced but missing', { 'orgs.csv': null }],
    ['feed-file-missing', 'classes are announced but missing', { 'classes.csv': null }],
    ['feed-file-missing', 'enrollments are announced but missing', { 'enrollments.csv': null }],
    [
      'feed-file-missing',
      'without manifest and without orgs',
      { 'manifest.csv': null, 'orgs.csv': null },
    ],
    [
      'feed-empty',
      'bulk users without rows',
      { 'users.csv': `${good['users.csv']?.split('\r\n')[0]}\r\n` },
    ],
    [
      'feed-empty',
      'bulk orgs without rows',
      { 'orgs.csv': `${good['orgs.csv']?.split('\r\n')[0]}\r\n` },
    ],
    [
      'feed-empty',
      'bulk enrolments without rows',
      { 'enrollments.csv': `${good['enrollments.csv']?.split('\r\n')[0]}\r\n` },
    ],
    [
      'feed-empty',
      'bulk classes without rows',
      { 'classes.csv': `${good['classes.csv']?.split('\r\n')[0]}\r\n` },
    ],
    ['feed-empty', 'an empty file', { 'users.csv': '' }],
    ['feed-column-missing', 'no names', { 'users.csv': 'sourcedId,orgSourcedIds\r\nU1,O1\r\n' }],
    [
      'feed-column-missing',
      'neither orgs of people nor roles',
      { 'users.csv': 'sourcedId,givenName,familyName\r\nU1,A,B\r\n' },
    ],
    [
      'feed-truncated',
      'cut inside a quoted cell',
      { 'users.csv': `${good['users.csv']}U3,,,true,"O1,O` },
    ],
    [
      'feed-truncated',
      'cut inside a row',
      { 'users.csv': `${good['users.csv']}U3,,,true,O1,stud` },
    ],
    [
      'feed-malformed',
      'a quote inside a cell',
      { 'users.csv': `${good['users.csv']}U3,,,true,O1,student,x,,"A"b,C,,,,,,,,\r\n` },
    ],
    [
      'feed-wrong-charset',
      'bytes of CP1252',
      { 'users.csv': Buffer.from(good['users.csv'] ?? '', 'latin1') },
    ],
    [
      'feed-wrong-charset',
      'letters that something has lost before',
      { 'users.csv': good['users.csv']?.replaceAll(/[^\p{ASCII}]/gu, '\uFFFD') ?? '' },
    ],
    [
      'feed-wrong-charset',
      'UTF-16',
      { 'users.csv': Buffer.from(`\ufeff${good['users.csv']}`, 'utf16le') },
    ],
  ])('%s: %s', async (code, _, changes) => {
    expect(await refusePackage(changes)).toBe(code);
  });

  it('feed-unknown-format: other files altogether', async () => {
    expect(await refusal('oneroster', await place({ 'Student.csv': 'SIS ID\r\n1\r\n' }))).toBe(
      'feed-unknown-format',
    );
    expect(await refusal('oneroster', '/nowhere/at/all')).toBe('feed-not-found');
  });
});

describe('a file that is absent', () => {
  it('is silence, never an empty list', async () => {
    const reading = await readPackage({
      'manifest.csv': manifestOf({ 'file.enrollments': 'absent', 'file.classes': 'absent' }),
      'enrollments.csv': null,
      'classes.csv': null,
    });

    expect(reading.coverage[0]).toMatchObject({
      affiliation: 'full',
      group: 'silent',
      membership: 'silent',
    });
  });

  it('but lies there is not read', async () => {
    const reading = await readPackage({
      'manifest.csv': manifestOf({ 'file.enrollments': 'absent' }),
    });

    expect(reading.records.some((record) => record.entity === 'membership')).toBe(false);
    expect(reading.codes).toContain('file-declared-absent');
  });
});

describe('a rejected row stays present', () => {
  it.each([
    [
      'a person without name',
      'user',
      'name-missing',
      { 'users.csv': altered('users.csv', 'Zoë,Bæk', ',') },
    ],
    [
      'a person with a cell too many',
      'user',
      'row-out-of-step',
      { 'users.csv': altered('users.csv', 'Zoë,Bæk', 'Zoë,Bæk,Sørensen') },
    ],
  ])('%s', async (_, __, code, changes) => {
    const reading = await readPackage(changes);

    expect(reading.has('person', 'U1')).toBe(false);
    expect(reading.rejected[0]).toMatchObject({
      entity: 'person',
      key: 'U1',
      person: 'U1',
      diagnostic: { code },
    });
  });

  it('a person without id: nobody leaves', async () => {
    const reading = await readPackage({
      'users.csv': altered('users.csv', 'U2,,,true', ',,,true'),
    });

    expect(reading.rejected).toMatchObject([
      { entity: 'person', key: null, person: null, diagnostic: { code: 'user-id-missing' } },
      { entity: 'person', key: 'U2', diagnostic: { code: 'user-dangling' } },
    ]);
  });

  it('a person who is enrolled but not listed', async () => {
    const reading = await readPackage({
      'users.csv': altered('users.csv', 'U2,,,true', 'U7,,,true'),
    });

    expect(reading.rejected).toMatchObject([{ entity: 'person', key: 'U2', person: 'U2' }]);
  });

  it('a class that is enrolled in but not listed', async () => {
    const reading = await readPackage({ 'classes.csv': altered('classes.csv', 'C2,', 'C3,') });

    expect(reading.rejected).toMatchObject([
      { entity: 'group', key: 'C2', group: 'C2', diagnostic: { code: 'class-dangling' } },
    ]);
  });

  it('a class or person of an org that is not listed', async () => {
    const reading = await readPackage({
      'classes.csv': altered('classes.csv', 'scheduled,,O1', 'scheduled,,O9'),
      'users.csv': altered('users.csv', 'true,O1,teacher', 'true,O9,teacher'),
    });

    expect(reading.rejected).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ entity: 'group', key: 'C2' }),
        expect.objectContaining({ entity: 'affiliation', person: 'U2' }),
      ]),
    );
  });

  it('an enrolment without person, or with a role that means nothing', async () => {
    const reading = await readPackage({
      'enrollments.csv': altered(
        'enrollments.csv',
        'E2,,,C2,O1,U1,student',
        'E2,,,C2,O1,U1,wizard',
      ).replace('O1,U2', 'O1,'),
    });

    expect(reading.rejected).toMatchObject([
      {
        entity: 'membership',
        person: 'U1',
        group: 'C2',
        diagnostic: { code: 'enrolment-role-unknown' },
      },
      { entity: 'membership', person: null, diagnostic: { code: 'enrolment-incomplete' } },
    ]);
  });
});

describe('what is not passed on', () => {
  it('civil numbers: as person key, as id, as identifier', async () => {
    const users = `${altered('users.csv', '{UNI-ID:anna1234},Zoë,Bæk,,', '"{UNI-ID:anna1234},{CPR:0102031234},{FED:010203-4567},{OPUS:77}",Zoë,Bæk,,0102031234')}610203-1KOT,,,true,O1,student,,,A,B,,,,,,,05,\r\n`;
    const reading = await readPackage({ 'users.csv': users });

    expect(JSON.stringify(reading.items)).not.toMatch(/[06]10203/);
    expect(reading.find('person', 'U1').ids).toEqual([
      { system: 'opus', value: '77' },
      { system: 'uni-id', value: 'anna1234' },
    ]);
    expect(reading.find('affiliation', 'A12249/U1/pupil').localId).toBeNull();
    expect(reading.codes).toContain('user-id-dropped');
    expect(reading.codes).toContain('user-id-civil');
  });

  it('passwords, telephones and usernames', async () => {
    const reading = await readPackage({
      'users.csv': altered(
        'users.csv',
        'anna@x.example,,,,05,',
        'anna@x.example,20304050,60708090,,05,hest42',
      ),
    });

    expect(JSON.stringify(reading.items)).not.toMatch(/hest42|20304050|60708090/);
    expect(reading.codes).toEqual(new Set(['password-present']));
  });
});
