import type { Request, Response } from 'express';
import type { Access, Gate } from './access.ts';
import { ApiError } from './problem.ts';
import type { SignedCookie } from './signed-cookie.ts';
import { isEqual, makeSignedCookie } from './signed-cookie.ts';

type LocalToken = Extract<Access, { kind: 'local-token' }>;

/**
 * One secret, known to whoever started Skolebus: sent as a bearer token, or exchanged by the console
 * for a session cookie.
 */
export function localTokenGate(access: LocalToken): Gate {
  const session = sessionOf(access);
  const passes = (request: Request) =>
    hasBearer({ request, access }) || (session.isIn(request) && isOwnPage(request));
  return {
    access,
    require: () => (request, response, next) => {
      if (passes(request)) {
        next();
        return;
      }
      response.set('WWW-Authenticate', 'Bearer realm="skolebus"');
      throw new ApiError({
        code: 'unauthenticated',
        detail:
          'Send the token that Skolebus printed at its start, or open the address it printed.',
      });
    },
    allows: async ({ request }) => passes(request),
    // One secret is one person, however many know it.
    actor: async () => ({ id: 'local-token', name: 'local-token' }),
  };
}

/** Sets the cookie for the right token. @throws ApiError `unauthenticated` for any other one */
export function openSession(p: {
  readonly access: LocalToken;
  readonly token: string;
  readonly request: Request;
  readonly response: Response;
}): void {
  if (!isEqual(p.token, p.access.token)) {
    throw new ApiError({ code: 'unauthenticated', detail: 'This is not the token.' });
  }
  sessionOf(p.access).give(p);
}

export function closeSession(p: {
  readonly access: LocalToken;
  readonly request: Request;
  readonly response: Response;
}): void {
  sessionOf(p.access).takeBack(p);
}

function sessionOf(access: LocalToken): SignedCookie {
  return makeSignedCookie({
    name: 'skolebus_session',
    secret: access.token,
    purpose: 'skolebus-session',
    path: '/',
    seconds: 12 * 3600,
  });
}

function hasBearer(p: { readonly request: Request; readonly access: LocalToken }): boolean {
  const [, token] = /^bearer +(\S+)$/i.exec(p.request.get('authorization') ?? '') ?? [];
  return token !== undefined && isEqual(token, p.access.token);
}

/**
 * SameSite=Strict takes another port of the same host for the same site. So a write by cookie must
 * come from a page of our own, which browsers say in headers that pages cannot set.
 */
function isOwnPage(request: Request): boolean {
  if (request.method === 'GET' || request.method === 'HEAD') return true;
  const fetchSite = request.get('sec-fetch-site');
  if (fetchSite !== undefined) return fetchSite === 'same-origin';
  return request.get('origin') === `${request.protocol}://${request.get('host')}`;
}
