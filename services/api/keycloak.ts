/**
 * The only file that knows keycloak-connect. Of it we use the bearer-only way: its check of signature,
 * issuer, audience and type, and its roles. Never its interactive mode (it takes the redirect address
 * from the Host header and does not check `state`), and never `middleware()`, which would serve
 * /k_logout and /k_push_not_before to everybody.
 *
 * Measured on 26.1.1: a token without `exp` passes it, `nbf` is never read, `azp` of an access token
 * is not looked at, `alg` is not compared, the audience is checked only when told to. So a guard of
 * our own stands behind it.
 */
import type { Request, RequestHandler, Response } from 'express';
import Keycloak from 'keycloak-connect';
import attachGrant from 'keycloak-connect/middleware/grant-attacher.js';
import setup from 'keycloak-connect/middleware/setup.js';
import { z } from 'zod';
import type { Access, Gate, Role } from './access.ts';
import { ApiError, answerError } from './problem.ts';

type KeycloakAccess = Extract<Access, { kind: 'keycloak' }>;

/** Clocks of two servers may differ by so much, in seconds; keycloak-connect itself gives none for `exp`. */
const leewaySeconds = 10;

const roleNames: Readonly<Record<Role, readonly string[]>> = {
  reader: ['skolebus-reader', 'skolebus-operator'],
  operator: ['skolebus-operator'],
};

const Roles = z.object({ roles: z.array(z.string()) });
const Claims = z.object({
  exp: z.number(),
  nbf: z.number().optional(),
  aud: z.union([z.string(), z.array(z.string())]),
  azp: z.string(),
  sub: z.string().optional(),
  preferred_username: z.string().optional(),
  // hasRole() throws on anything else, and would take a part of a text for a role.
  realm_access: Roles.optional(),
  resource_access: z.record(z.string(), Roles).optional(),
});
const Header = z.object({ alg: z.literal('RS256') });

/** The parts of a token that keycloak-connect's own types leave out. */
interface ParsedToken extends Keycloak.Token {
  readonly header?: unknown;
  readonly content?: unknown;
}

export function keycloakGate(access: KeycloakAccess): Gate {
  const keycloak = openKeycloak(access);
  const attach: readonly RequestHandler[] = [setup, attachGrant(keycloak)];

  /** Runs one of keycloak-connect's handlers to its end; a token it trips over is not a token. */
  function step(handler: RequestHandler, request: Request, response: Response): Promise<boolean> {
    return new Promise((resolve) => {
      try {
        void handler(request, response, (error?: unknown) => resolve(error === undefined));
      } catch {
        resolve(false);
      }
    });
  }

  async function readToken(request: Request, response: Response): Promise<ParsedToken | null> {
    for (const handler of attach) {
      if (!(await step(handler, request, response))) return null;
    }
    const token = grantOf(request)?.access_token as ParsedToken | undefined;
    return token !== undefined && isSound({ token, access, now: Date.now() / 1000 }) ? token : null;
  }

  return {
    access,
    require: (role) => {
      const protect = keycloak.protect((token) => hasRole(token, role));
      return async (request, response, next) => {
        const token = await readToken(request, response);
        if (token === null) {
          const challenge =
            request.get('authorization') === undefined ? '' : ', error="invalid_token"';
          response.set('WWW-Authenticate', `Bearer realm="${access.realm}"${challenge}`);
          throw new ApiError({
            code: 'unauthenticated',
            detail: 'Send an access token of this realm for this API, as a bearer token.',
          });
        }
        await protect(request, response, next);
      };
    },
    allows: async ({ request, role }) => {
      const token = await readToken(request, request.res as Response);
      return token !== null && hasRole(token, role);
    },
    actor: async (request) => {
      const token = await readToken(request, request.res as Response);
      const { sub = '', preferred_username: name } = Claims.parse(token?.content);
      // The id, for a name may be changed by whoever has it. All without one are the same person.
      return { id: sub, name: name ?? sub };
    },
  };
}

function openKeycloak(access: KeycloakAccess): Keycloak.Keycloak {
  const config = {
    realm: access.realm,
    'auth-server-url': access.url.replace(/\/$/, ''),
    resource: access.audience,
    'bearer-only': true,
    'verify-token-audience': true,
    // Read nowhere in keycloak-connect, but demanded by its types.
    'ssl-required': 'external',
    'confidential-port': 0,
  };
  const keycloak = new Keycloak({}, config);
  // Instead of its 403 in plain text. Only a token without the role comes here.
  keycloak.accessDenied = (request: Request, response: Response) => {
    const error = new ApiError({
      code: 'forbidden',
      detail: 'The token is good, but it lacks the role for this.',
    });
    answerError(error, request, response, () => {});
  };
  keycloak.redirectToLogin = () => false;
  return keycloak;
}

/** What keycloak-connect leaves open; signature, issuer, type and audience it has checked by now. */
function isSound(p: {
  readonly token: ParsedToken;
  readonly access: KeycloakAccess;
  /** Seconds since 1970. */
  readonly now: number;
}): boolean {
  const claims = Claims.safeParse(p.token.content);
  if (!claims.success || !Header.safeParse(p.token.header).success) return false;
  const { exp, nbf, aud, azp } = claims.data;
  if (exp <= p.now) return false;
  if (nbf !== undefined && nbf > p.now + leewaySeconds) return false;
  if (![aud].flat().includes(p.access.audience)) return false;
  return azp === p.access.clientId;
}

/** A role of the API's own client, or a realm role of the same name. */
function hasRole(token: Keycloak.Token, role: Role): boolean {
  return roleNames[role].some((name) => token.hasRole(name) || token.hasRole(`realm:${name}`));
}

function grantOf(request: Request): Keycloak.Grant | undefined {
  return (request as Request & { kauth?: { grant?: Keycloak.Grant } }).kauth?.grant;
}
