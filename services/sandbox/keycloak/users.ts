/** Users: create, list, read, update, delete, as the admin API of Keycloak 26.7.5 does. */

import {
  type Answer,
  attributeQuery,
  type Call,
  flag,
  noContent,
  notFound,
  objectIn,
  ok,
  pageOf,
  Refusal,
  refuse,
  unknownError,
} from './answer.ts';
import { basicAttributes, keptAttributes, validateProfile } from './profile-rules.ts';
import {
  type Json,
  type KeycloakState,
  type LinkDoc,
  linkKey,
  type RealmDoc,
  type UserDoc,
} from './state.ts';

const knownFields = new Set(
  `id username email firstName lastName enabled emailVerified attributes groups federatedIdentities
  createdTimestamp requiredActions credentials realmRoles clientRoles clientConsents notBefore access
  federationLink self origin totp disableableCredentialTypes serviceAccountClientId socialLinks
  applicationRoles userProfileMetadata`.split(/\s+/),
);

function userBody(call: Call): Json {
  const body = objectIn(call);
  const odd = Object.keys(body).find((name) => !knownFields.has(name));
  if (odd !== undefined) {
    throw new Refusal({
      status: 400,
      body: {
        error: `Invalid json representation for UserRepresentation. Unrecognized field "${odd}" at line 1 column 1.`,
      },
    });
  }
  return body;
}

export function createUser(p: {
  readonly state: KeycloakState;
  readonly realm: RealmDoc;
  readonly call: Call;
}): Answer {
  const { realm, state } = p;
  const body = userBody(p.call);
  const user = newUser({ state, realm, username: textOf(body['username']).toLowerCase() });
  if (user.username === '') throw refuse(400, 'User name is missing');
  user.email = textOf(body['email']).toLowerCase();
  user.firstName = textOf(body['firstName']);
  user.lastName = textOf(body['lastName']);
  const sent = (body['attributes'] ?? {}) as Record<string, unknown>;
  user.attributes = keptAttributes({ realm, sent });
  refuseTaken({ state, realm, user });
  validateProfile({ realm, values: valuesOf(user) });
  // Not sent means false, whatever the documentation of the representation suggests.
  user.enabled = body['enabled'] === true;
  user.emailVerified = body['emailVerified'] === true;
  user.requiredActions = knownActions(realm, body['requiredActions']);
  user.links = (body['federatedIdentities'] ?? []) as LinkDoc[];
  addCredentials({ state, user, sent: body['credentials'] });
  for (const path of (body['groups'] ?? []) as string[]) {
    const id = groupByPath({ state, realm: realm.realm, path: String(path) });
    if (id === null) throw unknownError();
    if (!user.groups.includes(id)) user.groups.push(id);
  }
  state.saveUser(user);
  return { status: 201, location: `${p.call.path}/${user.id}` };
}

export function newUser(p: {
  readonly state: KeycloakState;
  readonly realm: RealmDoc;
  readonly username: string;
}): UserDoc {
  return {
    id: p.state.newId(),
    realm: p.realm.realm,
    username: p.username,
    email: '',
    firstName: '',
    lastName: '',
    enabled: false,
    emailVerified: false,
    createdTimestamp: Date.now(),
    requiredActions: [],
    attributes: {},
    groups: [],
    links: [],
    notBefore: 0,
    roles: { realm: [`default-roles-${p.realm.realm.toLowerCase()}`] },
    serviceAccountClientId: null,
  };
}

/** Blank is as good as absent. */
function textOf(value: unknown): string {
  const text = value === null || value === undefined ? '' : String(value);
  return text.trim() === '' ? '' : text;
}

function valuesOf(user: UserDoc): Record<string, readonly string[]> {
  return {
    ...user.attributes,
    username: [user.username],
    email: [user.email],
    firstName: [user.firstName],
    lastName: [user.lastName],
  };
}

/** One password at a time; a passing one has to be changed at the first login. */
function addCredentials(p: {
  readonly state: KeycloakState;
  readonly user: UserDoc;
  readonly sent: unknown;
}): void {
  const { user } = p;
  for (const sent of (Array.isArray(p.sent) ? p.sent : []) as Json[]) {
    const { temporary, ...credential } = sent;
    const others = (user.credentials ?? []).filter((one) => one['type'] !== sent['type']);
    const made = { id: p.state.newId(), createdDate: Date.now(), ...credential };
    user.credentials = [...others, made];
    if (temporary === true && !user.requiredActions.includes('UPDATE_PASSWORD')) {
      user.requiredActions = [...user.requiredActions, 'UPDATE_PASSWORD'];
    }
  }
}

function knownActions(realm: RealmDoc, sent: unknown): string[] {
  const aliases = new Set(realm.requiredActions.map((action) => action['alias']));
  return ((sent ?? []) as string[]).filter((alias) => aliases.has(alias));
}

function refuseTaken(p: {
  readonly state: KeycloakState;
  readonly realm: RealmDoc;
  readonly user: UserDoc;
}): void {
  const { realm, state, user } = p;
  const namesake = state.userByName({ realm: realm.realm, username: user.username });
  if (namesake !== null && namesake.id !== user.id) {
    throw refuse(409, 'User exists with same username');
  }
  if (user.email === '' || realm.settings['duplicateEmailsAllowed'] === true) return;
  const others = state.usersByEmail({ realm: realm.realm, email: user.email });
  if (others.some((other) => other.id !== user.id))
    throw refuse(409, 'User exists with same email');
}

export function groupByPath(p: {
  readonly state: KeycloakState;
  readonly realm: string;
  readonly path: string;
}): string | null {
  let parent: string | null = null;
  for (const name of p.path.split('/').filter((part) => part !== '')) {
    const children = p.state.childrenOf({ realm: p.realm, parent });
    const child = children.find((group) => group.name === name);
    if (child === undefined) return null;
    parent = child.id;
  }
  return parent;
}

export function findUser(p: { readonly state: KeycloakState; readonly call: Call }): UserDoc {
  const user = p.state.user({ realm: p.call.realm, id: p.call.params[0] ?? '' });
  if (user === null) throw notFound('User not found');
  return user;
}

export function updateUser(p: {
  readonly state: KeycloakState;
  readonly realm: RealmDoc;
  readonly call: Call;
}): Answer {
  const { realm, state } = p;
  const body = userBody(p.call);
  const stored = findUser(p);
  const user = structuredClone(stored);
  const whole = body['attributes'] !== undefined && body['attributes'] !== null;
  const mayRename = realm.settings['editUsernameAllowed'] === true;
  if (body['username'] !== undefined) user.username = textOf(body['username']).toLowerCase();
  else if (whole && mayRename) user.username = '';
  if (user.username === '') throw refuse(400, 'User name is missing');
  if (user.username !== stored.username && !mayRename) throw readOnly('username');
  for (const name of ['email', 'firstName', 'lastName'] as const) {
    // With attributes everything is replaced, and what is not sent is emptied.
    if (body[name] !== undefined && body[name] !== null) user[name] = textOf(body[name]);
    else if (whole) user[name] = '';
  }
  user.email = user.email.toLowerCase();
  if (whole) user.attributes = editable({ realm, stored, sent: body['attributes'] as Json });
  refuseTaken({ state, realm, user });
  validateProfile({ realm, values: valuesOf(user) });
  if (typeof body['enabled'] === 'boolean') user.enabled = body['enabled'];
  if (typeof body['emailVerified'] === 'boolean') user.emailVerified = body['emailVerified'];
  if (Array.isArray(body['requiredActions'])) {
    user.requiredActions = knownActions(realm, body['requiredActions']);
  }
  addCredentials({ state, user, sent: body['credentials'] });
  state.saveUser(user);
  return noContent;
}

function readOnly(field: string): Refusal {
  const body = { field, errorMessage: 'error-user-attribute-read-only', params: [field] };
  return new Refusal({ status: 400, body });
}

function editable(p: {
  readonly realm: RealmDoc;
  readonly stored: UserDoc;
  readonly sent: Json;
}): Record<string, string[]> {
  const kept = keptAttributes({ realm: p.realm, sent: p.sent });
  for (const { name, permissions } of p.realm.profile.attributes) {
    if ((basicAttributes as readonly string[]).includes(name)) continue;
    if (permissions?.edit?.includes('admin') !== false) continue;
    delete kept[name];
    const before = p.stored.attributes[name];
    if (before !== undefined) kept[name] = before;
  }
  return kept;
}

export function listUsers(p: {
  readonly state: KeycloakState;
  readonly realm: RealmDoc;
  readonly call: Call;
}): Answer {
  const brief = flag(p.call, 'briefRepresentation', false);
  const users = pageOf({ call: p.call, items: matching(p), max: 100 });
  return ok(
    users.map((user) => describeUser({ realm: p.realm, user, shape: brief ? 'brief' : 'listed' })),
  );
}

function matching(p: {
  readonly state: KeycloakState;
  readonly realm: RealmDoc;
  readonly call: Call;
}): readonly UserDoc[] {
  const { query } = p.call;
  const realm = p.realm.realm;
  const search = query.get('search');
  if (search !== null) return searchUsers({ users: p.state.usersOf(realm), search });
  const exact = query.get('exact') === 'true';
  const username = query.get('username')?.toLowerCase() ?? null;
  const email = query.get('email')?.toLowerCase() ?? null;
  const alias = query.get('idpAlias');
  const external = query.get('idpUserId');
  let users: readonly UserDoc[];
  if (exact && username !== null) {
    const user = p.state.userByName({ realm, username });
    users = user === null ? [] : [user];
  } else if (alias !== null && external !== null) {
    users = p.state.usersByLink({ realm, link: linkKey({ alias, userId: external }) });
  } else {
    users = p.state.usersOf(realm);
  }
  const fits = (value: string, wanted: string | null) =>
    wanted === null || (exact ? value === wanted : value.includes(wanted));
  const pairs = attributeQuery(query.get('q') ?? '');
  if (username === null && email === null && alias === null && pairs.length === 0) return users;
  return users.filter(
    (user) =>
      fits(user.username, username) &&
      fits(user.email, email) &&
      (alias === null || user.links.some((link) => link.identityProvider === alias)) &&
      pairs.every(([name, value]) =>
        user.attributes[name]?.some((one) => one.toLowerCase() === value.toLowerCase()),
      ),
  );
}

function searchUsers(p: {
  readonly users: readonly UserDoc[];
  readonly search: string;
}): readonly UserDoc[] {
  if (p.search.startsWith('id:')) {
    const ids = new Set(p.search.slice(3).trim().split(/\s+/));
    return p.users.filter((user) => ids.has(user.id));
  }
  const prefix = p.search.toLowerCase();
  return p.users.filter((user) =>
    [user.username, user.email, user.firstName, user.lastName].some((value) =>
      value.toLowerCase().startsWith(prefix),
    ),
  );
}

/** Empty values are left out, and so is `attributes` when there is none that the profile shows. */
export function describeUser(p: {
  readonly realm: RealmDoc;
  readonly user: UserDoc;
  readonly shape: 'whole' | 'listed' | 'brief';
}): Json {
  const { user } = p;
  const shown = keptAttributes({ realm: p.realm, sent: user.attributes });
  const brief: Json = {
    id: user.id,
    username: user.username,
    ...(user.firstName === '' ? {} : { firstName: user.firstName }),
    ...(user.lastName === '' ? {} : { lastName: user.lastName }),
    ...(user.email === '' ? {} : { email: user.email }),
    emailVerified: user.emailVerified,
    ...(p.shape !== 'brief' && Object.keys(shown).length > 0 ? { attributes: shown } : {}),
    enabled: user.enabled,
    createdTimestamp: user.createdTimestamp,
  };
  if (p.shape === 'brief') return { ...brief, access: { manage: true } };
  return {
    ...brief,
    totp: false,
    disableableCredentialTypes: [],
    requiredActions: user.requiredActions,
    notBefore: user.notBefore,
    access:
      p.shape === 'listed'
        ? { manage: true }
        : {
            manageGroupMembership: true,
            resetPassword: true,
            view: true,
            mapRoles: true,
            impersonate: true,
            manage: true,
          },
  };
}
