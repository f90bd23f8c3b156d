import * as z from 'zod';
import { mayStand } from '../../ledger/work.ts';
import type { MoodleAccount } from '../../policy/resource.ts';
import type { Outcome, Work } from '../contract.ts';
import type { FormValue, Moodle } from './http.ts';
import { MoodleError } from './http.ts';
import { findUsers, isTombstone, type MoodleUser, warningList } from './lookup.ts';
import { isOwn, ownerMark } from './mark.ts';
import { numberOf, type Site } from './site.ts';
import {
  applied,
  batchSize,
  findRemovals,
  heldByOurs,
  itemsPerCall,
  outcomeOf,
  outcomeOfCode,
  rejected,
  retry,
  type Sent,
  sendBatches,
  sendWhole,
} from './write.ts';

interface Row {
  readonly work: Work;
  readonly mark: string;
  readonly body: MoodleAccount | null;
}

type Outcomes = Map<Work, Outcome>;

/** Methods whose password lives in Moodle: it makes one up, since none is known here. */
const withPassword = new Set(['manual', 'email', 'nologin', 'none', 'webservice', 'lti']);

/**
 * Creates, changes, suspends and deletes users. Looks everybody up first, because a duplicate
 * username answers just as rubbish does (recording moodle-4.5.6/06).
 */
export async function applyAccounts(p: {
  readonly site: Site;
  readonly batch: readonly Work[];
}): Promise<Outcomes> {
  const outcomes: Outcomes = new Map();
  const rows = p.batch.map((work) => ({
    work,
    mark: ownerMark({ kind: 'account', key: work.key }),
    body: work.desired as MoodleAccount | null,
  }));
  const sound = rows.filter((row) => {
    const fault = row.body === null ? null : faultOf(row.body);
    if (fault !== null) outcomes.set(row.work, fault);
    return fault === null;
  });
  const current = await findCurrent({ moodle: p.site.moodle, rows: sound, outcomes });
  const open = sound.filter((row) => !outcomes.has(row.work));
  const removals = open.filter((row) => row.body === null);
  const creations = open.filter((row) => row.body !== null && !current.has(row));
  const changes = open.filter((row) => row.body !== null && current.has(row));
  await deleteUsers({ moodle: p.site.moodle, rows: removals, current, outcomes });
  const created = await createUsers({ moodle: p.site.moodle, rows: creations, outcomes });
  const all = new Map([...current, ...created]);
  const made = creations.filter((row) => created.has(row));
  await updateUsers({
    moodle: p.site.moodle,
    rows: [...changes, ...made],
    current: all,
    outcomes,
  });
  return outcomes;
}

/** What would spoil a whole call (an unclean username) or be a database error (too long). */
function faultOf(body: MoodleAccount): Outcome | null {
  if (!/^[a-z0-9._@-]+$/.test(body.username)) {
    return rejected('invalid-username', 'a Moodle username is made of a-z 0-9 . _ @ -');
  }
  const texts = [body.username, body.firstname, body.lastname, body.email];
  if (texts.some((text) => [...text].length > 100)) {
    return rejected('too-long', 'username, names and e-mail hold at most 100 characters');
  }
  return null;
}

/** Finds what stands there now; settles rows whose name or mark belongs to somebody else. */
async function findCurrent(p: {
  readonly moodle: Moodle;
  readonly rows: readonly Row[];
  readonly outcomes: Outcomes;
}): Promise<Map<Row, MoodleUser>> {
  const { moodle, rows, outcomes } = p;
  const current = new Map<Row, MoodleUser>();
  const ids = rows.map((row) => numberOf(row.work.externalId)).filter((id) => id !== null);
  const byId = new Map(
    (await findUsers({ moodle, field: 'id', values: ids })).map((u) => [u.id, u]),
  );
  const unknown: Row[] = [];
  for (const row of rows) {
    const user = byId.get(numberOf(row.work.externalId) ?? 0);
    if (user === undefined) unknown.push(row);
    else if (isTombstone(user)) {
      if (row.body === null) outcomes.set(row.work, applied(row.work.externalId));
      else unknown.push(row);
    } else if (isOwn({ ...row, idnumber: user.idnumber })) current.set(row, user);
    else outcomes.set(row.work, rejected('not-ours', 'the account no longer carries our mark'));
  }
  const marks = unknown.map((row) => row.mark);
  const names = unknown.map((row) => row.body?.username).filter((name) => name !== undefined);
  const [marked, named] = await Promise.all([
    findUsers({ moodle, field: 'idnumber', values: marks, nobodies: true }),
    findUsers({ moodle, field: 'username', values: names, nobodies: true }),
  ]);
  const byMark = new Map(marked.map((user) => [user.idnumber, user]));
  const byName = new Map(named.map((user) => [user.username, user]));
  for (const row of unknown) {
    const own = byMark.get(row.mark);
    const holder = byName.get(row.body?.username ?? '');
    if (own !== undefined) current.set(row, own);
    else if (row.body !== null && holder !== undefined) {
      outcomes.set(
        row.work,
        rejected('username-taken', 'an account that is not ours has the name'),
      );
    }
  }
  return current;
}

async function deleteUsers(p: {
  readonly moodle: Moodle;
  readonly rows: readonly Row[];
  readonly current: ReadonlyMap<Row, MoodleUser>;
  readonly outcomes: Outcomes;
}): Promise<void> {
  const sent = await sendWhole({
    moodle: p.moodle,
    function: 'core_user_delete_users',
    items: findRemovals(p),
    size: batchSize,
    params: (batch) => ({ userids: batch.map(({ id }) => id) }),
  });
  for (const [{ row, id }, result] of sent) {
    const gone = result.ok || result.error.reason === 'invaliduser';
    p.outcomes.set(row.work, gone ? applied(String(id)) : outcomeOf(result.error));
  }
}

const createdList = z.array(z.object({ id: z.number(), username: z.string() }));

/** Makes users and gives back how each stands then; settles those that cannot be made. */
async function createUsers(p: {
  readonly moodle: Moodle;
  readonly rows: readonly Row[];
  readonly outcomes: Outcomes;
}): Promise<ReadonlyMap<Row, MoodleUser>> {
  const { moodle, outcomes } = p;
  const created = new Map<Row, MoodleUser>();
  const diagnosed = new Map<string, Promise<boolean>>();
  const emails = new Set<string>();
  const names = new Set<string>();
  const items = p.rows.filter((row) => {
    // One writer per natural key, and one bad pair would cost the whole batch its transaction.
    const email = row.body?.email.toLowerCase() ?? '';
    const name = row.body?.username ?? '';
    const code = names.has(name) ? 'username-taken' : emails.has(email) ? 'email-taken' : null;
    names.add(name);
    emails.add(email);
    if (code === null) return true;
    const detail = 'another row of the same batch has it';
    outcomes.set(row.work, heldByOurs({ row: row.work, code, detail }));
    return false;
  });
  const size = usersPerCall(items);
  const sent = await sendBatches<Row, Outcome | MoodleUser>({
    items,
    size,
    async send(batch) {
      try {
        return await createPlainly(moodle, batch);
      } catch (error) {
        const refused = error instanceof MoodleError && error.code === 'refused';
        if (!refused || error.reason !== 'invalidparameter') throw error;
        const faults = await diagnose({ moodle, batch, diagnosed });
        const rest = batch.filter((row) => !faults.has(row));
        // Nothing found, or nothing but faults: halving decides, or there is nothing left to send.
        if (faults.size === 0) throw error;
        const others = await sendBatches<Row, Outcome | MoodleUser>({
          items: rest,
          size,
          send: (part) => createPlainly(moodle, part),
        });
        return batch.map((row) => {
          const fault = faults.get(row);
          const result = others.get(row);
          if (fault !== undefined) return { ok: true, value: fault };
          return result ?? { ok: false, error };
        });
      }
    },
  });
  for (const [row, result] of sent) {
    if (!result.ok) outcomes.set(row.work, outcomeOf(result.error));
    else if ('state' in result.value) outcomes.set(row.work, result.value);
    else created.set(row, result.value);
  }
  return created;
}

async function createPlainly(
  moodle: Moodle,
  batch: readonly Row[],
): Promise<readonly Sent<Outcome | MoodleUser>[]> {
  const users = batch.map((row) => creationOf(row));
  const name = 'core_user_create_users';
  const call = { function: name, params: { users }, answer: createdList } as const;
  const ids = new Map((await moodle.write(call)).map((user) => [user.username, user.id]));
  return batch.map((row) => made(row, ids.get(row.body?.username ?? '')));
}

function creationOf(row: Row): FormValue {
  const { body, mark } = row;
  if (body === null) throw new Error('a row without a body is not created');
  const { username, firstname, lastname, email, auth } = body;
  const createpassword = withPassword.has(auth) ? 1 : undefined;
  const customfields = Object.entries(body.profileFields ?? {}).map(([type, value]) => ({
    type,
    value,
  }));
  return {
    ...{ username, firstname, lastname, email, auth, idnumber: mark, createpassword },
    ...(customfields.length === 0 ? {} : { customfields }),
  };
}

/** Eight fields and two for each profile field, below PHP's limit. */
function usersPerCall(rows: readonly Row[]): number {
  const most = Math.max(0, ...rows.map((row) => Object.keys(profileOf(row)).length));
  return Math.min(batchSize, itemsPerCall(8 + 2 * most));
}

/** What is wanted, and empty what was ours and is wanted no more. */
function profileOf(row: Row): Readonly<Record<string, string>> {
  const stood = mayStand(row.work) as readonly MoodleAccount[];
  const before = stood.flatMap((body) => Object.keys(body.profileFields ?? {}));
  const emptied = Object.fromEntries(before.map((name) => [name, '']));
  return { ...emptied, ...row.body?.profileFields };
}

function made(row: Row, id: number | undefined): Sent<MoodleUser> {
  const { body } = row;
  if (id === undefined || body === null) {
    const message = 'Moodle did not name the account it made';
    return {
      ok: false,
      error: new MoodleError({ code: 'answer-lost', reason: 'answer-cut', message }),
    };
  }
  const customfields = new Map(Object.entries(body.profileFields ?? {}));
  return { ok: true, value: { ...body, id, idnumber: row.mark, suspended: false, customfields } };
}

/** Why a batch may have been refused, asked in few calls before it is halved. */
async function diagnose(p: {
  readonly moodle: Moodle;
  readonly batch: readonly Row[];
  readonly diagnosed: Map<string, Promise<boolean>>;
}): Promise<ReadonlyMap<Row, Outcome>> {
  const faults = new Map<Row, Outcome>();
  // A look-up that PHP cut short, or somebody who was faster: those are there after all.
  const names = p.batch.map((row) => row.body?.username ?? '');
  const there = await findUsers({ moodle: p.moodle, field: 'username', values: names });
  const usernames = new Set(there.map((user) => user.username));
  const emails = p.batch.map((row) => row.body?.email ?? '').filter((email) => email.includes('@'));
  const holders = await findUsers({ moodle: p.moodle, field: 'email', values: emails });
  const taken = new Set(holders.map((user) => user.email.toLowerCase()));
  for (const row of p.batch) {
    const auth = row.body?.auth ?? '';
    const known = p.diagnosed.get(auth) ?? isInstalled(p.moodle, auth);
    p.diagnosed.set(auth, known);
    if (usernames.has(row.body?.username ?? '')) {
      faults.set(row, retry('look-first', 'an account of this name is there after all'));
    } else if (!(await known)) {
      const detail = `the sign-in plugin "${auth}" is not installed in this Moodle`;
      faults.set(row, rejected('auth-plugin-missing', detail));
    } else if (taken.has(row.body?.email.toLowerCase() ?? '')) {
      faults.set(row, rejected('email-taken', 'another account has this e-mail'));
    }
  }
  return faults;
}

/**
 * Whether a sign-in plugin is there, without changing anything: an update of nobody is refused as a
 * whole when the plugin is unknown, and otherwise only warned of (recordings moodle-4.5.6/07, 11).
 */
async function isInstalled(moodle: Moodle, auth: string): Promise<boolean> {
  try {
    const users = [{ id: nobody, auth }];
    const name = 'core_user_update_users';
    const call = { function: name, params: { users }, answer: warningList } as const;
    await moodle.write(call);
    return true;
  } catch (error) {
    if (!(error instanceof MoodleError) || error.reason !== 'invalidparameter') throw error;
    return false;
  }
}

/** A user id that no Moodle reaches. */
const nobody = 2_147_483_646;

interface Change {
  readonly row: Row;
  readonly id: number;
  readonly fields: Readonly<Record<string, FormValue>>;
}

function changeOf(row: Row, user: MoodleUser): Change {
  const { body } = row;
  const fields: Record<string, FormValue> = {};
  const customfields = Object.entries(profileOf(row))
    .filter(([name, value]) => (user.customfields.get(name) ?? '') !== value)
    .map(([type, value]) => ({ type, value }));
  if (customfields.length > 0) fields['customfields'] = customfields;
  if (body !== null) {
    for (const key of ['username', 'firstname', 'lastname', 'email', 'auth'] as const) {
      if (user[key] !== body[key]) fields[key] = body[key];
    }
    if (user.suspended === body.active) fields['suspended'] = body.active ? 0 : 1;
    if (user.idnumber !== row.mark) fields['idnumber'] = row.mark;
  }
  return { row, id: user.id, fields };
}

/** Not atomic: whoever cannot be written is named in a warning (recording moodle-4.5.6/11). */
async function updateUsers(p: {
  readonly moodle: Moodle;
  readonly rows: readonly Row[];
  readonly current: ReadonlyMap<Row, MoodleUser>;
  readonly outcomes: Outcomes;
}): Promise<void> {
  const changes: Change[] = [];
  for (const row of p.rows) {
    const user = p.current.get(row);
    if (user === undefined) continue;
    const change = changeOf(row, user);
    if (Object.keys(change.fields).length > 0) changes.push(change);
    else p.outcomes.set(row.work, applied(String(user.id)));
  }
  const sent = await sendBatches<Change, string | null>({
    items: changes,
    size: usersPerCall(p.rows),
    async send(batch) {
      const users = batch.map(({ id, fields }) => ({ id, ...fields }));
      const name = 'core_user_update_users';
      const call = { function: name, params: { users }, answer: warningList } as const;
      const { warnings } = await p.moodle.write(call);
      const faults = new Map(warnings.map((warning) => [warning.itemid, warning.warningcode]));
      return batch.map(({ id }) => ({ ok: true, value: faults.get(id) ?? null }));
    },
  });
  for (const [change, result] of sent) {
    const { row, id } = change;
    p.outcomes.set(
      row.work,
      !result.ok
        ? outcomeOf(result.error)
        : result.value === null
          ? applied(String(id))
          : outcomeOfWarning(change, result.value),
    );
  }
}

/** A database error while the username changes is a name that is taken (recording moodle-4.5.6/11). */
function outcomeOfWarning(change: Change, code: string): Outcome {
  if (code === 'dmlwriteexception' && 'username' in change.fields) {
    const detail = 'another account has the name';
    return heldByOurs({ row: change.row.work, code: 'username-taken', detail });
  }
  return outcomeOfCode(code);
}
