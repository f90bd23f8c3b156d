import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startEmbeddedPostgres } from '../../provisioning/store/embedded.ts';

const MODULE = new URL('../../provisioning/store/embedded.ts', import.meta.url).href;
const ORDINARY_USER = 65534;

/** mkdtemp makes 0700: as root, a folder that only root may enter. */
let dir: string;

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'embedded-'));
});

afterAll(() => {
  expect(postmasterPid(dir), 'a test left the server running').toBeNull();
  rmSync(dir, { recursive: true });
});

describe('one process', () => {
  it('starts a server that only a private socket reaches, for a role that is no superuser', async () => {
    await using postgres = await startEmbeddedPostgres({ dir });

    const [row] = await query(
      postgres.url,
      `select current_user as role, current_database() as database, rolsuper as superuser,
              rolcreatedb as creates, current_setting('listen_addresses') as tcp,
              current_setting('server_encoding') as encoding, lower('ÆØÅ') as lower,
              current_setting('fsync') as fsync, current_setting('server_version_num')::int / 10000 as version
         from pg_roles where rolname = current_user`,
    );

    expect(row).toEqual({
      role: 'skolebus',
      database: 'skolebus',
      superuser: false,
      creates: true,
      tcp: '',
      encoding: 'UTF8',
      lower: 'æøå',
      fsync: 'on',
      version: 18,
    });
    const socketDir = new URL(postgres.url.replace('@/', '@local/')).searchParams.get('host') ?? '';
    expect(statSync(socketDir).mode & 0o777).toBe(0o700);
    expect(statSync(join(dir, 'data')).mode & 0o777).toBe(0o700);
  });

  it('stops with its last user, not with its starter', async () => {
    const starter = await startEmbeddedPostgres({ dir });
    const guest = await startEmbeddedPostgres({ dir });
    expect(guest.url).toBe(starter.url);

    await starter[Symbol.asyncDispose]();
    await starter[Symbol.asyncDispose]();
    expect(await query(guest.url, 'select 1 as one')).toEqual([{ one: 1 }]);

    await guest[Symbol.asyncDispose]();
    expect(postmasterPid(dir)).toBeNull();
  });

  it('keeps acknowledged rows when the server is killed', async () => {
    await using killed = await startEmbeddedPostgres({ dir });
    await query(killed.url, 'create table kept (id int)');
    await query(killed.url, 'insert into kept select generate_series(1, 1000)');
    process.kill(postmasterPid(dir) ?? Number.NaN, 'SIGKILL');

    await using again = await startEmbeddedPostgres({ dir });

    expect(again.url).toBe(killed.url);
    expect(await query(again.url, 'select count(*)::int as rows from kept')).toEqual([
      { rows: 1000 },
    ]);
  });

  it('is not misled by a process that got the number of a killed server', async () => {
    await using _killed = await startEmbeddedPostgres({ dir });
    const pid = postmasterPid(dir) ?? Number.NaN;
    process.kill(pid, 'SIGKILL');
    const account = statSync(join(dir, 'data'));
    const other = spawn('sleep', ['60'], asRootOnly({ uid: account.uid, gid: account.gid }));
    await once(other, 'spawn');
    try {
      const file = join(dir, 'data', 'postmaster.pid');
      writeFileSync(file, readFileSync(file, 'utf8').replace(String(pid), String(other.pid)));

      await using again = await startEmbeddedPostgres({ dir });

      expect(await query(again.url, 'select 1 as one')).toEqual([{ one: 1 }]);
      expect(postmasterPid(dir)).not.toBe(other.pid);
    } finally {
      other.kill('SIGKILL');
    }
  });

  it('names the folder and the remedy where it cannot keep data', async () => {
    const file = join(dir, 'a-file');
    writeFileSync(file, '');

    await expect(startEmbeddedPostgres({ dir: join(file, 'below') })).rejects.toMatchObject({
      name: 'EmbeddedPostgresError',
      code: 'no-access',
      message: expect.stringMatching(/a-file.*--home/s),
    });
  });
});

describe('several processes', () => {
  it('share one server when they start at once on a new folder', async () => {
    const fresh = mkdtempSync(join(tmpdir(), 'embedded-'));
    const children = [startChild({ dir: fresh }), startChild({ dir: fresh })];
    try {
      const inside = startEmbeddedPostgres({ dir: fresh });
      const urls = await Promise.all([...children.map(readUrl), inside.then((one) => one.url)]);
      expect(new Set(urls).size).toBe(1);

      await (await inside)[Symbol.asyncDispose]();
      await endChild(children[0]);
      expect(await query(urls[0] ?? '', 'select 1 as one')).toEqual([{ one: 1 }]);

      await endChild(children[1]);
      expect(postmasterPid(fresh)).toBeNull();
    } finally {
      for (const child of children) child.kill('SIGKILL');
      rmSync(fresh, { recursive: true });
    }
  });

  it('takes over the server of a killed process, and stops it', async () => {
    const child = startChild({ dir });
    const url = await readUrl(child);
    const before = postmasterPid(dir);
    child.kill('SIGKILL');
    await once(child, 'exit');

    {
      await using heir = await startEmbeddedPostgres({ dir });
      expect(heir.url).toBe(url);
      expect(postmasterPid(dir)).toBe(before);
    }

    expect(postmasterPid(dir)).toBeNull();
  });

  it('leaves the server alone when the terminal interrupts the process group', async () => {
    const child = startChild({ dir });
    const url = await readUrl(child);
    process.kill(-(child.pid ?? Number.NaN), 'SIGINT');
    await once(child, 'exit');

    expect(await query(url, 'select 1 as one')).toEqual([{ one: 1 }]);

    await (await startEmbeddedPostgres({ dir }))[Symbol.asyncDispose]();
  });

  it('runs for an ordinary user', async (context) => {
    const account = asRootOnly({ uid: ORDINARY_USER, gid: ORDINARY_USER });
    if (account.uid !== undefined && !canRead({ path: MODULE, account })) {
      context.skip('the checkout lies in a folder that only root may enter');
    }
    const own = mkdtempSync(join(tmpdir(), 'embedded-'));
    chmodSync(own, 0o777);
    const child = startChild({ dir: join(own, 'database'), account });
    try {
      const url = await readUrl(child);
      expect(existsSync(new URL(url.replace('@/', '@local/')).searchParams.get('host') ?? '')).toBe(
        true,
      );
      const uid = account.uid ?? process.getuid?.();
      expect(statSync(join(own, 'database', 'data')).uid).toBe(uid);
      await endChild(child);
      expect(postmasterPid(join(own, 'database'))).toBeNull();
    } finally {
      child.kill('SIGKILL');
      rmSync(own, { recursive: true });
    }
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

function postmasterPid(home: string): number | null {
  const file = join(home, 'data', 'postmaster.pid');
  return existsSync(file) ? Number.parseInt(readFileSync(file, 'utf8'), 10) : null;
}

interface Account {
  readonly uid?: number;
  readonly gid?: number;
}

/** Only root may change the account; everyone else already is an ordinary user. */
function asRootOnly(account: Account): Account {
  return process.getuid?.() === 0 ? account : {};
}

function canRead(p: { readonly path: string; readonly account: Account }): boolean {
  try {
    const script = `import { readFileSync } from 'node:fs'; readFileSync(new URL('${p.path}'))`;
    execFileSync(process.execPath, ['--input-type=module', '-e', script], {
      ...p.account,
      cwd: '/',
      stdio: 'ignore',
    });
    return true;
  } catch {
    return false;
  }
}

/** A process that starts the server, prints its address, and gives it back when told "end". */
function startChild(p: { readonly dir: string; readonly account?: Account }): ChildProcess {
  const script = `
    import { startEmbeddedPostgres } from '${MODULE}';
    const postgres = await startEmbeddedPostgres({ dir: ${JSON.stringify(p.dir)} });
    console.log(postgres.url);
    process.stdin.once('data', async () => {
      await postgres[Symbol.asyncDispose]();
      process.stdin.destroy();
    });`;
  return spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', script],
    { ...p.account, cwd: '/', detached: true, stdio: ['pipe', 'pipe', 'inherit'] },
  );
}

async function readUrl(child: ChildProcess): Promise<string> {
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`the process ended with ${code} before it had a server`);
  });
  ended.catch(() => {});
  const [line] = await Promise.race([once(child.stdout ?? child, 'data'), ended]);
  return String(line).trim();
}

async function endChild(child: ChildProcess | undefined): Promise<void> {
  if (child === undefined) throw new Error('no such process');
  const exit = once(child, 'exit');
  child.stdin?.write('end\n');
  expect(await exit).toEqual([0, null]);
}
