import { Client } from 'pg';
import { describe, expect, it } from 'vitest';
import { createTestDatabase } from '../support/database.ts';

describe('a test database', () => {
  it('is migrated, and nobody else sees what is written there', async () => {
    await using first = await createTestDatabase();
    await using second = await createTestDatabase();

    await query(first.url, 'create table mine (id int)');

    const migrations = await query(second.url, 'select name from migration');
    expect(migrations.length).toBeGreaterThan(0);
    expect(await query(second.url, "select to_regclass('mine') as mine")).toEqual([{ mine: null }]);
  });

  it('is dropped, and tells when a connection was left open', async () => {
    const database = await createTestDatabase();
    const left = new Client({ connectionString: database.url });
    left.on('error', () => {});
    await left.connect();
    await left.query('select 42 as left_behind');

    await expect(database[Symbol.asyncDispose]()).rejects.toThrow(/Left open.*left_behind/);

    await expect(query(database.url, 'select 1')).rejects.toThrow();
  });
});

async function query(url: string, text: string): Promise<unknown[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(text)).rows;
  } finally {
    await client.end();
  }
}
