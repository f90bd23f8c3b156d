import { z } from 'zod';
import { choosePrimaryOf, endKept, keepPerson, listKept } from '../../provisioning/plan/keep.ts';
import type { Keep } from '../../provisioning/store/keep-alive.ts';
import { defineEndpoint } from './endpoint.ts';
import { answerOnce, onceHeaders } from './once.ts';
import { Time } from './shapes.ts';

const Kind = z.enum(['keep', 'legal-hold']).meta({
  description:
    '`keep`: nothing of the person is deactivated or deleted; `legal-hold`: nothing is deleted',
});
const Until = z.iso.date().nullable().meta({
  description: 'The last day; null: a legal hold until it is lifted',
});
const Person = z.string().trim().min(1).max(100).meta({
  description: 'Username, UNI-ID, or our own id',
});

const Kept = z
  .strictObject({
    id: z.uuid(),
    person: z.uuid(),
    username: z.string().nullable(),
    kind: Kind,
    until: Until,
    reason: z.string(),
    by: z.string(),
    createdAt: Time,
  })
  .meta({ id: 'Kept' });

function toKept(keep: Keep): z.infer<typeof Kept> {
  return { ...keep, createdAt: keep.createdAt.toISOString() };
}

export const getKept = defineEndpoint({
  method: 'get',
  path: '/api/v1/kept-alive',
  role: 'reader',
  id: 'listKept',
  summary: 'Whose accounts are kept, whatever the feed says, oldest first',
  query: z.strictObject({ person: Person.optional() }),
  answer: z.strictObject({ items: z.array(Kept) }).meta({ id: 'KeptList' }),
  problems: ['person-unknown', 'person-ambiguous'],
  run: async ({ context: { database, tenant }, query }) => {
    const person = query.person ?? null;
    const keeps = await listKept({ database, tenant, person, now: new Date() });
    return { items: keeps.map(toKept) };
  },
});

export const postKept = defineEndpoint({
  method: 'post',
  path: '/api/v1/kept-alive',
  role: 'operator',
  id: 'keepAlive',
  summary: "Keeps somebody's accounts; one of the same kind gives way",
  headers: onceHeaders,
  body: z.strictObject({
    person: Person,
    kind: Kind.default('keep'),
    until: Until.default(null),
    reason: z.string().trim().min(1).max(500).meta({ description: 'No personal values' }),
  }),
  answer: Kept,
  problems: [
    'person-unknown',
    'person-ambiguous',
    'until-invalid',
    'idempotency-key-reused',
    'request-in-progress',
  ],
  run: async ({ context, body, headers, request }) => {
    const { database, tenant, gate } = context;
    const by = (await gate.actor(request)).name;
    return answerOnce({
      context,
      key: headers['idempotency-key'],
      operation: `keep ${JSON.stringify([body.person, body.kind, body.until, body.reason])}`,
      answer: Kept,
      run: async () => toKept(await keepPerson({ ...body, database, tenant, by, now: new Date() })),
      // Keeping once more changes nothing but the time.
      recover: async () => null,
    });
  },
});

export const deleteKept = defineEndpoint({
  method: 'delete',
  path: '/api/v1/kept-alive/{id}',
  role: 'operator',
  id: 'endKept',
  summary: 'Ends it: with the next plan the ordinary grace or retention begins',
  params: z.strictObject({ id: z.uuid() }),
  answer: z.null(),
  status: 204,
  problems: ['keep-unknown'],
  run: async ({ context: { database, tenant, gate }, params, request }) => {
    const by = (await gate.actor(request)).name;
    await endKept({ database, tenant, id: params.id, by, now: new Date() });
    return null;
  },
});

const PrimaryChoice = z
  .strictObject({
    person: Person,
    institution: z.string().min(1).max(100).nullable().meta({
      description: 'Null: as the feed and policy say',
    }),
  })
  .meta({ id: 'PrimaryChoice' });

export const postPrimary = defineEndpoint({
  method: 'post',
  path: '/api/v1/primary-institution',
  role: 'operator',
  id: 'choosePrimary',
  summary: "Makes an institution somebody's first, as long as he or she is there",
  body: PrimaryChoice,
  answer: PrimaryChoice,
  problems: ['person-unknown', 'person-ambiguous', 'institution-unknown'],
  run: async ({ context: { database, tenant, gate }, body, request }) => {
    const by = (await gate.actor(request)).name;
    const person = await choosePrimaryOf({ ...body, database, tenant, by });
    return { person, institution: body.institution };
  },
});
