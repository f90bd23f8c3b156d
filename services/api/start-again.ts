import { z } from 'zod';
import { startAgain } from '../../provisioning/ledger/start-passwords.ts';
import { defineEndpoint } from './endpoint.ts';

export const postStartAgain = defineEndpoint({
  method: 'post',
  path: '/api/v1/start-again',
  role: 'operator',
  id: 'startAgain',
  summary: 'Sets the start password of one person once more, before everything else',
  description:
    'Other passwords, sessions and counted wrong tries of the account end with it. The words are not answered: `skolebus start-passwords` prints them.',
  body: z.strictObject({
    person: z.string().trim().min(1).max(100).meta({
      description: 'Username, UNI-ID, or our own id',
    }),
  }),
  answer: z.strictObject({ person: z.uuid() }).meta({ id: 'StartedAgain' }),
  problems: ['person-unknown', 'person-ambiguous', 'no-start-password'],
  run: async ({ context, body }) => {
    const person = await startAgain({ ...context, text: body.person });
    await context.wake();
    return { person };
  },
});
