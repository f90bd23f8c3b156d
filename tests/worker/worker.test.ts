import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readProgress } from '../../provisioning/ledger/progress.ts';
import { lanes } from '../../provisioning/policy/lane.ts';
import type { Connector } from '../../provisioning/target/contract.ts';
import { neverCalm } from '../../services/worker/gate.ts';
import type { Queues } from '../../services/worker/queues.ts';
import { openQueues } from '../../services/worker/queues.ts';
import { waitUntilDone } from '../../services/worker/run-until-done.ts';
import { startWorker } from '../../services/worker/worker.ts';
import type { Line } from '../support/line.ts';
import { openLine } from '../support/line.ts';
import type { TestRedis } from '../support/redis.ts';
import { startTestRedis, whyNoRedis } from '../support/redis.ts';
import { smallRoster } from '../support/roster.ts';

const monday = new Date('2026-11-02T05:00:00Z');
const roster = smallRoster({ pupils: 20 });

describe.each(['postgres', 'redis'] as const)('a worker with its queues on %s', (backend) => {
  let redis: TestRedis | null = null;
  let line: Line;
  let queues: Queues;

  beforeEach(async (context) => {
    if (backend === 'redis') {
      const why = whyNoRedis();
      if (why !== null) context.skip(why);
      // One a test: a ticket that one test left behind would be counted by the next.
      redis = await startTestRedis();
    }
    line = await openLine();
    queues = await openQueues({ databaseUrl: line.database.url, redisUrl: redis?.url ?? null });
  });

  afterEach(async () => {
    await queues[Symbol.asyncDispose]();
    await line[Symbol.asyncDispose]();
    await redis?.[Symbol.asyncDispose]();
  });

  function connectors(): ReadonlyMap<string, Connector> {
    return new Map(Object.entries(line.targets));
  }

  function start() {
    return startWorker({
      database: line.database,
      queues,
      connectorsOf: async () => connectors(),
      calmOf: () => neverCalm,
      concurrency: 3,
      sweepMs: 200,
      onError: (error) => {
        throw error;
      },
    });
  }

  async function due(): Promise<number> {
    return (await readProgress(line)).reduce((sum, row) => sum + row.due, 0);
  }

  it('brings all targets to the ledger, and then is quiet', async () => {
    await line.day({ roster, now: monday });
    await using worker = await start();
    const last = await waitUntilDone({
      ...line,
      worker,
      signal: AbortSignal.timeout(30_000),
      onProgress: () => {},
    });
    expect(last).toMatchObject({ due: 0, failed: 0 });
    const writes = line.targets.keycloak.writes.length;
    expect(writes).toBe(44 + 4);
    await sleep(600);
    expect(line.targets.keycloak.writes).toHaveLength(writes);
    for (const lane of lanes) expect(await queues.count(lane)).toBe(0);
  });

  it('needs no ticket to have survived: the sweep writes new ones', async () => {
    await line.day({ roster, now: monday });
    await using worker = await start();
    for (let tries = 0; tries < 150 && (await due()) > 0; tries += 1) await sleep(100);
    expect(await due()).toBe(0);
    await worker.sweep();
  });

  it('keeps one waiting ticket of a target, however many are added', async () => {
    for (let n = 0; n < 20; n += 1) {
      await queues.add({ lane: 'sync', ticket: { tenant: line.tenant, target: 'keycloak' } });
    }
    expect(await queues.count('sync')).toBe(1);
  });

  it('gets back a ticket that was taken by a clock far ahead, whose process is gone', async (context) => {
    if (backend === 'redis') context.skip('Redis counts times to live by itself.');
    await line.day({ roster, now: monday });
    for (const target of connectors().keys()) {
      await queues.add({ lane: 'sync', ticket: { tenant: line.tenant, target } });
    }
    const inTwoHours = Date.now() + 2 * 3_600_000;
    await line.database.as('*', async (tx) => {
      await tx.execute(
        `update bullmq.job set state = 'active', lock_token = 'gone', locked_until_ms = $1`,
        [inTwoHours],
      );
      await tx.execute(
        `insert into bullmq.meta (queue, field, value) values ('skolebus-sync', 'stalled-check', $1)`,
        [String(inTwoHours)],
      );
    });
    await using _worker = await start();
    for (let tries = 0; tries < 300 && (await due()) > 0; tries += 1) await sleep(100);
    expect(await due()).toBe(0);
  }, 60_000);
});
