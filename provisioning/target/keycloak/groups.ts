/**
 * Schools and classes as Keycloak groups: a group's id stays for life, so its members do too; its
 * name is display text.
 */

import { createHash } from 'node:crypto';
import type GroupRepresentation from '@keycloak/keycloak-admin-client/lib/defs/groupRepresentation.js';
import pLimit from 'p-limit';
import { mayStand } from '../../ledger/work.ts';
import type { KeycloakGroup } from '../../policy/resource.ts';
import type { ExternalIdLookup, Outcome, Work } from '../contract.ts';
import { judgeFailure, rejected, retry, statusOf } from './failure.ts';
import { openRoleBook, type RoleBook, rolesToWrite, writeRoles } from './group-roles.ts';
import {
  type Attributes,
  closedAttribute,
  markAttribute,
  markOf,
  mergeAttributes,
  sameAttributes,
} from './mark.ts';
import { notPrepared, readTenant } from './organization.ts';
import type { KeycloakSession } from './session.ts';

/** Group writes invalidate the realm's cache on every node; more than a few at once only stampede it. */
const parallel = 4;

/**
 * The sibling that holds a wanted name is ours too: it may be about to let go of it, or has just
 * done so (`by` null).
 */
interface NameHeld {
  readonly state: 'name-held';
  readonly by: string | null;
}

type Attempt = Outcome | NameHeld;

interface GroupWork extends Work {
  readonly desired: KeycloakGroup | null;
  readonly applied: KeycloakGroup | null;
  readonly tried?: readonly KeycloakGroup[];
}

/**
 * Parents before their children, deletions from the leaves up, renames until nobody waits for a
 * name any more: at rollover 7A wants the name 8A that another class of the same batch still has.
 */
export async function applyGroups(p: {
  readonly session: KeycloakSession;
  readonly batch: readonly Work[];
  readonly externalIds: ExternalIdLookup;
}): Promise<readonly Outcome[]> {
  const rows = p.batch as readonly GroupWork[];
  let root: string | null = null;
  if (p.session.settings.organization !== null) {
    try {
      root = (await readTenant(p.session))?.groupId ?? null;
    } catch (error) {
      const outcome = judgeFailure(error);
      return rows.map(() => outcome);
    }
    if (root === null) return rows.map(() => notPrepared());
  }
  const book = openRoleBook(p.session);
  const parents = rows.flatMap((row) => (row.desired?.parent ? [row.desired.parent] : []));
  const ids = new Map(
    parents.length === 0
      ? []
      : await p.externalIds({ kind: 'group', keys: [...new Set(parents)].sort() }),
  );
  const done = new Map<GroupWork, Outcome>();
  const limit = pLimit(parallel);
  const runAll = async (some: readonly GroupWork[]) => {
    const attempts = await Promise.all(
      some.map((row) =>
        limit(async () => [row, await attempt({ ...p, row, ids, root, book })] as const),
      ),
    );
    const held = new Map<GroupWork, string | null>();
    for (const [row, result] of attempts) {
      if (result.state === 'name-held') {
        held.set(row, result.by);
        continue;
      }
      done.set(row, result);
      if (result.state === 'applied' && result.externalId !== null && row.desired !== null) {
        ids.set(row.key, result.externalId);
      }
    }
    return held;
  };
  for (const level of levelsOf(rows.filter((row) => row.desired === null)).reverse()) {
    await runAll(level);
  }
  for (const level of levelsOf(rows.filter((row) => row.desired !== null))) {
    let waiting = await runAll(level);
    let idle = 0;
    while (waiting.size > 0 && idle < 3) {
      const before = waiting.size;
      waiting = await runAll([...waiting.keys()]);
      const progress = waiting.size < before || (await breakCircle({ ...p, waiting }));
      idle = progress ? 0 : idle + 1;
    }
    for (const row of waiting.keys()) {
      done.set(
        row,
        retry({
          code: 'name-held',
          afterMs: 60_000,
          detail: 'Another of our groups under the same parent still has this name.',
        }),
      );
    }
  }
  return rows.map((row) => done.get(row) ?? retry({ code: 'not-tried', detail: 'Try again.' }));
}

/** Rows by depth inside the batch: a row comes after its parent's row. */
function levelsOf(rows: readonly GroupWork[]): GroupWork[][] {
  const byKey = new Map(rows.map((row) => [row.key, row]));
  const levels: GroupWork[][] = [];
  for (const row of rows) {
    let depth = 0;
    let parent = (row.desired ?? row.applied)?.parent ?? null;
    while (parent !== null && depth < rows.length) {
      const above = byKey.get(parent);
      if (above === undefined) break;
      depth += 1;
      parent = (above.desired ?? above.applied)?.parent ?? null;
    }
    levels[depth] = [...(levels[depth] ?? []), row];
  }
  return levels.filter((level) => level !== undefined);
}

/** Classes that swap names wait for each other: one of them steps aside under a passing name. */
async function breakCircle(p: {
  readonly session: KeycloakSession;
  readonly waiting: ReadonlyMap<GroupWork, string | null>;
}): Promise<boolean> {
  const heldBy = new Map([...p.waiting].map(([row, by]) => [row.key, by]));
  for (const row of p.waiting.keys()) {
    if (row.externalId === null || row.desired === null) continue;
    let next = heldBy.get(row.key) ?? null;
    for (let steps = 0; next !== null && next !== row.key && steps < heldBy.size; steps += 1) {
      next = heldBy.get(next) ?? null;
    }
    if (next !== row.key) continue;
    const id = row.externalId;
    try {
      const { client, call, read } = p.session;
      const current = await read(() => client.groups.findOne({ id }));
      if (!current || markOf(current) !== row.key) continue;
      const name = withSuffix({ name: row.desired.name, key: row.key });
      if (current.name === name) continue;
      await call(() => client.groups.update({ id }, { ...current, name }));
      return true;
    } catch {
      // The row's own next attempt says what is wrong.
    }
  }
  return false;
}

async function attempt(p: {
  readonly session: KeycloakSession;
  readonly row: GroupWork;
  readonly ids: ReadonlyMap<string, string>;
  /** What stands in for the top of the realm; null: its top. */
  readonly root: string | null;
  readonly book: RoleBook;
}): Promise<Attempt> {
  const { book, row, session } = p;
  try {
    if (row.desired === null) return await deleteGroup({ session, row });
    const fault = faultIn(row.desired);
    if (fault !== null) return fault;
    const parent = row.desired.parent === null ? p.root : p.ids.get(row.desired.parent);
    if (parent === undefined) {
      return retry({ code: 'needs-group', detail: 'The parent group is not in Keycloak yet.' });
    }
    const want = { session, book, row, desired: row.desired, parent };
    if (row.externalId !== null) {
      const id = row.externalId;
      const current = await session.read(() => session.client.groups.findOne({ id }));
      if (current) return await updateGroup({ ...want, id, current });
    }
    return await createGroup(want);
  } catch (error) {
    return judgeFailure(error);
  }
}

/** What the server would answer with a bare 500 (longer than its columns), or take and mix up later (slashes). */
function faultIn(body: KeycloakGroup): Outcome | null {
  const { name } = body;
  if (name === '' || name !== name.trim() || name.includes('/') || name.length > 240) {
    return rejected({
      code: 'invalid-name',
      detail: 'A group name needs 1-240 characters, no slash, and no space at its ends.',
    });
  }
  const tooLong = Object.entries(body.attributes).find(([, values]) =>
    values.some((value) => value.length > 255),
  );
  return tooLong === undefined
    ? null
    : rejected({
        code: 'invalid-attribute',
        detail: `${tooLong[0]}: a group attribute holds at most 255 characters.`,
      });
}

/**
 * The name that stands in Keycloak. A closed group keeps its members' history but gives its name
 * free: next year another class is called 9A, and siblings may not share a name.
 */
export function groupNameOf(p: { readonly body: KeycloakGroup; readonly key: string }): string {
  return p.body.active ? p.body.name : withSuffix({ name: p.body.name, key: p.key });
}

export function withSuffix(p: { readonly name: string; readonly key: string }): string {
  return `${p.name} ~${createHash('sha256').update(p.key).digest('hex').slice(0, 8)}`;
}

function attributesOf(p: { readonly body: KeycloakGroup; readonly key: string }): Attributes {
  return {
    ...p.body.attributes,
    [markAttribute]: [p.key],
    ...(p.body.active ? {} : { [closedAttribute]: ['true'] }),
  };
}

interface Wanted {
  readonly session: KeycloakSession;
  readonly row: GroupWork;
  readonly desired: KeycloakGroup;
  /** Keycloak id of the parent; null for a top group. */
  readonly parent: string | null;
  readonly book: RoleBook;
}

async function createGroup(p: Wanted): Promise<Attempt> {
  const { client, call } = p.session;
  const name = groupNameOf({ body: p.desired, key: p.row.key });
  const body = { name, attributes: { ...attributesOf({ body: p.desired, key: p.row.key }) } };
  const parent = p.parent;
  const changes = await rolesToWrite({ ...p, stood: mayStand(p.row), current: null });
  if ('state' in changes) return changes;
  let made: string;
  try {
    const { id } = await call(() =>
      parent === null
        ? client.groups.create(body)
        : client.groups.createChildGroup({ id: parent }, body),
    );
    made = id;
  } catch (error) {
    if (statusOf(error) === 404 && parent !== null) {
      return retry({ code: 'needs-group', detail: 'The parent group is gone from Keycloak.' });
    }
    if (statusOf(error) !== 409) throw error;
    return adoptOrWait({ ...p, name });
  }
  await writeRoles({ session: p.session, groupId: made, changes });
  return { state: 'applied', externalId: made };
}

async function adoptOrWait(p: Wanted & { readonly name: string }): Promise<Attempt> {
  const holder = await findByName(p);
  if (holder === null) return { state: 'name-held', by: null };
  // An earlier attempt whose answer was lost.
  if (markOf(holder) === p.row.key) {
    return updateGroup({ ...p, id: String(holder.id), current: holder });
  }
  return nameTaken(holder);
}

function nameTaken(holder: GroupRepresentation): Attempt {
  const by = markOf(holder);
  if (by !== null) return { state: 'name-held', by };
  return rejected({
    code: 'group-name-taken',
    detail: 'A group that is not ours has this name: rename it, or let a plan adopt it.',
  });
}

async function findByName(p: {
  readonly session: KeycloakSession;
  readonly parent: string | null;
  readonly name: string;
}): Promise<GroupRepresentation | null> {
  const { client, read } = p.session;
  const query = { search: p.name, exact: true, briefRepresentation: false, first: 0, max: 100 };
  const parent = p.parent;
  const found = await read(() =>
    parent === null
      ? client.groups.find({ ...query, populateHierarchy: false })
      : client.groups.listSubGroups({ ...query, parentId: parent }),
  );
  return (
    found.find((group) => group.name === p.name && (group.parentId ?? null) === parent) ?? null
  );
}

async function updateGroup(
  p: Wanted & { readonly id: string; readonly current: GroupRepresentation },
): Promise<Attempt> {
  const { client, call } = p.session;
  const { id, current, row } = p;
  const mark = markOf(current);
  // No mark: the ledger was told by an approved plan to adopt this group.
  if (mark !== null && mark !== row.key) return notOurs();
  const name = groupNameOf({ body: p.desired, key: row.key });
  const changes = await rolesToWrite({ ...p, stood: mayStand(row) });
  if ('state' in changes) return changes;
  const attributes = mergeAttributes({
    current: (current.attributes ?? {}) as Attributes,
    desired: attributesOf({ body: p.desired, key: row.key }),
    wrote: mayStand(row).map((body) => body.attributes ?? {}),
    own: [markAttribute, closedAttribute],
  });
  const renamed = current.name !== name;
  const moved = (current.parentId ?? null) !== p.parent;
  try {
    if (renamed || !sameAttributes((current.attributes ?? {}) as Attributes, attributes)) {
      // Whole: an absent description would be cleared.
      await call(() => client.groups.update({ id }, { ...current, name, attributes }));
    }
    if (moved) await moveGroup({ session: p.session, id, name, parent: p.parent });
  } catch (error) {
    if (statusOf(error) !== 409) throw error;
    const places = [...new Set([current.parentId ?? null, p.parent])];
    for (const parent of places) {
      const holder = await findByName({ session: p.session, parent, name });
      if (holder !== null && holder.id !== id) return nameTaken(holder);
    }
    return { state: 'name-held', by: null };
  }
  await writeRoles({ session: p.session, groupId: id, changes });
  return { state: 'applied', externalId: id };
}

/** POST of an existing id moves the group with all that is under it; nothing else in the body counts. */
async function moveGroup(p: {
  readonly session: KeycloakSession;
  readonly id: string;
  readonly name: string;
  readonly parent: string | null;
}): Promise<void> {
  const { client, call } = p.session;
  const { id, name, parent } = p;
  await call(() =>
    parent === null
      ? client.groups.updateRoot({ id, name })
      : client.groups.updateChildGroup({ id: parent }, { id, name }),
  );
}

function notOurs(): Outcome {
  return rejected({
    code: 'not-ours',
    detail: 'What stands under this id carries another owner mark, or none: it is left alone.',
  });
}

/** Deleting takes the whole subtree with it, so anything below must be gone first. */
async function deleteGroup(p: {
  readonly session: KeycloakSession;
  readonly row: GroupWork;
}): Promise<Outcome> {
  const { client, call, read } = p.session;
  const current = await findForDeletion(p);
  if (current === null) return { state: 'applied', externalId: null };
  if (markOf(current) !== p.row.key) return notOurs();
  const id = String(current.id);
  const children = await read(() =>
    client.groups.listSubGroups({ parentId: id, first: 0, max: 100, briefRepresentation: false }),
  );
  if (children.some((child) => markOf(child) === null)) {
    return rejected({
      code: 'holds-foreign-groups',
      detail: 'Groups that are not ours lie below this one: move them first.',
    });
  }
  if (children.length > 0) {
    return retry({ code: 'has-children', detail: 'Groups of ours still lie below this one.' });
  }
  await call(() => client.groups.del({ id })).catch((error: unknown) => {
    if (statusOf(error) !== 404) throw error;
  });
  return { state: 'applied', externalId: null };
}

async function findForDeletion(p: {
  readonly session: KeycloakSession;
  readonly row: GroupWork;
}): Promise<GroupRepresentation | null> {
  const { client, read } = p.session;
  const id = p.row.externalId;
  if (id !== null) return (await read(() => client.groups.findOne({ id }))) ?? null;
  // Never confirmed: only a lost answer can have left one behind.
  const q = `"${markAttribute}":"${p.row.key.replaceAll('"', '\\"')}"`;
  const found = await read(
    () => client.groups.find({ q, populateHierarchy: false, briefRepresentation: false, max: 10 }),
    'search',
  );
  return found.find((group) => markOf(group) === p.row.key) ?? null;
}
