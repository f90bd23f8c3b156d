import { deriveMembershipRole } from '../membership-role.ts';
import type { PersonLog } from '../person-log.ts';
import type { AffiliationKind, AffiliationRole, PersonRecord } from '../record.ts';
import { affiliationKey, groupKey, localSystem, membershipKey } from '../record.ts';
import { cleanText, looksCivil, looksGarbled } from '../text.ts';
import { readGuardian } from './contact.ts';
import type { Element } from './element.ts';
import { childOf, childrenOf, textOf } from './element.ts';
import type { Complaint } from './identity.ts';
import { readIdentity } from './identity.ts';
import type { Institution } from './institution.ts';
import { addMembership, diagnose, gradeOf } from './institution.ts';
import { fallbackRole, roleOfStil } from './vocabulary.ts';

const choices: readonly (readonly [string, AffiliationKind])[] = [
  ['Student', 'pupil'],
  ['Employee', 'staff'],
  ['Extern', 'external'],
];

/** InstitutionPerson: LocalPersonId 0..1, Person 0..1, one of Student, Employee, Extern or none. */
export function readPerson(p: {
  readonly institution: Institution;
  readonly people: PersonLog;
  readonly element: Element;
}): void {
  const { institution, element, people } = p;
  const { outbox, number } = institution;
  institution.persons += 1;
  const complain: Complaint = (code, field, message) =>
    diagnose({ institution, code, severity: 'error', line: element.line, field, message });
  const chosen = choices.flatMap(([name, kind]) => {
    const choice = childOf(element, name);
    return choice === null ? [] : [{ choice, kind }];
  });
  for (const { kind } of chosen) institution.kinds.add(kind);
  const read = readIdentity({ element, complain });
  if (read.record === null) {
    outbox.reject({
      entity: 'person',
      key: read.key,
      institution: number,
      person: read.key,
      diagnostic: read.diagnostic,
    });
    return;
  }
  const person = read.record;
  noteGarbledNames({ institution, element, person });
  people.tell({ record: person, file: institution.file, line: element.line });
  if (chosen.length === 0) {
    outbox.reject({
      entity: 'affiliation',
      institution: number,
      person: person.key,
      diagnostic: complain(
        'affiliation-missing',
        'InstitutionPerson',
        'Neither Student, Employee nor Extern; an earlier version stays.',
      ),
    });
  }
  for (const { choice, kind } of chosen) {
    if (read.civil !== null) {
      outbox.send({ type: 'evidence', person: person.key, as: kind, ...read.civil });
    }
    readAffiliation({ institution, element, choice, kind, person: person.key });
    for (const contact of childrenOf(choice, 'ContactPerson')) {
      readGuardian({ institution, people, contact, child: person.key });
    }
  }
}

function noteGarbledNames(p: {
  readonly institution: Institution;
  readonly element: Element;
  readonly person: PersonRecord;
}): void {
  const { institution, element, person } = p;
  const warn = (code: string, field: string, message: string): void =>
    institution.outbox.note(
      diagnose({ institution, code, severity: 'warning', line: element.line, field, message }),
    );
  if (looksGarbled(person.given) || looksGarbled(person.family)) {
    warn(
      'name-garbled',
      'FirstName',
      'A name was read in a wrong encoding before it was exported.',
    );
  }
  if (person.protected) {
    if (person.given === null && person.family === null) {
      warn(
        'alias-missing',
        'AliasFirstName',
        'A protected person without alias gets a placeholder.',
      );
    }
  } else if (person.given === null || person.family === null) {
    warn('name-incomplete', 'FamilyName', 'A person has only one name.');
  }
}

function readAffiliation(p: {
  readonly institution: Institution;
  readonly element: Element;
  readonly choice: Element;
  readonly kind: AffiliationKind;
  readonly person: string;
}): void {
  const { institution, element, choice, kind, person } = p;
  const { number: at, outbox } = institution;
  const warn = (code: string, field: string, message: string): void =>
    outbox.note(
      diagnose({ institution, code, severity: 'warning', line: choice.line, field, message }),
    );
  const key = affiliationKey({ institution: at, person, kind });
  const known = institution.affiliations.get(key);
  const roles = new Set(known?.record.roles ?? []);
  for (const role of rolesOf({ choice, kind, warn })) roles.add(role);
  const localId = localIdOf({ element, warn });
  const record = {
    entity: 'affiliation' as const,
    key,
    person,
    institution: at,
    kind,
    roles: [...roles].sort(),
    grade: known?.record.grade ?? (kind === 'pupil' ? gradeOf(institution, choice, 'Level') : null),
    localId: known?.record.localId ?? localId,
    from: null,
    to: null,
    primary: null,
  };
  if (known !== undefined) {
    warn('person-duplicate', 'InstitutionPerson', 'A person stands twice; both count as one.');
    // Two local ids of one sort at one school may be two people under one UserId.
    if (localId !== null && localId !== record.localId) {
      outbox.send({
        type: 'evidence',
        person,
        as: kind,
        system: localSystem(at),
        value: localId,
      });
    }
  }
  outbox.record(record);
  const affiliated = known ?? { record, groups: new Set<string>() };
  affiliated.record = record;
  institution.affiliations.set(key, affiliated);
  const main = kind === 'pupil' ? textOf(choice, 'MainGroupId') : null;
  if (kind === 'pupil' && main === null) {
    const message = 'A pupil without main group; earlier memberships stay.';
    const diagnostic = diagnose({
      institution,
      code: 'main-group-missing',
      severity: 'warning',
      line: choice.line,
      field: 'MainGroupId',
      message,
    });
    outbox.reject({ entity: 'membership', institution: at, person, diagnostic });
  }
  const others = childrenOf(choice, 'GroupId').map((child) => cleanText(child.text));
  const role = deriveMembershipRole({ kind, roles: record.roles });
  for (const groupId of new Set([main, ...others])) {
    if (groupId === null || affiliated.groups.has(groupId)) continue;
    affiliated.groups.add(institution.groups.get(groupId) ?? groupId);
    const group = groupKey({ institution: at, groupId });
    const membership = {
      entity: 'membership' as const,
      key: membershipKey({ affiliation: key, group }),
      affiliation: key,
      person,
      institution: at,
      group,
      role,
      main: groupId === main,
      from: null,
      to: null,
    };
    addMembership(institution, { membership, groupId, line: choice.line });
  }
}

type Warn = (code: string, field: string, message: string) => void;

function rolesOf(p: {
  readonly choice: Element;
  readonly kind: AffiliationKind;
  readonly warn: Warn;
}): readonly AffiliationRole[] {
  const written = childrenOf(p.choice, 'Role').map((role) => cleanText(role.text) ?? '');
  if (written.length === 0) p.warn('role-missing', 'Role', 'No role; read without special rights.');
  const roles = written.flatMap((text) => roleOfStil.get(text) ?? []);
  if (roles.length < written.length) {
    p.warn('role-unknown', 'Role', 'Unknown role; read without special rights.');
  }
  return roles.length > 0 ? roles : [fallbackRole[p.kind]];
}

function localIdOf(p: { readonly element: Element; readonly warn: Warn }): string | null {
  const localId = textOf(p.element, 'LocalPersonId');
  if (localId === null || !looksCivil(localId)) return localId;
  p.warn('local-id-civil', 'LocalPersonId', 'A local id looks like a civil number; left out.');
  return null;
}
