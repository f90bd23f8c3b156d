import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import type { TargetType } from '../../provisioning/policy/resource.ts';
import { printJson } from './sync.ts';
import { UsageError } from './usage.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** Where the contract suite of a type of target stands, and which of its blocks is about a real server. */
const suites: Readonly<Record<TargetType, { readonly file: string; readonly block: string }>> = {
  keycloak: { file: 'tests/keycloak/real.test.ts', block: 'Keycloak' },
  nextcloud: { file: 'tests/nextcloud/contract.test.ts', block: 'a real server' },
  moodle: { file: 'tests/moodle/connector.test.ts', block: 'a real Moodle' },
};

export interface Promised {
  /** What the contract says of the server, from the suite's headings down. */
  readonly about: readonly string[];
  readonly promise: string;
  readonly held: boolean;
  /** The first line of what was found instead. */
  readonly found: string | null;
}

const Results = z.object({
  testResults: z.array(
    z.object({
      message: z.string().default(''),
      assertionResults: z.array(
        z.object({
          ancestorTitles: z.array(z.string()),
          title: z.string(),
          status: z.string(),
          failureMessages: z.array(z.string()).default([]),
        }),
      ),
    }),
  ),
});

/**
 * `skolebus conformance`: runs the contract that our connector counts on against a server, such as a
 * new version before an upgrade. It makes and deletes accounts, so it wants a server without people.
 * Returns the exit code: 1 when a promise is not held.
 */
export async function runConformance(p: {
  readonly target: string;
  readonly type: string | null;
  readonly testServer: boolean;
  readonly out: string | null;
  readonly json: boolean;
  readonly secret: (name: string) => string | null;
}): Promise<number> {
  if (!p.testServer) {
    throw new UsageError(
      'This makes, changes and deletes accounts, groups and courses on the server. Use one without real people, and say so with --test-server.',
    );
  }
  if (!existsSync(join(root, 'tests'))) {
    throw new UsageError(
      'The contract suites are not part of this installation. Run it from a git checkout.',
    );
  }
  const type = readType(p.type) ?? (await detectType(p.target));
  const promises = await runSuite({ ...p, type });
  const report = writeReport({ target: p.target, type, promises });
  if (p.out !== null) await writeFile(p.out, report);
  if (p.json) printJson({ target: p.target, type, promises });
  else process.stdout.write(report);
  return promises.length > 0 && promises.every((one) => one.held) ? 0 : 1;
}

function readType(text: string | null): TargetType | null {
  if (text === null) return null;
  if (text === 'keycloak' || text === 'nextcloud' || text === 'moodle') return text;
  throw new UsageError(`There is no type ${text}. Choose one of: keycloak, nextcloud, moodle.`);
}

/** Asks the server for a page that only one of the three has. */
async function detectType(url: string): Promise<TargetType> {
  const probes = [
    ['nextcloud', 'status.php', 'versionstring'],
    ['keycloak', 'realms/master', '"realm"'],
    ['moodle', 'webservice/rest/server.php?moodlewsrestformat=json', 'errorcode'],
  ] as const;
  const base = url.endsWith('/') ? url : `${url}/`;
  for (const [type, path, sign] of probes) {
    const answer = await fetch(new URL(path, base), { signal: AbortSignal.timeout(10_000) }).catch(
      () => null,
    );
    if (answer !== null && (await answer.text()).includes(sign)) return type;
  }
  throw new UsageError(
    `${url} answers like none of the three. Is it running, and is the address right? --type says what it should be.`,
  );
}

async function runSuite(p: {
  readonly target: string;
  readonly type: TargetType;
  readonly secret: (name: string) => string | null;
}): Promise<readonly Promised[]> {
  const suite = suites[p.type];
  const dir = await mkdtemp(join(tmpdir(), 'skolebus-conformance-'));
  const results = join(dir, 'results.json');
  const prefix = `SKOLEBUS_TEST_${p.type.toUpperCase()}`;
  try {
    await runVitest({
      args: [
        'run',
        suite.file,
        '--testNamePattern',
        suite.block,
        '--reporter=json',
        `--outputFile=${results}`,
      ],
      env: { [`${prefix}_URL`]: p.target, ...readAccess({ ...p, prefix }) },
    });
    const read = Results.parse(JSON.parse(await readFile(results, 'utf8')));
    return read.testResults.flatMap((file) =>
      file.assertionResults
        .filter((one) => one.status === 'passed' || one.status === 'failed')
        .map((one) => ({
          about: one.ancestorTitles.slice(1),
          promise: one.title,
          held: one.status === 'passed',
          found: one.failureMessages[0]?.split('\n')[0] ?? null,
        })),
    );
  } finally {
    await rm(dir, { recursive: true });
  }
}

function readAccess(p: {
  readonly type: TargetType;
  readonly prefix: string;
  readonly secret: (name: string) => string | null;
}): Readonly<Record<string, string>> {
  const names = p.type === 'moodle' ? ['TOKEN'] : ['USER', 'PASSWORD'];
  return Object.fromEntries(
    names.map((name) => {
      const value = p.secret(`SKOLEBUS_CONFORMANCE_${name}`);
      if (value === null) {
        throw new UsageError(
          `Set SKOLEBUS_CONFORMANCE_${name} in the environment: the suite signs in with it.`,
        );
      }
      return [`${p.prefix}_${name}`, value];
    }),
  );
}

async function runVitest(p: {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}): Promise<void> {
  const child = spawn(process.execPath, [join(root, 'node_modules/vitest/vitest.mjs'), ...p.args], {
    cwd: root,
    env: { ...process.env, ...p.env },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  await new Promise<void>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', () => resolve());
  });
}

/** The report as people read it: what is not held first, then everything by subject. */
export function writeReport(p: {
  readonly target: string;
  readonly type: TargetType;
  readonly promises: readonly Promised[];
}): string {
  const broken = p.promises.filter((one) => !one.held);
  const line = (one: Promised) =>
    `${one.held ? '  ok      ' : '  NOT OK  '}${[...one.about, one.promise].join(', ')}`;
  return [
    `# Conformance: ${p.type} at ${p.target}`,
    '',
    broken.length === 0
      ? `All ${p.promises.length} promises are held: the connector can be used with this server.`
      : `${broken.length} of ${p.promises.length} promises are not held. Do not upgrade before they are understood.`,
    '',
    ...(broken.length === 0 ? [] : ['## Not held', '']),
    ...broken.flatMap((one) => [line(one), `            found: ${one.found ?? 'nothing said'}`]),
    ...(broken.length === 0 ? [] : ['']),
    '## All',
    '',
    ...p.promises.map(line),
    '',
  ].join('\n');
}
