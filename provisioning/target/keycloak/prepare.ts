/** Makes a realm ready for us. Everything is read first and written only where it differs. */

import { isDeepStrictEqual } from 'node:util';
import type ProtocolMapperRepresentation from '@keycloak/keycloak-admin-client/lib/defs/protocolMapperRepresentation.js';
import type RealmRepresentation from '@keycloak/keycloak-admin-client/lib/defs/realmRepresentation.js';
import { desiredProfile, sameProfile } from './profile.ts';
import type { KeycloakSession } from './session.ts';

/** Without these our accounts would clash or could be changed behind our back. Enforced on every run. */
export const requiredRealmSettings = {
  registrationAllowed: false,
  registrationEmailAsUsername: false,
  // Else even an administrator's rename answers 400; the profile lets only administrators do it.
  editUsernameAllowed: true,
  // Siblings share a parent's e-mail.
  duplicateEmailsAllowed: true,
  loginWithEmailAllowed: false,
  verifyEmail: false,
  // Details would store whole people in the event table.
  adminEventsDetailsEnabled: false,
} as const satisfies RealmRepresentation;

/** A good start that a municipality may tune: written only when we create the realm. */
const firstRealmSettings = {
  resetPasswordAllowed: false,
  rememberMe: false,
  // Counts per user, never per address, so a school behind one address is no problem. Waits are
  // short because anybody who knows a username can lock it.
  bruteForceProtected: true,
  permanentLockout: false,
  failureFactor: 10,
  waitIncrementSeconds: 60,
  maxFailureWaitSeconds: 300,
  // The default of 1,000 locks a pupil for a double click.
  quickLoginCheckMilliSeconds: 200,
  minimumQuickLoginWaitSeconds: 10,
  maxDeltaTimeSeconds: 3600,
  // Shared machines: an hour of rest, a school day at most.
  ssoSessionIdleTimeout: 3600,
  ssoSessionMaxLifespan: 36_000,
  sslRequired: 'external',
  internationalizationEnabled: true,
  supportedLocales: ['da', 'en'],
  defaultLocale: 'da',
} as const;

/** The scope that our applications ask for; its claims are all they learn about a person. */
export const scopeName = 'skole';

export async function prepareRealm(session: KeycloakSession): Promise<void> {
  await prepareSettings(session);
  await prepareProfile(session);
  await prepareRequiredAction(session);
  await prepareScope(session);
}

async function prepareSettings(session: KeycloakSession): Promise<void> {
  const { client, call, realm } = session;
  const current = await call(() => client.realms.findOne({ realm }));
  if (!current) {
    const body = {
      ...firstRealmSettings,
      supportedLocales: ['da', 'en'],
      ...requiredRealmSettings,
    };
    await call(() => client.realms.create({ realm, enabled: true, ...body }));
    return;
  }
  const wrong = wrongSettings(current);
  if (Object.keys(wrong).length === 0) return;
  // A realm PUT changes only what is sent.
  await call(() => client.realms.update({ realm }, wrong));
}

export function wrongSettings(current: RealmRepresentation): Partial<RealmRepresentation> {
  const wrong = Object.entries(requiredRealmSettings).filter(
    ([name, value]) => (current as Record<string, unknown>)[name] !== value,
  );
  return Object.fromEntries(wrong);
}

async function prepareProfile(session: KeycloakSession): Promise<void> {
  const { client, call } = session;
  const current = await call(() => client.users.getProfile());
  const desired = desiredProfile(current);
  if (!sameProfile(current, desired)) await call(() => client.users.updateProfile(desired));
}

/** On by default, it stops everybody whose data a rule dislikes on a form, at every login. */
async function prepareRequiredAction(session: KeycloakSession): Promise<void> {
  const { client, call } = session;
  const alias = 'VERIFY_PROFILE';
  const action = await call(() =>
    client.authenticationManagement.getRequiredActionForAlias({ alias }),
  );
  if (!action || action.enabled === false) return;
  await call(() =>
    client.authenticationManagement.updateRequiredAction({ alias }, { ...action, enabled: false }),
  );
}

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

const inTokens = {
  'id.token.claim': 'true',
  'access.token.claim': 'true',
  'userinfo.token.claim': 'true',
  'introspection.token.claim': 'true',
};

const mappers: readonly ProtocolMapperRepresentation[] = [
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

async function prepareScope(session: KeycloakSession): Promise<void> {
  const { client, call } = session;
  const scopes = await call(() => client.clientScopes.find());
  const scope = scopes.find((one) => one.name === scopeName);
  if (scope === undefined) {
    await call(() =>
      client.clientScopes.create({
        name: scopeName,
        description: 'Who a person is at school, written by Skolebus',
        protocol: 'openid-connect',
        attributes: { 'include.in.token.scope': 'false', 'display.on.consent.screen': 'false' },
        protocolMappers: [...mappers],
      }),
    );
    return;
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
}
