import { z } from 'zod';
import { lanes } from '../../provisioning/policy/lane.ts';
import type { Readiness as Read } from '../worker/readiness.ts';
import { readReadiness } from '../worker/readiness.ts';
import { missingCauses } from '../worker/readiness-words.ts';
import { defineEndpoint } from './endpoint.ts';
import { Kind, Sentence, Time } from './shapes.ts';

const Reason = z
  .strictObject({
    cause: z.enum(missingCauses),
    code: z.string().nullable().meta({
      description:
        'Of the failure or the hold, or the kind of a brake; null: the cause says it all',
    }),
    target: z.string(),
    kind: Kind,
    lane: z.enum(lanes),
    count: z.int().meta({ description: 'People' }),
    eta: Time.nullable().meta({
      description: 'When all of them have it; null: nobody can tell',
    }),
    sentence: Sentence,
  })
  .meta({ id: 'MissingReason' });

const share = {
  people: z.int().meta({
    description: 'Whoever is here today and has, or is to have, an account',
  }),
  ready: z.int().meta({ description: 'Of them, those whose resources are all right' }),
  missing: z.int(),
  eta: Time.nullable().meta({
    description:
      'When the last of the missing is ready, at the measured pace and with calm windows left out; null: nobody is missing, or nobody can tell',
  }),
  late: z.boolean().meta({
    description: 'Somebody will be missing something when the bell rings',
  }),
  reasons: z.array(Reason).meta({
    description: 'The most frequent first; whoever misses several things is counted with each',
  }),
};

const Readiness = z
  .strictObject({
    at: Time,
    bell: Time.nullable().meta({
      description:
        'When the bell rings next, or began to ring; null: there are no calm windows here',
    }),
    ...share,
    institutions: z
      .array(z.strictObject({ institution: z.string(), name: z.string(), ...share }))
      .meta({ description: 'Those with people; somebody at two is counted at each' }),
  })
  .meta({ id: 'Readiness' });
export type Readiness = z.infer<typeof Readiness>;

export const getReadiness = defineEndpoint({
  method: 'get',
  path: '/api/v1/readiness',
  role: 'reader',
  id: 'getReadiness',
  summary:
    'Who is ready for the bell, per institution and in all, and what the others miss and why',
  answer: Readiness,
  run: async ({ context }) => {
    const readiness = await readReadiness({ ...context, now: new Date() });
    return {
      ...toShare(readiness),
      at: readiness.at.toISOString(),
      bell: readiness.bell?.toISOString() ?? null,
      institutions: readiness.institutions.map(({ institution, name, ...rest }) => ({
        institution,
        name,
        ...toShare(rest),
      })),
    };
  },
});

type Share = Omit<Read['institutions'][number], 'institution' | 'name'>;

function toShare({ people, ready, missing, eta, late, reasons }: Share) {
  return {
    ...{ people, ready, missing, late },
    eta: eta?.toISOString() ?? null,
    reasons: reasons.map((reason) => ({ ...reason, eta: reason.eta?.toISOString() ?? null })),
  };
}
