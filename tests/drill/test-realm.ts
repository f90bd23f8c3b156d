/** A realm of a real Keycloak with a client that may do everything in it, and a home that names it. */

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openRaw, type Raw, rowsOf, type Server } from '../keycloak/admin-api.ts';

export interface TestRealm extends AsyncDisposable {
  readonly raw: Raw;
  readonly home: string;
  /** What the environment must hold for the home to be used. */
  readonly env: Readonly<Record<string, string>>;
}

export async function openTestRealm(p: {
  readonly server: Server;
  readonly realm: string;
}): Promise<TestRealm> {
  const { realm, server } = p;
  const raw = openRaw({ server, realm });
  const secret = 'a fixture secret of a drill';
  await raw.call('DELETE', '');
  await raw.call('POST', '/admin/realms', { realm, enabled: true });
  await raw.call('POST', 'clients', {
    clientId: 'skolebus',
    secret,
    serviceAccountsEnabled: true,
    publicClient: false,
  });
  const idOf = async (clientId: string) => {
    const [client] = rowsOf(await raw.call('GET', `clients?clientId=${clientId}`));
    return String(client?.['id']);
  };
  const { body } = await raw.call('GET', `clients/${await idOf('skolebus')}/service-account-user`);
  const management = await idOf('realm-management');
  const roles = rowsOf(await raw.call('GET', `clients/${management}/roles`));
  await raw.call(
    'POST',
    `users/${(body as { id: string }).id}/role-mappings/clients/${management}`,
    roles.filter((role) => role['name'] === 'realm-admin'),
  );
  const home = await mkdtemp(join(tmpdir(), 'skolebus-drill-'));
  await writeFile(
    join(home, 'targets.yaml'),
    `targets:\n  - type: keycloak\n    url: ${server.url}\n    realm: ${realm}\n    clientSecretEnv: DRILL_SECRET\n`,
  );
  return {
    raw,
    home,
    env: { DRILL_SECRET: secret },
    async [Symbol.asyncDispose]() {
      await raw.call('DELETE', '');
      await rm(home, { recursive: true, force: true });
    },
  };
}
