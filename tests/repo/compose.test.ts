import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { readTargets } from '../../services/config.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

const Dependency = z.strictObject({
  condition: z.enum(['service_started', 'service_healthy', 'service_completed_successfully']),
});
const duration = z.string().regex(/^\d+(?:ms|s|m|h)$/);

/** What this repository uses of the Compose specification; a key misspelt there is refused here. */
const Compose = z.strictObject({
  name: z.string(),
  'x-defaults': z.unknown(),
  services: z.record(
    z.string(),
    z.strictObject({
      image: z.string().regex(/^[a-z0-9./-]+(?::[\w.-]+)?$/),
      build: z.string().optional(),
      restart: z.enum(['unless-stopped']),
      init: z.boolean().optional(),
      logging: z.strictObject({ driver: z.string(), options: z.record(z.string(), z.string()) }),
      entrypoint: z.string().optional(),
      command: z.array(z.string()).optional(),
      environment: z.record(z.string(), z.string()).optional(),
      ports: z.array(z.string().regex(/^(?:127\.0\.0\.1:)?\d+:\d+$/)).optional(),
      volumes: z.array(z.string()).optional(),
      networks: z.union([
        z.array(z.string()),
        z.record(z.string(), z.strictObject({ aliases: z.array(z.string()) })),
      ]),
      depends_on: z.record(z.string(), Dependency).optional(),
      shm_size: z.string().optional(),
      healthcheck: z.strictObject({
        test: z.tuple([z.enum(['CMD', 'CMD-SHELL'])], z.string()),
        interval: duration,
        timeout: duration,
        retries: z.number().int(),
        start_period: duration.optional(),
      }),
    }),
  ),
  networks: z.record(z.string(), z.strictObject({ internal: z.boolean() }).nullable()),
  volumes: z.record(z.string(), z.null()),
});

const text = readFileSync(join(ROOT, 'docker-compose.yml'), 'utf8');
const compose = Compose.parse(parse(text, { merge: true }));
const services = Object.entries(compose.services);
const example = readFileSync(join(ROOT, '.env.example'), 'utf8');
const variables = [...example.matchAll(/^([A-Z_]+)=(.*)$/gm)];

describe('docker-compose.yml', () => {
  it('has the three targets, the two stores and Skolebus', () => {
    expect(Object.keys(compose.services)).toEqual(
      expect.arrayContaining(['keycloak', 'nextcloud', 'moodle', 'postgres', 'redis', 'skolebus']),
    );
  });

  it('waits only for services that exist', () => {
    const waitedFor = services.flatMap(([, service]) => Object.keys(service.depends_on ?? {}));

    expect(Object.keys(compose.services)).toEqual(expect.arrayContaining(waitedFor));
  });

  it('declares every network and volume it uses, and no other', () => {
    const networks = services.flatMap(([, service]) =>
      Array.isArray(service.networks) ? service.networks : Object.keys(service.networks),
    );
    const mounted = services.flatMap(([, service]) => service.volumes ?? []);
    const named = mounted
      .map((mount) => mount.split(':')[0] ?? '')
      .filter((name) => !name.startsWith('.'));

    expect(new Set(networks)).toEqual(new Set(Object.keys(compose.networks)));
    expect(new Set(named)).toEqual(new Set(Object.keys(compose.volumes)));
  });

  it('mounts only files that are in the repository, and cannot write them', () => {
    const mounts = services.flatMap(([, service]) => service.volumes ?? []);
    const files = mounts.filter((mount) => mount.startsWith('./'));

    expect(files.length).toBeGreaterThan(3);
    for (const mount of files) {
      const [path = '', , mode] = mount.split(':');
      expect(existsSync(join(ROOT, path)), path).toBe(true);
      expect(mode, mount).toBe('ro');
    }
  });

  it('opens nothing but the proxy to the outside', () => {
    const open = services.filter(([, service]) =>
      (service.ports ?? []).some((port) => !port.startsWith('127.0.0.1:')),
    );

    expect(open.map(([name]) => name)).toEqual(['proxy']);
  });

  it('names a version of every image it does not build', () => {
    const loose = services.filter(
      ([, service]) => service.build === undefined && !/:\D*\d/.test(service.image),
    );

    expect(loose.map(([name]) => name)).toEqual([]);
  });

  it('takes every secret from .env, and refuses to start without it', () => {
    const used = [...text.matchAll(/(?<!\$)\$\{([A-Z_]+)(:\?|-)?[^}]*\}/g)];
    const optional = used.filter(([, , mark]) => mark !== ':?').map(([, name]) => name);
    const secrets = services
      .flatMap(([, service]) => Object.entries(service.environment ?? {}))
      .filter(([name]) => /PASS|SECRET|TOKEN|_KEY$/.test(name));

    expect(new Set(used.map(([, name]) => name))).toEqual(
      new Set(variables.map(([, name]) => name)),
    );
    expect(optional).toEqual(['MOODLE_TOKEN']);
    expect(variables.filter(([, , value]) => value !== '')).toEqual([]);
    expect(secrets.length).toBeGreaterThan(10);
    for (const [name, value] of secrets) expect(value, name).toMatch(/^\$\{[A-Z_]+/);
  });

  it('fills in the realm from the environment of Keycloak', () => {
    const realm = readFileSync(join(ROOT, 'deploy/compose/keycloak/realm.json'), 'utf8');
    const wanted = [...realm.matchAll(/\$\{([A-Z_]+)\}/g)].map(([, name]) => name);

    expect(JSON.parse(realm)).toMatchObject({ realm: 'kommune' });
    expect(Object.keys(compose.services['keycloak']?.environment ?? {})).toEqual(
      expect.arrayContaining(wanted),
    );
  });

  it('gives Skolebus targets that it can read, with secrets that it gets', async () => {
    const targets = (await readTargets(join(ROOT, 'deploy/compose/skolebus'))) ?? [];
    const names = targets.map((target) => {
      if (target.type === 'keycloak') return target.clientSecretEnv;
      return target.type === 'nextcloud' ? target.passwordEnv : target.tokenEnv;
    });

    expect(targets.map((target) => target.type)).toEqual(['keycloak', 'nextcloud', 'moodle']);
    expect(Object.keys(compose.services['skolebus']?.environment ?? {})).toEqual(
      expect.arrayContaining(names),
    );
  });

  it.each([
    ['bash', 'deploy/compose/postgres/databases.sh'],
    ['sh', 'deploy/compose/nextcloud/apps.sh'],
    ['sh', 'skolebus'],
    ['bash', '.ci/run'],
  ])('has a script that %s can read and run: %s', (shell, path) => {
    execFileSync(shell, ['-n', join(ROOT, path)]);

    expect(statSync(join(ROOT, path)).mode & 0o111).toBe(0o111);
  });

  it('is accepted by docker compose', (context) => {
    if (spawnSync('docker', ['compose', 'version'], { stdio: 'ignore' }).status !== 0) {
      context.skip('there is no docker compose here; the tests above read the file instead');
    }
    const folder = mkdtempSync(join(tmpdir(), 'compose-'));
    const environment = join(folder, 'env');
    writeFileSync(environment, variables.map(([, name]) => `${name}=x`).join('\n'));
    try {
      const config = [
        'compose',
        '--file',
        'docker-compose.yml',
        '--env-file',
        environment,
        'config',
        '--quiet',
      ];
      execFileSync('docker', config, { cwd: ROOT, stdio: 'pipe' });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
