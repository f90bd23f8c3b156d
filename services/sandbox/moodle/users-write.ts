import { createHash } from 'node:crypto';
import { type Call, requireRight, webFunction } from './call.ts';
import {
  invalidParameter,
  invalidResponse,
  MoodleFailure,
  missingUser,
  moodleFailure,
  writeFailure,
} from './failure.ts';
import * as param from './params.ts';
import { fold, nowSeconds, type State, type UserRow } from './state.ts';

const textKeys = [
  'city',
  'country',
  'institution',
  'department',
  'phone1',
  'phone2',
  'address',
  'description',
  'interests',
  'middlename',
  'alternatename',
  'firstnamephonetic',
  'lastnamephonetic',
] as const;

const pair = param.structure({ type: param.text, value: param.raw });

const common = {
  password: param.optional(param.raw),
  createpassword: param.optional(param.flag),
  idnumber: param.optional(param.raw),
  lang: param.optional(param.language),
  theme: param.optional(param.theme),
  calendartype: param.optional(param.alpha),
  timezone: param.optional(param.text),
  mailformat: param.optional(param.integer),
  maildisplay: param.optional(param.integer),
  city: param.optional(param.text),
  country: param.optional(param.alpha),
  institution: param.optional(param.text),
  department: param.optional(param.text),
  phone1: param.optional(param.text),
  phone2: param.optional(param.text),
  address: param.optional(param.text),
  description: param.optional(param.raw),
  interests: param.optional(param.text),
  middlename: param.optional(param.text),
  alternatename: param.optional(param.text),
  firstnamephonetic: param.optional(param.text),
  lastnamephonetic: param.optional(param.text),
  customfields: param.optional(param.list(pair)),
  preferences: param.optional(param.list(pair)),
};

const creation = param.structure({
  ...common,
  username: param.username,
  firstname: param.text,
  lastname: param.text,
  email: param.trimmed,
  auth: param.orElse(param.auth, 'manual'),
});

const changes = param.structure({
  ...common,
  id: param.integer,
  username: param.optional(param.username),
  firstname: param.optional(param.text),
  lastname: param.optional(param.text),
  email: param.optional(param.trimmed),
  auth: param.optional(param.auth),
  suspended: param.optional(param.flag),
});

type Creation = ReturnType<typeof creation.read>;
type Changes = ReturnType<typeof changes.read>;

/** Methods that keep a password in Moodle and so want one at creation (recording moodle-4.5.6/08). */
const withPassword = new Set(['manual', 'email', 'nologin', 'none', 'webservice', 'lti']);

/** The default policy; its text is both errorcode and message (recording moodle-4.5.6/08). */
function checkPassword(password: string): void {
  const faults = [
    password.length < 8 ? 'Passwords must be at least 8 characters long.' : null,
    /\d/.test(password) ? null : 'Passwords must have at least 1 digit(s).',
    /[a-zæøå]/.test(password) ? null : 'Passwords must have at least 1 lower case letter(s).',
    /[A-ZÆØÅ]/.test(password) ? null : 'Passwords must have at least 1 upper case letter(s).',
    /[^\p{L}\p{N}]/u.test(password)
      ? null
      : 'The password must have at least 1 special character(s) such as *, -, or #.',
  ];
  const lines = faults.filter((fault) => fault !== null).map((fault) => `<div>${fault}</div>`);
  if (lines.length > 0) throw moodleFailure(lines.join(''), `error/${lines.join('')}`);
}

function isEmail(value: string): boolean {
  return /^[\w.!#$%&'*+/=?^`{|}~-]+@[a-zA-Z0-9-]+(\.[a-zA-Z0-9-]+)+$/.test(value);
}

function emailTaken(state: State, email: string, except: number | null): boolean {
  return state.users.find('email', fold(email)).some((user) => !user.deleted && user.id !== except);
}

/** The column widths; one more is a database error (recording moodle-4.5.6/07). */
function checkWidths(user: UserRow): void {
  const narrow = [user.username, user.firstname, user.lastname, user.email];
  if (narrow.some((value) => [...value].length > 100)) throw writeFailure();
  if ([...user.idnumber].length > 255) throw writeFailure();
}

function mergeTexts(before: UserRow['texts'], given: Changes | Creation): UserRow['texts'] {
  const texts: Record<string, string> = { ...before };
  for (const key of textKeys) {
    const value = given[key];
    if (value !== undefined) texts[key] = value;
  }
  return texts;
}

/** Fields that nobody made are dropped without a word (recording moodle-4.5.6/14). */
function mergeCustom(state: State, before: UserRow['custom'], given: Changes | Creation) {
  const custom: Record<string, string> = { ...before };
  for (const { type, value } of given.customfields ?? []) {
    if (state.profileFields.get(type) !== undefined) custom[type] = value;
  }
  return custom;
}

function createUser(call: Call, given: Creation): { id: number; username: string } {
  const { state } = call;
  const names = [given.username, given.firstname, given.lastname];
  if (names.some((name) => name.trim() === '')) throw invalidParameter();
  if (state.users.find('username', given.username).length > 0) throw invalidParameter();
  const password = given.password ?? '';
  if (withPassword.has(given.auth) && password === '' && given.createpassword !== true) {
    throw invalidParameter();
  }
  if (!isEmail(given.email) || emailTaken(state, given.email, null)) throw invalidParameter();
  if (password !== '' && withPassword.has(given.auth)) checkPassword(password);
  const user: UserRow = {
    id: state.store.nextId('user'),
    username: given.username,
    firstname: given.firstname,
    lastname: given.lastname,
    email: given.email,
    idnumber: given.idnumber ?? '',
    auth: given.auth,
    suspended: false,
    deleted: false,
    lang: given.lang === undefined || given.lang === '' ? 'en' : given.lang,
    theme: given.theme ?? '',
    // A department given at creation is dropped; an update keeps it (recordings moodle-4.5.6/04, 11).
    texts: { ...mergeTexts({}, given), department: '' },
    custom: mergeCustom(state, {}, given),
  };
  checkWidths(user);
  state.users.put(user);
  return { id: user.id, username: user.username };
}

/** All of a batch or nothing (recording moodle-4.5.6/05). */
const createUsers = webFunction({
  params: param.structure({ users: param.list(creation) }),
  run(call, { users }) {
    requireRight(call, 'Create users');
    return call.state.store.transaction(() => users.map((user) => createUser(call, user)));
  },
});

function updateUser(call: Call, given: Changes): void {
  const { state } = call;
  const user = state.users.get(given.id);
  if (user === undefined) throw moodleFailure('invaliduserid', 'Invalid user ID');
  if (user.deleted) throw moodleFailure('usernotupdateddeleted', 'error/usernotupdateddeleted');
  if (user.id === 1) throw moodleFailure('usernotupdatedguest', 'error/usernotupdatedguest');
  if (given.email !== undefined && given.email !== user.email) {
    if (!isEmail(given.email)) throw moodleFailure('useremailinvalid', 'error/useremailinvalid');
    if (emailTaken(state, given.email, user.id)) {
      throw moodleFailure('useremailduplicate', 'Duplicate address');
    }
  }
  if (given.password !== undefined && given.password !== '') checkPassword(given.password);
  if (given.username !== undefined && given.username !== user.username) {
    if (state.users.find('username', given.username).length > 0) throw writeFailure();
  }
  const next: UserRow = {
    ...user,
    username: given.username ?? user.username,
    firstname: given.firstname ?? user.firstname,
    lastname: given.lastname ?? user.lastname,
    email: given.email ?? user.email,
    idnumber: given.idnumber ?? user.idnumber,
    auth: given.auth ?? user.auth,
    suspended: given.suspended ?? user.suspended,
    lang: given.lang ?? user.lang,
    theme: given.theme ?? user.theme,
    texts: mergeTexts(user.texts, given),
    custom: mergeCustom(state, user.custom, given),
  };
  checkWidths(next);
  state.users.put(next);
}

/**
 * Not atomic: who cannot be written becomes a warning (recording moodle-4.5.6/11). A warning code
 * with HTML in it breaks the answer's own description: the others are written, the answer is an error.
 */
const updateUsers = webFunction({
  params: param.structure({ users: param.list(changes) }),
  run(call, { users }) {
    requireRight(call, 'Update user profiles');
    const warnings: { item: string; itemid: number; warningcode: string; message: string }[] = [];
    call.state.store.transaction(() => {
      for (const user of users) {
        try {
          call.state.store.transaction(() => updateUser(call, user));
        } catch (error) {
          if (!(error instanceof MoodleFailure) || error.errorcode === null) throw error;
          const { errorcode, message } = error;
          warnings.push({ item: 'user', itemid: user.id, warningcode: errorcode, message });
        }
      }
    });
    if (warnings.some((warning) => !/^\w+$/.test(warning.warningcode))) throw invalidResponse();
    return { warnings };
  },
});

/** What is left is a tombstone that is found by id only (recording moodle-4.5.6/13). */
function deleteUser(call: Call, id: number): void {
  const { state } = call;
  const user = state.users.get(id);
  if (user === undefined || user.deleted) throw missingUser();
  if (user.id === 2) {
    throw moodleFailure('useradminodelete', 'Administrator accounts cannot be deleted.');
  }
  if (user.id === 1) return;
  for (const row of state.cohortMembers.find('user', id)) {
    state.cohortMembers.delete(`${row.of}:${id}`);
  }
  for (const row of state.groupMembers.find('user', id)) {
    state.groupMembers.delete(`${row.of}:${id}`);
  }
  for (const row of state.enrolments.find('user', id)) {
    state.enrolments.delete(`${row.course}:${id}`);
  }
  for (const row of state.roles.find('user', id)) {
    state.roles.delete(`${row.level}:${row.instance}:${id}:${row.role}`);
  }
  state.users.put({
    ...user,
    deleted: true,
    username: `${user.email}.${nowSeconds()}`,
    email: createHash('md5').update(user.username).digest('hex'),
    idnumber: '',
  });
}

const deleteUsers = webFunction({
  params: param.structure({ userids: param.list(param.integer) }),
  run(call, { userids }) {
    requireRight(call, 'Delete users');
    call.state.store.transaction(() => {
      for (const id of userids) deleteUser(call, id);
    });
    return null;
  },
});

export const userWrites = {
  core_user_create_users: createUsers,
  core_user_update_users: updateUsers,
  core_user_delete_users: deleteUsers,
};
