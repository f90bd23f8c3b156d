import { readdir, readFile } from 'node:fs/promises';
import pg from 'pg';

const folder = new URL('./migrations/', import.meta.url);

/** Any fixed number: it keeps two starting processes from migrating at once. */
const lockKey = 7_301_955;

/**
 * Brings the database up to the newest numbered SQL file in migrations/. Every file runs once, in one
 * transaction with its entry in the register; a failing file leaves nothing behind.
 */
export async function migrate(p: { readonly url: string }): Promise<void> {
  const files = (await readdir(folder)).filter((name) => name.endsWith('.sql')).sort();
  const client = new pg.Client({ connectionString: p.url });
  await client.connect();
  try {
    await client.query('select pg_advisory_lock($1)', [lockKey]);
    await client.query(
      'create table if not exists migration (name text primary key, run_at timestamptz not null default now())',
    );
    const done = new Set(
      (await client.query<{ name: string }>('select name from migration')).rows.map((r) => r.name),
    );
    for (const file of files.filter((name) => !done.has(name))) {
      await client.query('begin');
      try {
        await client.query(await readFile(new URL(file, folder), 'utf8'));
        await client.query('insert into migration (name) values ($1)', [file]);
        await client.query('commit');
      } catch (error) {
        await client.query('rollback');
        throw new Error(`Migration ${file} failed; the database is as it was before it.`, {
          cause: error,
        });
      }
    }
  } finally {
    await client.end();
  }
}
