/**
 * `npm run -s bench -- fairness [--rows 200000] [--syncs 20] [--backend postgres|redis] [--json]`: how long a
 * small tenant's sync of 51 rows takes, from its commit to the last row settled, alone and while another tenant's
 * rollover of so many rows is worked off; in its own lane, as it is in life, and in the rollover's lane, where
 * only turns stand between the two. The targets are the stand-ins, in a process of their own.
 *
 * Prints one line: rows, and the median and the longest of each in ms.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { Lane } from '../../provisioning/policy/lane.ts';
import type { Database } from '../../provisioning/store/database.ts';
import { seedAccounts, seedSchool } from './load.ts';
import { openStage } from './stage.ts';

const { values } = parseArgs({
  allowPositionals: true,
  options: {
    rows: { type: 'string', default: '200000' },
    syncs: { type: 'string', default: '20' },
    backend: { type: 'string', default: 'postgres' },
    json: { type: 'boolean', default: false },
  },
});
const [large, small] = ['stor', 'lille'];
/** Three rows each. */
const people = 17;
let next = 30_000_000;

await using stage = await openStage({ ...values, tenants: [large, small] });
const { database } = stage;
const worker = await stage.work();
await seedSchool({ database, tenant: small, lane: 'sync' });
await sync('sync');
const alone = await syncs('sync');
await seedSchool({ database, tenant: large, lane: 'bulk' });
const load = Math.ceil(Number(values.rows) / 3);
await seedAccounts({ database, tenant: large, lane: 'bulk', from: 1, people: load });
await worker.sweep();
await sleep(3000);
const beside = await syncs('sync');
const sameLane = await syncs('bulk');
const left = await countDue({ database, tenant: large });
if (left === 0) throw new Error('The rollover was over too early: give more --rows.');
process.stdout.write(`${JSON.stringify({ rows: Number(values.rows), alone, beside, sameLane })}\n`);

async function syncs(lane: Lane): Promise<{ readonly p50Ms: number; readonly maxMs: number }> {
  const waits: number[] = [];
  for (let n = 0; n < Number(values.syncs); n += 1) waits.push(await sync(lane));
  waits.sort((a, b) => a - b);
  const at = (index: number) => Math.round(waits[index] ?? Number.NaN);
  return { p50Ms: at(Math.floor(waits.length / 2)), maxMs: at(waits.length - 1) };
}

/** @returns from the commit to the last row settled, by the database's clock, in ms */
async function sync(lane: Lane): Promise<number> {
  const from = next;
  next += people;
  await seedAccounts({ database, tenant: small, lane, from, people });
  await worker.sweep();
  while ((await countDue({ database, tenant: small })) > 0) await sleep(50);
  const [row] = await database.as(small, (tx) =>
    tx.query<{ ms: number }>(
      `select (extract(epoch from max(settled_at) - min(changed_at)) * 1000)::float8 as ms
       from resource where key like 'person:%' and changed_at = (select max(changed_at) from resource)`,
    ),
  );
  return row?.ms ?? Number.NaN;
}

async function countDue(p: {
  readonly database: Database;
  readonly tenant: string;
}): Promise<number> {
  const [row] = await p.database.as(p.tenant, (tx) =>
    tx.query<{ n: number }>(`select count(*)::int as n from resource where state <> 'settled'`),
  );
  return row?.n ?? 0;
}
