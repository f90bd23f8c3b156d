import { z } from 'zod';
import type { PlanRow } from '../../provisioning/plan/read.ts';
import { countChanges, findPlan, listPlans } from '../../provisioning/plan/read.ts';
import type { ApiContext } from './endpoint.ts';
import { defineEndpoint } from './endpoint.ts';
import { ApiError } from './problem.ts';
import { Action, Plan, PlanId, readCursor, toPlan, writeCursor } from './shapes.ts';

export const planParams = z.strictObject({ id: PlanId });

/** Why a plan cannot be decided about any more. */
export const decisionProblems = [
  'plan-unknown',
  'plan-not-open',
  'plan-expired',
  'plan-tampered',
] as const;

export const getPlans = defineEndpoint({
  method: 'get',
  path: '/api/v1/plans',
  role: 'reader',
  id: 'listPlans',
  summary: 'All plans, newest first',
  query: z.strictObject({
    cursor: z.string().max(100).optional(),
    limit: z.coerce.number().int().min(1).max(100).default(20),
  }),
  answer: z
    .strictObject({ items: z.array(Plan), next: z.string().nullable() })
    .meta({ id: 'PlanPage' }),
  run: async ({ context: { database, tenant }, query }) => {
    const before = readCursor({ cursor: query.cursor, parse: parseTime });
    const rows = await listPlans({ database, tenant, before, limit: query.limit + 1 });
    const page = rows.slice(0, query.limit);
    const last = page.at(-1);
    return {
      items: page.map(toPlan),
      next:
        rows.length > page.length && last !== undefined
          ? writeCursor(last.createdAt.toISOString())
          : null,
    };
  },
});

function parseTime(position: string): Date | null {
  return z.iso.datetime().safeParse(position).success ? new Date(position) : null;
}

export const getPlan = defineEndpoint({
  method: 'get',
  path: '/api/v1/plans/{id}',
  role: 'reader',
  id: 'getPlan',
  summary: 'One plan, with its counts and what is held',
  params: planParams,
  answer: Plan,
  problems: ['plan-unknown'],
  run: async ({ context, params }) => toPlan(await requirePlan({ context, id: params.id })),
});

const SummaryRow = z
  .strictObject({
    institution: z.string().nullable(),
    institutionName: z.string().nullable(),
    target: z.string(),
    kind: z.string(),
    action: Action,
    held: z.boolean(),
    scheduled: z.boolean(),
    reasonCode: z.string(),
    count: z.int(),
  })
  .meta({ id: 'PlanSummaryRow' });
export type SummaryRow = z.infer<typeof SummaryRow>;

export const getPlanSummary = defineEndpoint({
  method: 'get',
  path: '/api/v1/plans/{id}/summary',
  role: 'reader',
  id: 'summarisePlan',
  summary: 'A plan on one page: its changes counted per institution, target, kind and reason',
  params: planParams,
  answer: z.strictObject({ items: z.array(SummaryRow) }).meta({ id: 'PlanSummary' }),
  problems: ['plan-unknown'],
  run: async ({ context, params }) => {
    const { id } = await requirePlan({ context, id: params.id });
    const { database, tenant } = context;
    return { items: [...(await countChanges({ database, tenant, planId: id }))] };
  },
});

/** @throws ApiError `plan-unknown` */
export async function requirePlan(p: {
  readonly context: ApiContext;
  readonly id: string;
}): Promise<PlanRow> {
  const { database, tenant } = p.context;
  const row = await findPlan({ database, tenant, id: p.id });
  if (row !== null) return row;
  throw new ApiError({ code: 'plan-unknown', detail: `There is no plan ${p.id}.` });
}
