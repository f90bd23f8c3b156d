import { readDate } from '../date.ts';
import { readGrade } from '../grade.ts';
import type { Outbox } from '../outbox.ts';
import type { AffiliationRecord, Diagnostic, MembershipRecord } from '../record.ts';
import { groupKey, membershipKey } from '../record.ts';
import { ownCopy } from '../text.ts';
import type { Element } from './element.ts';
import { textOf } from './element.ts';
import { groupKindOfStil } from './vocabulary.ts';

/** What has to be remembered while one institution is read: keys, never people. */
export interface Institution {
  readonly number: string;
  readonly file: string;
  readonly outbox: Outbox;
  /** Group id -> its own single copy; memberships point to that copy. */
  readonly groups: Map<string, string>;
  readonly affiliations: Map<string, Affiliated>;
  /** Memberships in groups that were not seen yet: the schema puts groups first, not every feed does. */
  readonly waiting: { readonly membership: MembershipRecord; readonly line: number }[];
  readonly relations: Set<string>;
  readonly kinds: Set<string>;
  persons: number;
  /** Whether the institution itself was told. */
  told: boolean;
}

export interface Affiliated {
  record: AffiliationRecord;
  readonly groups: Set<string>;
}

export function openInstitution(p: {
  readonly number: string;
  readonly file: string;
  readonly outbox: Outbox;
}): Institution {
  return {
    number: ownCopy(p.number),
    file: p.file,
    outbox: p.outbox,
    groups: new Map(),
    affiliations: new Map(),
    waiting: [],
    relations: new Set(),
    kinds: new Set(),
    persons: 0,
    told: false,
  };
}

export function diagnose(p: {
  readonly institution: Institution;
  readonly code: string;
  readonly severity: Diagnostic['severity'];
  readonly line: number | null;
  readonly field: string | null;
  readonly message: string;
}): Diagnostic {
  const { institution, ...rest } = p;
  return { ...rest, file: institution.file };
}

/** Tells the institution itself, once; without a name it is shown by its number. */
export function tellInstitution(institution: Institution, name: string | null): void {
  if (institution.told) return;
  institution.told = true;
  const { number, outbox } = institution;
  if (name === null) {
    const message = 'The institution has no name; its number is shown.';
    const severity = 'warning';
    const field = 'InstitutionName';
    const code = 'institution-name-missing';
    outbox.note(diagnose({ institution, code, severity, line: null, field, message }));
  }
  // WS17 does not say what sort of institution it is.
  const kind = 'school';
  outbox.record({ entity: 'institution', key: number, name: name ?? number, kind, parent: null });
}

/** Group: GroupId 1, GroupName 0..1, GroupType 1, GroupLevel, Line, FromDate, ToDate 0..1. */
export function readGroup(institution: Institution, element: Element): void {
  const { outbox, number } = institution;
  const say = (code: string, field: string, message: string): Diagnostic =>
    diagnose({ institution, code, severity: 'warning', line: element.line, field, message });
  const groupId = textOf(element, 'GroupId');
  if (groupId === null) {
    const diagnostic = say('group-id-missing', 'GroupId', 'A group without id cannot be read.');
    outbox.reject({ entity: 'group', institution: number, diagnostic });
    return;
  }
  if (institution.groups.has(groupId)) {
    outbox.note(
      say('group-duplicate', 'GroupId', 'A group id stands twice; the first one counts.'),
    );
    return;
  }
  institution.groups.set(ownCopy(groupId), ownCopy(groupId));
  const name = textOf(element, 'GroupName');
  if (name === null) {
    outbox.note(say('group-name-missing', 'GroupName', 'A group has no name; its id is shown.'));
  }
  const type = textOf(element, 'GroupType');
  const kind = groupKindOfStil.get(type ?? '');
  if (kind === undefined) {
    outbox.note(say('group-type-unknown', 'GroupType', 'Unknown group type, read as Andet.'));
  }
  outbox.record({
    entity: 'group',
    key: groupKey({ institution: number, groupId }),
    institution: number,
    kind: kind ?? 'other',
    name: name ?? groupId,
    grade: gradeOf(institution, element, 'GroupLevel'),
    line: textOf(element, 'Line'),
    subject: null,
    terms: [],
    ...datesOf(institution, element),
  });
}

function datesOf(
  institution: Institution,
  element: Element,
): { readonly from: string | null; readonly to: string | null } {
  const read = (field: string): string | null => {
    const { date, shape } = readDate(textOf(element, field));
    if (shape === 'iso' || shape === 'datetime') return date;
    const message =
      shape === 'invalid'
        ? 'Not a date; read as absent.'
        : 'Not an xs:date; read as day, month, year.';
    institution.outbox.note(
      diagnose({
        institution,
        code: shape === 'invalid' ? 'date-invalid' : 'date-shape',
        severity: 'warning',
        line: element.line,
        field,
        message,
      }),
    );
    return date;
  };
  const from = read('FromDate');
  const to = read('ToDate');
  if (from === null || to === null || from <= to) return { from, to };
  institution.outbox.note(
    diagnose({
      institution,
      code: 'dates-reversed',
      severity: 'warning',
      line: element.line,
      field: 'ToDate',
      message: 'A group ends before it begins; both dates are left out.',
    }),
  );
  return { from: null, to: null };
}

export function gradeOf(institution: Institution, element: Element, field: string): string | null {
  const raw = textOf(element, field);
  const grade = readGrade(raw);
  if (raw !== null && grade === null) {
    institution.outbox.note(
      diagnose({
        institution,
        code: 'grade-unknown',
        severity: 'warning',
        line: element.line,
        field,
        message: 'Unknown grade (trin), read as absent.',
      }),
    );
  }
  return grade;
}

/** Emits the membership, or keeps it until the groups are known. */
export function addMembership(
  institution: Institution,
  p: { readonly membership: MembershipRecord; readonly groupId: string; readonly line: number },
): void {
  if (institution.groups.has(p.groupId)) institution.outbox.record(p.membership);
  else institution.waiting.push(p);
}

/** Everything of the institution was read: settles the waiting memberships and tells the coverage. */
export function closeInstitution(institution: Institution): void {
  const { outbox, number, groups, kinds } = institution;
  for (const { membership, line } of institution.waiting) {
    if (groups.has(membership.group.slice(number.length + 1))) {
      outbox.record(membership);
      continue;
    }
    const diagnostic = diagnose({
      institution,
      code: 'group-dangling',
      severity: 'warning',
      line,
      field: membership.main ? 'MainGroupId' : 'GroupId',
      message: 'A person is in a group that the document does not list; an earlier version stays.',
    });
    outbox.reject({
      entity: 'membership',
      key: membershipKey({ affiliation: membership.affiliation, group: membership.group }),
      institution: number,
      group: membership.group,
      diagnostic,
    });
  }
  const partial = (code: string, message: string): void =>
    outbox.note(
      diagnose({ institution, code, severity: 'warning', line: null, field: null, message }),
    );
  if (institution.persons === 0) {
    partial(
      'persons-missing',
      'Groups but no persons: nobody leaves on the word of this document.',
    );
  }
  if (groups.size === 0) partial('groups-missing', 'Persons but no groups: no group leaves.');
  if (institution.persons > 0 && !kinds.has('pupil')) {
    partial('pupils-missing', 'No pupils. Was the export asked for without inkluderElever?');
  }
  if (institution.persons > 0 && !kinds.has('staff')) {
    partial('staff-missing', 'No staff. Was the export asked for without inkluderMedarbejdere?');
  }
  const people = institution.persons > 0 ? 'full' : 'silent';
  outbox.send({
    type: 'coverage',
    institution: number,
    affiliation: people,
    group: groups.size > 0 ? 'full' : 'silent',
    membership: groups.size > 0 ? people : 'silent',
    relation: kinds.has('guardian') ? 'full' : 'silent',
  });
}
