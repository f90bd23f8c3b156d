import { requireCourse, requireRight, webFunction } from './call.ts';
import { addModule, shortnameTaken } from './courses.ts';
import { missingRecord, moodleFailure } from './failure.ts';
import * as param from './params.ts';
import { type CourseRow, fold, nowSeconds, type State } from './state.ts';

const options = param.orElse(
  param.list(param.structure({ name: param.text, value: param.raw })),
  [],
);

const optionNames = new Set([
  'activities',
  'blocks',
  'filters',
  'users',
  'enrolments',
  'role_assignments',
  'comments',
  'userscompletion',
  'logs',
  'grade_histories',
]);

function readOptions(given: readonly { readonly name: string; readonly value: string }[]) {
  const read = new Map<string, boolean>();
  for (const { name, value } of given) {
    if (!optionNames.has(name)) {
      throw moodleFailure('invalidextparam', `Invalid external api parameter: ${name}`);
    }
    read.set(name, value === '1');
  }
  return read;
}

function findCourse(state: State, id: number): CourseRow {
  const course = state.courses.get(id);
  if (course === undefined || id === 1) {
    throw moodleFailure('invalidcourseid', 'You are trying to use an invalid course ID');
  }
  return course;
}

/** Adds the contents again on each run (recording moodle-4.5.6/23). */
function copyContents(state: State, from: number, to: number): void {
  const present = new Set(state.sections.find('course', to).map((row) => row.section));
  for (const { section } of state.sections.find('course', from)) {
    if (present.has(section)) continue;
    state.sections.put({ id: state.store.nextId('section'), course: to, section });
  }
  for (const module of state.modules.find('course', from)) {
    const { section, modname, name } = module;
    addModule(state, { course: to, section, modname, name });
  }
}

function copyPeople(state: State, from: number, to: number): void {
  for (const row of state.enrolments.find('course', from)) {
    state.enrolments.put({ ...row, course: to });
  }
  for (const row of state.roles.find('context', `course:${from}`)) {
    state.roles.put({ ...row, instance: to });
  }
}

/** By default the template's people come along, roles included, and the copy has no idnumber. */
const duplicateCourse = webFunction({
  params: param.structure({
    courseid: param.integer,
    fullname: param.text,
    shortname: param.text,
    categoryid: param.integer,
    visible: param.orElse(param.flag, true),
    options,
  }),
  run(call, given) {
    const { state } = call;
    const template = findCourse(state, given.courseid);
    requireCourse(call);
    if (state.categories.get(given.categoryid) === undefined) {
      throw missingRecord('course_categories');
    }
    requireRight(call, 'Create courses');
    const chosen = readOptions(given.options);
    // The message names the full name, not the short one (recording moodle-4.5.6/23).
    if (state.courses.find('shortname', fold(given.shortname)).length > 0) {
      throw shortnameTaken(given.fullname);
    }
    return state.store.transaction(() => {
      const id = state.store.nextId('course');
      const now = nowSeconds();
      state.courses.put({
        ...template,
        id,
        fullname: given.fullname,
        shortname: given.shortname,
        category: given.categoryid,
        idnumber: '',
        visible: given.visible,
        visibleOld: given.visible,
        timecreated: now,
        timemodified: now,
        rank: null,
        stranded: null,
      });
      copyContents(state, template.id, id);
      if (chosen.get('users') ?? true) copyPeople(state, template.id, id);
      return { id, shortname: given.shortname };
    });
  },
});

const importCourse = webFunction({
  params: param.structure({
    importfrom: param.integer,
    importto: param.integer,
    deletecontent: param.orElse(param.integer, 0),
    options,
  }),
  run(call, given) {
    const { state } = call;
    readOptions(given.options);
    const from = findCourse(state, given.importfrom);
    const to = findCourse(state, given.importto);
    requireCourse(call);
    state.store.transaction(() => {
      if (given.deletecontent === 1) emptyCourse(state, to);
      copyContents(state, from.id, to.id);
    });
    return null;
  },
});

function emptyCourse(state: State, course: CourseRow): void {
  for (const row of state.sections.find('course', course.id)) state.sections.delete(row.id);
  for (const row of state.modules.find('course', course.id)) state.modules.delete(row.id);
}

export const courseCopies = {
  core_course_duplicate_course: duplicateCourse,
  core_course_import_course: importCourse,
};
