import { type Call, escapeName, requireCourse, webFunction } from './call.ts';
import {
  invalidParameter,
  invalidResponse,
  missingRecord,
  missingUser,
  moodleFailure,
} from './failure.ts';
import * as param from './params.ts';
import { fold, type GroupRow, type State } from './state.ts';

const idnumberTaken = () => moodleFailure('idnumbertaken', 'This ID number is already in use');

function checkCourse(call: Call, id: number): void {
  if (call.state.courses.get(id) === undefined) {
    throw moodleFailure(
      'errorcoursecontextnotvalid',
      `You cannot execute functions in the course context (course id:${id}). ` +
        'The context error message was: Invalid parameter value detected',
    );
  }
  requireCourse(call);
}

function findGroup(call: Call, id: number): GroupRow {
  const group = call.state.groups.get(id);
  if (group === undefined) throw missingRecord('groups');
  requireCourse(call);
  return group;
}

function checkName(state: State, course: number, name: string, except: number | null): void {
  if (name.trim() === '') throw invalidParameter();
  for (const other of state.groups.find('course', course)) {
    if (other.id !== except && fold(other.name) === fold(name)) throw invalidParameter();
  }
}

function checkIdnumber(state: State, course: number, idnumber: string, except: number | null) {
  if (idnumber === '') return;
  for (const other of state.groups.find('course', course)) {
    if (other.id !== except && fold(other.idnumber) === fold(idnumber)) throw idnumberTaken();
  }
}

/** Only the answer to creation knows the key and the raw name (recording moodle-4.5.6/26, 28). */
function viewGroup(group: GroupRow, fresh: boolean) {
  return {
    id: group.id,
    courseid: group.course,
    name: fresh ? group.name : escapeName(group.name),
    description: group.description,
    descriptionformat: 1,
    enrolmentkey: group.enrolmentkey === '' && !fresh ? null : group.enrolmentkey,
    idnumber: group.idnumber,
    visibility: group.visibility,
    participation: group.participation,
  };
}

const optionalFields = {
  descriptionformat: param.optional(param.integer),
  enrolmentkey: param.optional(param.raw),
  idnumber: param.optional(param.raw),
  visibility: param.optional(param.integer),
  participation: param.optional(param.flag),
};

const createGroups = webFunction({
  params: param.structure({
    groups: param.list(
      param.structure({
        ...optionalFields,
        courseid: param.integer,
        name: param.text,
        description: param.raw,
      }),
    ),
  }),
  run(call, { groups }) {
    const { state } = call;
    return state.store.transaction(() =>
      groups.map((given) => {
        checkCourse(call, given.courseid);
        checkName(state, given.courseid, given.name, null);
        checkIdnumber(state, given.courseid, given.idnumber ?? '', null);
        const group: GroupRow = {
          id: state.store.nextId('group'),
          course: given.courseid,
          name: given.name,
          idnumber: given.idnumber ?? '',
          description: given.description,
          enrolmentkey: given.enrolmentkey ?? '',
          visibility: given.visibility ?? 0,
          participation: given.participation ?? true,
        };
        state.groups.put(group);
        return viewGroup(group, true);
      }),
    );
  },
});

const updateGroups = webFunction({
  params: param.structure({
    groups: param.list(
      param.structure({
        ...optionalFields,
        id: param.integer,
        name: param.text,
        description: param.optional(param.raw),
      }),
    ),
  }),
  run(call, { groups }) {
    const { state } = call;
    state.store.transaction(() => {
      for (const given of groups) {
        const group = findGroup(call, given.id);
        checkName(state, group.course, given.name, group.id);
        checkIdnumber(state, group.course, given.idnumber ?? '', group.id);
        state.groups.put({
          ...group,
          name: given.name,
          idnumber: given.idnumber ?? group.idnumber,
          description: given.description ?? group.description,
        });
      }
    });
    return null;
  },
});

/** A group that is not there is no fault (recording moodle-4.5.6/26). */
const deleteGroups = webFunction({
  params: param.structure({ groupids: param.list(param.integer) }),
  run(call, { groupids }) {
    const { state } = call;
    state.store.transaction(() => {
      for (const id of groupids) {
        if (state.groups.get(id) === undefined) continue;
        requireCourse(call);
        for (const row of state.groupMembers.find('of', id)) {
          state.groupMembers.delete(`${id}:${row.user}`);
        }
        for (const row of state.groupingMembers.find('group', id)) {
          state.groupingMembers.delete(`${row.grouping}:${id}`);
        }
        state.groups.delete(id);
      }
    });
    return null;
  },
});

const members = param.structure({
  members: param.list(param.structure({ groupid: param.integer, userid: param.integer })),
});

/** Only who is enrolled in the course may be in its groups (recording moodle-4.5.6/26). */
const addGroupMembers = webFunction({
  params: members,
  run(call, given) {
    const { state } = call;
    state.store.transaction(() => {
      for (const { groupid, userid } of given.members) {
        const group = findGroup(call, groupid);
        const user = state.users.get(userid);
        if (user === undefined || user.deleted) throw missingUser();
        if (state.enrolments.get(`${group.course}:${userid}`) === undefined) {
          throw invalidParameter();
        }
        state.groupMembers.put({ of: groupid, user: userid });
      }
    });
    return null;
  },
});

const deleteGroupMembers = webFunction({
  params: members,
  run(call, given) {
    const { state } = call;
    state.store.transaction(() => {
      for (const { groupid, userid } of given.members) {
        findGroup(call, groupid);
        state.groupMembers.delete(`${groupid}:${userid}`);
      }
    });
    return null;
  },
});

const groupids = param.structure({ groupids: param.list(param.integer) });

const getGroupMembers = webFunction({
  params: groupids,
  run: (call, given) =>
    given.groupids.map((groupid) => {
      findGroup(call, groupid);
      const rows = call.state.groupMembers.find('of', groupid);
      return { groupid, userids: rows.map((row) => row.user).sort((a, b) => a - b) };
    }),
});

const getGroups = webFunction({
  params: groupids,
  run: (call, given) =>
    given.groupids.map((id) => ({ ...viewGroup(findGroup(call, id), false), customfields: [] })),
});

const getCourseGroups = webFunction({
  params: param.structure({ courseid: param.integer }),
  run(call, { courseid }) {
    checkCourse(call, courseid);
    return call.state.groups.find('course', courseid).map((group) => viewGroup(group, false));
  },
});

const getCourseUserGroups = webFunction({
  params: param.structure({
    courseid: param.orElse(param.integer, 0),
    userid: param.orElse(param.integer, 0),
    groupingid: param.orElse(param.integer, 0),
  }),
  run(call, { courseid, userid }) {
    checkCourse(call, courseid);
    const groups = call.state.groupMembers
      .find('user', userid)
      .map((row) => call.state.groups.get(row.of))
      .filter((group) => group?.course === courseid)
      .filter((group) => group !== undefined)
      .map((group) => ({
        id: group.id,
        name: escapeName(group.name),
        description: group.description,
        descriptionformat: 1,
        idnumber: group.idnumber,
        courseid: group.course,
      }));
    return { groups, warnings: [] };
  },
});

/** Without idnumber the answer is an error although the grouping is made (recording moodle-4.5.6/26). */
const createGroupings = webFunction({
  params: param.structure({
    groupings: param.list(
      param.structure({
        courseid: param.integer,
        name: param.text,
        description: param.raw,
        descriptionformat: param.optional(param.integer),
        idnumber: param.optional(param.raw),
      }),
    ),
  }),
  run(call, { groupings }) {
    const { state } = call;
    const made = state.store.transaction(() =>
      groupings.map((given) => {
        checkCourse(call, given.courseid);
        const { name, description } = given;
        if (name.trim() === '') throw invalidParameter();
        const others = state.groupings.find('course', given.courseid);
        if (others.some((other) => fold(other.name) === fold(name))) throw invalidParameter();
        const idnumber = given.idnumber ?? '';
        if (others.some((other) => idnumber !== '' && fold(other.idnumber) === fold(idnumber))) {
          throw idnumberTaken();
        }
        const id = state.store.nextId('grouping');
        state.groupings.put({ id, course: given.courseid, name, description, idnumber });
        return { id, courseid: given.courseid, name, description, descriptionformat: 1, idnumber };
      }),
    );
    if (groupings.some((given) => given.idnumber === undefined)) throw invalidResponse();
    return made;
  },
});

const getCourseGroupings = webFunction({
  params: param.structure({ courseid: param.integer }),
  run(call, { courseid }) {
    checkCourse(call, courseid);
    return call.state.groupings.find('course', courseid).map((grouping) => ({
      id: grouping.id,
      courseid,
      name: escapeName(grouping.name),
      description: grouping.description,
      descriptionformat: 1,
      idnumber: grouping.idnumber,
    }));
  },
});

const assignments = param.list(
  param.structure({ groupingid: param.integer, groupid: param.integer }),
);

const assignGrouping = webFunction({
  params: param.structure({ assignments }),
  run(call, given) {
    const { state } = call;
    state.store.transaction(() => {
      for (const { groupingid, groupid } of given.assignments) {
        if (state.groupings.get(groupingid) === undefined) throw missingRecord('groupings');
        findGroup(call, groupid);
        state.groupingMembers.put({ grouping: groupingid, group: groupid });
      }
    });
    return null;
  },
});

const unassignGrouping = webFunction({
  params: param.structure({ unassignments: assignments }),
  run(call, given) {
    const { state } = call;
    state.store.transaction(() => {
      for (const { groupingid, groupid } of given.unassignments) {
        if (state.groupings.get(groupingid) === undefined) throw missingRecord('groupings');
        findGroup(call, groupid);
        state.groupingMembers.delete(`${groupingid}:${groupid}`);
      }
    });
    return null;
  },
});

export const groupFunctions = {
  core_group_create_groups: createGroups,
  core_group_update_groups: updateGroups,
  core_group_delete_groups: deleteGroups,
  core_group_add_group_members: addGroupMembers,
  core_group_delete_group_members: deleteGroupMembers,
  core_group_get_group_members: getGroupMembers,
  core_group_get_groups: getGroups,
  core_group_get_course_groups: getCourseGroups,
  core_group_get_course_user_groups: getCourseUserGroups,
  core_group_create_groupings: createGroupings,
  core_group_get_course_groupings: getCourseGroupings,
  core_group_assign_grouping: assignGrouping,
  core_group_unassign_grouping: unassignGrouping,
};
