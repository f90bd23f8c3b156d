import { z } from 'zod';
import { commitPlan, readCommit } from '../../provisioning/ledger/commit.ts';
import { isWhole } from '../../provisioning/plan/selection.ts';
import { defineEndpoint } from './endpoint.ts';
import { answerOnce, onceHeaders } from './once.ts';
import { decisionProblems, planParams, requirePlan } from './plans.ts';
import { ApiError } from './problem.ts';
import { PlanId, SelectionBody, Time, toSelection } from './shapes.ts';

const CommitReport = z
  .strictObject({
    committed: z.int(),
    scheduled: z.int().meta({ description: 'Of the committed ones, those with a later day' }),
    held: z.int(),
    stale: z.int().meta({ description: 'Feed or ledger had moved since the preview' }),
    left: z.int().meta({ description: 'Not approved; the next plan shows them again' }),
    waiting: z.int().meta({
      description: 'Of the committed ones, those that need something not approved or held',
    }),
    replanned: z
      .strictObject({ id: PlanId, changes: z.int() })
      .nullable()
      .meta({ description: 'The open plan in which the stale ones are planned again' }),
  })
  .meta({ id: 'CommitReport' });
export type CommitReport = z.infer<typeof CommitReport>;

export const commit = defineEndpoint({
  method: 'post',
  path: '/api/v1/plans/{id}/commit',
  role: 'operator',
  id: 'commitPlan',
  summary: 'Makes an open plan the desired state; the workers then bring the targets to it',
  description:
    'With a selection only that part, and what it needs. Stale changes are planned again at once.',
  params: planParams,
  headers: onceHeaders,
  body: SelectionBody,
  answer: CommitReport,
  problems: [
    ...decisionProblems,
    'plan-needs-approval',
    'idempotency-key-reused',
    'request-in-progress',
  ],
  run: async ({ context, params, headers, body, request }) => {
    const { database, tenant, rules } = context;
    const actor = await context.gate.actor(request);
    const selection = toSelection(body);
    const part = isWhole(selection) ? '' : ` ${JSON.stringify(selection)}`;
    const report = await answerOnce({
      context,
      key: headers['idempotency-key'],
      operation: `commit ${params.id}${part}`,
      answer: CommitReport,
      run: async () => ({
        ...(await commitPlan({
          database,
          tenant,
          planId: params.id,
          selection,
          actor,
          ...(rules === null ? {} : { rules }),
          now: new Date(),
        })),
      }),
      recover: () => readCommit({ database, tenant, planId: params.id }),
    });
    await context.wake();
    return report;
  },
});

const Committed = z
  .strictObject({
    report: CommitReport,
    undoUntil: Time.nullable().meta({
      description: 'It can be undone until then; null where this process makes no plans',
    }),
    undoneBy: z
      .strictObject({ id: PlanId, state: z.enum(['open', 'committed']) })
      .nullable()
      .meta({ description: 'The plan that turns it back, or would' }),
  })
  .meta({ id: 'Committed' });
export type Committed = z.infer<typeof Committed>;

export const getCommit = defineEndpoint({
  method: 'get',
  path: '/api/v1/plans/{id}/commit',
  role: 'reader',
  id: 'getCommit',
  summary: 'What the commit of a plan did, and until when it can be undone',
  params: planParams,
  answer: Committed,
  problems: ['plan-unknown', 'plan-not-committed'],
  run: async ({ context, params }) => {
    const { database, tenant, rules } = context;
    const plan = await requirePlan({ context, id: params.id });
    const report = await readCommit({ database, tenant, planId: plan.id });
    if (report === null || plan.committedAt === null) {
      throw new ApiError({
        code: 'plan-not-committed',
        detail: `Plan ${plan.id} is ${plan.state}: it did nothing yet.`,
      });
    }
    const [undoneBy = null] = await database.as(tenant, (tx) =>
      tx.query<{ id: string; state: 'open' | 'committed' }>(
        `select id, state from plan where undoes = $1 and state in ('open', 'committed')
         order by state, created_at desc limit 1`,
        [plan.id],
      ),
    );
    const until =
      rules === null ? null : plan.committedAt.getTime() + rules.policy.undo.days * 86_400_000;
    return {
      report: { ...report },
      undoUntil: until === null ? null : new Date(until).toISOString(),
      undoneBy,
    };
  },
});
