/** What several endpoints answer with, as zod schemas: the OpenAPI document is made from them. */
import { z } from 'zod';
import type { PlanRow } from '../../provisioning/plan/read.ts';
import { ApiError } from './problem.ts';

export const Time = z.iso.datetime().meta({ description: 'UTC, ISO 8601' });

export const PlanId = z.uuid().toLowerCase();
export const Action = z.enum(['create', 'update', 'deactivate', 'delete', 'adopt']);
export const Kind = z.enum(['group', 'account', 'folder', 'category', 'course', 'cohort']);
export const TargetName = z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/);

export const Held = z
  .strictObject({
    institution: z.string(),
    target: z.string().meta({ description: 'Name of a target, or `*` for all' }),
    kind: z.string(),
    action: Action,
    code: z.string().meta({
      description:
        '`limit-deactivate`, `limit-drift`, `protected-without-alias`, `identity-contradiction`, `adoption-ambiguous`; more may come',
    }),
    count: z.int(),
    of: z.int().meta({ description: 'How many there are to lose, or that this looked at' }),
  })
  .meta({ id: 'Held' });

const ActionCounts = z.strictObject({
  create: z.int(),
  update: z.int(),
  deactivate: z.int(),
  delete: z.int(),
  adopt: z.int().optional().meta({ description: 'Only in plans that adopt something' }),
});

export const Plan = z
  .strictObject({
    id: PlanId,
    state: z.enum(['open', 'committed', 'superseded']),
    createdAt: Time,
    committedAt: Time.nullable(),
    hash: z.string().nullable().meta({ description: 'SHA-256 over all changes: what runs' }),
    changes: z
      .record(z.string(), z.record(z.string(), ActionCounts))
      .meta({ description: 'By target, then kind; held changes are not among them' }),
    held: z.array(Held),
  })
  .meta({ id: 'Plan' });
export type Plan = z.infer<typeof Plan>;

export function toPlan(row: PlanRow): Plan {
  return {
    id: row.id,
    state: row.state,
    createdAt: row.createdAt.toISOString(),
    committedAt: row.committedAt?.toISOString() ?? null,
    hash: row.hash,
    changes: row.changes ?? {},
    held: (row.held ?? []).map(({ institution, target, kind, action, code, count, of }) => ({
      institution,
      target,
      kind,
      action,
      code,
      count,
      of,
    })),
  } as Plan;
}

export const Progress = z
  .strictObject({
    target: z.string(),
    kind: z.string(),
    settled: z.int(),
    due: z.int(),
    failed: z.int(),
    scheduled: z.int().meta({ description: 'Have a further change on a later day' }),
  })
  .meta({ id: 'Progress' });

export const Cause = z
  .strictObject({
    target: z.string(),
    kind: z.string(),
    state: z.string(),
    code: z.string().nullable().meta({ description: 'Null: not tried yet' }),
    detail: z.string().nullable(),
    sentence: z
      .strictObject({ da: z.string(), en: z.string() })
      .nullable()
      .meta({ description: 'What happened and what to do; null where it was not tried yet' }),
    count: z.int(),
    nextInSeconds: z.number(),
  })
  .meta({ id: 'Cause' });

export const QueueCounts = z
  .strictObject({
    backend: z.enum(['postgres', 'redis']),
    lanes: z.strictObject({ now: z.int(), sync: z.int(), bulk: z.int() }),
  })
  .meta({ id: 'QueueCounts', description: 'Tickets waiting or under way' });

/** A cursor is opaque to callers: base64url of where the page before ended. */
export function writeCursor(position: string): string {
  return Buffer.from(position).toString('base64url');
}

/** @throws ApiError `bad-request` for a cursor that no answer gave out */
export function readCursor<T>(p: {
  readonly cursor: string | undefined;
  readonly parse: (position: string) => T | null;
}): T | null {
  if (p.cursor === undefined) return null;
  const position = p.parse(Buffer.from(p.cursor, 'base64url').toString());
  if (position !== null) return position;
  throw new ApiError({
    code: 'bad-request',
    detail: 'This cursor was not given out here. Send `next` of the page before as it came.',
  });
}
