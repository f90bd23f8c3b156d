/** What Keycloak does that one would not guess, and that our connector counts on. */

import { describe, expect, test } from 'vitest';
import { rowsOf, type Server } from './admin-api.ts';
import { useRealm } from './realm.ts';

export function keycloakTraps(p: { readonly server: () => Server }): void {
  const { raw, newUser } = useRealm({ server: p.server, prefix: 'traps' });

  async function newGroup(body: Record<string, unknown>, parent?: string): Promise<string> {
    const made = await raw.call('POST', parent ? `groups/${parent}/children` : 'groups', body);
    expect(made.status).toBe(201);
    return made.id;
  }

  const read = async (path: string) => (await raw.call('GET', path)).body;

  describe('users', () => {
    test('a user created without "enabled" is disabled; names of logins are lower-cased', async () => {
      const id = await newUser({ username: 'Case1', email: 'Case1@Example.TEST' });

      expect(await read(`users/${id}`)).toMatchObject({
        username: 'case1',
        email: 'case1@example.test',
        enabled: false,
        emailVerified: false,
      });
    });

    test('undeclared attributes are dropped with a 201 all the same', async () => {
      const id = await newUser({ username: 'drop1', attributes: { nowhere: ['x'] } });

      expect(await read(`users/${id}`)).not.toHaveProperty('attributes');
    });

    test('conflicts say what they are about', async () => {
      await newUser({ username: 'twin1', email: 'twin1@example.test' });

      expect(await raw.call('POST', 'users', { username: 'TWIN1' })).toMatchObject({
        status: 409,
        body: { errorMessage: 'User exists with same username' },
      });
      expect(
        await raw.call('POST', 'users', { username: 'twin2', email: 'TWIN1@example.test' }),
      ).toMatchObject({ status: 409, body: { errorMessage: 'User exists with same email' } });
    });

    test.each([
      [{}, { errorMessage: 'User name is missing' }],
      [{ username: 'ab' }, { field: 'username', errorMessage: 'error-invalid-length' }],
      [
        { username: 'a b c' },
        { field: 'username', errorMessage: 'error-username-invalid-character' },
      ],
      [
        { username: 'kпaa' },
        { field: 'username', errorMessage: 'error-username-invalid-character' },
      ],
      [
        { username: 'mail1', email: 'nomail' },
        { field: 'email', errorMessage: 'error-invalid-email' },
      ],
      [
        { username: 'name1', firstName: 'Ida (vikar)' },
        { field: 'firstName', errorMessage: 'error-person-name-invalid-character' },
      ],
    ])('refuses %j', async (body, answer) => {
      expect(await raw.call('POST', 'users', body)).toMatchObject({ status: 400, body: answer });
    });

    test('several faults come as a list', async () => {
      const answer = await raw.call('POST', 'users', { username: 'ab', email: 'nomail' });

      expect(answer.status).toBe(400);
      const { errors } = answer.body as { errors: { field: string }[] };
      expect(errors.map((error) => error.field).sort()).toEqual(['email', 'username']);
    });

    test('an unknown field is a 400', async () => {
      expect((await raw.call('POST', 'users', { username: 'odd1', odd: 1 })).status).toBe(400);
    });

    test('an unknown group path is a bare 500, and nothing is created', async () => {
      const answer = await raw.call('POST', 'users', { username: 'path1', groups: ['/nowhere'] });

      expect(answer).toMatchObject({ status: 500, body: { error: 'unknown_error' } });
      expect(await read('users?username=path1&exact=true')).toEqual([]);
    });

    test('roles and ids in a create are ignored', async () => {
      const given = '11111111-2222-3333-4444-555555555555';
      const id = await newUser({ id: given, username: 'ident1' });

      expect(id).not.toBe(given);
    });

    test('PUT without attributes changes only what it names', async () => {
      const id = await newUser({
        username: 'patch1',
        firstName: 'A',
        lastName: 'B',
        enabled: true,
      });
      expect((await raw.call('PUT', `users/${id}`, { firstName: 'C' })).status).toBe(204);

      expect(await read(`users/${id}`)).toMatchObject({
        firstName: 'C',
        lastName: 'B',
        enabled: true,
      });
    });

    test('PUT with attributes empties what it does not name', async () => {
      const id = await newUser({ username: 'whole1', firstName: 'A', email: 'w1@example.test' });
      expect((await raw.call('PUT', `users/${id}`, { attributes: {} })).status).toBe(204);

      const after = await read(`users/${id}`);
      expect(after).not.toHaveProperty('firstName');
      expect(after).not.toHaveProperty('email');
    });

    test('a blank e-mail empties it', async () => {
      const id = await newUser({ username: 'blank1', email: 'b1@example.test' });
      expect((await raw.call('PUT', `users/${id}`, { email: '' })).status).toBe(204);

      expect(await read(`users/${id}`)).not.toHaveProperty('email');
      await newUser({ username: 'blank2', email: '' });
      await newUser({ username: 'blank3', email: '' });
    });

    test('groups in a PUT are ignored', async () => {
      await newGroup({ name: 'ignored' });
      const id = await newUser({ username: 'ignore1' });
      expect((await raw.call('PUT', `users/${id}`, { groups: ['/ignored'] })).status).toBe(204);

      expect(await read(`users/${id}/groups`)).toEqual([]);
    });

    test('lists give 100 unless asked, match parts unless told, and leave service accounts out', async () => {
      for (let n = 0; n < 101; n += 1) await newUser({ username: `page${n}x` });

      expect(rowsOf(await raw.call('GET', 'users?username=page'))).toHaveLength(100);
      expect(rowsOf(await raw.call('GET', 'users?username=page&max=-1'))).toHaveLength(101);
      expect(rowsOf(await raw.call('GET', 'users?username=page7&exact=true'))).toHaveLength(0);
      const first = rowsOf(await raw.call('GET', 'users?first=0&max=5')).map((u) => u['username']);
      expect(first).toEqual([...first].sort());
    });

    test('what is not there is a 404 with a text', async () => {
      for (const method of ['GET', 'PUT', 'DELETE']) {
        expect(
          await raw.call(method, 'users/nobody', method === 'PUT' ? {} : undefined),
        ).toMatchObject({ status: 404, body: { error: 'User not found' } });
      }
    });

    test('logout moves notBefore', async () => {
      const id = await newUser({ username: 'out1', enabled: true });
      const before = Math.floor(Date.now() / 1000);
      expect((await raw.call('POST', `users/${id}/logout`)).status).toBe(204);

      const { notBefore } = (await read(`users/${id}`)) as { notBefore: number };
      expect(notBefore).toBeGreaterThanOrEqual(before);
    });
  });

  describe('brokered logins', () => {
    test('the server checks neither the alias nor that a login is free', async () => {
      await raw.call('POST', 'identity-provider/instances', {
        alias: 'unilogin',
        providerId: 'oidc',
        enabled: true,
        config: {
          clientId: 'x',
          clientSecret: 'y',
          authorizationUrl: 'https://idp.example.test/a',
          tokenUrl: 'https://idp.example.test/t',
          syncMode: 'IMPORT',
        },
      });
      const id = await newUser({ username: 'link1' });
      const twice = await newUser({
        username: 'link2',
        federatedIdentities: [{ identityProvider: 'unilogin', userId: 'U1', userName: 'U1' }],
      });
      const body = { userId: 'U1', userName: 'U1' };

      expect((await raw.call('POST', `users/${id}/federated-identity/nowhere`, body)).status).toBe(
        204,
      );
      expect(await read(`users/${id}/federated-identity`)).toEqual([]);
      expect((await raw.call('POST', `users/${id}/federated-identity/unilogin`, body)).status).toBe(
        204,
      );
      expect(await read(`users/${id}/federated-identity`)).toEqual([
        { identityProvider: 'unilogin', ...body },
      ]);
      const found = rowsOf(await raw.call('GET', 'users?idpAlias=unilogin&idpUserId=U1'));
      expect(found.map((user) => user['id']).sort()).toEqual([id, twice].sort());
      expect(await read('users?idpAlias=unilogin&idpUserId=u1')).toEqual([]);
      expect(rowsOf(await raw.call('GET', 'users?idpAlias=unilogin'))).toHaveLength(2);
    });

    test('an equal link again is a 409, removing a missing one a 404', async () => {
      const id = await newUser({ username: 'link3' });
      const body = { userId: 'U3', userName: 'U3' };
      await raw.call('POST', `users/${id}/federated-identity/unilogin`, body);

      expect(await raw.call('POST', `users/${id}/federated-identity/unilogin`, body)).toMatchObject(
        {
          status: 409,
          body: { errorMessage: 'User is already linked with provider' },
        },
      );
      expect((await raw.call('DELETE', `users/${id}/federated-identity/unilogin`)).status).toBe(
        204,
      );
      expect((await raw.call('DELETE', `users/${id}/federated-identity/unilogin`)).status).toBe(
        404,
      );
    });
  });

  describe('groups', () => {
    test('siblings may not share a name; children answer with what was made', async () => {
      const top = await newGroup({ name: 'Skole æøå', attributes: { k: ['1'] } });
      const made = await raw.call('POST', `groups/${top}/children`, { name: '7A' });

      expect(made).toMatchObject({ status: 201, body: { path: '/Skole æøå/7A', parentId: top } });
      expect(made.id).toBe((made.body as { id: string }).id);
      expect(await raw.call('POST', 'groups', { name: 'Skole æøå' })).toMatchObject({
        status: 409,
        body: { errorMessage: "Top level group named 'Skole æøå' already exists." },
      });
      expect(await raw.call('POST', `groups/${top}/children`, { name: '7A' })).toMatchObject({
        status: 409,
        body: { errorMessage: "Sibling group named '7A' already exists." },
      });
      expect(await raw.call('POST', 'groups', {})).toMatchObject({
        status: 400,
        body: { errorMessage: 'Group name is missing' },
      });
      expect((await raw.call('POST', 'groups/nowhere/children', { name: 'x' })).status).toBe(404);
    });

    test('PUT clears an absent description, leaves absent attributes, wants a name', async () => {
      const id = await newGroup({ name: 'put1', description: 'old', attributes: { k: ['1'] } });
      expect((await raw.call('PUT', `groups/${id}`, { name: 'put2' })).status).toBe(204);

      const after = await read(`groups/${id}`);
      expect(after).toMatchObject({ name: 'put2', path: '/put2', attributes: { k: ['1'] } });
      expect(after).not.toHaveProperty('description');
      expect((await raw.call('PUT', `groups/${id}`, { attributes: {} })).status).toBe(400);
    });

    test('POST of an id moves it, members and all, and ignores the rest', async () => {
      const from = await newGroup({ name: 'from' });
      const to = await newGroup({ name: 'to' });
      const child = await newGroup({ name: 'child' }, from);
      const user = await newUser({ username: 'mover1', groups: ['/from/child'] });
      const answer = await raw.call('POST', `groups/${to}/children`, { id: child, name: 'other' });

      expect(answer.status).toBe(204);
      expect(await read(`groups/${child}`)).toMatchObject({ path: '/to/child', parentId: to });
      expect(rowsOf(await raw.call('GET', `groups/${child}/members`))).toMatchObject([
        { id: user },
      ]);
      expect((await raw.call('POST', 'groups', { id: child, name: 'child' })).status).toBe(204);
      expect(await read(`groups/${child}`)).not.toHaveProperty('parentId');
      await newGroup({ name: 'child' }, to);
      expect(
        (await raw.call('POST', `groups/${to}/children`, { id: child, name: 'child' })).status,
      ).toBe(409);
      expect((await raw.call('PUT', `groups/${child}`, { name: 'from' })).status).toBe(409);
    });

    test('too long a name or value is a bare 500', async () => {
      expect((await raw.call('POST', 'groups', { name: 'x'.repeat(256) })).status).toBe(500);
      const long = { name: 'long', attributes: { k: ['x'.repeat(256)] } };
      expect((await raw.call('POST', 'groups', long)).status).toBe(500);
    });

    test('children come by ten, members by a hundred', async () => {
      const top = await newGroup({ name: 'many' });
      for (let n = 0; n < 12; n += 1) await newGroup({ name: `c${n}` }, top);

      expect(rowsOf(await raw.call('GET', `groups/${top}/children`))).toHaveLength(10);
      expect(rowsOf(await raw.call('GET', `groups/${top}/children?max=-1`))).toHaveLength(12);
      expect(
        rowsOf(await raw.call('GET', `groups/${top}/children?search=c1&exact=true`)),
      ).toHaveLength(1);
      expect(rowsOf(await raw.call('GET', `groups/${top}/children?search=c1`))).toHaveLength(3);
    });

    test('a group below is found by name or attribute only without the hierarchy', async () => {
      const top = await newGroup({ name: 'tree' });
      const leaf = await newGroup({ name: 'leaf', attributes: { key: ['group:1/"x'] } }, top);
      const flat = 'populateHierarchy=false&briefRepresentation=false';
      const q = encodeURIComponent('key:"group:1/\\"x"');

      expect(await read(`groups?search=leaf&exact=true&${flat}`)).toMatchObject([
        { id: leaf, parentId: top, attributes: { key: ['group:1/"x'] } },
      ]);
      expect(await read(`groups?q=${q}&${flat}`)).toMatchObject([{ id: leaf }]);
      expect(await read(`groups?q=${q}`)).toMatchObject([{ id: top, subGroups: [{ id: leaf }] }]);
    });

    test('memberships are idempotent both ways', async () => {
      const group = await newGroup({ name: 'pair', attributes: { skolebusKey: ['group:p'] } });
      const user = await newUser({ username: 'pair1' });
      for (const method of ['PUT', 'PUT', 'DELETE', 'DELETE', 'PUT']) {
        expect((await raw.call(method, `users/${user}/groups/${group}`)).status).toBe(204);
      }

      expect(await raw.call('PUT', `users/${user}/groups/nowhere`)).toMatchObject({
        status: 404,
        body: { error: 'Group not found' },
      });
      expect(rowsOf(await raw.call('GET', `users/${user}/groups`))[0]).not.toHaveProperty(
        'attributes',
      );
      expect(await read(`users/${user}/groups?briefRepresentation=false`)).toMatchObject([
        { id: group, path: '/pair', attributes: { skolebusKey: ['group:p'] } },
      ]);
    });

    test('deleting takes the subtree and its memberships', async () => {
      const top = await newGroup({ name: 'gone' });
      const child = await newGroup({ name: 'gonechild' }, top);
      const user = await newUser({ username: 'gone1', groups: ['/gone/gonechild'] });
      expect((await raw.call('DELETE', `groups/${top}`)).status).toBe(204);

      expect((await raw.call('GET', `groups/${child}`)).status).toBe(404);
      expect(await read(`users/${user}/groups`)).toEqual([]);
    });
  });
}
