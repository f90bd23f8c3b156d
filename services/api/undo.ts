import { undo } from '../../provisioning/undo.ts';
import { defineEndpoint } from './endpoint.ts';
import { planParams, requirePlan } from './plans.ts';
import { ApiError } from './problem.ts';
import { Plan, toPlan } from './shapes.ts';

export const undoPlan = defineEndpoint({
  method: 'post',
  path: '/api/v1/plans/{id}/undo',
  role: 'operator',
  id: 'undoPlan',
  summary: 'Makes the inverse of a committed plan, as a new open plan',
  description:
    'Nothing changes before its commit. `cannot` tells what does not come back. Asking again makes it anew.',
  params: planParams,
  status: 201,
  answer: Plan,
  problems: ['plan-unknown', 'plan-not-committed', 'undo-too-late', 'sync-busy', 'not-found'],
  run: async ({ context, params, request }) => {
    const { database, tenant, rules, gate } = context;
    if (rules === null) {
      throw new ApiError({ code: 'not-found', detail: 'This process makes no plans.' });
    }
    const { plan } = await undo({
      ...rules,
      database,
      tenant,
      planId: params.id,
      actor: await gate.actor(request),
      commit: false,
      now: new Date(),
    });
    return toPlan(await requirePlan({ context, id: plan.id }));
  },
});
