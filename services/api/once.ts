import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { ApiContext } from './endpoint.ts';
import { ApiError } from './problem.ts';

/** Answers are kept for so many days; a key is free again after them. */
const keptDays = 7;

export const onceHeaders = z.object({
  'idempotency-key': z
    .string()
    .regex(/^[\x21-\x7e]{1,200}$/, 'must be 1 to 200 visible ASCII characters')
    .optional()
    .meta({ description: `The same key gets the same answer again, for ${keptDays} days` }),
});

/**
 * Runs a write so that the same key gets the same answer. A process that died
 * between the write and the keeping of its answer leaves a key without one: `recover` then says from
 * the store what came of it, or null when nothing did.
 *
 * @throws ApiError `idempotency-key-reused` for the key of another request, `request-in-progress`
 */
export async function answerOnce<T>(p: {
  readonly context: ApiContext;
  readonly key: string | undefined;
  /** What is asked for, method and path and body: a key belongs to one of them. */
  readonly operation: string;
  readonly answer: z.ZodType<T>;
  readonly run: () => Promise<T>;
  readonly recover: () => Promise<T | null>;
}): Promise<T> {
  const { key } = p;
  if (key === undefined) return p.run();
  const { database, tenant } = p.context;
  // Hashed: what callers choose as keys is none of our business to keep.
  const hash = createHash('sha256').update(key).digest('hex');
  const done = await database.withLock(`answer/${tenant}/${hash}`, async () => {
    const kept = await claimKey({ ...p, hash });
    if (kept.state === 'answered') return p.answer.parse(kept.answer);
    const recovered = kept.state === 'unanswered' ? await p.recover() : null;
    const answer = recovered ?? (await runOrForget({ ...p, hash }));
    await database.as(tenant, (tx) =>
      tx.execute('update kept_answer set answer = $2 where key_hash = $1', [
        hash,
        JSON.stringify(answer),
      ]),
    );
    return answer;
  });
  if (done !== null) return done.value;
  throw new ApiError({
    code: 'request-in-progress',
    detail: 'The first request with this key is still under way. Try again shortly.',
    headers: { 'Retry-After': '1' },
  });
}

type KeptAnswer =
  | { readonly state: 'new' }
  | { readonly state: 'unanswered' }
  | { readonly state: 'answered'; readonly answer: unknown };

async function claimKey(p: {
  readonly context: ApiContext;
  readonly hash: string;
  readonly operation: string;
}): Promise<KeptAnswer> {
  const { database, tenant } = p.context;
  return database.as(tenant, async (tx) => {
    await tx.execute(`delete from kept_answer where kept_at < now() - make_interval(days => $1)`, [
      keptDays,
    ]);
    const inserted = await tx.execute(
      `insert into kept_answer (tenant_id, key_hash, operation) values ($1, $2, $3)
       on conflict do nothing`,
      [tenant, p.hash, p.operation],
    );
    if (inserted === 1) return { state: 'new' };
    const [row] = await tx.query<{ operation: string; answer: unknown }>(
      'select operation, answer from kept_answer where key_hash = $1',
      [p.hash],
    );
    if (row?.operation !== p.operation) {
      throw new ApiError({
        code: 'idempotency-key-reused',
        detail: 'This Idempotency-Key belongs to another request. Make a new one for each request.',
      });
    }
    return row.answer === null
      ? { state: 'unanswered' }
      : { state: 'answered', answer: row.answer };
  });
}

/** A refused write changed nothing, so its key is given free: asking again is refused again. */
async function runOrForget<T>(p: {
  readonly context: ApiContext;
  readonly hash: string;
  readonly run: () => Promise<T>;
}): Promise<T> {
  try {
    return await p.run();
  } catch (error) {
    const { database, tenant } = p.context;
    await database.as(tenant, (tx) =>
      tx.execute('delete from kept_answer where key_hash = $1', [p.hash]),
    );
    throw error;
  }
}
