import { createHash } from 'node:crypto';
import { type Answer, fieldOf } from './exchange.ts';
import { type OcsResult, ok, refuse } from './ocs.ts';
import { missingParameter } from './ocs-errors.ts';
import {
  type Call,
  crash,
  governs,
  isSubadmin,
  type Route,
  readPage,
  textField,
  userParam,
} from './route.ts';
import {
  findGroup,
  findUser,
  type Group,
  groupKey,
  joinGroup,
  leaveGroup,
  membersOf,
  saveUser,
  type User,
} from './state.ts';
import { compareText, viewById } from './users.ts';

export const groupRoutes: readonly Route[] = [
  { method: 'GET', path: 'cloud/groups', needs: 'subadmin', confirm: false, handle: listGroups },
  { method: 'POST', path: 'cloud/groups', needs: 'admin', confirm: true, handle: createGroup },
  {
    method: 'GET',
    path: 'cloud/groups/details',
    needs: 'subadmin',
    confirm: false,
    handle: listDetails,
  },
  { method: 'GET', path: 'cloud/groups/*', needs: 'subadmin', confirm: false, handle: listMembers },
  { method: 'PUT', path: 'cloud/groups/*', needs: 'admin', confirm: true, handle: renameGroup },
  { method: 'DELETE', path: 'cloud/groups/*', needs: 'admin', confirm: true, handle: deleteGroup },
  {
    method: 'GET',
    path: 'cloud/groups/*/users',
    needs: 'subadmin',
    confirm: false,
    handle: listMembers,
  },
  {
    method: 'GET',
    path: 'cloud/groups/*/users/details',
    needs: 'subadmin',
    confirm: false,
    handle: listMemberDetails,
  },
  {
    method: 'GET',
    path: 'cloud/groups/*/subadmins',
    needs: 'admin',
    confirm: false,
    handle: listGroupSubadmins,
  },
  {
    method: 'GET',
    path: 'cloud/users/*/groups',
    needs: 'login',
    confirm: false,
    handle: listGroupsOfUser,
  },
  {
    method: 'POST',
    path: 'cloud/users/*/groups',
    needs: 'subadmin',
    confirm: true,
    handle: addMember,
  },
  {
    method: 'DELETE',
    path: 'cloud/users/*/groups',
    needs: 'subadmin',
    confirm: true,
    handle: removeMember,
  },
  {
    method: 'GET',
    path: 'cloud/users/*/subadmins',
    needs: 'admin',
    confirm: false,
    handle: listSubadminOf,
  },
  {
    method: 'POST',
    path: 'cloud/users/*/subadmins',
    needs: 'admin',
    confirm: true,
    handle: makeSubadmin,
  },
  {
    method: 'DELETE',
    path: 'cloud/users/*/subadmins',
    needs: 'admin',
    confirm: true,
    handle: endSubadmin,
  },
];

function pageOfGroups(call: Call): Group[] | null {
  const page = readPage(call);
  if (page === null) return null;
  const search = (call.ask.query.get('search') ?? '').toLowerCase();
  return [...call.state.groups.values()]
    .filter(
      (group) =>
        group.id.toLowerCase().includes(search) || group.displayName.toLowerCase().includes(search),
    )
    .sort((a, b) => compareText(a.id, b.id))
    .slice(page.offset, page.offset + page.limit);
}

function listGroups(call: Call): OcsResult {
  const page = pageOfGroups(call);
  return page === null ? crash() : ok({ groups: page.map((group) => group.id) });
}

function listDetails(call: Call): OcsResult {
  const page = pageOfGroups(call);
  if (page === null) return crash();
  const groups = page.map((group) => {
    const members = membersOf(call.state, group.id);
    const disabled = [...members].filter((id) => findUser(call.state, id)?.enabled === false);
    return {
      id: group.id,
      displayname: group.displayName,
      usercount: members.size,
      disabled: disabled.length,
      canAdd: true,
      canRemove: true,
    };
  });
  return ok({ groups });
}

/** An id longer than 64 characters is replaced by its hash, without a word (recording nextcloud-34.0.1/15). */
function createGroup(call: Call): OcsResult | Answer {
  const name = fieldOf(call.ask, 'groupid');
  if (name === undefined) return missingParameter(call);
  if (name === '') return refuse(101, 'Invalid group name');
  if (findGroup(call.state, name) !== undefined) return refuse(102, 'group exists');
  const id = name.length > 64 ? createHash('sha256').update(name).digest('hex') : name;
  if (findGroup(call.state, id) !== undefined) return refuse(103, 'Not supported by backend');
  const displayName = textField(call, 'displayname') || name;
  call.state.groups.set(groupKey(id), { id, displayName });
  return ok();
}

function renameGroup(call: Call): OcsResult | Answer {
  const group = findGroup(call.state, call.params[0] ?? '');
  const value = fieldOf(call.ask, 'value');
  if (value === undefined) return missingParameter(call);
  if (group === undefined) return refuse(998, 'Group does not exist');
  if (textField(call, 'key') !== 'displayname') return refuse(999);
  group.displayName = value;
  call.state.groups.set(groupKey(group.id), group);
  return ok();
}

/** Silently leaves its Team folders too (recording nextcloud-34.0.1/22). */
function deleteGroup(call: Call): OcsResult {
  const group = findGroup(call.state, call.params[0] ?? '');
  if (group === undefined) return refuse(101);
  if (group.id === 'admin') return refuse(102);
  for (const id of [...membersOf(call.state, group.id)]) {
    const user = findUser(call.state, id);
    if (user !== undefined) leaveGroup(call.state, user, group.id);
  }
  for (const folder of call.state.folders.values()) {
    if (folder.groups[group.id] === undefined) continue;
    delete folder.groups[group.id];
    call.state.folders.set(String(folder.id), folder);
  }
  call.state.groups.delete(groupKey(group.id));
  return ok();
}

function readMembers(call: Call): User[] | null {
  const group = findGroup(call.state, call.params[0] ?? '');
  if (group === undefined) return null;
  return [...membersOf(call.state, group.id)]
    .sort(compareText)
    .map((id) => findUser(call.state, id))
    .filter((user) => user !== undefined);
}

const noGroup = refuse(404, 'The requested group could not be found');

function listMembers(call: Call): OcsResult {
  const members = readMembers(call);
  return members === null ? noGroup : ok({ users: members.map((user) => user.id) });
}

function listMemberDetails(call: Call): OcsResult {
  const members = readMembers(call);
  const page = readPage(call);
  if (members === null) return noGroup;
  if (page === null) return crash();
  return ok({ users: viewById(call, members.slice(page.offset, page.offset + page.limit)) });
}

function listGroupsOfUser(call: Call): OcsResult {
  const user = userParam(call);
  if (user === undefined) return refuse(998);
  const own = user.id === call.caller.user.id;
  if (!own && !isSubadmin(call.caller)) return refuse(998);
  const groups = [...user.groups].sort(compareText);
  return ok({
    groups:
      own || call.caller.admin
        ? groups
        : groups.filter((group) => call.caller.user.subadmin.includes(group)),
  });
}

/** 101 no group named, 102 group missing, 103 user missing: recording nextcloud-34.0.1/17. */
function memberTarget(call: Call): OcsResult | { readonly user: User; readonly group: Group } {
  const id = textField(call, 'groupid');
  if (id === '') return refuse(101);
  const group = findGroup(call.state, id);
  if (group === undefined) return refuse(102);
  const user = userParam(call);
  if (user === undefined) return refuse(103);
  if (!call.caller.admin && !call.caller.user.subadmin.includes(group.id)) return refuse(104);
  return { user, group };
}

function addMember(call: Call): OcsResult {
  const target = memberTarget(call);
  if ('code' in target) return target;
  joinGroup(call.state, target.user, target.group);
  return ok();
}

function removeMember(call: Call): OcsResult {
  const target = memberTarget(call);
  if ('code' in target) return target;
  const { user, group } = target;
  const left = user.groups.filter((id) => id !== group.id);
  if (!call.caller.admin && !governs(call.caller, { ...user, groups: left })) {
    return refuse(105, 'Not viable to remove user from the last group you are sub-admin of');
  }
  leaveGroup(call.state, user, group.id);
  return ok();
}

function listGroupSubadmins(call: Call): OcsResult {
  const group = findGroup(call.state, call.params[0] ?? '');
  if (group === undefined) return refuse(101, 'Group does not exist');
  const users = [...call.state.users.values()].filter((user) => user.subadmin.includes(group.id));
  return ok(users.map((user) => user.id));
}

function listSubadminOf(call: Call): OcsResult {
  const user = userParam(call);
  return user === undefined ? refuse(404, 'User does not exist') : ok(user.subadmin);
}

function subadminTarget(call: Call): OcsResult | { readonly user: User; readonly group: Group } {
  const user = userParam(call);
  if (user === undefined) return refuse(101, 'User does not exist');
  const group = findGroup(call.state, textField(call, 'groupid'));
  if (group === undefined) return refuse(102, 'Group does not exist');
  return { user, group };
}

function makeSubadmin(call: Call): OcsResult {
  const target = subadminTarget(call);
  if ('code' in target) return target;
  if (target.group.id === 'admin') {
    return refuse(103, 'Cannot create sub-admins for admin group');
  }
  if (!target.user.subadmin.includes(target.group.id)) target.user.subadmin.push(target.group.id);
  saveUser(call.state, target.user);
  return ok();
}

function endSubadmin(call: Call): OcsResult {
  const target = subadminTarget(call);
  if ('code' in target) return target;
  const at = target.user.subadmin.indexOf(target.group.id);
  if (at < 0) return refuse(102, 'User is not a sub-admin of this group');
  target.user.subadmin.splice(at, 1);
  saveUser(call.state, target.user);
  return ok();
}
