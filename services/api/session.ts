import { z } from 'zod';
import type { Access } from './access.ts';
import { defineEndpoint } from './endpoint.ts';
import { closeSession, openSession } from './local-token.ts';
import { ApiError } from './problem.ts';

const path = '/api/v1/session';

export const Session = z
  .strictObject({
    access: z.enum(['local-token', 'keycloak']),
    mayRead: z.boolean(),
    mayWrite: z.boolean(),
    keycloak: z
      .strictObject({ url: z.string(), realm: z.string(), clientId: z.string() })
      .nullable()
      .meta({ description: 'Where a browser gets its token' }),
  })
  .meta({ id: 'Session' });
export type Session = z.infer<typeof Session>;

export const getSession = defineEndpoint({
  method: 'get',
  path,
  role: null,
  id: 'getSession',
  summary: 'How to sign in here, and what this caller may do',
  answer: Session,
  run: async ({ context: { gate }, request }) => {
    const { access } = gate;
    return {
      access: access.kind,
      mayRead: await gate.allows({ request, role: 'reader' }),
      mayWrite: await gate.allows({ request, role: 'operator' }),
      keycloak:
        access.kind === 'keycloak'
          ? { url: access.url, realm: access.realm, clientId: access.clientId }
          : null,
    };
  },
});

export const postSession = defineEndpoint({
  method: 'post',
  path,
  role: null,
  id: 'openSession',
  summary: 'Exchanges the local token for a session cookie; for browsers',
  body: z.strictObject({ token: z.string().min(1).max(500) }),
  answer: z.void(),
  status: 204,
  problems: ['unauthenticated', 'not-found'],
  run: async ({ context, body, request, response }) => {
    openSession({
      access: requireLocal(context.gate.access),
      token: body.token,
      request,
      response,
    });
  },
});

export const deleteSession = defineEndpoint({
  method: 'delete',
  path,
  role: null,
  id: 'closeSession',
  summary: 'Takes the session cookie back',
  answer: z.void(),
  status: 204,
  problems: ['not-found'],
  run: async ({ context, request, response }) => {
    closeSession({ access: requireLocal(context.gate.access), request, response });
  },
});

function requireLocal(access: Access): Extract<Access, { kind: 'local-token' }> {
  if (access.kind === 'local-token') return access;
  throw new ApiError({
    code: 'not-found',
    detail: 'There are no sessions here: every request carries a token of Keycloak.',
  });
}
