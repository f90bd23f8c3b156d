import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { Request, Response } from 'express';
import type { Access, Gate } from './access.ts';
import { ApiError } from './problem.ts';

type LocalToken = Extract<Access, { kind: 'local-token' }>;

const cookieName = 'skolebus_session';
const sessionSeconds = 12 * 3600;

/**
 * One secret, known to whoever started Skolebus: sent as a bearer token, or exchanged by the console
 * for a session cookie. The cookie is an expiry time signed with the secret, so that nothing needs
 * to be remembered and a new secret ends every session.
 */
export function localTokenGate(access: LocalToken): Gate {
  const passes = (request: Request) =>
    hasBearer({ request, access }) || (hasCookie({ request, access }) && isOwnPage(request));
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
  const expires = Math.floor(Date.now() / 1000) + sessionSeconds;
  p.response.cookie(cookieName, `${expires}.${sign({ access: p.access, expires })}`, {
    ...cookieOptions(p.request),
    maxAge: sessionSeconds * 1000,
  });
}

export function closeSession(p: { readonly request: Request; readonly response: Response }): void {
  p.response.clearCookie(cookieName, cookieOptions(p.request));
}

function cookieOptions(request: Request) {
  return { httpOnly: true, sameSite: 'strict', secure: request.secure, path: '/' } as const;
}

function hasBearer(p: { readonly request: Request; readonly access: LocalToken }): boolean {
  const [, token] = /^bearer +(\S+)$/i.exec(p.request.get('authorization') ?? '') ?? [];
  return token !== undefined && isEqual(token, p.access.token);
}

function hasCookie(p: { readonly request: Request; readonly access: LocalToken }): boolean {
  const cookies = (p.request.get('cookie') ?? '').split(';').map((part) => part.trim());
  const value = cookies.find((cookie) => cookie.startsWith(`${cookieName}=`));
  const [, expires, signature] = /=(\d{1,12})\.([\w-]{43})$/.exec(value ?? '') ?? [];
  if (expires === undefined || signature === undefined) return false;
  if (Number(expires) * 1000 < Date.now()) return false;
  return isEqual(signature, sign({ access: p.access, expires: Number(expires) }));
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

function sign(p: { readonly access: LocalToken; readonly expires: number }): string {
  const mac = createHmac('sha256', p.access.token).update(`skolebus-session.${p.expires}`);
  return mac.digest('base64url');
}

/** Takes as long for a wrong value as for a right one; hashing makes the lengths equal. */
function isEqual(a: string, b: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}
