import { takeEdit } from './edit-limit.ts';
import { answerEmpty, fieldOf, jsonType } from './exchange.ts';
import { type OcsResult, ok, refuse } from './ocs.ts';
import { missingParameter } from './ocs-errors.ts';
import { type Call, crash, governs, isSubadmin, type Route, readPage, userParam } from './route.ts';
import { removeUser, type State, saveUser, type User } from './state.ts';
import { createUser } from './user-create.ts';
import { editUser, editWholeUser } from './user-edit.ts';
import { viewUser } from './user-view.ts';

export const userRoutes: readonly Route[] = [
  { method: 'GET', path: 'cloud/user', needs: 'login', confirm: false, handle: readSelf },
  { method: 'GET', path: 'cloud/user/fields', needs: 'login', confirm: false, handle: readFields },
  {
    method: 'GET',
    path: 'cloud/user/fields/*',
    needs: 'login',
    confirm: false,
    handle: readFields,
  },
  { method: 'GET', path: 'cloud/users', needs: 'subadmin', confirm: false, handle: listUsers },
  { method: 'POST', path: 'cloud/users', needs: 'subadmin', confirm: true, handle: createUser },
  {
    method: 'GET',
    path: 'cloud/users/details',
    needs: 'subadmin',
    confirm: false,
    handle: listDetails,
  },
  {
    method: 'GET',
    path: 'cloud/users/disabled',
    needs: 'subadmin',
    confirm: false,
    handle: listDisabled,
  },
  { method: 'GET', path: 'cloud/users/*', needs: 'login', confirm: false, handle: readUser },
  { method: 'PUT', path: 'cloud/users/*', needs: 'login', confirm: true, handle: changeUser },
  { method: 'PATCH', path: 'cloud/users/*', needs: 'login', confirm: true, handle: changeWhole },
  { method: 'DELETE', path: 'cloud/users/*', needs: 'subadmin', confirm: true, handle: deleteUser },
  {
    method: 'PUT',
    path: 'cloud/users/*/disable',
    needs: 'subadmin',
    confirm: true,
    handle: (call) => setEnabled(call, false),
  },
  {
    method: 'PUT',
    path: 'cloud/users/*/enable',
    needs: 'subadmin',
    confirm: true,
    handle: (call) => setEnabled(call, true),
  },
];

function readSelf(call: Call): OcsResult {
  return ok(view(call, call.caller.user));
}

function readFields(call: Call): OcsResult {
  return ok(call.behaviour.userFields);
}

function readUser(call: Call): OcsResult {
  const user = userParam(call);
  const own = user?.id === call.caller.user.id;
  if (!own && (!isSubadmin(call.caller) || (user !== undefined && !governs(call.caller, user)))) {
    return refuse(998);
  }
  return user === undefined ? refuse(404, 'User does not exist') : ok(view(call, user));
}

function mayEdit(call: Call): boolean {
  return takeEdit({ limit: call.editLimit, user: call.caller.user.id, method: call.ask.method });
}

function changeUser(call: Call): ReturnType<Route['handle']> {
  if (!mayEdit(call)) return answerEmpty(429);
  const user = userParam(call);
  const own = user?.id === call.caller.user.id;
  const value = fieldOf(call.ask, 'value');
  const key = fieldOf(call.ask, 'key');
  if (value === undefined || key === undefined) return missingParameter(call);
  if (user === undefined || !(own || governs(call.caller, user))) return refuse(998);
  return editUser({ call, user, key, value });
}

/** All of the named fields or none (recording 34.0.1/33). */
function changeWhole(call: Call): ReturnType<Route['handle']> {
  if (!call.behaviour.editsWhole) {
    return { status: 405, headers: { 'Content-Type': jsonType }, body: '' };
  }
  if (!mayEdit(call)) return answerEmpty(429);
  const user = userParam(call);
  const own = user?.id === call.caller.user.id;
  if (user === undefined || !(own || governs(call.caller, user))) return refuse(998);
  const refusal = editWholeUser({ call, user });
  return refusal ?? ok(view(call, user));
}

function deleteUser(call: Call): OcsResult {
  const user = userParam(call);
  if (user === undefined) return refuse(998);
  if (user.id === call.caller.user.id) return refuse(101);
  if (!governs(call.caller, user)) return refuse(998);
  removeUser(call.state, user);
  return ok();
}

function setEnabled(call: Call, enabled: boolean): OcsResult {
  const user = userParam(call);
  if (user === undefined || user.id === call.caller.user.id) return refuse(101);
  if (!governs(call.caller, user)) return refuse(998);
  user.enabled = enabled;
  saveUser(call.state, user);
  return ok();
}

function listUsers(call: Call): OcsResult {
  const page = pageOfUsers(call);
  return page === null ? crash() : ok({ users: page.map((user) => user.id) });
}

function listDetails(call: Call): OcsResult {
  const page = pageOfUsers(call);
  return page === null ? crash() : ok({ users: viewById(call, page) });
}

function listDisabled(call: Call): OcsResult {
  const page = pageOfUsers(call, (user) => !user.enabled);
  return page === null ? crash() : ok({ users: viewById(call, page) });
}

/** PHP writes an empty object as a list. */
export function viewById(call: Call, users: readonly User[]): unknown {
  if (users.length === 0) return [];
  return Object.fromEntries(
    users.map((user) => [user.id, viewUser({ ...call, user, governed: true, self: false })]),
  );
}

/**
 * One page: cut in the order of display names, then sorted by id (recording nextcloud-34.0.1/08).
 * Null where the server breaks on limit or offset.
 */
function pageOfUsers(call: Call, wanted: (user: User) => boolean = () => true): User[] | null {
  const page = readPage(call);
  if (page === null) return null;
  const search = (call.ask.query.get('search') ?? '').toLowerCase();
  const ordered = usersByDisplayName(call.state).filter(
    (user) =>
      wanted(user) &&
      governs(call.caller, user) &&
      (search === '' ||
        user.id.toLowerCase().includes(search) ||
        user.displayName.toLowerCase().includes(search)),
  );
  return ordered
    .slice(page.offset, page.offset + page.limit)
    .sort((a, b) => compareText(a.id.toLowerCase(), b.id.toLowerCase()));
}

function usersByDisplayName(state: State): readonly User[] {
  if (state.order !== null) return state.order;
  const keyed = [...state.users.values()].map((user) => ({
    user,
    key: `${user.displayName.toLowerCase()}\n${user.id.toLowerCase()}`,
  }));
  keyed.sort((a, b) => compareText(a.key, b.key));
  state.order = keyed.map((one) => one.user);
  return state.order;
}

export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function view(call: Call, user: User): Record<string, unknown> {
  const self = user.id === call.caller.user.id;
  return viewUser({ ...call, user, governed: governs(call.caller, user), self });
}
