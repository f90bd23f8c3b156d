import { z } from 'zod';
import { listPolicyVersions } from '../../provisioning/policy/version.ts';
import { defineEndpoint } from './endpoint.ts';
import { PlanId, Time } from './shapes.ts';

const PolicyVersion = z
  .strictObject({
    version: z.int(),
    state: z.enum(['in-force', 'past', 'previewed']),
    hash: z.string().meta({ description: 'SHA-256 over the meaning: comments do not count' }),
    madeAt: Time,
    madeBy: z.string(),
    inForceAt: Time.nullable().meta({ description: 'Null: previewed and not applied' }),
    plan: PlanId.nullable().meta({ description: 'The plan that previewed it' }),
  })
  .meta({ id: 'PolicyVersion' });

export const getPolicy = defineEndpoint({
  method: 'get',
  path: '/api/v1/policy',
  role: 'reader',
  id: 'getPolicy',
  summary: 'The policy in force, as it was written, and all its versions, newest first',
  answer: z
    .strictObject({
      inForce: PolicyVersion.extend({ text: z.string() })
        .nullable()
        .meta({ description: 'Null before the first commit' }),
      versions: z.array(PolicyVersion),
    })
    .meta({ id: 'Policy' }),
  run: async ({ context: { database, tenant } }) => {
    const rows = (await listPolicyVersions({ database, tenant })).map((row) => ({
      ...row,
      madeAt: row.madeAt.toISOString(),
      inForceAt: row.inForceAt?.toISOString() ?? null,
    }));
    return {
      inForce: rows.find(({ state }) => state === 'in-force') ?? null,
      versions: rows.map(({ text: _, ...version }) => version),
    };
  },
});
