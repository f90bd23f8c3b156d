import { type Call, requireRight, webFunction } from './call.ts';
import {
  invalidParameter,
  MoodleFailure,
  missingRecord,
  moodleFailure,
  writeFailure,
} from './failure.ts';
import * as param from './params.ts';
import { type CourseRow, fold, nowSeconds, type State } from './state.ts';

const yearSeconds = 31_536_000;

const fields = {
  idnumber: param.optional(param.raw),
  summary: param.optional(param.raw),
  summaryformat: param.optional(param.integer),
  format: param.optional(param.text),
  showgrades: param.optional(param.integer),
  newsitems: param.optional(param.integer),
  startdate: param.optional(param.integer),
  enddate: param.optional(param.integer),
  numsections: param.optional(param.integer),
  maxbytes: param.optional(param.integer),
  showreports: param.optional(param.integer),
  visible: param.optional(param.flag),
  hiddensections: param.optional(param.integer),
  groupmode: param.optional(param.integer),
  groupmodeforce: param.optional(param.integer),
  defaultgroupingid: param.optional(param.integer),
  enablecompletion: param.optional(param.integer),
  completionnotify: param.optional(param.integer),
  lang: param.optional(param.language),
  forcetheme: param.optional(param.theme),
};

const creation = param.structure({
  ...fields,
  fullname: param.text,
  shortname: param.text,
  categoryid: param.integer,
});

const changes = param.structure({
  ...fields,
  id: param.integer,
  fullname: param.optional(param.text),
  shortname: param.optional(param.text),
  categoryid: param.optional(param.integer),
});

type Creation = ReturnType<typeof creation.read>;
type Changes = ReturnType<typeof changes.read>;

/** Midnight in the recorded server's zone, as Moodle fills a start date in. */
function today(): number {
  const parts = new Intl.DateTimeFormat('en', {
    timeZone: 'Europe/Copenhagen',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
    hourCycle: 'h23',
  }).formatToParts();
  const part = (type: string) => Number(parts.find((one) => one.type === type)?.value);
  return nowSeconds() - part('hour') * 3600 - part('minute') * 60 - part('second');
}

export function checkShortname(state: State, shortname: string, except: number | null): void {
  const holders = state.courses.find('shortname', fold(shortname));
  if (holders.some((holder) => holder.id !== except)) throw shortnameTaken(shortname);
}

export function shortnameTaken(named: string): MoodleFailure {
  return moodleFailure(
    'shortnametaken',
    `Short name is already used for another course (${named})`,
  );
}

function checkIdnumber(state: State, idnumber: string, except: number | null): void {
  if (idnumber === '') return;
  const holders = state.courses.find('idnumber', fold(idnumber));
  if (holders.some((holder) => holder.id !== except)) {
    throw moodleFailure(
      'courseidnumbertaken',
      `ID number is already used for another course (${idnumber})`,
    );
  }
}

/** Of the dates that are sent; what the course has already is not looked at (seen on 4.5.6). */
function checkDates(given: { readonly startdate?: number; readonly enddate?: number }): void {
  const { startdate = 0, enddate = 0 } = given;
  if (startdate !== 0 && enddate !== 0 && enddate < startdate) {
    throw moodleFailure(
      'enddatebeforestartdate',
      'The course end date must be after the start date.',
    );
  }
  if (startdate === 0 && enddate !== 0) {
    throw moodleFailure(
      'nostartdatenoenddate',
      'A course end date can only be set if a start date is also set.',
    );
  }
}

function checkWidths(course: CourseRow): void {
  const narrow = [course.shortname, course.fullname];
  if (narrow.some((name) => [...name].length > 255)) throw writeFailure();
  if ([...course.idnumber].length > 100) throw writeFailure();
}

/** Moodle sorts again whenever a course is made or moved: the newest first, fresh copies included. */
export function rankCourses(state: State): number {
  for (const course of state.courses.find('unranked', 'yes')) {
    state.courses.put({ ...course, rank: state.store.nextId('rank') });
  }
  return state.store.nextId('rank');
}

/** Sections and the forum "Announcements" that every new course has (recording moodle-4.5.6/23). */
export function layContents(state: State, course: number, sections: number): void {
  for (let section = 0; section <= sections; section += 1) {
    state.sections.put({ id: state.store.nextId('section'), course, section });
  }
  addModule(state, { course, section: 0, modname: 'forum', name: 'Announcements' });
}

export function addModule(
  state: State,
  p: {
    readonly course: number;
    readonly section: number;
    readonly modname: 'forum' | 'page';
    readonly name: string;
  },
): void {
  state.modules.put({
    ...p,
    id: state.store.nextId('module'),
    instance: state.store.nextId(p.modname),
    timemodified: nowSeconds(),
  });
}

function createCourse(call: Call, given: Creation): { id: number; shortname: string } {
  const { state } = call;
  if (state.categories.get(given.categoryid) === undefined) {
    throw moodleFailure(
      'errorcatcontextnotvalid',
      `You cannot execute functions in the category context (category id:${given.categoryid}). ` +
        'The context error message was: Invalid parameter value detected',
    );
  }
  requireRight(call, 'Create courses');
  for (const key of ['fullname', 'shortname'] as const) {
    if (given[key] === '') {
      throw moodleFailure('errorinvalidparam', `The param "${key}" is invalid.`);
    }
  }
  checkShortname(state, given.shortname, null);
  checkIdnumber(state, given.idnumber ?? '', null);
  const startdate = given.startdate ?? today();
  const now = nowSeconds();
  const course: CourseRow = {
    id: state.store.nextId('course'),
    fullname: given.fullname,
    shortname: given.shortname,
    category: given.categoryid,
    idnumber: given.idnumber ?? '',
    summary: given.summary ?? '',
    format: given.format ?? 'topics',
    visible: given.visible ?? true,
    visibleOld: given.visible ?? true,
    startdate,
    enddate: given.enddate ?? startdate + yearSeconds,
    timecreated: now,
    timemodified: now,
    rank: rankCourses(state),
    stranded: null,
  };
  checkDates(course);
  checkWidths(course);
  state.courses.put(course);
  layContents(state, course.id, given.numsections ?? 0);
  return { id: course.id, shortname: course.shortname };
}

/** All of a batch or nothing (recording moodle-4.5.6/20). */
const createCourses = webFunction({
  params: param.structure({ courses: param.list(creation) }),
  run: (call, { courses }) =>
    call.state.store.transaction(() => courses.map((course) => createCourse(call, course))),
});

/** Where the newest has the lowest number in its category's range. */
export function sortorderOf(state: State, course: CourseRow): number {
  if (course.stranded !== null) return course.stranded;
  const { rank } = course;
  if (rank === null) return 0;
  const base = state.categories.get(course.category)?.sortorder ?? 0;
  let newer = 0;
  for (const other of state.courses.find('category', course.category)) {
    if (other.rank !== null && other.rank > rank) newer += 1;
  }
  return base + 1 + newer;
}

export function moveCourse(state: State, course: CourseRow, category: number): void {
  state.courses.put({ ...course, category, rank: rankCourses(state), stranded: null });
}

/**
 * A move to a category that does not exist is written, hides the course, and is then reported as a
 * warning (recording moodle-4.5.6/22).
 */
function strand(state: State, course: CourseRow, category: number): never {
  const stranded = sortorderOf(state, course);
  state.courses.put({ ...course, category, visible: false, stranded });
  throw missingRecord('course_categories');
}

function updateCourse(call: Call, given: Changes): void {
  const { state } = call;
  const course = state.courses.get(given.id);
  if (course === undefined) throw missingRecord('course');
  requireRight(call, 'Update course settings');
  if (given.shortname !== undefined) checkShortname(state, given.shortname, course.id);
  if (given.idnumber !== undefined) checkIdnumber(state, given.idnumber, course.id);
  const visible = given.visible ?? course.visible;
  const next: CourseRow = {
    ...course,
    fullname: given.fullname ?? course.fullname,
    shortname: given.shortname ?? course.shortname,
    idnumber: given.idnumber ?? course.idnumber,
    summary: given.summary ?? course.summary,
    format: given.format ?? course.format,
    visible,
    visibleOld: given.visible ?? course.visibleOld,
    startdate: given.startdate ?? course.startdate,
    enddate: given.enddate ?? course.enddate,
    timemodified: nowSeconds(),
  };
  checkDates({ startdate: given.startdate ?? 0, enddate: given.enddate ?? 0 });
  checkWidths(next);
  const { categoryid } = given;
  if (categoryid === undefined || categoryid === course.category) {
    state.courses.put(next);
  } else if (state.categories.get(categoryid) === undefined) {
    strand(state, next, categoryid);
  } else {
    const shown = course.stranded === null ? visible : (given.visible ?? course.visibleOld);
    moveCourse(state, { ...next, visible: shown }, categoryid);
  }
}

/** Each course on its own: what fails becomes a warning (recording moodle-4.5.6/22). */
const updateCourses = webFunction({
  params: param.structure({ courses: param.list(changes) }),
  run(call, { courses }) {
    const warnings: { item: string; itemid: number; warningcode: string; message: string }[] = [];
    call.state.store.transaction(() => {
      for (const course of courses) {
        try {
          updateCourse(call, course);
        } catch (error) {
          if (!(error instanceof MoodleFailure) || error.errorcode === null) throw error;
          const { errorcode, message } = error;
          warnings.push({ item: 'course', itemid: course.id, warningcode: errorcode, message });
        }
      }
    });
    return { warnings };
  },
});

export function deleteCourse(state: State, course: CourseRow): void {
  const { id } = course;
  for (const row of state.sections.find('course', id)) state.sections.delete(row.id);
  for (const row of state.modules.find('course', id)) state.modules.delete(row.id);
  for (const row of state.enrolments.find('course', id)) {
    state.enrolments.delete(`${id}:${row.user}`);
  }
  for (const row of state.roles.find('context', `course:${id}`)) {
    state.roles.delete(`course:${id}:${row.user}:${row.role}`);
  }
  for (const group of state.groups.find('course', id)) {
    for (const row of state.groupMembers.find('of', group.id)) {
      state.groupMembers.delete(`${group.id}:${row.user}`);
    }
    for (const row of state.groupingMembers.find('group', group.id)) {
      state.groupingMembers.delete(`${row.grouping}:${group.id}`);
    }
    state.groups.delete(group.id);
  }
  for (const row of state.groupings.find('course', id)) state.groupings.delete(row.id);
  state.courses.delete(id);
}

/** The good ones go, the others become warnings (recording moodle-4.5.6/22). */
const deleteCourses = webFunction({
  params: param.structure({ courseids: param.list(param.integer) }),
  run(call, { courseids }) {
    const { state } = call;
    const warnings = [];
    if (courseids.length === 0) throw invalidParameter();
    for (const itemid of courseids) {
      const course = state.courses.get(itemid);
      if (course === undefined) {
        const message = `Unknown course ID ${itemid}`;
        warnings.push({ item: 'course', itemid, warningcode: 'unknowncourseidnumber', message });
        continue;
      }
      requireRight(call, 'Delete courses');
      if (course.id === 1) {
        const message = `Course ${itemid} failed to be deleted`;
        warnings.push({
          item: 'course',
          itemid,
          warningcode: 'cannotdeletecategorycourse',
          message,
        });
      } else if (state.categories.get(course.category) === undefined) {
        throw missingRecord('course_categories');
      } else {
        state.store.transaction(() => deleteCourse(state, course));
      }
    }
    return { warnings };
  },
});

export const courseWrites = {
  core_course_create_courses: createCourses,
  core_course_update_courses: updateCourses,
  core_course_delete_courses: deleteCourses,
};
