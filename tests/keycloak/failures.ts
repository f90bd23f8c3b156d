/** Lost answers, races, strangers, refusals: what came of a row must be what the row says. */

import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { KeycloakAccount, KeycloakGroup } from '../../provisioning/policy/resource.ts';
import type { Connector, Outcome, Work } from '../../provisioning/target/contract.ts';
import { connectKeycloak } from '../../provisioning/target/keycloak/connector.ts';
import { openRaw, type Raw, rowsOf, type Server } from './admin-api.ts';
import { account, group } from './people.ts';
import { type Relay, startRelay } from './relay.ts';

const nobody = async () => new Map<string, string>();

function work(
  p: Partial<Work> & { readonly key: string; readonly desired: Work['desired'] },
): Work {
  return { kind: 'account', applied: null, externalId: null, attempts: 0, ...p };
}

export function keycloakFailures(p: { readonly server: () => Server }): void {
  const realm = `faults-${process.pid}`;
  let raw: Raw;
  let relay: Relay;
  let connector: Connector;
  const open = (more: object = {}) => {
    const { password, user } = p.server();
    const credentials = { user, password };
    return connectKeycloak({ name: 'keycloak', url: relay.url, realm, credentials, ...more });
  };

  beforeAll(async () => {
    raw = openRaw({ server: p.server(), realm });
    await raw.call('DELETE', '');
    relay = await startRelay(p.server().url);
    connector = open();
  });
  afterEach(() => {
    relay.swallow = null;
    relay.replace = null;
    relay.takeWrites();
  });
  afterAll(async () => {
    await connector[Symbol.asyncDispose]();
    await relay[Symbol.asyncDispose]();
    await raw.call('DELETE', '');
  });

  const read = async (path: string) => (await raw.call('GET', path)).body;
  const one = async (row: Work, by = connector): Promise<Outcome> => {
    const [outcome] = await by.apply({ batch: [row], externalIds: nobody });
    if (outcome === undefined) throw new Error('no outcome');
    return outcome;
  };
  const named = async (username: string) =>
    rowsOf(await raw.call('GET', `users?username=${username}&exact=true`));

  test('a realm that is not there, then one that is not prepared, is told and not written to', async () => {
    expect(
      (await connector.check()).find((result) => result.name === 'realm-settings'),
    ).toMatchObject({ ok: false });
    await raw.call('POST', '/admin/realms', { realm, enabled: true });
    const bad = (await connector.check()).filter((result) => !result.ok);

    expect(bad.map((result) => result.name)).toEqual(
      expect.arrayContaining(['user-profile', 'realm-settings', 'required-action', 'write-probe']),
    );
    expect(await one(work({ key: 'p:0', desired: account({ username: 'early' }) }))).toMatchObject({
      state: 'retry',
      code: 'not-prepared',
    });
    expect(await named('early')).toEqual([]);
    await connector.prepare();
    expect((await connector.check()).filter((result) => !result.ok)).toEqual([]);
  });

  test('an answer lost after the user was written makes no second user', async () => {
    relay.swallow = (call) => call.method === 'POST' && call.path.includes('/users');
    const row = work({ key: 'p:lost', desired: account({ username: 'lost1' }) });
    expect(await one(row)).toMatchObject({ state: 'retry', code: 'connection-lost' });
    relay.swallow = null;
    const [standing] = await named('lost1');

    expect(await one({ ...row, attempts: 1 })).toEqual({
      state: 'applied',
      externalId: standing?.['id'],
    });
    expect(await named('lost1')).toHaveLength(1);
  });

  test('an answer lost after a group was written makes no second group', async () => {
    relay.swallow = (call) => call.method === 'POST' && call.path.includes('/groups');
    const row = work({ kind: 'group', key: 'g:lost', desired: group({ name: 'Lost' }) });
    expect(await one(row)).toMatchObject({ state: 'retry', code: 'connection-lost' });
    relay.swallow = null;
    expect(await one({ ...row, attempts: 1 })).toMatchObject({ state: 'applied' });

    expect(rowsOf(await raw.call('GET', 'groups?search=Lost'))).toHaveLength(1);
    relay.swallow = (call) => call.method === 'POST' && call.path.includes('/users');
    const person = work({ key: 'p:never', desired: account({ username: 'never1' }) });
    await one(person);
    relay.swallow = null;
    // Unwanted before it was ever confirmed: found by its mark.
    expect(await one({ ...person, desired: null, attempts: 1 })).toMatchObject({
      state: 'applied',
    });
    expect(await one({ ...row, desired: null, attempts: 1 })).toMatchObject({ state: 'applied' });
    expect(await named('never1')).toEqual([]);
    expect(rowsOf(await raw.call('GET', 'groups?search=Lost'))).toEqual([]);
  });

  test('a lost answer between disabling and logging out is made good', async () => {
    const active = account({ username: 'leaver1' });
    const made = await one(work({ key: 'p:leaver', desired: active }));
    const externalId = made.state === 'applied' ? made.externalId : null;
    relay.swallow = (call) => call.method === 'PUT' && call.path.includes('/users/');
    const row = work({
      key: 'p:leaver',
      desired: { ...active, active: false },
      applied: active,
      externalId,
    });
    expect(await one(row)).toMatchObject({ state: 'retry' });
    relay.swallow = null;
    relay.takeWrites();
    expect(await one({ ...row, attempts: 1 })).toMatchObject({ state: 'applied' });

    expect(relay.takeWrites().map((call) => call.path.split('/').at(-1))).toEqual(['logout']);
  });

  test('two workers with the same row make one user', async () => {
    const other = open();
    const rows = Array.from({ length: 12 }, (_, n) =>
      work({ key: `p:race${n}`, desired: account({ username: `race${n}` }) }),
    );
    const [left, right] = await Promise.all(
      [connector, other].map((by) => by.apply({ batch: rows, externalIds: nobody })),
    );

    const done = await connector.apply({ batch: rows, externalIds: nobody });
    for (const [n, outcome] of done.entries()) {
      expect(outcome).toMatchObject({ state: 'applied' });
      for (const first of [left?.[n], right?.[n]]) {
        if (first?.state === 'applied') expect(first).toEqual(outcome);
        else expect(first).toMatchObject({ state: 'retry' });
      }
      expect(await named(`race${n}`)).toHaveLength(1);
    }
  });

  test('one bad row does not touch its neighbours, and says what is wrong with it', async () => {
    const bad: [string, Partial<KeycloakAccount>, string][] = [
      ['bad1', { username: 'ab' }, 'invalid-username'],
      ['bad2', { given: 'A<b>' }, 'invalid-name'],
      ['bad3', { email: 'nomail' }, 'invalid-email'],
      ['bad4', { attributes: { nowhere: ['x'] } }, 'undeclared-attribute'],
      ['bad5', { attributes: { roles: ['x'.repeat(300)] } }, 'invalid-attribute'],
      ['good', { given: 'Ida (vikar)', family: 'Per/Pia' }, ''],
    ];
    const batch = bad.map(([key, with_]) =>
      work({ key: `p:${key}`, desired: account({ username: `person-${key}`, ...with_ }) }),
    );
    const outcomes = await connector.apply({ batch, externalIds: nobody });

    for (const [n, [, , code]] of bad.entries()) {
      if (code === '') expect(outcomes[n]).toMatchObject({ state: 'applied' });
      else expect(outcomes[n]).toMatchObject({ state: 'rejected', code });
    }
    expect(JSON.stringify(outcomes)).not.toMatch(/nomail|A<b>|xxx/);
    expect(
      await one(work({ kind: 'group', key: 'g:s', desired: group({ name: 'a/b' }) })),
    ).toMatchObject({
      state: 'rejected',
      code: 'invalid-name',
    });
  });

  test('strangers keep their names and are never changed or deleted', async () => {
    const id = (await raw.call('POST', 'users', { username: 'stranger', firstName: 'S' })).id;
    const before = await read(`users/${id}`);
    const desired = account({ username: 'stranger' });

    expect(await one(work({ key: 'p:s', desired }))).toMatchObject({ code: 'username-taken' });
    const marked = (
      await raw.call('POST', 'users', {
        username: 'marked',
        attributes: { skolebusKey: ['p:else'] },
      })
    ).id;
    expect(await one(work({ key: 'p:s', desired, externalId: marked }))).toMatchObject({
      code: 'not-ours',
    });
    expect(await one(work({ key: 'p:s', desired: null, externalId: id }))).toMatchObject({
      code: 'not-ours',
    });
    expect(await read(`users/${id}`)).toEqual(before);
    const club = (await raw.call('POST', 'groups', { name: 'Club' })).id;
    const row = work({ kind: 'group', key: 'g:club', desired: group({ name: 'Club' }) });
    expect(await one(row)).toMatchObject({ code: 'group-name-taken' });
    expect(await one({ ...row, desired: null, externalId: club })).toMatchObject({
      code: 'not-ours',
    });
    // An id in the ledger and no mark in the target: a plan adopted it.
    expect(await one({ ...row, externalId: club })).toMatchObject({ state: 'applied' });
    expect(await one(work({ key: 'p:s', desired, externalId: id }))).toMatchObject({
      state: 'applied',
    });
    expect(await read(`users/${id}`)).toMatchObject({ attributes: { skolebusKey: ['p:s'] } });
  });

  test('a group that is not there yet keeps a row waiting', async () => {
    const person = account({ username: 'waiting', groups: ['group:none'] });
    expect(await one(work({ key: 'p:w', desired: person }))).toMatchObject({ code: 'needs-group' });
    const child: KeycloakGroup = group({ name: 'x', parent: 'school:none' });
    expect(await one(work({ kind: 'group', key: 'g:w', desired: child }))).toMatchObject({
      code: 'needs-group',
    });
    const dead = async () => new Map([['group:none', '11111111-2222-3333-4444-555555555555']]);
    const [outcome] = await connector.apply({
      batch: [work({ key: 'p:w', desired: person })],
      externalIds: dead,
    });
    expect(outcome).toMatchObject({ state: 'retry', code: 'needs-group' });
  });

  test('a name that a group of ours still has keeps a row waiting', async () => {
    const first = await one(work({ kind: 'group', key: 'g:1', desired: group({ name: 'Held' }) }));
    expect(first).toMatchObject({ state: 'applied' });

    expect(
      await one(work({ kind: 'group', key: 'g:2', desired: group({ name: 'Held' }) })),
    ).toMatchObject({
      state: 'retry',
      code: 'name-held',
    });
  });

  test('whoever is created while classes swap names lands in the right class', async () => {
    const key = (name: string) => ['skolebusKey', `g:swap${name}`] as const;
    const ids = new Map<string, string>();
    for (const name of ['A', 'B']) {
      const attributes = { [key(name)[0]]: [key(name)[1]] };
      const made = await raw.call('POST', 'groups', { name: `Swap${name}`, attributes });
      ids.set(key(name)[1], made.id);
    }
    const rename = async (name: string, to: string) => {
      const id = ids.get(key(name)[1]);
      await raw.call('PUT', `groups/${id}`, {
        ...((await read(`groups/${id}`)) as object),
        name: to,
      });
    };
    const into = async (username: string) => {
      const row = work({
        key: `p:${username}`,
        desired: account({ username, groups: ['g:swapA'] }),
      });
      const [outcome] = await connector.apply({ batch: [row], externalIds: async () => ids });
      return outcome;
    };
    const groupsOf = async (username: string) =>
      rowsOf(await raw.call('GET', `users/${(await named(username))[0]?.['id']}/groups`)).map(
        (one) => one['id'],
      );
    expect(await into('swap1')).toMatchObject({ state: 'applied' });
    await rename('A', 'Passing');
    await rename('B', 'SwapA');
    await rename('A', 'SwapB');
    // The path that was read a moment ago is another class's now.
    expect(await into('swap2')).toMatchObject({ state: 'applied' });
    expect(await groupsOf('swap2')).toEqual([ids.get('g:swapA')]);

    await rename('A', 'Elsewhere');
    // It leads nowhere now: that is a failure of this one try.
    expect(await into('swap3')).toMatchObject({ state: 'retry', code: 'create-failed' });
    expect(await into('swap3')).toMatchObject({ state: 'applied' });
    expect(await groupsOf('swap3')).toEqual([ids.get('g:swapA')]);
  });

  test('brokered logins are written ahead, changed, and never given to two', async () => {
    await raw.call('POST', 'identity-provider/instances', {
      alias: 'unilogin',
      providerId: 'oidc',
      enabled: true,
      config: {
        clientId: 'x',
        clientSecret: 'y',
        authorizationUrl: 'https://idp.example.test/a',
        tokenUrl: 'https://idp.example.test/t',
        syncMode: 'FORCE',
      },
    });
    const by = open({ idpAlias: 'unilogin' });
    const link = (userId: string) => [{ provider: 'unilogin', userId }];
    const first = account({ username: 'linked1', links: link('u1') });
    const made = await one(work({ key: 'p:l1', desired: first }), by);
    const externalId = made.state === 'applied' ? made.externalId : null;
    const links = () => read(`users/${externalId}/federated-identity`);

    expect(await links()).toMatchObject([{ identityProvider: 'unilogin', userId: 'u1' }]);
    const second = account({ username: 'linked2', links: link('u1') });
    expect(await one(work({ key: 'p:l2', desired: second }), by)).toMatchObject({
      code: 'link-taken',
    });
    const changed = { ...first, links: link('u2') };
    const row = work({ key: 'p:l1', desired: changed, applied: first, externalId });
    expect(await one(row, by)).toMatchObject({ state: 'applied' });
    expect(await links()).toMatchObject([{ userId: 'u2' }]);
    relay.takeWrites();
    await one({ ...row, applied: changed }, by);
    expect(relay.takeWrites()).toEqual([]);
    for await (const seen of by.observe({ kind: 'account' })) {
      if (seen.externalId === externalId) expect(seen.body['links']).toEqual(link('u2'));
    }
    await one({ ...row, desired: { ...first, links: [] }, applied: changed }, by);
    expect(await links()).toEqual([]);
    const elsewhere = account({
      username: 'linked3',
      links: [{ provider: 'nowhere', userId: 'u' }],
    });
    expect(await one(work({ key: 'p:l3', desired: elsewhere }))).toMatchObject({
      state: 'applied',
    });
    expect(await read('users?idpAlias=nowhere&idpUserId=u')).toEqual([]);
    const provider = (await by.check()).find((result) => result.name === 'identity-provider');
    expect(provider).toMatchObject({ ok: false, message: expect.stringContaining('IMPORT') });
  });

  test('forty rows at once ask for one token, and so does a token that died', async () => {
    const by = open();
    const rows = Array.from({ length: 40 }, (_, n) =>
      work({ key: `p:t${n}`, desired: account({ username: `token${n}` }) }),
    );
    const asked = () => relay.passed.filter((call) => call.path.endsWith('/token')).length;
    relay.passed.splice(0);
    await by.apply({ batch: rows, externalIds: nobody });
    expect(asked()).toBe(1);

    relay.replace = (call) =>
      asked() < 2 && call.path.startsWith('/admin/')
        ? { status: 401, body: { error: 'HTTP 401 Unauthorized' } }
        : null;
    const outcomes = await by.apply({ batch: rows, externalIds: nobody });
    expect(outcomes.filter((outcome) => outcome.state !== 'applied')).toEqual([]);
    expect(asked()).toBe(2);
  });

  test.each([
    [
      { status: 503, headers: { 'retry-after': '7' } },
      { state: 'retry', code: 'busy', afterMs: 7000 },
    ],
    [
      { status: 429, headers: { 'retry-after': '7' } },
      { state: 'retry', code: 'busy', afterMs: 7000 },
    ],
    [{ status: 429 }, { state: 'retry', code: 'busy' }],
    [{ status: 500 }, { state: 'retry', code: 'server-error' }],
    [{ status: 403 }, { state: 'retry', code: 'no-right' }],
    [{ status: 401 }, { state: 'unknown-host', code: 'sign-in-refused' }],
  ])('an answer %j means %j', async (answer, outcome) => {
    relay.replace = (call) =>
      call.method === 'POST' && call.path.includes('/users') ? answer : null;

    const row = work({ key: 'p:a', desired: account({ username: 'answer1' }) });

    // A connector of its own: it leaves the server alone afterwards, and the next test must not.
    expect(await one(row, open())).toMatchObject(outcome);
  });

  test('a server out of reach or a wrong password says nothing of the row', async () => {
    const row = work({ key: 'p:r', desired: account({ username: 'reach1' }) });
    const closed = await startRelay(p.server().url);
    await closed[Symbol.asyncDispose]();

    expect(await one(row, open({ url: closed.url }))).toMatchObject({
      state: 'unknown-host',
      code: 'out-of-reach',
    });
    expect(await one(row, open({ url: 'http://nowhere.invalid' }))).toMatchObject({
      state: 'unknown-host',
    });
    const wrong = open({ credentials: { user: 'admin', password: 'wrong-one' } });
    const refused = await one(row, wrong);
    expect(refused).toMatchObject({ state: 'unknown-host', code: 'sign-in-refused' });
    expect(JSON.stringify(refused)).not.toContain('wrong-one');
    expect(await wrong.check()).toMatchObject([{ name: 'version', ok: false }]);
  });

  test('a slow server is a retry', async () => {
    const by = open({ timeoutMs: 1 });
    expect(
      await one(work({ key: 'p:slow', desired: account({ username: 'slow1' }) }), by),
    ).toMatchObject({
      state: 'retry',
      code: 'timeout',
    });
  });

  test('a service account with manage-users alone is enough for every day', async () => {
    const client = { clientId: 'provisioner', secret: 'fixture', serviceAccountsEnabled: true };
    await raw.call('POST', 'clients', { ...client, publicClient: false });
    const [made] = rowsOf(await raw.call('GET', 'clients?clientId=provisioner'));
    const [management] = rowsOf(await raw.call('GET', 'clients?clientId=realm-management'));
    const behind = (await read(`clients/${made?.['id']}/service-account-user`)) as { id: string };
    const by = open({ credentials: { clientId: 'provisioner', clientSecret: 'fixture' } });
    const row = work({
      key: 'p:sa',
      desired: account({ username: 'service1', attributes: { uniId: ['u'] } }),
    });

    expect(await one(row, by)).toMatchObject({ state: 'retry', code: 'no-right' });
    const roles = rowsOf(await raw.call('GET', `clients/${management?.['id']}/roles`));
    await raw.call(
      'POST',
      `users/${behind.id}/role-mappings/clients/${management?.['id']}`,
      roles.filter((role) => role['name'] === 'manage-users'),
    );
    expect(await one(row, by)).toMatchObject({ state: 'applied' });
    expect((await by.check()).filter((result) => !result.ok)).toEqual([]);
    let seen = 0;
    for await (const _ of by.observe({ kind: 'account' })) seen += 1;
    expect(seen).toBeGreaterThan(0);
    await expect(by.prepare()).rejects.toThrow();
  });
}
