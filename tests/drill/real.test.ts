/** The whole drill against a real Keycloak: real pages, real forms, real cookies. */

import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { Capacity } from '../../services/drill/capacity.ts';
import type { DrillReport } from '../../services/drill/drill.ts';
import { passwordFor } from '../../services/drill/people.ts';
import { planArrivals } from '../../services/drill/schedule.ts';
import { rowsOf } from '../keycloak/admin-api.ts';
import { startKeycloak } from '../support/keycloak-server.ts';
import { drill } from './options.ts';
import { openTestRealm, type TestRealm } from './test-realm.ts';

const server = await startKeycloak();
const realm = `drill-${process.pid}`;

describe.skipIf(server === null)(`a drill at Keycloak ${server?.version ?? '(none)'}`, () => {
  let place: TestRealm;
  const users = async (query: string) => rowsOf(await place.raw.call('GET', `users?${query}`));
  const clients = async () =>
    rowsOf(await place.raw.call('GET', 'clients?clientId=skolebus-drill&search=true'));

  beforeAll(async () => {
    if (server === null) throw new Error('there is no server');
    place = await openTestRealm({ server, realm });
    for (const [name, value] of Object.entries(place.env)) vi.stubEnv(name, value);
  });
  afterAll(async () => {
    vi.unstubAllEnvs();
    await place[Symbol.asyncDispose]();
    await server?.[Symbol.asyncDispose]();
  });

  test('wants its people first, and says how many', async () => {
    await expect(drill(place)).rejects.toThrow('--prepare --people 50');
  });

  test('makes people with our mark, and no second time', async () => {
    expect((await drill({ ...place, prepare: true })).said).toEqual({ made: 50 });
    expect((await drill({ ...place, prepare: true, people: 52 })).said).toEqual({ made: 2 });
    const [first] = await users('username=drill-00001&exact=true&briefRepresentation=false');
    expect(first).toMatchObject({ attributes: { skolebusKey: ['drill:drill-00001'] } });
    expect(await clients()).toHaveLength(2);
  });

  test('everybody who is planned gets in, and those who come back are not asked again', async () => {
    const { code, said, text } = await drill(place);
    const { waves } = said as DrillReport;
    const shape = { seed: 7, rate: 5, ramp: 2, hold: 4, returnShare: 0.4 };
    const planned = planArrivals(shape);
    const back = planned.filter((arrival) => arrival.returnAfter !== null).length;

    expect(back).toBeGreaterThan(0);
    expect(waves).toMatchObject([
      { planned: planned.length, signedIn: planned.length, failed: 0, end: 'done', load: null },
    ]);
    expect(waves[0]?.phases.map(({ phase, count, failed }) => [phase, count, failed])).toEqual([
      ['login-page', planned.length, 0],
      ['form-post', planned.length, 0],
      ['token', planned.length + back, 0],
      ['sign-in', planned.length, 0],
      ['sso-return', back, 0],
    ]);
    expect(waves[0]?.phases.every(({ p50, p95, p99 }) => p50 && p95 && p99)).toBe(true);
    const client = { clientId: 'skolebus', clientSecret: String(place.env['DRILL_SECRET']) };
    expect(text).not.toContain(passwordFor({ realm, credentials: client }));
    expect(text).not.toContain(client.clientSecret);
    expect(said).toMatchObject({ capacity: { heads: 36, peak: 0.1, needed: 0.25 } });
    const { capacity } = said as { readonly capacity: Capacity };
    expect(code).toBe(capacity.answer === 'enough' ? 0 : 1);
  });

  test('a wave beside a load is compared with one alone, and its people are gone after it', async () => {
    const { said } = await drill({ ...place, withLoad: true, ramp: 0, hold: 3, returnShare: 0 });
    const { ratios, waves } = said as DrillReport;

    expect(waves.map((wave) => wave.load === null)).toEqual([true, false]);
    expect(waves.map((wave) => wave.failed)).toEqual([0, 0]);
    expect(waves[1]?.load).toMatchObject({ failures: {} });
    expect(waves[1]?.load?.rows).toBeGreaterThan(0);
    expect(ratios.find((one) => one.phase === 'sign-in')?.ratio).toBeGreaterThan(0);
    expect(await users('username=drill-load')).toEqual([]);
    expect(rowsOf(await place.raw.call('GET', 'groups'))).toEqual([]);
  });

  test('one who does not get in is told by the cause, and the drill has not gone well', async () => {
    await place.raw.call('PUT', '', { bruteForceProtected: false });
    const [stands] = await users('username=drill-00001&exact=true');
    await place.raw.call('PUT', `users/${stands?.['id']}/reset-password`, {
      type: 'password',
      value: 'another one',
      temporary: false,
    });
    const { code, said } = await drill({ ...place, returnShare: 0 });
    const { waves } = said as DrillReport;
    const post = waves[0]?.phases.find((one) => one.phase === 'form-post');

    expect(code).toBe(1);
    expect(post?.causes).toEqual({ 'wrong-credentials': 1 });
  });

  test('refuses a realm with other people, until it is said that it is production', async () => {
    await place.raw.call('POST', 'users', { username: 'ida', enabled: true });
    await expect(drill(place)).rejects.toThrow('holds people that no drill made');
    await expect(drill({ ...place, clean: true })).rejects.toThrow('--this-is-production');
    expect(await users('username=drill-')).toHaveLength(52);

    const production = { ...place, thisIsProduction: true };
    const { said } = await drill({ ...production, ramp: 0, hold: 1, returnShare: 0 });
    expect((said as DrillReport).waves[0]?.signedIn).toBeGreaterThan(0);
  });

  test('takes nobody over who bears such a name, and removes nobody else', async () => {
    const production = { ...place, thisIsProduction: true };
    await place.raw.call('POST', 'users', { username: 'drill-00099', enabled: true });
    await expect(drill({ ...production, prepare: true })).rejects.toThrow('no drill made them');

    expect((await drill({ ...production, clean: true })).said).toEqual({ removed: 52, left: 1 });
    const left = (await users('max=100')).map((user) => user['username']);
    expect(left.sort()).toEqual(['drill-00099', 'ida']);
    expect(await clients()).toEqual([]);
  });
});
