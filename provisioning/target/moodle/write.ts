import pLimit from 'p-limit';
import * as z from 'zod';
import type { ExternalIdLookup, Outcome, Work } from '../contract.ts';
import type { MoodleFunction } from './functions.ts';
import { type FormValue, type Moodle, MoodleError, maxFormFields } from './http.ts';
import { numberOf, type Site } from './site.ts';

/** Nothing is gained beyond 50 in a batch (reference: 10/50/200/1000 users a call, 79-83 users/s). */
export const batchSize = 50;

/** An ordinary call carries three more fields: token, function and format. */
const ownFields = 3;

/** How many items of so many fields go into one call. */
export function itemsPerCall(fields: number): number {
  return Math.floor((maxFormFields - ownFields) / fields);
}

export function chunk<T>(items: readonly T[], size: number): readonly (readonly T[])[] {
  const chunks: T[][] = [];
  for (let at = 0; at < items.length; at += size) chunks.push(items.slice(at, at + size));
  return chunks;
}

function pack<T>(items: readonly T[], size: number, weight: (item: T) => number): readonly T[][] {
  const packs: T[][] = [];
  let room = 0;
  for (const item of items) {
    const last = packs.at(-1);
    if (last === undefined || weight(item) > room) {
      packs.push([item]);
      room = size - weight(item);
    } else {
      last.push(item);
      room -= weight(item);
    }
  }
  return packs;
}

/** What came of one item of a batch: a value of its own, or the error that belongs to it. */
export type Sent<R> =
  | { readonly ok: true; readonly value: R }
  | { readonly ok: false; readonly error: MoodleError };

/**
 * Sends items in batches. Most functions take a batch whole or not at all and do not say which item
 * was at fault (recording moodle-4.5.6/05), so a refused batch is halved until the fault stands
 * alone. Batches are independent; the HTTP module keeps them to four at a time.
 */
export async function sendBatches<T, R>(p: {
  readonly items: readonly T[];
  /** How much goes into one call. */
  readonly size: number;
  /** How much of `size` an item takes; 1 by default. */
  readonly weight?: (item: T) => number;
  /** One batch after the other, for what Moodle cannot do twice at once. */
  readonly inTurn?: boolean;
  /** One result per item, in order; throws MoodleError for the batch as a whole. */
  readonly send: (items: readonly T[]) => Promise<readonly Sent<R>[]>;
}): Promise<ReadonlyMap<T, Sent<R>>> {
  const batches = pack(p.items, p.size, p.weight ?? (() => 1));
  const limit = pLimit(p.inTurn === true ? 1 : batches.length + 1);
  const answers = await Promise.all(
    batches.map((batch) =>
      limit(async () => {
        const sent = await sendHalving(batch, p.send);
        return batch.map((item, index) => [item, sent[index]] as const);
      }),
    ),
  );
  const results = new Map<T, Sent<R>>();
  for (const [item, sent] of answers.flat()) {
    if (sent !== undefined) results.set(item, sent);
  }
  return results;
}

async function sendHalving<T, R>(
  items: readonly T[],
  send: (items: readonly T[]) => Promise<readonly Sent<R>[]>,
): Promise<readonly Sent<R>[]> {
  if (items.length === 0) return [];
  try {
    return await send(items);
  } catch (error) {
    if (!(error instanceof MoodleError)) throw error;
    if (error.code !== 'refused' || items.length === 1) {
      return items.map(() => ({ ok: false, error }));
    }
    const half = Math.ceil(items.length / 2);
    const first = await sendHalving(items.slice(0, half), send);
    return [...first, ...(await sendHalving(items.slice(half), send))];
  }
}

/** Sends items to a function that takes a batch whole and answers nothing of the single item. */
export function sendWhole<T>(p: {
  readonly moodle: Moodle;
  readonly function: MoodleFunction;
  readonly items: readonly T[];
  readonly size: number;
  readonly weight?: (item: T) => number;
  readonly params: (items: readonly T[]) => Readonly<Record<string, FormValue>>;
}): Promise<ReadonlyMap<T, Sent<null>>> {
  return sendBatches<T, null>({
    ...p,
    async send(batch) {
      const call = { function: p.function, params: p.params(batch), answer: z.unknown() };
      await p.moodle.write(call);
      return batch.map(() => ({ ok: true, value: null }));
    },
  });
}

/**
 * What is to be deleted, by number; rows that were never made are settled. An id that no look-up
 * finds is sent all the same: without rights everything looks absent (recording moodle-4.5.6/02),
 * and only the server's refusal proves that it is gone.
 */
export function findRemovals<R extends { readonly work: Work }>(p: {
  readonly rows: readonly R[];
  readonly current: ReadonlyMap<R, { readonly id: number }>;
  readonly outcomes: Map<Work, Outcome>;
}): readonly { readonly row: R; readonly id: number }[] {
  const removals = [];
  for (const row of p.rows) {
    const id = p.current.get(row)?.id ?? numberOf(row.work.externalId);
    if (id === null) p.outcomes.set(row.work, applied(null));
    else removals.push({ row, id });
  }
  return removals;
}

/** The refusal of a batch that was sent without looking first; other errors as they are. */
export function asLookFirst(error: unknown): unknown {
  if (!(error instanceof MoodleError) || error.code !== 'refused') return error;
  const message = 'Moodle refused the batch: something of it stands there already, or is not sound';
  return new MoodleError({ code: 'answer-lost', reason: 'look-first', message, cause: error });
}

/**
 * Whether a row is one that was never sent, so that it may be made without looking for it first where
 * Moodle itself refuses a second one of its kind.
 */
export function isFresh(work: Work): boolean {
  return (
    work.desired !== null &&
    work.applied === null &&
    work.externalId === null &&
    work.attempts === 0
  );
}

/** Moodle's errorcode or warning code -> ours. */
const rejections: Readonly<Record<string, string>> = {
  invalidparameter: 'invalid-parameter',
  nopermissions: 'no-permission',
  requireloginerror: 'no-permission',
  shortnametaken: 'shortname-taken',
  courseidnumbertaken: 'mark-taken',
  categoryidnumbertaken: 'mark-taken',
  useremailduplicate: 'email-taken',
  useremailinvalid: 'invalid-email',
  useradminodelete: 'administrator',
  wsusercannotassign: 'role-not-assignable',
  wsnoinstance: 'manual-enrolment-missing',
  errorinvalidparam: 'invalid-parameter',
  categorynamerequired: 'invalid-parameter',
  enddatebeforestartdate: 'end-before-start',
  nostartdatenoenddate: 'end-without-start',
  cannotmovecategory: 'category-loop',
};

/** What is missing on the server: the row waits until the ledger has made it again. */
const missing: Readonly<Record<string, string>> = {
  errorcatcontextnotvalid: 'category-missing',
  unknowcategory: 'category-missing',
  unknowncategory: 'category-missing',
  invaliduser: 'account-missing',
  invaliduserid: 'account-missing',
  usernotupdateddeleted: 'account-missing',
  invalidrecord: 'record-missing',
  unknowncourseidnumber: 'course-missing',
};

/** Trouble that a second look may clear at once: read back, then try again. */
export const lookAgainCodes: ReadonlySet<string> = new Set([
  'answer-lost',
  'server-error',
  'answer-cut',
  'welcome-mail-failed',
  'look-first',
  'database-write-failed',
]);

export function rejected(code: string, detail: string): Outcome {
  return { state: 'rejected', code, detail };
}

export function retry(code: string, detail: string, afterMs = 0): Outcome {
  return { state: 'retry', afterMs, code, detail };
}

export function applied(externalId: string | null, incomplete: readonly string[] = []): Outcome {
  if (incomplete.length === 0) return { state: 'applied', externalId };
  return { state: 'applied', externalId, incomplete: [...incomplete].sort() };
}

/** Detail is the code and no more: Moodle's messages hold names (recording moodle-4.5.6/24). */
export function outcomeOf(error: MoodleError): Outcome {
  const detail = error.message;
  switch (error.code) {
    case 'busy':
      return retry(error.reason, detail, error.afterMs);
    case 'unreachable':
      return { state: 'unknown-host', code: error.reason, detail };
    case 'answer-lost':
      return retry(error.reason, detail);
    case 'refused':
      return outcomeOfCode(error.reason);
  }
}

/** A code from an exception or a warning. */
export function outcomeOfCode(errorcode: string): Outcome {
  const detail = `Moodle refused it (${errorcode})`;
  if (errorcode === 'dmlwriteexception') return retry('database-write-failed', detail);
  const gone = missing[errorcode];
  if (gone !== undefined) return retry(gone, detail);
  return rejected(rejections[errorcode] ?? `moodle-${errorcode.toLowerCase()}`, detail);
}

/**
 * Does something with each row on its own: a question that fails settles the row it was asked for, and
 * the others go on (with one look-up a row, a server that fails now and then would stop every batch).
 */
export async function eachRow<R extends { readonly work: Work }>(p: {
  readonly rows: readonly R[];
  readonly outcomes: Map<Work, Outcome>;
  readonly look: (row: R) => Promise<void>;
}): Promise<void> {
  await Promise.all(
    p.rows.map(async (row) => {
      try {
        await p.look(row);
      } catch (error) {
        if (!(error instanceof MoodleError)) throw error;
        p.outcomes.set(row.work, outcomeOf(error));
      }
    }),
  );
}

export function errorOf<R>(sent: Sent<R> | undefined): MoodleError | null {
  return sent === undefined || sent.ok ? null : sent.error;
}

/** A name that one of ours holds may be free after the next write: wait some rounds, then give up. */
export function heldByOurs(p: {
  readonly row: Work;
  readonly code: string;
  readonly detail: string;
}) {
  return p.row.attempts < 5 ? retry(p.code, p.detail) : rejected(p.code, p.detail);
}

/** What every kind is asked to apply. */
export interface ApplyOrder {
  readonly site: Site;
  readonly batch: readonly Work[];
  readonly externalIds: ExternalIdLookup;
  /** Look for every row, also for those that were never sent. */
  readonly careful: boolean;
}

/** The rows that can be written: those without a place in a category yet are told to wait. */
export function keepPlaced<
  R extends { readonly work: Work; readonly body: object | null; readonly category: number | null },
>(p: { readonly rows: readonly R[]; readonly outcomes: Map<Work, Outcome> }): readonly R[] {
  return p.rows.filter((row) => {
    if (row.body === null) return false;
    if (row.category !== null) return true;
    p.outcomes.set(row.work, retry('category-missing', 'its category does not exist yet'));
    return false;
  });
}

/** Notes what Moodle made, by its number; what it did not name is looked for at the next try. */
export function noteMade<R extends { readonly work: Work }>(p: {
  readonly sent: ReadonlyMap<R, Sent<number | null>>;
  readonly ids: Map<R, number>;
  readonly outcomes: Map<Work, Outcome>;
  /** `cohort` or `course`. */
  readonly what: string;
}): void {
  for (const [row, result] of p.sent) {
    if (!result.ok) p.outcomes.set(row.work, outcomeOf(result.error));
    else if (result.value === null) {
      p.outcomes.set(row.work, retry('answer-lost', `Moodle did not name the ${p.what} it made`));
    } else p.ids.set(row, result.value);
  }
}
