import { z } from 'zod';
import { approvePlan } from '../../provisioning/plan/approve.ts';
import { defineEndpoint } from './endpoint.ts';
import { decisionProblems, planParams } from './plans.ts';
import { Selection, SelectionBody, Time, toSelection } from './shapes.ts';

const Approvals = z
  .strictObject({
    approvals: z.array(z.strictObject({ name: z.string(), at: Time, selection: Selection })),
  })
  .meta({ id: 'Approvals' });

export const approve = defineEndpoint({
  method: 'post',
  path: '/api/v1/plans/{id}/approve',
  role: 'operator',
  id: 'approvePlan',
  summary: 'Notes that the caller has looked at a plan, or a part of it, and wants it',
  description: 'Where policy wants four eyes, somebody else commits. Asking again replaces it.',
  params: planParams,
  body: SelectionBody,
  answer: Approvals,
  problems: decisionProblems,
  run: async ({ context: { database, tenant, gate }, params, body, request }) => {
    const approvals = await approvePlan({
      database,
      tenant,
      planId: params.id,
      actor: await gate.actor(request),
      selection: toSelection(body),
      now: new Date(),
    });
    return {
      approvals: approvals.map(({ name, at, selection }) => ({
        name,
        at: at.toISOString(),
        selection: selection as z.input<typeof Selection>,
      })),
    };
  },
});
