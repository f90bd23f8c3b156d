import { z } from 'zod';
import { readBacking, readWeight } from '../../provisioning/ledger/weight.ts';
import { defineEndpoint } from './endpoint.ts';
import { planParams, requirePlan } from './plans.ts';
import { ApiError } from './problem.ts';
import { Action, SelectionBody, Time, toSelection } from './shapes.ts';

const Counted = z.array(z.strictObject({ code: z.string(), count: z.int() }));

const Weighed = z
  .strictObject({
    changes: z.int().meta({ description: 'All of the plan' }),
    named: z.int().meta({ description: 'Would be committed because the selection names them' }),
    along: z
      .array(z.strictObject({ target: z.string(), kind: z.string(), count: z.int() }))
      .meta({ description: 'Would be committed because those need them' }),
    actions: z.partialRecord(Action, z.int()).meta({ description: 'Of what would be committed' }),
    held: Counted.meta({ description: 'Named, and held: by code of what holds them' }),
    stale: z.int().meta({ description: 'Named, and overtaken: planned again at the commit' }),
    left: z.int().meta({ description: 'Not approved; the next plan shows them again' }),
    waiting: z.int().meta({
      description: 'Of what would be committed, those that need something not approved or held',
    }),
    lasting: Counted.meta({
      description:
        'Of what would be committed, what no undo turns back: `deleted`, `linked`, `mended`, `protected`',
    }),
    newerFeed: z.boolean().meta({
      description: 'A newer feed was read; what it says otherwise is planned again at the commit',
    }),
    unapproved: z.int().meta({
      description: 'Named ones that somebody else has yet to approve; 0 where one person is enough',
    }),
    approvals: z.array(
      z.strictObject({
        name: z.string(),
        at: Time,
        mine: z.boolean().meta({ description: "The caller's own" }),
        count: z.int().meta({ description: 'Named ones that it covers' }),
      }),
    ),
  })
  .meta({ id: 'Weighed' });
export type Weighed = z.infer<typeof Weighed>;

export const weigh = defineEndpoint({
  method: 'post',
  path: '/api/v1/plans/{id}/weigh',
  role: 'reader',
  id: 'weighPlan',
  summary: 'Tells what the commit of an open plan, or a part of it, would do; changes nothing',
  description:
    'A POST only because a selection may be longer than an address. It looks at the ledger as it is now; the commit looks again.',
  params: planParams,
  body: SelectionBody,
  answer: Weighed,
  problems: ['plan-unknown', 'plan-not-open'],
  run: async ({ context, params, body, request }) => {
    const { database, tenant, gate } = context;
    const plan = await requirePlan({ context, id: params.id });
    if (plan.state !== 'open') {
      throw new ApiError({
        code: 'plan-not-open',
        detail: `Plan ${plan.id} is ${plan.state}: make a new plan and weigh that one.`,
      });
    }
    const about = { planId: plan.id, selection: toSelection(body) };
    const actor = await gate.actor(request);
    const { weight, backing } = await database.as(tenant, async (tx) => ({
      weight: await readWeight({ ...about, tx, now: new Date() }),
      backing: await readBacking({ ...about, tx, actor }),
    }));
    return {
      ...(weight as Omit<Weighed, 'unapproved' | 'approvals'>),
      unapproved: plan.fourEyes ? backing.unapproved : 0,
      approvals: backing.approvals.map((one) => ({ ...one, at: one.at.toISOString() })),
    };
  },
});
