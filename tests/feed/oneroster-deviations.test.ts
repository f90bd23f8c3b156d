import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { altered, good, manifestOf, readPackage, rolesHeader } from './package-files.ts';
import { place, read } from './reading.ts';

/** One test for each deviation that was seen in published packages (and in real ones). */
describe('deviations of the manifest', () => {
  it('bulk, but status and dateLastModified are filled', async () => {
    const reading = await readPackage({
      'users.csv': altered('users.csv', 'U1,,,', 'U1,active,2023-05-01T18:25:43.511Z,'),
    });

    expect(reading.has('affiliation', 'A12249/U1/pupil')).toBe(true);
    expect(reading.codes).toEqual(new Set(['bulk-with-status']));
  });

  it.each(['inactive', 'tobedeleted', 'ToBeDeleted'])(
    'bulk, but a row is %s: not there',
    async (status) => {
      const reading = await readPackage({
        'users.csv': `${good['users.csv']}U3,${status},,true,O1,student,,,Borte,Elev,,,,,,,05,\r\n`,
      });

      expect(reading.has('person', 'U3')).toBe(false);
      expect(reading.removed).toEqual([]);
      expect(reading.codes).toEqual(new Set(['bulk-row-inactive']));
    },
  );

  it('no manifest at all', async () => {
    const reading = await readPackage({ 'manifest.csv': null });

    expect(reading.coverage[0]).toMatchObject({ affiliation: 'full', membership: 'full' });
    expect(reading.codes).toEqual(new Set(['manifest-missing']));
  });

  it('a property misspelt (fiel.users), a value blank, systemCode absent', async () => {
    const manifest = manifestOf({ 'file.users': '', 'source.systemCode': 'absent' }).replace(
      'file.orgs',
      'fiel.orgs',
    );
    const reading = await readPackage({ 'manifest.csv': manifest });

    expect(reading.coverage[0]).toMatchObject({ affiliation: 'delta', group: 'full' });
    expect(reading.codes).toEqual(new Set(['manifest-typo', 'manifest-value-odd']));
  });

  it('values and file names in other case', async () => {
    const reading = await readPackage({
      'manifest.csv': manifestOf({ 'file.users': 'Bulk' }),
      'users.csv': null,
      'Users.CSV': good['users.csv'] ?? '',
    });

    expect(reading.has('person', 'U1')).toBe(true);
  });

  it('userprofiles.csv in lower case, announced with a blank value, is not roster and does no harm', async () => {
    const reading = await readPackage({
      'manifest.csv': manifestOf({ 'file.userProfiles': '' }),
      'userprofiles.csv': 'sourcedId,userSourcedId,username,password\r\nP1,U1,anna,hest42\r\n',
    });

    expect(reading.codes).toEqual(new Set());
    expect(JSON.stringify(reading.items)).not.toContain('hest42');
  });
});

describe('deviations of values', () => {
  it('Scheduled and HOMEROOM with capitals, TRUE and 1 as booleans', async () => {
    const reading = await readPackage({
      'classes.csv': altered('classes.csv', 'scheduled', 'Scheduled').replace(
        'homeroom',
        'HOMEROOM',
      ),
      'users.csv': altered('users.csv', 'U1,,,true', 'U1,,,TRUE').replace('U2,,,true', 'U2,,,1'),
    });

    expect(reading.find('group', 'C1').kind).toBe('class');
    expect(reading.find('group', 'C2').kind).toBe('teaching');
    expect(reading.find('person', 'U2').mayLogIn).toBe(true);
    expect(reading.codes).toEqual(new Set(['enumeration-case', 'boolean-shape']));
  });

  it('enabledUser 0 means must not sign in', async () => {
    const reading = await readPackage({ 'users.csv': altered('users.csv', 'U1,,,true', 'U1,,,0') });

    expect(reading.find('person', 'U1').mayLogIn).toBe(false);
  });

  it('three shapes of dates in one package', async () => {
    const rows = [
      '2023-05-01T18:25:43.511Z',
      '2023-05-01',
      '1/05/2023',
      '31/12/2023',
      '12/31/2023',
      '11/1/98',
    ];
    const sessions = rows.map((from, i) => `T${i},,,t,term,${from},2024-06-30,,2024`).join('\r\n');
    const reading = await readPackage({
      'academicSessions.csv': `sourcedId,status,dateLastModified,title,type,startDate,endDate,parentSourcedId,schoolYear\r\n${sessions}\r\n`,
      'classes.csv': altered('classes.csv', 'T1', 'T0'),
    });

    expect([0, 1, 2, 3, 4].map((i) => reading.find('term', `T${i}`).from)).toEqual([
      '2023-05-01',
      '2023-05-01',
      '2023-05-01',
      '2023-12-31',
      '2023-12-31',
    ]);
    expect(reading.rejected).toMatchObject([{ entity: 'term', key: 'T5' }]);
    expect(reading.codes).toEqual(
      new Set([
        'date-datetime',
        'date-ambiguous',
        'date-day-first',
        'date-month-first',
        'date-invalid',
        'term-without-dates',
      ]),
    );
  });

  it.each([
    ['KG', '0'],
    ['0', '0'],
    ['00', '0'],
    ['1. klasse', '1'],
    ['01', '1'],
    ['10', '10'],
    ['PK', 'DT'],
    ['11', 'U1'],
    ['UG', 'other'],
    ['U2', 'U2'],
    ['undergraduate', null],
  ])('grade %s is %s', async (written, grade) => {
    const reading = await readPackage({
      'classes.csv': altered('classes.csv', '5A,05', `5A,${written}`),
    });

    expect(reading.find('group', 'C1').grade).toBe(grade);
    expect(reading.codes.has('grade-unknown')).toBe(grade === null);
  });

  it('several grades in one class are no grade', async () => {
    const reading = await readPackage({
      'classes.csv': altered('classes.csv', '5A,05', '0-2,"KG,01,02"'),
    });

    expect(reading.find('group', 'C1').grade).toBeNull();
  });

  it('names in capitals and ids such as {FED:18125} are read as they are', async () => {
    const reading = await readPackage({
      'users.csv': altered('users.csv', '{UNI-ID:anna1234},Zoë,Bæk', '{FED:18125},ZOË,BÆK'),
    });

    expect(reading.find('person', 'U1')).toMatchObject({
      given: 'ZOË',
      ids: [{ system: 'fed', value: '18125' }],
    });
  });

  it.each([
    ['professor', 'staff', 'teacher'],
    ['Lecturer', 'staff', 'teacher'],
    ['faculty', 'staff', 'teacher'],
    ['staff', 'staff', 'support'],
    ['wizard', 'external', 'external'],
    ['administrator', 'staff', 'support'],
    ['aide', 'staff', 'pedagogue'],
    ['proctor', 'staff', 'substitute'],
    ['parent', 'guardian', 'guardian'],
    ['relative', 'guardian', 'guardian'],
  ])('role %s, in the list or not, is %s: %s', async (role, kind, expected) => {
    const reading = await readPackage({
      'users.csv': altered('users.csv', 'O1,teacher', `O1,${role}`),
    });

    expect(reading.find('affiliation', `A12249/U2/${kind}`).roles).toEqual([expected]);
    expect(reading.codes.has('role-unknown')).toBe(role === 'wizard');
  });

  it.each([
    ['college', 'other'],
    ['university', 'other'],
    ['MinistryOfEducation', 'authority'],
    ['department', 'other'],
    ['state', 'authority'],
    ['spaceport', 'other'],
  ])('org of type %s is %s', async (type, kind) => {
    const reading = await readPackage({ 'orgs.csv': altered('orgs.csv', 'district', type) });

    expect(reading.find('institution', 'O2').kind).toBe(kind);
    expect(reading.codes.has('org-type-unknown')).toBe(type === 'spaceport');
  });
});

describe('deviations of headers', () => {
  it('dataLastModified, prefferedGivenName, two nameless trailing columns', async () => {
    const reading = await readPackage({
      'manifest.csv': manifestOf({ 'file.roles': 'bulk', 'oneroster.version': '1.2' }),
      'users.csv':
        'sourcedId,status,dataLastModified,enabledUser,username,givenName,familyName,prefferedGivenName,,\r\nU1,,,true,anna,Zoë,Bæk,Zo\r\nU2,,,true,bent,Bent,Ågård,\r\n',
      'roles.csv': `${rolesHeader.replace('dateLast', 'dataLast')},,\r\nR1,,,U1,primary,student,,,O1,\r\nR2,,,U2,primary,teacher,,,O1,\r\n`,
    });

    expect(reading.find('person', 'U1').given).toBe('Zo');
    expect(reading.find('affiliation', 'A12249/U1/pupil').primary).toBe(true);
    expect(reading.codes).toEqual(new Set(['header-renamed', 'header-nameless']));
  });

  it('names from before 1.1: userId, agents, orgs, grade', async () => {
    const reading = await readPackage({
      'users.csv':
        'sourcedId,orgs,role,username,userId,givenName,familyName,agents,grade\r\nU1,O1,student,anna,4711,Zoë,Bæk,U2,5\r\nU2,O1,parent,bent,4712,Bent,Ågård,U1,\r\n',
    });

    expect(reading.find('person', 'U1').ids).toEqual([{ system: 'userid', value: '4711' }]);
    expect(reading.find('affiliation', 'A12249/U1/pupil').grade).toBe('5');
    expect(reading.has('relation', 'A12249/U2>U1')).toBe(true);
    expect(reading.codes).toContain('header-renamed');
  });

  it('metadata in the middle, vendor columns without metadata., other order and case', async () => {
    const reading = await readPackage({
      'users.csv':
        'SOURCEDID,metadata.x,givenname,FamilyName,ext_vendor,role,orgSourcedIds\r\nU1,m,Zoë,Bæk,v,student,O1\r\nU2,m,Bent,Ågård,v,teacher,"O1,O2"\r\n',
    });

    expect(reading.find('person', 'U1').given).toBe('Zoë');
    expect(reading.has('affiliation', 'O2/U2/staff')).toBe(true);
    expect(reading.rejected).toEqual([]);
  });
});

describe('deviations of references', () => {
  it('a course that is nowhere is not needed', async () => {
    expect((await readPackage()).find('group', 'C1').name).toBe('5A');
  });

  it('terms that are nowhere, sessions empty', async () => {
    const reading = await readPackage({
      'academicSessions.csv': `${good['academicSessions.csv']?.split('\r\n')[0]}\r\n`,
    });

    expect(reading.find('group', 'C1').terms).toEqual([]);
    expect(reading.codes).toEqual(new Set(['term-dangling']));
  });

  it('no role for anybody: taken from the enrolments, else as it was', async () => {
    const reading = await readPackage({
      'users.csv': `${altered('users.csv', 'O1,student', 'O1,').replace('O1,teacher', 'O1,')}U3,,,true,O1,,,,Ny,Elev,,,,,,,05,\r\n`,
    });

    expect(reading.find('affiliation', 'A12249/U1/pupil')).toMatchObject({
      roles: ['pupil'],
      grade: '5',
    });
    expect(reading.find('affiliation', 'A12249/U2/staff').roles).toEqual(['teacher']);
    expect(reading.has('membership', 'A12249/U1/pupil>C2')).toBe(true);
    expect(reading.rejected).toMatchObject([
      { entity: 'affiliation', person: 'U3', diagnostic: { code: 'role-missing' } },
    ]);
    expect(reading.codes).toContain('role-inferred');
  });

  it('a student enrolled as teacher gets no more rights than a learner', async () => {
    const reading = await readPackage({
      'enrollments.csv': altered('enrollments.csv', 'C2,O1,U1,student', 'C2,O1,U1,teacher'),
    });

    expect(reading.find('membership', 'A12249/U1/pupil>C2').role).toBe('learner');
    expect(reading.codes).toEqual(new Set(['enrolment-role-differs']));
  });

  it('enrolments without sourcedId, status and school: class, person and role are enough', async () => {
    const reading = await readPackage({
      'enrollments.csv':
        'classSourcedId,userSourcedId,role\nC1,U1,Student\nC1,U1,Student\nC1,U2,Teacher\n',
    });

    expect(reading.find('membership', 'A12249/U1/pupil>C1').role).toBe('learner');
    expect(reading.codes).toEqual(new Set(['enrolment-duplicate']));
  });

  it('the same person twice, because 1.1 has one role a row', async () => {
    const reading = await readPackage({
      'users.csv': `${good['users.csv']}U2,,,true,O1,parent,bent,{UNI-ID:bent1234},Bent,Ågård,,,,,,,,\r\n`,
    });

    expect(reading.has('affiliation', 'A12249/U2/staff')).toBe(true);
    expect(reading.has('affiliation', 'A12249/U2/guardian')).toBe(true);
    expect(reading.codes).toEqual(new Set(['user-duplicate']));
  });

  it('a person in a class of another school', async () => {
    const reading = await readPackage({
      'users.csv': altered('users.csv', 'true,O1,teacher', 'true,O2,teacher'),
    });

    expect(reading.find('membership', 'O2/U2/staff>C1').institution).toBe('A12249');
    expect(reading.codes).toEqual(new Set(['enrolment-elsewhere']));
  });

  it('two orgs with one identifier', async () => {
    const reading = await readPackage({
      'orgs.csv': altered('orgs.csv', 'district,', 'district,A12249'),
    });

    expect(reading.has('institution', 'O2')).toBe(true);
    expect(reading.codes).toEqual(new Set(['org-identifier-duplicate']));
  });

  it('pupils in no class at all are told by their number', async () => {
    const reading = await readPackage({
      'enrollments.csv': altered('enrollments.csv', 'U1,student', 'U2,teacher'),
    });

    expect(
      reading.diagnostics.find(({ code }) => code === 'pupils-without-class')?.message,
    ).toContain('1 pupil');
  });
});

describe('deviations of the files themselves', () => {
  it.each([
    ['CR alone', '\r'],
    ['LF', '\n'],
    ['CR LF', '\r\n'],
  ])('line ends: %s, mixed with other files', async (_, end) => {
    const reading = await readPackage({
      'users.csv': good['users.csv']?.replaceAll('\r\n', end) ?? '',
    });

    expect(reading.has('person', 'U1') && reading.has('person', 'U2')).toBe(true);
    expect(reading.codes).toEqual(new Set());
  });

  it('line ends mixed within one file', async () => {
    const lines = good['enrollments.csv']?.split('\r\n') ?? [];
    const text = `${lines[0]}\r${lines[1]}\n${lines[2]}\r\n${lines[3]}\r`;

    expect(
      (await readPackage({ 'enrollments.csv': text })).records.filter(
        (record) => record.entity === 'membership',
      ),
    ).toHaveLength(3);
  });

  it('UTF-8 with byte order mark', async () => {
    expect(
      (await readPackage({ 'users.csv': `\ufeff${good['users.csv']}` })).has('person', 'U1'),
    ).toBe(true);
  });

  it('semicolons, quotes everywhere, blank and comma-only lines', async () => {
    const quoted = (good['users.csv'] ?? '').replace(/[^,\r\n]+/g, '"$&"').replaceAll(',', ';');
    const reading = await readPackage({ 'users.csv': `${quoted}\r\n;;;;\r\n` });

    expect(reading.has('person', 'U1')).toBe(true);
    expect(reading.codes).toEqual(new Set(['delimiter-odd']));
  });

  it('no line end after the last row', async () => {
    const reading = await readPackage({
      'enrollments.csv': good['enrollments.csv']?.trimEnd() ?? '',
    });

    expect(reading.has('membership', 'A12249/U2/staff>C1')).toBe(true);
    expect(reading.codes).toEqual(new Set(['last-line-open']));
  });

  it('rows shorter than the header', async () => {
    const users = good['users.csv']?.replaceAll(/,+\r\n/g, '\r\n') ?? '';
    const reading = await readPackage({ 'users.csv': users });

    expect(reading.has('person', 'U2')).toBe(true);
    expect(reading.codes).toEqual(new Set(['row-short']));
  });

  it('a cell over several lines may hide rows: told', async () => {
    const reading = await readPackage({ 'users.csv': altered('users.csv', 'Ågård', '"Åg\nård"') });

    expect(reading.find('person', 'U2').family).toBe('Åg ård');
    expect(reading.codes).toEqual(new Set(['cell-multiline']));
  });

  it('letters cut between two chunks of a large file are whole', async () => {
    const rows = Array.from(
      { length: 12_000 },
      (_, i) => `X${i},,,true,O1,student,,,Søren Æ,Østergård,,,,,,,05,\r\n`,
    );
    const reading = await readPackage({ 'users.csv': `${good['users.csv']}${rows.join('')}` });
    const people = reading.records.filter(
      (record) => record.entity === 'person' && record.given === 'Søren Æ',
    );

    expect(people).toHaveLength(12_000);
    expect(
      people.every((record) => record.entity === 'person' && record.family === 'Østergård'),
    ).toBe(true);
  });
});

describe('School Data Sync samples', () => {
  const folder = 'tests/fixtures/feed/microsoft-sds';

  it('version 2 is read whole', async () => {
    const reading = await read('oneroster', `${folder}/v2`);
    const rows = (await readFile(`${folder}/v2/users.csv`, 'utf8')).trim().split('\r\n').length - 1;

    expect(reading.rejected).toEqual([]);
    expect(reading.records.filter((record) => record.entity === 'person')).toHaveLength(rows);
    expect(reading.find('affiliation', '10003/14011/staff').roles).toEqual(['teacher']);
    expect(reading.find('institution', '10000').kind).toBe('authority');
    expect(reading.find('membership', '10001/13001/pupil>11001').role).toBe('learner');
    expect(reading.codes).toContain('password-present');
    expect(JSON.stringify(reading.items)).not.toContain('removed');
  });

  it('version 2.1 is read; people without any role stay as they were', async () => {
    const reading = await read('oneroster', `${folder}/v2.1`);

    expect(
      reading.rejected.map((item) => [item.entity, item.person, item.diagnostic.code]),
    ).toEqual([
      ['affiliation', '114002', 'role-missing'],
      ['affiliation', '114005', 'role-missing'],
    ]);
    expect(reading.find('affiliation', '110004/114007/staff').primary).toBe(true);
    expect(reading.find('affiliation', '110003/114001/pupil')).toMatchObject({
      grade: '10',
      from: '2021-08-24',
    });
    expect(reading.snapshot.schoolYear).toBe('2021-2022');
  });

  it('version 1 (other files) is refused by name', async () => {
    const path = await place({
      'School.csv': 'SIS ID,Name\r\n1,A\r\n',
      'Student.csv': 'SIS ID\r\n1\r\n',
    });

    await expect(read('oneroster', path)).rejects.toMatchObject({ code: 'feed-unknown-format' });
  });
});
