/** The realm itself, its required actions, client scopes, clients and identity providers. */

import { type Answer, type Call, noContent, notFound, objectIn, ok, refuse } from './answer.ts';
import { defaultProfile } from './profile-rules.ts';
import type { Json, KeycloakState, RealmDoc } from './state.ts';
import { newUser } from './users.ts';

interface In {
  readonly state: KeycloakState;
  readonly realm: RealmDoc;
  readonly call: Call;
}

/** What a fresh realm of 26.7.5 says of the fields that matter to provisioning. */
const freshSettings: Json = {
  enabled: true,
  accessTokenLifespan: 300,
  ssoSessionIdleTimeout: 1800,
  ssoSessionMaxLifespan: 36_000,
  sslRequired: 'external',
  registrationAllowed: false,
  registrationEmailAsUsername: false,
  rememberMe: false,
  verifyEmail: false,
  loginWithEmailAllowed: true,
  duplicateEmailsAllowed: false,
  resetPasswordAllowed: false,
  editUsernameAllowed: false,
  bruteForceProtected: false,
  permanentLockout: false,
  maxFailureWaitSeconds: 900,
  minimumQuickLoginWaitSeconds: 60,
  waitIncrementSeconds: 60,
  quickLoginCheckMilliSeconds: 1000,
  maxDeltaTimeSeconds: 43_200,
  failureFactor: 30,
  internationalizationEnabled: false,
  adminEventsEnabled: false,
  adminEventsDetailsEnabled: false,
  eventsEnabled: false,
};

export function createRealm(p: { readonly state: KeycloakState; readonly call: Call }): Answer {
  const body = objectIn(p.call);
  const name = String(body['realm'] ?? '');
  if (name === '') throw refuse(400, 'Realm name cannot be empty');
  if (p.state.realms.has(name)) throw refuse(409, `Realm ${name} already exists`);
  addRealm({ state: p.state, name, settings: { ...freshSettings, enabled: false, ...body } });
  return { status: 201, location: `/admin/realms/${encodeURIComponent(name)}` };
}

export function addRealm(p: {
  readonly state: KeycloakState;
  readonly name: string;
  readonly settings?: Json;
}): void {
  const { name, state } = p;
  const settings = { ...freshSettings, ...p.settings };
  state.realms.set(name, {
    id: state.newId(),
    realm: name,
    settings: sound(settings),
    profile: defaultProfile(),
    requiredActions: ['VERIFY_PROFILE', 'UPDATE_PROFILE', 'UPDATE_PASSWORD', 'VERIFY_EMAIL'].map(
      (alias, index) => ({
        alias,
        name: alias,
        providerId: alias,
        enabled: true,
        defaultAction: false,
        priority: index + 1,
        config: {},
      }),
    ),
    clientScopes: ['profile', 'email', 'roles', 'basic', 'web-origins'].map((scope) => ({
      id: state.newId(),
      name: scope,
      protocol: 'openid-connect',
      protocolMappers: [],
    })),
    clients: [{ id: state.newId(), clientId: 'realm-management', enabled: true, bearerOnly: true }],
    providers: [],
    roles: [{ id: state.newId(), name: `default-roles-${name.toLowerCase()}`, composite: true }],
  });
}

/** E-mail as a login and doubled e-mails exclude each other: the server switches the login off. */
function sound(settings: Json): Json {
  return settings['duplicateEmailsAllowed'] === true
    ? { ...settings, loginWithEmailAllowed: false }
    : settings;
}

export function describeRealm(p: { readonly realm: RealmDoc; readonly whole: boolean }): Json {
  const { id, realm, settings } = p.realm;
  if (p.whole) return { id, realm, ...settings };
  const shown = ['registrationEmailAsUsername', 'bruteForceProtected'];
  return { realm, ...Object.fromEntries(shown.map((name) => [name, settings[name]])) };
}

export function updateRealm(p: In): Answer {
  const { realm: _name, id: _id, ...sent } = objectIn(p.call);
  p.realm.settings = sound({ ...p.realm.settings, ...sent });
  p.state.realms.set(p.realm.realm, p.realm);
  return noContent;
}

export function deleteRealm(p: In): Answer {
  const { realm, state } = p;
  const remove = (parent: string | null) => {
    for (const group of state.childrenOf({ realm: realm.realm, parent })) {
      remove(group.id);
      state.removeGroup(group);
    }
  };
  for (const user of [...state.usersOf(realm.realm)]) state.removeUser(user);
  for (const client of realm.clients) {
    const behind = serviceAccountOf({ state, realm, client });
    if (behind !== null) state.removeUser(behind);
  }
  remove(null);
  state.realms.delete(realm.realm);
  return noContent;
}

export function getAction(p: In): Answer {
  return ok(actionOf(p));
}

function actionOf(p: In): Json {
  const action = p.realm.requiredActions.find((one) => one['alias'] === p.call.params[0]);
  if (action === undefined) throw notFound('Failed to find required action');
  return action;
}

export function updateAction(p: In): Answer {
  Object.assign(actionOf(p), objectIn(p.call));
  p.state.realms.set(p.realm.realm, p.realm);
  return noContent;
}

function withId(p: In, body: Json): Json {
  return { id: p.state.newId(), ...body };
}

export function createScope(p: In): Answer {
  const body = objectIn(p.call);
  const name = String(body['name'] ?? '');
  if (p.realm.clientScopes.some((scope) => scope['name'] === name)) {
    throw refuse(409, `Client Scope ${name} already exists`);
  }
  const mappers = ((body['protocolMappers'] ?? []) as Json[]).map((mapper) => withId(p, mapper));
  const scope: Json = { ...withId(p, body), protocolMappers: mappers };
  p.realm.clientScopes.push(scope);
  p.state.realms.set(p.realm.realm, p.realm);
  return { status: 201, location: `${p.call.path}/${String(scope['id'])}` };
}

function scopeOf(p: In): Json {
  const scope = p.realm.clientScopes.find((one) => one['id'] === p.call.params[0]);
  if (scope === undefined) throw notFound('Could not find client scope');
  return scope;
}

export function createMapper(p: In): Answer {
  const mappers = scopeOf(p)['protocolMappers'] as Json[];
  const body = objectIn(p.call);
  if (mappers.some((mapper) => mapper['name'] === body['name'])) {
    throw refuse(409, 'Protocol mapper exists with same name');
  }
  const mapper = withId(p, body);
  mappers.push(mapper);
  p.state.realms.set(p.realm.realm, p.realm);
  return { status: 201, location: `${p.call.path}/${String(mapper['id'])}` };
}

export function updateMapper(p: In): Answer {
  const mappers = scopeOf(p)['protocolMappers'] as Json[];
  const mapper = mappers.find((one) => one['id'] === p.call.params[1]);
  if (mapper === undefined) throw notFound('Model not found');
  Object.assign(mapper, objectIn(p.call));
  p.state.realms.set(p.realm.realm, p.realm);
  return noContent;
}

export function createClient(p: In): Answer {
  const body = objectIn(p.call);
  const clientId = String(body['clientId'] ?? '');
  if (p.realm.clients.some((client) => client['clientId'] === clientId)) {
    throw refuse(409, `Client ${clientId} already exists`);
  }
  const client: Json = {
    enabled: true,
    publicClient: false,
    bearerOnly: false,
    standardFlowEnabled: true,
    implicitFlowEnabled: false,
    directAccessGrantsEnabled: false,
    serviceAccountsEnabled: false,
    fullScopeAllowed: true,
    redirectUris: [],
    webOrigins: [],
    attributes: {},
    defaultClientScopes: ['profile', 'email', 'roles', 'basic', 'web-origins'],
    ...body,
    id: p.state.newId(),
  };
  p.realm.clients.push(client);
  p.state.realms.set(p.realm.realm, p.realm);
  if (client['serviceAccountsEnabled'] === true) {
    const username = `service-account-${clientId}`.toLowerCase();
    const user = newUser({ state: p.state, realm: p.realm, username });
    p.state.saveUser({ ...user, enabled: true, serviceAccountClientId: String(client['id']) });
  }
  return { status: 201, location: `${p.call.path}/${String(client['id'])}` };
}

export function listClients(p: In): Answer {
  const wanted = p.call.query.get('clientId');
  return ok(p.realm.clients.filter((client) => wanted === null || client['clientId'] === wanted));
}

export function clientOf(p: In): Json {
  const client = p.realm.clients.find((one) => one['id'] === p.call.params[0]);
  if (client === undefined) throw notFound('Could not find client');
  return client;
}

/** What is sent replaces, what is not sent stays. */
export function updateClient(p: In): Answer {
  const { defaultClientScopes: _scopes, ...sent } = objectIn(p.call);
  Object.assign(clientOf(p), sent);
  p.state.realms.set(p.realm.realm, p.realm);
  return noContent;
}

export function listDefaultScopes(p: In): Answer {
  const names = (clientOf(p)['defaultClientScopes'] ?? []) as string[];
  const scopes = p.realm.clientScopes.filter((scope) => names.includes(String(scope['name'])));
  return ok(scopes.map(({ id, name }) => ({ id, name })));
}

export function addDefaultScope(p: In): Answer {
  const client = clientOf(p);
  const scope = p.realm.clientScopes.find((one) => one['id'] === p.call.params[1]);
  if (scope === undefined) throw notFound('Client scope not found');
  const before = (client['defaultClientScopes'] ?? []) as string[];
  client['defaultClientScopes'] = [...new Set([...before, String(scope['name'])])];
  p.state.realms.set(p.realm.realm, p.realm);
  return noContent;
}

/** `params`: the scope, then the client whose roles people who ask for it may bring along. */
export function listScopeRoles(p: In): Answer {
  const mapped = (scopeOf(p)['scopeMappings'] ?? {}) as Record<string, Json[]>;
  return ok(mapped[p.call.params[1] ?? ''] ?? []);
}

export function addScopeRoles(p: In): Answer {
  const scope = scopeOf(p);
  const id = p.call.params[1] ?? '';
  const mapped = (scope['scopeMappings'] ?? {}) as Record<string, Json[]>;
  const before = mapped[id] ?? [];
  const sent = (p.call.body as Json[]).filter(
    (role) => !before.some((one) => one['id'] === role['id']),
  );
  scope['scopeMappings'] = { ...mapped, [id]: [...before, ...sent] };
  p.state.realms.set(p.realm.realm, p.realm);
  return noContent;
}

export function listScopes(p: In): Answer {
  return ok(p.realm.clientScopes.map(({ scopeMappings: _mappings, ...shown }) => shown));
}

export function serviceAccountOf(p: {
  readonly state: KeycloakState;
  readonly realm: RealmDoc;
  readonly client: Json;
}) {
  const username = `service-account-${String(p.client['clientId'])}`.toLowerCase();
  return p.state.userByName({ realm: p.realm.realm, username });
}

export function createProvider(p: In): Answer {
  const body = objectIn(p.call);
  const alias = String(body['alias'] ?? '');
  if (p.realm.providers.some((provider) => provider['alias'] === alias)) {
    throw refuse(409, `Identity Provider ${alias} already exists`);
  }
  p.realm.providers.push({ enabled: true, ...body, internalId: p.state.newId() });
  p.state.realms.set(p.realm.realm, p.realm);
  return { status: 201, location: `${p.call.path}/${encodeURIComponent(alias)}` };
}

export function listProviders(p: In): Answer {
  return ok(p.realm.providers.map(withoutSecret));
}

export function getProvider(p: In): Answer {
  return ok(withoutSecret(providerOf(p)));
}

function providerOf(p: In): Json {
  const provider = p.realm.providers.find((one) => one['alias'] === p.call.params[0]);
  if (provider === undefined) throw notFound('HTTP 404 Not Found');
  return provider;
}

/** The stars that it shows for a secret stand for the secret that it has. */
export function updateProvider(p: In): Answer {
  const provider = providerOf(p);
  const before = provider['config'] as Json | undefined;
  Object.assign(provider, objectIn(p.call));
  const config = provider['config'] as Json | undefined;
  if (config?.['clientSecret'] === '**********') config['clientSecret'] = before?.['clientSecret'];
  p.state.realms.set(p.realm.realm, p.realm);
  return noContent;
}

export function deleteProvider(p: In): Answer {
  const gone = providerOf(p);
  p.realm.providers = p.realm.providers.filter((provider) => provider !== gone);
  p.state.realms.set(p.realm.realm, p.realm);
  return noContent;
}

function withoutSecret({ mappers: _mappers, ...provider }: Json): Json {
  const config = provider['config'] as Json | undefined;
  if (config?.['clientSecret'] === undefined) return provider;
  return { ...provider, config: { ...config, clientSecret: '**********' } };
}
