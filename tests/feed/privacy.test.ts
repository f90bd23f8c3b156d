import { describe, expect, it } from 'vitest';
import type { FeedFormat } from '../../provisioning/feed/read.ts';
import { altered, good, manifestOf, packageOf } from './package-files.ts';
import { failure, place, read } from './reading.ts';
import { exportOf, person, pupil, teacher } from './ws17-export.ts';

/** Stands where a value of a person would stand. */
const marker = 'MARKER';

/** Everything that is told about a feed: diagnostics, rejections' diagnostics, and the refusal. */
async function told(format: FeedFormat, path: string): Promise<string> {
  const error = await failure(format, path);
  if (error !== null) return JSON.stringify([error.message, error.file, String(error.cause)]);
  const { diagnostics, rejected } = await read(format, path);
  return JSON.stringify([diagnostics, rejected.map((item) => item.diagnostic)]);
}

const names = `<FirstName>${marker}</FirstName><FamilyName>${marker}</FamilyName><EmailAddress>${marker}@x.example</EmailAddress><CivilRegistrationNumber>${marker}</CivilRegistrationNumber>`;
const guarded = person(`${marker}2`, names, 'true');
const wrong = `<Role>${marker}</Role><Level>${marker}</Level><MainGroupId>${marker}</MainGroupId><GroupId>${marker}</GroupId><ContactPerson relation="${marker}" childCustody="${marker}">${person('', names)}</ContactPerson>`;
const everything = exportOf({
  number: marker,
  sources: `<ImportSource source="${marker}" schoolYear="${marker}"/>`,
  attributes: `exportDateTime="${marker}" accessLevel="${marker}"`,
  groups: `<Group><GroupId>${marker}g</GroupId><GroupType>${marker}</GroupType><GroupLevel>${marker}</GroupLevel><FromDate>${marker}</FromDate></Group><Group><GroupName>${marker}</GroupName></Group>`,
  persons: [
    pupil(`${marker}1`, wrong, person(`${marker}1`, names)),
    pupil('', wrong, guarded),
    pupil('', wrong, person('', names)),
    pupil('', wrong, person(`${marker}3`, names, marker)),
    pupil(
      '',
      wrong,
      person(`${marker}1`, `${names}<AliasFirstName>${marker}</AliasFirstName>`, 'true'),
    ),
    teacher(`${marker}4`, `<Role>${marker}</Role>`),
    `<InstitutionPerson source="${marker}">${person(`${marker}5`, names)}</InstitutionPerson>`,
  ].join(''),
});

const row = (cells: number): string => Array.from({ length: cells }, () => marker).join(',');
const header = (file: string): string => good[file]?.split('\r\n')[0] ?? '';

describe('no personal value is ever told', () => {
  it.each([
    ['a document wrong in every field', everything],
    ['a cut document', everything.slice(0, -100)],
    ['a document that is not well-formed', everything.replace('<Level>', `<${marker}>`)],
    ['an entity', everything.replace('<Level>', `&${marker};`)],
    [
      'a document in a wrong encoding',
      Buffer.from(everything.replaceAll(marker, `${marker}ø`), 'latin1'),
    ],
    ['something else altogether', `<html>${marker}</html>`],
    ['a fault', `<Fault>${marker}</Fault>`],
  ])('WS17: %s', async (_, xml) => {
    const text = await told('ws17', await place({ 'a.xml': xml }));

    expect(text).toMatch(/"|code/);
    expect(text).not.toContain(marker);
  });

  it.each([
    [
      'rows that mean nothing',
      {
        'users.csv': `${good['users.csv']}${row(18)}\r\n`,
        'classes.csv': `${good['classes.csv']}${row(14)}\r\n`,
        'orgs.csv': `${good['orgs.csv']}${row(7)}\r\n`,
        'enrollments.csv': `${good['enrollments.csv']}${row(10)}\r\n`,
        'academicSessions.csv': `${good['academicSessions.csv']}${row(9)}\r\n`,
      },
    ],
    ['rows too long', { 'users.csv': `${good['users.csv']}${row(25)}\r\n` }],
    ['rows too short', { 'users.csv': `${good['users.csv']}${row(3)}\r\n` }],
    ['a cut row', { 'users.csv': `${good['users.csv']}${row(3)}` }],
    ['a cut cell', { 'users.csv': `${good['users.csv']}"${marker}` }],
    ['a quote in a cell', { 'users.csv': `${good['users.csv']}"${marker}"${marker}",x\r\n` }],
    ['a foreign header', { 'users.csv': `${row(5)}\r\n` }],
    ['CP1252', { 'users.csv': Buffer.from(`${good['users.csv']}${marker}Ø,,\r\n`, 'latin1') }],
    [
      'values wrong in known rows',
      {
        'users.csv': altered('users.csv', 'true,O1,student', `${marker},O1,${marker}`).replace(
          '{UNI-ID:anna1234}',
          `{CPR:${marker}}`,
        ),
        'enrollments.csv': altered('enrollments.csv', 'U1,student', `${marker},${marker}`),
      },
    ],
    [
      'a manifest wrong in every value',
      {
        'manifest.csv': manifestOf({
          'file.users': marker,
          'oneroster.version': marker,
          [marker]: marker,
        }),
      },
    ],
    ['only headers', { 'users.csv': `${header('users.csv')}\r\n` }],
  ])('OneRoster: %s', async (_, changes) => {
    const text = await told('oneroster', await place(packageOf(changes)));

    expect(text).not.toBe('[[],[]]');
    expect(text).not.toContain(marker);
  });
});
