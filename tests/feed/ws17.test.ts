import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { failure, place, read, refusal } from './reading.ts';
import { exportOf, person, pupil, readXml, refuseXml, teacher } from './ws17-export.ts';

describe('the document', () => {
  it('is read bare: institution, group, person, affiliation, membership', async () => {
    const reading = await readXml(exportOf());

    expect(reading.snapshot).toEqual({
      type: 'snapshot',
      format: 'ws17',
      takenAt: '2026-11-02T05:00:00.000Z',
      schoolYear: '2026-2027',
    });
    expect(reading.find('institution', 'A12249').name).toBe('Åskolen');
    expect(reading.find('group', 'A12249/G1')).toMatchObject({
      kind: 'class',
      grade: '5',
      line: 'A',
    });
    expect(reading.find('person', 'anna1234')).toMatchObject({
      ids: [{ system: 'uni-id', value: 'anna1234' }],
      given: 'Zoë',
      protected: false,
    });
    expect(reading.find('affiliation', 'A12249/anna1234/pupil')).toMatchObject({
      roles: ['pupil'],
      grade: '5',
      localId: 'L-anna1234',
    });
    expect(reading.find('membership', 'A12249/anna1234/pupil>A12249/G1')).toMatchObject({
      role: 'learner',
      main: true,
    });
    expect(reading.find('membership', 'A12249/bent1234/staff>A12249/G1')).toMatchObject({
      role: 'teacher',
      main: false,
    });
    expect(reading.codes).toEqual(new Set());
  });

  it('is read in a SOAP envelope with prefixes', async () => {
    const bare = exportOf()
      .replace(/^<\?xml.*?\?>/, '')
      .replaceAll('<', '<x:')
      .replaceAll('<x:/', '</x:');
    const soap = `<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body><r:eksporterXmlFuldMyndighedResponse xmlns:r="urn:r"><xml>${bare}</xml></r:eksporterXmlFuldMyndighedResponse></s:Body></s:Envelope>`;

    const reading = await readXml(soap);

    expect(reading.find('person', 'anna1234').family).toBe('Bæk');
  });

  it('of version 6 has the UserId in UNILogin, and its password is not read', async () => {
    const who =
      '<UNILogin><UserId>cleo1234</UserId><Name>Cleo Skov</Name><InitialPassword>hest42</InitialPassword></UNILogin><Person protected="false" verificationLevel="1"><FirstName>Cleo</FirstName><FamilyName>Skov</FamilyName></Person>';

    const reading = await readXml(exportOf({ persons: pupil('cleo1234', '', who) }));

    expect(reading.find('person', 'cleo1234').given).toBe('Cleo');
    expect(JSON.stringify(reading.items)).not.toContain('hest42');
  });

  it('in iso-8859-1 that says so is read', async () => {
    const xml = exportOf().replace('UTF-8', 'ISO-8859-1');

    const reading = await readXml(Buffer.from(xml, 'latin1'));

    expect(reading.find('institution', 'A12249').name).toBe('Åskolen');
  });

  it('with a byte order mark, comments and CDATA is read', async () => {
    const xml = `\ufeff${exportOf({ name: '<!-- x --><InstitutionName><![CDATA[Å & Ø]]></InstitutionName>' })}`;

    expect((await readXml(xml)).find('institution', 'A12249').name).toBe('Å & Ø');
  });

  it('of a single path is read as one file', async () => {
    const folder = await place({ 'one.xml': exportOf() });

    expect((await read('ws17', join(folder, 'one.xml'))).has('person', 'anna1234')).toBe(true);
  });

  it('with names in NFD gives NFC', async () => {
    const reading = await readXml(
      exportOf({ name: '<InstitutionName>A\u030Askolen</InstitutionName>' }),
    );

    expect(reading.find('institution', 'A12249').name).toBe('Åskolen');
  });
});

describe('a document is refused', () => {
  it.each([
    ['feed-wrong-charset', 'bytes that are not UTF-8', Buffer.from(exportOf(), 'latin1')],
    [
      'feed-wrong-charset',
      'letters that something has lost before',
      exportOf({ name: '<InstitutionName>\uFFFD\uFFFD\uFFFDskolen</InstitutionName>' }).replaceAll(
        /[^\p{ASCII}]/gu,
        '\uFFFD',
      ),
    ],
    ['feed-wrong-charset', 'an unknown encoding', exportOf().replace('UTF-8', 'EBCDIC-DK')],
    ['feed-truncated', 'a cut one', exportOf().slice(0, -30)],
    ['feed-empty', 'an empty one', ''],
    ['feed-empty', 'white space', ' \n '],
    ['feed-empty', 'neither persons nor groups', exportOf({ groups: '', persons: '' })],
    ['feed-empty', 'no institution', '<UNILoginExportFullMyndighed/>'],
    ['feed-malformed', 'a web page', '<html><body><p>503</p></body></html>'],
    ['feed-malformed', 'JSON', '{"error":1}'],
    ['feed-malformed', 'no institution number', exportOf({ number: null })],
    ['feed-malformed', 'an empty institution number', exportOf({ number: ' ' })],
    [
      'feed-malformed',
      'a SOAP fault',
      '<Envelope><Body><Fault><Reason/></Fault></Body></Envelope>',
    ],
    ['feed-malformed', 'the small package', exportOf({ root: 'UNILoginExportSmall' })],
    ['feed-malformed', 'the medium package', exportOf({ root: 'UNILoginExportMedium' })],
    [
      'feed-malformed',
      'an unknown entity',
      exportOf({ name: '<InstitutionName>&boom;</InstitutionName>' }),
    ],
  ])('%s: %s', async (code, _, xml) => {
    expect(await refuseXml(xml)).toBe(code);
  });

  it('feed-malformed: the same institution in two files', async () => {
    const error = await failure('ws17', await place({ 'a.xml': exportOf(), 'b.xml': exportOf() }));

    expect(error).toMatchObject({ code: 'feed-malformed', file: 'b.xml' });
    expect(error?.message).toContain('a.xml');
  });

  it('feed-truncated: one of many', async () => {
    const other = exportOf({ number: '101088' }).slice(0, 600);

    expect(await refusal('ws17', await place({ 'a.xml': exportOf(), 'b.xml': other }))).toBe(
      'feed-truncated',
    );
  });

  it('feed-empty and feed-not-found: the folder', async () => {
    expect(await refusal('ws17', await place({ 'readme.txt': 'x' }))).toBe('feed-empty');
    expect(await refusal('ws17', '/nowhere/at/all')).toBe('feed-not-found');
  });
});

describe('a protected person', () => {
  const alias =
    '<FirstName>Rigtig</FirstName><FamilyName>Navn</FamilyName><EmailAddress>rigtig@x.example</EmailAddress>';

  it('is shown by alias and without e-mail', async () => {
    const who = person(
      'dora1234',
      `${alias}<AliasFirstName>Navne</AliasFirstName><AliasFamilyName>Beskyttet</AliasFamilyName>`,
      'true',
    );
    const reading = await readXml(exportOf({ persons: pupil('dora1234', '', who) }));

    expect(reading.find('person', 'dora1234')).toMatchObject({
      protected: true,
      given: 'Navne',
      family: 'Beskyttet',
      email: null,
    });
    expect(JSON.stringify(reading.items)).not.toContain('Rigtig');
  });

  it('without alias is shown by nothing, and the school is told', async () => {
    const who = person('dora1234', alias, '1');
    const reading = await readXml(exportOf({ persons: pupil('dora1234', '', who) }));

    expect(reading.find('person', 'dora1234')).toMatchObject({ given: null, family: null });
    expect(reading.codes).toContain('alias-missing');
  });

  it('has an alias that is not used once protection is off', async () => {
    const who = person('dora1234', `${alias}<AliasFirstName>Navne</AliasFirstName>`, 'false');

    expect(
      (await readXml(exportOf({ persons: pupil('dora1234', '', who) }))).find('person', 'dora1234')
        .given,
    ).toBe('Rigtig');
  });

  it.each(['', 'maybe'])(
    'is not guessed from protected="%s": rejected, stays as before',
    async (flag) => {
      const reading = await readXml(
        exportOf({ persons: pupil('dora1234', '', person('dora1234', alias, flag)) }),
      );

      expect(reading.has('person', 'dora1234')).toBe(false);
      expect(reading.rejected).toMatchObject([
        { entity: 'person', key: 'dora1234', person: 'dora1234' },
      ]);
    },
  );

  it('at one school is protected at the other, whichever file comes first', async () => {
    const open = pupil('dora1234', '', person('dora1234', alias));
    const guarded = pupil('dora1234', '', person('dora1234', alias, 'true'));
    for (const [one, two] of [
      [open, guarded],
      [guarded, open],
    ] as const) {
      const folder = await place({
        'a.xml': exportOf({ number: 'A00001', persons: one }),
        'b.xml': exportOf({ number: 'A00002', persons: two }),
      });
      const reading = await read('ws17', folder);
      expect(reading.find('person', 'dora1234')).toMatchObject({ protected: true, given: null });
      expect(reading.codes).toContain('protection-differs');
    }
  });
});

describe('persons', () => {
  it('are rejected without UserId; then nothing leaves in that institution', async () => {
    const reading = await readXml(
      exportOf({ persons: pupil('', '', person('')) + teacher('bent1234') }),
    );

    expect(reading.rejected).toMatchObject([
      {
        entity: 'person',
        key: null,
        person: null,
        group: null,
        institution: 'A12249',
        diagnostic: { code: 'user-id-missing', severity: 'error' },
      },
    ]);
    expect(reading.has('person', 'bent1234')).toBe(true);
  });

  it('are rejected when the UserId is a civil number, without repeating it', async () => {
    const reading = await readXml(exportOf({ persons: pupil('', '', person('010203-4567')) }));

    expect(reading.codes).toContain('user-id-civil');
    expect(JSON.stringify(reading.items)).not.toContain('010203');
  });

  it('are rejected without any name, read with one', async () => {
    const persons =
      pupil('', '', person('nona1234', '')) +
      pupil('', '', person('mono1234', '<FirstName>Mono</FirstName>'));
    const reading = await readXml(exportOf({ persons }));

    expect(reading.rejected.map((item) => item.key)).toEqual(['nona1234']);
    expect(reading.find('person', 'mono1234')).toMatchObject({ given: 'Mono', family: null });
    expect(reading.codes).toContain('name-incomplete');
  });

  it('without Student, Employee or Extern keep their earlier affiliations', async () => {
    const reading = await readXml(
      exportOf({
        persons: `<InstitutionPerson source="s">${person('evan1234')}</InstitutionPerson>`,
      }),
    );

    expect(reading.has('person', 'evan1234')).toBe(true);
    expect(reading.rejected).toMatchObject([
      { entity: 'affiliation', person: 'evan1234', diagnostic: { code: 'affiliation-missing' } },
    ]);
  });

  it('without Person are rejected', async () => {
    const reading = await readXml(
      exportOf({
        persons: `<InstitutionPerson source="s"><Student><Role>Elev</Role></Student></InstitutionPerson>`,
      }),
    );

    expect(reading.rejected).toMatchObject([{ entity: 'person', key: null }]);
  });

  it('that are pupil and employee have two affiliations', async () => {
    const reading = await readXml(
      exportOf({ persons: pupil('finn1234') + teacher('finn1234', '<Role>TAP</Role>') }),
    );

    expect(reading.find('affiliation', 'A12249/finn1234/pupil').roles).toEqual(['pupil']);
    expect(reading.find('affiliation', 'A12249/finn1234/staff').roles).toEqual(['support']);
    expect(reading.records.filter((record) => record.entity === 'person')).toHaveLength(1);
  });

  it('that stand twice, from two import sources, count as one', async () => {
    const persons =
      teacher('gitte123', '<Role>Lærer</Role><GroupId>G1</GroupId>') +
      teacher('gitte123', '<Role>Leder</Role><GroupId>G1</GroupId><GroupId>G2</GroupId>');
    const reading = await readXml(exportOf({ persons }));

    expect(reading.find('affiliation', 'A12249/gitte123/staff').roles).toEqual([
      'leader',
      'teacher',
    ]);
    expect(reading.records.filter((record) => record.entity === 'membership')).toHaveLength(2);
    expect(reading.codes).toContain('person-duplicate');
  });

  it('moving school stand at both for some days', async () => {
    const folder = await place({
      'a.xml': exportOf({ number: 'A00001' }),
      'b.xml': exportOf({ number: 'A00002' }),
    });
    const reading = await read('ws17', folder);

    expect(reading.has('affiliation', 'A00001/anna1234/pupil')).toBe(true);
    expect(reading.has('affiliation', 'A00002/anna1234/pupil')).toBe(true);
  });

  it.each([
    ['Elev', 'pupil'],
    ['Barn', 'child'],
    ['Studerende', 'student'],
  ])('with pupil role %s are %s', async (role, expected) => {
    const student = `<Role>${role}</Role><Level>DT</Level><MainGroupId>G2</MainGroupId>`;
    const reading = await readXml(exportOf({ persons: pupil('hans1234', student) }));

    expect(reading.find('affiliation', 'A12249/hans1234/pupil')).toMatchObject({
      roles: [expected],
      grade: 'DT',
    });
    expect(reading.find('membership', 'A12249/hans1234/pupil>A12249/G2').main).toBe(true);
  });

  it.each([
    ['Lærer', 'teacher', 'teacher'],
    ['Pædagog', 'pedagogue', 'teacher'],
    ['Vikar', 'substitute', 'assistant'],
    ['Leder', 'leader', 'member'],
    ['Ledelse', 'management', 'member'],
    ['TAP', 'support', 'member'],
    ['Konsulent', 'consultant', 'member'],
    ['Rektor', 'support', 'member'],
  ])('with staff role %s are %s, in groups %s', async (role, expected, inGroup) => {
    const reading = await readXml(
      exportOf({ persons: teacher('inge1234', `<Role>${role}</Role><GroupId>G1</GroupId>`) }),
    );

    expect(reading.find('affiliation', 'A12249/inge1234/staff').roles).toEqual([expected]);
    expect(reading.find('membership', 'A12249/inge1234/staff>A12249/G1').role).toBe(inGroup);
    expect(reading.codes.has('role-unknown')).toBe(role === 'Rektor');
  });

  it.each([
    ['Praktikant', 'trainee'],
    ['Ekstern', 'external'],
    ['Gæst', 'external'],
  ])('with external role %s are %s', async (role, expected) => {
    const extern = `<InstitutionPerson source="s">${person('jens1234')}<Extern><Role>${role}</Role><GroupId>G1</GroupId></Extern></InstitutionPerson>`;
    const reading = await readXml(exportOf({ persons: extern }));

    expect(reading.find('affiliation', 'A12249/jens1234/external').roles).toEqual([expected]);
    expect(reading.find('membership', 'A12249/jens1234/external>A12249/G1').role).toBe('member');
  });

  it('without role, level or main group are told and keep their memberships', async () => {
    const reading = await readXml(
      exportOf({ persons: pupil('kim12345', '<GroupId>G2</GroupId>') }),
    );

    expect(reading.find('affiliation', 'A12249/kim12345/pupil')).toMatchObject({
      roles: ['pupil'],
      grade: null,
    });
    expect(reading.codes).toContain('role-missing');
    expect(reading.rejected).toMatchObject([
      { entity: 'membership', person: 'kim12345', diagnostic: { code: 'main-group-missing' } },
    ]);
  });
});
