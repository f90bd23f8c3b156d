/** Everything that `prepare` makes of a realm, once, and mends when somebody changed it. */

import { beforeAll, describe, expect, test } from 'vitest';
import type { KeycloakConnection } from '../../provisioning/target/keycloak/connector.ts';
import { connectKeycloak } from '../../provisioning/target/keycloak/connector.ts';
import { linkedOnlyFlow } from '../../provisioning/target/keycloak/identity-provider.ts';
import { type Raw, rowsOf, type Server } from './admin-api.ts';
import { useRelay } from './realm.ts';
import type { Relay } from './relay.ts';

const flowPath = `authentication/flows/${encodeURIComponent(linkedOnlyFlow)}/executions`;
const idp = 'identity-provider/instances/unilogin';

export function keycloakBootstrap(p: { readonly server: () => Server }): void {
  const realm = `bootstrap-${process.pid}`;
  let raw: Raw;
  let relay: Relay;
  const open = (more: Partial<KeycloakConnection> = {}) => {
    const { password, user } = p.server();
    return connectKeycloak({
      name: 'keycloak',
      url: relay.url,
      realm,
      credentials: { user, password },
      idpAlias: 'unilogin',
      realmRoles: ['medarbejder', 'leder'],
      api: {
        audience: 'skolebus-api',
        console: { clientId: 'skolebus-console', origins: ['https://bus.example.test'] },
      },
      identityProviders: [provider()],
      ...more,
    });
  };
  const provider = (secret = 'first-secret') => ({
    alias: 'unilogin',
    providerId: 'oidc' as const,
    displayName: 'UNI-Login',
    config: {
      clientId: 'kommune',
      issuer: 'https://idp.example.test',
      authorizationUrl: 'https://idp.example.test/auth',
      tokenUrl: 'https://idp.example.test/token',
    },
    clientSecret: secret,
    linkClaim: 'uniid',
  });

  useRelay({
    server: p.server,
    realm,
    onOpen: (opened) => {
      ({ raw, relay } = opened);
    },
  });
  const read = async (path: string) => (await raw.call('GET', path)).body;
  const list = async (path: string) => rowsOf(await raw.call('GET', path));
  const client = async (clientId: string) => {
    const [one] = await list(`clients?clientId=${clientId}`);
    return { ...one, id: String(one?.['id']) };
  };

  describe('the first time', () => {
    beforeAll(() => open().prepare());

    test('roles of the realm, each once', async () => {
      const names = (await list('roles')).map((role) => role['name']);

      expect(names).toEqual(expect.arrayContaining(['medarbejder', 'leder']));
      expect(new Set(names).size).toBe(names.length);
    });

    test('a client for the API with its roles, and one for the console with PKCE alone', async () => {
      const api = await client('skolebus-api');
      const console = await client('skolebus-console');

      expect((await list(`clients/${api.id}/roles`)).map((role) => role['name']).sort()).toEqual([
        'skolebus-operator',
        'skolebus-reader',
      ]);
      expect(api).toMatchObject({ bearerOnly: true, directAccessGrantsEnabled: false });
      expect(console).toMatchObject({
        publicClient: true,
        standardFlowEnabled: true,
        directAccessGrantsEnabled: false,
        fullScopeAllowed: false,
        redirectUris: ['https://bus.example.test/'],
        webOrigins: ['https://bus.example.test'],
        attributes: { 'pkce.code.challenge.method': 'S256' },
      });
      const scopes = await list(`clients/${console.id}/default-client-scopes`);
      const scope = scopes.find((one) => one['name'] === 'skolebus-api');
      const mapped = await list(`client-scopes/${scope?.['id']}/scope-mappings/clients/${api.id}`);
      expect(mapped).toHaveLength(2);
      const whole = (await list('client-scopes')).find((one) => one['id'] === scope?.['id']);
      expect(whole).toMatchObject({
        protocolMappers: [
          {
            protocolMapper: 'oidc-audience-mapper',
            config: { 'included.client.audience': 'skolebus-api' },
          },
        ],
      });
    });

    test('a provider that lets in only people linked ahead, under the claim that links are written with', async () => {
      expect(await read(idp)).toMatchObject({
        enabled: true,
        trustEmail: false,
        storeToken: false,
        displayName: 'UNI-Login',
        firstBrokerLoginFlowAlias: linkedOnlyFlow,
        config: { syncMode: 'IMPORT', clientId: 'kommune', clientSecret: '**********' },
      });
      expect(await read(flowPath)).toMatchObject([
        { providerId: 'deny-access-authenticator', requirement: 'REQUIRED' },
      ]);
      expect(await read(`${idp}/mappers`)).toMatchObject([
        {
          identityProviderMapper: 'oidc-username-idp-mapper',
          // biome-ignore lint/suspicious/noTemplateCurlyInString: Keycloak's own template
          config: { target: 'BROKER_ID', template: '${CLAIM.uniid}' },
        },
      ]);
      const checked = await open().check();
      expect(checked.filter((result) => !result.ok)).toEqual([]);
      expect(JSON.stringify(await read(idp))).not.toContain('first-secret');
    });
  });

  test('the second time writes nothing', async () => {
    relay.takeWrites();
    await open().prepare();

    expect(relay.takeWrites()).toEqual([]);
  });

  test('what somebody opened by hand is closed again', async () => {
    const [deny] = await list(flowPath);
    await raw.call('PUT', flowPath, { ...deny, requirement: 'DISABLED' });
    const standing = (await read(idp)) as { config: object };
    await raw.call('PUT', idp, {
      ...standing,
      trustEmail: true,
      firstBrokerLoginFlowAlias: 'first broker login',
      config: { ...standing.config, syncMode: 'FORCE' },
    });
    const console = await client('skolebus-console');
    await raw.call('PUT', `clients/${console.id}`, { ...console, fullScopeAllowed: true });
    expect((await open().check()).filter((result) => !result.ok)).toHaveLength(1);
    relay.takeWrites();
    await open().prepare();

    expect(relay.takeWrites().map((call) => call.method)).toEqual(['PUT', 'PUT', 'PUT']);
    expect(await read(flowPath)).toMatchObject([{ requirement: 'REQUIRED' }]);
    expect(await read(idp)).toMatchObject({
      trustEmail: false,
      firstBrokerLoginFlowAlias: linkedOnlyFlow,
      config: { syncMode: 'IMPORT' },
    });
    expect(await client('skolebus-console')).toMatchObject({ fullScopeAllowed: false });
  });

  test('a new secret of the provider is written once, an old one never again', async () => {
    const changed = open({ identityProviders: [provider('second-secret')] });
    relay.takeWrites();
    await changed.prepare();
    await changed.prepare();

    expect(relay.takeWrites().map((call) => call.path.split('/').at(-1))).toEqual(['unilogin']);
  });

  test('clients and providers of somebody else stay as they are', async () => {
    const other = { alias: 'azure', providerId: 'oidc', enabled: true, trustEmail: true };
    const config = {
      clientId: 'x',
      authorizationUrl: 'https://a.test',
      tokenUrl: 'https://t.test',
    };
    await raw.call('POST', 'identity-provider/instances', { ...other, config });
    await open().prepare();

    expect(await read('identity-provider/instances/azure')).toMatchObject({ trustEmail: true });
  });
}
