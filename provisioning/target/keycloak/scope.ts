/** Client scopes: what a token tells of a person. */

import { isDeepStrictEqual } from 'node:util';
import type ProtocolMapperRepresentation from '@keycloak/keycloak-admin-client/lib/defs/protocolMapperRepresentation.js';
import type { KeycloakSession } from './session.ts';

/** The scope that our applications ask for; its claims are all they learn about a person. */
export const scopeName = 'skole';

const inTokens = {
  'id.token.claim': 'true',
  'access.token.claim': 'true',
  'userinfo.token.claim': 'true',
  'introspection.token.claim': 'true',
};

function attributeMapper(p: {
  readonly claim: string;
  readonly attribute: string;
  readonly multivalued: boolean;
}): ProtocolMapperRepresentation {
  return {
    name: p.claim,
    protocol: 'openid-connect',
    protocolMapper: 'oidc-usermodel-attribute-mapper',
    config: {
      'user.attribute': p.attribute,
      'claim.name': p.claim,
      'jsonType.label': 'String',
      ...(p.multivalued ? { multivalued: 'true' } : {}),
      ...inTokens,
    },
  };
}

export const schoolMappers: readonly ProtocolMapperRepresentation[] = [
  // Applications that match on the username need it without the scope `profile`, which holds names.
  attributeMapper({ claim: 'preferred_username', attribute: 'username', multivalued: false }),
  attributeMapper({ claim: 'uniId', attribute: 'uniId', multivalued: false }),
  attributeMapper({ claim: 'institutions', attribute: 'institutions', multivalued: true }),
  attributeMapper({ claim: 'kinds', attribute: 'kinds', multivalued: true }),
  attributeMapper({ claim: 'schoolRoles', attribute: 'roles', multivalued: true }),
  {
    name: 'groups',
    protocol: 'openid-connect',
    protocolMapper: 'oidc-group-membership-mapper',
    // Bare names mean only top groups in policies since 26.8.
    config: { 'full.path': 'true', 'claim.name': 'groups', ...inTokens },
  },
];

/** Makes the scope, or brings its mappers to what is wanted; others in it stay. Gives its id. */
export async function prepareScope(p: {
  readonly session: KeycloakSession;
  readonly name: string;
  readonly description: string;
  readonly mappers: readonly ProtocolMapperRepresentation[];
}): Promise<string> {
  const { mappers, name } = p;
  const { client, call } = p.session;
  const scopes = await call(() => client.clientScopes.find());
  const scope = scopes.find((one) => one.name === name);
  if (scope === undefined) {
    const made = await call(() =>
      client.clientScopes.create({
        name,
        description: p.description,
        protocol: 'openid-connect',
        attributes: { 'include.in.token.scope': 'false', 'display.on.consent.screen': 'false' },
        protocolMappers: [...mappers],
      }),
    );
    return made.id;
  }
  const id = String(scope.id);
  for (const mapper of mappers) {
    const stands = scope.protocolMappers?.find((one) => one.name === mapper.name);
    if (stands === undefined) {
      await call(() => client.clientScopes.addProtocolMapper({ id }, mapper));
    } else if (
      stands.protocolMapper !== mapper.protocolMapper ||
      !isDeepStrictEqual({ ...stands.config, ...mapper.config }, stands.config)
    ) {
      const mapperId = String(stands.id);
      const body = { ...stands, ...mapper, config: { ...stands.config, ...mapper.config } };
      await call(() => client.clientScopes.updateProtocolMapper({ id, mapperId }, body));
    }
  }
  return id;
}
