/** What hangs on a user: memberships, brokered logins, roles, sessions. */

import {
  type Answer,
  type Call,
  flag,
  noContent,
  notFound,
  objectIn,
  ok,
  refuse,
} from './answer.ts';
import { forgetMember } from './organizations.ts';
import { describeGroupRoles } from './roles.ts';
import type { GroupDoc, Json, KeycloakState, LinkDoc, RealmDoc } from './state.ts';
import { findUser } from './users.ts';

interface In {
  readonly state: KeycloakState;
  readonly realm: RealmDoc;
  readonly call: Call;
}

export function listUserGroups(p: In): Answer {
  const brief = flag(p.call, 'briefRepresentation', true);
  const groups = findUser(p)
    .groups.flatMap((id) => p.state.group({ realm: p.realm.realm, id }) ?? [])
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  return ok(
    groups.map((group) => ({
      id: group.id,
      name: group.name,
      path: p.state.pathOf(group),
      ...(group.parentId === null ? {} : { parentId: group.parentId }),
      subGroups: [],
      ...(brief
        ? {}
        : {
            attributes: group.attributes,
            ...describeGroupRoles({ realm: p.realm, roles: group.roles }),
          }),
    })),
  );
}

function groupOfPair(p: In): GroupDoc {
  const group = p.state.group({ realm: p.realm.realm, id: p.call.params[1] ?? '' });
  if (group === null) throw notFound('Group not found');
  return group;
}

/** Both ways idempotent. */
export function joinGroup(p: In): Answer {
  const user = findUser(p);
  const { id } = groupOfPair(p);
  if (!user.groups.includes(id)) p.state.saveUser({ ...user, groups: [...user.groups, id] });
  return noContent;
}

export function leaveGroup(p: In): Answer {
  const user = findUser(p);
  const { id } = groupOfPair(p);
  if (user.groups.includes(id)) {
    p.state.saveUser({ ...user, groups: user.groups.filter((one) => one !== id) });
  }
  return noContent;
}

/** Links to an alias that the realm does not have are kept, and hidden. */
export function listLinks(p: In): Answer {
  const aliases = new Set(p.realm.providers.map((provider) => provider['alias']));
  return ok(findUser(p).links.filter((link) => aliases.has(link.identityProvider)));
}

/** Neither the alias nor the login is checked; a second link to one provider is refused, even an equal one. */
export function addLink(p: In): Answer {
  const user = findUser(p);
  const alias = p.call.params[1] ?? '';
  const body = objectIn(p.call);
  if (user.links.some((link) => link.identityProvider === alias)) {
    throw refuse(409, 'User is already linked with provider');
  }
  const link: LinkDoc = {
    identityProvider: alias,
    userId: String(body['userId'] ?? ''),
    userName: String(body['userName'] ?? ''),
  };
  p.state.saveUser({ ...user, links: [...user.links, link] });
  return noContent;
}

export function removeLink(p: In): Answer {
  const user = findUser(p);
  const alias = p.call.params[1] ?? '';
  const links = user.links.filter((link) => link.identityProvider !== alias);
  if (links.length === user.links.length) throw notFound('Link not found');
  p.state.saveUser({ ...user, links });
  return noContent;
}

/** Ends the sessions; what stays is `notBefore`, in whole seconds. */
export function logOut(p: In): Answer {
  const user = findUser(p);
  endSessions({ state: p.state, userId: user.id });
  p.state.saveUser({ ...user, notBefore: Math.floor(Date.now() / 1000) });
  return noContent;
}

function endSessions(p: { readonly state: KeycloakState; readonly userId: string }): void {
  for (const [token, session] of p.state.sessions) {
    if (session.userId === p.userId) p.state.sessions.delete(token);
  }
}

export function deleteUser(p: In): Answer {
  const user = findUser(p);
  endSessions({ state: p.state, userId: user.id });
  forgetMember({ ...p, id: user.id });
  p.state.removeUser(user);
  return noContent;
}

export function listSessions(p: In): Answer {
  const { id, username } = findUser(p);
  const own = [...p.state.sessions.values()].filter((session) => session.userId === id);
  return ok(
    own.map((session) => ({
      id: session.id,
      username,
      userId: id,
      start: session.start,
      clients: { [session.clientId]: session.clientId },
    })),
  );
}

/** Never the hash or the salt. */
export function listCredentials(p: In): Answer {
  const credentials = findUser(p).credentials ?? [];
  return ok(credentials.map(({ secretData: _secret, value: _value, ...shown }) => shown));
}

export function removeCredential(p: In): Answer {
  const user = findUser(p);
  const held = user.credentials ?? [];
  const left = held.filter((one) => one['id'] !== p.call.params[1]);
  if (left.length === held.length) throw notFound('Credential not found');
  p.state.saveUser({ ...user, credentials: left });
  return noContent;
}

/** None are counted here. */
export function forgetWrongTries(p: In): Answer {
  findUser(p);
  return noContent;
}

/** `params`: user, then the client's uuid; without one, realm roles. */
export function changeRoles(p: In & { readonly add: boolean }): Answer {
  const user = findUser(p);
  const scope = p.call.params[1] ?? 'realm';
  const names = (Array.isArray(p.call.body) ? (p.call.body as Json[]) : []).map((role) =>
    String(role['name']),
  );
  const before = user.roles[scope] ?? [];
  const after = p.add
    ? [...new Set([...before, ...names])]
    : before.filter((name) => !names.includes(name));
  p.state.saveUser({ ...user, roles: { ...user.roles, [scope]: after } });
  return noContent;
}

export function listRoles(p: In): Answer {
  const user = findUser(p);
  const scope = p.call.params[1] ?? 'realm';
  return ok((user.roles[scope] ?? []).map((name) => ({ name, clientRole: scope !== 'realm' })));
}
