/**
 * Roles that a group hands on to its members. Never roles that administer Keycloak itself: whoever may
 * put people into groups could make an administrator of anybody (CVE-2026-94000).
 */

import type GroupRepresentation from '@keycloak/keycloak-admin-client/lib/defs/groupRepresentation.js';
import type RoleRepresentation from '@keycloak/keycloak-admin-client/lib/defs/roleRepresentation.js';
import type { KeycloakGroup } from '../../policy/resource.ts';
import type { Outcome } from '../contract.ts';
import { rejected, retry, statusOf } from './failure.ts';
import type { KeycloakSession } from './session.ts';

/** Roles of the client `realm-management` on 26.7.5. */
const administration = new Set(
  `create-client impersonation manage-authorization manage-clients manage-events
  manage-identity-providers manage-organizations manage-realm manage-users query-clients query-groups
  query-organizations query-realms query-users realm-admin view-authorization view-clients view-events
  view-identity-providers view-organizations view-realm view-users`.split(/\s+/),
);

interface Role {
  readonly id: string;
  readonly name: string;
}

/** Per client (null: the realm) what to give and what to take away. */
interface Change {
  readonly client: string | null;
  readonly add: readonly Role[];
  readonly remove: readonly Role[];
}

/** Looks each role up once for all groups of a batch. */
export interface RoleBook {
  find(p: {
    readonly clientId: string | null;
    readonly name: string;
  }): Promise<{ readonly client: string | null; readonly role: Role } | Outcome>;
}

export function openRoleBook(session: KeycloakSession): RoleBook {
  const seen = new Map<string, ReturnType<RoleBook['find']>>();
  return {
    find(p) {
      const key = JSON.stringify([p.clientId, p.name]);
      const found = seen.get(key) ?? findRole({ session, ...p });
      seen.set(key, found);
      return found;
    },
  };
}

async function findRole(p: {
  readonly session: KeycloakSession;
  readonly clientId: string | null;
  readonly name: string;
}): ReturnType<RoleBook['find']> {
  const { clientId, name, session } = p;
  const { client, read } = session;
  if (clientId !== null && isManagement(clientId)) return adminRole(name);
  try {
    const owner =
      clientId === null ? null : (await read(() => client.clients.find({ clientId })))[0];
    const uuid = owner === null ? null : owner?.id;
    if (uuid === undefined) return missing(`client ${clientId}`);
    const role = await read(() =>
      uuid === null
        ? client.roles.findOneByName({ name })
        : client.clients.findRole({ id: uuid, roleName: name }),
    );
    if (!role?.id) return missing(`role ${name}`);
    if (session.realm === 'master' && clientId === null && /^(admin|create-realm)$/.test(name)) {
      return adminRole(name);
    }
    if (await leadsToAdministration({ session, role })) return adminRole(name);
    return { client: uuid, role: { id: role.id, name } };
  } catch (error) {
    if (statusOf(error) !== 403) throw error;
    return retry({
      code: 'no-right',
      afterMs: 300_000,
      detail:
        'Keycloak does not show us its roles: give our account view-realm, and view-clients for roles of clients.',
    });
  }
}

function isManagement(clientId: string): boolean {
  return clientId === 'realm-management' || clientId.endsWith('-realm');
}

/** A composite role counts as all that lies below it. Told by name, since parts do not name their client. */
async function leadsToAdministration(p: {
  readonly session: KeycloakSession;
  readonly role: RoleRepresentation;
}): Promise<boolean> {
  const { client, read } = p.session;
  const waiting = [p.role];
  const met = new Set<string>();
  for (let role = waiting.pop(); role !== undefined; role = waiting.pop()) {
    const id = String(role.id);
    if (role.composite !== true || met.has(id)) continue;
    met.add(id);
    for (const part of await read(() => client.roles.getCompositeRoles({ id }))) {
      if (part.clientRole === true && administration.has(String(part.name))) return true;
      waiting.push(part);
    }
  }
  return false;
}

function adminRole(name: string): Outcome {
  return rejected({
    code: 'admin-role',
    detail: `The role ${name} administers Keycloak itself and is never given to a group: take it out of the policy.`,
  });
}

function missing(what: string): Outcome {
  return retry({
    code: 'role-missing',
    afterMs: 300_000,
    detail: `Keycloak has no ${what}: make it there, or name it in the target's realmRoles and prepare the target.`,
  });
}

/**
 * What has to change, or why it may not. Roles that we never gave are left: somebody else gave them.
 * Without roles in question it asks the server nothing.
 */
export async function rolesToWrite(p: {
  readonly book: RoleBook;
  readonly desired: KeycloakGroup;
  /** What we may have written before. */
  readonly stood: readonly KeycloakGroup[];
  /** Null: about to be made. */
  readonly current: GroupRepresentation | null;
}): Promise<readonly Change[] | Outcome> {
  const { book, current, desired, stood } = p;
  const clients = new Set([
    ...Object.keys(desired.clientRoles ?? {}),
    ...stood.flatMap((body) => Object.keys(body.clientRoles ?? {})),
  ]);
  const places = [
    {
      clientId: null,
      wanted: desired.realmRoles ?? [],
      wrote: stood.flatMap((body) => body.realmRoles ?? []),
      has: current?.realmRoles ?? [],
    },
    ...[...clients].sort().map((clientId) => ({
      clientId,
      wanted: desired.clientRoles?.[clientId] ?? [],
      wrote: stood.flatMap((body) => body.clientRoles?.[clientId] ?? []),
      has: (current?.clientRoles?.[clientId] ?? []) as readonly string[],
    })),
  ];
  const changes: Change[] = [];
  for (const { clientId, has, wanted, wrote } of places) {
    const add: Role[] = [];
    const remove: Role[] = [];
    let client: string | null = null;
    const given = new Set(wrote);
    const gone = [...given].filter((name) => !wanted.includes(name) && has.includes(name));
    const due = wanted.filter((name) => !has.includes(name));
    for (const name of [...due, ...gone]) {
      const found = await book.find({ clientId, name });
      if ('state' in found) return found;
      client = found.client;
      (due.includes(name) ? add : remove).push(found.role);
    }
    if (add.length + remove.length > 0) changes.push({ client, add, remove });
  }
  return changes;
}

/** Both ways idempotent. */
export async function writeRoles(p: {
  readonly session: KeycloakSession;
  readonly groupId: string;
  readonly changes: readonly Change[];
}): Promise<void> {
  const { groups } = p.session.client;
  const id = p.groupId;
  for (const { add, client, remove } of p.changes) {
    const give = { id, roles: [...add] };
    const take = { id, roles: [...remove] };
    await p.session.call(async () => {
      if (client === null) {
        if (add.length > 0) await groups.addRealmRoleMappings(give);
        if (remove.length > 0) await groups.delRealmRoleMappings(take);
        return;
      }
      const clientUniqueId = client;
      if (add.length > 0) await groups.addClientRoleMappings({ ...give, clientUniqueId });
      if (remove.length > 0) await groups.delClientRoleMappings({ ...take, clientUniqueId });
    });
  }
}
