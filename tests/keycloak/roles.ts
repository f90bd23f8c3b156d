/** Roles on groups: given, taken back, and never those that administer Keycloak. */

import { afterAll, beforeAll, expect, test } from 'vitest';
import type { KeycloakGroup } from '../../provisioning/policy/resource.ts';
import { connectKeycloak } from '../../provisioning/target/keycloak/connector.ts';
import { openRaw, type Raw, rowsOf, type Server } from './admin-api.ts';
import { group, observeAll, openLedger } from './people.ts';
import { type Relay, startRelay } from './relay.ts';

export function keycloakRoles(p: { readonly server: () => Server }): void {
  const realm = `roles-${process.pid}`;
  const ledger = openLedger();
  let raw: Raw;
  let relay: Relay;
  const open = () => {
    const { password, user } = p.server();
    return connectKeycloak({
      name: 'keycloak',
      url: relay.url,
      realm,
      credentials: { user, password },
      realmRoles: ['medarbejder', 'leder'],
      api: { audience: 'skolebus-api', console: null },
    });
  };
  beforeAll(async () => {
    raw = openRaw({ server: p.server(), realm });
    await raw.call('DELETE', '');
    relay = await startRelay(p.server().url);
    await open().prepare();
  });
  afterAll(async () => {
    await relay[Symbol.asyncDispose]();
    await raw.call('DELETE', '');
  });
  const staff = (more: Partial<KeycloakGroup> = {}) => group({ name: 'Personale', ...more });
  const drain = () => ledger.drain(open(), 'group');
  const standing = async () => {
    const id = ledger.rows.get('group/staff')?.externalId;
    return (await raw.call('GET', `groups/${id}`)).body;
  };

  test('a group gets its roles when it is made, and a second time writes nothing', async () => {
    const clientRoles = { 'skolebus-api': ['skolebus-reader'] };
    ledger.want('group', 'staff', staff({ realmRoles: ['leder', 'medarbejder'], clientRoles }));
    expect(await drain()).toMatchObject([{ state: 'applied' }]);

    expect(await standing()).toMatchObject({
      realmRoles: expect.arrayContaining(['leder', 'medarbejder']),
      clientRoles,
    });
    relay.takeWrites();
    await ledger.drain(open(), 'group', 'all');
    expect(relay.takeWrites()).toEqual([]);
    const [seen] = (await observeAll(open(), 'group')).values();
    expect(seen?.body).toMatchObject({ realmRoles: ['leder', 'medarbejder'], clientRoles });
  });

  test('roles come and go with the wish; those that somebody else gave stay', async () => {
    const foreign = { name: 'kantine' };
    await raw.call('POST', 'roles', foreign);
    const role = (await raw.call('GET', 'roles/kantine')).body;
    const id = ledger.rows.get('group/staff')?.externalId;
    await raw.call('POST', `groups/${id}/role-mappings/realm`, [role]);
    const clientRoles = { 'skolebus-api': ['skolebus-operator'] };
    ledger.want('group', 'staff', staff({ realmRoles: ['medarbejder'], clientRoles }));
    expect(await drain()).toMatchObject([{ state: 'applied' }]);

    const after = (await standing()) as { realmRoles: string[]; clientRoles: object };
    expect(after.realmRoles.toSorted()).toEqual(['kantine', 'medarbejder']);
    expect(after.clientRoles).toEqual(clientRoles);
    ledger.want('group', 'staff', staff());
    await drain();
    expect(await standing()).toMatchObject({ realmRoles: ['kantine'], clientRoles: {} });
  });

  test.each([
    ['of realm-management', { clientRoles: { 'realm-management': ['manage-users'] } }],
    ['that leads there by way of two others', { realmRoles: ['outer'] }],
  ])('a role %s is refused, and no group is made', async (_name, roles) => {
    const [management] = rowsOf(await raw.call('GET', 'clients?clientId=realm-management'));
    const all = rowsOf(await raw.call('GET', `clients/${management?.['id']}/roles`));
    const below = all.filter((role) => role['name'] === 'manage-users');
    for (const [name, parts] of [
      ['inner', below],
      ['outer', null],
    ] as const) {
      await raw.call('POST', 'roles', { name });
      const role = (await raw.call('GET', `roles/${name}`)).body as { id: string };
      const inner = (await raw.call('GET', 'roles/inner')).body;
      await raw.call('POST', `roles-by-id/${role.id}/composites`, parts ?? [inner]);
    }
    ledger.want('group', 'admins', group({ name: 'Admins', ...roles }));
    const [outcome] = await drain();

    expect(outcome).toMatchObject({ state: 'rejected', code: 'admin-role' });
    expect((await raw.call('GET', 'groups?search=Admins')).body).toEqual([]);
    ledger.rows.delete('group/admins');
  });

  test.each([
    ['role', { realmRoles: ['findes-ikke'] }],
    ['client', { clientRoles: { nowhere: ['x'] } }],
  ])('a %s that Keycloak does not have keeps the row waiting', async (_name, roles) => {
    ledger.want('group', 'early', group({ name: 'Early', ...roles }));

    expect(await drain()).toMatchObject([{ state: 'retry', code: 'role-missing' }]);
    ledger.rows.delete('group/early');
  });
}
