import type { CheckResult } from '../contract.ts';
import { listProviders } from './api.ts';
import { NextcloudError } from './failure.ts';
import type { Provider } from './schema.ts';
import type { Session } from './session.ts';

/** The attributes that a login would overwrite, by the name of their setting. */
const mappings = [
  'mappingDisplayName',
  'mappingEmail',
  'mappingQuota',
  'mappingGroups',
  'mappingLanguage',
  'mappingLocale',
];

/**
 * The provider that accounts are written ahead for. A wrong provider id is no error to the server:
 * it answers 200 and makes an account with a hash for an id, so that nothing is written before the
 * settings are known to be safe.
 */
export async function findProvider(p: {
  readonly session: Session;
  readonly identifier: string;
}): Promise<Provider> {
  const providers = await listProviders(p.session);
  const provider = providers.find((one) => one.identifier === p.identifier);
  if (provider === undefined) {
    throw new NextcloudError({
      code: 'oidc-provider-missing',
      message: `no OpenID Connect provider "${p.identifier}": make it with occ user_oidc:provider, or correct the identifier`,
    });
  }
  if (isOn(provider.settings['uniqueUid']) || isOn(provider.settings['providerBasedId'])) {
    throw new NextcloudError({
      code: 'oidc-provider-unsafe',
      message: `the provider "${p.identifier}" changes user ids: set --unique-uid=0 and providerBasedId off, or nobody gets in`,
    });
  }
  return provider;
}

/** A setting that was never touched may come as text or number. */
function isOn(value: unknown): boolean {
  return value === true || value === 1 || value === '1' || value === 'true';
}

/** One line for each setting that decides who gets in and what a login overwrites. */
export async function checkOidc(p: {
  readonly session: Session;
  readonly identifier: string;
  /** The claim that must be the user id, for example `preferred_username`. */
  readonly uidClaim: string;
}): Promise<readonly CheckResult[]> {
  const providers = await listProviders(p.session);
  const provider = providers.find((one) => one.identifier === p.identifier);
  if (provider === undefined) {
    const message = `no provider "${p.identifier}" among ${providers.length}: make it with occ user_oidc:provider`;
    return [{ name: 'oidc-provider', ok: false, message }];
  }
  const { settings } = provider;
  const uid = settings['mappingUid'];
  const overwritten = mappings.filter((name) => (settings[name] ?? '') === '');
  const hashed = isOn(settings['uniqueUid']) || isOn(settings['providerBasedId']);
  return [
    {
      name: 'oidc-provider',
      ok: providers.length === 1,
      message:
        providers.length === 1
          ? `provider "${p.identifier}" has id ${provider.id}`
          : `${providers.length} providers: with more than one the login page does not lead to Keycloak by itself`,
    },
    {
      name: 'oidc-user-id',
      ok: !hashed && uid === p.uidClaim,
      message: hashed
        ? 'user ids are hashed or prefixed: set --unique-uid=0 and providerBasedId off'
        : `the user id comes from the claim ${String(uid)}; it must be ${p.uidClaim} (--mapping-uid)`,
    },
    {
      name: 'oidc-groups',
      ok: !isOn(settings['groupProvisioning']),
      message: isOn(settings['groupProvisioning'])
        ? 'a login replaces the groups: set --group-provisioning=0, or pupils lose their classes'
        : 'groups are not touched by a login',
    },
    {
      name: 'oidc-overwrites',
      ok: overwritten.length === 0,
      message:
        overwritten.length === 0
          ? 'a login overwrites nothing'
          : `empty mappings mean the default claims, not "off": map ${overwritten.join(', ')} to a claim that does not exist (x_none)`,
    },
  ];
}
