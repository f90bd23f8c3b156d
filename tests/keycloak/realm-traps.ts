/** Traps of the realm itself: its settings, its profile, the way in. */

import { describe, expect, test } from 'vitest';
import { rowsOf, type Server } from './admin-api.ts';
import { useRealm } from './realm.ts';

const admin = { view: ['admin'], edit: ['admin'] };

export function keycloakRealmTraps(p: { readonly server: () => Server }): void {
  const { realm, raw, newUser } = useRealm({ server: p.server, prefix: 'realm-traps' });

  const read = async (path: string) => (await raw.call('GET', path)).body;

  describe('the realm', () => {
    test('doubled e-mails switch the login by e-mail off', async () => {
      await raw.call('PUT', '', { duplicateEmailsAllowed: true, loginWithEmailAllowed: true });

      expect(await read('')).toMatchObject({
        duplicateEmailsAllowed: true,
        loginWithEmailAllowed: false,
      });
      await newUser({ username: 'sibling1', email: 'parent@example.test' });
      await newUser({ username: 'sibling2', email: 'parent@example.test' });
    });

    test('a rename needs editUsernameAllowed, and then every whole PUT needs the username', async () => {
      const id = await newUser({ username: 'before1' });
      const rename = { username: 'after1', attributes: {} };

      expect(await raw.call('PUT', `users/${id}`, rename)).toMatchObject({
        status: 400,
        body: { field: 'username', errorMessage: 'error-user-attribute-read-only' },
      });
      await raw.call('PUT', '', { editUsernameAllowed: true });
      expect((await raw.call('PUT', `users/${id}`, rename)).status).toBe(204);
      expect(await raw.call('PUT', `users/${id}`, { attributes: {} })).toMatchObject({
        status: 400,
        body: { errorMessage: 'User name is missing' },
      });
      await raw.call('PUT', '', { editUsernameAllowed: false });
    });

    test('the profile keeps username and email, and what it declares is kept and found', async () => {
      const profile = (await read('users/profile')) as { attributes: object[] };
      expect((await raw.call('PUT', 'users/profile', { attributes: [] })).status).toBe(400);
      profile.attributes.push(
        {
          name: 'mark',
          permissions: admin,
          multivalued: false,
          validations: { length: { max: 20 } },
        },
        {
          name: 'many',
          permissions: admin,
          multivalued: true,
          validations: { multivalued: { max: 3 } },
        },
      );
      expect((await raw.call('PUT', 'users/profile', profile)).status).toBe(200);
      expect(await read('users/profile')).toMatchObject(profile);
      const id = await newUser({
        username: 'kept1',
        attributes: { mark: ['Person:1'], many: ['b', 'a'], nowhere: ['x'] },
      });

      expect(await read(`users/${id}`)).toHaveProperty('attributes', {
        mark: ['Person:1'],
        many: expect.arrayContaining(['a', 'b']),
      });
      expect(
        rowsOf(await raw.call('GET', `users?q=${encodeURIComponent('mark:person:1')}`)),
      ).toMatchObject([{ id }]);
      expect(
        rowsOf(await raw.call('GET', `users?q=${encodeURIComponent('"mark":"Person:1"')}`)),
      ).toHaveLength(1);
      const two = { username: 'kept2', attributes: { mark: ['1', '2'] } };
      expect(await raw.call('POST', 'users', two)).toMatchObject({
        status: 400,
        body: { field: 'mark', errorMessage: 'error-invalid-multivalued-size' },
      });
      const long = { username: 'kept3', attributes: { mark: ['x'.repeat(21)] } };
      expect(await raw.call('POST', 'users', long)).toMatchObject({
        status: 400,
        body: { field: 'mark', errorMessage: 'error-invalid-length-too-long' },
      });
    });

    test('VERIFY_PROFILE is on until it is switched off', async () => {
      const path = 'authentication/required-actions/VERIFY_PROFILE';
      const action = (await read(path)) as object;

      expect(action).toMatchObject({ enabled: true });
      expect((await raw.call('PUT', path, { ...action, enabled: false })).status).toBe(204);
      expect(await read(path)).toMatchObject({ enabled: false });
    });

    test('a realm that exists, a realm that does not', async () => {
      expect((await raw.call('POST', '/admin/realms', { realm, enabled: true })).status).toBe(409);
      expect((await raw.call('GET', '/admin/realms/nowhere')).status).toBe(404);
    });

    test('partialImport skips what stands, fails whole, and does not ask the profile', async () => {
      await newUser({ username: 'import1' });
      const users = [{ username: 'import1' }, { username: 'i2', enabled: true }];

      expect(await raw.call('POST', 'partialImport', { users })).toMatchObject({ status: 409 });
      expect(await read('users?username=i2&exact=true')).toEqual([]);
      expect(
        await raw.call('POST', 'partialImport', { ifResourceExists: 'SKIP', users }),
      ).toMatchObject({ status: 200, body: { added: 1, skipped: 1, overwritten: 0 } });
      expect(rowsOf(await raw.call('GET', 'users?username=i2&exact=true'))).toHaveLength(1);
    });
  });

  describe('the way in', () => {
    const ask = (form: Record<string, string>, of = 'master') =>
      fetch(`${p.server().url}/realms/${of}/protocol/openid-connect/token`, {
        method: 'POST',
        body: new URLSearchParams(form),
      });

    test('refusals of the token endpoint differ by grant', async () => {
      const user = p.server().user;
      const password = { grant_type: 'password', client_id: 'admin-cli', username: user };
      const client = { grant_type: 'client_credentials', client_id: 'nowhere', client_secret: 'x' };

      expect((await ask({ ...password, password: 'wrong' })).status).toBe(400);
      expect((await ask(client)).status).toBe(401);
      expect((await ask(client, 'nowhere')).status).toBe(404);
      expect((await raw.call('GET', 'users', undefined, 'rubbish')).status).toBe(401);
    });

    test('a service account has no refresh token and the roles of the moment', async () => {
      await raw.call('POST', 'clients', {
        clientId: 'provisioner',
        secret: 'fixture',
        serviceAccountsEnabled: true,
        publicClient: false,
      });
      const answer = await ask(
        { grant_type: 'client_credentials', client_id: 'provisioner', client_secret: 'fixture' },
        realm,
      );
      const token = (await answer.json()) as { access_token: string };
      expect(token).not.toHaveProperty('refresh_token');
      const list = () => raw.call('GET', 'users?max=1', undefined, token.access_token);
      expect(await list()).toMatchObject({ status: 403, body: { error: 'HTTP 403 Forbidden' } });
      const [client] = rowsOf(await raw.call('GET', 'clients?clientId=provisioner'));
      const [management] = rowsOf(await raw.call('GET', 'clients?clientId=realm-management'));
      const account = (await read(`clients/${client?.['id']}/service-account-user`)) as {
        id: string;
      };
      const roles = rowsOf(await raw.call('GET', `clients/${management?.['id']}/roles`));
      const manage = roles.filter((role) => role['name'] === 'manage-users');
      await raw.call(
        'POST',
        `users/${account.id}/role-mappings/clients/${management?.['id']}`,
        manage,
      );

      expect((await list()).status).toBe(200);
      const as = (path: string) => raw.call('GET', path, undefined, token.access_token);
      expect((await as('users/profile')).status).toBe(200);
      expect((await as('client-scopes')).status).toBe(403);
      expect((await as('identity-provider/instances')).status).toBe(403);
      expect((await as('')).body).not.toHaveProperty('editUsernameAllowed');
      expect((await as('/admin/serverinfo')).status).toBe(200);
      const all = rowsOf(await raw.call('GET', 'users?max=-1&briefRepresentation=true'));
      expect(all.map((user) => user['username'])).not.toContain('service-account-provisioner');
    });
  });
}
