/** What can happen to a running Skolebus, each at a moment of chance. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import type { Database } from '../../../provisioning/store/database.ts';
import type { EmbeddedPostgres } from '../../../provisioning/store/embedded.ts';
import { startEmbeddedPostgres } from '../../../provisioning/store/embedded.ts';
import type { TestRedis } from '../../support/redis.ts';
import type { Relay } from './relay.ts';
import type { Service } from './service.ts';

export interface Scene {
  readonly postgresDir: string;
  readonly database: Database;
  readonly redis: TestRedis | null;
  readonly services: readonly Service[];
  readonly relays: readonly Relay[];
  readonly random: () => number;
  /** Leases of database servers that were started again; closed at the end. */
  readonly started: EmbeddedPostgres[];
  /** Goes on beside the next points; awaited at the end. */
  readonly beside: (work: Promise<void>) => void;
}

export const pointKinds = [
  'kill-service',
  'stop-service',
  'restart-postgres',
  'cut-database',
  'flush-queue',
  'restart-redis',
  'cut-network',
  'jump-clock',
] as const;
export type PointKind = (typeof pointKinds)[number];

/** @returns null where it cannot be done at the moment: both services are down, or there is no Redis */
export async function strike(p: {
  readonly scene: Scene;
  readonly kind: PointKind;
}): Promise<PointKind | null> {
  const { scene, kind } = p;
  const done = await strikes[kind](scene);
  return done ? kind : null;
}

const strikes: Readonly<Record<PointKind, (scene: Scene) => Promise<boolean>>> = {
  async 'kill-service'(scene) {
    const service = chooseService(scene);
    if (service === null) return false;
    scene.beside(service.kill({ pauseMs: scene.random() * 1000 }));
    return true;
  },
  /** Longer than a lease, and now and then longer than a lock. */
  async 'stop-service'(scene) {
    const service = chooseService(scene);
    // With both stopped there would be nothing to see.
    if (service === null || !scene.services.every((one) => one.ready)) return false;
    scene.beside(service.stop(16_000 + scene.random() * 24_000));
    return true;
  },
  async 'restart-postgres'(scene) {
    const pid = Number(
      readFileSync(join(scene.postgresDir, 'data', 'postmaster.pid'), 'utf8').split('\n')[0],
    );
    process.kill(pid, scene.random() < 0.5 ? 'SIGQUIT' : 'SIGKILL');
    await sleep(scene.random() * 1000);
    scene.started.push(await startEmbeddedPostgres({ dir: scene.postgresDir }));
    return true;
  },
  async 'cut-database'(scene) {
    await scene.database.as('*', (tx) =>
      tx.execute(
        `select pg_terminate_backend(pid) from pg_stat_activity
         where pid <> pg_backend_pid() and usename = current_user`,
      ),
    );
    return true;
  },
  async 'flush-queue'(scene) {
    await flushQueues(scene);
    return true;
  },
  async 'restart-redis'(scene) {
    if (scene.redis === null || scene.redis.crash === null) return false;
    await scene.redis.crash();
    return true;
  },
  async 'cut-network'(scene) {
    const relay = scene.relays[Math.floor(scene.random() * scene.relays.length)];
    if (relay === undefined) return false;
    scene.beside(relay.cut(200 + scene.random() * 2800));
    return true;
  },
  /** Up to three hours, either way. */
  async 'jump-clock'(scene) {
    const service = chooseService(scene);
    if (service === null) return false;
    service.setClock(Math.round((scene.random() * 6 - 3) * 3_600_000));
    return true;
  },
};

function chooseService(scene: Scene): Service | null {
  const ready = scene.services.filter((one) => one.ready);
  return ready[Math.floor(scene.random() * ready.length)] ?? null;
}

/** Everything the queue knows is gone. */
async function flushQueues(scene: Scene): Promise<void> {
  if (scene.redis !== null) {
    const client = new Redis(scene.redis.url, { retryStrategy: () => 50 });
    client.on('error', () => {});
    await client.flushall();
    client.disconnect();
    return;
  }
  await scene.database.as('*', async (tx) => {
    const tables = await tx.query<{ name: string }>(
      `select format('%I.%I', schemaname, tablename) as name from pg_tables
       where schemaname = 'bullmq' and tablename not in ('migration', 'meta')`,
    );
    await tx.execute(`truncate ${tables.map((table) => table.name).join(', ')}`);
  });
}
