/** People as Keycloak users: created in one call, updated whole, never with credentials. */

import type UserRepresentation from '@keycloak/keycloak-admin-client/lib/defs/userRepresentation.js';
import pLimit from 'p-limit';
import { mayStand } from '../../ledger/work.ts';
import type { KeycloakAccount } from '../../policy/resource.ts';
import type { ExternalIdLookup, Outcome, Work } from '../contract.ts';
import { judgeFailure, rejected, retry, serverMessageOf, statusOf } from './failure.ts';
import { holdersOf, linksToWrite, usableLinks, writeLinks } from './links.ts';
import {
  type Attributes,
  accountAttributes,
  markAttribute,
  markOf,
  mergeAttributes,
  sameAttributes,
} from './mark.ts';
import {
  forgetGroupPaths,
  type GroupPath,
  readGroupPaths,
  recallGroupPaths,
  writeMemberships,
} from './membership.ts';
import { joinOrganization, notPrepared, readTenant, type Tenant } from './organization.ts';
import { readDeclaredAttributes } from './profile.ts';
import { type KeycloakSession, parallelCalls } from './session.ts';
import { hashStartPassword, startPasswordOf } from './start-password.ts';

/** As many as the pace ever lets through: more rows would only hold memory. */
const parallel = parallelCalls;

export interface AccountWork extends Work {
  readonly desired: KeycloakAccount | null;
  readonly applied: KeycloakAccount | null;
  readonly tried?: readonly KeycloakAccount[];
}

/** What all rows of a batch share. */
interface Batch {
  readonly session: KeycloakSession;
  /** Ledger key of a group to its Keycloak id. */
  readonly groupIds: ReadonlyMap<string, string>;
  readonly paths: Map<string, GroupPath>;
  /** Null: the realm keeps every attribute. */
  readonly declared: ReadonlySet<string> | null;
  /** Null: this target has the realm for itself. */
  readonly tenant: Tenant | null;
  /** Users created with group paths, to be looked at again if a group moved meanwhile. */
  readonly createdByPath: {
    readonly row: AccountWork;
    readonly id: string;
    readonly groups: readonly string[];
  }[];
}

export async function applyAccounts(p: {
  readonly session: KeycloakSession;
  readonly batch: readonly Work[];
  readonly externalIds: ExternalIdLookup;
}): Promise<readonly Outcome[]> {
  const rows = p.batch as readonly AccountWork[];
  const wanted = rows.filter((row) => row.desired !== null);
  const keys = [...new Set(wanted.flatMap((row) => row.desired?.groups ?? []))].sort();
  const groupIds =
    keys.length === 0 ? new Map<string, string>() : await p.externalIds({ kind: 'group', keys });
  const limit = pLimit(parallel);
  try {
    const created = wanted.filter((row) => row.externalId === null);
    const named = new Set(created.flatMap((row) => row.desired?.groups ?? []));
    const ids = [...named].flatMap((key) => groupIds.get(key) ?? []);
    const shared = p.session.settings.organization !== null;
    const tenant = shared && wanted.length > 0 ? await readTenant(p.session) : null;
    if (shared && wanted.length > 0 && tenant === null) return rows.map(() => notPrepared());
    const batch: Batch = {
      session: p.session,
      tenant,
      groupIds,
      paths: await recallGroupPaths({ session: p.session, ids }),
      declared: wanted.length === 0 ? null : await readDeclaredAttributes(p.session),
      createdByPath: [],
    };
    const outcomes = await Promise.all(
      rows.map((row) => limit(() => applyAccount({ batch, row }))),
    );
    const unsure = await repairMovedPaths(batch);
    return outcomes.map((outcome, index) => unsure.get(rows[index] as AccountWork) ?? outcome);
  } catch (error) {
    const outcome = judgeFailure(error);
    return rows.map(() => outcome);
  }
}

/**
 * POST takes groups by path only. At rollover a path may come to mean another class between our
 * reading it and the server's use of it, so the paths are read again afterwards. Gives the rows of
 * which that could not be made sure: their next attempt compares memberships by id.
 */
async function repairMovedPaths(batch: Batch): Promise<ReadonlyMap<AccountWork, Outcome>> {
  const unsure = new Map<AccountWork, Outcome>();
  if (batch.createdByPath.length === 0) return unsure;
  const ids = [...new Set(batch.createdByPath.flatMap((user) => user.groups))];
  const now = await readGroupPaths({ session: batch.session, ids });
  const moved = new Set(ids.filter((id) => now.get(id) !== batch.paths.get(id)));
  if (moved.size === 0) return unsure;
  const limit = pLimit(parallel);
  const affected = batch.createdByPath.filter((user) => user.groups.some((id) => moved.has(id)));
  await Promise.all(
    affected.map((user) =>
      limit(async () => {
        try {
          await writeMemberships({ ...batch, userId: user.id, groups: user.groups });
        } catch (error) {
          unsure.set(user.row, judgeFailure(error));
        }
      }),
    ),
  );
  return unsure;
}

async function applyAccount(p: {
  readonly batch: Batch;
  readonly row: AccountWork;
}): Promise<Outcome> {
  const { batch, row } = p;
  const { client, read } = batch.session;
  try {
    if (row.desired === null) return await deleteAccount({ session: batch.session, row });
    const fault = faultIn({ ...batch, desired: row.desired });
    if (fault !== null) return fault;
    const groups: string[] = [];
    for (const key of row.desired.groups) {
      const id = batch.groupIds.get(key);
      if (id === undefined) {
        return retry({ code: 'needs-group', detail: `Group ${key} is not in Keycloak yet.` });
      }
      groups.push(id);
    }
    const want = { batch, row, desired: row.desired, groups };
    if (row.externalId !== null) {
      const id = row.externalId;
      const current = await read(() => client.users.findOne({ id }));
      if (current) return await updateAccount({ ...want, id, current });
    }
    return await createAccount(want);
  } catch (error) {
    return judgeFailure(error);
  }
}

function faultIn(p: {
  readonly session: KeycloakSession;
  readonly desired: KeycloakAccount;
  readonly declared: ReadonlySet<string> | null;
}): Outcome | null {
  if (p.desired.startPassword !== undefined && p.session.settings.startPasswordSecret === null) {
    return retry({
      code: 'no-start-secret',
      afterMs: 300_000,
      detail:
        'The policy gives start passwords: name their secret in the target (startPasswordEnv).',
    });
  }
  if (p.declared === null) return null;
  if (!p.declared.has(markAttribute)) {
    return retry({
      code: 'not-prepared',
      afterMs: 300_000,
      detail: `The realm drops our owner mark: prepare the target (user profile attribute ${markAttribute}).`,
    });
  }
  const lost = Object.keys(p.desired.attributes).find((name) => p.declared?.has(name) === false);
  return lost === undefined
    ? null
    : rejected({
        code: 'undeclared-attribute',
        detail: `The realm would drop the attribute "${lost}" without a word: declare it in the user profile.`,
      });
}

interface Wanted {
  readonly batch: Batch;
  readonly row: AccountWork;
  readonly desired: KeycloakAccount;
  /** Keycloak ids. */
  readonly groups: readonly string[];
}

async function createAccount(p: Wanted): Promise<Outcome> {
  const { batch, desired, row } = p;
  const { session } = batch;
  const links = await usableLinks({ session, links: desired.links });
  if ((await holdersOf({ session, links })).some((holder) => holder.mark !== row.key)) {
    return linkTaken();
  }
  // Only a user that somebody deleted by hand is made anew without its groups having been read.
  const unknown = p.groups.filter((id) => !batch.paths.has(id));
  for (const [id, path] of await readGroupPaths({ session, ids: unknown })) {
    batch.paths.set(id, path);
  }
  const paths = p.groups.map((id) => batch.paths.get(id) ?? null);
  const unread = paths.find((path) => typeof path === 'object' && path !== null);
  if (unread !== undefined && unread !== null && typeof unread === 'object') return unread;
  // A group that vanished: the ledger's own repair makes it again.
  if (paths.includes(null)) {
    return retry({
      code: 'needs-group',
      detail: 'A group is gone from Keycloak.',
      afterMs: 60_000,
    });
  }
  const body: UserRepresentation = {
    username: desired.username,
    email: desired.email ?? '',
    firstName: desired.given,
    lastName: desired.family,
    // Absent would mean false.
    enabled: desired.active,
    attributes: { ...desired.attributes, [markAttribute]: [row.key] },
    groups: paths.filter((path) => typeof path === 'string'),
    federatedIdentities: links.map((link) => ({
      identityProvider: link.alias,
      userId: link.userId,
      userName: link.userId,
    })),
    ...(desired.startPassword === undefined ? {} : { credentials: [await credentialOf(p)] }),
  };
  let id: string;
  try {
    ({ id } = await session.call(() => session.client.users.create(body), 'create'));
  } catch (error) {
    const status = statusOf(error);
    if (status === 409) return adoptOrRefuse({ ...p, error });
    // What an unknown group path looks like: the whole create was rolled back.
    if (status === 500 && p.groups.length > 0) {
      forgetGroupPaths(session);
      return retry({
        code: 'create-failed',
        detail: 'Keycloak answered 500 to a create; groups are read again before the next try.',
      });
    }
    throw error;
  }
  if (p.groups.length > 0) batch.createdByPath.push({ row, id, groups: p.groups });
  if (batch.tenant !== null) {
    await joinOrganization({ session, tenant: batch.tenant, userId: id, fresh: true });
  }
  return { state: 'applied', externalId: id };
}

async function credentialOf(p: Wanted) {
  const secret = p.batch.session.settings.startPasswordSecret ?? '';
  const password = startPasswordOf({ secret, key: p.row.key });
  return hashStartPassword({ password, change: p.desired.startPassword?.change === true });
}

/**
 * A 409 for which nobody stands with the username. The text of a lost race names both the username
 * and the e-mail, and says nothing of either.
 */
function judgeConflict(error: unknown): Outcome {
  if (!/same email$/.test(serverMessageOf(error))) {
    return retry({ code: 'conflict', detail: 'A lost race for a username.' });
  }
  return rejected({
    code: 'email-taken',
    detail: 'Another user has this e-mail: allow duplicate e-mails in the realm, or clear one.',
  });
}

/** 409: our own user from an attempt whose answer was lost, or somebody else's name. */
async function adoptOrRefuse(p: Wanted & { readonly error: unknown }): Promise<Outcome> {
  const { client, read } = p.batch.session;
  const username = p.desired.username;
  const [holder] = await read(() => client.users.find({ username, exact: true }));
  if (holder === undefined) return judgeConflict(p.error);
  if (markOf(holder) === p.row.key) {
    return updateAccount({ ...p, id: String(holder.id), current: holder });
  }
  return usernameTaken();
}

function usernameTaken(): Outcome {
  return rejected({
    code: 'username-taken',
    detail: 'A user that is not this one has the username: let a plan adopt it, or rename it.',
  });
}

async function updateAccount(
  p: Wanted & { readonly id: string; readonly current: UserRepresentation },
): Promise<Outcome> {
  const { current, desired, id, row } = p;
  const { session } = p.batch;
  const mark = markOf(current);
  // No mark: the ledger was told by an approved plan to adopt this user.
  if (mark !== null && mark !== row.key) return notOurs();
  const next = wholeUser({ current, desired, row });
  if (!sameUser({ current, next })) {
    try {
      await session.call(() => session.client.users.update({ id }, next));
    } catch (error) {
      if (statusOf(error) !== 409) throw error;
      const username = desired.username;
      const query = { username, exact: true };
      const [holder] = await session.read(() => session.client.users.find(query));
      return holder === undefined || holder.id === id ? judgeConflict(error) : usernameTaken();
    }
  }
  // Disabling alone leaves sessions alive; the ledger's own memory decides, so that a lost answer
  // between the two calls is made good by the next attempt.
  const stood = mayStand(row);
  if (!desired.active && (stood.length === 0 || stood.some((body) => body.active))) {
    await session.call(() => session.client.users.logout({ id }));
  }
  await writeMemberships({ session, userId: id, groups: p.groups });
  if (p.batch.tenant !== null) {
    await joinOrganization({ session, tenant: p.batch.tenant, userId: id, fresh: false });
  }
  const again = row.startAgain != null && desired.startPassword !== undefined;
  if (again) await endOldStart({ session, id });
  if (again || (await mayStart(p))) {
    const credentials = [await credentialOf(p)];
    await session.call(() => session.client.users.update({ id }, { credentials }));
  }
  const plan = await linksToWrite({ session, userId: id, desired, stood });
  if ((await holdersOf({ session, links: plan.add })).some((holder) => holder.id !== id)) {
    return linkTaken();
  }
  await writeLinks({ session, userId: id, plan });
  return { state: 'applied', externalId: id };
}

/** What was there before opens nothing any more, and wrong tries are forgotten. Done twice it does no harm. */
async function endOldStart(p: {
  readonly session: KeycloakSession;
  readonly id: string;
}): Promise<void> {
  const { client, call, read } = p.session;
  const { id } = p;
  const held = await read(() => client.users.getCredentials({ id }));
  for (const { type, id: credentialId } of held) {
    if (type !== 'password' || credentialId === undefined) continue;
    await call(() => client.users.deleteCredential({ id, credentialId }));
  }
  await call(() => client.attackDetection.del({ id }));
  await call(() => client.users.logout({ id }));
}

/** An account that stood before its start password was wanted gets it only while it has none at all. */
async function mayStart(p: Wanted & { readonly id: string }): Promise<boolean> {
  const { applied } = p.row;
  if (p.desired.startPassword === undefined) return false;
  if (applied === null || applied.startPassword !== undefined) return false;
  const { client, read } = p.batch.session;
  const held = await read(() => client.users.getCredentials({ id: p.id }));
  return !held.some((credential) => credential.type === 'password');
}

/**
 * PUT with attributes replaces everything: what is not sent is emptied, so all of it is sent.
 * Credentials, required actions and groups are left out on purpose.
 */
function wholeUser(p: {
  readonly current: UserRepresentation;
  readonly desired: KeycloakAccount;
  readonly row: AccountWork;
}): UserRepresentation {
  const email = p.desired.email ?? '';
  const sameEmail = email.toLowerCase() === (p.current.email ?? '');
  return {
    username: p.desired.username,
    email,
    firstName: p.desired.given,
    lastName: p.desired.family,
    enabled: p.desired.active,
    // The server keeps "verified" when an administrator changes the address.
    emailVerified: sameEmail && p.current.emailVerified === true,
    attributes: mergeAttributes({
      current: (p.current.attributes ?? {}) as Attributes,
      desired: { ...p.desired.attributes, [markAttribute]: [p.row.key] },
      wrote: mayStand(p.row).map((body) => body.attributes),
      own: accountAttributes.map((attribute) => attribute.name),
    }),
  };
}

/** Usernames and e-mails are stored in lower case. */
function sameUser(p: {
  readonly current: UserRepresentation;
  readonly next: UserRepresentation;
}): boolean {
  const { current, next } = p;
  return (
    current.username === next.username?.toLowerCase() &&
    (current.email ?? '') === (next.email ?? '').toLowerCase() &&
    (current.firstName ?? '') === next.firstName &&
    (current.lastName ?? '') === next.lastName &&
    current.enabled === next.enabled &&
    current.emailVerified === next.emailVerified &&
    sameAttributes((current.attributes ?? {}) as Attributes, next.attributes as Attributes)
  );
}

async function deleteAccount(p: {
  readonly session: KeycloakSession;
  readonly row: AccountWork;
}): Promise<Outcome> {
  const { client, call } = p.session;
  const current = await findForDeletion(p);
  if (current === null) return { state: 'applied', externalId: null };
  if (markOf(current) !== p.row.key) return notOurs();
  const id = String(current.id);
  try {
    // Deleting alone tells no application to end its session.
    if (current.enabled === true) await call(() => client.users.logout({ id }));
    await call(() => client.users.del({ id }));
  } catch (error) {
    if (statusOf(error) !== 404) throw error;
  }
  return { state: 'applied', externalId: null };
}

async function findForDeletion(p: {
  readonly session: KeycloakSession;
  readonly row: AccountWork;
}): Promise<UserRepresentation | null> {
  const { client, read } = p.session;
  const id = p.row.externalId;
  if (id !== null) return (await read(() => client.users.findOne({ id }))) ?? null;
  // Never confirmed: only a lost answer can have left one behind. Searching by attribute reads the
  // whole table, which this rare case may.
  const q = `"${markAttribute}":"${p.row.key.replaceAll('"', '\\"')}"`;
  const found = await read(() => client.users.find({ q, max: 10 }), 'search');
  return found.find((user) => markOf(user) === p.row.key) ?? null;
}

function notOurs(): Outcome {
  return rejected({
    code: 'not-ours',
    detail: 'What stands under this id carries another owner mark, or none: it is left alone.',
  });
}

/** Keycloak would take it, and then let neither of the two in ("More results found"). */
function linkTaken(): Outcome {
  return rejected({
    code: 'link-taken',
    detail: 'Another user is linked to this login already: remove that link first.',
  });
}
