import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { setWeight } from '../../provisioning/ledger/queue-view.ts';
import type { Database } from '../../provisioning/store/database.ts';
import { openDatabase } from '../../provisioning/store/database.ts';
import type { Connector } from '../../provisioning/target/contract.ts';
import { neverCalm } from '../../services/worker/gate.ts';
import { openQueues } from '../../services/worker/queues.ts';
import { startWorker } from '../../services/worker/worker.ts';
import { loadTargets, seedAccounts } from '../bench/load.ts';
import { createTestDatabase } from '../support/database.ts';
import { openMemoryTarget } from '../support/memory-target.ts';

let server: Awaited<ReturnType<typeof createTestDatabase>>;
let database: Database;

beforeEach(async () => {
  server = await createTestDatabase();
  database = openDatabase({ url: server.url });
});

afterEach(async () => {
  await database[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

/** Targets that take 20 ms for a batch of 10, as many as there are tenants and types. */
function openTargets(names: readonly string[]): ReadonlyMap<string, Connector> {
  return new Map(
    names.map((name) => {
      const target = openMemoryTarget({ name, type: 'keycloak' });
      return [
        name,
        {
          ...target,
          apply: async (p: Parameters<Connector['apply']>[0]) => {
            await sleep(20);
            return target.apply(p);
          },
        },
      ];
    }),
  );
}

async function seed(tenant: string, people: number): Promise<void> {
  await database.addTenant({ id: tenant, name: tenant });
  await seedAccounts({ database, tenant, lane: 'bulk', from: 1, people });
  // The school that they need stands already.
  await database.as(tenant, (tx) => tx.execute(`update resource set needs = '{}'`));
}

/** From the commit to the last row settled, by the database's clock. */
async function readWait(tenant: string): Promise<{ readonly left: number; readonly ms: number }> {
  const [row] = await database.as(tenant, (tx) =>
    tx.query<{ left: number; ms: number }>(
      `select (count(*) filter (where state <> 'settled'))::int as left,
              coalesce(extract(epoch from max(settled_at) - min(changed_at)) * 1000, 0)::float8 as ms
       from resource`,
    ),
  );
  return row ?? { left: -1, ms: -1 };
}

async function start(p: {
  readonly targets: ReadonlyMap<string, Connector>;
  readonly concurrency: number;
}) {
  const queues = await openQueues({ databaseUrl: server.url, redisUrl: null });
  const worker = await startWorker({
    ...{ database, queues, concurrency: p.concurrency, sweepMs: 100 },
    connectorsOf: async () => p.targets,
    calmOf: () => neverCalm,
    onError: (error) => {
      throw error;
    },
  });
  return {
    async [Symbol.asyncDispose]() {
      await worker[Symbol.asyncDispose]();
      await queues[Symbol.asyncDispose]();
    },
  };
}

async function untilDone(tenant: string): Promise<number> {
  for (let tries = 0; tries < 600; tries += 1) {
    const { left, ms } = await readWait(tenant);
    if (left === 0) return ms;
    await sleep(100);
  }
  throw new Error(`${tenant} was not done in time.`);
}

it("a rollover of a neighbour costs a small tenant its neighbour's turns, and no more", async () => {
  const targets = openTargets(loadTargets);
  await seed('lille', 6);
  {
    await using _worker = await start({ targets, concurrency: 1 });
    await untilDone('lille');
  }
  const alone = (await readWait('lille')).ms;

  await seed('stor', 4000);
  await using _worker = await start({ targets, concurrency: 1 });
  await sleep(1500);
  await seed('anden', 6);
  const beside = await untilDone('anden');
  const { left } = await readWait('stor');
  expect(left).toBeGreaterThan(6000);
  // One slot for all: before each of its three targets come those of the other tenant, 2 s in all.
  expect(beside).toBeLessThan(3 * alone + 2 * 2000 + 1500);
});

it('tenants get their turns by weight', async () => {
  const targets = openTargets(['keycloak']);
  for (const tenant of ['en', 'tre']) {
    await seed(tenant, 4000);
    await database.as(tenant, (tx) =>
      tx.execute(`delete from resource where target <> 'keycloak'`),
    );
  }
  await setWeight({ database, tenant: 'en', weight: 0.2 });
  await setWeight({ database, tenant: 'tre', weight: 0.6 });
  {
    await using _worker = await start({ targets, concurrency: 1 });
    await sleep(8000);
  }
  const done = async (tenant: string) => 4000 - (await readWait(tenant)).left;
  const [one, three] = [await done('en'), await done('tre')];
  expect(one).toBeGreaterThan(50);
  expect(three / one).toBeGreaterThan(2);
  expect(three / one).toBeLessThan(4.5);
});

it('more targets than connections do not wait for one another for ever', async () => {
  const names = Array.from({ length: 16 }, (_, n) => `maal-${n}`);
  await seed('kommune', 100);
  await database.as('kommune', (tx) =>
    tx.execute(
      `update resource set key = target || ':' || key, target = 'maal-' || abs(hashtext(target || key)) % 16,
              lane = (array['now', 'sync', 'bulk'])[1 + abs(hashtext(key || target)) % 3]`,
    ),
  );
  await using _worker = await start({ targets: openTargets(names), concurrency: names.length });
  expect(await untilDone('kommune')).toBeGreaterThan(0);
});
