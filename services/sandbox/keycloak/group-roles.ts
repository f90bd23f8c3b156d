/** The groups that hand roles on. */

import { type Answer, type Call, noContent, notFound, ok } from './answer.ts';
import { findGroup } from './groups.ts';
import { rolesIn } from './roles.ts';
import type { Json, KeycloakState, RealmDoc } from './state.ts';

interface In {
  readonly state: KeycloakState;
  readonly realm: RealmDoc;
  readonly call: Call;
}

/** `params`: the group, then a client's uuid; without one, realm roles. Idempotent both ways. */
export function changeGroupRoles(p: In & { readonly add: boolean }): Answer {
  const group = findGroup(p);
  const scope = p.call.params[1] ?? 'realm';
  const known = rolesIn({ ...p, scope });
  const names = (Array.isArray(p.call.body) ? (p.call.body as Json[]) : []).map((sent) => {
    const role = known.find((one) => one['id'] === sent['id'] || one['name'] === sent['name']);
    if (role === undefined) throw notFound('Role not found');
    return String(role['name']);
  });
  const before = group.roles?.[scope] ?? [];
  const after = p.add
    ? [...new Set([...before, ...names])]
    : before.filter((name) => !names.includes(name));
  p.state.saveGroup({ ...group, roles: { ...group.roles, [scope]: after } });
  return noContent;
}

/** What the group does not have itself yet. */
export function listAvailableForGroup(p: In): Answer {
  const group = findGroup(p);
  const scope = p.call.params[1] ?? 'realm';
  const has = group.roles?.[scope] ?? [];
  return ok(rolesIn({ ...p, scope }).filter((role) => !has.includes(String(role['name']))));
}
