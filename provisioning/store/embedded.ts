/**
 * The embedded PostgreSQL: one server per folder, shared by every Skolebus process that uses it.
 *
 *   dir/data           the cluster
 *   dir/postgres.log   the server's starts, stops and crashes (no statements, no values)
 *   dir/users/         one lease per user; the last one out stops the server
 *   dir/lock           held while a server is started or stopped; the kernel frees it at death
 */
import { createHash } from 'node:crypto';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import {
  chooseAccount,
  createCluster,
  EmbeddedPostgresError,
  errorCode,
  findBinaries,
  makePrivateFolder,
  spawnServer,
} from './embedded-server.ts';

export interface EmbeddedPostgres extends AsyncDisposable {
  /** A connection string for `pg`; connects as `skolebus`, which row-level security binds. */
  readonly url: string;
}

interface Home {
  readonly dir: string;
  readonly data: string;
  readonly users: string;
  readonly log: string;
}

/** Recovery after a crash replays at most 256 MB of log; measured below a second for that. */
const START_TIMEOUT_MS = 120_000;
const STOP_TIMEOUT_MS = 30_000;
const LOCK_TIMEOUT_MS = 180_000;
/** Longest path of a unix socket on Linux is 107 bytes, on macOS 103. */
const SOCKET_PATH_MAX = 103;
const LOG_BYTES_MAX = 8 * 1024 * 1024;

let leases = 0;

/**
 * Starts PostgreSQL on `dir`, or joins the server that another process runs there.
 *
 * Disposing gives the lease back; the server stops with its last user. A server left behind by a
 * killed process is taken over. Throws EmbeddedPostgresError, whose message names the remedy.
 */
export async function startEmbeddedPostgres(p: {
  readonly dir: string;
}): Promise<EmbeddedPostgres> {
  const home = openHome(p.dir);
  return await holdLock({
    dir: home.dir,
    work: async () => {
      const socketDir = (await findRunning(home)) ?? (await startServer(home));
      await createRoleAndDatabase(socketDir);
      leases += 1;
      const lease = join(home.users, `${processMark(process.pid)}.${leases}`);
      writeFileSync(lease, '');
      return {
        url: connectionUrl({ user: 'skolebus', database: 'skolebus', socketDir }),
        [Symbol.asyncDispose]: () => leave({ home, lease }),
      };
    },
  });
}

function openHome(path: string): Home {
  try {
    mkdirSync(dirname(path), { recursive: true });
    mkdirSync(path, { recursive: true, mode: 0o700 });
    const dir = realpathSync(path);
    const users = join(dir, 'users');
    mkdirSync(users, { recursive: true, mode: 0o700 });
    return { dir, users, data: join(dir, 'data'), log: join(dir, 'postgres.log') };
  } catch (error) {
    throw new EmbeddedPostgresError(
      'no-access',
      `Cannot keep a database in ${path} (${errorCode(error)}): it may belong to another account. Choose another folder with --home, or run as its owner.`,
    );
  }
}

async function leave(p: { readonly home: Home; readonly lease: string }): Promise<void> {
  if (!existsSync(p.lease)) return;
  await holdLock({
    dir: p.home.dir,
    work: async () => {
      rmSync(p.lease, { force: true });
      if (removeDeadLeases(p.home.users) === 0) await stopServer(p.home);
    },
  });
}

/** Removes the leases of processes that are gone; gives the number that is left. */
function removeDeadLeases(users: string): number {
  let alive = 0;
  for (const name of readdirSync(users)) {
    const pid = Number.parseInt(name, 10);
    if (name.startsWith(`${processMark(pid)}.`) && isAlive(pid)) alive += 1;
    else rmSync(join(users, name), { force: true });
  }
  return alive;
}

async function startServer(home: Home): Promise<string> {
  const binaries = findBinaries();
  const account = chooseAccount({ binaries, data: home.data });
  if (!existsSync(home.data)) createCluster({ binaries, account, data: home.data });
  if (existsSync(home.log) && statSync(home.log).size > LOG_BYTES_MAX) {
    renameSync(home.log, `${home.log}.1`);
  }
  const socketDir = socketFolder(home.dir);
  claimSocketFolder({ path: socketDir, account });

  const deadline = Date.now() + START_TIMEOUT_MS;
  for (;;) {
    const stalePid = readPostmaster(home.data)?.pid ?? null;
    const server = spawnServer({
      binaries,
      account,
      data: home.data,
      socketDir,
      log: home.log,
      stalePid,
    });
    let failure: string | null = null;
    server.once('error', (error) => {
      failure = error.message;
    });
    server.once('exit', (code, signal) => {
      failure = `it ended with ${signal ?? code}`;
    });
    while (failure === null && Date.now() < deadline) {
      if (await answers(socketDir)) return socketDir;
      await sleep(20);
    }
    const said = lastLines(home.log);
    // Backends of a killed server outlive it by a moment and hold its shared memory.
    if (said.includes('shared memory block') && Date.now() < deadline) {
      await sleep(200);
      continue;
    }
    server.kill('SIGQUIT');
    throw new EmbeddedPostgresError(
      'start-failed',
      `PostgreSQL did not start on ${home.data}: ${failure ?? 'no answer in time'}. Its log ${home.log} ends with:\n${said}`,
    );
  }
}

/** The socket folder of a live server on these data, or null. Waits while it starts or stops. */
async function findRunning(home: Home): Promise<string | null> {
  const deadline = Date.now() + START_TIMEOUT_MS;
  while (Date.now() < deadline) {
    const postmaster = readPostmaster(home.data);
    if (postmaster === null || !isPostgres({ pid: postmaster.pid, data: home.data })) return null;
    if (postmaster.socketDir !== null && (await answers(postmaster.socketDir))) {
      return postmaster.socketDir;
    }
    await sleep(50);
  }
  throw new EmbeddedPostgresError(
    'start-failed',
    `A PostgreSQL runs on ${home.data} but does not answer; see ${home.log}.`,
  );
}

async function stopServer(home: Home): Promise<void> {
  const postmaster = readPostmaster(home.data);
  if (postmaster === null || !isPostgres({ pid: postmaster.pid, data: home.data })) return;
  // SIGINT is PostgreSQL's fast shutdown: open transactions roll back, the rest is kept.
  for (const signal of ['SIGINT', 'SIGQUIT'] as const) {
    process.kill(postmaster.pid, signal);
    const deadline = Date.now() + STOP_TIMEOUT_MS;
    while (Date.now() < deadline) {
      if (!isAlive(postmaster.pid)) {
        if (postmaster.socketDir !== null) {
          rmSync(postmaster.socketDir, { recursive: true, force: true });
        }
        return;
      }
      await sleep(10);
    }
  }
  throw new EmbeddedPostgresError(
    'stop-failed',
    `PostgreSQL (process ${postmaster.pid}) on ${home.data} does not stop; see ${home.log}.`,
  );
}

async function createRoleAndDatabase(socketDir: string): Promise<void> {
  const client = new Client({
    connectionString: connectionUrl({ user: 'postgres', database: 'postgres', socketDir }),
  });
  await client.connect();
  try {
    const role = await client.query("select from pg_roles where rolname = 'skolebus'");
    if (role.rowCount === 0) {
      await client.query('create role skolebus login nosuperuser createdb');
    }
    const database = await client.query("select from pg_database where datname = 'skolebus'");
    if (database.rowCount === 0) await client.query('create database skolebus owner skolebus');
  } finally {
    await client.end();
  }
}

async function answers(socketDir: string): Promise<boolean> {
  if (!existsSync(join(socketDir, '.s.PGSQL.5432'))) return false;
  const client = new Client({
    connectionString: connectionUrl({ user: 'postgres', database: 'postgres', socketDir }),
    connectionTimeoutMillis: 5_000,
  });
  client.on('error', () => {});
  try {
    await client.connect();
    return true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => {});
  }
}

function connectionUrl(p: {
  readonly user: string;
  readonly database: string;
  readonly socketDir: string;
}): string {
  return `postgresql://${p.user}@/${p.database}?host=${encodeURIComponent(p.socketDir)}`;
}

/** Lines 1 and 5 of postmaster.pid: the process and its socket folder (PostgreSQL 18). */
function readPostmaster(
  data: string,
): { readonly pid: number; readonly socketDir: string | null } | null {
  try {
    const lines = readFileSync(join(data, 'postmaster.pid'), 'utf8').split('\n');
    const pid = Number.parseInt(lines[0] ?? '', 10);
    return Number.isInteger(pid) ? { pid, socketDir: lines[4] || null } : null;
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return null;
    throw error;
  }
}

/** Whether the process is a PostgreSQL on these data, not another one that got its number. */
function isPostgres(p: { readonly pid: number; readonly data: string }): boolean {
  if (!isAlive(p.pid)) return false;
  if (process.platform !== 'linux') return true;
  try {
    return readlinkSync(`/proc/${p.pid}/cwd`) === p.data;
  } catch {
    try {
      return readFileSync(`/proc/${p.pid}/comm`, 'utf8').trim() === 'postgres';
    } catch {
      return false;
    }
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (errorCode(error) !== 'EPERM') return false;
  }
  // A dead child that nobody has waited for still answers to kill.
  return processStat(pid)?.state !== 'Z';
}

/** Process number and start time: a number alone is given out again. */
function processMark(pid: number): string {
  return `${pid}.${processStat(pid)?.started ?? '0'}`;
}

function processStat(pid: number): { readonly state: string; readonly started: string } | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The program's name in brackets may itself hold blanks; the fields after it do not.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return { state: fields[0] ?? '', started: fields[19] ?? '0' };
  } catch {
    return null;
  }
}

/** A short name of its own per folder: a unix socket's path has room for little more. */
function socketFolder(dir: string): string {
  const name = `skolebus-${createHash('sha256').update(dir).digest('hex').slice(0, 12)}`;
  const preferred = join(tmpdir(), name);
  const fits = Buffer.byteLength(join(preferred, '.s.PGSQL.5432')) <= SOCKET_PATH_MAX;
  return fits ? preferred : join('/tmp', name);
}

function claimSocketFolder(p: {
  readonly path: string;
  readonly account: Parameters<typeof makePrivateFolder>[0]['account'];
}): void {
  const found = lstatSync(p.path, { throwIfNoEntry: false });
  if (found === undefined) {
    makePrivateFolder(p);
    return;
  }
  // The folder's name can be guessed and everyone may write to the temporary folder.
  if (!found.isDirectory() || found.uid !== p.account.uid || (found.mode & 0o077) !== 0) {
    throw new EmbeddedPostgresError(
      'no-access',
      `${p.path} belongs to another account; remove it, or set TMPDIR to a folder of your own.`,
    );
  }
}

function lastLines(log: string): string {
  try {
    return readFileSync(log, 'utf8').trimEnd().split('\n').slice(-8).join('\n');
  } catch {
    return '';
  }
}

/**
 * Runs `work` while no other process (and nobody else in this one) starts or stops the server.
 * SQLite's exclusive transaction is a lock that the kernel frees when its holder dies, so there
 * is nothing stale to clean up.
 */
async function holdLock<T>(p: {
  readonly dir: string;
  readonly work: () => Promise<T>;
}): Promise<T> {
  const path = join(p.dir, 'lock');
  const deadline = Date.now() + LOCK_TIMEOUT_MS;
  for (;;) {
    const lock = new DatabaseSync(path, { timeout: 0 });
    try {
      if (takeLock(lock)) return await p.work();
    } finally {
      lock.close();
    }
    if (Date.now() > deadline) {
      throw new EmbeddedPostgresError(
        'start-failed',
        `Another process has held ${path} for three minutes; end it and try again.`,
      );
    }
    await sleep(30);
  }
}

function takeLock(lock: DatabaseSync): boolean {
  try {
    lock.exec('pragma journal_mode = memory; begin exclusive');
    return true;
  } catch (error) {
    if (error instanceof Error && 'errcode' in error && error.errcode === 5) return false;
    throw error;
  }
}
