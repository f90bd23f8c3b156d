import { readGrade } from '../grade.ts';
import type { GroupKind, TermKind } from '../record.ts';
import type { Run } from './run.ts';
import {
  dateOf,
  fileOf,
  institutionOf,
  isInstitutionNumber,
  lifeOf,
  listOf,
  rowsOf,
  tell,
} from './run.ts';
import type { Row } from './table.ts';
import { readOrgType } from './vocabulary.ts';

const termKinds: ReadonlyMap<string, TermKind> = new Map([
  ['gradingperiod', 'period'],
  ['semester', 'semester'],
  ['schoolyear', 'schoolYear'],
  ['term', 'term'],
]);

const groupKinds: ReadonlySet<string> = new Set([
  'class',
  'year',
  'teaching',
  'line',
  'team',
  'afterschool',
  'other',
]);

/** @returns the latest school year as `2026-2027`; its dates count, its schoolYear column varies */
export async function readTerms(run: Run): Promise<string | null> {
  const { outbox } = run;
  const entity = 'academicsessions';
  let latest: string | null = null;
  for await (const row of rowsOf(run, entity, ['sourcedid'])) {
    const place = { file: fileOf(run, entity), line: row.number, field: 'sourcedId' };
    const key = row.get('sourcedid');
    const from = dateOf(run, { entity, row, column: 'startdate' });
    const to = dateOf(run, { entity, row, column: 'enddate' });
    if (key === null || row.outOfStep) {
      const diagnostic = tell('row-unreadable', 'error', place, 'A session without id, or askew.');
      outbox.reject({ entity: 'term', key, diagnostic });
      continue;
    }
    if (lifeOf(run, entity, row) === 'gone') {
      if (run.pack.completeness[entity] === 'delta') {
        outbox.send({ type: 'removed', entity: 'term', key });
      }
      continue;
    }
    run.terms.add(key);
    if (from === null || to === null) {
      const diagnostic = tell('term-without-dates', 'error', place, 'A session needs two dates.');
      outbox.reject({ entity: 'term', key, diagnostic });
      continue;
    }
    const kind = termKinds.get(row.get('type')?.toLowerCase() ?? '') ?? 'term';
    const year = `${from.slice(0, 4)}-${to.slice(0, 4)}`;
    if (kind === 'schoolYear' && (latest === null || year > latest)) latest = year;
    const name = row.get('title') ?? key;
    const parent = row.get('parentsourcedid');
    outbox.record({ entity: 'term', key, name, kind, from, to, parent });
  }
  return latest;
}

/** @returns how many institutions are there */
export async function readOrgs(run: Run): Promise<number> {
  const { outbox } = run;
  const parents: { readonly row: Row; readonly key: string; readonly id: string }[] = [];
  const taken = new Set<string>();
  for await (const row of rowsOf(run, 'orgs', ['sourcedid'])) {
    const id = row.get('sourcedid');
    const place = { file: fileOf(run, 'orgs'), line: row.number, field: 'sourcedId' };
    if (id === null || row.outOfStep) {
      const diagnostic = tell('row-unreadable', 'error', place, 'An org without id, or askew.');
      outbox.reject({ entity: 'institution', key: id, diagnostic });
      continue;
    }
    const identifier = row.get('identifier');
    const number = identifier !== null && isInstitutionNumber(identifier) ? identifier : id;
    const key = taken.has(number) ? id : number;
    if (key !== number || taken.has(key)) {
      const message = 'Two orgs have one identifier; the second goes by its sourcedId.';
      outbox.note(tell('org-identifier-duplicate', 'warning', place, message));
      if (taken.has(key)) continue;
    }
    if (lifeOf(run, 'orgs', row) === 'gone') {
      if (run.pack.completeness.orgs === 'delta') {
        outbox.send({ type: 'removed', entity: 'institution', key });
      }
      continue;
    }
    taken.add(key);
    run.institutions.set(id, key);
    parents.push({ row, key, id });
  }
  for (const { row, key } of parents) {
    const place = { file: fileOf(run, 'orgs'), line: row.number, field: 'type' };
    const kind = readOrgType(row.get('type'));
    if (kind === null) {
      outbox.note(tell('org-type-unknown', 'warning', place, 'Unknown type, read as other.'));
    }
    const parentId = row.get('parentsourcedid');
    const parent = parentId === null ? null : (run.institutions.get(parentId) ?? null);
    if (parentId !== null && parent === null) {
      outbox.note(
        tell('org-parent-dangling', 'info', place, 'The parent is not listed; left out.'),
      );
    }
    const name = row.get('name') ?? key;
    outbox.record({ entity: 'institution', key, name, kind: kind ?? 'other', parent });
  }
  return taken.size;
}

/**
 * classes.csv. Courses are not needed, so a course that is nowhere does no harm. Columns that only
 * Skolebus writes carry what WS17 says beyond OneRoster: `metadata.groupKind` (a GroupKind),
 * `metadata.line`, `metadata.fromDate`, `metadata.toDate`.
 *
 * @returns whether the row speaks of something that is there
 */
export function readClass(run: Run, row: Row): boolean {
  const { outbox } = run;
  const entity = 'classes';
  const file = fileOf(run, entity);
  const at = (field: string) => ({ file, line: row.number, field });
  const key = row.get('sourcedid');
  if (key !== null && lifeOf(run, entity, row) === 'gone') {
    if (run.pack.completeness.classes === 'delta') {
      outbox.send({ type: 'removed', entity: 'group', key });
    }
    return false;
  }
  const school = row.get('schoolsourcedid');
  const institution = school === null ? null : institutionOf(run, school);
  const reject = (code: string, field: string, message: string): void => {
    const diagnostic = tell(code, 'error', at(field), message);
    if (key !== null) run.unreadable.add(`group\n${key}`);
    outbox.reject({ entity: 'group', key, institution, group: key, diagnostic });
  };
  if (key === null || row.outOfStep) {
    reject('row-unreadable', 'sourcedId', 'A class without id, or with more cells than columns.');
    return true;
  }
  if (institution === null) {
    reject('org-dangling', 'schoolSourcedId', 'The school of a class is not listed.');
    return true;
  }
  if (run.classes.has(key)) {
    const message = 'A class stands twice; the first one counts.';
    outbox.note(tell('class-duplicate', 'warning', at('sourcedId'), message));
    return true;
  }
  const name = row.get('title');
  if (name === null) {
    outbox.note(tell('class-title-missing', 'warning', at('title'), 'No title; its id is shown.'));
  }
  const terms = listOf(row.get('termsourcedids'));
  const knownTerms = terms.filter((term) => run.terms.has(term));
  if (knownTerms.length < terms.length && run.pack.completeness.academicsessions !== 'delta') {
    const message = 'A term is not listed; the class is read without it.';
    outbox.note(tell('term-dangling', 'info', at('termSourcedIds'), message));
  }
  const kind = groupKindOf(run, row);
  run.classes.set(key, { institution, kind, members: new Set() });
  outbox.record({
    entity: 'group',
    key,
    institution,
    kind,
    name: name ?? key,
    grade: gradeOf(run, row, entity),
    line: row.get('metadata.line'),
    subject: listOf(row.get('subjects'))[0] ?? null,
    terms: run.pack.completeness.academicsessions === 'delta' ? terms : knownTerms,
    from: dateOf(run, { entity, row, column: 'metadata.fromdate' }),
    to: dateOf(run, { entity, row, column: 'metadata.todate' }),
  });
  return true;
}

function groupKindOf(run: Run, row: Row): GroupKind {
  const place = { file: fileOf(run, 'classes'), line: row.number, field: 'classType' };
  const own = row.get('metadata.groupkind');
  if (own !== null && groupKinds.has(own)) return own as GroupKind;
  const written = row.get('classtype');
  const type = written?.toLowerCase();
  if (written !== null && type !== written && (type === 'homeroom' || type === 'scheduled')) {
    const message = 'A value has capitals where the format has none; understood.';
    run.outbox.noteOnce(tell('enumeration-case', 'info', place, message));
  }
  if (type === 'homeroom') return 'class';
  if (type === 'scheduled') return 'teaching';
  const message = 'Neither homeroom nor scheduled; read as a teaching group.';
  run.outbox.noteOnce(tell('class-type-unknown', 'warning', place, message));
  return 'teaching';
}

/** The one grade of a class or a user; several at once (mixed ages) are none. */
export function gradeOf(run: Run, row: Row, entity: 'classes' | 'users'): string | null {
  const written = listOf(row.get('grades'));
  const [first] = written;
  if (first === undefined || written.length > 1) return null;
  const grade = readGrade(first);
  if (grade === null) {
    const place = { file: fileOf(run, entity), line: row.number, field: 'grades' };
    run.outbox.note(tell('grade-unknown', 'warning', place, 'Unknown grade, read as absent.'));
  }
  return grade;
}
