import { dayBefore } from '../date.ts';
import type { AffiliationKind, AffiliationRole, MembershipRole } from '../record.ts';
import { affiliationKey, membershipKey } from '../record.ts';
import { tellAffiliations } from './affiliation.ts';
import type { AffiliationDraft, Classroom, Held, Run, Undecided, User } from './run.ts';
import { dateOf, fileOf, flagOf, institutionOf, keepUnlisted, lifeOf, tell } from './run.ts';
import type { Row } from './table.ts';
import { readEnrolmentRole } from './vocabulary.ts';

interface Enrolment {
  readonly person: string;
  readonly group: string;
  readonly classroom: Classroom;
  readonly role: MembershipRole;
  readonly row: Row;
}

/**
 * One row of enrollments.csv. Its own sourcedId is not needed: person, class and kind make the key.
 * `metadata.main` (only Skolebus writes it) says which class is a pupil's home class; elsewhere it is
 * the homeroom class.
 *
 * @returns whether the row speaks of something that is there
 */
export function readEnrolment(run: Run, row: Row): boolean {
  const { outbox } = run;
  const file = fileOf(run, 'enrollments');
  const at = (field: string) => ({ file, line: row.number, field });
  const person = row.get('usersourcedid');
  const group = row.get('classsourcedid');
  const gone = lifeOf(run, 'enrollments', row) === 'gone';
  if (gone && run.pack.completeness.enrollments === 'full') return false;
  if (person === null || group === null || row.outOfStep) {
    const message = 'An enrolment without person or class, or with more cells than columns.';
    const diagnostic = tell('enrolment-incomplete', 'error', at('userSourcedId'), message);
    // In a row out of step even the person may be another.
    outbox.reject({ entity: 'membership', person: row.outOfStep ? null : person, diagnostic });
    return true;
  }
  const classroom = run.classes.get(group) ?? unlistedClass(run, { row, group });
  if (classroom === null) {
    if (!run.unreadable.has(`group\n${group}`)) {
      const message = 'An enrolment is in a class that is not listed; an earlier version stays.';
      const diagnostic = tell('class-dangling', 'warning', at('classSourcedId'), message);
      keepUnlisted(run, { entity: 'group', key: group, diagnostic });
    }
    return true;
  }
  const role = readEnrolmentRole(row.get('role'));
  if (role === null) {
    const message = 'An enrolment without a role that is known; an earlier version stays.';
    const diagnostic = tell('enrolment-role-unknown', 'warning', at('role'), message);
    outbox.reject({ entity: 'membership', person, group, diagnostic });
    return true;
  }
  const undecided = run.undecided.get(person);
  if (undecided !== undefined) {
    if (!gone) undecided.enrolments.push({ group, role, row: row.number });
    return true;
  }
  const user = run.users.get(person) ?? unlistedUser(run, { person });
  if (user === null) {
    const message = 'An enrolment is of a person who is not listed; an earlier version stays.';
    const diagnostic = tell('user-dangling', 'warning', at('userSourcedId'), message);
    keepUnlisted(run, { entity: 'person', key: person, diagnostic });
    return true;
  }
  const enrolment = { person, group, classroom, role, row };
  if (gone) removeMembership(run, { ...enrolment, user });
  else tellMembership(run, { ...enrolment, user });
  return true;
}

/** A delta need not list the classes that its enrolments are in. */
function unlistedClass(
  run: Run,
  p: { readonly row: Row; readonly group: string },
): Classroom | null {
  if (run.pack.completeness.classes === 'full') return null;
  const school = p.row.get('schoolsourcedid');
  const institution = school === null ? null : institutionOf(run, school);
  if (institution === null) return null;
  const classroom: Classroom = { institution, kind: 'other', members: new Set() };
  run.classes.set(p.group, classroom);
  return classroom;
}

function unlistedUser(run: Run, p: { readonly person: string }): User | null {
  if (run.pack.completeness.users === 'full') return null;
  if (run.unreadable.has(`person\n${p.person}`)) return null;
  return tellAffiliations(run, { person: p.person, drafts: [] });
}

function tellMembership(run: Run, p: Enrolment & { readonly user: User }): void {
  const { person, group, classroom, user, row } = p;
  const at = (field: string) => ({ file: fileOf(run, 'enrollments'), line: row.number, field });
  if (classroom.members.has(user.serial)) {
    const message = 'An enrolment stands twice; the first one counts.';
    run.outbox.note(tell('enrolment-duplicate', 'info', at('userSourcedId'), message));
    return;
  }
  classroom.members.add(user.serial);
  run.joined.add(user.serial);
  const held = heldFor(p);
  if (held.institution !== classroom.institution) {
    const message = 'A person is in a class of a school they do not belong to; read as it is.';
    run.outbox.note(tell('enrolment-elsewhere', 'info', at('schoolSourcedId'), message));
  }
  let { role } = p;
  if (held.kind === 'pupil' && role !== 'learner') {
    // Of two contradicting roles the one with fewer rights counts.
    role = 'learner';
    const message = 'A pupil is enrolled with a staff role; read as a learner.';
    run.outbox.note(tell('enrolment-role-differs', 'warning', at('role'), message));
  }
  const entity = 'enrollments';
  const main = flagOf(run, { entity, row, column: 'metadata.main' });
  const primary = flagOf(run, { entity, row, column: 'primary' });
  const until = dateOf(run, { entity, row, column: 'enddate' });
  const affiliation = affiliationKey({ ...held, person });
  run.outbox.record({
    entity: 'membership',
    key: membershipKey({ affiliation, group }),
    affiliation,
    person,
    institution: classroom.institution,
    group,
    role,
    main: main ?? (primary === true || (classroom.kind === 'class' && role === 'learner')),
    from: dateOf(run, { entity, row, column: 'begindate' }),
    // OneRoster's end date is the first day that is no longer in.
    to: until === null ? null : dayBefore(until),
  });
}

function removeMembership(run: Run, p: Enrolment & { readonly user: User }): void {
  const affiliation = affiliationKey({ ...heldFor(p), person: p.person });
  const key = membershipKey({ affiliation, group: p.group });
  run.outbox.send({ type: 'removed', entity: 'membership', key });
}

const preferred: Readonly<Record<'learner' | 'other', readonly AffiliationKind[]>> = {
  learner: ['pupil', 'staff', 'external', 'guardian'],
  other: ['staff', 'external', 'pupil', 'guardian'],
};

/** Which of a person's affiliations is in the class: of that school, and of the fitting kind. */
function heldFor(p: Enrolment & { readonly user: User }): Held {
  const kinds = preferred[p.role === 'learner' ? 'learner' : 'other'];
  const here = p.user.held.filter(({ institution }) => institution === p.classroom.institution);
  for (const held of [here, p.user.held]) {
    for (const kind of kinds) {
      const fitting = held.find((one) => one.kind === kind);
      if (fitting !== undefined) return fitting;
    }
  }
  // Only in a delta that does not list the person.
  const kind = p.role === 'learner' ? 'pupil' : 'staff';
  return { institution: p.classroom.institution, kind };
}

const inferred: Readonly<Record<MembershipRole, readonly [AffiliationKind, AffiliationRole]>> = {
  learner: ['pupil', 'pupil'],
  teacher: ['staff', 'teacher'],
  lead: ['staff', 'teacher'],
  assistant: ['staff', 'substitute'],
  member: ['external', 'external'],
};

/** People whose row has no role are what their enrolments make them; without any they stay as they were. */
export function settleUndecided(run: Run): void {
  for (const [person, undecided] of run.undecided) {
    const at = (field: string) => ({ file: fileOf(run, 'users'), line: undecided.row, field });
    if (undecided.enrolments.length === 0) {
      const message = 'Neither role nor enrolment says what a person is; an earlier version stays.';
      const diagnostic = tell('role-missing', 'error', at('role'), message);
      run.outbox.reject({ entity: 'affiliation', person, diagnostic });
      continue;
    }
    run.outbox.note(tell('role-inferred', 'info', at('role'), 'No role; taken from enrolments.'));
    settleOne(run, { person, undecided });
  }
}

function settleOne(run: Run, p: { readonly person: string; readonly undecided: Undecided }): void {
  const { person, undecided } = p;
  const drafts: AffiliationDraft[] = undecided.enrolments.flatMap(({ group, role }) => {
    const [kind, as] = inferred[role];
    const institution = run.classes.get(group)?.institution;
    if (institution === undefined) return [];
    const grade = kind === 'pupil' ? undecided.grade : null;
    const open = { localId: undecided.localId, from: null, to: null, primary: null };
    return [{ institution, kind, roles: [as], grade, ...open }];
  });
  const [first] = drafts;
  if (first === undefined) return;
  for (const institution of undecided.institutions) {
    if (!drafts.some((draft) => draft.institution === institution)) {
      drafts.push({ ...first, institution });
    }
  }
  const user = tellAffiliations(run, { person, drafts });
  for (const { group, role, row } of undecided.enrolments) {
    const classroom = run.classes.get(group);
    if (classroom === undefined) continue;
    const silentRow: Row = { number: row, outOfStep: false, get: () => null, has: () => false };
    tellMembership(run, { person, group, classroom, role, row: silentRow, user });
  }
}
