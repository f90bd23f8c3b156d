import { randomUUID } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { commitPlan } from '../../../provisioning/ledger/commit.ts';
import { readProgress } from '../../../provisioning/ledger/progress.ts';
import type { Database } from '../../../provisioning/store/database.ts';
import { openDatabase } from '../../../provisioning/store/database.ts';
import type { EmbeddedPostgres } from '../../../provisioning/store/embedded.ts';
import { startEmbeddedPostgres } from '../../../provisioning/store/embedded.ts';
import { migrate } from '../../../provisioning/store/migrate.ts';
import { connectSandbox } from '../../../services/connectors.ts';
import { typesOfTargets } from '../../../services/context.ts';
import { generate } from '../../../services/generator/generate.ts';
import { createRandom } from '../../../services/generator/random.ts';
import { prepareTargets } from '../../../services/prepare.ts';
import type { SandboxAddresses } from '../../../services/sandbox/sandbox.ts';
import { planFeedDay } from '../../support/municipality.ts';
import { startTestRedis } from '../../support/redis.ts';
import { spawnSandbox } from '../../support/sandbox-process.ts';
import type { PointKind, Scene } from './points.ts';
import { pointKinds, strike } from './points.ts';
import { openRelay } from './relay.ts';
import { startService } from './service.ts';
import type { Promised } from './verify.ts';
import { readPromised, verify } from './verify.ts';

export interface KillReport {
  readonly points: number;
  readonly rows: number;
  readonly lost: number;
  readonly doubled: number;
  readonly stuck: number;
  readonly seconds: number;
  /** How often each thing happened. */
  readonly struck: Readonly<Record<string, number>>;
  /** Services that ended by themselves: an outage of others must not take them down. */
  readonly ended: number;
  /** Up to twenty of what is lost, doubled or stuck. */
  readonly found: readonly string[];
}

const tenant = 'kommune';
/** Rows of a generated municipality, per person; measured. */
const rowsPerPerson = 3.3;
/** A point comes when so much is done, or after this time without it, in ms. */
const patienceMs = 10_000;
/** Without any progress for so long at the end, the rest is stuck, in ms. */
const stuckMs = 180_000;

/**
 * Two days of a made-up municipality, brought to the three stand-ins by two services (API and worker) that
 * share database and queue, while something happens to them `points` times, spread over the work. The
 * second day is committed half way, through an API that is killed meanwhile.
 */
export async function runKills(p: {
  /** Empty; everything is kept below it. */
  readonly dir: string;
  readonly rows: number;
  readonly points: number;
  readonly backend: 'postgres' | 'redis';
  readonly seed: number;
  readonly tell: (line: string) => void;
}): Promise<KillReport> {
  const begun = performance.now();
  const people = Math.ceil(p.rows / rowsPerPerson);
  const home = join(p.dir, 'home');
  mkdirSync(home);
  await generate({
    out: home,
    seed: p.seed,
    schools: Math.max(1, Math.round(people / 500)),
    people,
  });

  await using stack = new AsyncDisposableStack();
  const started: EmbeddedPostgres[] = [];
  stack.defer(async () => {
    for (const one of started) await one[Symbol.asyncDispose]();
  });
  const postgresDir = join(p.dir, 'postgres');
  const first = await startEmbeddedPostgres({ dir: postgresDir });
  started.push(first);
  await migrate({ url: first.url });
  const database = stack.use(openDatabase({ url: first.url, max: 4 }));
  await database.addTenant({ id: tenant, name: tenant });
  const redis = p.backend === 'redis' ? stack.use(await startTestRedis()) : null;
  const sandbox = stack.use(await spawnSandbox());
  // As a municipality's Moodle has it; the default policy names it.
  await fetch(`${sandbox.addresses.moodle.url}/__sandbox/administration`, {
    method: 'POST',
    body: JSON.stringify({ do: 'install-auth', name: 'oidc' }),
  });
  const connectors = connectSandbox(sandbox.addresses);
  for (const connector of connectors.values()) stack.use(connector);
  const targets = typesOfTargets(connectors);
  await prepareTargets({ connectors: connectors.values(), onTrouble: p.tell });
  const day = { database, tenant, targets, feed: home };
  const plan = await planFeedDay({ ...day, day: 'day1' });
  await commitPlan({ database, tenant, planId: plan.id, now: new Date() });
  p.tell(`Day 1 is committed: ${(await readCounts(database)).rows} rows.`);

  const { relays, addresses } = await openRelays(sandbox.addresses);
  for (const relay of relays) stack.use(relay);
  const order = { databaseUrl: first.url, redisUrl: redis?.url ?? null, addresses, tenant, home };
  const services = [
    stack.use(await startService({ order, log: join(p.dir, 'service-1.log') })),
    stack.use(await startService({ order, log: join(p.dir, 'service-2.log') })),
  ];

  const going: Promise<void>[] = [];
  const random = createRandom(p.seed);
  const scene: Scene = {
    ...{ postgresDir, database, redis, services, relays, started },
    random: random.next,
    beside: (work) => going.push(work),
  };
  const struck = new Map<PointKind, number>();
  const deck: PointKind[] = [];
  let promised: Promised = await readPromised({ database, tenant });
  for (let point = 1; point <= p.points; point += 1) {
    await untilShare({ database, share: point / (p.points + 1) });
    if (point === Math.ceil(p.points / 2)) {
      const next = await planFeedDay({ ...day, day: 'day2' });
      await commitUnderFire({ scene, planId: next.id });
      promised = await readPromised({ database, tenant });
      p.tell(`Day 2 is committed: ${promised.size} rows.`);
    }
    const kind = await strikeNext({ scene, deck });
    struck.set(kind, (struck.get(kind) ?? 0) + 1);
    const { settled, due } = await again(() => readCounts(database));
    p.tell(`${point}/${p.points} ${kind}: ${settled} settled, ${due} due`);
  }
  await Promise.all(going);
  await untilNothingMoves(database);
  const verdict = await verify({ database, tenant, home, connectors, promised });
  return {
    points: [...struck.values()].reduce((sum, n) => sum + n, 0),
    rows: promised.size,
    lost: verdict.lost.length,
    doubled: verdict.doubled.length,
    stuck: verdict.stuck.length,
    seconds: Math.round((performance.now() - begun) / 1000),
    struck: Object.fromEntries([...struck].sort()),
    ended: services.reduce((sum, one) => sum + one.ended, 0),
    found: [...verdict.stuck, ...verdict.doubled, ...verdict.lost].slice(0, 20),
  };
}

async function openRelays(addresses: SandboxAddresses) {
  const { keycloak, nextcloud, moodle } = addresses;
  const [k, n, m] = [
    await openRelay(keycloak),
    await openRelay(nextcloud),
    await openRelay(moodle),
  ];
  return {
    relays: [k, n, m],
    addresses: {
      keycloak: { ...keycloak, url: k.url },
      nextcloud: { ...nextcloud, url: n.url },
      moodle: { ...moodle, url: m.url },
    },
  };
}

/** Every kind comes as often as the others, in an order of chance; one that cannot be done is left out. */
async function strikeNext(p: {
  readonly scene: Scene;
  readonly deck: PointKind[];
}): Promise<PointKind> {
  for (;;) {
    if (p.deck.length === 0) {
      const shuffled = pointKinds.map((kind) => ({ kind, at: p.scene.random() }));
      p.deck.push(...shuffled.sort((a, b) => a.at - b.at).map((one) => one.kind));
    }
    const kind = p.deck.pop();
    if (kind === undefined) continue;
    const done = await again(() => strike({ scene: p.scene, kind }));
    if (done !== null) return done;
    await sleep(50);
  }
}

/** As a client does that must know: the same request again, under the same key, until it is answered. */
async function commitUnderFire(p: {
  readonly scene: Scene;
  readonly planId: string;
}): Promise<void> {
  const key = randomUUID();
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const service = p.scene.services.find((one) => one.ready);
    if (service === undefined) {
      await sleep(200);
      continue;
    }
    const answer = service
      .post({ path: `/api/v1/plans/${p.planId}/commit`, body: {}, key })
      .catch(() => null);
    if (attempt < 3) {
      await sleep(p.scene.random() * 200);
      await service.kill({ pauseMs: 0 });
    }
    const response = await answer;
    if (response?.status === 200) return;
    if (response !== null && response.status < 500 && response.status !== 409) {
      throw new Error(`The commit was refused: ${response.status} ${await response.text()}`);
    }
    await sleep(500);
  }
  throw new Error('The commit was never answered.');
}

async function untilShare(p: {
  readonly database: Database;
  readonly share: number;
}): Promise<void> {
  const deadline = performance.now() + patienceMs;
  while (performance.now() < deadline) {
    const { settled, rows } = await again(() => readCounts(p.database));
    if (settled >= rows * p.share) return;
    await sleep(200);
  }
}

async function untilNothingMoves(database: Database): Promise<void> {
  let best = -1;
  let bestAt = performance.now();
  while (performance.now() - bestAt < stuckMs) {
    const { settled, due } = await again(() => readCounts(database));
    if (due === 0) return;
    if (settled > best) {
      best = settled;
      bestAt = performance.now();
    }
    await sleep(500);
  }
}

async function readCounts(database: Database) {
  const rows = await readProgress({ database, tenant });
  const sum = (of: 'settled' | 'due' | 'failed') => rows.reduce((all, row) => all + row[of], 0);
  const [settled, due, failed] = [sum('settled'), sum('due'), sum('failed')];
  return { settled, due, rows: settled + due + failed };
}

/** The database may be down at the moment, and our own connections cut with everybody's. */
async function again<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      if (attempt === 20) throw error;
      await sleep(250);
    }
  }
}
