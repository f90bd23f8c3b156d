import { z } from 'zod';
import { readProgress } from '../../provisioning/ledger/progress.ts';
import { retryFailed } from '../../provisioning/ledger/settle.ts';
import { defineEndpoint } from './endpoint.ts';
import { answerOnce, onceHeaders } from './once.ts';
import { ApiError } from './problem.ts';
import { Kind, TargetName } from './shapes.ts';

const RetryReport = z
  .strictObject({ retried: z.int().meta({ description: 'Resources that are due again' }) })
  .meta({ id: 'RetryReport' });

export const retry = defineEndpoint({
  method: 'post',
  path: '/api/v1/targets/{name}/retry',
  role: 'operator',
  id: 'retryTarget',
  summary: 'Puts back to work what the target refused, after the cause was mended there',
  params: z.strictObject({ name: TargetName }),
  headers: onceHeaders,
  body: z.strictObject({ kind: Kind.optional() }),
  answer: RetryReport,
  problems: ['target-unknown', 'idempotency-key-reused', 'request-in-progress'],
  run: async ({ context, params, headers, body }) => {
    const { database, tenant } = context;
    const known = await readProgress({ database, tenant });
    if (!known.some((row) => row.target === params.name)) {
      throw new ApiError({
        code: 'target-unknown',
        detail: `There is no target ${params.name} with anything in it.`,
      });
    }
    const kind = body.kind ?? null;
    const report = await answerOnce({
      context,
      key: headers['idempotency-key'],
      operation: `retry ${params.name} ${kind ?? '*'}`,
      answer: RetryReport,
      run: async () => ({
        retried: await retryFailed({ database, tenant, target: params.name, kind }),
      }),
      // Trying again once more does no harm.
      recover: async () => null,
    });
    await context.wake();
    return report;
  },
});
