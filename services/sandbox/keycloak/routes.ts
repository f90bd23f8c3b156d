/** Which call asks for what, and which role it needs. */

import { type Answer, type Call, noContent, notFound, objectIn, ok } from './answer.ts';
import * as flows from './flows.ts';
import { changeGroupRoles, listAvailableForGroup } from './group-roles.ts';
import * as groups from './groups.ts';
import * as organizations from './organizations.ts';
import { importPartially } from './partial-import.ts';
import { replaceProfile } from './profile-rules.ts';
import * as realms from './realm.ts';
import * as roles from './roles.ts';
import type { Right, Visitor } from './sign-in.ts';
import type { KeycloakState, RealmDoc } from './state.ts';
import * as parts from './user-parts.ts';
import * as users from './users.ts';

interface Given {
  readonly state: KeycloakState;
  readonly realm: RealmDoc;
  readonly call: Call;
  readonly visitor: Visitor;
}

export interface Route {
  readonly right: Right;
  answer(p: Omit<Given, 'realm'> & { readonly realm: RealmDoc | null }): Answer;
}

interface Entry {
  readonly method: string;
  readonly pattern: RegExp;
  readonly inRealm: boolean;
  readonly route: Route;
}

/** `*` stands for one segment; paths are below /admin/realms/{realm} unless they start with a slash. */
function on(method: string, path: string, right: Right, answer: (p: Given) => Answer): Entry {
  const inRealm = !path.startsWith('/');
  const full = inRealm ? `/admin/realms/*${path === '' ? '' : `/${path}`}` : path;
  const pattern = new RegExp(`^${full.replaceAll('*', '([^/]+)')}$`);
  // Routes outside a realm never look at it; the two kinds are told apart by `inRealm` before.
  return { method, pattern, inRealm, route: { right, answer: (p) => answer(p as Given) } };
}

function mappingRoutes(path: string): Entry[] {
  const change = (add: boolean) => (p: Given) => changeGroupRoles({ ...p, add });
  return [
    on('POST', path, 'manage-users', change(true)),
    on('DELETE', path, 'manage-users', change(false)),
  ];
}

const routes: readonly Entry[] = [
  on('GET', '/admin/serverinfo', 'any', describeServer),
  on('GET', '/admin/realms', 'master', ({ state }) =>
    ok([...state.realms.values()].map((realm) => realms.describeRealm({ realm, whole: true }))),
  ),
  on('POST', '/admin/realms', 'master', realms.createRealm),
  on('GET', '', 'any', ({ realm, visitor }) =>
    ok(
      realms.describeRealm({
        realm,
        whole: visitor.may({ realm: realm.realm, right: 'view-realm' }),
      }),
    ),
  ),
  on('PUT', '', 'manage-realm', realms.updateRealm),
  on('DELETE', '', 'manage-realm', realms.deleteRealm),
  on('GET', 'users/profile', 'view-users', ({ realm }) => ok(realm.profile)),
  on('PUT', 'users/profile', 'manage-realm', ({ state, realm, call }) => {
    const profile = replaceProfile({ realm, body: objectIn(call) });
    state.realms.set(realm.realm, realm);
    return ok(profile);
  }),
  on('GET', 'users', 'view-users', users.listUsers),
  on('POST', 'users', 'manage-users', users.createUser),
  on('GET', 'users/count', 'view-users', ({ state, realm }) =>
    ok(state.usersOf(realm.realm).length),
  ),
  on('GET', 'users/*', 'view-users', (p) =>
    ok(users.describeUser({ realm: p.realm, user: users.findUser(p), shape: 'whole' })),
  ),
  on('PUT', 'users/*', 'manage-users', users.updateUser),
  on('DELETE', 'users/*', 'manage-users', parts.deleteUser),
  on('POST', 'users/*/logout', 'manage-users', parts.logOut),
  on('GET', 'users/*/sessions', 'view-users', parts.listSessions),
  on('GET', 'users/*/credentials', 'view-users', parts.listCredentials),
  on('DELETE', 'users/*/credentials/*', 'manage-users', parts.removeCredential),
  on('GET', 'users/*/groups', 'view-users', parts.listUserGroups),
  on('PUT', 'users/*/groups/*', 'manage-users', parts.joinGroup),
  on('DELETE', 'users/*/groups/*', 'manage-users', parts.leaveGroup),
  on('GET', 'users/*/federated-identity', 'view-users', parts.listLinks),
  on('POST', 'users/*/federated-identity/*', 'manage-users', parts.addLink),
  on('DELETE', 'users/*/federated-identity/*', 'manage-users', parts.removeLink),
  on('GET', 'users/*/role-mappings/realm', 'view-users', parts.listRoles),
  on('POST', 'users/*/role-mappings/realm', 'manage-users', (p) =>
    parts.changeRoles({ ...p, add: true }),
  ),
  on('DELETE', 'users/*/role-mappings/realm', 'manage-users', (p) =>
    parts.changeRoles({ ...p, add: false }),
  ),
  on('GET', 'users/*/role-mappings/clients/*', 'view-users', parts.listRoles),
  on('POST', 'users/*/role-mappings/clients/*', 'manage-users', (p) =>
    parts.changeRoles({ ...p, add: true }),
  ),
  on('DELETE', 'users/*/role-mappings/clients/*', 'manage-users', (p) =>
    parts.changeRoles({ ...p, add: false }),
  ),
  on('GET', 'groups', 'view-users', groups.listGroups),
  on('POST', 'groups', 'manage-users', groups.createTopGroup),
  on('GET', 'groups/*', 'view-users', (p) =>
    ok(groups.describeGroup({ ...p, group: groups.findGroup(p), brief: false })),
  ),
  on('PUT', 'groups/*', 'manage-users', groups.updateGroup),
  on('DELETE', 'groups/*', 'manage-users', groups.deleteGroup),
  on('GET', 'groups/*/children', 'view-users', groups.listChildren),
  on('POST', 'groups/*/children', 'manage-users', groups.createChildGroup),
  on('GET', 'groups/*/members', 'view-users', groups.listMembers),
  on('GET', 'groups/*/role-mappings/realm/available', 'view-users', listAvailableForGroup),
  ...mappingRoutes('groups/*/role-mappings/realm'),
  ...mappingRoutes('groups/*/role-mappings/clients/*'),
  on('GET', 'roles', 'view-realm', roles.listRealmRoles),
  on('POST', 'roles', 'manage-realm', roles.createRealmRole),
  on('GET', 'roles/*', 'view-realm', roles.getRealmRole),
  on('GET', 'roles-by-id/*/composites', 'view-realm', roles.listComposites),
  on('POST', 'roles-by-id/*/composites', 'manage-realm', roles.addComposites),
  on('GET', 'organizations', 'view-organizations', organizations.listOrganizations),
  on('POST', 'organizations', 'manage-organizations', organizations.createOrganization),
  on('GET', 'organizations/*', 'view-organizations', organizations.getOrganization),
  on('PUT', 'organizations/*', 'manage-organizations', organizations.updateOrganization),
  on('GET', 'organizations/*/members', 'view-organizations', organizations.listOrganizationMembers),
  on(
    'POST',
    'organizations/*/members',
    'manage-organizations',
    organizations.addOrganizationMember,
  ),
  on('GET', 'organizations/*/members/*', 'view-organizations', organizations.getOrganizationMember),
  on(
    'DELETE',
    'organizations/*/members/*',
    'manage-organizations',
    organizations.removeOrganizationMember,
  ),
  on('GET', 'authentication/flows', 'view-realm', flows.listFlows),
  on('POST', 'authentication/flows', 'manage-realm', flows.createFlow),
  on('GET', 'authentication/flows/*/executions', 'view-realm', flows.listExecutions),
  on('PUT', 'authentication/flows/*/executions', 'manage-realm', flows.updateExecution),
  on('POST', 'authentication/flows/*/executions/execution', 'manage-realm', flows.addExecution),
  on('GET', 'authentication/required-actions', 'view-realm', ({ realm }) =>
    ok(realm.requiredActions),
  ),
  on('GET', 'authentication/required-actions/*', 'view-realm', realms.getAction),
  on('PUT', 'authentication/required-actions/*', 'manage-realm', realms.updateAction),
  on('GET', 'client-scopes', 'view-clients', realms.listScopes),
  on('POST', 'client-scopes', 'manage-clients', realms.createScope),
  on('POST', 'client-scopes/*/protocol-mappers/models', 'manage-clients', realms.createMapper),
  on('PUT', 'client-scopes/*/protocol-mappers/models/*', 'manage-clients', realms.updateMapper),
  on('GET', 'client-scopes/*/scope-mappings/clients/*', 'view-clients', realms.listScopeRoles),
  on('POST', 'client-scopes/*/scope-mappings/clients/*', 'manage-clients', realms.addScopeRoles),
  on('GET', 'clients', 'view-clients', realms.listClients),
  on('POST', 'clients', 'manage-clients', realms.createClient),
  on('GET', 'clients/*', 'view-clients', (p) => ok(realms.clientOf(p))),
  on('PUT', 'clients/*', 'manage-clients', realms.updateClient),
  on('GET', 'clients/*/roles', 'view-clients', roles.listClientRoles),
  on('POST', 'clients/*/roles', 'manage-clients', roles.createClientRole),
  on('GET', 'clients/*/roles/*', 'view-clients', roles.getClientRole),
  on('GET', 'clients/*/default-client-scopes', 'view-clients', realms.listDefaultScopes),
  on('PUT', 'clients/*/default-client-scopes/*', 'manage-clients', realms.addDefaultScope),
  on('GET', 'clients/*/service-account-user', 'manage-clients', describeServiceAccount),
  on('GET', 'identity-provider/instances', 'view-identity-providers', realms.listProviders),
  on('POST', 'identity-provider/instances', 'manage-identity-providers', realms.createProvider),
  on('GET', 'identity-provider/instances/*', 'view-identity-providers', realms.getProvider),
  on('PUT', 'identity-provider/instances/*', 'manage-identity-providers', realms.updateProvider),
  on('DELETE', 'identity-provider/instances/*', 'manage-identity-providers', realms.deleteProvider),
  on(
    'GET',
    'identity-provider/instances/*/mappers',
    'view-identity-providers',
    flows.listProviderMappers,
  ),
  on(
    'POST',
    'identity-provider/instances/*/mappers',
    'manage-identity-providers',
    flows.createProviderMapper,
  ),
  on(
    'PUT',
    'identity-provider/instances/*/mappers/*',
    'manage-identity-providers',
    flows.updateProviderMapper,
  ),
  on('POST', 'partialImport', 'manage-realm', importPartially),
  on('DELETE', 'attack-detection/brute-force/users/*', 'manage-users', parts.forgetWrongTries),
  on('POST', 'logout-all', 'manage-users', () => noContent),
];

/** The version is for administrators of the master realm. */
function describeServer({ visitor }: Given): Answer {
  const whole = visitor.may({ realm: 'master', right: 'master' });
  return ok({
    profileInfo: { name: 'default' },
    ...(whole ? { systemInfo: { version: '26.7.5', serverTime: new Date().toISOString() } } : {}),
  });
}

function describeServiceAccount(p: Given): Answer {
  const account = realms.serviceAccountOf({ ...p, client: realms.clientOf(p) });
  if (account === null) throw notFound('Service account not enabled for the client');
  return ok(users.describeUser({ realm: p.realm, user: account, shape: 'listed' }));
}

/** `realm` is null for routes outside a realm. */
export function findRoute(p: { readonly method: string; readonly path: string }): {
  readonly route: Route;
  readonly realm: string | null;
  readonly params: readonly string[];
} | null {
  for (const entry of routes) {
    if (entry.method !== p.method) continue;
    const match = entry.pattern.exec(p.path);
    if (match === null) continue;
    const params = match.slice(1).map(decodeURIComponent);
    if (!entry.inRealm) return { route: entry.route, realm: null, params };
    return { route: entry.route, realm: params[0] ?? '', params: params.slice(1) };
  }
  return null;
}
