import { randomBytes } from 'node:crypto';
import { type Behaviour, type Capabilities, readCapabilities } from './behaviour.ts';
import type { Answer, Ask } from './exchange.ts';
import { answerOcs, type Generation, type OcsResult, ok, refuse } from './ocs.ts';
import type { Call, Route } from './route.ts';
import { hashSecret, inMaintenance, type State } from './state.ts';

export const coreRoutes: readonly Route[] = [
  {
    method: 'GET',
    path: 'apps/serverinfo/api/v1/info',
    needs: 'admin',
    confirm: false,
    handle: answerServerInfo,
  },
  {
    method: 'GET',
    path: 'core/getapppassword',
    needs: 'login',
    confirm: false,
    handle: makeAppPassword,
  },
  {
    method: 'DELETE',
    path: 'core/apppassword',
    needs: 'login',
    confirm: false,
    handle: revokeAppPassword,
  },
];

/** Only what tells how file locks are kept; the app serverinfo has much more (tried on 32.0.1). */
function answerServerInfo(): OcsResult {
  const system = { 'filelocking.enabled': 'yes', 'memcache.locking': 'none' };
  return ok({ nextcloud: { system } });
}

/** An app password for the account that asks with its real password. */
function makeAppPassword(call: Call): OcsResult {
  if (!call.caller.confirmed) {
    return refuse(403, 'You cannot request an new apppassword with an apppassword');
  }
  const appPassword = randomBytes(36).toString('hex');
  call.state.appPasswords.set(hashSecret(appPassword), { user: call.caller.user.id });
  return ok({ apppassword: appPassword });
}

function revokeAppPassword(call: Call): OcsResult {
  const encoded = (call.ask.headers.authorization ?? '').split(' ')[1] ?? '';
  const secret = Buffer.from(encoded, 'base64').toString().split(':').slice(1).join(':');
  return call.state.appPasswords.delete(hashSecret(secret))
    ? ok()
    : refuse(403, 'no app password in use');
}

export function answerStatus(p: { readonly state: State; readonly behaviour: Behaviour }): Answer {
  const body = {
    installed: true,
    maintenance: inMaintenance(p.state),
    needsDbUpgrade: false,
    version: p.behaviour.build,
    versionstring: p.behaviour.version,
    edition: '',
    productname: 'Nextcloud',
    extendedSupport: false,
  };
  return {
    status: 200,
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  };
}

/** Everybody may ask, but a guest is told less (recording nextcloud-34.0.1/01). */
export function answerCapabilities(p: {
  readonly behaviour: Behaviour;
  readonly ask: Ask;
  readonly generation: Generation;
  readonly account: boolean;
}): Answer {
  const all = readCapabilities(p.behaviour.version);
  const told: Capabilities = p.account ? all.account : all.guest;
  const host = p.ask.headers.host ?? '127.0.0.1';
  const data: unknown = JSON.parse(
    JSON.stringify(told.data)
      .replaceAll('{client-ip}', host)
      .replaceAll('{base}', `http://${host}`),
  );
  return answerOcs({ ...p, result: ok(data), headers: { ETag: told.etag } });
}
