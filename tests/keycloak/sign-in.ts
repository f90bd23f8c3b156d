/** People who sign in: start passwords that really open the door, sessions that really end. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { KeycloakAccount } from '../../provisioning/policy/resource.ts';
import type { Outcome, Work } from '../../provisioning/target/contract.ts';
import { connectKeycloak } from '../../provisioning/target/keycloak/connector.ts';
import { startPasswordOf } from '../../provisioning/target/keycloak/start-password.ts';
import { openRaw, type Raw, rowsOf, type Server } from './admin-api.ts';
import { account } from './people.ts';

const secret = 'a fixture secret of more than 32 characters';

interface Tokens {
  readonly access_token: string;
  readonly refresh_token: string;
  readonly error: string;
  readonly error_description: string;
}

export function keycloakSignIn(p: { readonly server: () => Server }): void {
  const realm = `sign-in-${process.pid}`;
  let raw: Raw;
  const open = (startPasswordSecret: string | null = secret) => {
    const { password, url, user } = p.server();
    const credentials = { user, password };
    return connectKeycloak({ name: 'keycloak', url, realm, credentials, startPasswordSecret });
  };
  const row = (more: Partial<Work> & { readonly key: string }): Work => ({
    kind: 'account',
    desired: null,
    applied: null,
    externalId: null,
    attempts: 0,
    ...more,
  });
  async function apply(one: Work, by = open()): Promise<Outcome> {
    const [outcome] = await by.apply({ batch: [one], externalIds: async () => new Map() });
    if (outcome === undefined) throw new Error('no outcome');
    return outcome;
  }
  async function make(key: string, desired: KeycloakAccount): Promise<string> {
    const outcome = await apply(row({ key, desired }));
    if (outcome.state !== 'applied') throw new Error(JSON.stringify(outcome));
    return String(outcome.externalId);
  }
  async function ask(form: Record<string, string>): Promise<{ status: number; body: Tokens }> {
    const path = `${p.server().url}/realms/${realm}/protocol/openid-connect/token`;
    const body = new URLSearchParams({ client_id: 'app', ...form });
    const answer = await fetch(path, { method: 'POST', body });
    return { status: answer.status, body: (await answer.json()) as Tokens };
  }
  const signIn = (username: string, password: string) =>
    ask({ grant_type: 'password', username, password, scope: 'openid' });
  const refresh = (refresh_token: string) => ask({ grant_type: 'refresh_token', refresh_token });
  const young = (username: string, change = false) =>
    account({ username, startPassword: { change } });
  const words = (key: string) => startPasswordOf({ secret, key });

  beforeAll(async () => {
    raw = openRaw({ server: p.server(), realm });
    await raw.call('DELETE', '');
    await open().prepare();
    // Real applications never get this grant; it stands in for the browser here.
    await raw.call('POST', 'clients', {
      clientId: 'app',
      publicClient: true,
      directAccessGrantsEnabled: true,
    });
  });
  afterAll(async () => {
    await raw.call('DELETE', '');
  });
  const read = async (path: string) => (await raw.call('GET', path)).body;

  describe('start passwords', () => {
    test('open the door, and only the right one does', async () => {
      await make('person:1', young('young1'));

      expect((await signIn('young1', words('person:1'))).status).toBe(200);
      expect(await signIn('young1', words('person:2'))).toMatchObject({
        status: 400,
        body: { error: 'invalid_grant' },
      });
    });

    test('reach the server as a finished hash of the parameters it uses itself', async () => {
      const id = await make('person:3', young('young3'));
      const [credential] = rowsOf(await raw.call('GET', `users/${id}/credentials`));

      expect(credential).toMatchObject({ type: 'password' });
      expect(JSON.parse(String(credential?.['credentialData']))).toEqual({
        hashIterations: 5,
        algorithm: 'argon2',
        additionalParameters: {
          version: ['1.3'],
          type: ['id'],
          hashLength: ['32'],
          memory: ['7168'],
          parallelism: ['1'],
        },
      });
    });

    test('have to be changed at once where policy says so', async () => {
      const id = await make('person:4', young('young4', true));

      expect(await read(`users/${id}`)).toMatchObject({ requiredActions: ['UPDATE_PASSWORD'] });
      expect(await signIn('young4', words('person:4'))).toMatchObject({
        body: { error_description: 'Account is not fully set up' },
      });
    });

    test('are given to an account that has none, and never over one that somebody chose', async () => {
      const plain = account({ username: 'later1' });
      const id = await make('person:5', plain);
      const wanted = { desired: young('later1'), applied: plain, externalId: id };
      expect((await signIn('later1', words('person:5'))).status).toBe(400);
      expect(await apply(row({ key: 'person:5', ...wanted }))).toMatchObject({ state: 'applied' });
      expect((await signIn('later1', words('person:5'))).status).toBe(200);

      const chosen = account({ username: 'chosen1' });
      const own = await make('person:6', chosen);
      await raw.call('PUT', `users/${own}`, {
        credentials: [{ type: 'password', value: 'my own words', temporary: false }],
      });
      const again = { desired: young('chosen1'), applied: chosen, externalId: own };
      expect(await apply(row({ key: 'person:6', ...again }))).toMatchObject({ state: 'applied' });
      expect((await signIn('chosen1', 'my own words')).status).toBe(200);
    });

    test('are set once more when somebody asks for it, and nothing else opens the door then', async () => {
      const desired = young('forgot1');
      const id = await make('person:8', desired);
      await raw.call('PUT', `users/${id}`, {
        credentials: [{ type: 'password', value: 'long forgotten', temporary: false }],
      });
      const { body: session } = await signIn('forgot1', 'long forgotten');
      // A real server shuts the account for a minute after two quick ones.
      for (let guess = 0; guess < 4; guess += 1) await signIn('forgot1', `perhaps ${guess}`);
      const asked = { desired, applied: desired, externalId: id, startAgain: 'a-number' };
      expect(await apply(row({ key: 'person:8', ...asked }))).toMatchObject({ state: 'applied' });

      expect((await signIn('forgot1', words('person:8'))).status).toBe(200);
      expect((await signIn('forgot1', 'long forgotten')).status).not.toBe(200);
      expect((await refresh(session.refresh_token)).status).toBe(400);
      const held = rowsOf(await raw.call('GET', `users/${id}/credentials`));
      expect(held.map((credential) => credential['type'])).toEqual(['password']);
      // Again, as after a lost answer.
      expect(await apply(row({ key: 'person:8', ...asked }))).toMatchObject({ state: 'applied' });
      expect((await signIn('forgot1', words('person:8'))).status).toBe(200);
    });

    test('are not touched by later changes, and no ordinary account has one', async () => {
      const first = young('stays1');
      const id = await make('person:7', first);
      await raw.call('PUT', `users/${id}`, {
        credentials: [{ type: 'password', value: 'changed by the pupil', temporary: false }],
      });
      const renamed = { ...first, given: 'Nyt' };
      await apply(row({ key: 'person:7', desired: renamed, applied: first, externalId: id }));
      expect((await signIn('stays1', 'changed by the pupil')).status).toBe(200);

      const without = await make('person:8', account({ username: 'plain1' }));
      expect(await read(`users/${without}/credentials`)).toEqual([]);
    });

    test('wait for their secret rather than making an account without one', async () => {
      const waiting = row({ key: 'person:9', desired: young('waits1') });

      expect(await apply(waiting, open(null))).toMatchObject({
        state: 'retry',
        code: 'no-start-secret',
      });
      expect(await read('users?username=waits1&exact=true')).toEqual([]);
    });
  });

  describe('a session', () => {
    test('ends when the account is disabled, and stays ended', async () => {
      const active = young('leaver1');
      const id = await make('person:10', active);
      const { body: tokens } = await signIn('leaver1', words('person:10'));
      expect((await refresh(tokens.refresh_token)).status).toBe(200);
      expect(await read(`users/${id}/sessions`)).toHaveLength(1);
      const gone = { ...active, active: false };
      const leave = row({ key: 'person:10', desired: gone, applied: active, externalId: id });
      expect(await apply(leave)).toMatchObject({ state: 'applied' });

      expect(await read(`users/${id}/sessions`)).toEqual([]);
      expect(await refresh(tokens.refresh_token)).toMatchObject({
        status: 400,
        body: { error: 'invalid_grant' },
      });
      expect(await signIn('leaver1', words('person:10'))).toMatchObject({
        body: { error_description: 'Account disabled' },
      });
      await apply(row({ key: 'person:10', desired: active, applied: gone, externalId: id }));
      expect(await refresh(tokens.refresh_token)).toMatchObject({
        body: { error_description: 'Session not active' },
      });
      expect((await signIn('leaver1', words('person:10'))).status).toBe(200);
    });

    test('disabling alone, without the logout, would leave it standing', async () => {
      const id = await make('person:11', young('trap1'));
      const { body: tokens } = await signIn('trap1', words('person:11'));
      await raw.call('PUT', `users/${id}`, { enabled: false });

      expect(await refresh(tokens.refresh_token)).toMatchObject({
        body: { error_description: 'User disabled' },
      });
      expect(await read(`users/${id}/sessions`)).toHaveLength(1);
      await raw.call('PUT', `users/${id}`, { enabled: true });
      expect((await refresh(tokens.refresh_token)).status).toBe(200);
    });

    test('ends with the account', async () => {
      const desired = young('deleted1');
      const id = await make('person:12', desired);
      const { body: tokens } = await signIn('deleted1', words('person:12'));
      await apply(row({ key: 'person:12', desired: null, applied: desired, externalId: id }));

      expect((await refresh(tokens.refresh_token)).status).toBe(400);
    });
  });
}
