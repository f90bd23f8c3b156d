/** A school's life: set-up, first load, the days after, all over again. */

import { afterAll, beforeAll, expect, test } from 'vitest';
import type { KeycloakAccount, KeycloakGroup } from '../../provisioning/policy/resource.ts';
import type { Connector, Observed } from '../../provisioning/target/contract.ts';
import { connectKeycloak } from '../../provisioning/target/keycloak/connector.ts';
import { openRaw, type Raw, rowsOf, type Server } from './admin-api.ts';
import { account, fillSchools, group, observeAll, openLedger } from './people.ts';
import { type Relay, startRelay } from './relay.ts';

const people = 500;

/** The tests of this suite are one story and run in order. */
export function keycloakScenarios(p: { readonly server: () => Server }): void {
  const realm = `school-${process.pid}`;
  const ledger = openLedger();
  let raw: Raw;
  let relay: Relay;
  let connector: Connector;

  beforeAll(async () => {
    const { password, url, user } = p.server();
    raw = openRaw({ server: p.server(), realm });
    await raw.call('DELETE', '');
    relay = await startRelay(url);
    const credentials = { user, password };
    connector = connectKeycloak({ name: 'keycloak', url: relay.url, realm, credentials });
  });
  afterAll(async () => {
    await connector[Symbol.asyncDispose]();
    await relay[Symbol.asyncDispose]();
    await raw.call('DELETE', '');
  });

  const idOf = (row: string) => String(ledger.rows.get(row)?.externalId);
  const desired = <T>(row: string) => ledger.rows.get(row)?.desired as unknown as T;
  const read = async (path: string) => (await raw.call('GET', path)).body;
  const drain = async (which?: 'all') => {
    const groups = await ledger.drain(connector, 'group', which);
    return [...groups, ...(await ledger.drain(connector, 'account', which))];
  };

  test('prepare makes the realm, and the second time writes nothing', async () => {
    await connector.prepare();

    expect(await read('')).toMatchObject({
      editUsernameAllowed: true,
      duplicateEmailsAllowed: true,
      loginWithEmailAllowed: false,
      bruteForceProtected: true,
      defaultLocale: 'da',
      supportedLocales: expect.arrayContaining(['da', 'en']),
    });
    const { attributes } = (await read('users/profile')) as {
      attributes: { required?: unknown }[];
    };
    expect(attributes.filter((attribute) => attribute.required !== undefined)).toEqual([]);
    expect(rowsOf(await raw.call('GET', 'client-scopes')).map((scope) => scope['name'])).toContain(
      'skole',
    );
    relay.takeWrites();
    await connector.prepare();
    expect(relay.takeWrites()).toEqual([]);
  });

  test('prepare mends what was changed by hand, and leaves tunable settings alone', async () => {
    await raw.call('PUT', '', { editUsernameAllowed: false, failureFactor: 25 });
    await connector.prepare();

    expect(await read('')).toMatchObject({ editUsernameAllowed: true, failureFactor: 25 });
    const written = relay.takeWrites();
    expect(written.map((one) => one.method)).toEqual(['PUT']);
  });

  test('check writes a probe and takes it away again', async () => {
    const results = await connector.check();

    expect(results.filter((result) => !result.ok)).toEqual([]);
    expect(results.map((result) => result.name)).toContain('write-probe');
    expect(await read('users?username=skolebus-probe')).toEqual([]);
  });

  test('a first load stands there as it was wanted', async () => {
    fillSchools(ledger, people);
    expect((await drain()).filter((outcome) => outcome.state !== 'applied')).toEqual([]);

    await compareWithServer();
    expect(await read('users/count')).toBe(people);
  });

  test('applying all of it again writes nothing', async () => {
    relay.takeWrites();
    const before = new Map([...ledger.rows].map(([key, row]) => [key, row.externalId]));
    expect((await drain('all')).filter((outcome) => outcome.state !== 'applied')).toEqual([]);

    expect(relay.takeWrites()).toEqual([]);
    expect(new Map([...ledger.rows].map(([key, row]) => [key, row.externalId]))).toEqual(before);
  });

  test('a ledger that was lost adopts by owner mark and writes nothing', async () => {
    const again = openLedger();
    fillSchools(again, 40);
    relay.takeWrites();
    await again.drain(connector, 'group');
    await again.drain(connector, 'account');

    // The refused creates are what finds the lost ones.
    expect(relay.takeWrites().filter((one) => one.status !== 409)).toEqual([]);
    for (const [key, row] of again.rows) expect(row.externalId).toBe(idOf(key));
  });

  test('day two: a name, a class move, a newcomer, a leaver, a deletion', async () => {
    const change = (row: string, with_: Partial<KeycloakAccount>) =>
      ledger.want('account', row.slice('account/'.length), {
        ...desired<KeycloakAccount>(row),
        ...with_,
      });
    change('account/person:1', { family: 'Nytnavn', email: null });
    change('account/person:2', { groups: ['group:101001/5', 'school:101001'] });
    change('account/person:3', { active: false });
    change('account/person:4', { attributes: { uniId: ['uni4'], kinds: ['pupil', 'staff'] } });
    ledger.want(
      'account',
      'person:new',
      account({ username: 'newcomer', groups: ['group:101002/3'] }),
    );
    const gone = idOf('account/person:5');
    ledger.want('account', 'person:5', null);
    const leaver = idOf('account/person:3');
    relay.takeWrites();
    expect((await drain()).filter((outcome) => outcome.state !== 'applied')).toEqual([]);

    // Three updates, a logout, one membership in and one out, a create; a deletion with its logout.
    expect(relay.takeWrites()).toHaveLength(9);
    await compareWithServer();
    expect((await raw.call('GET', `users/${gone}`)).status).toBe(404);
    const { notBefore } = (await read(`users/${leaver}`)) as { notBefore: number };
    expect(notBefore).toBeGreaterThan(Date.now() / 1000 - 60);
    expect(await read(`users/${idOf('account/person:1')}`)).not.toHaveProperty('email');
  });

  test('a rollover: names shift by one, two swap, a class closes, members stay', async () => {
    const before = await observeAll(connector, 'account');
    const rename = (key: string, with_: Partial<KeycloakGroup>) =>
      ledger.want('group', key, { ...desired<KeycloakGroup>(`group/${key}`), ...with_ });
    rename('group:101001/9', { active: false });
    for (let line = 0; line < 9; line += 1)
      rename(`group:101001/${line}`, { name: `${line + 1}A` });
    rename('group:101002/0', { name: '1A' });
    rename('group:101002/1', { name: '0A' });
    ledger.want('group', 'group:101001/new', group({ name: '0A', parent: 'school:101001' }));
    const outcomes = await ledger.drain(connector, 'group');
    expect(outcomes.filter((outcome) => outcome.state !== 'applied')).toEqual([]);

    await compareWithServer();
    const after = await observeAll(connector, 'account');
    expect([...after.keys()].sort()).toEqual([...before.keys()].sort());
    const closed = (await read(`groups/${idOf('group/group:101001/9')}`)) as { name: string };
    expect(closed.name).toMatch(/^9A ~[0-9a-f]{8}$/);
    relay.takeWrites();
    await drain('all');
    expect(relay.takeWrites()).toEqual([]);
  });

  test('a class moves to another school with its members', async () => {
    const members = rowsOf(await raw.call('GET', `groups/${idOf('group/group:101002/4')}/members`));
    ledger.want(
      'group',
      'group:101002/4',
      group({ name: '4B', parent: 'school:101001', attributes: { grade: ['4'] } }),
    );
    await ledger.drain(connector, 'group');

    await compareWithServer();
    const now = rowsOf(await raw.call('GET', `groups/${idOf('group/group:101002/4')}/members`));
    expect(now.map((user) => user['id'])).toEqual(members.map((user) => user['id']));
  });

  test('what others wrote stays: memberships in their groups, descriptions, their attributes', async () => {
    const club = (await raw.call('POST', 'groups', { name: 'Skakklub' })).id;
    const user = idOf('account/person:6');
    await raw.call('PUT', `users/${user}/groups/${club}`);
    const school = idOf('group/school:101001');
    const whole = (await read(`groups/${school}`)) as { attributes: object };
    await raw.call('PUT', `groups/${school}`, {
      ...whole,
      description: 'ours',
      attributes: { ...whole.attributes, caretaker: ['x'] },
    });
    const profile = (await read('users/profile')) as { attributes: object[] };
    profile.attributes.push({ name: 'locker', permissions: { view: ['admin'], edit: ['admin'] } });
    await raw.call('PUT', 'users/profile', profile);
    const person = (await read(`users/${user}`)) as { attributes: object };
    await raw.call('PUT', `users/${user}`, {
      ...person,
      attributes: { ...person.attributes, locker: ['12'] },
    });
    ledger.want('account', 'person:6', {
      ...desired<KeycloakAccount>('account/person:6'),
      given: 'Ny',
    });
    ledger.want('group', 'school:101001', group({ name: 'Skole Nord' }));
    await drain();

    expect(await read(`users/${user}`)).toMatchObject({
      firstName: 'Ny',
      attributes: { locker: ['12'] },
    });
    const groups = rowsOf(await raw.call('GET', `users/${user}/groups`)).map((one) => one['path']);
    expect(groups).toContain('/Skakklub');
    expect(await read(`groups/${school}`)).toMatchObject({
      name: 'Skole Nord',
      description: 'ours',
      attributes: { caretaker: ['x'] },
    });
    await connector.prepare();
    const kept = (await read('users/profile')) as { attributes: { name: string }[] };
    expect(kept.attributes.map((attribute) => attribute.name)).toContain('locker');
    await raw.call('DELETE', `groups/${club}`);
    await raw.call('PUT', `groups/${school}`, { ...whole, name: 'Skole Nord' });
  });

  test('what was deleted by hand is made again; what is to go and is gone is done', async () => {
    const before = idOf('account/person:7');
    await raw.call('DELETE', `users/${before}`);
    await raw.call('DELETE', `users/${idOf('account/person:8')}`);
    await raw.call('DELETE', `groups/${idOf('group/group:101002/9')}`);
    ledger.want('account', 'person:8', null);
    expect((await drain('all')).filter((outcome) => outcome.state !== 'applied')).toEqual([]);

    expect(idOf('account/person:7')).not.toBe(before);
    await compareWithServer();
  });

  test('schools are deleted from the leaves up, but never over a group that is not ours', async () => {
    const school = idOf('group/school:101002');
    const foreign = (await raw.call('POST', `groups/${school}/children`, { name: 'Forældre' })).id;
    for (const row of ledger.rows.values()) {
      if (row.kind === 'account')
        ledger.want('account', row.key, { ...(row.desired as KeycloakAccount), groups: [] });
    }
    await ledger.drain(connector, 'account');
    for (const row of [...ledger.rows.values()]) {
      if (row.kind === 'group' && row.key.includes('101002')) ledger.want('group', row.key, null);
    }
    const refused = (await ledger.drain(connector, 'group')).filter(
      (one) => one.state !== 'applied',
    );

    expect(refused).toMatchObject([{ state: 'rejected', code: 'holds-foreign-groups' }]);
    expect((await raw.call('GET', `groups/${foreign}`)).status).toBe(200);
    await raw.call('DELETE', `groups/${foreign}`);
    await ledger.drain(connector, 'group');
    expect((await raw.call('GET', `groups/${school}`)).status).toBe(404);
    await compareWithServer();
  });

  /** Everything wanted stands, under its id, as wanted, and nothing else of ours. */
  async function compareWithServer(): Promise<void> {
    const groups = await observeAll(connector, 'group');
    const paths = new Map([...groups.values()].map((one) => [one.key, String(one.body['path'])]));
    const rows = [...ledger.rows.values()];
    expect(keysOf(groups)).toEqual(
      rows
        .filter((row) => row.kind === 'group')
        .map((row) => row.key)
        .sort(),
    );
    for (const row of rows.filter((one) => one.kind === 'group')) {
      const { active, attributes, name, parent } = row.desired as KeycloakGroup;
      expect(groups.get(String(row.externalId))).toMatchObject({
        key: row.key,
        body: {
          name,
          active,
          attributes,
          parent: parent === null ? null : idOf(`group/${parent}`),
        },
      });
    }
    const accounts = await observeAll(connector, 'account');
    const wanted = rows.filter((row) => row.kind === 'account');
    expect(keysOf(accounts)).toEqual(wanted.map((row) => row.key).sort());
    for (const row of wanted) {
      const body = row.desired as KeycloakAccount;
      expect(accounts.get(String(row.externalId))).toMatchObject({
        key: row.key,
        body: { ...body, groups: body.groups.map((key) => paths.get(key)).sort(), links: [] },
      });
    }
  }
}

function keysOf(all: ReadonlyMap<string, Observed>): string[] {
  return [...all.values()].flatMap((one) => one.key ?? []).sort();
}
