import { z } from 'zod';
import { listInstitutions } from '../../provisioning/roster/read.ts';
import { defineEndpoint } from './endpoint.ts';

const Institution = z
  .strictObject({
    key: z.string().meta({ description: 'Institution number' }),
    name: z.string(),
    kind: z.string(),
    pupils: z.int(),
    staff: z.int(),
    classes: z.int(),
  })
  .meta({ id: 'Institution' });
export type Institution = z.infer<typeof Institution>;

export const getInstitutions = defineEndpoint({
  method: 'get',
  path: '/api/v1/institutions',
  role: 'reader',
  id: 'listInstitutions',
  summary: 'Every institution that was ever read, with the people and classes present now',
  answer: z.strictObject({ items: z.array(Institution) }).meta({ id: 'Institutions' }),
  run: async ({ context: { database, tenant } }) => ({
    items: [...(await listInstitutions({ database, tenant }))],
  }),
});
