import { z } from 'zod';
import { brakeKinds, everyTenant, liftBrake, setBrake } from '../../provisioning/ledger/brake.ts';
import { hurryPerson } from '../../provisioning/ledger/hurry.ts';
import { readQueue } from '../../provisioning/ledger/queue-view.ts';
import { findPerson } from '../../provisioning/plan/find-person.ts';
import { lanes } from '../../provisioning/policy/lane.ts';
import { forecastQueue } from '../worker/forecast.ts';
import type { ApiContext } from './endpoint.ts';
import { defineEndpoint } from './endpoint.ts';
import { ApiError } from './problem.ts';
import { TargetName, Time } from './shapes.ts';

const Lane = z.enum(lanes);
const Kind = z.enum(brakeKinds).meta({
  description:
    '`pause`: nothing new is started; `drain`: what is due now is still done; `maintenance`: like pause, while the server is worked on',
});

const Brake = z
  .strictObject({
    everyTenant: z.boolean().meta({ description: 'Set by whoever runs the whole instance' }),
    target: z.string().nullable().meta({ description: 'Null: all targets' }),
    lane: Lane.nullable().meta({ description: 'Null: all lanes' }),
    kind: Kind,
    since: Time,
    until: Time.nullable(),
    reason: z.string(),
    by: z.string(),
  })
  .meta({ id: 'Brake' });

const Queue = z
  .strictObject({
    calm: z
      .strictObject({ windows: z.array(z.string()), until: Time.nullable() })
      .nullable()
      .meta({ description: 'The calm windows in force, and when that changes; null: none is' }),
    lanes: z.array(
      z.strictObject({
        target: z.string(),
        lane: Lane,
        due: z.int(),
        oldestSeconds: z.number().meta({
          description: 'How long the oldest has been different from what is desired',
        }),
        opensAt: Time.nullable().meta({
          description: 'When the calm window ends in which the lane waits; null: it does not',
        }),
        doneAt: Time.nullable().meta({
          description: 'When all of it is done at the measured pace; null: nobody can tell',
        }),
      }),
    ),
    brakes: z.array(Brake),
    circuits: z.array(
      z.strictObject({
        target: z.string(),
        openedAt: Time,
        openings: z.int(),
        cause: z.string(),
        probeAt: Time.meta({ description: 'When one resource is tried' }),
      }),
    ),
    rates: z.array(
      z.strictObject({ target: z.string(), rowsPerSecond: z.number(), measuredAt: Time }),
    ),
  })
  .meta({ id: 'Queue' });
export type Queue = z.infer<typeof Queue>;

export const getQueue = defineEndpoint({
  method: 'get',
  path: '/api/v1/queue',
  role: 'reader',
  id: 'getQueue',
  summary: 'What waits in front of the targets, how fast it goes, and what holds it up',
  answer: Queue,
  run: async ({ context }) => readAnswer(context),
});

export const postBrake = defineEndpoint({
  method: 'post',
  path: '/api/v1/brakes',
  role: 'operator',
  id: 'setBrake',
  summary: 'Stops a target, a lane, both, or everything; one for the same place gives way',
  body: z.strictObject({
    target: TargetName.nullable().default(null),
    lane: Lane.nullable().default(null),
    kind: Kind,
    until: Time.nullable().default(null),
    reason: z.string().trim().min(1).max(500).meta({ description: 'No personal values' }),
  }),
  answer: Queue,
  problems: ['target-unknown', 'until-invalid'],
  run: async ({ context, body, request }) => {
    const { database, tenant, gate } = context;
    requireTarget({ context, target: body.target });
    const until = body.until === null ? null : new Date(body.until);
    if (until !== null && until.getTime() <= Date.now()) {
      const detail = 'This time is over already. Give one to come, or null.';
      throw new ApiError({ code: 'until-invalid', detail });
    }
    const by = (await gate.actor(request)).name;
    await setBrake({ database, tenant, brake: { ...body, until, by } });
    return readAnswer(context);
  },
});

export const postRelease = defineEndpoint({
  method: 'post',
  path: '/api/v1/brakes/release',
  role: 'operator',
  id: 'liftBrake',
  summary: 'Lifts what was set for exactly this place; where nothing was set, nothing happens',
  body: z.strictObject({
    target: TargetName.nullable().default(null),
    lane: Lane.nullable().default(null),
  }),
  answer: Queue,
  run: async ({ context, body }) => {
    const { database, tenant } = context;
    await liftBrake({ ...body, database, tenant });
    await context.wake();
    return readAnswer(context);
  },
});

export const postHurry = defineEndpoint({
  method: 'post',
  path: '/api/v1/hurry',
  role: 'operator',
  id: 'hurryPerson',
  summary: 'Puts what is due of one person before everything else',
  body: z.strictObject({
    person: z.string().trim().min(1).max(100).meta({
      description: 'Username, UNI-ID, or our own id',
    }),
  }),
  answer: z
    .strictObject({ person: z.uuid(), hurried: z.int().meta({ description: 'Resources' }) })
    .meta({ id: 'Hurried' }),
  problems: ['person-unknown', 'person-ambiguous'],
  run: async ({ context, body }) => {
    const { database, tenant } = context;
    const person = await database.as(tenant, (tx) => findPerson({ tx, text: body.person }));
    const hurried = await hurryPerson({ database, tenant, person });
    await context.wake();
    return { person, hurried };
  },
});

function requireTarget(p: { readonly context: ApiContext; readonly target: string | null }): void {
  const { targets } = p.context;
  if (p.target === null || targets.has(p.target)) return;
  const detail = `There is no target of this name. There are: ${[...targets.keys()].join(', ')}.`;
  throw new ApiError({ code: 'target-unknown', detail });
}

async function readAnswer(context: ApiContext): Promise<z.input<typeof Queue>> {
  const view = await readQueue(context);
  const { brakes, circuits, rates } = view;
  const { calm, lanes: due } = forecastQueue({ ...context, view, now: new Date() });
  return {
    calm:
      calm === null
        ? null
        : { windows: [...calm.windows], until: calm.until?.toISOString() ?? null },
    lanes: due.map((one) => ({
      ...one,
      opensAt: one.opensAt?.toISOString() ?? null,
      doneAt: one.doneAt?.toISOString() ?? null,
    })),
    brakes: brakes.map(({ id: _, tenant, since, until, ...brake }) => ({
      ...brake,
      everyTenant: tenant === everyTenant,
      since: since.toISOString(),
      until: until?.toISOString() ?? null,
    })),
    circuits: circuits.map(({ openedAt, probeAt, ...circuit }) => ({
      ...circuit,
      openedAt: openedAt.toISOString(),
      probeAt: probeAt.toISOString(),
    })),
    rates: rates.map((rate) => ({ ...rate, measuredAt: rate.measuredAt.toISOString() })),
  };
}
