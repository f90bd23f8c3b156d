/** Is this Keycloak fit to be written to? Found out by writing, not by asking. */

import { randomBytes } from 'node:crypto';
import type { CheckResult } from '../contract.ts';
import { judgeFailure, statusOf } from './failure.ts';
import { readAliases } from './links.ts';
import { accountAttributes, markAttribute, markOf } from './mark.ts';
import { wrongSettings } from './prepare.ts';
import { readDeclaredAttributes } from './profile.ts';
import type { KeycloakSession } from './session.ts';

export async function checkKeycloak(session: KeycloakSession): Promise<readonly CheckResult[]> {
  const version = await run('version', () => checkVersion(session));
  // Without a way in, every further check would only repeat it.
  if (!version.ok && version.reached === false) return [strip(version)];
  return [
    strip(version),
    strip(await run('user-profile', () => checkProfile(session))),
    strip(await run('realm-settings', () => checkSettings(session))),
    strip(await run('required-action', () => checkRequiredAction(session))),
    strip(await run('identity-provider', () => checkProvider(session))),
    strip(await run('write-probe', () => probeWriting(session))),
  ];
}

interface Finding {
  readonly ok: boolean;
  readonly message: string;
}

type Run = CheckResult & { readonly reached: boolean };

function strip({ name, ok, message }: Run): CheckResult {
  return { name, ok, message };
}

async function run(name: string, check: () => Promise<Finding>): Promise<Run> {
  try {
    return { name, reached: true, ...(await check()) };
  } catch (error) {
    const outcome = judgeFailure(error);
    const detail = outcome.state === 'applied' ? '' : `${outcome.code}: ${outcome.detail}`;
    return { name, ok: false, reached: outcome.state !== 'unknown-host', message: detail };
  }
}

async function checkVersion(session: KeycloakSession): Promise<Finding> {
  const { client, call } = session;
  let version: string | undefined;
  try {
    version = (await call(() => client.serverInfo.find())).systemInfo?.version;
  } catch (error) {
    if (statusOf(error) !== 403) throw error;
  }
  // 26.7.5 tells its version only to administrators of the master realm.
  if (version === undefined) {
    return { ok: true, message: 'Keycloak does not tell this account its version.' };
  }
  return judgeVersion(version);
}

/** Pure, so that every line of it can be tested. */
export function judgeVersion(version: string): Finding {
  const [major = 0, minor = 0, patch = 0] = version
    .split('.')
    .map((part) => Number.parseInt(part, 10));
  const at = major * 1_000_000 + minor * 1_000 + patch;
  if (Number.isNaN(at) || at < 24_000_000) {
    return {
      ok: false,
      message: `Keycloak ${version}: at least 24 is needed (declarative user profile); use 26.8.1 or newer.`,
    };
  }
  if (version.startsWith('26.7.1') || version.startsWith('26.7.2')) {
    return {
      ok: false,
      message: `Keycloak ${version} answers the admin API 30-40 times slower than others: use 26.8.1 or newer.`,
    };
  }
  const patched = at >= 26_008_001 || (at >= 26_007_005 && at < 26_008_000);
  if (!patched) {
    return {
      ok: false,
      message: `Keycloak ${version} may lack the fixes of CVE-2026-94000, CVE-2026-94001 and CVE-2026-82968: use 26.8.1 or newer (or 26.7.5 or newer in its line).`,
    };
  }
  return { ok: true, message: `Keycloak ${version}` };
}

async function checkProfile(session: KeycloakSession): Promise<Finding> {
  const declared = await readDeclaredAttributes(session);
  const missing = accountAttributes.filter((own) => declared?.has(own.name) === false);
  if (missing.length === 0) return { ok: true, message: 'All our attributes are declared.' };
  const names = missing.map((own) => own.name).join(', ');
  return {
    ok: false,
    message: `The realm would drop ${names}: prepare the target with an account that has manage-realm.`,
  };
}

async function checkSettings(session: KeycloakSession): Promise<Finding> {
  const { client, call, realm } = session;
  const current = await call(() => client.realms.findOne({ realm }));
  if (!current) {
    return { ok: false, message: `There is no realm "${realm}": prepare the target.` };
  }
  // Without view-realm the answer holds a handful of fields only.
  if (current.editUsernameAllowed === undefined) {
    return { ok: true, message: 'Not visible to this account (view-realm).' };
  }
  const wrong = Object.keys(wrongSettings(current));
  return wrong.length === 0
    ? { ok: true, message: 'The realm is set up as needed.' }
    : { ok: false, message: `Prepare the target again: ${wrong.join(', ')} differ.` };
}

async function checkRequiredAction(session: KeycloakSession): Promise<Finding> {
  const { client, call } = session;
  try {
    const alias = 'VERIFY_PROFILE';
    const action = await call(() =>
      client.authenticationManagement.getRequiredActionForAlias({ alias }),
    );
    return action?.enabled === true
      ? {
          ok: false,
          message:
            'VERIFY_PROFILE is on: pupils without e-mail would be stopped. Prepare the target.',
        }
      : { ok: true, message: 'VERIFY_PROFILE is off.' };
  } catch (error) {
    if (statusOf(error) !== 403) throw error;
    return { ok: true, message: 'Not visible to this account (view-realm).' };
  }
}

async function checkProvider(session: KeycloakSession): Promise<Finding> {
  const alias = session.idpAlias;
  if (alias === null) return { ok: true, message: 'No brokered logins are written.' };
  const aliases = await readAliases(session);
  if (aliases === null) {
    return { ok: true, message: 'Not visible to this account (view-identity-providers).' };
  }
  if (alias === undefined) {
    return {
      ok: true,
      message: `Identity providers: ${[...aliases].sort().join(', ') || 'none'}.`,
    };
  }
  if (!aliases.has(alias)) {
    return {
      ok: false,
      message: `The realm has no identity provider "${alias}": set it up, links are left out until then.`,
    };
  }
  const { client, call } = session;
  const provider = await call(() => client.identityProviders.findOne({ alias }));
  if (provider?.config?.['syncMode'] === 'FORCE') {
    return {
      ok: false,
      message: `"${alias}" overwrites our data at every login: set its sync mode to IMPORT.`,
    };
  }
  const flow = provider?.firstBrokerLoginFlowAlias ?? 'first broker login';
  if (flow === 'first broker login') {
    return {
      ok: false,
      message: `"${alias}" would create accounts for unknown visitors: give it a first login flow with one step, "Deny access".`,
    };
  }
  return { ok: true, message: `"${alias}" lets in only people linked ahead (flow "${flow}").` };
}

const probePrefix = 'skolebus-probe-';

async function probeWriting(session: KeycloakSession): Promise<Finding> {
  const { client, call } = session;
  const name = `${probePrefix}${randomBytes(6).toString('hex')}`;
  await removeOldProbes(session);
  const { id } = await call(() =>
    client.users.create({
      username: name,
      enabled: false,
      attributes: { [markAttribute]: [name] },
    }),
  );
  try {
    const back = await call(() => client.users.findOne({ id }));
    return back && markOf(back) === name
      ? { ok: true, message: 'A user was written, read back whole and deleted.' }
      : {
          ok: false,
          message: `The realm took a user but dropped its attribute ${markAttribute}: prepare the target.`,
        };
  } finally {
    await call(() => client.users.del({ id }));
  }
}

/** Of a check that was cut off between its two writes; two checks at once may both try, hence 404. */
async function removeOldProbes(session: KeycloakSession): Promise<void> {
  const { client, call } = session;
  const found = await call(() => client.users.find({ username: probePrefix, max: 100 }));
  const dayAgo = Date.now() - 24 * 3600_000;
  for (const user of found) {
    const old = (user.createdTimestamp ?? Date.now()) < dayAgo;
    if (!old || user.username?.startsWith(probePrefix) !== true) continue;
    await call(() => client.users.del({ id: String(user.id) })).catch((error: unknown) => {
      if (statusOf(error) !== 404) throw error;
    });
  }
}
