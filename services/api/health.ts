import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { defineEndpoint } from './endpoint.ts';
import { ApiError } from './problem.ts';

/** An answer later than this is no answer to whoever routes traffic here. */
const readyWithinMs = 2000;

export const getHealth = defineEndpoint({
  method: 'get',
  path: '/healthz',
  role: null,
  id: 'getHealth',
  summary: 'The process runs',
  answer: z.strictObject({ status: z.enum(['running']) }),
  run: async () => ({ status: 'running' as const }),
});

export const getReady = defineEndpoint({
  method: 'get',
  path: '/readyz',
  role: null,
  id: 'getReady',
  summary: 'The database answers',
  answer: z.strictObject({ status: z.enum(['ready']) }),
  problems: ['database-unavailable'],
  run: async ({ context: { database, tenant } }) => {
    const timeout = new AbortController();
    const answered = await Promise.race([
      database
        .as(tenant, (tx) => tx.query('select 1'))
        .then(
          () => true,
          () => false,
        ),
      sleep(readyWithinMs, false, { signal: timeout.signal }).catch(() => false),
    ]);
    timeout.abort();
    if (answered) return { status: 'ready' as const };
    throw new ApiError({
      code: 'database-unavailable',
      detail: 'The database does not answer. Try again shortly.',
      headers: { 'Retry-After': '5' },
    });
  },
});
