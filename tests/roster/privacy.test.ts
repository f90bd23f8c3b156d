import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parsePolicy } from '../../provisioning/policy/parse.ts';
import type { Database } from '../../provisioning/store/database.ts';
import { openDatabase } from '../../provisioning/store/database.ts';
import type { SyncReport } from '../../provisioning/sync.ts';
import { sync } from '../../provisioning/sync.ts';
import { readPolicyText } from '../../services/config.ts';
import { generate } from '../../services/generator/generate.ts';
import { newFolder } from '../feed/reading.ts';
import type { TestDatabase } from '../support/database.ts';
import { createTestDatabase } from '../support/database.ts';
import { countPlanned } from '../support/line.ts';

const tenant = 'kommune';
const identityKey = 'a key of the test, and long enough';

let server: TestDatabase;
let database: Database;
let feed = '';

beforeAll(async () => {
  server = await createTestDatabase();
  database = openDatabase({ url: server.url });
  await database.addTenant({ id: tenant, name: tenant });
  feed = await newFolder();
  const plan = { seed: 5, schools: 2, people: 200, guardians: true, civil: true };
  await generate({ out: feed, ...plan });
});

afterAll(async () => {
  await database[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

async function syncDay(day: number, key: string | null = identityKey): Promise<SyncReport> {
  return sync({
    database,
    tenant,
    source: 'main',
    feed: { format: 'ws17', path: join(feed, `day${day}`, 'ws17') },
    policy: parsePolicy(await readPolicyText(feed)),
    targets: new Map([['keycloak', 'keycloak']]),
    allowed: new Set(),
    commit: true,
    identityKey: key,
    now: new Date('2026-11-02T06:00:00Z'),
  });
}

/** Every civil number of the feed, with and without its dash. */
async function numbersOf(day: number): Promise<readonly string[]> {
  const folder = join(feed, `day${day}`, 'ws17');
  const texts = await Promise.all(
    (await readdir(folder)).map((name) => readFile(join(folder, name), 'utf8')),
  );
  const numbers = texts.flatMap((text) =>
    [...text.matchAll(/RegistrationNumber>(\d{10})</g)].map((match) => match[1] ?? ''),
  );
  return numbers.flatMap((number) => [number, `${number.slice(0, 6)}-${number.slice(6)}`]);
}

/** All tables of the tenant as text, but `except`. */
async function everythingStored(except: readonly string[] = []): Promise<string> {
  return database.as(tenant, async (tx) => {
    const tables = await tx.query<{ name: string }>(
      `select tablename as name from pg_tables where schemaname = 'public'`,
    );
    const kept = tables.filter(({ name }) => !except.includes(name));
    const texts = [];
    for (const { name } of kept) {
      const rows = await tx.query<{ row: string }>(`select t::text as row from "${name}" t`);
      texts.push(...rows.map(({ row }) => row));
    }
    return texts.join('\n');
  });
}

describe('civil numbers of a feed', () => {
  it('recognise people, and stand nowhere: not in a report and not in a table', async () => {
    const first = await syncDay(1);
    const second = await syncDay(2);
    expect(countPlanned((await syncDay(2)).plan)).toBe(0);

    const stored = await everythingStored();
    const told = JSON.stringify([first, second]);
    const numbers = [...(await numbersOf(1)), ...(await numbersOf(2))];
    expect(numbers.length).toBeGreaterThan(400);
    expect(numbers.filter((number) => stored.includes(number) || told.includes(number))).toEqual(
      [],
    );
    expect(stored).not.toContain(identityKey);
    expect(second.plan.held.map(({ code }) => code)).not.toContain('identity-contradiction');
  });

  it('are kept as hashes among the evidence, and nowhere else', async () => {
    const hashes = await database.as(tenant, (tx) =>
      tx.query<{ value: string }>(
        `select value from evidence where system ~ '^(civil|replacement):'`,
      ),
    );
    expect(hashes.length).toBeGreaterThan(200);
    const elsewhere = await everythingStored(['evidence']);
    expect(hashes.filter(({ value }) => elsewhere.includes(value))).toEqual([]);
  });

  it('hold nobody when the key is lost, or another one is set', async () => {
    const lost = await syncDay(2, null);
    expect(countPlanned(lost.plan)).toBe(0);
    expect(lost.snapshot.diagnostics.map(({ code }) => code)).toContain('civil-unused');
    const changed = await syncDay(2, `${identityKey} and another`);
    expect(countPlanned(changed.plan)).toBe(0);
    expect(changed.plan.held.filter(({ code }) => /identity|relation/.test(code))).toEqual([]);
  });
});
