import type { Outbox } from '../outbox.ts';
import type { PersonLog } from '../person-log.ts';
import { FeedError } from '../record.ts';
import { cleanText } from '../text.ts';
import type { DocumentEvent } from './document.ts';
import type { Element } from './element.ts';
import type { Institution } from './institution.ts';
import { closeInstitution, openInstitution, readGroup, tellInstitution } from './institution.ts';
import { readPerson } from './person.ts';

/** How far the reading of one document has come. */
export interface Reading {
  readonly file: string;
  readonly outbox: Outbox;
  readonly people: PersonLog;
  /** Institution number -> the file that spoke of it, over all documents of the snapshot. */
  readonly files: Map<string, string>;
  institution: Institution | null;
  institutions: number;
}

export function openReading(p: {
  readonly file: string;
  readonly outbox: Outbox;
  readonly people: PersonLog;
  readonly files: Map<string, string>;
}): Reading {
  const { file, outbox, people, files } = p;
  return { file, outbox, people, files, institution: null, institutions: 0 };
}

export function followEvent(reading: Reading, event: DocumentEvent): void {
  switch (event.type) {
    case 'export':
      noteHeader(reading, event);
      return;
    case 'source':
      return;
    case 'institution':
      reading.institutions += 1;
      reading.institution = null;
      return;
    case 'element':
      readElement(reading, event.element);
      return;
    case 'institution-end':
      endInstitution(reading, event.line);
  }
}

/** A document without any institution says nothing that could be trusted. */
export function closeReading(reading: Reading): void {
  if (reading.institutions > 0) return;
  throw refusal(reading, 'feed-empty', null, 'holds no institution. Fetch it again.');
}

function noteHeader(
  reading: Reading,
  event: Extract<DocumentEvent, { readonly type: 'export' }>,
): void {
  const warn = (code: string, field: string, message: string): void =>
    reading.outbox.note({
      code,
      severity: 'warning',
      file: reading.file,
      line: null,
      field,
      message,
    });
  if (event.accessLevel !== 'full') {
    warn('access-level-unexpected', 'accessLevel', 'The access level is not full.');
  }
  if (!event.hasAliases) {
    warn(
      'aliases-missing',
      'UNILoginExport',
      'This package has no aliases: fetch eksporterXmlFuldMyndighed to show protected people.',
    );
  }
}

function readElement(reading: Reading, element: Element): void {
  if (element.name === 'InstitutionNumber') {
    reading.institution ??= numberInstitution(reading, element);
    return;
  }
  const { institution } = reading;
  if (institution === null) throw unnumbered(reading, element.line);
  if (element.name === 'InstitutionName') {
    tellInstitution(institution, cleanText(element.text));
    return;
  }
  tellInstitution(institution, null);
  if (element.name === 'Group') readGroup(institution, element);
  else readPerson({ institution, people: reading.people, element });
}

function numberInstitution(reading: Reading, element: Element): Institution {
  const { file, files, outbox } = reading;
  const number = cleanText(element.text);
  if (number === null) throw unnumbered(reading, element.line);
  if (!/^[A-Za-z0-9]{6}$/.test(number)) {
    outbox.note({
      code: 'institution-number-odd',
      severity: 'warning',
      file,
      line: element.line,
      field: 'InstitutionNumber',
      message: 'An institution number has six letters or digits; this one is used as it is.',
    });
  }
  const other = files.get(number);
  if (other !== undefined) {
    const message = `speaks of an institution that ${other} speaks of too. Remove the older one.`;
    throw refusal(reading, 'feed-malformed', element.line, message);
  }
  files.set(number, file);
  return openInstitution({ number, file, outbox });
}

function endInstitution(reading: Reading, line: number): void {
  const { institution } = reading;
  reading.institution = null;
  if (institution === null) throw unnumbered(reading, line);
  if (institution.persons === 0 && institution.groups.size === 0) {
    throw refusal(reading, 'feed-empty', line, 'holds neither persons nor groups. Fetch it again.');
  }
  tellInstitution(institution, null);
  closeInstitution(institution);
}

function unnumbered(reading: Reading, line: number): FeedError {
  const message = 'does not begin its institution with a number: nobody can tell whose it is.';
  return refusal(reading, 'feed-malformed', line, message);
}

function refusal(
  reading: Reading,
  code: 'feed-empty' | 'feed-malformed',
  line: number | null,
  message: string,
): FeedError {
  return new FeedError({ code, message: `${reading.file} ${message}`, file: reading.file, line });
}
