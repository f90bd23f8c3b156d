import { describe, expect, it } from 'vitest';
import { createCivilSeal } from '../../provisioning/feed/civil.ts';
import type { FeedFormat } from '../../provisioning/feed/read.ts';
import { readFeed } from '../../provisioning/feed/read.ts';
import type { FeedItem } from '../../provisioning/feed/record.ts';
import { altered, packageOf } from './package-files.ts';
import { place } from './reading.ts';
import { exportOf, person, pupil } from './ws17-export.ts';

const key = 'a key of the test, and long enough';
const tenant = 'kommune';
/** Born in 2051: nobody living. */
const number = '0405516123';

type Evidence = Extract<FeedItem, { readonly type: 'evidence' }>;

async function evidenceOf(p: {
  readonly format: FeedFormat;
  readonly path: string;
  readonly keyed?: boolean;
}): Promise<{
  readonly evidence: readonly Evidence[];
  readonly codes: readonly string[];
  readonly text: string;
}> {
  const identity = p.keyed === false ? null : { key, tenant };
  const items: FeedItem[] = [];
  for await (const item of readFeed({ format: p.format, path: p.path, identity })) items.push(item);
  return {
    evidence: items.filter((item) => item.type === 'evidence'),
    codes: items.flatMap((item) => (item.type === 'diagnostic' ? [item.diagnostic.code] : [])),
    text: JSON.stringify(items),
  };
}

function numbered(id: string, civil: string, type = ''): string {
  const names = '<FirstName>Zoë</FirstName><FamilyName>Bæk</FamilyName>';
  const kind =
    type === '' ? '' : `<CivilRegistrationNumberType>${type}</CivilRegistrationNumberType>`;
  return person(id, `${names}<CivilRegistrationNumber>${civil}</CivilRegistrationNumber>${kind}`);
}

const seal = createCivilSeal({ key, tenant });

describe('a civil number', () => {
  it.each([
    ['0405516123', 'civil'],
    ['040551-6123', 'civil'],
    ['6405516123', 'replacement'],
    ['040551-6KOT', 'replacement'],
    ['0405510000', 'replacement'],
    ['1111111111', null],
    ['0413516123', null],
    ['9905516123', null],
    ['not one', null],
    ['', null],
  ])('%s is %s evidence', (written, kind) => {
    expect(seal.seal(written)?.system.split(':')[0] ?? null).toBe(kind);
  });

  it('is the same however it is written, and another under another key or tenant', () => {
    const hashes = [
      seal.seal('0405516123'),
      createCivilSeal({ key: `${key}!`, tenant }).seal('0405516123'),
      createCivilSeal({ key, tenant: 'anden' }).seal('0405516123'),
    ];
    expect(seal.seal('040551-6123')).toEqual(hashes[0]);
    expect(new Set(hashes.map((hash) => hash?.system)).size).toBe(3);
    expect(new Set(hashes.map((hash) => hash?.value)).size).toBe(3);
    expect(hashes[0]?.value).toMatch(/^[0-9a-f]{64}$/);
  });

  it('needs a key that cannot be guessed', () => {
    expect(() => createCivilSeal({ key: 'short', tenant })).toThrow(RangeError);
  });
});

describe('WS17', () => {
  const contact = `<Role>Elev</Role><Level>5</Level><MainGroupId>G1</MainGroupId><ContactPerson relation="Mor" childCustody="true">${numbered('moro1234', '050551-6124')}</ContactPerson>`;
  const persons =
    pupil('anna1234', contact, numbered('anna1234', number)) +
    pupil('bent1234', '', numbered('bent1234', '0605516125', 'CPR_REPLACEMENT_ID')) +
    pupil('carl1234', '', numbered('carl1234', '6705516126')) +
    `<InstitutionPerson><UNILogin><UserId>dora1234</UserId><CivilRegistrationNumber>0805516127</CivilRegistrationNumber></UNILogin><Person protected="false"><FirstName>Dora</FirstName><FamilyName>Bæk</FamilyName></Person><Student><Role>Elev</Role><MainGroupId>G1</MainGroupId></Student></InstitutionPerson>`;

  it('is evidence of pupils, staff and contacts, old documents and replacements included', async () => {
    const { evidence, codes } = await evidenceOf({
      format: 'ws17',
      path: await place({ 'a.xml': exportOf({ persons }) }),
    });
    expect(
      evidence.map((item) => [item.person, item.as, item.system.split(':')[0], item.value]),
    ).toEqual([
      ['anna1234', 'pupil', 'civil', seal.seal(number)?.value],
      ['moro1234', 'guardian', 'civil', seal.seal('0505516124')?.value],
      ['bent1234', 'pupil', 'replacement', seal.seal('0605516125')?.value],
      ['carl1234', 'pupil', 'replacement', seal.seal('6705516126')?.value],
      ['dora1234', 'pupil', 'civil', seal.seal('0805516127')?.value],
    ]);
    expect(codes).not.toContain('civil-unused');
  });

  it('is not used without a key, and that is said once', async () => {
    const { evidence, codes, text } = await evidenceOf({
      format: 'ws17',
      path: await place({
        'a.xml': exportOf({ persons }),
        'b.xml': exportOf({ number: 'B12249', persons }),
      }),
      keyed: false,
    });
    expect(evidence).toEqual([]);
    expect(codes.filter((code) => code === 'civil-unused')).toHaveLength(1);
    expect(text).not.toMatch(/0[4-8]0551/);
  });

  it('hands on a second local id of one sort at one school', async () => {
    const twice = pupil('anna1234') + pupil('anna1234').replace('L-anna1234', 'L-other');
    const { evidence } = await evidenceOf({
      format: 'ws17',
      path: await place({ 'a.xml': exportOf({ persons: twice }) }),
    });
    expect(evidence).toEqual([
      {
        type: 'evidence',
        person: 'anna1234',
        as: 'pupil',
        system: 'local:A12249',
        value: 'L-other',
      },
    ]);
  });

  it('what a contact is called does not rename the pupil whose UserId it bears', async () => {
    const wrong = `<Role>Elev</Role><MainGroupId>G1</MainGroupId><ContactPerson relation="Far">${person('anna1234', '<FirstName>Far</FirstName><FamilyName>Forkert</FamilyName>')}</ContactPerson>`;
    const { text } = await evidenceOf({
      format: 'ws17',
      path: await place({
        'a.xml': exportOf({ persons: pupil('anna1234') + pupil('bent1234', wrong) }),
      }),
    });
    expect(text).not.toContain('Forkert');
  });
});

describe('OneRoster', () => {
  it('is evidence from userIds and from identifier', async () => {
    const users = altered(
      'users.csv',
      '{UNI-ID:anna1234},Zoë,Bæk,,',
      `"{UNI-ID:anna1234},{CPR:${number}}",Zoë,Bæk,,040551-6123`,
    );
    const { evidence, text } = await evidenceOf({
      format: 'oneroster',
      path: await place(packageOf({ 'users.csv': users })),
    });
    expect(new Set(evidence.map((item) => `${item.person} ${item.value}`))).toEqual(
      new Set([`U1 ${seal.seal(number)?.value}`]),
    );
    expect(text).not.toMatch(/040551/);
  });
});
