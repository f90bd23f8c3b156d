import { createHash } from 'node:crypto';
import { type Answer, answerEmpty, fieldOf } from './exchange.ts';
import { type OcsResult, ok, refuse } from './ocs.ts';
import { type Call, crash, type Route, textField } from './route.ts';
import { findUser, newUser, nextNumber, type OidcProvider, removeUser, saveUser } from './state.ts';
import { parseSize } from './user-view.ts';

const base = 'apps/user_oidc/api/v1';

/**
 * The user_oidc app's own endpoints. Writing accounts wants no password confirmation, so that app
 * passwords work here (tried against user_oidc 8.11 on 34.0.1; there is no recording).
 */
export const oidcRoutes: readonly Route[] = [
  {
    method: 'GET',
    path: `${base}/provider`,
    needs: 'admin',
    confirm: false,
    handle: listProviders,
  },
  {
    method: 'POST',
    path: `${base}/provider`,
    needs: 'admin',
    confirm: true,
    handle: createProvider,
  },
  {
    method: 'PUT',
    path: `${base}/provider/*`,
    needs: 'admin',
    confirm: true,
    handle: changeProvider,
  },
  {
    method: 'DELETE',
    path: `${base}/provider/*`,
    needs: 'admin',
    confirm: true,
    handle: deleteProvider,
  },
  { method: 'POST', path: `${base}/user`, needs: 'admin', confirm: false, handle: writeAccount },
  {
    method: 'DELETE',
    path: `${base}/user/*`,
    needs: 'admin',
    confirm: false,
    handle: deleteAccount,
  },
];

/** As the app fills them in. The default of uniqueUid makes user ids hashes. */
const defaults = {
  mappingDisplayName: '',
  mappingEmail: '',
  mappingQuota: '',
  mappingUid: 'sub',
  mappingGroups: '',
  mappingLanguage: '',
  mappingLocale: '',
  uniqueUid: true,
  checkBearer: false,
  bearerProvisioning: false,
  sendIdTokenHint: false,
  providerBasedId: false,
  groupProvisioning: false,
  groupWhitelistRegex: '',
  restrictLoginToGroups: false,
};

function listProviders(call: Call): OcsResult {
  return ok([...call.state.providers.values()]);
}

function readSettings(call: Call): Record<string, unknown> {
  const settings: Record<string, unknown> = { ...defaults };
  for (const [name, [value = '']] of call.ask.fields) {
    const key = /^settings\[(\w+)\]$/.exec(name)?.[1];
    if (key !== undefined) settings[key] = typed(value);
  }
  const whole = fieldOf(call.ask, 'settings');
  if (whole?.startsWith('{')) Object.assign(settings, JSON.parse(whole) as object);
  return settings;
}

function typed(value: string): string | boolean {
  if (value === 'true' || value === '1') return true;
  return value === 'false' || value === '0' ? false : value;
}

function createProvider(call: Call): OcsResult {
  const identifier = textField(call, 'identifier');
  for (const provider of call.state.providers.values()) {
    if (provider.identifier === identifier) {
      return refuse(409, 'Provider with the given identifier already exists');
    }
  }
  const provider: OidcProvider = {
    id: nextNumber(call.state, 'provider'),
    identifier,
    clientId: textField(call, 'clientId'),
    discoveryEndpoint: textField(call, 'discoveryEndpoint'),
    scope: fieldOf(call.ask, 'scope') ?? 'openid email profile',
    settings: readSettings(call),
  };
  call.state.providers.set(String(provider.id), provider);
  return ok(provider);
}

function changeProvider(call: Call): OcsResult {
  const provider = call.state.providers.get(call.params[0] ?? '');
  if (provider === undefined) return refuse(404, 'Provider not found');
  provider.settings = readSettings(call);
  provider.scope = fieldOf(call.ask, 'scope') ?? 'openid email profile';
  call.state.providers.set(String(provider.id), provider);
  return ok(provider);
}

function deleteProvider(call: Call): OcsResult {
  return call.state.providers.delete(call.params[0] ?? '')
    ? ok()
    : refuse(404, 'Provider not found');
}

/** Creates, or updates what is not empty; not atomic. */
function writeAccount(call: Call): OcsResult | Answer {
  const providerId = fieldOf(call.ask, 'providerId');
  const wanted = fieldOf(call.ask, 'userId');
  if (providerId === undefined || wanted === undefined) return answerEmpty(400);
  if (wanted === '') return crash();
  // A provider that does not exist is no error: its settings are the defaults, so the id is a hash.
  const settings = call.state.providers.get(providerId)?.settings ?? defaults;
  const hashed = settings['uniqueUid'] === true;
  const raw = hashed ? sha256(`${providerId}_0_${wanted}`) : wanted;
  const id = Buffer.byteLength(raw) > 64 ? sha256(raw) : raw;
  const local = findUser(call.state, id);
  const user = local ?? { ...newUser({ id, password: null }), backend: 'user_oidc' as const };
  saveUser(call.state, user);
  if (call.breakOff) return crash();
  const displayName = textField(call, 'displayName');
  if (displayName !== '' && user.backend === 'user_oidc') user.displayName = displayName;
  const email = textField(call, 'email');
  if (email !== '') user.email = email;
  const quota = textField(call, 'quota');
  saveUser(call.state, user);
  if (quota !== '' && quota !== '0') {
    if (parseSize(quota) === null) return crash();
    user.quota = quota;
    saveUser(call.state, user);
  }
  return ok({ user_id: id });
}

function deleteAccount(call: Call): OcsResult {
  const user = findUser(call.state, call.params[0] ?? '');
  if (user?.backend !== 'user_oidc') return refuse(404, 'User not found');
  removeUser(call.state, user);
  return ok();
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
