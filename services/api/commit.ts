import { z } from 'zod';
import { commitPlan, readCommit } from '../../provisioning/ledger/commit.ts';
import { defineEndpoint } from './endpoint.ts';
import { answerOnce, onceHeaders } from './once.ts';
import { planParams } from './plans.ts';

const CommitReport = z
  .strictObject({
    committed: z.int(),
    scheduled: z.int().meta({ description: 'Of the committed ones, those with a later day' }),
    held: z.int(),
    stale: z.int().meta({ description: 'Resources had moved; the next plan looks again' }),
  })
  .meta({ id: 'CommitReport' });
export type CommitReport = z.infer<typeof CommitReport>;

export const commit = defineEndpoint({
  method: 'post',
  path: '/api/v1/plans/{id}/commit',
  role: 'operator',
  id: 'commitPlan',
  summary: 'Makes an open plan the desired state; the workers then bring the targets to it',
  params: planParams,
  headers: onceHeaders,
  answer: CommitReport,
  problems: ['plan-unknown', 'plan-not-open', 'idempotency-key-reused', 'request-in-progress'],
  run: async ({ context, params, headers }) => {
    const { database, tenant } = context;
    const report = await answerOnce({
      context,
      key: headers['idempotency-key'],
      operation: `commit ${params.id}`,
      answer: CommitReport,
      run: async () => ({
        ...(await commitPlan({ database, tenant, planId: params.id, now: new Date() })),
      }),
      recover: () => readCommit({ database, tenant, planId: params.id }),
    });
    await context.wake();
    return report;
  },
});
