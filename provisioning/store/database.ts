import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';

/** Statements of one tenant inside one transaction. */
export interface Transaction {
  readonly tenant: string;
  query<Row extends pg.QueryResultRow>(
    sql: string,
    values?: readonly unknown[],
  ): Promise<readonly Row[]>;
  /** How many rows a statement touched. */
  execute(sql: string, values?: readonly unknown[]): Promise<number>;
  /**
   * Streams rows into a temporary table by COPY (which PostgreSQL refuses below row-level security).
   * `null` becomes NULL, arrays become PostgreSQL arrays of text, other objects become JSON.
   */
  copy(p: {
    readonly table: string;
    readonly columns: readonly string[];
    readonly rows: AsyncIterable<readonly unknown[]> | Iterable<readonly unknown[]>;
  }): Promise<void>;
  /** Inserts rows 1,000 at a time; `columns` names each column's SQL type. */
  insert(p: {
    readonly table: string;
    readonly columns: Readonly<Record<string, string>>;
    readonly rows:
      | AsyncIterable<Readonly<Record<string, unknown>>>
      | Iterable<Readonly<Record<string, unknown>>>;
  }): Promise<number>;
  /** Reads a large answer in pages of 1,000 rows through a cursor, in constant memory. */
  stream<Row extends pg.QueryResultRow>(
    sql: string,
    values?: readonly unknown[],
  ): AsyncIterable<Row>;
}

export interface Database extends AsyncDisposable {
  readonly url: string;
  /** Most connections at once; whoever holds a lock has one of them. */
  readonly connections: number;
  /** Runs `work` in one transaction as one tenant: all of it or nothing. */
  as<T>(tenant: string, work: (tx: Transaction) => Promise<T>): Promise<T>;
  /**
   * Runs `work` while holding the named lock, or returns null at once when another process has it.
   * The lock goes with the connection, so a killed process never leaves it behind, and a stopped one only
   * for half a minute: after that others may have it while `work` still runs.
   */
  withLock<T>(name: string, work: () => Promise<T>): Promise<{ readonly value: T } | null>;
  /** All tenants; the only question that is asked across them. */
  listTenants(): Promise<readonly string[]>;
  addTenant(p: { readonly id: string; readonly name: string }): Promise<void>;
}

export function openDatabase(p: { readonly url: string; readonly max?: number }): Database {
  const connections = p.max ?? 10;
  const pool = new pg.Pool({ connectionString: p.url, max: connections });
  // A connection that the server closes must not end the process: not while it is idle, where the next
  // query reconnects, and not while it is held between two queries, where the second one fails.
  pool.on('error', () => {});
  pool.on('connect', (client) => client.on('error', () => {}));

  async function as<T>(tenant: string, work: (tx: Transaction) => Promise<T>): Promise<T> {
    const client = await pool.connect();
    let broken: Error | undefined;
    try {
      await client.query('begin');
      await client.query(`select set_config('skolebus.tenant', $1, true)`, [tenant]);
      const result = await work(transactionOf({ client, tenant }));
      await client.query('commit');
      return result;
    } catch (error) {
      await client.query('rollback').catch((cause: Error) => {
        broken = cause;
      });
      throw error;
    } finally {
      client.release(broken);
    }
  }

  async function withLock<T>(name: string, work: () => Promise<T>) {
    const client = await pool.connect();
    let broken: Error | undefined;
    const onError = (error: Error) => {
      broken = error;
    };
    try {
      const { rows } = await client.query<{ got: boolean }>(
        'select pg_try_advisory_lock(hashtextextended($1, 0)) as got',
        [name],
      );
      if (rows[0]?.got !== true) return null;
      using _alive = await showLife({ client, onError });
      return { value: await work() };
    } finally {
      await client
        .query('select pg_advisory_unlock_all(); reset idle_session_timeout')
        .catch(onError);
      client.release(broken);
    }
  }

  return {
    url: p.url,
    connections,
    as,
    withLock,
    async listTenants() {
      const { rows } = await pool.query<{ id: string }>('select id from tenant order by id');
      return rows.map((row) => row.id);
    },
    async addTenant({ id, name }) {
      await pool.query('insert into tenant (id, name) values ($1, $2) on conflict do nothing', [
        id,
        name,
      ]);
    },
    [Symbol.asyncDispose]: () => pool.end(),
  };
}

/** A lock whose holder gives no sign of life for so long is free again, in seconds. */
const lockSeconds = 30;
const signOfLifeMs = 5_000;

/**
 * A process that is stopped, or cut off without its connection being closed, would hold its locks for as
 * long as its connection stands: TCP gives that up after hours. So the server ends a session that is
 * silent, and who lives says so.
 */
async function showLife(p: {
  readonly client: pg.PoolClient;
  readonly onError: (error: Error) => void;
}): Promise<Disposable> {
  await p.client.query(`set idle_session_timeout = '${lockSeconds}s'`);
  const timer = setInterval(() => {
    p.client.query('select 1').catch(p.onError);
  }, signOfLifeMs);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

function transactionOf(p: {
  readonly client: pg.PoolClient;
  readonly tenant: string;
}): Transaction {
  const { client, tenant } = p;
  let cursors = 0;
  return {
    tenant,
    async query<Row extends pg.QueryResultRow>(sql: string, values: readonly unknown[] = []) {
      return (await client.query<Row>(sql, [...values])).rows;
    },
    async execute(sql, values = []) {
      return (await client.query(sql, [...values])).rowCount ?? 0;
    },
    async copy({ table, columns, rows }) {
      const names = columns.map((name) => pg.escapeIdentifier(name)).join(', ');
      const sink = client.query(
        copyFrom(`copy pg_temp.${pg.escapeIdentifier(table)} (${names}) from stdin`),
      );
      await pipeline(Readable.from(copyLines(rows)), sink);
    },
    async insert({ table, columns, rows }) {
      const names = Object.keys(columns).map((name) => pg.escapeIdentifier(name));
      const types = Object.entries(columns).map(
        ([name, type]) => `${pg.escapeIdentifier(name)} ${type}`,
      );
      const sql = `insert into ${pg.escapeIdentifier(table)} (${names.join(', ')})
        select ${names.join(', ')} from jsonb_to_recordset($1::jsonb) as x(${types.join(', ')})`;
      let inserted = 0;
      let page: unknown[] = [];
      for await (const row of rows) {
        page.push(row);
        if (page.length < 1000) continue;
        await client.query(sql, [JSON.stringify(page)]);
        inserted += page.length;
        page = [];
      }
      if (page.length > 0) await client.query(sql, [JSON.stringify(page)]);
      return inserted + page.length;
    },
    async *stream<Row extends pg.QueryResultRow>(sql: string, values: readonly unknown[] = []) {
      const name = `cursor_${++cursors}`;
      await client.query(`declare ${name} no scroll cursor for ${sql}`, [...values]);
      for (;;) {
        const { rows } = await client.query<Row>(`fetch 1000 from ${name}`);
        if (rows.length === 0) break;
        yield* rows;
      }
      await client.query(`close ${name}`);
    },
  };
}

/** COPY's text format, in chunks of about 64 KB: one chunk per row was 3 times slower. */
async function* copyLines(
  rows: AsyncIterable<readonly unknown[]> | Iterable<readonly unknown[]>,
): AsyncGenerator<string> {
  let chunk = '';
  for await (const row of rows) {
    chunk += `${row.map(copyCell).join('\t')}\n`;
    if (chunk.length > 65_536) {
      yield chunk;
      chunk = '';
    }
  }
  if (chunk !== '') yield chunk;
}

function copyCell(value: unknown): string {
  if (value === null || value === undefined) return '\\N';
  if (Array.isArray(value)) return copyText(`{${value.map(arrayElement).join(',')}}`);
  if (value instanceof Date) return value.toISOString();
  if (typeof value === 'object') return copyText(JSON.stringify(value));
  return copyText(String(value));
}

function arrayElement(value: unknown): string {
  return `"${String(value).replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}

const copyEscapes: Readonly<Record<string, string>> = {
  '\\': '\\\\',
  '\t': '\\t',
  '\n': '\\n',
  '\r': '\\r',
};

/** PostgreSQL text cannot hold a NUL; a feed's stray one is dropped. */
function copyText(text: string): string {
  return text
    .replaceAll('\0', '')
    .replace(/[\\\t\n\r]/g, (letter) => copyEscapes[letter] ?? letter);
}
