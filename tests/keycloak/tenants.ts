/** Two tenants in one realm: each sees and touches its own, and only its own. */

import { expect, test } from 'vitest';
import type { Connector } from '../../provisioning/target/contract.ts';
import { connectKeycloak } from '../../provisioning/target/keycloak/connector.ts';
import { type Raw, rowsOf, type Server } from './admin-api.ts';
import { account, group, type Ledger, observeAll, openLedger } from './people.ts';
import { useRelay } from './realm.ts';
import type { Relay } from './relay.ts';

export function keycloakTenants(p: { readonly server: () => Server }): void {
  const realm = `tenants-${process.pid}`;
  let raw: Raw;
  let relay: Relay;
  const open = (alias: string, name: string, domain: string | null = null) => {
    const { password, user } = p.server();
    const credentials = { user, password };
    const organization = { alias, name, domain };
    return connectKeycloak({ name: 'keycloak', url: relay.url, realm, credentials, organization });
  };
  const tenants: { connector: Connector; ledger: Ledger; school: string; alias: string }[] = [];

  useRelay({
    server: p.server,
    realm,
    onOpen: (opened) => {
      ({ raw, relay } = opened);
    },
  });
  const organizations = async () => rowsOf(await raw.call('GET', 'organizations?max=-1'));
  const idOf = async (alias: string) =>
    String((await organizations()).find((one) => one['alias'] === alias)?.['id']);
  const members = async (alias: string) => {
    const path = `organizations/${await idOf(alias)}/members?max=100`;
    return rowsOf(await raw.call('GET', path)).map((user) => user['username']);
  };

  test('rows wait until the realm is prepared for the tenant', async () => {
    await connectKeycloak({
      name: 'keycloak',
      url: relay.url,
      realm,
      credentials: p.server(),
    }).prepare();
    await raw.call('PUT', '', { organizationsEnabled: true });
    const ledger = openLedger();
    ledger.want('group', 'school:1', group({ name: 'Skole' }));
    ledger.want('account', 'person:1', account({ username: 'early1' }));
    const connector = open('havn', 'Havn Kommune');

    for (const kind of ['group', 'account'] as const) {
      expect(await ledger.drain(connector, kind)).toMatchObject([
        { state: 'retry', code: 'not-prepared' },
      ]);
    }
  });

  test('prepare makes an organization and a top group, and the second time writes nothing', async () => {
    await open('havn', 'Havn Kommune', 'havn.example.test').prepare();
    await open('vig', 'Vig Kommune').prepare();
    relay.takeWrites();
    await open('havn', 'Havn Kommune', 'havn.example.test').prepare();
    await open('vig', 'Vig Kommune').prepare();

    expect(relay.takeWrites()).toEqual([]);
    expect((await organizations()).map((one) => one['alias']).sort()).toEqual(['havn', 'vig']);
    await open('vig', 'Vig og Omegns Kommune').prepare();
    expect((await organizations()).find((one) => one['alias'] === 'vig')).toMatchObject({
      name: 'Vig og Omegns Kommune',
    });
  });

  test('schools of one name and their people stand side by side', async () => {
    for (const [alias, name, school] of [
      ['havn', 'Havn Kommune', '101001'],
      ['vig', 'Vig og Omegns Kommune', '202002'],
    ] as const) {
      const ledger = openLedger();
      ledger.want('group', `school:${school}`, group({ name: 'Midtbyskolen' }));
      const parent = `school:${school}`;
      ledger.want('group', `group:${school}/1a`, group({ name: '1A', parent }));
      for (let n = 0; n < 3; n += 1) {
        const groups = [`group:${school}/1a`, parent];
        ledger.want(
          'account',
          `person:${alias}${n}`,
          account({ username: `${alias}${n}`, groups }),
        );
      }
      const connector = open(alias, name, alias === 'havn' ? 'havn.example.test' : null);
      tenants.push({ connector, ledger, school, alias });
      for (const kind of ['group', 'account'] as const) {
        const outcomes = await ledger.drain(connector, kind);
        expect(outcomes.filter((outcome) => outcome.state !== 'applied')).toEqual([]);
      }
    }

    expect(await members('havn')).toEqual(['havn0', 'havn1', 'havn2']);
    expect(await members('vig')).toEqual(['vig0', 'vig1', 'vig2']);
    for (const { connector, ledger, alias, school } of tenants) {
      relay.takeWrites();
      await ledger.drain(connector, 'group', 'all');
      await ledger.drain(connector, 'account', 'all');
      expect(relay.takeWrites()).toEqual([]);
      const accounts = [...(await observeAll(connector, 'account')).values()];
      expect(accounts.map((one) => one.key).sort()).toEqual(
        [0, 1, 2].map((n) => `person:${alias}${n}`),
      );
      expect(accounts[0]?.body['groups']).toHaveLength(2);
      const groups = [...(await observeAll(connector, 'group')).values()];
      expect(groups.map((one) => one.key).sort()).toEqual([
        `group:${school}/1a`,
        `school:${school}`,
      ]);
      expect(groups.find((one) => one.key === parentOf(school))?.body['parent']).toBeNull();
    }
  });
  const parentOf = (school: string) => `school:${school}`;

  test('a membership that was lost comes back; a member who is deleted is gone', async () => {
    const [first] = tenants;
    if (first === undefined) throw new Error('no tenant');
    const { connector, ledger } = first;
    const userId = ledger.rows.get('account/person:havn1')?.externalId;
    await raw.call('DELETE', `organizations/${await idOf('havn')}/members/${userId}`);
    expect(await members('havn')).toEqual(['havn0', 'havn2']);
    await ledger.drain(connector, 'account', 'all');
    expect(await members('havn')).toEqual(['havn0', 'havn1', 'havn2']);
    ledger.want('account', 'person:havn0', null);
    await ledger.drain(connector, 'account');

    expect(await members('havn')).toEqual(['havn1', 'havn2']);
  });

  test('an answer lost between the account and its membership is made good', async () => {
    const [first] = tenants;
    if (first === undefined) throw new Error('no tenant');
    const { connector, ledger } = first;
    ledger.want('account', 'person:havn9', account({ username: 'havn9' }));
    relay.swallow = (call) => call.method === 'POST' && /\/users\/?$/.test(call.path);
    expect(await ledger.drain(connector, 'account')).toMatchObject([{ state: 'retry' }]);
    relay.swallow = null;
    expect(await members('havn')).not.toContain('havn9');
    expect(await ledger.drain(connector, 'account')).toMatchObject([{ state: 'applied' }]);

    expect(await members('havn')).toContain('havn9');
  });

  test('a username that another tenant has is refused, and nobody is changed', async () => {
    const [first] = tenants;
    if (first === undefined) throw new Error('no tenant');
    const { connector, ledger } = first;
    ledger.want('account', 'person:clash', account({ username: 'vig1' }));

    expect(await ledger.drain(connector, 'account')).toMatchObject([
      { state: 'rejected', code: 'username-taken' },
    ]);
    expect(await members('havn')).not.toContain('vig1');
    ledger.rows.delete('account/person:clash');
  });
}
