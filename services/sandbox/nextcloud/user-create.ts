import { type Answer, fieldOf } from './exchange.ts';
import { type OcsResult, ok, refuse } from './ocs.ts';
import { missingParameter } from './ocs-errors.ts';
import { type Call, textField } from './route.ts';
import { findGroup, findUser, joinGroup, newUser, saveUser, type User } from './state.ts';
import { editUser } from './user-edit.ts';
import { refusePassword, refuseUserId } from './user-rules.ts';

/**
 * Creating is not atomic: the row is written first, and what is refused after that (quota, language)
 * leaves an account behind (recording nextcloud-34.0.1/07).
 */
export function createUser(call: Call): OcsResult | Answer {
  const id = fieldOf(call.ask, 'userid');
  if (id === undefined) return missingParameter(call);
  if (findUser(call.state, id) !== undefined) return refuse(102, 'User already exists');
  const refusal = refuseGroups(call) ?? refuseCredentials(call, id);
  if (refusal !== null) return refusal;
  const displayName = textField(call, 'displayName');
  if (displayName.length > 64) return refuse(101, 'Invalid displayname');

  const user = newUser({ id, password: textField(call, 'password') });
  saveUser(call.state, user);
  // The deadlock of parallel creates on MariaDB: the row stays, everything else is missing.
  if (call.breakOff) return refuse(101, 'Bad request');
  for (const group of call.ask.fields.get('groups') ?? []) {
    const found = findGroup(call.state, group);
    if (found !== undefined) joinGroup(call.state, user, found);
  }
  user.subadmin.push(...(call.ask.fields.get('subadmin') ?? []));
  if (displayName !== '') user.displayName = displayName;
  saveUser(call.state, user);
  return setRest(call, user) ?? ok({ id });
}

function setRest(call: Call, user: User): OcsResult | null {
  for (const key of ['quota', 'language']) {
    const value = textField(call, key);
    if (value === '') continue;
    const result = editUser({ call, user, key, value });
    if (result.code !== 200) return result;
  }
  // Unlike the edit, the create takes any text as an e-mail address.
  user.email = textField(call, 'email');
  user.manager = textField(call, 'manager');
  saveUser(call.state, user);
  return null;
}

function refuseGroups(call: Call): OcsResult | null {
  const groups = call.ask.fields.get('groups') ?? [];
  const { caller } = call;
  for (const group of groups) {
    if (findGroup(call.state, group) === undefined) {
      return refuse(104, `Group ${group} does not exist`);
    }
    if (!caller.admin && !caller.user.subadmin.includes(group)) {
      return refuse(105, `Insufficient privileges for group ${group}`);
    }
  }
  if (!caller.admin && groups.length === 0) {
    return refuse(106, 'No group specified (required for sub-admins)');
  }
  for (const group of call.ask.fields.get('subadmin') ?? []) {
    if (findGroup(call.state, group) === undefined) {
      return refuse(call.behaviour.badSubadmin, 'Sub-admin group does not exist');
    }
  }
  return null;
}

function refuseCredentials(call: Call, id: string): OcsResult | null {
  const password = textField(call, 'password');
  if (id !== '' && password === '' && textField(call, 'email') === '') {
    return refuse(108, call.behaviour.mailRequired);
  }
  const badId = refuseUserId(id);
  if (badId !== null) return refuse(101, badId);
  const weak = password === '' ? null : refusePassword(password);
  return weak === null ? null : refuse(107, weak);
}
