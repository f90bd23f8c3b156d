import { type Call, escapeName, requireCourse, webFunction } from './call.ts';
import { sortorderOf } from './courses.ts';
import { invalidParameter, MoodleFailure, missingRecord } from './failure.ts';
import * as param from './params.ts';
import { type CourseRow, contextId, fold, type ModuleRow, type State } from './state.ts';

export function courseImage(call: Call, course: CourseRow): string {
  const context = contextId(call.state, 'course', course.id);
  return `${call.base}/pluginfile.php/${context}/course/generated/course.svg`;
}

function viewShort(call: Call, course: CourseRow) {
  const category = call.state.categories.get(course.category);
  return {
    id: course.id,
    fullname: escapeName(course.fullname),
    displayname: escapeName(course.fullname),
    shortname: escapeName(course.shortname),
    courseimage: courseImage(call, course),
    categoryid: course.category,
    categoryname: category === undefined ? '' : escapeName(category.name),
    sortorder: sortorderOf(call.state, course),
    summary: course.summary,
    summaryformat: 1,
    summaryfiles: [],
    overviewfiles: [],
    showactivitydates: true,
    showcompletionconditions: true,
    contacts: [],
    enrollmentmethods: ['manual'],
  };
}

const filters = [
  'displayh5p',
  'activitynames',
  'mathjaxloader',
  'emoticon',
  'urltolink',
  'mediaplugin',
].map((filter) => ({ filter, localstate: 0, inheritedstate: 1 }));

const formatOptions = [
  { name: 'hiddensections', value: 1 },
  { name: 'coursedisplay', value: 0 },
];

/** Recording moodle-4.5.6/21. */
function viewByField(call: Call, course: CourseRow) {
  return {
    ...viewShort(call, course),
    idnumber: course.idnumber,
    format: course.format,
    showgrades: 1,
    newsitems: 5,
    startdate: course.startdate,
    enddate: course.enddate,
    maxbytes: 0,
    showreports: 0,
    visible: course.visible ? 1 : 0,
    groupmode: 0,
    groupmodeforce: 0,
    defaultgroupingid: 0,
    enablecompletion: 1,
    completionnotify: 0,
    lang: '',
    theme: '',
    marker: 0,
    legacyfiles: 0,
    calendartype: '',
    timecreated: course.timecreated,
    timemodified: course.timemodified,
    requested: 0,
    cacherev: course.timemodified,
    filters,
    courseformatoptions: [...formatOptions, { name: 'indentation', value: '1' }],
  };
}

function selectByField(state: State, field: string, value: string): readonly CourseRow[] {
  switch (field) {
    case '':
      return [...state.courses.all()];
    case 'id': {
      if (!/^\d+$/.test(value)) throw invalidParameter();
      const course = state.courses.get(value);
      return course === undefined ? [] : [course];
    }
    case 'ids': {
      const rows = value.split(',').map((id) => state.courses.get(id.trim()));
      const found = rows.filter((row) => row !== undefined);
      // A PHP error of the server's own, without errorcode (recording moodle-4.5.6/21).
      if (found.length < rows.length) {
        throw new MoodleFailure({
          exception: 'Error',
          errorcode: null,
          message: 'Attempt to assign property "contextvalidated" on null',
        });
      }
      return found;
    }
    case 'shortname':
    case 'idnumber':
      return value === '' ? [] : state.courses.find(field, fold(value));
    case 'category':
      return state.courses.find('category', Number(value));
    default:
      throw invalidParameter();
  }
}

const getByField = webFunction({
  params: param.structure({
    field: param.orElse(param.alpha, ''),
    value: param.orElse(param.raw, ''),
  }),
  run(call, { field, value }) {
    const found = selectByField(call.state, field, value);
    const courses = call.admin ? [...found].sort((a, b) => a.id - b.id) : [];
    return { courses: courses.map((course) => viewByField(call, course)), warnings: [] };
  },
});

/** A missing id is simply not there (recording moodle-4.5.6/21). */
const getCourses = webFunction({
  params: param.structure({
    options: param.orElse(param.structure({ ids: param.orElse(param.list(param.integer), []) }), {
      ids: [],
    }),
  }),
  run(call, { options }) {
    const { state } = call;
    const rows =
      options.ids.length === 0
        ? [...state.courses.all()]
        : [...new Set(options.ids)].map((id) => state.courses.get(id));
    return rows
      .filter((row) => row !== undefined)
      .sort((a, b) => a.id - b.id)
      .map((course) => {
        requireCourse(call);
        return viewListed(call, course);
      });
  },
});

function viewListed(call: Call, course: CourseRow) {
  return {
    id: course.id,
    shortname: escapeName(course.shortname),
    categoryid: course.category,
    categorysortorder: sortorderOf(call.state, course),
    fullname: escapeName(course.fullname),
    displayname: escapeName(course.fullname),
    idnumber: course.idnumber,
    summary: course.summary,
    summaryformat: 1,
    format: course.format,
    showgrades: 1,
    newsitems: 5,
    startdate: course.startdate,
    enddate: course.enddate,
    numsections: Math.max(0, call.state.sections.find('course', course.id).length - 1),
    maxbytes: 0,
    showreports: 0,
    visible: course.visible ? 1 : 0,
    hiddensections: 1,
    groupmode: 0,
    groupmodeforce: 0,
    defaultgroupingid: 0,
    timecreated: course.timecreated,
    timemodified: course.timemodified,
    enablecompletion: 1,
    completionnotify: 0,
    lang: '',
    forcetheme: '',
    courseformatoptions: formatOptions,
    showactivitydates: true,
    showcompletionconditions: true,
  };
}

const searchCourses = webFunction({
  params: param.structure({
    criterianame: param.alpha,
    criteriavalue: param.raw,
    page: param.orElse(param.integer, 0),
    perpage: param.orElse(param.integer, 0),
  }),
  run(call, { criterianame, criteriavalue, page, perpage }) {
    if (criterianame !== 'search') throw invalidParameter();
    const wanted = fold(criteriavalue);
    const found = [...call.state.courses.all()].filter(
      (course) =>
        course.id !== 1 &&
        [course.fullname, course.shortname, course.idnumber, course.summary].some((text) =>
          fold(text).includes(wanted),
        ),
    );
    const rows = perpage === 0 ? found : found.slice(page * perpage, (page + 1) * perpage);
    return {
      total: found.length,
      courses: rows.map((course) => viewShort(call, course)),
      warnings: [],
    };
  },
});

/** Recording moodle-4.5.6/23. */
function viewModule(call: Call, module: ModuleRow) {
  const contextid = contextId(call.state, 'module', module.id);
  const icon = `${call.base}/theme/image.php/boost/${module.modname}/1/monologo?filtericon=1`;
  const head = {
    id: module.id,
    url: `${call.base}/mod/${module.modname}/view.php?id=${module.id}`,
    name: escapeName(module.name),
    instance: module.instance,
    contextid,
    visible: 1,
    uservisible: true,
    visibleoncoursepage: 1,
    modicon: icon,
    modname: module.modname,
    purpose: module.modname === 'forum' ? 'collaboration' : 'content',
    branded: false,
    modplural: module.modname === 'forum' ? 'Forums' : 'Pages',
    availability: null,
    indent: 0,
    onclick: '',
    afterlink: null,
    ...(module.modname === 'forum' ? { activitybadge: [] } : {}),
    customdata: module.modname === 'forum' ? '{"trackingtype":"1"}' : '""',
    noviewlink: false,
    completion: 0,
    downloadcontent: 1,
    dates: [],
    groupmode: 0,
  };
  return module.modname === 'forum' ? head : { ...head, ...viewPage(call, module, contextid) };
}

function viewPage(call: Call, module: ModuleRow, contextid: number) {
  return {
    contents: [
      {
        type: 'file',
        filename: 'index.html',
        filepath: '/',
        filesize: 0,
        fileurl: `${call.base}/webservice/pluginfile.php/${contextid}/mod_page/content/index.html?forcedownload=1`,
        timecreated: null,
        timemodified: module.timemodified,
        sortorder: 1,
        userid: null,
        author: null,
        license: null,
      },
    ],
    contentsinfo: {
      filescount: 1,
      filessize: 0,
      lastmodified: module.timemodified,
      mimetypes: [],
      repositorytype: '',
    },
  };
}

const getContents = webFunction({
  params: param.structure({
    courseid: param.integer,
    options: param.optional(param.list(param.structure({ name: param.alpha, value: param.raw }))),
  }),
  run(call, { courseid }) {
    const { state } = call;
    if (state.courses.get(courseid) === undefined) throw missingRecord('course');
    requireCourse(call);
    const modules = state.modules.find('course', courseid);
    return [...state.sections.find('course', courseid)]
      .sort((a, b) => a.section - b.section)
      .map((section) => ({
        id: section.id,
        name: section.section === 0 ? 'General' : 'New section',
        visible: 1,
        summary: '',
        summaryformat: 1,
        section: section.section,
        hiddenbynumsections: 0,
        uservisible: true,
        component: null,
        itemid: null,
        modules: modules
          .filter((module) => module.section === section.section)
          .map((module) => viewModule(call, module)),
      }));
  },
});

export const courseReads = {
  core_course_get_courses_by_field: getByField,
  core_course_get_courses: getCourses,
  core_course_search_courses: searchCourses,
  core_course_get_contents: getContents,
};
