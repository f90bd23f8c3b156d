import { describe, expect, it } from 'vitest';
import { classes, exportOf, person, pupil, readXml, teacher } from './ws17-export.ts';

describe('groups', () => {
  it('that a person names but the document does not list: the earlier membership stays', async () => {
    const student =
      '<Role>Elev</Role><Level>5</Level><MainGroupId>GONE</MainGroupId><GroupId>G2</GroupId>';
    const reading = await readXml(exportOf({ persons: pupil('lone1234', student) }));

    expect(reading.has('membership', 'A12249/lone1234/pupil>A12249/GONE')).toBe(false);
    expect(reading.has('membership', 'A12249/lone1234/pupil>A12249/G2')).toBe(true);
    expect(reading.rejected).toMatchObject([
      {
        entity: 'membership',
        key: 'A12249/lone1234/pupil>A12249/GONE',
        group: 'A12249/GONE',
        diagnostic: { code: 'group-dangling' },
      },
    ]);
  });

  it('may stand after the people', async () => {
    const reading = await readXml(exportOf({ groups: '', persons: pupil('anna1234') + classes }));

    expect(reading.has('membership', 'A12249/anna1234/pupil>A12249/G1')).toBe(true);
    expect(reading.rejected).toEqual([]);
  });

  it('named as main and again as GroupId are one membership', async () => {
    const student =
      '<Role>Elev</Role><Level>5</Level><MainGroupId>G1</MainGroupId><GroupId>G1</GroupId>';
    const reading = await readXml(exportOf({ persons: pupil('maja1234', student) }));

    expect(
      reading.items.filter((item) => item.type === 'record' && item.record.entity === 'membership'),
    ).toHaveLength(1);
    expect(reading.find('membership', 'A12249/maja1234/pupil>A12249/G1').main).toBe(true);
  });

  it.each([
    ['Hovedgruppe', 'class'],
    ['Årgang', 'year'],
    ['Retning', 'line'],
    ['Hold', 'teaching'],
    ['SFO', 'afterschool'],
    ['Team', 'team'],
    ['Andet', 'other'],
    ['Klub', 'other'],
  ])('of type %s are %s', async (type, kind) => {
    const groups = `${classes}<Group><GroupId>X</GroupId><GroupName>x</GroupName><GroupType>${type}</GroupType></Group>`;
    const reading = await readXml(exportOf({ groups }));

    expect(reading.find('group', 'A12249/X').kind).toBe(kind);
    expect(reading.codes.has('group-type-unknown')).toBe(type === 'Klub');
  });

  it('without name, line or level go by their id', async () => {
    const groups = `${classes}<Group><GroupId>X</GroupId><GroupType>Hold</GroupType></Group>`;
    const reading = await readXml(exportOf({ groups }));

    expect(reading.find('group', 'A12249/X')).toMatchObject({ name: 'X', line: null, grade: null });
    expect(reading.codes).toContain('group-name-missing');
  });

  it('of level 0 that begin next year are read with their dates, and so is a level on a Hold', async () => {
    const groups = `${classes}<Group><GroupId>N</GroupId><GroupName>0A</GroupName><GroupType>Hovedgruppe</GroupType><GroupLevel>0</GroupLevel><FromDate>2027-08-01</FromDate><ToDate>2028-07-31</ToDate></Group><Group><GroupId>H</GroupId><GroupName>Tysk</GroupName><GroupType>Hold</GroupType><GroupLevel>Andet</GroupLevel></Group>`;
    const reading = await readXml(exportOf({ groups }));

    expect(reading.find('group', 'A12249/N')).toMatchObject({
      grade: '0',
      from: '2027-08-01',
      to: '2028-07-31',
    });
    expect(reading.find('group', 'A12249/H').grade).toBe('other');
  });

  it('without id keep all groups of the institution; a second one with the same id is told', async () => {
    const groups = `${classes}<Group><GroupName>?</GroupName><GroupType>Hold</GroupType></Group><Group><GroupId>G1</GroupId><GroupName>6A</GroupName><GroupType>Hovedgruppe</GroupType></Group>`;
    const reading = await readXml(exportOf({ groups }));

    expect(reading.rejected).toMatchObject([{ entity: 'group', key: null, institution: 'A12249' }]);
    expect(reading.find('group', 'A12249/G1').name).toBe('5A');
    expect(reading.codes).toContain('group-duplicate');
  });

  it.each([
    ['soon', '2027-06-30', null, '2027-06-30', 'date-invalid'],
    ['2026-02-30', '2027-06-30', null, '2027-06-30', 'date-invalid'],
    ['2027-08-01', '2026-08-01', null, null, 'dates-reversed'],
  ])(
    'with dates %s to %s are read without the wrong ones',
    async (from, to, readFrom, readTo, code) => {
      const groups = `${classes}<Group><GroupId>X</GroupId><GroupName>x</GroupName><GroupType>Hold</GroupType><FromDate>${from}</FromDate><ToDate>${to}</ToDate></Group>`;
      const reading = await readXml(exportOf({ groups }));

      expect(reading.find('group', 'A12249/X')).toMatchObject({ from: readFrom, to: readTo });
      expect(reading.codes).toContain(code);
    },
  );

  it('with an unknown level are read without grade', async () => {
    const groups = `${classes}<Group><GroupId>X</GroupId><GroupName>x</GroupName><GroupType>Hold</GroupType><GroupLevel>99</GroupLevel></Group>`;
    const reading = await readXml(exportOf({ groups }));

    expect(reading.find('group', 'A12249/X').grade).toBeNull();
    expect(reading.codes).toContain('grade-unknown');
  });
});

describe('contact persons', () => {
  const contact = (id: string, relation = 'Mor', custody = 'true'): string =>
    `<ContactPerson relation="${relation}" childCustody="${custody}" accessLevel="1">${person(id, '<FirstName>Mette</FirstName><FamilyName>Bæk</FamilyName>')}</ContactPerson>`;
  const student = '<Role>Elev</Role><Level>5</Level><MainGroupId>G1</MainGroupId>';

  it('are guardians with a relation to each child, however many', async () => {
    const many = ['Mor', 'Far', 'Andet', 'Officielt tilknyttet person']
      .map((relation, i) => contact(`par${i}1234`, relation, String(i < 2)))
      .join('');
    const persons =
      pupil('anna1234', student + many) + pupil('olga1234', student + contact('par01234'));
    const reading = await readXml(exportOf({ persons }));

    expect(reading.find('affiliation', 'A12249/par01234/guardian').roles).toEqual(['guardian']);
    const relations = reading.records.filter((record) => record.entity === 'relation');
    expect(relations.map(({ kind, custody }) => [kind, custody])).toEqual([
      ['mother', true],
      ['father', true],
      ['other', false],
      ['officially-attached', false],
      ['mother', true],
    ]);
    expect(reading.coverage).toMatchObject([{ relation: 'full' }]);
  });

  it('without UserId are told, not read and not rejected', async () => {
    const reading = await readXml(exportOf({ persons: pupil('anna1234', student + contact('')) }));

    expect(reading.rejected).toEqual([]);
    expect(reading.diagnostics).toMatchObject([
      { code: 'contact-user-id-missing', severity: 'info' },
      { code: 'staff-missing' },
    ]);
  });

  it('that are left out of the export make no relation leave', async () => {
    expect((await readXml(exportOf())).coverage).toMatchObject([{ relation: 'silent' }]);
  });
});

describe('the snapshot', () => {
  it('of several import sources has the school year that most of them name', async () => {
    const sources = ['2025-2026', '2026-2027', '2026-2027']
      .map((year, i) => `<ImportSource source="s${i}" schoolYear="${year}"/>`)
      .join('');
    const reading = await readXml(exportOf({ sources }));

    expect(reading.snapshot.schoolYear).toBe('2026-2027');
    expect(reading.codes).toContain('school-year-mixed');
  });

  it('with groups but no persons lets nobody leave', async () => {
    const reading = await readXml(exportOf({ persons: '' }));

    expect(reading.coverage).toMatchObject([
      { affiliation: 'silent', membership: 'silent', group: 'full' },
    ]);
    expect(reading.codes).toContain('persons-missing');
  });

  it('with persons but no groups lets no group leave', async () => {
    const reading = await readXml(exportOf({ groups: '' }));

    expect(reading.coverage).toMatchObject([
      { affiliation: 'full', membership: 'silent', group: 'silent' },
    ]);
    expect(reading.codes).toContain('groups-missing');
  });

  it('asked for without pupils or staff says so', async () => {
    expect((await readXml(exportOf({ persons: pupil('anna1234') }))).codes).toContain(
      'staff-missing',
    );
    expect((await readXml(exportOf({ persons: teacher('bent1234') }))).codes).toContain(
      'pupils-missing',
    );
  });

  it.each([
    [
      'access-level-unexpected',
      { attributes: 'exportDateTime="2026-11-02T06:00:00" accessLevel="small"' },
    ],
    ['aliases-missing', { root: 'UNILoginExportFull' }],
    ['institution-number-odd', { number: '12345' }],
    ['institution-name-missing', { name: '' }],
  ])('tells %s', async (code, parts) => {
    expect((await readXml(exportOf(parts))).codes).toContain(code);
  });

  it('tells names that were garbled before the export', async () => {
    const who = person(
      'anna1234',
      '<FirstName>SÃ¸ren</FirstName><FamilyName>B\ufffdk</FamilyName>',
    );

    expect((await readXml(exportOf({ persons: pupil('anna1234', '', who) }))).codes).toContain(
      'name-garbled',
    );
  });

  it('with the same mistake a thousand times tells twenty and the number', async () => {
    const groups = Array.from(
      { length: 1000 },
      (_, i) => `<Group><GroupId>g${i}</GroupId><GroupType>Hold</GroupType></Group>`,
    ).join('');
    const reading = await readXml(exportOf({ groups: classes + groups }));
    const told = reading.diagnostics.filter(({ code }) => code === 'group-name-missing');

    expect(told).toHaveLength(21);
    expect(told.at(-1)?.message).toContain('980 more');
  });
});
