/** Who is in which group. Groups without our mark are somebody else's: nobody is taken out of them. */

import pLimit from 'p-limit';
import type { Outcome } from '../contract.ts';
import { judgeFailure, statusOf } from './failure.ts';
import { markOf } from './mark.ts';
import { type KeycloakSession, parallelCalls } from './session.ts';

/** Where a group stands: its path, null where it is gone, or why that could not be read. */
export type GroupPath = string | null | Outcome;

interface Remembered {
  readonly path: string;
  /** Milliseconds on the monotonic clock. */
  readonly at: number;
}

const rememberedMs = 30_000;
const lastPaths = new WeakMap<KeycloakSession, Map<string, Remembered>>();

/**
 * `readGroupPaths`, but what was read within the last half minute is not asked for again. Only for
 * whoever compares with a fresh reading afterwards.
 */
export async function recallGroupPaths(p: {
  readonly session: KeycloakSession;
  readonly ids: readonly string[];
}): Promise<Map<string, GroupPath>> {
  const known = lastPaths.get(p.session);
  const since = performance.now() - rememberedMs;
  const paths = new Map<string, GroupPath>();
  for (const id of p.ids) {
    const one = known?.get(id);
    if (one !== undefined && one.at > since) paths.set(id, one.path);
  }
  const ids = p.ids.filter((id) => !paths.has(id));
  for (const [id, path] of await readGroupPaths({ ...p, ids })) paths.set(id, path);
  return paths;
}

/** After a create that failed as it does for a path that leads nowhere. */
export function forgetGroupPaths(session: KeycloakSession): void {
  lastPaths.delete(session);
}

/** Under which parent a group was met last: only a hint where to look for it, never an answer. */
const lastParents = new WeakMap<KeycloakSession, Map<string, string>>();
/** From so many groups on, listing their parent's children is the shorter way. */
const worthListing = 3;
const parallel = parallelCalls;

/**
 * By Keycloak id. Paths are read afresh for each batch: a rename changes those of a whole subtree.
 * People of a batch come from classes all over, so the classes of a school are read by one listing. A
 * read that fails is told for its group alone, so that it holds up nobody else.
 */
export async function readGroupPaths(p: {
  readonly session: KeycloakSession;
  readonly ids: readonly string[];
}): Promise<Map<string, GroupPath>> {
  const { session } = p;
  const wanted = new Set(p.ids);
  const parents = lastParents.get(session) ?? new Map<string, string>();
  lastParents.set(session, parents);
  const limit = pLimit(parallel);
  const paths = new Map<string, GroupPath>();
  const listed = new Set<string>();
  const missing = () => [...wanted].filter((id) => !paths.has(id));

  async function list(parent: string): Promise<void> {
    listed.add(parent);
    for (const child of await listPaths({ session, parent })) {
      parents.set(child.id, parent);
      if (wanted.has(child.id)) paths.set(child.id, child.path);
      // What stands before a child's own name is where its parent stands.
      const end = `/${child.name}`;
      if (wanted.has(parent) && child.path.endsWith(end)) {
        paths.set(parent, child.path.slice(0, -end.length));
      }
    }
  }
  async function readSome(ids: readonly string[]): Promise<void> {
    const reading = ids.map((id) =>
      limit(async () => paths.set(id, await readPath({ session, id, parents }))),
    );
    await Promise.all(reading);
  }
  function listable(known: readonly string[]): string[] {
    const below = Map.groupBy(known, (id) => parents.get(id));
    return [...below].flatMap(([parent, ids]) =>
      parent === undefined || listed.has(parent) || ids.length < worthListing ? [] : [parent],
    );
  }

  await Promise.all(listable(missing()).map((parent) => limit(() => list(parent))));
  let strangers = missing().filter((id) => !parents.has(id));
  while (strangers.length > 0) {
    // A few of them tell where their neighbours are.
    const scouts = strangers.slice(0, parallel);
    await readSome(scouts);
    const met = new Set(scouts.flatMap((id) => parents.get(id) ?? []));
    const worth = strangers.length - scouts.length >= worthListing;
    const next = [...met].filter((parent) => worth && !listed.has(parent));
    await Promise.all(next.map((parent) => limit(() => list(parent))));
    strangers = missing().filter((id) => !parents.has(id));
  }
  await readSome(missing());
  const known = lastPaths.get(session) ?? new Map<string, Remembered>();
  lastPaths.set(session, known);
  for (const [id, path] of paths) {
    if (typeof path === 'string') known.set(id, { path, at: performance.now() });
    else known.delete(id);
  }
  return paths;
}

/** What is missing here, and everything where the listing fails, is read one by one afterwards. */
async function listPaths(p: {
  readonly session: KeycloakSession;
  readonly parent: string;
}): Promise<readonly { readonly id: string; readonly path: string; readonly name: string }[]> {
  const { client, read } = p.session;
  // Counting the children of each child is most of what a listing costs; the client's types do not
  // know the word.
  const query = {
    parentId: p.parent,
    first: 0,
    max: -1,
    briefRepresentation: true,
    subGroupsCount: false,
  };
  const children = await read(() => client.groups.listSubGroups(query), 'list').catch(() => []);
  return children.flatMap(({ id, name, path }) =>
    id === undefined || name === undefined || path === undefined ? [] : [{ id, name, path }],
  );
}

async function readPath(p: {
  readonly session: KeycloakSession;
  readonly id: string;
  readonly parents: Map<string, string>;
}): Promise<GroupPath> {
  const { client, read } = p.session;
  const { id } = p;
  try {
    const group = await read(() => client.groups.findOne({ id }));
    if (group?.parentId !== undefined) p.parents.set(id, group.parentId);
    return group?.path ?? null;
  } catch (error) {
    return judgeFailure(error);
  }
}

/** PUT and DELETE of a pair are idempotent, so an attempt cut short is simply done again. */
export async function writeMemberships(p: {
  readonly session: KeycloakSession;
  readonly userId: string;
  /** Keycloak ids of all groups of ours that the user shall be in. */
  readonly groups: readonly string[];
}): Promise<void> {
  const { client, call, read } = p.session;
  const id = p.userId;
  const current = await read(() => client.users.listGroups({ id, briefRepresentation: false }));
  const has = new Set(current.map((group) => group.id));
  for (const groupId of p.groups) {
    if (!has.has(groupId)) await call(() => client.users.addToGroup({ id, groupId }));
  }
  const wanted = new Set(p.groups);
  for (const group of current) {
    const groupId = String(group.id);
    if (wanted.has(groupId) || markOf(group) === null) continue;
    await call(() => client.users.delFromGroup({ id, groupId })).catch((error: unknown) => {
      if (statusOf(error) !== 404) throw error;
    });
  }
}
