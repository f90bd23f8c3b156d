/** Which call asks for what, and which role it needs. */

import { type Answer, type Call, noContent, notFound, objectIn, ok } from './answer.ts';
import * as groups from './groups.ts';
import { importPartially } from './partial-import.ts';
import { replaceProfile } from './profile-rules.ts';
import * as realms from './realm.ts';
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
  on('GET', 'authentication/required-actions', 'view-realm', ({ realm }) =>
    ok(realm.requiredActions),
  ),
  on('GET', 'authentication/required-actions/*', 'view-realm', realms.getAction),
  on('PUT', 'authentication/required-actions/*', 'manage-realm', realms.updateAction),
  on('GET', 'client-scopes', 'manage-clients', ({ realm }) => ok(realm.clientScopes)),
  on('POST', 'client-scopes', 'manage-clients', realms.createScope),
  on('POST', 'client-scopes/*/protocol-mappers/models', 'manage-clients', realms.createMapper),
  on('PUT', 'client-scopes/*/protocol-mappers/models/*', 'manage-clients', realms.updateMapper),
  on('GET', 'clients', 'manage-clients', realms.listClients),
  on('POST', 'clients', 'manage-clients', realms.createClient),
  on('GET', 'clients/*', 'manage-clients', (p) => ok(realms.clientOf(p))),
  on('GET', 'clients/*/roles', 'manage-clients', realms.listClientRoles),
  on('GET', 'clients/*/service-account-user', 'manage-clients', describeServiceAccount),
  on('GET', 'identity-provider/instances', 'view-identity-providers', realms.listProviders),
  on('POST', 'identity-provider/instances', 'manage-identity-providers', realms.createProvider),
  on('GET', 'identity-provider/instances/*', 'view-identity-providers', realms.getProvider),
  on('PUT', 'identity-provider/instances/*', 'manage-identity-providers', realms.updateProvider),
  on('DELETE', 'identity-provider/instances/*', 'manage-identity-providers', realms.deleteProvider),
  on('POST', 'partialImport', 'manage-realm', importPartially),
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
