import { z } from 'zod';
import type { ChangeRow } from '../../provisioning/plan/read.ts';
import { listChanges } from '../../provisioning/plan/read.ts';
import { defineEndpoint } from './endpoint.ts';
import { planParams, requirePlan } from './plans.ts';
import { Action, Kind, readCursor, TargetName, Time, writeCursor } from './shapes.ts';

const FieldChange = z
  .union([
    z.strictObject({
      field: z.string(),
      from: z.string().nullable(),
      to: z.string().nullable(),
    }),
    z.strictObject({
      field: z.string(),
      added: z.array(z.string()),
      removed: z.array(z.string()),
    }),
  ])
  .meta({ id: 'FieldChange' });

const Change = z
  .strictObject({
    seq: z.int(),
    target: z.string(),
    kind: z.string(),
    key: z.string(),
    institution: z.string().nullable(),
    institutionName: z.string().nullable(),
    title: z.string().meta({ description: 'As people read it; protected people by alias' }),
    action: Action,
    notBefore: Time.nullable().meta({ description: 'Null: at once' }),
    reason: z.strictObject({ code: z.string(), fields: z.array(FieldChange) }),
    held: z.string().nullable().meta({ description: 'Code of what holds it, or null' }),
    outcome: z
      .enum(['committed', 'held', 'stale', 'left'])
      .nullable()
      .meta({ description: 'Null before the commit' }),
  })
  .meta({ id: 'Change' });
export type Change = z.infer<typeof Change>;

export const getPlanChanges = defineEndpoint({
  method: 'get',
  path: '/api/v1/plans/{id}/changes',
  role: 'reader',
  id: 'listChanges',
  summary: 'The changes of a plan in its own order: who, what, when and why',
  params: planParams,
  query: z.strictObject({
    target: TargetName.optional(),
    institution: z.string().min(1).max(100).optional(),
    kind: Kind.optional(),
    action: Action.optional(),
    held: z
      .enum(['true', 'false'])
      .optional()
      .meta({ description: '`true`: only what is held; `false`: only what is not' }),
    text: z.string().min(1).max(100).optional().meta({ description: 'Part of a title' }),
    code: z
      .string()
      .regex(/^[a-z][a-z-]{0,59}$/)
      .optional()
      .meta({ description: 'Code of the reason, or of what holds it' }),
    group: z.string().min(1).max(100).optional().meta({
      description: 'Part of the name of a class or group: it, and what goes in or out of it',
    }),
    whole: z
      .enum(['true', 'false'])
      .optional()
      .meta({ description: '`true`: the fields of what is created or deleted too' }),
    cursor: z.string().max(100).optional(),
    limit: z.coerce.number().int().min(1).max(500).default(100),
  }),
  answer: z
    .strictObject({ items: z.array(Change), next: z.string().nullable() })
    .meta({ id: 'ChangePage' }),
  problems: ['plan-unknown'],
  run: async ({ context, params, query }) => {
    const { id: planId } = await requirePlan({ context, id: params.id });
    const { database, tenant } = context;
    const { cursor, limit, held, whole, ...filter } = query;
    const list = (p: { readonly after: number; readonly limit: number }) =>
      listChanges({
        database,
        tenant,
        planId,
        filter: {
          target: filter.target ?? null,
          institution: filter.institution ?? null,
          kind: filter.kind ?? null,
          action: filter.action ?? null,
          text: filter.text ?? null,
          code: filter.code ?? null,
          group: filter.group ?? null,
          heldOnly: held === 'true',
        },
        ...p,
        whole: whole === 'true',
      });
    const from = { after: readCursor({ cursor, parse: parseSeq }) ?? 0, limit: limit + 1 };
    const rows = held === 'false' ? await listUnheld({ ...from, list }) : await list(from);
    const page = rows.slice(0, limit);
    const last = page.at(-1);
    return {
      items: page.map(toChange),
      next: rows.length > page.length && last !== undefined ? writeCursor(`${last.seq}`) : null,
    };
  },
});

/** Reads on past what is held: the listing itself knows only how to keep to it. */
async function listUnheld(p: {
  readonly list: (p: {
    readonly after: number;
    readonly limit: number;
  }) => Promise<readonly ChangeRow[]>;
  readonly after: number;
  readonly limit: number;
}): Promise<readonly ChangeRow[]> {
  const found: ChangeRow[] = [];
  let { after } = p;
  for (;;) {
    const rows = await p.list({ after, limit: 500 });
    found.push(...rows.filter((row) => row.held === null));
    const last = rows.at(-1);
    if (found.length >= p.limit || rows.length < 500 || last === undefined) {
      return found.slice(0, p.limit);
    }
    after = last.seq;
  }
}

function parseSeq(position: string): number | null {
  return /^\d{1,9}$/.test(position) ? Number(position) : null;
}

function toChange(row: ChangeRow): Change {
  return {
    ...row,
    notBefore: row.notBefore?.toISOString() ?? null,
    reason: {
      code: row.reason.code,
      fields: row.reason.fields.map((change) =>
        'added' in change
          ? { field: change.field, added: [...change.added], removed: [...change.removed] }
          : change,
      ),
    },
  };
}
