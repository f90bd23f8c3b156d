/** Roles of the realm and of clients. */

import { type Answer, type Call, noContent, notFound, objectIn, ok, refuse } from './answer.ts';
import type { Json, KeycloakState, RealmDoc } from './state.ts';

interface In {
  readonly state: KeycloakState;
  readonly realm: RealmDoc;
  readonly call: Call;
}

const managementRoles = [
  'manage-users',
  'view-users',
  'query-users',
  'query-groups',
  'manage-realm',
  'view-realm',
  'manage-clients',
  'view-clients',
  'query-clients',
  'manage-identity-providers',
  'view-identity-providers',
  'manage-organizations',
  'view-organizations',
  'realm-admin',
];

export function listRealmRoles(p: In): Answer {
  return ok(p.realm.roles.map((role) => describe(p.realm, role)));
}

export function getRealmRole(p: In): Answer {
  const role = p.realm.roles.find((one) => one['name'] === p.call.params[0]);
  if (role === undefined) throw notFound('Could not find role');
  return ok({ ...describe(p.realm, role), attributes: {} });
}

function describe(realm: RealmDoc, role: Json): Json {
  const { parts: _parts, ...shown } = role;
  return { composite: false, clientRole: false, containerId: realm.id, ...shown };
}

/** Answers with the name, not the id, in Location. */
export function createRealmRole(p: In): Answer {
  const { name, description } = objectIn(p.call);
  if (p.realm.roles.some((role) => role['name'] === name)) {
    throw refuse(409, `Role with name ${String(name)} already exists`);
  }
  p.realm.roles.push({
    id: p.state.newId(),
    name,
    ...(description === undefined ? {} : { description }),
    composite: false,
  });
  p.state.realms.set(p.realm.realm, p.realm);
  return { status: 201, location: `${p.call.path}/${encodeURIComponent(String(name))}` };
}

function clientIn(p: In & { readonly id: string }): Json {
  const client = p.realm.clients.find((one) => one['id'] === p.id);
  if (client === undefined) throw notFound('Could not find client');
  return client;
}

function rolesOfClient(p: { readonly realm: RealmDoc; readonly client: Json }): Json[] {
  const id = String(p.client['id']);
  const management = p.client['clientId'] === 'realm-management';
  const fixed = management ? managementRoles.map((name) => ({ id: `${id}-${name}`, name })) : [];
  return [...fixed, ...(p.realm.clientRoles?.[id] ?? [])].map((role) => ({
    composite: false,
    clientRole: true,
    containerId: id,
    ...role,
  }));
}

export function listClientRoles(p: In): Answer {
  const client = clientIn({ ...p, id: p.call.params[0] ?? '' });
  return ok(rolesOfClient({ realm: p.realm, client }));
}

export function getClientRole(p: In): Answer {
  const client = clientIn({ ...p, id: p.call.params[0] ?? '' });
  const all = rolesOfClient({ realm: p.realm, client });
  const role = all.find((one) => one['name'] === p.call.params[1]);
  if (role === undefined) throw notFound('Could not find role');
  return ok(role);
}

export function createClientRole(p: In): Answer {
  const client = clientIn({ ...p, id: p.call.params[0] ?? '' });
  const { name, description } = objectIn(p.call);
  if (rolesOfClient({ realm: p.realm, client }).some((role) => role['name'] === name)) {
    throw refuse(409, `Role with name ${String(name)} already exists`);
  }
  const id = String(client['id']);
  const made = { id: p.state.newId(), name, ...(description === undefined ? {} : { description }) };
  const before = p.realm.clientRoles ?? {};
  p.realm.clientRoles = { ...before, [id]: [...(before[id] ?? []), made] };
  p.state.realms.set(p.realm.realm, p.realm);
  return { status: 201, location: `${p.call.path}/${encodeURIComponent(String(name))}` };
}

function everyRole(realm: RealmDoc): Json[] {
  return [
    ...realm.roles.map((role) => describe(realm, role)),
    ...realm.clients.flatMap((client) => rolesOfClient({ realm, client })),
  ];
}

function realmRoleOf(p: In): Json {
  const role = p.realm.roles.find((one) => one['id'] === p.call.params[0]);
  if (role === undefined) throw notFound('Could not find role with id');
  return role;
}

/** The roles right below a composite one. */
export function listComposites(p: In): Answer {
  const parts = (realmRoleOf(p)['parts'] ?? []) as string[];
  return ok(everyRole(p.realm).filter((role) => parts.includes(String(role['id']))));
}

export function addComposites(p: In): Answer {
  const role = realmRoleOf(p);
  const sent = (p.call.body as Json[]).map((one) => String(one['id']));
  role['composite'] = true;
  role['parts'] = [...new Set([...((role['parts'] ?? []) as string[]), ...sent])];
  p.state.realms.set(p.realm.realm, p.realm);
  return noContent;
}

/** Roles of the realm (`realm`), or of the client with this uuid. */
export function rolesIn(p: In & { readonly scope: string }): Json[] {
  if (p.scope === 'realm') return p.realm.roles.map((role) => describe(p.realm, role));
  return rolesOfClient({ realm: p.realm, client: clientIn({ ...p, id: p.scope }) });
}

/** As group representations show them: names, clients by their clientId. */
export function describeGroupRoles(p: {
  readonly realm: RealmDoc;
  readonly roles: Readonly<Record<string, readonly string[]>> | undefined;
}): Json {
  const { realm: own = [], ...ofClients } = p.roles ?? {};
  const named = Object.entries(ofClients)
    .filter(([, names]) => names.length > 0)
    .map(([id, names]) => {
      const client = p.realm.clients.find((one) => one['id'] === id);
      return [String(client?.['clientId'] ?? id), names] as const;
    });
  return { realmRoles: own, clientRoles: Object.fromEntries(named) };
}
