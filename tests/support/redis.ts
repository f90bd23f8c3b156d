/** A private Redis for the tests of the queue's second home. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';

export interface TestRedis extends AsyncDisposable {
  readonly url: string;
  /** Kills the server and starts an empty one at the same address; null where it is not ours. */
  readonly crash: (() => Promise<void>) | null;
}

/**
 * Why the Redis tests cannot run here, or null when they can. In CI (CI=true) it throws instead:
 * there, leaving them out would hide a failure.
 */
export function whyNoRedis(): string | null {
  if (process.env['SKOLEBUS_TEST_REDIS_URL'] !== undefined) return null;
  const found = spawnSync('redis-server', ['--version'], { stdio: 'ignore' }).status === 0;
  if (found) return null;
  const reason =
    'redis-server is not installed: the Redis tests are left out (the queue is tested on PostgreSQL)';
  if (process.env['CI'] === 'true') throw new Error(reason);
  return reason;
}

/** Starts a server of its own on a loopback port, behind a password; keeps nothing on disk. */
export async function startTestRedis(): Promise<TestRedis> {
  const given = process.env['SKOLEBUS_TEST_REDIS_URL'];
  if (given !== undefined) {
    return { url: given, crash: null, [Symbol.asyncDispose]: async () => {} };
  }
  const dir = mkdtempSync(join(tmpdir(), 'skolebus-redis-'));
  for (let attempt = 1; attempt <= 3; attempt += 1) {
    const place = { dir, port: await findFreePort(), password: randomBytes(16).toString('hex') };
    const url = `redis://:${place.password}@127.0.0.1:${place.port}`;
    let server = spawnServer(place);
    if (!(await answers({ url, server }))) {
      await stop({ server, dir: null });
      continue;
    }
    return {
      url,
      async crash() {
        const exit = once(server, 'exit');
        server.kill('SIGKILL');
        await exit;
        server = spawnServer(place);
        if (!(await answers({ url, server }))) throw new Error('Redis does not start again');
      },
      [Symbol.asyncDispose]: () => stop({ server, dir }),
    };
  }
  rmSync(dir, { recursive: true });
  throw new Error('redis-server does not start; run it by hand to see why');
}

function spawnServer(p: {
  readonly dir: string;
  readonly port: number;
  readonly password: string;
}): ChildProcess {
  const server = spawn('redis-server', ['-'], { cwd: p.dir, stdio: ['pipe', 'ignore', 'inherit'] });
  server.stdin.end(
    `bind 127.0.0.1\nport ${p.port}\nrequirepass ${p.password}\nsave ""\nappendonly no\nmaxmemory-policy noeviction\n`,
  );
  return server;
}

async function answers(p: {
  readonly url: string;
  readonly server: ChildProcess;
}): Promise<boolean> {
  const client = new Redis(p.url, { lazyConnect: true, retryStrategy: () => 20 });
  client.on('error', () => {});
  try {
    const deadline = Date.now() + 10_000;
    while (Date.now() < deadline && p.server.exitCode === null) {
      if (client.status === 'wait') client.connect().catch(() => {});
      if (client.status === 'ready') return (await client.ping()) === 'PONG';
      await sleep(10);
    }
    return false;
  } finally {
    client.disconnect();
  }
}

async function stop(p: {
  readonly server: ChildProcess;
  readonly dir: string | null;
}): Promise<void> {
  if (p.server.exitCode === null && p.server.signalCode === null) {
    const exit = once(p.server, 'exit');
    p.server.kill('SIGTERM');
    await exit;
  }
  if (p.dir !== null) rmSync(p.dir, { recursive: true, force: true });
}

async function findFreePort(): Promise<number> {
  const probe = createServer();
  probe.listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  await once(probe, 'close');
  if (address === null || typeof address === 'string') throw new Error('no loopback port');
  return address.port;
}
