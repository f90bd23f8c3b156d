import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { kindOfRole } from '../../provisioning/feed/membership-role.ts';
import type { AffiliationKind } from '../../provisioning/feed/record.ts';
import {
  stilOfGroupKind,
  stilOfRelation,
  stilOfRole,
} from '../../provisioning/feed/ws17/vocabulary.ts';
import type { CivilNumber } from './civil.ts';
import { civilNumbers } from './civil.ts';
import type { Group, Municipality, Person, Place, Relation, School } from './truth.ts';

/** Writes one UNILoginExportFullMyndighed (version 7) per school, as `<institution number>.xml`. */
export async function writeWs17(p: {
  readonly truth: Municipality;
  readonly folder: string;
  readonly civil?: boolean;
}): Promise<void> {
  await mkdir(p.folder, { recursive: true });
  for (const [number, xml] of toWs17(p.truth, { civil: p.civil ?? false })) {
    await writeFile(join(p.folder, `${number}.xml`), xml);
  }
}

type Numbers = ReadonlyMap<string, CivilNumber>;

/** Institution number -> document; with fictive civil numbers where they are asked for. */
export function* toWs17(
  truth: Municipality,
  p: { readonly civil: boolean } = { civil: false },
): Generator<readonly [string, string]> {
  const numbers: Numbers = p.civil ? civilNumbers(truth.people) : new Map();
  const placed = new Map<string, { person: Person; place: Place }[]>();
  const people = new Map<string, Person>();
  for (const person of truth.people) {
    people.set(person.uniId, person);
    for (const place of person.places) {
      const list = placed.get(place.school) ?? [];
      placed.set(place.school, list);
      list.push({ person, place });
    }
  }
  const guardians = Map.groupBy(truth.relations, (relation) => relation.child);
  for (const school of truth.schools) {
    const members = (placed.get(school.number) ?? []).filter(
      ({ place }) => kindOfRole(place.roles[0]) !== 'guardian',
    );
    const bodies = members.map(({ person, place }) =>
      institutionPerson({
        person,
        place,
        numbers,
        contacts: (guardians.get(person.uniId) ?? []).flatMap((relation) => {
          const guardian = people.get(relation.guardian);
          return guardian === undefined ? [] : [{ relation, guardian }];
        }),
      }),
    );
    yield [school.number, document({ truth, school, bodies })];
  }
}

function document(p: {
  readonly truth: Municipality;
  readonly school: School;
  readonly bodies: readonly string[];
}): string {
  const { truth, school, bodies } = p;
  const sourceTime = `${truth.date}T05:30:00`;
  return `<?xml version="1.0" encoding="UTF-8"?>
<f:UNILoginExportFullMyndighed xmlns:f="https://brugerdatabasen.stil.dk/bpi/wsieksport/7/fullmyndighed" xmlns:c="https://brugerdatabasen.stil.dk/bpi/wsieksport/7/common" xmlns:b="https://brugerdatabasen.stil.dk/bpi/common/3" exportDateTime="${truth.date}T06:00:00Z" accessLevel="full">
<c:ImportSource source="elevadm" sourceDateTime="${sourceTime}" schoolYear="${truth.schoolYear}"/>
<f:Institution>
<c:InstitutionNumber>${school.number}</c:InstitutionNumber>
<c:InstitutionName>${xmlText(school.name)}</c:InstitutionName>
${school.groups.map(group).join('\n')}
${bodies.join('\n')}
</f:Institution>
</f:UNILoginExportFullMyndighed>
`;
}

function group(it: Group): string {
  return `<c:Group>${leaf('GroupId', it.id)}${leaf('GroupName', it.name)}${leaf(
    'GroupType',
    stilOfGroupKind.get(it.kind) ?? 'Andet',
  )}${leaf('GroupLevel', trin(it.grade))}${leaf('Line', it.line)}${leaf('FromDate', it.from)}${leaf(
    'ToDate',
    it.to,
  )}</c:Group>`;
}

const choiceOfKind: Readonly<Record<AffiliationKind, string>> = {
  pupil: 'Student',
  staff: 'Employee',
  external: 'Extern',
  guardian: '',
};

function institutionPerson(p: {
  readonly person: Person;
  readonly place: Place;
  readonly numbers: Numbers;
  readonly contacts: readonly { readonly relation: Relation; readonly guardian: Person }[];
}): string {
  const { person: who, place, numbers } = p;
  const kind = kindOfRole(place.roles[0]);
  const choice = choiceOfKind[kind];
  const roles = place.roles.map((role) => leaf('Role', stilOfRole.get(role) ?? 'TAP')).join('');
  const others = place.groups.filter((id) => id !== place.mainGroup);
  const groups = others.map((id) => `<b:GroupId>${xmlText(id)}</b:GroupId>`).join('');
  const main = leaf('MainGroupId', place.mainGroup);
  const level = kind === 'pupil' ? leaf('Level', trin(place.grade)) : '';
  const contacts =
    kind === 'pupil' ? p.contacts.map((one) => contactPerson({ ...one, numbers })).join('') : '';
  const local = place.localId === null ? '' : `<b:LocalPersonId>${place.localId}</b:LocalPersonId>`;
  return `<f:InstitutionPerson source="elevadm">${local}${person(who, numbers)}<f:${choice}>${roles}${level}${main}${groups}${contacts}</f:${choice}></f:InstitutionPerson>`;
}

function contactPerson(p: {
  readonly relation: Relation;
  readonly guardian: Person;
  readonly numbers: Numbers;
}): string {
  const relation = stilOfRelation.get(p.relation.kind) ?? 'Andet';
  return `<f:ContactPerson relation="${relation}" childCustody="${p.relation.custody}" accessLevel="1">${person(p.guardian, p.numbers)}</f:ContactPerson>`;
}

function person(it: Person, numbers: Numbers): string {
  const civil = numbers.get(it.uniId) ?? null;
  const alias =
    it.alias === null
      ? ''
      : `<f:AliasFirstName>${xmlText(it.alias.given)}</f:AliasFirstName><f:AliasFamilyName>${xmlText(it.alias.family)}</f:AliasFamilyName>`;
  const number =
    civil === null
      ? ''
      : leaf('CivilRegistrationNumber', civil.number) +
        leaf(
          'CivilRegistrationNumberType',
          civil.replacement ? 'CPR_REPLACEMENT_ID' : 'CPR_VERIFIED',
        );
  return `<f:Person protected="${it.protected}">${leaf('FirstName', it.given)}${leaf('FamilyName', it.family)}${leaf('UserId', it.uniId)}${leaf('EmailAddress', it.email)}${number}${alias}</f:Person>`;
}

function leaf(name: string, value: string | null): string {
  return value === null ? '' : `<c:${name}>${xmlText(value)}</c:${name}>`;
}

function trin(grade: string | null): string | null {
  return grade === 'other' ? 'Andet' : grade;
}

function xmlText(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
