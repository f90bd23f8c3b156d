import { createWriteStream } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import yazl from 'yazl';
import { toCedsGrade } from '../../provisioning/feed/grade.ts';
import { deriveMembershipRole, kindOfRole } from '../../provisioning/feed/membership-role.ts';
import { writeEnrolmentRole, writeRole } from '../../provisioning/feed/oneroster/vocabulary.ts';
import type { Municipality, Person, Place, Relation } from './truth.ts';
import { shownName } from './truth.ts';

type Version = '1.1' | '1.2';
type Cell = string | boolean | null;

export async function writeOneRoster11(p: {
  readonly truth: Municipality;
  /** A folder, or a file name that ends in .zip. */
  readonly path: string;
}): Promise<void> {
  await writePackage({ path: p.path, files: toOneRoster(p.truth, '1.1') });
}

export async function writeOneRoster12(p: {
  readonly truth: Municipality;
  readonly path: string;
}): Promise<void> {
  await writePackage({ path: p.path, files: toOneRoster(p.truth, '1.2') });
}

async function writePackage(p: {
  readonly path: string;
  readonly files: ReadonlyMap<string, string>;
}): Promise<void> {
  if (!p.path.endsWith('.zip')) {
    await mkdir(p.path, { recursive: true });
    for (const [name, text] of p.files) await writeFile(join(p.path, name), text);
    return;
  }
  const zip = new yazl.ZipFile();
  // A fixed time, so that the same municipality is the same file.
  const mtime = new Date(Date.UTC(2026, 0, 1));
  for (const [name, text] of p.files) zip.addBuffer(Buffer.from(text, 'utf8'), name, { mtime });
  zip.end();
  await pipeline(zip.outputStream, createWriteStream(p.path));
}

/**
 * A bulk package, file name -> text. What WS17 says beyond OneRoster stands in `metadata.` columns,
 * which the reader knows and other consumers pass over.
 */
export function toOneRoster(truth: Municipality, version: Version): ReadonlyMap<string, string> {
  const files = new Map<string, string>();
  files.set('academicSessions.csv', sessions(truth));
  files.set('orgs.csv', orgs(truth));
  files.set('classes.csv', classes(truth));
  files.set('users.csv', users(truth, version));
  if (version === '1.2') files.set('roles.csv', roles(truth));
  files.set('enrollments.csv', enrollments(truth, version));
  files.set('manifest.csv', manifest([...files.keys()], version));
  return files;
}

const files11 = [
  'academicSessions',
  'categories',
  'classes',
  'classResources',
  'courses',
  'courseResources',
  'demographics',
  'enrollments',
  'lineItems',
  'orgs',
  'resources',
  'results',
  'users',
];

const files12 = [
  ...files11,
  'lineItemLearningObjectiveIds',
  'lineItemScoreScales',
  'resultLearningObjectiveIds',
  'resultScoreScales',
  'roles',
  'scoreScales',
  'userProfiles',
  'userResources',
];

function manifest(present: readonly string[], version: Version): string {
  const names = version === '1.1' ? files11 : files12;
  return toCsv(
    ['propertyName', 'value'],
    [
      ['manifest.version', '1.0'],
      ['oneroster.version', version],
      ...names.map((name) => [`file.${name}`, present.includes(`${name}.csv`) ? 'bulk' : 'absent']),
      ['source.systemName', 'Skolebus generator'],
      ['source.systemCode', 'skolebus'],
    ],
  );
}

function sessions(truth: Municipality): string {
  const [from = '', to = ''] = truth.schoolYear.split('-');
  return toCsv(
    [
      'sourcedId',
      'status',
      'dateLastModified',
      'title',
      'type',
      'startDate',
      'endDate',
      'parentSourcedId',
      'schoolYear',
    ],
    [
      [
        truth.schoolYear,
        '',
        '',
        truth.schoolYear,
        'schoolYear',
        `${from}-08-01`,
        `${to}-07-31`,
        '',
        to,
      ],
    ],
  );
}

function orgs(truth: Municipality): string {
  return toCsv(
    ['sourcedId', 'status', 'dateLastModified', 'name', 'type', 'identifier', 'parentSourcedId'],
    truth.schools.map(({ number, name }) => [number, '', '', name, 'school', number, '']),
  );
}

function classes(truth: Municipality): string {
  const header =
    'sourcedId,status,dateLastModified,title,grades,courseSourcedId,classCode,classType,location,schoolSourcedId,termSourcedIds,subjects,subjectCodes,periods,metadata.groupKind,metadata.line,metadata.fromDate,metadata.toDate';
  const rows = truth.schools.flatMap(({ number, groups }) =>
    groups.map((it): readonly Cell[] => {
      const type = it.kind === 'class' ? 'homeroom' : 'scheduled';
      const head = [`${number}/${it.id}`, '', '', it.name, toCedsGrade(it.grade), '', '', type, ''];
      const tail = ['', '', '', it.kind, it.line, it.from, it.to];
      return [...head, number, truth.schoolYear, ...tail];
    }),
  );
  return toCsv(header.split(','), rows);
}

function users(truth: Municipality, version: Version): string {
  const agents = Map.groupBy(truth.relations, (relation) => relation.child);
  const header =
    version === '1.1'
      ? 'sourcedId,status,dateLastModified,enabledUser,orgSourcedIds,role,username,userIds,givenName,familyName,middleName,identifier,email,sms,phone,agentSourcedIds,grades,password,metadata.protected,metadata.affiliations,metadata.agentRelations'
      : 'sourcedId,status,dateLastModified,enabledUser,username,userIds,givenName,familyName,middleName,identifier,email,sms,phone,agentSourcedIds,grades,password,userMasterIdentifier,preferredGivenName,preferredMiddleName,preferredFamilyName,primaryOrgSourcedId,pronouns,metadata.protected,metadata.agentRelations';
  const rows = truth.people.map((person): readonly Cell[] => {
    const [first] = person.places;
    const related = agents.get(person.uniId) ?? [];
    const { given, family } = shownName(person);
    const email = person.protected ? null : person.email;
    const orgList = [...new Set(person.places.map((place) => place.school))].join(',');
    const role = first === undefined ? '' : writeRole(first.roles[0], '1.1');
    const head = [person.uniId, '', '', true, ...(version === '1.1' ? [orgList, role] : [])];
    const names = [person.uniId, `{UNI-ID:${person.uniId}}`, given, family, '', '', email, '', ''];
    const agentIds = related.map((relation) => relation.guardian).join(',');
    const school = [agentIds, toCedsGrade(first?.grade ?? null), ''];
    const tail =
      version === '1.1'
        ? [person.protected, person.places.map(affiliation).join(','), agentRelations(related)]
        : ['', '', '', '', first?.school ?? '', '', person.protected, agentRelations(related)];
    return [...head, ...names, ...school, ...tail];
  });
  return toCsv(header.split(','), rows);
}

function affiliation(place: Place): string {
  const { school, roles: as, grade, localId } = place;
  return [school, as.join('+'), grade ?? '', localId ?? ''].join('|');
}

function agentRelations(relations: readonly Relation[]): string {
  return relations.map(({ guardian, kind, custody }) => `${guardian}|${kind}|${custody}`).join(',');
}

function roles(truth: Municipality): string {
  const header =
    'sourcedId,status,dateLastModified,userSourcedId,roleType,role,beginDate,endDate,orgSourcedId,userProfileSourcedId,metadata.roleDetail,metadata.grade,metadata.localPersonId';
  const rows = truth.people.flatMap((person) =>
    person.places.flatMap((place, i) =>
      place.roles.map((role, j): readonly Cell[] => {
        const id = `${place.school}/${person.uniId}/${role}`;
        const type = i === 0 && j === 0 ? 'primary' : 'secondary';
        const said = [role, place.grade, place.localId];
        return [
          id,
          '',
          '',
          person.uniId,
          type,
          writeRole(role, '1.2'),
          '',
          '',
          place.school,
          '',
          ...said,
        ];
      }),
    ),
  );
  return toCsv(header.split(','), rows);
}

function enrollments(truth: Municipality, version: Version): string {
  const header =
    'sourcedId,status,dateLastModified,classSourcedId,schoolSourcedId,userSourcedId,role,primary,beginDate,endDate,metadata.main';
  return toCsv(
    header.split(','),
    truth.people.flatMap((person) => enrolmentsOf(person, version)),
  );
}

function enrolmentsOf(person: Person, version: Version): readonly (readonly Cell[])[] {
  return person.places.flatMap((place) => {
    const kind = kindOfRole(place.roles[0]);
    const role = writeEnrolmentRole(deriveMembershipRole({ kind, roles: place.roles }), version);
    return place.groups.map((groupId): readonly Cell[] => {
      const id = `${place.school}/${groupId}/${person.uniId}/${kind}`;
      const group = `${place.school}/${groupId}`;
      const main = groupId === place.mainGroup;
      return [id, '', '', group, place.school, person.uniId, role, false, '', '', main];
    });
  });
}

function toCsv(header: readonly string[], rows: readonly (readonly Cell[])[]): string {
  return [header, ...rows].map((row) => `${row.map(toCell).join(',')}\r\n`).join('');
}

function toCell(value: Cell): string {
  if (value === null) return '';
  const text = String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
