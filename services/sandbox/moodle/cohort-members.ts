import { webFunction } from './call.ts';
import { findCohort, requireCohortRight } from './cohorts.ts';
import { missingUser } from './failure.ts';
import * as param from './params.ts';
import { compareText, fold, type State } from './state.ts';

const pointer = param.structure({ type: param.text, value: param.raw });

interface Pointer {
  readonly type: string;
  readonly value: string;
}

interface Warning {
  readonly warningcode: '1' | '2' | '3';
  readonly message: string;
}

function findUserId(state: State, p: Pointer): number | null {
  const user =
    p.type === 'id' ? state.users.get(p.value) : state.users.find('username', fold(p.value))[0];
  return user === undefined || user.deleted ? null : user.id;
}

/** Null when the member was added. */
function addMember(state: State, cohort: Pointer, user: Pointer): Warning | null {
  const described = `${cohort.type}=${cohort.value} ${user.type}=${user.value}`;
  if (!['id', 'idnumber'].includes(cohort.type)) {
    return { warningcode: '1', message: `invalid parameter: cohortype=${cohort.type}` };
  }
  if (!['id', 'username'].includes(user.type)) {
    return { warningcode: '1', message: `invalid parameter: usertype=${user.type}` };
  }
  const row =
    cohort.type === 'id'
      ? state.cohorts.get(cohort.value)
      : state.cohorts.find('idnumber', fold(cohort.value))[0];
  if (row === undefined) {
    return { warningcode: '2', message: `cohort ${cohort.type}=${cohort.value} not exists` };
  }
  const userId = findUserId(state, user);
  if (userId === null) {
    return { warningcode: '2', message: `user ${user.type}=${user.value} not exists` };
  }
  if (state.cohortMembers.get(`${row.id}:${userId}`) !== undefined) {
    return { warningcode: '3', message: `record already exists: cohort(${described})` };
  }
  state.cohortMembers.put({ of: row.id, user: userId });
  return null;
}

/** The good ones are added, the others become warnings (recording moodle-4.5.6/17). */
const addMembers = webFunction({
  params: param.structure({
    members: param.list(param.structure({ cohorttype: pointer, usertype: pointer })),
  }),
  run(call, { members }) {
    requireCohortRight(call);
    return call.state.store.transaction(() => ({
      warnings: members
        .map((member) => addMember(call.state, member.cohorttype, member.usertype))
        .filter((warning) => warning !== null),
    }));
  },
});

/** All or nothing; who is not a member is no fault (recording moodle-4.5.6/17). */
const deleteMembers = webFunction({
  params: param.structure({
    members: param.list(param.structure({ cohortid: param.integer, userid: param.integer })),
  }),
  run(call, { members }) {
    const { state } = call;
    state.store.transaction(() => {
      for (const { cohortid, userid } of members) {
        findCohort(state, cohortid);
        const user = state.users.get(userid);
        if (user === undefined || user.deleted) throw missingUser();
        requireCohortRight(call);
        state.cohortMembers.delete(`${cohortid}:${userid}`);
      }
    });
    return null;
  },
});

/** By last and first name (recording moodle-4.5.6/17). */
const getMembers = webFunction({
  params: param.structure({ cohortids: param.list(param.integer) }),
  run(call, { cohortids }) {
    const { state } = call;
    return cohortids.map((cohortid) => {
      findCohort(state, cohortid);
      requireCohortRight(call);
      const users = state.cohortMembers
        .find('of', cohortid)
        .map((row) => state.users.get(row.user))
        .filter((user) => user !== undefined)
        .sort(
          (a, b) => compareText(a.lastname, b.lastname) || compareText(a.firstname, b.firstname),
        );
      return { cohortid, userids: users.map((user) => user.id) };
    });
  },
});

export const cohortMemberFunctions = {
  core_cohort_add_cohort_members: addMembers,
  core_cohort_delete_cohort_members: deleteMembers,
  core_cohort_get_cohort_members: getMembers,
};
