/** What several endpoints answer with, as zod schemas: the OpenAPI document is made from them. */
import { z } from 'zod';
import { limitCodes } from '../../provisioning/plan/limits.ts';
import type { PlanRow } from '../../provisioning/plan/read.ts';
import type { Selection as DomainSelection } from '../../provisioning/plan/selection.ts';
import { ApiError } from './problem.ts';

export const Time = z.iso.datetime().meta({ description: 'UTC, ISO 8601' });

/** What happened, or what a choice does, for people. */
export const Sentence = z.strictObject({ da: z.string(), en: z.string() });

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
        'A code of a limit, `limit-drift`, `protected-without-alias`, `identity-contradiction`, `identity-shared`, `relation-contradiction`, `adoption-ambiguous`, `undone`; more may come',
    }),
    count: z.int(),
    of: z.int().meta({ description: 'How many there are to lose, or that this looked at' }),
  })
  .meta({ id: 'Held' });

export const LimitRow = z
  .strictObject({
    ...Held.shape,
    code: z.string().meta({ description: limitCodes.map((code) => `\`${code}\``).join(', ') }),
    limit: z.string().meta({ description: 'Name of the limit in the policy, below `limits`' }),
    detail: z.string().nullable().meta({
      description: 'The role whose access changes, or the sources that are silent',
    }),
    percentLimit: z.number(),
    countLimit: z.int(),
    state: z.enum(['ok', 'near', 'exceeded', 'allowed']).meta({
      description:
        'Exceeded: more than both figures. Near: more than 70 % of both. Allowed: exceeded, and a person has allowed it',
    }),
  })
  .meta({ id: 'LimitRow' });

const ActionCounts = z.strictObject({
  create: z.int(),
  update: z.int(),
  deactivate: z.int(),
  delete: z.int(),
  adopt: z.int().optional().meta({ description: 'Only in plans that adopt something' }),
});

const Sort = {
  institution: z.string().nullable(),
  target: z.string(),
  kind: z.string(),
};

const Cannot = z
  .strictObject({
    ...Sort,
    action: Action,
    code: z.enum(['changed-since', 'deleted', 'linked', 'mended', 'protected']),
    count: z.int(),
    titles: z.array(z.string()).meta({ description: 'Some of them' }),
  })
  .meta({ id: 'CannotUndo' });

const UndoLoss = z.strictObject({ ...Sort, count: z.int(), of: z.int() }).meta({ id: 'UndoLoss' });

export const Selection = z
  .strictObject({
    institution: z.array(z.string().min(1).max(100)).min(1).max(500).optional(),
    target: z.array(TargetName).min(1).max(100).optional(),
    kind: z.array(Kind).min(1).optional(),
    action: z.array(Action).min(1).optional(),
    seqs: z
      .array(z.int().min(1))
      .min(1)
      .max(1500)
      .optional()
      .meta({ description: 'Numbers of single changes' }),
    except: z
      .boolean()
      .optional()
      .meta({ description: 'Everything but what the lists name: rejects instead of approving' }),
  })
  .meta({
    id: 'Selection',
    description: 'A change is named when it fits every list that is given',
  });

/** Optional: without it, the whole plan is meant. */
export const SelectionBody = z.strictObject({ selection: Selection.optional() });

/** As the domain takes it: a list that was not sent is absent. */
export function toSelection(body: z.output<typeof SelectionBody>): DomainSelection {
  return JSON.parse(JSON.stringify(body.selection ?? {})) as DomainSelection;
}

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
    limits: z.array(LimitRow).meta({
      description:
        'Every limit that something was counted against; in a list of plans only those that are not `ok`',
    }),
    expiresAt: Time.nullable().meta({ description: 'An open plan can be committed until then' }),
    fourEyes: z.boolean().meta({
      description: 'One person has to approve it and another one to commit it',
    }),
    approvals: z.array(z.strictObject({ name: z.string(), at: Time })),
    committedBy: z.string().nullable(),
    snapshot: z
      .strictObject({ id: z.uuid(), source: z.string(), readAt: Time })
      .nullable()
      .meta({ description: 'The reading of a feed that it was made from' }),
    undoes: PlanId.nullable().meta({ description: 'The plan that this one turns back' }),
    replans: PlanId.nullable().meta({
      description: 'The plan whose overtaken part this one plans again',
    }),
    cannot: z.array(Cannot).meta({ description: 'Of an undo: what cannot be turned back' }),
    losses: z.array(UndoLoss).meta({ description: 'Of an undo: what it shuts; no limit holds it' }),
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
    limits: [...row.limits],
    expiresAt: row.expiresAt?.toISOString() ?? null,
    fourEyes: row.fourEyes,
    approvals: row.approvals.map(({ name, at }) => ({ name, at: new Date(at).toISOString() })),
    committedBy: row.committedBy,
    snapshot:
      row.snapshot === null
        ? null
        : { ...row.snapshot, readAt: new Date(row.snapshot.readAt).toISOString() },
    undoes: row.undoes,
    replans: row.replans,
    cannot: row.cannot,
    losses: row.losses,
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
    sentence: Sentence.nullable().meta({
      description: 'What happened and what to do; null where it was not tried yet',
    }),
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
