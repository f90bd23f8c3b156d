/** The clients of Skolebus's own API and console, and the roles that they know. */

import type ClientRepresentation from '@keycloak/keycloak-admin-client/lib/defs/clientRepresentation.js';
import type { ApiClients } from './connection.ts';
import { statusOf } from './failure.ts';
import { prepareScope } from './scope.ts';
import type { KeycloakSession } from './session.ts';

/** `operator` may write, `reader` may look; client roles of the audience. */
export const apiRoles = ['skolebus-operator', 'skolebus-reader'] as const;

/**
 * Three things: the client that stands for the API and signs nobody in, a client scope of the same
 * name that puts it into `aud` and lets its roles into tokens, and the console's public client.
 * Tokens of the console carry no other role of a person than these.
 */
export async function prepareApiClients(p: {
  readonly session: KeycloakSession;
  readonly api: ApiClients;
}): Promise<void> {
  const { api, session } = p;
  const audience = await prepareClient({
    session,
    clientId: api.audience,
    wanted: {
      name: 'Skolebus API',
      bearerOnly: true,
      standardFlowEnabled: false,
      directAccessGrantsEnabled: false,
    },
  });
  await prepareRoles({ session, id: audience });
  const scope = await prepareScope({
    session,
    name: api.audience,
    description: 'Lets tokens be used at the API of Skolebus',
    mappers: [
      {
        name: 'audience',
        protocol: 'openid-connect',
        protocolMapper: 'oidc-audience-mapper',
        config: {
          'included.client.audience': api.audience,
          'access.token.claim': 'true',
          'id.token.claim': 'false',
          'introspection.token.claim': 'true',
        },
      },
    ],
  });
  await prepareScopeRoles({ session, scope, audience });
  if (api.console !== null) await prepareConsole({ session, console: api.console, scope });
}

async function prepareConsole(p: {
  readonly session: KeycloakSession;
  readonly console: NonNullable<ApiClients['console']>;
  readonly scope: string;
}): Promise<void> {
  const { client, call } = p.session;
  const origins = [...p.console.origins].sort();
  const pages = origins.map((origin) => `${origin}/`);
  const id = await prepareClient({
    session: p.session,
    clientId: p.console.clientId,
    wanted: {
      name: 'Skolebus console',
      publicClient: true,
      standardFlowEnabled: true,
      implicitFlowEnabled: false,
      directAccessGrantsEnabled: false,
      fullScopeAllowed: false,
      redirectUris: pages,
      webOrigins: origins,
      attributes: {
        'pkce.code.challenge.method': 'S256',
        'post.logout.redirect.uris': pages.join('##'),
      },
    },
  });
  const scopes = await call(() => client.clients.listDefaultClientScopes({ id }));
  if (scopes.some((scope) => scope.id === p.scope)) return;
  await call(() => client.clients.addDefaultClientScope({ id, clientScopeId: p.scope }));
}

/** Only what is named in `wanted` is compared and written; lists are compared as sets. Gives the uuid. */
async function prepareClient(p: {
  readonly session: KeycloakSession;
  readonly clientId: string;
  readonly wanted: ClientRepresentation;
}): Promise<string> {
  const { clientId, wanted } = p;
  const { client, call } = p.session;
  const [stands] = await call(() => client.clients.find({ clientId }));
  if (stands === undefined) {
    const made = await call(() => client.clients.create({ clientId, enabled: true, ...wanted }));
    return made.id;
  }
  const id = String(stands.id);
  const next = {
    ...stands,
    ...wanted,
    attributes: { ...stands.attributes, ...wanted.attributes },
  };
  if (!sameClient(stands, next)) await call(() => client.clients.update({ id }, next));
  return id;
}

function sameClient(a: ClientRepresentation, b: ClientRepresentation): boolean {
  return JSON.stringify(inOrder(a)) === JSON.stringify(inOrder(b));
}

function inOrder(value: unknown): unknown {
  if (Array.isArray(value)) return value.map((one) => JSON.stringify(inOrder(one))).sort();
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return entries.map(([name, one]) => [name, inOrder(one)]);
}

async function prepareRoles(p: {
  readonly session: KeycloakSession;
  readonly id: string;
}): Promise<void> {
  const { client, call } = p.session;
  const stands = await call(() => client.clients.listRoles({ id: p.id }));
  for (const name of apiRoles) {
    if (stands.some((role) => role.name === name)) continue;
    await call(() => client.clients.createRole({ id: p.id, name })).catch((error: unknown) => {
      if (statusOf(error) !== 409) throw error;
    });
  }
}

async function prepareScopeRoles(p: {
  readonly session: KeycloakSession;
  readonly scope: string;
  readonly audience: string;
}): Promise<void> {
  const { client, call } = p.session;
  const place = { id: p.scope, client: p.audience };
  const mapped = await call(() => client.clientScopes.listClientScopeMappings(place));
  const roles = await call(() => client.clients.listRoles({ id: p.audience }));
  const missing = roles.filter(
    (role) =>
      apiRoles.some((name) => name === role.name) && !mapped.some((one) => one.id === role.id),
  );
  if (missing.length === 0) return;
  await call(() => client.clientScopes.addClientScopeMappings(place, missing));
}
