/**
 * A real database per test file: cloned from a migrated template, dropped afterwards.
 *
 * The server is the embedded PostgreSQL, or the one that SKOLEBUS_TEST_DATABASE_URL names (its
 * role must be allowed to create databases).
 */
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { inject } from 'vitest';
import { startEmbeddedPostgres } from '../../provisioning/store/embedded.ts';
import { migrate } from '../../provisioning/store/migrate.ts';

export interface TestServer {
  /** Folder of the embedded server of this run. */
  readonly dir: string;
  /** Another server to use instead, or null. */
  readonly url: string | null;
  /** Tells apart the runs that share a server. */
  readonly run: string;
}

export interface TestDatabase extends AsyncDisposable {
  readonly url: string;
}

/** One number for all runs: whoever holds it makes the template. */
const TEMPLATE_LOCK = 7_305_512;

/**
 * A migrated, empty database. Disposing of it drops it, and throws when a connection to it is
 * still open: then a test left a pool, worker or server behind.
 */
export async function createTestDatabase(): Promise<TestDatabase> {
  const server = inject('testServer');
  const embedded = server.url === null ? await startEmbeddedPostgres({ dir: server.dir }) : null;
  const serverUrl = server.url ?? embedded?.url ?? '';
  try {
    const name = `skolebus_test_${randomBytes(6).toString('hex')}`;
    await withClient(serverUrl, async (client) => {
      const template = await ensureTemplate({ client, serverUrl, run: server.run });
      await client.query(`create database ${name} template ${template}`);
    });
    let open = true;
    return {
      url: withDatabase({ url: serverUrl, name }),
      [Symbol.asyncDispose]: async () => {
        if (!open) return;
        open = false;
        try {
          await dropDatabase({ serverUrl, name });
        } finally {
          await embedded?.[Symbol.asyncDispose]();
        }
      },
    };
  } catch (error) {
    await embedded?.[Symbol.asyncDispose]();
    throw error;
  }
}

/** Removes what a run leaves on a server that outlives it. */
export async function dropTemplate(server: TestServer): Promise<void> {
  if (server.url === null) return;
  await withClient(server.url, async (client) => {
    await client.query(`drop database if exists ${templateName(server.run)}`);
    await client.query(`drop database if exists ${templateName(server.run)}_new`);
  });
}

/** Renaming it after the migrations makes a half-migrated template impossible to clone. */
async function ensureTemplate(p: {
  readonly client: Client;
  readonly serverUrl: string;
  readonly run: string;
}): Promise<string> {
  const name = templateName(p.run);
  await p.client.query('select pg_advisory_lock($1)', [TEMPLATE_LOCK]);
  try {
    const found = await p.client.query('select from pg_database where datname = $1', [name]);
    if (found.rowCount === 0) {
      await p.client.query(`drop database if exists ${name}_new`);
      await p.client.query(`create database ${name}_new`);
      await migrate({ url: withDatabase({ url: p.serverUrl, name: `${name}_new` }) });
      await p.client.query(`alter database ${name}_new rename to ${name}`);
    }
    return name;
  } finally {
    await p.client.query('select pg_advisory_unlock($1)', [TEMPLATE_LOCK]);
  }
}

async function dropDatabase(p: {
  readonly serverUrl: string;
  readonly name: string;
}): Promise<void> {
  await withClient(p.serverUrl, async (client) => {
    const left = await waitForConnections({ client, name: p.name });
    // Forcing is for clients only: an autovacuum worker, which a plain drop sends away by itself, makes
    // it fail with "permission denied to terminate process".
    await client.query(`drop database ${p.name}${left.length > 0 ? ' with (force)' : ''}`);
    if (left.length > 0) {
      throw new Error(`Left open on the test database: ${left.join('; ')}`);
    }
  });
}

/** A closed client's backend ends a moment later; what is there after two seconds was left open. */
async function waitForConnections(p: {
  readonly client: Client;
  readonly name: string;
}): Promise<readonly string[]> {
  const deadline = Date.now() + 2_000;
  for (;;) {
    const { rows } = await p.client.query<{ state: string | null; query: string }>(
      `select state, left(query, 80) as query from pg_stat_activity
        where datname = $1 and backend_type = 'client backend'`,
      [p.name],
    );
    if (rows.length === 0) return [];
    if (Date.now() > deadline) return rows.map((row) => `${row.state}, last: ${row.query}`);
    await sleep(20);
  }
}

function templateName(run: string): string {
  return `skolebus_template_${run}`;
}

function withDatabase(p: { readonly url: string; readonly name: string }): string {
  // A socket address has no host before the slash, which URL does not accept.
  const [base = '', parameters] = p.url.split('?');
  const path = `${base.slice(0, base.lastIndexOf('/'))}/${p.name}`;
  return parameters === undefined ? path : `${path}?${parameters}`;
}

async function withClient<T>(url: string, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
