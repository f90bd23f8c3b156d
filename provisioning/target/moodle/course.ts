import * as z from 'zod';
import type { MoodleCourse } from '../../policy/resource.ts';
import type { ExternalIdLookup, Outcome, Work } from '../contract.ts';
import { copyCourses } from './course-copy.ts';
import { syncEnrolments } from './enrolment.ts';
import { syncGroups } from './group.ts';
import type { FormValue, Moodle } from './http.ts';
import {
  findCategories,
  findCourses,
  findCoursesBy,
  type MoodleCourseRow,
  warningList,
} from './lookup.ts';
import { dayOf, endOfDay, isOwn, keyOfMark, ownerMark, startOfDay, unescapeName } from './mark.ts';
import { numberOf, type Site } from './site.ts';
import {
  type ApplyOrder,
  applied,
  asLookFirst,
  batchSize,
  eachRow,
  findRemovals,
  heldByOurs,
  isFresh,
  keepPlaced,
  noteMade,
  outcomeOf,
  outcomeOfCode,
  rejected,
  sendBatches,
} from './write.ts';

interface Row {
  readonly work: Work;
  readonly mark: string;
  readonly body: MoodleCourse | null;
  /** The number of the desired category, null while it does not exist. */
  readonly category: number | null;
}

type Outcomes = Map<Work, Outcome>;

/**
 * Creates, changes, hides and deletes courses and keeps their enrolments. Nothing in the database
 * keeps two courses from one shortname (reference: six creates at once made six), so idnumber and
 * shortname are looked up first and the connector applies one batch of a kind at a time.
 */
export async function applyCourses(p: ApplyOrder): Promise<Outcomes> {
  const { site } = p;
  const { moodle } = site;
  const outcomes: Outcomes = new Map();
  const rows = await readRows(p);
  const fresh = p.careful ? new Set<Row>() : await findFresh(moodle, rows);
  const current = await findCurrent({
    moodle,
    rows: rows.filter((row) => !fresh.has(row)),
    outcomes,
  });
  const open = rows.filter((row) => !outcomes.has(row.work));
  await deleteCourses({ moodle, rows: open.filter((row) => row.body === null), current, outcomes });
  const wanted = keepPlaced({ rows: open, outcomes });
  const lacking = wanted.filter((row) => !current.has(row));
  const copied = (row: Row) => row.body?.template !== undefined;
  const ids = await createCourses({
    site,
    rows: lacking.filter((row) => !copied(row)),
    fresh,
    outcomes,
  });
  const made = new Set(ids.keys());
  const copies = await copyCourses({ moodle, rows: lacking.filter(copied), outcomes });
  for (const [row, course] of copies) current.set(row, course);
  for (const [row, course] of current) ids.set(row, course.id);
  await updateCourses({ site, rows: wanted, current, outcomes });
  const standing = wanted
    .filter((row) => !outcomes.has(row.work) && ids.has(row))
    .map((row) => ({ work: row.work, courseId: ids.get(row) ?? 0, fresh: made.has(row) }));
  const settled = await fillCourses({ site, externalIds: p.externalIds, rows: standing });
  for (const [work, outcome] of settled) outcomes.set(work, outcome);
  return outcomes;
}

/** People first, then their groups: a course's groups take only who is in the course. */
async function fillCourses(p: {
  readonly site: Site;
  readonly externalIds: ExternalIdLookup;
  readonly rows: readonly { work: Work; courseId: number; fresh: boolean }[];
}): Promise<ReadonlyMap<Work, Outcome>> {
  const outcomes = new Map(await syncEnrolments(p));
  const { externalIds } = p;
  const rows = p.rows.filter(({ work }) => outcomes.get(work)?.state === 'applied');
  const { failures, absent } = await syncGroups({ moodle: p.site.moodle, externalIds, rows });
  for (const { work } of rows) {
    const before = outcomes.get(work);
    if (before?.state !== 'applied') continue;
    const left = new Set([...(before.incomplete ?? []), ...(absent.get(work) ?? [])]);
    outcomes.set(work, failures.get(work) ?? applied(before.externalId, [...left]));
  }
  return outcomes;
}

/**
 * Rows that were never sent are not looked for one by one (two calls a course, 0.02 s each): while
 * batches do not race, Moodle refuses a short name and an idnumber that are taken, and then all are
 * looked for. The first of them is, because a ledger that was lost makes every row look new. A copy of
 * a template is always looked for.
 */
async function findFresh(moodle: Moodle, rows: readonly Row[]): Promise<ReadonlySet<Row>> {
  const fresh = rows.filter((row) => isFresh(row.work) && row.body?.template === undefined);
  const [first] = fresh;
  if (first === undefined) return new Set();
  const found = await findCoursesBy({ moodle, field: 'idnumber', value: first.mark });
  return new Set(found.length === 0 ? fresh : []);
}

async function readRows(p: {
  readonly site: Site;
  readonly batch: readonly Work[];
  readonly externalIds: ExternalIdLookup;
}): Promise<readonly Row[]> {
  const keys = p.batch.map((work) => (work.desired as MoodleCourse | null)?.category ?? null);
  const wanted = [...new Set(keys.filter((key) => key !== null))];
  const known = await p.externalIds({ kind: 'category', keys: wanted });
  // A course that is moved to a category that is gone IS moved there, and can then not even be
  // deleted (recording moodle-4.5.6/22): ask the server, not the ledger, what exists.
  const numbers = [...known.values()].map((id) => numberOf(id)).filter((id) => id !== null);
  const there = await findCategories({ moodle: p.site.moodle, ids: numbers });
  const existing = new Set(there.map((category) => category.id));
  return p.batch.map((work, index) => {
    const category = numberOf(known.get(keys[index] ?? ''));
    return {
      work,
      mark: ownerMark({ kind: 'course', key: work.key }),
      body: work.desired as MoodleCourse | null,
      category: category !== null && existing.has(category) ? category : null,
    };
  });
}

async function findCurrent(p: {
  readonly moodle: Moodle;
  readonly rows: readonly Row[];
  readonly outcomes: Outcomes;
}): Promise<Map<Row, MoodleCourseRow>> {
  const { moodle } = p;
  const current = new Map<Row, MoodleCourseRow>();
  const ids = p.rows.map((row) => numberOf(row.work.externalId)).filter((id) => id !== null);
  const byId = new Map((await findCourses({ moodle, ids })).map((course) => [course.id, course]));
  await eachRow({
    rows: p.rows,
    outcomes: p.outcomes,
    async look(row) {
      const known = byId.get(numberOf(row.work.externalId) ?? 0);
      if (known !== undefined && !isOwn({ ...row, idnumber: known.idnumber })) {
        p.outcomes.set(row.work, rejected('not-ours', 'the course no longer carries our mark'));
        return;
      }
      const marked =
        known === undefined
          ? await findCoursesBy({ moodle, field: 'idnumber', value: row.mark })
          : [known];
      const own = known ?? marked.find((course) => course.idnumber === row.mark);
      if (own !== undefined) current.set(row, own);
      else if (row.body !== null) await checkShortname({ moodle, row, outcomes: p.outcomes });
    },
  });
  return current;
}

async function checkShortname(p: {
  readonly moodle: Moodle;
  readonly row: Row;
  readonly outcomes: Outcomes;
}): Promise<void> {
  const value = p.row.body?.shortname ?? '';
  const [holder] = await findCoursesBy({ moodle: p.moodle, field: 'shortname', value });
  if (holder === undefined) return;
  const ours = keyOfMark(holder.idnumber) !== null;
  const detail = ours
    ? 'another of our courses has the short name'
    : 'a course that is not ours has the short name';
  const code = 'shortname-taken';
  p.outcomes.set(
    p.row.work,
    ours ? heldByOurs({ row: p.row.work, code, detail }) : rejected(code, detail),
  );
}

const createdList = z.array(z.object({ id: z.number(), shortname: z.string() }));

async function createCourses(p: {
  readonly site: Site;
  readonly rows: readonly Row[];
  readonly fresh: ReadonlySet<Row>;
  readonly outcomes: Outcomes;
}): Promise<Map<Row, number>> {
  const ids = new Map<Row, number>();
  const names = new Set<string>();
  const items = p.rows.filter((row) => {
    const name = row.body?.shortname.toLowerCase() ?? '';
    const double = names.has(name);
    names.add(name);
    if (!double) return true;
    const detail = 'another row of the same batch has the short name';
    p.outcomes.set(row.work, heldByOurs({ row: row.work, code: 'shortname-taken', detail }));
    return false;
  });
  const sent = await sendBatches<Row, number | null>({
    items,
    size: batchSize,
    // Two batches at once lock each other out of the categories' counters (seen on 4.5.6, MariaDB).
    inTurn: true,
    async send(batch) {
      const courses = batch.map((row) => creationOf(row, p.site.timeZone));
      const name = 'core_course_create_courses';
      const call = { function: name, params: { courses }, answer: createdList } as const;
      try {
        const made = await p.site.moodle.write(call);
        return batch.map((_, index) => ({ ok: true, value: made[index]?.id ?? null }));
      } catch (error) {
        throw batch.some((row) => p.fresh.has(row)) ? asLookFirst(error) : error;
      }
    },
  });
  noteMade({ sent, ids, outcomes: p.outcomes, what: 'course' });
  return ids;
}

function creationOf(row: Row, timeZone: string): FormValue {
  const { body } = row;
  if (body === null) throw new Error('a row without a body is not created');
  return {
    fullname: body.fullname,
    shortname: body.shortname,
    categoryid: row.category ?? 0,
    idnumber: row.mark,
    visible: body.active ? 1 : 0,
    startdate: body.startDate === null ? undefined : startOfDay(body.startDate, timeZone),
    enddate: body.endDate === null ? undefined : endOfDay(body.endDate, timeZone),
  };
}

function changesOf(p: {
  readonly row: Row;
  readonly course: MoodleCourseRow;
  readonly timeZone: string;
}): Record<string, FormValue> {
  const { row, course, timeZone } = p;
  const { body } = row;
  const fields: Record<string, FormValue> = {};
  if (body === null) return fields;
  if (course.idnumber !== row.mark) fields['idnumber'] = row.mark;
  if (unescapeName(course.fullname) !== body.fullname) fields['fullname'] = body.fullname;
  if (unescapeName(course.shortname) !== body.shortname) fields['shortname'] = body.shortname;
  if (course.visible !== body.active) fields['visible'] = body.active ? 1 : 0;
  if (row.category !== null && course.categoryid !== row.category) {
    fields['categoryid'] = row.category;
  }
  const { startDate, endDate } = body;
  if (startDate !== null && dayOf(course.startdate, timeZone) !== startDate) {
    fields['startdate'] = startOfDay(startDate, timeZone);
  }
  if (endDate !== null && dayOf(course.enddate, timeZone) !== endDate) {
    fields['enddate'] = endOfDay(endDate, timeZone);
    // Moodle looks at what is sent and not at what it has: an end alone is refused (seen on 4.5.6).
    fields['startdate'] ??= course.startdate;
  }
  return fields;
}

interface Change {
  readonly row: Row;
  readonly id: number;
  readonly fields: Readonly<Record<string, FormValue>>;
}

/** Each course on its own; what was not written is named in a warning (recording moodle-4.5.6/22). */
async function updateCourses(p: {
  readonly site: Site;
  readonly rows: readonly Row[];
  readonly current: ReadonlyMap<Row, MoodleCourseRow>;
  readonly outcomes: Outcomes;
}): Promise<void> {
  const items: Change[] = [];
  for (const row of p.rows) {
    const course = p.current.get(row);
    if (course === undefined) continue;
    const fields = changesOf({ row, course, timeZone: p.site.timeZone });
    if (Object.keys(fields).length > 0) items.push({ row, id: course.id, fields });
  }
  const sent = await sendBatches<Change, string | null>({
    items,
    size: batchSize,
    async send(batch) {
      const { warnings } = await p.site.moodle.write({
        function: 'core_course_update_courses',
        params: { courses: batch.map(({ id, fields }) => ({ id, ...fields })) },
        answer: warningList,
      });
      const faults = new Map(warnings.map((warning) => [warning.itemid, warning.warningcode]));
      return batch.map(({ id }) => ({ ok: true, value: faults.get(id) ?? null }));
    },
  });
  for (const [{ row }, result] of sent) {
    if (!result.ok) p.outcomes.set(row.work, outcomeOf(result.error));
    else if (result.value === 'shortnametaken') {
      const detail = 'another course has the short name';
      p.outcomes.set(row.work, heldByOurs({ row: row.work, code: 'shortname-taken', detail }));
    } else if (result.value !== null) {
      p.outcomes.set(row.work, outcomeOfCode(result.value));
    }
  }
}

interface Removal {
  readonly row: Row;
  readonly id: number;
}

/** Deleting is slow work for Moodle, so few at a time. */
const deletesPerCall = 10;

async function deleteCourses(p: {
  readonly moodle: Moodle;
  readonly rows: readonly Row[];
  readonly current: ReadonlyMap<Row, MoodleCourseRow>;
  readonly outcomes: Outcomes;
}): Promise<void> {
  const sent = await sendBatches<Removal, string | null>({
    items: findRemovals(p),
    size: deletesPerCall,
    async send(batch) {
      const { warnings } = await p.moodle.write({
        function: 'core_course_delete_courses',
        params: { courseids: batch.map(({ id }) => id) },
        answer: warningList,
      });
      const faults = new Map(warnings.map((warning) => [warning.itemid, warning.warningcode]));
      return batch.map(({ id }) => ({ ok: true, value: faults.get(id) ?? null }));
    },
  });
  for (const [{ row, id }, result] of sent) {
    if (!result.ok) p.outcomes.set(row.work, outcomeOf(result.error));
    else if (result.value === null || result.value === 'unknowncourseidnumber') {
      p.outcomes.set(row.work, applied(String(id)));
    } else p.outcomes.set(row.work, outcomeOfCode(result.value));
  }
}
