/** Groups: a tree with ids that stay, names unique among siblings. */

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
  refuse,
  unknownError,
} from './answer.ts';
import { describeGroupRoles } from './roles.ts';
import type { GroupDoc, Json, KeycloakState, RealmDoc } from './state.ts';
import { describeUser } from './users.ts';

interface In {
  readonly state: KeycloakState;
  readonly realm: RealmDoc;
  readonly call: Call;
}

export function findGroup(p: { readonly state: KeycloakState; readonly call: Call }): GroupDoc {
  const group = p.state.group({ realm: p.call.realm, id: p.call.params[0] ?? '' });
  if (group === null) throw notFound('Could not find group by id');
  return group;
}

/** POST /groups: a new top group, or with the id of a group that exists, a move to the top. */
export function createTopGroup(p: In): Answer {
  const body = objectIn(p.call);
  const moved = moveHere({ ...p, body, parent: null });
  if (moved !== null) return moved;
  const group = addGroup({ ...p, body, parent: null });
  return { status: 201, location: `${p.call.path}/${group.id}` };
}

/** POST /groups/{id}/children: alone among the creates, it answers with what it made. */
export function createChildGroup(p: In): Answer {
  const parent = findGroup(p);
  const body = objectIn(p.call);
  const moved = moveHere({ ...p, body, parent });
  if (moved !== null) return moved;
  const group = addGroup({ ...p, body, parent });
  const path = p.call.path.replace(/\/[^/]+\/children$/, `/${group.id}`);
  const { subGroupCount: _count, ...described } = describeGroup({ ...p, group, brief: false });
  return { status: 201, location: path, body: described };
}

function nameIn(body: Json): string {
  const name = body['name'];
  if (typeof name !== 'string' || name.trim() === '') throw refuse(400, 'Group name is missing');
  return name;
}

function refuseSibling(p: {
  readonly state: KeycloakState;
  readonly realm: string;
  readonly parent: string | null;
  readonly name: string;
  readonly self: string | null;
  readonly top: boolean;
}): void {
  const siblings = p.state.childrenOf({ realm: p.realm, parent: p.parent });
  if (!siblings.some((group) => group.name === p.name && group.id !== p.self)) return;
  const kind = p.top ? 'Top level' : 'Sibling';
  throw refuse(409, `${kind} group named '${p.name}' already exists.`);
}

function moveHere(
  p: In & { readonly body: Json; readonly parent: GroupDoc | null },
): Answer | null {
  const { id } = p.body;
  if (typeof id !== 'string') return null;
  const group = p.state.group({ realm: p.realm.realm, id });
  if (group === null) throw notFound('Could not find child by id');
  nameIn(p.body);
  const parent = p.parent?.id ?? null;
  refuseSibling({
    state: p.state,
    realm: p.realm.realm,
    parent,
    name: group.name,
    self: group.id,
    top: parent === null,
  });
  // Everything but the id is ignored.
  p.state.saveGroup({ ...group, parentId: parent });
  return noContent;
}

function addGroup(p: In & { readonly body: Json; readonly parent: GroupDoc | null }): GroupDoc {
  const name = nameIn(p.body);
  const parent = p.parent?.id ?? null;
  const { state } = p;
  refuseSibling({
    state,
    realm: p.realm.realm,
    parent,
    name,
    self: null,
    top: parent === null,
  });
  const group: GroupDoc = {
    id: state.newId(),
    realm: p.realm.realm,
    name,
    parentId: parent,
    description: typeof p.body['description'] === 'string' ? p.body['description'] : null,
    attributes: attributesIn(p.body),
  };
  refuseTooLong(group);
  state.saveGroup(group);
  return group;
}

function attributesIn(body: Json): Record<string, string[]> {
  const sent = (body['attributes'] ?? {}) as Record<string, unknown>;
  const kept: Record<string, string[]> = {};
  for (const [name, value] of Object.entries(sent)) {
    const values = (Array.isArray(value) ? value : [value]).map(String);
    if (values.length > 0) kept[name] = values;
  }
  return kept;
}

/** The database's columns are the only guard, and they answer like any other accident. */
function refuseTooLong(group: GroupDoc): void {
  const values = [group.name, ...Object.values(group.attributes).flat()];
  if (values.some((value) => value.length > 255)) throw unknownError();
}

export function updateGroup(p: In): Answer {
  const body = objectIn(p.call);
  const stored = findGroup(p);
  const name = nameIn(body);
  if (name !== stored.name) {
    const parent = stored.parentId;
    const { state } = p;
    refuseSibling({ state, realm: p.realm.realm, parent, name, self: stored.id, top: false });
  }
  const group: GroupDoc = {
    ...stored,
    name,
    description: typeof body['description'] === 'string' ? body['description'] : null,
    attributes: body['attributes'] == null ? stored.attributes : attributesIn(body),
  };
  refuseTooLong(group);
  p.state.saveGroup(group);
  return noContent;
}

/** The whole subtree and all memberships in it. */
export function deleteGroup(p: In): Answer {
  const remove = (group: GroupDoc) => {
    for (const child of p.state.childrenOf({ realm: group.realm, parent: group.id })) remove(child);
    for (const user of p.state.membersOf(group)) {
      p.state.saveUser({ ...user, groups: user.groups.filter((id) => id !== group.id) });
    }
    p.state.removeGroup(group);
  };
  remove(findGroup(p));
  return noContent;
}

export function describeGroup(p: In & { readonly group: GroupDoc; readonly brief: boolean }): Json {
  const { group } = p;
  return {
    id: group.id,
    name: group.name,
    ...(group.description === null ? {} : { description: group.description }),
    path: p.state.pathOf(group),
    ...(group.parentId === null ? {} : { parentId: group.parentId }),
    subGroupCount: p.state.childrenOf({ realm: group.realm, parent: group.id }).length,
    subGroups: [],
    ...(p.brief
      ? {}
      : {
          attributes: group.attributes,
          ...describeGroupRoles({ realm: p.realm, roles: group.roles }),
        }),
    access: {
      view: true,
      viewMembers: true,
      manageMembers: true,
      manage: true,
      manageMembership: true,
    },
  };
}

/** Without search: top groups, all of them. With it: hits of any depth, by default inside their ancestors. */
export function listGroups(p: In): Answer {
  const { call, realm, state } = p;
  const brief = flag(call, 'briefRepresentation', true);
  const tops = state.childrenOf({ realm: realm.realm, parent: null });
  const search = call.query.get('search');
  const pairs = attributeQuery(call.query.get('q') ?? '');
  if (search === null && pairs.length === 0) {
    const page = pageOf({ call, items: tops, max: -1 });
    return ok(page.map((group) => describeGroup({ ...p, group, brief })));
  }
  const fits = (group: GroupDoc) =>
    (search === null ||
      nameFits({ name: group.name, search, exact: flag(call, 'exact', false) })) &&
    pairs.every(([name, value]) => group.attributes[name]?.includes(value));
  const hits: GroupDoc[] = [];
  const walk = (groups: readonly GroupDoc[]) => {
    for (const group of groups) {
      if (fits(group)) hits.push(group);
      walk(state.childrenOf({ realm: realm.realm, parent: group.id }));
    }
  };
  walk(tops);
  const page = pageOf({ call, items: hits, max: -1 });
  if (!flag(call, 'populateHierarchy', true)) {
    return ok(page.map((group) => describeGroup({ ...p, group, brief })));
  }
  return ok(insideAncestors({ ...p, hits: page, brief }));
}

function nameFits(p: {
  readonly name: string;
  readonly search: string;
  readonly exact: boolean;
}): boolean {
  return p.exact ? p.name === p.search : p.name.toLowerCase().includes(p.search.toLowerCase());
}

function insideAncestors(
  p: In & { readonly hits: readonly GroupDoc[]; readonly brief: boolean },
): Json[] {
  const shown = new Map<string, Json>();
  const roots: Json[] = [];
  const show = (group: GroupDoc): Json => {
    const known = shown.get(group.id);
    if (known !== undefined) return known;
    const described = describeGroup({ ...p, group });
    shown.set(group.id, described);
    const parent =
      group.parentId === null ? null : p.state.group({ realm: group.realm, id: group.parentId });
    if (parent === null) roots.push(described);
    else (show(parent)['subGroups'] as Json[]).push(described);
    return described;
  };
  for (const hit of p.hits) show(hit);
  return roots;
}

export function listChildren(p: In): Answer {
  const { call } = p;
  const group = findGroup(p);
  const search = call.query.get('search');
  const exact = flag(call, 'exact', false);
  const items = p.state
    .childrenOf({ realm: group.realm, parent: group.id })
    .filter((child) => search === null || nameFits({ name: child.name, search, exact }));
  const brief = flag(call, 'briefRepresentation', false);
  const page = pageOf({ call, items, max: 10 });
  return ok(page.map((child) => describeGroup({ ...p, group: child, brief })));
}

/** Direct members only, 100 unless asked for more. */
export function listMembers(p: In): Answer {
  const brief = flag(p.call, 'briefRepresentation', false);
  const page = pageOf({ call: p.call, items: p.state.membersOf(findGroup(p)), max: 100 });
  return ok(
    page.map((user) => {
      const { access: _access, ...described } = describeUser({
        realm: p.realm,
        user,
        shape: brief ? 'brief' : 'listed',
      });
      return described;
    }),
  );
}
