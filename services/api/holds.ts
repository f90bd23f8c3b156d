import { z } from 'zod';
import type { Hold as HoldRow } from '../../provisioning/plan/hold-inbox.ts';
import {
  decideHold,
  findHold,
  listHolds,
  revokeDecision,
} from '../../provisioning/plan/hold-inbox.ts';
import { defineEndpoint } from './endpoint.ts';
import { answerOnce, onceHeaders } from './once.ts';
import { ApiError } from './problem.ts';
import { readCursor, Sentence, Time, writeCursor } from './shapes.ts';

const HoldId = z.uuid().toLowerCase();
const holdParams = z.strictObject({ id: HoldId });

const Decision = z
  .strictObject({
    choice: z.string(),
    scope: z.enum(['once', 'rule']),
    until: Time.nullable(),
    by: z.string().nullable(),
    at: Time,
    spentAt: Time.nullable().meta({ description: 'When it was used up or taken back' }),
  })
  .meta({ id: 'HoldDecision' });

export const Hold = z
  .strictObject({
    id: HoldId,
    code: z.string(),
    institution: z.string().nullable(),
    target: z.string().meta({ description: 'Name of a target, or `*` for all' }),
    kind: z.string(),
    action: z.string(),
    count: z.int(),
    of: z.int(),
    subject: z.string().meta({ description: 'The same from one plan to the next' }),
    why: Sentence,
    evidence: z.record(z.string(), z.unknown()).meta({ description: 'Counts, codes and our ids' }),
    choices: z.array(z.strictObject({ choice: z.string(), does: Sentence })),
    openedAt: Time,
    seenAt: Time,
    state: z.enum(['open', 'decided', 'gone']),
    decision: Decision.nullable(),
  })
  .meta({ id: 'Hold' });
export type Hold = z.infer<typeof Hold>;

function toHold(row: HoldRow): Hold {
  return Hold.parse(JSON.parse(JSON.stringify(row)));
}

function isUuid(position: string): string | null {
  return HoldId.safeParse(position).success ? position : null;
}

export const getHolds = defineEndpoint({
  method: 'get',
  path: '/api/v1/holds',
  role: 'reader',
  id: 'listHolds',
  summary: 'What waits for a person, newest first; or what was decided',
  query: z.strictObject({
    state: z.enum(['open', 'decided']).default('open'),
    institution: z.string().min(1).max(100).optional(),
    code: z
      .string()
      .regex(/^[a-z][a-z0-9-]{0,62}$/)
      .optional(),
    cursor: z.string().max(100).optional(),
    limit: z.coerce.number().int().min(1).max(500).default(100),
  }),
  answer: z
    .strictObject({ items: z.array(Hold), next: z.string().nullable() })
    .meta({ id: 'HoldPage' }),
  run: async ({ context: { database, tenant }, query }) => {
    const rows = await listHolds({
      database,
      tenant,
      state: query.state,
      institution: query.institution ?? null,
      code: query.code ?? null,
      after: readCursor({ cursor: query.cursor, parse: isUuid }),
      limit: query.limit + 1,
    });
    const page = rows.slice(0, query.limit);
    const last = page.at(-1);
    return {
      items: page.map(toHold),
      next: rows.length > page.length && last !== undefined ? writeCursor(last.id) : null,
    };
  },
});

export const getHold = defineEndpoint({
  method: 'get',
  path: '/api/v1/holds/{id}',
  role: 'reader',
  id: 'getHold',
  summary: 'One hold: why, the evidence, and what each choice does',
  params: holdParams,
  answer: Hold,
  problems: ['hold-unknown'],
  run: async ({ context: { database, tenant }, params }) => {
    const hold = await findHold({ database, tenant, id: params.id });
    if (hold !== null) return toHold(hold);
    throw new ApiError({ code: 'hold-unknown', detail: `There is no hold ${params.id}.` });
  },
});

export const postDecision = defineEndpoint({
  method: 'post',
  path: '/api/v1/holds/{id}/decision',
  role: 'operator',
  id: 'decideHold',
  summary: 'Decides a hold, once or as a rule; the next plan or feed follows it',
  params: holdParams,
  headers: onceHeaders,
  body: z.strictObject({
    choice: z.string().min(1).max(100),
    scope: z.enum(['once', 'rule']).default('once'),
    until: Time.nullable().default(null).meta({ description: 'Last moment of a rule' }),
  }),
  answer: Hold,
  problems: [
    'hold-unknown',
    'hold-not-open',
    'choice-unknown',
    'until-invalid',
    'idempotency-key-reused',
    'request-in-progress',
  ],
  run: async ({ context, params: { id }, headers, body, request }) => {
    const { database, tenant } = context;
    const { choice, scope } = body;
    const until = body.until === null ? null : new Date(body.until);
    const by = (await context.gate.actor(request)).name;
    return answerOnce({
      context,
      key: headers['idempotency-key'],
      operation: `decide ${id} ${choice} ${scope} ${body.until ?? '-'}`,
      answer: Hold,
      run: async () =>
        toHold(
          await decideHold({ database, tenant, id, choice, scope, until, by, now: new Date() }),
        ),
      recover: async () => {
        const hold = await findHold({ database, tenant, id });
        const decided = hold?.decision;
        return hold !== null && decided?.choice === choice && decided.scope === scope
          ? toHold(hold)
          : null;
      },
    });
  },
});

export const deleteDecision = defineEndpoint({
  method: 'delete',
  path: '/api/v1/holds/{id}/decision',
  role: 'operator',
  id: 'revokeDecision',
  summary: 'Takes a decision back; what was done by it stays done',
  params: holdParams,
  answer: Hold,
  problems: ['hold-unknown', 'hold-not-decided'],
  run: async ({ context: { database, tenant }, params: { id } }) =>
    toHold(await revokeDecision({ database, tenant, id, now: new Date() })),
});
