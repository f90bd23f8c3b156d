import type { PersonLog } from '../person-log.ts';
import { affiliationKey } from '../record.ts';
import { cleanText } from '../text.ts';
import type { Element } from './element.ts';
import { readIdentity } from './identity.ts';
import type { Institution } from './institution.ts';
import { diagnose } from './institution.ts';
import { relationOfStil } from './vocabulary.ts';

/**
 * ContactPerson: @relation, @childCustody, @accessLevel, Person. Version 6 allows ten, version 7 any
 * number. Somebody without UserId has no login and no account: told, not read.
 */
export function readGuardian(p: {
  readonly institution: Institution;
  readonly people: PersonLog;
  readonly contact: Element;
  readonly child: string;
}): void {
  const { institution, contact, child } = p;
  const { outbox, number: at } = institution;
  const note = (code: string, severity: 'warning' | 'info', field: string, message: string) =>
    diagnose({
      institution,
      code: `contact-${code}`,
      severity,
      line: contact.line,
      field,
      message,
    });
  institution.kinds.add('guardian');
  const read = readIdentity({
    element: contact,
    complain: (code, field, message) => note(code, 'warning', field, message),
  });
  if (read.record === null) {
    if (read.diagnostic.code === 'contact-user-id-missing') {
      outbox.note({ ...read.diagnostic, severity: 'info' });
      return;
    }
    outbox.reject({
      entity: 'person',
      key: read.key,
      institution: at,
      person: read.key,
      diagnostic: read.diagnostic,
    });
    return;
  }
  const guardian = read.record.key;
  p.people.tell({
    record: read.record,
    file: institution.file,
    line: contact.line,
    contact: true,
  });
  if (read.civil !== null) {
    outbox.send({ type: 'evidence', person: guardian, as: 'guardian', ...read.civil });
  }
  const key = affiliationKey({ institution: at, person: guardian, kind: 'guardian' });
  if (!institution.relations.has(key)) {
    institution.relations.add(key);
    outbox.record({
      entity: 'affiliation',
      key,
      person: guardian,
      institution: at,
      kind: 'guardian',
      roles: ['guardian'],
      grade: null,
      localId: null,
      from: null,
      to: null,
      primary: null,
    });
  }
  const relation = `${at}/${guardian}>${child}`;
  if (institution.relations.has(relation)) return;
  institution.relations.add(relation);
  const kind = relationOfStil.get(cleanText(contact.attributes['relation']) ?? '');
  if (kind === undefined) {
    outbox.note(
      note('relation-unknown', 'warning', 'relation', 'Unknown relation, read as Andet.'),
    );
  }
  const custody = cleanText(contact.attributes['childCustody'])?.toLowerCase();
  outbox.record({
    entity: 'relation',
    key: relation,
    guardian,
    child,
    institution: at,
    kind: kind ?? 'other',
    custody: custody === undefined ? null : custody === 'true' || custody === '1',
  });
}
