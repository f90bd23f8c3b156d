/** A real Keycloak for tests: one that is already there, or our own on a free loopback port. */

import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { findKeycloakDistribution } from './keycloak-dist.ts';

export interface KeycloakServer extends AsyncDisposable {
  readonly url: string;
  readonly user: string;
  readonly password: string;
  readonly version: string;
}

/**
 * Uses SKOLEBUS_TEST_KEYCLOAK_URL, _USER and _PASSWORD where they are set, else starts its own with
 * a database in memory (about 10 s on two shared cores). Null where this machine cannot: the reason
 * is written to stderr, so that a run says what it left out. With CI=true it throws instead.
 */
export async function startKeycloak(): Promise<KeycloakServer | null> {
  const url = process.env['SKOLEBUS_TEST_KEYCLOAK_URL'];
  if (url !== undefined && url !== '') return useRunning(url);
  const found = await findKeycloakDistribution();
  if ('leftOut' in found) {
    const reason = `Tests against a real Keycloak are left out: ${found.leftOut}. Set SKOLEBUS_TEST_KEYCLOAK_URL to use a running one.`;
    if (process.env['CI'] === 'true') throw new Error(reason);
    console.warn(reason);
    return null;
  }
  const password = randomBytes(18).toString('base64url');
  const port = await freePort();
  const log: string[] = [];
  const child = spawn(
    `${found.home}/bin/kc.sh`,
    [
      'start',
      '--optimized',
      '--http-enabled=true',
      '--http-host=127.0.0.1',
      `--http-port=${port}`,
      '--hostname-strict=false',
      '--log-level=warn',
    ],
    {
      // Its own process group, so that what we stop is what we started and nothing else.
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        ...process.env,
        JAVA_HOME: found.javaHome,
        JAVA_OPTS_KC_HEAP: '-Xms256m -Xmx768m',
        JAVA_OPTS_APPEND: '-XX:TieredStopAtLevel=1',
        KC_BOOTSTRAP_ADMIN_USERNAME: 'admin',
        KC_BOOTSTRAP_ADMIN_PASSWORD: password,
      },
    },
  );
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => log.push(chunk.toString('utf8')));
  }
  const killNow = () => killGroup(child, 'SIGKILL');
  process.once('exit', killNow);
  const stop = async () => {
    process.removeListener('exit', killNow);
    await stopGroup(child);
  };
  try {
    await waitUntilReady({ url: `http://127.0.0.1:${port}`, child, log });
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    url: `http://127.0.0.1:${port}`,
    user: 'admin',
    password,
    version: found.version,
    [Symbol.asyncDispose]: stop,
  };
}

async function useRunning(url: string): Promise<KeycloakServer> {
  const base = url.replace(/\/+$/, '');
  const user = process.env['SKOLEBUS_TEST_KEYCLOAK_USER'] ?? 'admin';
  const password = process.env['SKOLEBUS_TEST_KEYCLOAK_PASSWORD'] ?? 'admin';
  const token = await fetch(`${base}/realms/master/protocol/openid-connect/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'password',
      client_id: 'admin-cli',
      username: user,
      password,
    }),
  });
  if (!token.ok) {
    throw new Error(
      `SKOLEBUS_TEST_KEYCLOAK_URL answered ${token.status} to a sign-in: check _USER and _PASSWORD.`,
    );
  }
  const { access_token } = (await token.json()) as { access_token: string };
  const info = await fetch(`${base}/admin/serverinfo`, {
    headers: { authorization: `Bearer ${access_token}` },
  });
  const { systemInfo } = (await info.json()) as { systemInfo?: { version?: string } };
  return {
    url: base,
    user,
    password,
    version: systemInfo?.version ?? 'unknown',
    [Symbol.asyncDispose]: async () => {},
  };
}

async function waitUntilReady(p: {
  readonly url: string;
  readonly child: ChildProcess;
  readonly log: readonly string[];
}): Promise<void> {
  const deadline = Date.now() + 120_000;
  while (Date.now() < deadline) {
    if (p.child.exitCode !== null) break;
    const answer = await fetch(`${p.url}/realms/master`).catch(() => null);
    await answer?.arrayBuffer();
    if (answer?.ok === true) return;
    await sleep(200);
  }
  throw new Error(`Keycloak did not start. It said:\n${p.log.join('').slice(-4000)}`);
}

async function stopGroup(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  killGroup(child, 'SIGTERM');
  const killer = setTimeout(() => killGroup(child, 'SIGKILL'), 5_000);
  await exited;
  clearTimeout(killer);
}

function killGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // The group is gone already.
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port was given');
  return address.port;
}
