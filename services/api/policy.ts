import { z } from 'zod';
import type { PolicyVersion as Row } from '../../provisioning/policy/version.ts';
import { listPolicyVersions } from '../../provisioning/policy/version.ts';
import { defineEndpoint } from './endpoint.ts';
import { ApiError } from './problem.ts';
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

const WrittenPolicy = PolicyVersion.extend({ text: z.string() }).meta({ id: 'WrittenPolicy' });
export type WrittenPolicy = z.infer<typeof WrittenPolicy>;

const Policies = z
  .strictObject({
    inForce: WrittenPolicy.nullable().meta({ description: 'Null before the first commit' }),
    versions: z.array(PolicyVersion),
  })
  .meta({ id: 'Policy' });
export type Policies = z.infer<typeof Policies>;

export const getPolicy = defineEndpoint({
  method: 'get',
  path: '/api/v1/policy',
  role: 'reader',
  id: 'getPolicy',
  summary: 'The policy in force, as it was written, and all its versions, newest first',
  answer: Policies,
  run: async ({ context: { database, tenant } }) => {
    const rows = (await listPolicyVersions({ database, tenant })).map(toWritten);
    return {
      inForce: rows.find(({ state }) => state === 'in-force') ?? null,
      versions: rows.map(({ text: _, ...version }) => version),
    };
  },
});

export const getPolicyVersion = defineEndpoint({
  method: 'get',
  path: '/api/v1/policy/{version}',
  role: 'reader',
  id: 'getPolicyVersion',
  summary: 'One version of the policy, as it was written',
  params: z.strictObject({ version: z.coerce.number().int().min(1).max(1_000_000_000) }),
  answer: WrittenPolicy,
  problems: ['not-found'],
  run: async ({ context: { database, tenant }, params }) => {
    const rows = await listPolicyVersions({ database, tenant });
    const found = rows.find(({ version }) => version === params.version);
    if (found !== undefined) return toWritten(found);
    throw new ApiError({
      code: 'not-found',
      detail: `There is no version ${params.version} of the policy. /api/v1/policy has them all.`,
    });
  },
});

function toWritten(row: Row): WrittenPolicy {
  return {
    ...row,
    madeAt: row.madeAt.toISOString(),
    inForceAt: row.inForceAt?.toISOString() ?? null,
  };
}
