import { type Call, escapeName, requireCourse, requireRight, webFunction } from './call.ts';
import { sortorderOf } from './courses.ts';
import { courseImage } from './courses-read.ts';
import { invalidParameter, missingRecord, missingUser, moodleFailure } from './failure.ts';
import * as param from './params.ts';
import {
  type CourseRow,
  type EnrolmentRow,
  nowSeconds,
  type State,
  type UserRow,
} from './state.ts';
import { imageOf, viewName } from './users.ts';

/** Role ids of a fresh site; a web service that lists roles does not exist. */
export const roleNames: ReadonlyMap<number, string> = new Map([
  [1, 'manager'],
  [2, 'coursecreator'],
  [3, 'editingteacher'],
  [4, 'teacher'],
  [5, 'student'],
]);

/** Course creators are not given out inside a course. */
const courseRoles = new Set([1, 3, 4, 5]);

const enrolment = param.structure({
  roleid: param.integer,
  userid: param.integer,
  courseid: param.integer,
  timestart: param.optional(param.integer),
  timeend: param.optional(param.integer),
  suspend: param.optional(param.flag),
});

function enrol(call: Call, given: ReturnType<typeof enrolment.read>): void {
  const { state } = call;
  const { roleid, userid, courseid } = given;
  if (state.courses.get(courseid) === undefined) throw invalidParameter();
  if (courseid !== 1) requireCourse(call);
  requireRight(call, 'Enrol users');
  if (!courseRoles.has(roleid)) {
    throw moodleFailure(
      'wsusercannotassign',
      `You don't have the permission to assign this role (${roleid}) to this user (${userid}) in this course (${courseid}).`,
    );
  }
  if (courseid === 1) {
    throw moodleFailure(
      'wsnoinstance',
      `Manual enrolment plugin instance doesn't exist or is disabled for the course (id = ${courseid})`,
    );
  }
  const user = state.users.get(userid);
  if (user?.id === 1) {
    throw moodleFailure('guestsarenotallowed', 'The guest user is not allowed to do this');
  }
  if (user === undefined || user.deleted) throw missingUser();
  // Suspend left out means active, also for one who was suspended (recording moodle-4.5.6/25).
  state.enrolments.put({
    course: courseid,
    user: userid,
    timestart: given.timestart ?? 0,
    timeend: given.timeend ?? 0,
    suspended: given.suspend ?? false,
  });
  state.roles.put({ level: 'course', instance: courseid, user: userid, role: roleid });
}

const editingTeacher = 3;

/**
 * Idempotent; another role is added; one bad entry undoes all (recording moodle-4.5.6/24). By default
 * 4.5.6 mails everybody who is enrolled, in the name of the course's first editing teacher, once the
 * transaction is through: where mail does not work the answer is an error, and all are enrolled.
 */
const enrolUsers = webFunction({
  params: param.structure({ enrolments: param.list(enrolment) }),
  run(call, { enrolments }) {
    const { state } = call;
    let mails = 0;
    state.store.transaction(() => {
      for (const one of enrolments) {
        const people = state.roles.find('context', `course:${one.courseid}`);
        if (people.some((row) => row.role === editingTeacher)) mails += 1;
        enrol(call, one);
      }
    });
    if (mails > 0 && state.settings().mailBroken) {
      throw moodleFailure('Message was not sent.', 'error/Message was not sent.');
    }
    return null;
  },
});

export function removeFromCourse(state: State, course: number, user: number): void {
  state.enrolments.delete(`${course}:${user}`);
  for (const row of state.roles.find('place', `course:${course}:${user}`)) {
    state.roles.delete(`course:${course}:${user}:${row.role}`);
  }
  for (const row of state.groupMembers.find('user', user)) {
    if (state.groups.get(row.of)?.course === course) {
      state.groupMembers.delete(`${row.of}:${user}`);
    }
  }
}

/** The role is ignored: whoever is named is out (recording moodle-4.5.6/25). */
const unenrolUsers = webFunction({
  params: param.structure({
    enrolments: param.list(
      param.structure({
        userid: param.integer,
        courseid: param.integer,
        roleid: param.optional(param.integer),
      }),
    ),
  }),
  run(call, { enrolments }) {
    const { state } = call;
    state.store.transaction(() => {
      for (const { userid, courseid } of enrolments) {
        if (state.courses.get(courseid) === undefined) throw missingRecord('course');
        requireCourse(call);
        const user = state.users.get(userid);
        if (user === undefined || user.deleted) throw missingUser();
        if (state.enrolments.get(`${courseid}:${userid}`) === undefined) continue;
        removeFromCourse(state, courseid, userid);
      }
    });
    return null;
  },
});

function isActive(row: EnrolmentRow): boolean {
  const now = nowSeconds();
  return !row.suspended && row.timestart <= now && (row.timeend === 0 || row.timeend > now);
}

/** The courses somebody can enter, as they are sorted. */
function activeCourses(state: State, user: number): readonly CourseRow[] {
  return state.enrolments
    .find('user', user)
    .filter(isActive)
    .map((row) => state.courses.get(row.course))
    .filter((course) => course !== undefined)
    .map((course) => ({ course, sortorder: sortorderOf(state, course) }))
    .sort((a, b) => a.sortorder - b.sortorder || a.course.id - b.course.id)
    .map(({ course }) => course);
}

function viewRoles(state: State, course: number, user: number) {
  return state.roles
    .find('place', `course:${course}:${user}`)
    .map((row) => row.role)
    .sort((a, b) => a - b)
    .map((roleid) => ({ roleid, name: '', shortname: roleNames.get(roleid) ?? '', sortorder: 0 }));
}

function viewGroups(state: State, course: number, user: number) {
  return state.groupMembers
    .find('user', user)
    .map((row) => state.groups.get(row.of))
    .filter((group) => group?.course === course)
    .filter((group) => group !== undefined)
    .map(({ id, name, description }) => ({ id, name, description, descriptionformat: 1 }));
}

function viewEnrolled(call: Call, user: UserRow, course: number): Record<string, unknown> {
  const { state } = call;
  const groups = viewGroups(state, course, user.id);
  const courses = activeCourses(state, user.id);
  return {
    ...viewName(user),
    department: user.texts['department'] ?? '',
    ...(user.idnumber === '' ? {} : { idnumber: user.idnumber }),
    firstaccess: 0,
    lastaccess: 0,
    lastcourseaccess: 0,
    profileimageurlsmall: imageOf(call, 'f2'),
    profileimageurl: imageOf(call, 'f1'),
    ...(groups.length === 0 ? {} : { groups }),
    roles: viewRoles(state, course, user.id),
    ...(courses.length === 0
      ? {}
      : {
          enrolledcourses: courses.map(({ id, fullname, shortname }) => ({
            id,
            fullname: escapeName(fullname),
            shortname: escapeName(shortname),
          })),
        }),
  };
}

/** Id and full name come always, the rest as asked for (recording moodle-4.5.6/24, 25). */
function viewChosen(call: Call, user: UserRow, course: number, fields: ReadonlySet<string>) {
  const name: Record<string, unknown> = viewName(user);
  const out: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(name)) {
    if (key === 'id' || key === 'fullname' || fields.has(key)) out[key] = value;
  }
  if (fields.has('idnumber') && user.idnumber !== '') out['idnumber'] = user.idnumber;
  const groups = fields.has('groups') ? viewGroups(call.state, course, user.id) : [];
  if (groups.length > 0) out['groups'] = groups;
  if (fields.has('roles')) out['roles'] = viewRoles(call.state, course, user.id);
  return out;
}

const getEnrolledUsers = webFunction({
  params: param.structure({
    courseid: param.integer,
    options: param.orElse(param.list(param.structure({ name: param.alpha, value: param.raw })), []),
  }),
  run(call, { courseid, options }) {
    const { state } = call;
    if (state.courses.get(courseid) === undefined) throw missingRecord('course');
    requireCourse(call);
    const option = new Map(options.map(({ name, value }) => [name, value]));
    const chosen = option.get('userfields');
    const fields = new Set((chosen ?? '').split(','));
    const rows = state.enrolments
      .find('course', courseid)
      .filter((row) => option.get('onlyactive') !== '1' || isActive(row))
      .filter((row) => option.get('onlysuspended') !== '1' || !isActive(row))
      .sort((a, b) => a.user - b.user);
    const from = Number(option.get('limitfrom') ?? 0);
    const limit = Number(option.get('limitnumber') ?? 0);
    return rows
      .slice(from, limit === 0 ? undefined : from + limit)
      .map((row) => state.users.get(row.user))
      .filter((user) => user !== undefined)
      .map((user) =>
        chosen === undefined
          ? viewEnrolled(call, user, courseid)
          : viewChosen(call, user, courseid, fields),
      );
  },
});

const getUsersCourses = webFunction({
  params: param.structure({
    userid: param.integer,
    returnusercount: param.orElse(param.flag, true),
  }),
  run(call, { userid }) {
    const { state } = call;
    if (!call.admin && call.user.id !== userid) return [];
    return activeCourses(state, userid).map((course) => ({
      id: course.id,
      shortname: escapeName(course.shortname),
      fullname: escapeName(course.fullname),
      displayname: escapeName(course.fullname),
      enrolledusercount: state.enrolments.find('course', course.id).length,
      idnumber: course.idnumber,
      visible: course.visible ? 1 : 0,
      summary: course.summary,
      summaryformat: 1,
      format: course.format,
      courseimage: courseImage(call, course),
      showgrades: true,
      lang: '',
      enablecompletion: true,
      completionhascriteria: false,
      completionusertracked: true,
      category: course.category,
      progress: null,
      completed: false,
      startdate: course.startdate,
      enddate: course.enddate,
      marker: 0,
      lastaccess: null,
      isfavourite: false,
      hidden: false,
      overviewfiles: [],
      showactivitydates: true,
      showcompletionconditions: true,
      timemodified: course.timemodified,
    }));
  },
});

/** Only methods that people use themselves are listed, and manual enrolment is none. */
const getMethods = webFunction({
  params: param.structure({ courseid: param.integer }),
  run(call, { courseid }) {
    if (call.state.courses.get(courseid) === undefined) throw missingRecord('course');
    return [];
  },
});

export const enrolmentFunctions = {
  enrol_manual_enrol_users: enrolUsers,
  enrol_manual_unenrol_users: unenrolUsers,
  core_enrol_get_enrolled_users: getEnrolledUsers,
  core_enrol_get_users_courses: getUsersCourses,
  core_enrol_get_course_enrolment_methods: getMethods,
};
