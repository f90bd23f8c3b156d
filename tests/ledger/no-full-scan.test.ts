import { afterEach, beforeEach, expect, it } from 'vitest';
import { claimWork, wholeLanes } from '../../provisioning/ledger/claim.ts';
import { promoteDue } from '../../provisioning/ledger/commit.ts';
import { findDueLanes } from '../../provisioning/ledger/due.ts';
import { findOrigins } from '../../provisioning/ledger/origin.ts';
import { settleWork } from '../../provisioning/ledger/settle.ts';
import { lanes } from '../../provisioning/policy/lane.ts';
import type { Database } from '../../provisioning/store/database.ts';
import { openDatabase } from '../../provisioning/store/database.ts';
import { loadTargets, seedAccounts, seedSchool } from '../bench/load.ts';
import { createTestDatabase } from '../support/database.ts';

const tenant = 'kommune';
let server: Awaited<ReturnType<typeof createTestDatabase>>;
let database: Database;

beforeEach(async () => {
  server = await createTestDatabase();
  // One connection: its statistics are then complete when it is asked for them.
  database = openDatabase({ url: server.url, max: 1 });
  await database.addTenant({ id: tenant, name: tenant });
});

afterEach(async () => {
  await database[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

/** Rows of the ledger that were read so far, by whichever way. */
async function countReads(): Promise<number> {
  await database.as(tenant, (tx) => tx.query('select pg_stat_force_next_flush()'));
  const [row] = await database.as(tenant, (tx) =>
    tx.query<{ n: number }>(
      `select (seq_tup_read + idx_tup_fetch)::int as n from pg_stat_user_tables where relname = 'resource'`,
    ),
  );
  return row?.n ?? -1;
}

/** With 500,000 rows due, one look for rows that harm went through all of them: 60 rows/s instead of 1,300. */
it('working off a full ledger never reads all of it', async () => {
  await seedSchool({ database, tenant, lane: 'bulk' });
  await database.as(tenant, (tx) =>
    tx.execute(`update resource set state = 'settled', applied = desired, external_id = '1'`),
  );
  await seedAccounts({ database, tenant, lane: 'bulk', from: 1, people: 10_000 });
  // Somebody in a more urgent lane who has to wait: then rows that harm are looked for.
  await seedAccounts({ database, tenant, lane: 'sync', from: 90_001, people: 1 });
  await database.as(tenant, (tx) =>
    tx.execute(`update resource set needs = '{group/gone}' where lane = 'sync'`),
  );
  const before = await countReads();

  const place = { database, tenant, target: 'keycloak' };
  const kinds = ['group', 'account'] as const;
  const nothing = await claimWork({ ...place, kinds, lanes: wholeLanes(['sync']), size: () => 50 });
  expect(nothing).toBeNull();
  const claim = await claimWork({ ...place, kinds, lanes: wholeLanes(lanes), size: () => 50 });
  if (claim === null) throw new Error('There is nothing to claim.');
  expect(claim.rows).toHaveLength(50);
  // Asked for every batch while traces are recorded.
  const keys = claim.rows.map((row) => row.key);
  expect(await findOrigins({ ...place, kind: 'account', keys })).toEqual([]);
  const outcomes = claim.rows.map(({ key }) => ({ state: 'applied', externalId: key }) as const);
  await settleWork({ ...place, claim, outcomes, random: () => 0 });
  expect(await findDueLanes({ database, tenant, targets: loadTargets })).toHaveLength(6);
  await promoteDue({ database, tenant, now: new Date() });

  // 50 rows claimed and settled, and what they need; one look over all would be 10,000 of a target.
  expect((await countReads()) - before).toBeLessThan(1000);
});
