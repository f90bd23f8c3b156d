import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { isDrillPerson, refuseOrder, refuseRealm } from '../../services/drill/realm-guard.ts';
import { skolebus } from '../cli/command.ts';
import { drill } from './options.ts';

describe('a realm', () => {
  const empty = { attributes: {}, others: 0, thisIsProduction: false };

  test.each(['skole-test', 'drill', 'test.skole', 'a_Rehearsal_b', 'sandbox-1'])(
    '%s says that it is for tests',
    (realm) => {
      expect(refuseRealm({ ...empty, realm })).toBeNull();
    },
  );

  test.each(['skole', 'latest', 'testskolen', 'master', 'drills'])('%s does not', (realm) => {
    expect(refuseRealm({ ...empty, realm })).toContain('--this-is-production');
  });

  test('may say so in an attribute instead', () => {
    const attributes = { skolebusTestRealm: 'true' };
    expect(refuseRealm({ ...empty, realm: 'skole', attributes })).toBeNull();
    const no = { skolebusTestRealm: 'false' };
    expect(refuseRealm({ ...empty, realm: 'skole', attributes: no })).not.toBeNull();
  });

  test('with other people is refused whatever its name, unless it is said to be production', () => {
    const full = { ...empty, realm: 'skole-test', others: 1 };
    expect(refuseRealm(full)).toContain('holds people');
    expect(refuseRealm({ ...full, thisIsProduction: true })).toBeNull();
  });

  test.each([
    ['drill-00001', true],
    ['drill-123456', true],
    ['drill-load-x-1', false],
    ['drill-1', false],
    ['drill-00001x', false],
    ['ida', false],
  ])('%s signs in: %s', (username, yes) => {
    expect(isDrillPerson(username)).toBe(yes);
  });
});

describe('a size', () => {
  const order = { rate: 10, ramp: 10, hold: 60, warmUp: 10, people: 1000, waves: 2, rounds: 1 };

  test('within the bounds may run, also at their edge', () => {
    expect(refuseOrder(order)).toBeNull();
    const edge = { rate: 200, ramp: 0, hold: 295, people: 20_000, rounds: 20 };
    expect(refuseOrder({ ...order, ...edge })).toBeNull();
  });

  test.each([
    { rate: 0 },
    { rate: 201 },
    { rate: Number.NaN },
    { hold: 0 },
    { hold: 296 },
    { waves: 10 },
    { people: 20_001 },
    { people: 1.5 },
    { rounds: 0 },
    { rounds: 21 },
  ])('beyond them is refused: %o', (beyond) => {
    expect(refuseOrder({ ...order, ...beyond })).not.toBeNull();
  });
});

describe('a home', () => {
  let home = '';
  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), 'skolebus-drill-'));
  });
  afterAll(async () => {
    vi.unstubAllEnvs();
    await rm(home, { recursive: true, force: true });
  });
  const write = (text: string) => writeFile(join(home, 'targets.yaml'), `targets:\n${text}`);
  const keycloak =
    '  - { type: keycloak, url: "http://127.0.0.1:9", realm: skole-test, clientSecretEnv: DRILL_NONE }\n';

  test('of stand-ins is told what is missing, with the exit code of wrong use', async () => {
    const { code, stderr, stdout } = await skolebus(['drill', '--home', home]);
    expect(code).toBe(2);
    expect(stderr).toContain('drill needs a real Keycloak');
    expect(stdout).toBe('');
  });

  test('is asked for a Keycloak, and for one that it names', async () => {
    await write(
      `  - { type: moodle, url: "http://127.0.0.1:9", tokenEnv: DRILL_NONE }\n${keycloak}`,
    );
    await expect(drill({ home, target: 'moodle' })).rejects.toThrow('moodle is none');
    await expect(drill({ home, target: 'other' })).rejects.toThrow('other is none');
  });

  test('must have its secret in the environment', async () => {
    await write(keycloak);
    await expect(drill({ home })).rejects.toThrow('DRILL_NONE is not set');
  });

  test('is not asked at all for a size beyond the bounds, or for two things at once', async () => {
    await expect(drill({ home, rate: 500 })).rejects.toThrow('--rate 500');
    await expect(drill({ home, withLoad: true, rounds: 5, hold: 100 })).rejects.toThrow('600 s');
    await expect(drill({ home, prepare: true, clean: true })).rejects.toThrow('not both');
  });

  test('whose server is away is told so', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    await new Promise((resolve) => server.close(resolve));
    await write(keycloak.replace('127.0.0.1:9', `127.0.0.1:${port}`));
    vi.stubEnv('DRILL_NONE', 'a fixture secret');
    await expect(drill({ home })).rejects.toMatchObject({
      code: 'no-answer',
      message: expect.stringContaining('could not be reached'),
    });
  });
});
