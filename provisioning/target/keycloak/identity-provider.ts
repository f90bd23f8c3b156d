/** Brokered logins: only people whose link was written ahead come in, and nothing of ours is overwritten. */

import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type IdentityProviderRepresentation from '@keycloak/keycloak-admin-client/lib/defs/identityProviderRepresentation.js';
import type { IdentityProvider } from './connection.ts';
import type { KeycloakSession } from './session.ts';

/** First login flow with one step, "Deny access": whoever is not linked ahead meets an error page. */
export const linkedOnlyFlow = 'skolebus linked only';

const denyAccess = 'deny-access-authenticator';
const mapperName = 'skolebus broker id';
/** The server shows stars for a secret, so this tells whether it is still the one we were given. */
const secretMark = 'skolebusSecretMark';

export async function prepareIdentityProviders(p: {
  readonly session: KeycloakSession;
  readonly providers: readonly IdentityProvider[];
}): Promise<void> {
  const { providers, session } = p;
  if (providers.length === 0) return;
  await prepareFlow(session);
  for (const provider of providers) {
    await prepareProvider({ session, provider });
    await prepareMapper({ session, provider });
  }
}

async function prepareFlow(session: KeycloakSession): Promise<void> {
  const { client, call } = session;
  const flow = linkedOnlyFlow;
  const flows = await call(() => client.authenticationManagement.getFlows());
  if (!flows.some((one) => one.alias === flow)) {
    await call(() =>
      client.authenticationManagement.createFlow({
        alias: flow,
        description: 'Only people whose login Skolebus has linked ahead',
        providerId: 'basic-flow',
        topLevel: true,
        builtIn: false,
      }),
    );
  }
  const read = () => call(() => client.authenticationManagement.getExecutions({ flow }));
  let steps = await read();
  if (!steps.some((step) => step.providerId === denyAccess)) {
    await call(() =>
      client.authenticationManagement.addExecutionToFlow({ flow, provider: denyAccess }),
    );
    steps = await read();
  }
  // A new step is DISABLED, and a flow without a step that counts would let everybody in.
  const deny = steps.find((step) => step.providerId === denyAccess);
  if (deny === undefined || deny.requirement === 'REQUIRED') return;
  await call(() =>
    client.authenticationManagement.updateExecution({ flow }, { ...deny, requirement: 'REQUIRED' }),
  );
}

async function prepareProvider(p: {
  readonly session: KeycloakSession;
  readonly provider: IdentityProvider;
}): Promise<void> {
  const { client, call } = p.session;
  const { alias, clientSecret } = p.provider;
  const current = await call(() => client.identityProviders.findOne({ alias }));
  const wanted = representationOf(p.provider);
  const secret = clientSecret === null ? {} : { clientSecret };
  if (!current) {
    const config = { ...wanted.config, ...secret };
    await call(() => client.identityProviders.create({ ...wanted, config }));
    return;
  }
  const next = { ...current, ...wanted, config: { ...current.config, ...wanted.config } };
  if (isDeepStrictEqual(next, current)) return;
  // The stars that were read stand for the secret that the server has; a new one goes along always.
  const config = { ...next.config, ...secret };
  await call(() => client.identityProviders.update({ alias }, { ...next, config }));
}

function representationOf(provider: IdentityProvider): IdentityProviderRepresentation {
  const { alias, clientSecret, config, displayName, providerId } = provider;
  return {
    alias,
    providerId,
    ...(displayName === null ? {} : { displayName }),
    enabled: true,
    // An e-mail from there proves nothing, and tokens from there are nobody's business.
    trustEmail: false,
    storeToken: false,
    linkOnly: false,
    firstBrokerLoginFlowAlias: linkedOnlyFlow,
    config: {
      ...config,
      // FORCE would overwrite names, aliases of protected people included, at every login.
      syncMode: 'IMPORT',
      ...(clientSecret === null ? {} : { [secretMark]: markOfSecret(clientSecret) }),
    },
  };
}

/** 32 bits of a hash: enough to notice a change, far too little to tell a random secret. */
function markOfSecret(secret: string): string {
  return createHash('sha256').update(`skolebus\0${secret}`).digest('hex').slice(0, 8);
}

/** The id by which the broker knows a person, taken from a claim that is known ahead, before links are looked up. */
async function prepareMapper(p: {
  readonly session: KeycloakSession;
  readonly provider: IdentityProvider;
}): Promise<void> {
  const { alias, linkClaim } = p.provider;
  if (linkClaim === null) return;
  const { client, call } = p.session;
  const mappers = await call(() => client.identityProviders.findMappers({ alias }));
  const stands = mappers.find((mapper) => mapper.name === mapperName);
  const wanted = {
    name: mapperName,
    identityProviderAlias: alias,
    identityProviderMapper: 'oidc-username-idp-mapper',
    config: { template: `\${CLAIM.${linkClaim}}`, target: 'BROKER_ID', syncMode: 'IMPORT' },
  };
  if (stands === undefined) {
    await call(() =>
      client.identityProviders.createMapper({ alias, identityProviderMapper: wanted }),
    );
    return;
  }
  const next = { ...stands, ...wanted, config: { ...stands.config, ...wanted.config } };
  if (isDeepStrictEqual(next, stands)) return;
  await call(() => client.identityProviders.updateMapper({ alias, id: String(stands.id) }, next));
}
