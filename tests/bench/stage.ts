/** Database, queue, worker and the stand-ins in a process of their own, for measuring loads. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Database } from '../../provisioning/store/database.ts';
import { openDatabase } from '../../provisioning/store/database.ts';
import { startEmbeddedPostgres } from '../../provisioning/store/embedded.ts';
import { migrate } from '../../provisioning/store/migrate.ts';
import { connectSandbox } from '../../services/connectors.ts';
import { prepareTargets } from '../../services/prepare.ts';
import { neverCalm } from '../../services/worker/gate.ts';
import { openQueues } from '../../services/worker/queues.ts';
import type { RunningWorker } from '../../services/worker/worker.ts';
import { startWorker } from '../../services/worker/worker.ts';
import { startTestRedis } from '../support/redis.ts';
import { spawnSandbox } from '../support/sandbox-process.ts';

export interface Stage extends AsyncDisposable {
  readonly database: Database;
  /** Starts with nothing due, or with what was seeded before. */
  work(): Promise<RunningWorker>;
}

/** @param p.backend postgres or redis; of the queue */
export async function openStage(p: {
  readonly backend: string;
  readonly tenants: readonly string[];
}): Promise<Stage> {
  await using stack = new AsyncDisposableStack();
  const dir = mkdtempSync(join(tmpdir(), 'skolebus-bench-'));
  stack.defer(() => rmSync(dir, { recursive: true, force: true }));
  const postgres = stack.use(await startEmbeddedPostgres({ dir: join(dir, 'postgres') }));
  await migrate({ url: postgres.url });
  const database = stack.use(openDatabase({ url: postgres.url, max: 20 }));
  for (const tenant of p.tenants) await database.addTenant({ id: tenant, name: tenant });
  const redis = p.backend === 'redis' ? stack.use(await startTestRedis()) : null;
  const sandbox = stack.use(await spawnSandbox());
  const connectors = connectSandbox(sandbox.addresses);
  for (const connector of connectors.values()) stack.use(connector);
  await prepareTargets({ connectors: connectors.values(), onTrouble: console.error });
  const open = stack.move();
  return {
    database,
    async work() {
      const queues = open.use(
        await openQueues({ databaseUrl: postgres.url, redisUrl: redis?.url ?? null }),
      );
      return open.use(
        await startWorker({
          ...{ database, queues, concurrency: 3, sweepMs: 1000 },
          connectorsOf: async () => connectors,
          calmOf: () => neverCalm,
          onError: (error) => console.error(error.message),
        }),
      );
    },
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  };
}
