/** Makes a realm ready for us. Everything is read first and written only where it differs. */

import type RealmRepresentation from '@keycloak/keycloak-admin-client/lib/defs/realmRepresentation.js';
import { prepareApiClients } from './api-clients.ts';
import { prepareIdentityProviders } from './identity-provider.ts';
import { prepareOrganization } from './organization.ts';
import { desiredProfile, sameProfile } from './profile.ts';
import { prepareScope, schoolMappers, scopeName } from './scope.ts';
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

export async function prepareRealm(session: KeycloakSession): Promise<void> {
  await prepareSettings(session);
  await prepareProfile(session);
  await prepareRequiredAction(session);
  await prepareScope({
    session,
    name: scopeName,
    description: 'Who a person is at school, written by Skolebus',
    mappers: schoolMappers,
  });
  const { api, identityProviders: providers } = session.settings;
  await prepareRealmRoles(session);
  if (api !== null) await prepareApiClients({ session, api });
  await prepareIdentityProviders({ session, providers });
  await prepareOrganization(session);
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

async function prepareRealmRoles(session: KeycloakSession): Promise<void> {
  const { client, call } = session;
  const wanted = session.settings.realmRoles;
  if (wanted.length === 0) return;
  const stands = new Set((await call(() => client.roles.find())).map((role) => role.name));
  for (const name of wanted) {
    if (!stands.has(name)) await call(() => client.roles.create({ name }));
  }
}
