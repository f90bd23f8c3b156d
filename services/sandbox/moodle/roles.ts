import { type Call, requireRight, webFunction } from './call.ts';
import { codingError, invalidParameter } from './failure.ts';
import * as param from './params.ts';
import type { ContextLevel, RoleRow } from './state.ts';

const assignment = param.structure({
  roleid: param.integer,
  userid: param.integer,
  contextid: param.optional(param.integer),
  contextlevel: param.optional(param.alpha),
  instanceid: param.optional(param.integer),
});

type Assignment = ReturnType<typeof assignment.read>;

/** Which roles may be given at which level on a fresh site. */
const rolesAt: Readonly<Record<ContextLevel, readonly number[]>> = {
  system: [1, 2],
  coursecat: [1, 2],
  course: [1, 3, 4, 5],
  module: [3, 4, 5],
  user: [],
};

function resolve(call: Call, given: Assignment): RoleRow {
  const { state } = call;
  const base = { user: given.userid, role: given.roleid };
  if (given.contextid !== undefined) {
    const context = state.contexts.get(given.contextid);
    if (context === undefined) throw invalidParameter();
    return { ...base, level: context.level, instance: context.instance };
  }
  const instance = given.instanceid ?? 0;
  switch (given.contextlevel) {
    case 'system':
      return { ...base, level: 'system', instance: 0 };
    case 'coursecat':
      if (state.categories.get(instance) === undefined) throw invalidParameter();
      return { ...base, level: 'coursecat', instance };
    case 'course':
      if (state.courses.get(instance) === undefined) throw invalidParameter();
      return { ...base, level: 'course', instance };
    default:
      throw invalidParameter();
  }
}

/** All or nothing (recording moodle-4.5.6/27). */
const assignRoles = webFunction({
  params: param.structure({ assignments: param.list(assignment) }),
  run(call, { assignments }) {
    const { state } = call;
    state.store.transaction(() => {
      for (const given of assignments) {
        const row = resolve(call, given);
        requireRight(call, 'Assign roles to users');
        if (!rolesAt[row.level].includes(row.role)) throw invalidParameter();
        const user = state.users.get(row.user);
        if (user === undefined || user.deleted) {
          throw codingError('User ID does not exist or is deleted!');
        }
        state.roles.put(row);
      }
    });
    return null;
  },
});

const unassignRoles = webFunction({
  params: param.structure({ unassignments: param.list(assignment) }),
  run(call, { unassignments }) {
    const { state } = call;
    state.store.transaction(() => {
      for (const given of unassignments) {
        const row = resolve(call, given);
        requireRight(call, 'Assign roles to users');
        if (!rolesAt[row.level].includes(row.role)) throw invalidParameter();
        state.roles.delete(`${row.level}:${row.instance}:${row.user}:${row.role}`);
      }
    });
    return null;
  },
});

export const roleFunctions = {
  core_role_assign_roles: assignRoles,
  core_role_unassign_roles: unassignRoles,
};
