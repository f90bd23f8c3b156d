import * as z from 'zod';
import type { Moodle } from './http.ts';
import { chunk } from './write.ts';

const flag = z.union([z.boolean(), z.number()]).transform((value) => Boolean(value));

const user = z.object({
  id: z.number(),
  username: z.string(),
  firstname: z.string().default(''),
  lastname: z.string().default(''),
  email: z.string().default(''),
  /** Absent when empty (recording moodle-4.5.6/10). */
  idnumber: z.string().default(''),
  auth: z.string().default(''),
  suspended: flag.default(false),
  /** Custom profile fields by short name; only those that are filled in come. */
  customfields: z
    .array(z.object({ shortname: z.string(), value: z.string() }))
    .default([])
    .transform((fields) => new Map(fields.map((one) => [one.shortname, one.value]))),
});

export type MoodleUser = z.infer<typeof user>;
export const userList = z.array(user);

const category = z.object({
  id: z.number(),
  name: z.string(),
  idnumber: z
    .string()
    .nullish()
    .transform((value) => value ?? ''),
  parent: z.number(),
  coursecount: z.number().default(0),
  visible: flag.default(true),
});

export type MoodleCategoryRow = z.infer<typeof category>;
const categoryList = z.array(category);

const course = z.object({
  id: z.number(),
  shortname: z.string(),
  fullname: z.string(),
  categoryid: z.number(),
  idnumber: z.string().default(''),
  startdate: z.number().default(0),
  enddate: z.number().default(0),
  timecreated: z.number().default(0),
  visible: flag.default(true),
  format: z.string().default(''),
});

export type MoodleCourseRow = z.infer<typeof course>;
const courseList = z.array(course);

const cohort = z.object({
  id: z.number(),
  name: z.string(),
  idnumber: z
    .string()
    .nullish()
    .transform((value) => value ?? ''),
  visible: flag.default(true),
});

export type MoodleCohortRow = z.infer<typeof cohort>;
const cohortList = z.array(cohort);

const enrolled = z.array(
  z.object({
    id: z.number(),
    username: z.string().default(''),
    roles: z.array(z.object({ roleid: z.number(), shortname: z.string() })).default([]),
    groups: z.array(z.object({ id: z.number() })).default([]),
  }),
);

export type MoodleEnrolled = z.infer<typeof enrolled>;

/** The context of the system itself. */
const systemContext = 1;

/** 100 people who are there take 0.3 s. */
const lookupSize = 100;

/** 200 who are not there take 0.04 s, and 800 take 0.07 s (measured on 4.5.6). */
const nobodiesSize = 400;

/** Missing users are absent. One value that is not a clean username spoils the call (recording moodle-4.5.6/10). */
export async function findUsers(p: {
  readonly moodle: Moodle;
  readonly field: 'id' | 'username' | 'idnumber' | 'email';
  readonly values: readonly (string | number)[];
  /** Few of them, or none, are expected to be there. */
  readonly nobodies?: boolean;
}): Promise<readonly MoodleUser[]> {
  const size = p.nobodies === true ? nobodiesSize : lookupSize;
  const pages = await Promise.all(
    chunk([...new Set(p.values)], size).map((values) =>
      p.moodle.read({
        function: 'core_user_get_users_by_field',
        params: { field: p.field, values },
        answer: userList,
      }),
    ),
  );
  return pages.flat();
}

/** A deleted user is still found by id: its e-mail is a digest then (recording moodle-4.5.6/13). */
export function isTombstone(user: MoodleUser): boolean {
  return /^[0-9a-f]{32}$/.test(user.email);
}

/** Everybody who is not deleted; there is no paging, `email` like `%` matches all (recording moodle-4.5.6/10). */
export async function listUsers(moodle: Moodle): Promise<readonly MoodleUser[]> {
  const answer = await moodle.read({
    function: 'core_user_get_users',
    params: { criteria: [{ key: 'email', value: '%' }] },
    answer: z.object({ users: userList }),
  });
  return answer.users;
}

export async function findCategories(p: {
  readonly moodle: Moodle;
  readonly ids: readonly number[];
}): Promise<readonly MoodleCategoryRow[]> {
  const pages = await Promise.all(
    chunk([...new Set(p.ids)], lookupSize).map((ids) =>
      readCategories({ moodle: p.moodle, key: 'ids', value: ids.join(',') }),
    ),
  );
  return pages.flat();
}

export function readCategories(p: {
  readonly moodle: Moodle;
  readonly key: 'ids' | 'idnumber' | 'parent';
  readonly value: string;
}): Promise<readonly MoodleCategoryRow[]> {
  return p.moodle.read({
    function: 'core_course_get_categories',
    params: { criteria: [{ key: p.key, value: p.value }], addsubcategories: false },
    answer: categoryList,
  });
}

export function listCategories(moodle: Moodle): Promise<readonly MoodleCategoryRow[]> {
  return moodle.read({
    function: 'core_course_get_categories',
    params: {},
    answer: categoryList,
  });
}

/** Missing ones are absent here; the look-up by field would break on them (recording moodle-4.5.6/21). */
export async function findCourses(p: {
  readonly moodle: Moodle;
  readonly ids: readonly number[];
}): Promise<readonly MoodleCourseRow[]> {
  const pages = await Promise.all(
    chunk([...new Set(p.ids)], lookupSize).map((ids) =>
      p.moodle.read({
        function: 'core_course_get_courses',
        params: { options: { ids } },
        answer: courseList,
      }),
    ),
  );
  return pages.flat();
}

export async function findCoursesBy(p: {
  readonly moodle: Moodle;
  readonly field: 'idnumber' | 'shortname' | 'category';
  readonly value: string;
}): Promise<readonly MoodleCourseRow[]> {
  const answer = await p.moodle.read({
    function: 'core_course_get_courses_by_field',
    params: { field: p.field, value: p.value },
    answer: z.object({ courses: courseList }),
  });
  return answer.courses;
}

/** All but the site itself. */
export async function listCourses(moodle: Moodle): Promise<readonly MoodleCourseRow[]> {
  const all = await moodle.read({
    function: 'core_course_get_courses',
    params: {},
    answer: courseList,
  });
  return all.filter((row) => row.format !== 'site');
}

/** Calls nothing without ids, since a call without ids means all. */
export async function findCohorts(p: {
  readonly moodle: Moodle;
  readonly ids: readonly number[];
}): Promise<readonly MoodleCohortRow[]> {
  const pages = await Promise.all(
    chunk([...new Set(p.ids)], lookupSize).map((cohortids) =>
      p.moodle.read({
        function: 'core_cohort_get_cohorts',
        params: { cohortids },
        answer: cohortList,
      }),
    ),
  );
  return pages.flat();
}

/** No ids means all (recording moodle-4.5.6/15). */
export function listCohorts(moodle: Moodle): Promise<readonly MoodleCohortRow[]> {
  return moodle.read({ function: 'core_cohort_get_cohorts', params: {}, answer: cohortList });
}

/**
 * The search finds substrings in three columns, so the answer is compared here (recording
 * moodle-4.5.6/16). `limitfrom` is a page number and not an offset, so there is one large page.
 */
export async function findCohortByMark(p: {
  readonly moodle: Moodle;
  readonly mark: string;
  /** Only in this category's context; null: anywhere. */
  readonly category: number | null;
}): Promise<MoodleCohortRow | null> {
  const answer = await p.moodle.read({
    function: 'core_cohort_search_cohorts',
    params: {
      query: p.mark,
      context:
        p.category === null
          ? { contextid: systemContext }
          : { contextlevel: 'coursecat', instanceid: p.category },
      includes: p.category === null ? 'all' : 'self',
      limitnum: 1000,
    },
    answer: z.object({ cohorts: cohortList }),
  });
  return answer.cohorts.find((row) => row.idnumber === p.mark) ?? null;
}

/** Cohort id -> ids of its members. The cohorts must exist. */
export async function readCohortMembers(p: {
  readonly moodle: Moodle;
  readonly ids: readonly number[];
}): Promise<ReadonlyMap<number, readonly number[]>> {
  const pages = await Promise.all(
    chunk([...new Set(p.ids)], lookupSize).map((cohortids) =>
      p.moodle.read({
        function: 'core_cohort_get_cohort_members',
        params: { cohortids },
        answer: z.array(z.object({ cohortid: z.number(), userids: z.array(z.number()) })),
      }),
    ),
  );
  return new Map(pages.flat().map((row) => [row.cohortid, row.userids]));
}

/** Everybody in the course, suspended enrolments included (recording moodle-4.5.6/25). */
export function readEnrolled(p: {
  readonly moodle: Moodle;
  readonly courseId: number;
}): Promise<MoodleEnrolled> {
  return p.moodle.read({
    function: 'core_enrol_get_enrolled_users',
    params: {
      courseid: p.courseId,
      options: [{ name: 'userfields', value: 'id,username,roles,groups' }],
    },
    answer: enrolled,
  });
}

export const warningList = z.object({
  warnings: z
    .array(
      z.object({
        itemid: z.number().optional(),
        warningcode: z.coerce.string(),
      }),
    )
    .default([]),
});
