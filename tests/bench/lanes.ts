/**
 * `npm run -s bench -- lanes [--rows 100000] [--seconds 40] [--backend postgres|redis] [--json]`: with so
 * many rows due in lane `bulk` and a stream of them in `sync`, how long a person in lane `now` waits until
 * all three targets have the account, and how fast the rest is worked off meanwhile. The targets are the
 * stand-ins, in a process of their own.
 *
 * Prints one line: rows, nowP50Ms, nowP99Ms, drainRowsPerSecond. The waits are the database's: from the
 * commit of the person's rows to the last one settled.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { Database } from '../../provisioning/store/database.ts';
import { seedAccounts, seedSchool } from './load.ts';
import { openStage } from './stage.ts';

const { values } = parseArgs({
  allowPositionals: true,
  options: {
    rows: { type: 'string', default: '100000' },
    seconds: { type: 'string', default: '40' },
    backend: { type: 'string', default: 'postgres' },
    json: { type: 'boolean', default: false },
  },
});
const rows = Number(values.rows);
const seconds = Number(values.seconds);
const tenant = 'kommune';
/** A person comes every so many ms, and beside it some of lane `sync`. */
const everyMs = 250;

await using stage = await openStage({ ...values, tenants: [tenant] });
const { database } = stage;
await seedSchool({ database, tenant, lane: 'bulk' });
await seedAccounts({ database, tenant, lane: 'bulk', from: 1, people: Math.ceil(rows / 3) });
const worker = await stage.work();
await worker.sweep();
// The first seconds are the school, cold caches and connections.
await sleep(3000);
const before = await countSettled(database);
const started = performance.now();
let people = 0;
for (let at = 0; at < seconds * 1000; at += everyMs) {
  await sleep(Math.max(0, started + at - performance.now()));
  people += 1;
  await seedAccounts({ database, tenant, lane: 'now', from: 10_000_000 + people, people: 1 });
  const sync = { database, tenant, lane: 'sync', people: 3 } as const;
  await seedAccounts({ ...sync, from: 20_000_000 + people * 3 });
  // As the API does after a commit.
  await worker.sweep();
}
await untilNoneWaits(database);
const settled = (await countSettled(database)) - before;
const elapsed = (performance.now() - started) / 1000;
const line = {
  rows,
  ...(await readWaits(database)),
  drainRowsPerSecond: Math.round(settled / elapsed),
};
process.stdout.write(`${JSON.stringify(line)}\n`);

async function countSettled(database: Database): Promise<number> {
  const [row] = await database.as(tenant, (tx) =>
    tx.query<{ n: number }>(`select count(*)::int as n from resource where state = 'settled'`),
  );
  return row?.n ?? 0;
}

async function untilNoneWaits(database: Database): Promise<void> {
  for (;;) {
    const [row] = await database.as(tenant, (tx) =>
      tx.query<{ n: number }>(
        `select count(*)::int as n from resource where lane = 'now' and state <> 'settled'`,
      ),
    );
    if (row?.n === 0) return;
    await sleep(200);
  }
}

async function readWaits(database: Database): Promise<{ nowP50Ms: number; nowP99Ms: number }> {
  const [row] = await database.as(tenant, (tx) =>
    tx.query<{ p50: number; p99: number }>(
      `with person as (
         select extract(epoch from max(settled_at) - min(changed_at)) * 1000 as ms
         from resource where lane = 'now' group by key)
       select percentile_disc(0.5) within group (order by ms)::float8 as p50,
              percentile_disc(0.99) within group (order by ms)::float8 as p99 from person`,
    ),
  );
  return { nowP50Ms: Math.round(row?.p50 ?? 0), nowP99Ms: Math.round(row?.p99 ?? 0) };
}
