import * as z from 'zod';
import type { MoodleCourse } from '../../policy/resource.ts';
import type { Outcome, Work } from '../contract.ts';
import type { Moodle } from './http.ts';
import { MoodleError } from './http.ts';
import { findCourses, findCoursesBy, type MoodleCourseRow } from './lookup.ts';
import { outcomeOf, retry } from './write.ts';

interface Row {
  readonly work: Work;
  readonly mark: string;
  readonly body: MoodleCourse | null;
  readonly category: number | null;
}

type Outcomes = Map<Work, Outcome>;

/** A course with many files takes minutes, and Moodle goes on when nobody waits any more. */
const copyTimeoutMs = 600_000;
const lookAgainMs = 120_000;
const abandonedMs = 3_600_000;

/**
 * Makes courses as copies of a template course, one after the other, and gives back how each stands.
 *
 * Copied by core_course_duplicate_course and not by creation and import: an import adds the contents
 * again on each run and leaves two "Announcements" forums (recording moodle-4.5.6/23), so a lost
 * answer would be a doubled course. A copy always goes into a course of its own. By default it takes
 * the template's people along, hence `users` 0. It is born without idnumber, hidden, with our mark as
 * its short name, so that it is found again when the answer is lost; Moodle gives it that name when
 * it is done (while it works, the template's with a number). The caller then gives it its own.
 */
export async function copyCourses(p: {
  readonly moodle: Moodle;
  readonly rows: readonly Row[];
  readonly outcomes: Outcomes;
}): Promise<ReadonlyMap<Row, MoodleCourseRow>> {
  const { moodle, outcomes } = p;
  const copies = new Map<Row, MoodleCourseRow>();
  const templates = new Map<string, MoodleCourseRow | null>();
  for (const row of p.rows) {
    const name = row.body?.template ?? '';
    try {
      let template = templates.get(name);
      if (template === undefined) {
        const found = await findCoursesBy({ moodle, field: 'shortname', value: name });
        template = found[0] ?? null;
        templates.set(name, template);
      }
      if (template === null) {
        const detail = `no course has the short name of the template, "${name}"`;
        outcomes.set(row.work, retry('template-missing', detail));
        continue;
      }
      const copy = await copyOnce({ moodle, row, template });
      if ('state' in copy) outcomes.set(row.work, copy);
      else copies.set(row, copy);
    } catch (error) {
      if (!(error instanceof MoodleError)) throw error;
      outcomes.set(row.work, copyFailure(error));
    }
  }
  return copies;
}

/** After a lost answer Moodle may still be at it: looking at once would find nothing and copy again. */
function copyFailure(error: MoodleError): Outcome {
  return error.code === 'answer-lost'
    ? retry('copy-unfinished', 'the answer to the copying was lost', lookAgainMs)
    : outcomeOf(error);
}

async function copyOnce(p: {
  readonly moodle: Moodle;
  readonly row: Row;
  readonly template: MoodleCourseRow;
}): Promise<MoodleCourseRow | Outcome> {
  const { moodle, row, template } = p;
  const born = await findCoursesBy({ moodle, field: 'shortname', value: row.mark });
  const complete = await sizeOf(moodle, template.id);
  for (const course of born) {
    if (course.idnumber !== '') continue;
    // Nobody has seen a hidden course of this name, so there is no work of anybody in it to lose.
    if ((await sizeOf(moodle, course.id)) === complete) return course;
    if (Date.now() - course.timecreated * 1000 < abandonedMs) {
      return retry('copy-unfinished', 'Moodle is still copying the course', lookAgainMs);
    }
    await moodle.write({
      function: 'core_course_delete_courses',
      params: { courseids: [course.id] },
      answer: z.unknown(),
    });
  }
  const made = await moodle.write({
    function: 'core_course_duplicate_course',
    params: {
      courseid: template.id,
      fullname: row.body?.fullname ?? '',
      shortname: row.mark,
      categoryid: row.category ?? 0,
      visible: 0,
      options: [{ name: 'users', value: 0 }],
    },
    answer: z.object({ id: z.number() }),
    timeoutMs: copyTimeoutMs,
  });
  const [course] = await findCourses({ moodle, ids: [made.id] });
  return course ?? retry('copy-unfinished', 'the copy is not to be seen yet', lookAgainMs);
}

const contents = z.array(z.object({ modules: z.array(z.unknown()).default([]) }));

/** Sections and what stands in them. */
async function sizeOf(moodle: Moodle, courseid: number): Promise<string> {
  const sections = await moodle.read({
    function: 'core_course_get_contents',
    params: { courseid, options: [{ name: 'excludecontents', value: 1 }] },
    answer: contents,
  });
  return sections.map((section) => section.modules.length).join();
}
