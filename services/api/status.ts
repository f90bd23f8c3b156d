import { z } from 'zod';
import { countCauses, readProgress } from '../../provisioning/ledger/progress.ts';
import { listPlans } from '../../provisioning/plan/read.ts';
import { lanes } from '../../provisioning/policy/lane.ts';
import { listSnapshots } from '../../provisioning/roster/read.ts';
import { sentenceFor } from '../../provisioning/target/cause-sentences.ts';
import type { ApiContext } from './endpoint.ts';
import { defineEndpoint } from './endpoint.ts';
import { Cause, Plan, Progress, QueueCounts, Time, toPlan } from './shapes.ts';
import { Snapshot, toSnapshot } from './snapshots.ts';

/** What changes from second to second; also what the event stream carries. */
const moving = {
  at: Time,
  progress: z.array(Progress),
  causes: z.array(Cause),
  queues: QueueCounts.nullable().meta({ description: 'Null where this process has no queues' }),
};

export const Movement = z
  .strictObject({
    ...moving,
    plan: z
      .strictObject({ id: z.string(), state: z.string() })
      .nullable()
      .meta({ description: 'The latest plan' }),
  })
  .meta({ id: 'Movement' });
export type Movement = z.infer<typeof Movement>;

const Status = z
  .strictObject({
    tenant: z.string(),
    ...moving,
    snapshots: z.array(Snapshot).meta({ description: 'The last three, newest first' }),
    plan: Plan.nullable().meta({ description: 'The latest plan' }),
  })
  .meta({ id: 'Status' });
export type Status = z.infer<typeof Status>;

export const getStatus = defineEndpoint({
  method: 'get',
  path: '/api/v1/status',
  role: 'reader',
  id: 'getStatus',
  summary: 'Everything on one page: how far each target is, and why not further',
  answer: Status,
  run: async ({ context }) => {
    const { database, tenant } = context;
    const [movement, snapshots, [plan]] = await Promise.all([
      readMovement(context),
      listSnapshots({ database, tenant, limit: 3 }),
      listPlans({ database, tenant, before: null, limit: 1 }),
    ]);
    return {
      tenant,
      at: movement.at,
      progress: movement.progress,
      causes: movement.causes,
      queues: movement.queues,
      snapshots: snapshots.map((row) => toSnapshot({ row, diagnosticsLimit: 0 })),
      plan: plan === undefined ? null : toPlan(plan),
    };
  },
});

export async function readMovement(
  context: Pick<ApiContext, 'database' | 'tenant' | 'queues'>,
): Promise<Movement> {
  const { database, tenant } = context;
  const [progress, causes, queues, [plan]] = await Promise.all([
    readProgress({ database, tenant }),
    countCauses({ database, tenant }),
    countTickets(context.queues),
    listPlans({ database, tenant, before: null, limit: 1 }),
  ]);
  return {
    at: new Date().toISOString(),
    progress: [...progress],
    causes: causes.map((cause) => ({
      ...cause,
      sentence: cause.code === null ? null : sentenceFor(cause.code),
      nextInSeconds: Math.round(cause.nextInSeconds),
    })),
    queues,
    plan: plan === undefined ? null : { id: plan.id, state: plan.state },
  };
}

export async function countTickets(
  queues: ApiContext['queues'],
): Promise<z.infer<typeof QueueCounts> | null> {
  if (queues === null) return null;
  const [now = 0, sync = 0, bulk = 0] = await Promise.all(lanes.map((lane) => queues.count(lane)));
  return { backend: queues.backend, lanes: { now, sync, bulk } };
}
