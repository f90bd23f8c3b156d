import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Connector } from '../../provisioning/target/contract.ts';
import { connectNextcloud } from '../../provisioning/target/nextcloud/connector.ts';
import { makeProvider, type StandInUnderTest, safeSettings, startStandIn } from './server.ts';
import { account, gone, group, type MiniLedger, observed, openMiniLedger } from './work.ts';

describe('accounts written ahead for user_oidc', () => {
  let server: StandInUnderTest;
  let connector: Connector;
  let ledger: MiniLedger;

  beforeEach(async () => {
    server = await startStandIn({ version: '34.0.1' });
    connector = connectNextcloud({ name: 'nextcloud', mode: 'oidc', ...server });
    ledger = openMiniLedger(connector);
  });

  afterEach(async () => {
    await connector[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
  });

  it('creates, renames, disables and deletes them', async () => {
    await makeProvider(server);
    await ledger.apply([group('7a')]);
    const created = await ledger.apply([
      account('mel01', { groups: ['7a'], email: 'mel01@skole-101.example.test' }),
    ]);
    const first = (await observed(connector, 'account')).get('mel01');
    await ledger.apply([
      account('mel01', { displayName: 'Åse Ærø', quota: '1 GB', active: false }),
    ]);
    const second = (await observed(connector, 'account')).get('mel01');
    const removed = await ledger.apply([gone(account('mel01'))]);

    expect(created).toEqual([{ state: 'applied', externalId: 'mel01' }]);
    expect(first?.body).toMatchObject({
      displayName: 'Elev mel01',
      email: 'mel01@skole-101.example.test',
      language: 'da',
      groups: ['7a'],
    });
    expect(second?.body).toMatchObject({
      displayName: 'Åse Ærø',
      email: null,
      quota: `${1024 ** 3} B`,
      active: false,
      groups: [],
    });
    expect(removed).toEqual([{ state: 'applied', externalId: null }]);
  });

  it('calls the endpoint again only for a new display name, since each call copies the skeleton', async () => {
    await makeProvider(server);
    await ledger.apply([account('mel01')]);
    const paths: string[] = [];
    server.standIn.setFaults((ask) => {
      if (ask.method !== 'GET') paths.push(ask.path);
      return null;
    });
    await ledger.apply([account('mel01', { quota: '3 GB', language: 'en' })]);
    await ledger.apply([account('mel01', { quota: '3 GB', language: 'en', displayName: 'Ny' })]);

    const oidc = paths.filter((path) => path.includes('user_oidc'));
    expect(oidc).toHaveLength(1);
    expect(paths).toHaveLength(2);
  });

  it('completes what the endpoint left half made', async () => {
    await makeProvider(server);
    let struck = false;
    server.standIn.setFaults((ask) => {
      if (struck || !ask.path.endsWith('/user_oidc/api/v1/user')) return null;
      struck = true;
      return { kind: 'break-off' };
    });
    const outcomes = await ledger.apply([
      account('mel01', { email: 'mel01@skole-101.example.test' }),
    ]);

    expect(outcomes).toEqual([{ state: 'applied', externalId: 'mel01' }]);
    expect((await observed(connector, 'account')).get('mel01')?.body).toMatchObject({
      displayName: 'Elev mel01',
      email: 'mel01@skole-101.example.test',
    });
  });

  it.each([
    ['no provider', null, 'oidc-provider-missing'],
    ['hashed user ids', { ...safeSettings, uniqueUid: true }, 'oidc-provider-unsafe'],
  ] as const)('writes nothing with %s', async (_title, settings, code) => {
    if (settings !== null) await makeProvider(server, settings);

    const outcomes = await ledger.apply([account('mel01')]);

    expect(outcomes).toMatchObject([{ state: 'unknown-host', code }]);
    expect((await observed(connector, 'account')).size).toBe(1);
  });

  it('checks the settings that decide who gets in and what a login overwrites', async () => {
    await makeProvider(server, {
      ...safeSettings,
      uniqueUid: true,
      mappingQuota: '',
      groupProvisioning: true,
    });

    const wrong = (await connector.check()).filter((result) => !result.ok);

    expect(wrong.map((result) => result.name)).toEqual([
      'oidc-user-id',
      'oidc-groups',
      'oidc-overwrites',
    ]);
    expect(wrong[2]?.message).toContain('mappingQuota');
  });

  it('goes on with local accounts, tells of them, and renames them by the app once they are moved', async () => {
    await makeProvider(server);
    await using local = connectNextcloud({ name: 'nextcloud', mode: 'local', ...server });
    const before = openMiniLedger(local);
    await before.apply([group('7a')]);
    await before.apply([account('mel01', { groups: ['7a'] })]);
    ledger.know({ kind: 'account', key: 'mel01', externalId: 'mel01' });
    ledger.know({ kind: 'group', key: '7a', externalId: '7a' });
    const failed = (await connector.check()).filter((result) => !result.ok);
    const still = await ledger.apply([account('mel01', { groups: ['7a'], displayName: 'Ny' })]);

    server.standIn.control.moveToOidc(['mel01']);
    const moved = await ledger.apply([account('mel01', { groups: ['7a'], displayName: 'Nyere' })]);

    expect(failed.map((result) => result.name)).toEqual(['oidc-local-accounts']);
    expect(failed[0]?.message).toMatch(/^1 of the first 2 accounts are local/);
    expect([...still, ...moved]).toMatchObject([{ state: 'applied' }, { state: 'applied' }]);
    const seen = (await observed(connector, 'account')).get('mel01');
    expect(seen?.body).toMatchObject({ displayName: 'Nyere', groups: ['7a'] });
    expect((await connector.check()).filter((result) => !result.ok)).toEqual([]);
  });
});
