/**
 * `./skolebus test [vitest arguments]`: the checks, then the tests, then one closing line
 * "N passed, N failed". Fetches what the tests need and a fresh machine lacks.
 */
import { type SpawnSyncOptions, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

const Results = z.object({
  numPassedTests: z.number(),
  numFailedTests: z.number(),
  testResults: z.array(
    z.object({
      name: z.string(),
      status: z.string(),
      assertionResults: z.array(z.object({ fullName: z.string(), status: z.string() })),
    }),
  ),
});
type Results = z.infer<typeof Results>;

/** A file that does not load runs no test: it counts as one failure, as does a failed check. */
export function countOutcome(p: {
  readonly results: Results | null;
  readonly testsSucceeded: boolean;
  readonly checkSucceeded: boolean;
}): { readonly passed: number; readonly failed: number; readonly leftOut: readonly string[] } {
  const files = p.results?.testResults ?? [];
  const broken = files.filter(
    (file) =>
      file.status === 'failed' && file.assertionResults.every((test) => test.status !== 'failed'),
  ).length;
  let failed = (p.results?.numFailedTests ?? 0) + broken;
  // An error outside of any test (a promise nobody awaited, a failing teardown) ends the run badly.
  if (!p.testsSucceeded && failed === 0) failed = 1;
  if (!p.checkSucceeded) failed += 1;
  const leftOut = files
    .flatMap((file) => file.assertionResults)
    .filter((test) => test.status !== 'passed' && test.status !== 'failed')
    .map((test) => test.fullName);
  return { passed: p.results?.numPassedTests ?? 0, failed, leftOut };
}

/** Redis is the queue's second home; as root on Debian it is a package away. */
function ensureRedis(): void {
  if (succeeds('redis-server', ['--version'])) return;
  if (process.getuid?.() !== 0 || !succeeds('apt-get', ['--version'])) {
    process.stderr.write(
      'skolebus: redis-server is missing, so the Redis tests are left out. Install it to run them.\n',
    );
    return;
  }
  process.stderr.write(
    'skolebus: installing redis-server, because the Redis tests need it (once).\n',
  );
  // RUNLEVEL=1: the package must not start a server of its own.
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
  const install = ['install', '-y', '-qq', '--no-install-recommends', 'redis-server'];
  const options: SpawnSyncOptions = { env, stdio: ['ignore', 'ignore', 'inherit'] };
  if (spawnSync('apt-get', install, options).status === 0) return;
  spawnSync('apt-get', ['update', '-qq'], options);
  if (spawnSync('apt-get', install, options).status === 0) return;
  process.stderr.write(
    'skolebus: redis-server could not be installed; the Redis tests are left out.\n',
  );
}

function succeeds(command: string, parameters: readonly string[]): boolean {
  return spawnSync(command, parameters, { stdio: 'ignore' }).status === 0;
}

function runVitest(parameters: readonly string[]): {
  readonly results: Results | null;
  readonly succeeded: boolean;
} {
  const folder = mkdtempSync(join(tmpdir(), 'skolebus-results-'));
  const output = join(folder, 'results.json');
  try {
    const run = spawnSync(
      process.execPath,
      [
        join(ROOT, 'node_modules/vitest/vitest.mjs'),
        'run',
        '--reporter=default',
        '--reporter=json',
        `--outputFile.json=${output}`,
        ...parameters,
      ],
      { cwd: ROOT, stdio: 'inherit' },
    );
    const results = existsSync(output)
      ? Results.parse(JSON.parse(readFileSync(output, 'utf8')))
      : null;
    return { results, succeeded: run.status === 0 };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function main(parameters: readonly string[]): void {
  ensureRedis();
  const check = spawnSync('npm', ['run', '--silent', 'check'], { cwd: ROOT, stdio: 'inherit' });
  const tests = runVitest(parameters);
  const outcome = countOutcome({
    results: tests.results,
    testsSucceeded: tests.succeeded,
    checkSucceeded: check.status === 0,
  });
  if (check.status !== 0) process.stdout.write('The check failed (npm run check).\n');
  for (const name of outcome.leftOut) process.stdout.write(`left out: ${name}\n`);
  process.stdout.write(`${outcome.passed} passed, ${outcome.failed} failed\n`);
  process.exitCode = outcome.failed === 0 ? 0 : 1;
}

if (import.meta.main) main(process.argv.slice(2));
