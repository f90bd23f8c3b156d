import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import type { FeedFormat } from '../../provisioning/feed/read.ts';
import { readFeed } from '../../provisioning/feed/read.ts';
import { FeedError } from '../../provisioning/feed/record.ts';
import { commitPlan, promoteDue } from '../../provisioning/ledger/commit.ts';
import type { PlanSummary } from '../../provisioning/plan/make.ts';
import { makePlan } from '../../provisioning/plan/make.ts';
import { parsePolicy } from '../../provisioning/policy/parse.ts';
import { acceptSnapshot } from '../../provisioning/roster/accept.ts';
import type { Database } from '../../provisioning/store/database.ts';
import { openDatabase } from '../../provisioning/store/database.ts';
import { migrate } from '../../provisioning/store/migrate.ts';
import { generateMunicipality } from '../../services/generator/municipality.ts';
import { toOneRoster } from '../../services/generator/oneroster.ts';
import type { Random } from '../../services/generator/random.ts';
import { createRandom } from '../../services/generator/random.ts';
import { toWs17 } from '../../services/generator/ws17.ts';
import { csvMutations } from './csv-mutations.ts';
import type { Holding } from './holdings.ts';
import { findUnearned, readHoldings } from './holdings.ts';
import type { Earned, Files, Mutation } from './mutation.ts';
import { nothingEarned } from './mutation.ts';
import { ws17Mutations } from './ws17-mutations.ts';

export interface FeedProof {
  readonly feeds: number;
  readonly refused: number;
  readonly accepted: number;
  /** Feeds of which something was held. */
  readonly held: number;
  /** What somebody lost although the feed did not say so: the seed and mutations of the feed, and what. */
  readonly unearned: readonly string[];
  /** Feeds that ended in another error than a refusal, or planned something again the second time. */
  readonly crashes: readonly string[];
  readonly mutations: number;
}

const tenant = 'kommune';
const targets = new Map([
  ['keycloak', 'keycloak'],
  ['nextcloud', 'nextcloud'],
  ['moodle', 'moodle'],
] as const);
/** A school of thirty is too small for the default figures to say anything. */
const accounts = { percent: 10, count: 2 };
const policy = parsePolicy({
  text: JSON.stringify({
    version: 1,
    limits: {
      deactivate: accounts,
      identifiers: { percent: 10, count: 2 },
      memberships: { percent: 20, count: 10 },
      growth: { percent: 50, count: 5 },
    },
  }),
  file: 'policy.yaml',
});
const firstDay = new Date('2026-11-02T05:00:00Z');
const secondDay = new Date('2026-11-03T05:00:00Z');

interface Source {
  readonly name: string;
  readonly format: FeedFormat;
  readonly files: Files;
  readonly mutations: readonly Mutation[];
}

/** One municipality in three forms. */
function sourcesOf(seed: number): readonly Source[] {
  const truth = generateMunicipality({ seed, schools: 2, people: 60 });
  const files = (entries: Iterable<readonly [string, string]>, ending: string): Files =>
    new Map([...entries].map(([name, text]) => [`${name}${ending}`, Buffer.from(text, 'utf8')]));
  const csv = { format: 'oneroster', mutations: csvMutations } as const;
  return [
    {
      name: 'ws17',
      format: 'ws17',
      files: files(toWs17(truth, { civil: true }), '.xml'),
      mutations: ws17Mutations,
    },
    { name: 'oneroster-1.1', files: files(toOneRoster(truth, '1.1'), ''), ...csv },
    { name: 'oneroster-1.2', files: files(toOneRoster(truth, '1.2'), ''), ...csv },
  ];
}

/**
 * Syncs the first day of a made-up municipality, and then, each time from there, feeds that one to three
 * mutations have been at. Each of them is run twice.
 *
 * @param p.serverUrl a database of a server on which the role may create more
 */
export async function proveFeeds(p: {
  readonly serverUrl: string;
  readonly feeds: number;
  readonly seed: number;
  readonly onProgress?: (done: number) => void;
}): Promise<FeedProof> {
  const admin = new Client({ connectionString: p.serverUrl });
  await admin.connect();
  const dir = await mkdtemp(join(tmpdir(), 'skolebus-feeds-'));
  const tally = { refused: 0, held: 0, unearned: [] as string[], crashes: [] as string[] };
  const sources = sourcesOf(p.seed);
  const bases = new Map<string, ReadonlyMap<string, Holding>>();
  const database = (name: string) => `skolebus_proof_${process.pid}_${name}`.replaceAll(/\W/g, '_');
  try {
    for (const source of sources) {
      await admin.query(`create database ${database(source.name)}`);
      const url = withDatabase(p.serverUrl, database(source.name));
      bases.set(source.name, await firstSync({ url, source, dir }));
    }
    for (let n = 0; n < p.feeds; n += 1) {
      const random = createRandom(p.seed * 1_000_003 + n);
      const source = random.pick(sources);
      const { files, earned, names } = mutate({ source, random });
      const label = `${p.seed}/${n} ${source.name}: ${names.join(' + ')}`;
      await admin.query(`create database ${database('run')} template ${database(source.name)}`);
      const url = withDatabase(p.serverUrl, database('run'));
      const before = bases.get(source.name) ?? new Map();
      try {
        const done = await runFeed({ url, source, files, earned, dir, before });
        if (done.refused) tally.refused += 1;
        if (done.held) tally.held += 1;
        tally.unearned.push(...done.unearned.slice(0, 3).map((what) => `${label}: ${what}`));
        if (done.again > 0) tally.crashes.push(`${label}: ${done.again} planned again`);
      } catch (error) {
        tally.crashes.push(`${label}: ${error instanceof Error ? error.stack : String(error)}`);
      }
      // Not by force: that fails where an autovacuum worker is at it, which a plain drop sends away.
      await admin.query(`drop database ${database('run')}`);
      p.onProgress?.(n + 1);
    }
  } finally {
    for (const source of sources) {
      await admin.query(`drop database if exists ${database(source.name)}`);
    }
    await admin.end();
    await rm(dir, { recursive: true, force: true });
  }
  const mutations = ws17Mutations.length + csvMutations.length;
  return { feeds: p.feeds, accepted: p.feeds - tally.refused, ...tally, mutations };
}

function mutate(p: { readonly source: Source; readonly random: Random }): {
  readonly files: Files;
  readonly earned: Earned;
  readonly names: readonly string[];
} {
  const files: Files = new Map(p.source.files);
  const earned = nothingEarned();
  const chosen = p.random.sample(p.source.mutations, p.random.between(1, 3));
  for (const { apply } of chosen) if (files.size > 0) apply({ files, random: p.random, earned });
  return { files, earned, names: chosen.map(({ name }) => name) };
}

async function firstSync(p: {
  readonly url: string;
  readonly source: Source;
  readonly dir: string;
}): Promise<ReadonlyMap<string, Holding>> {
  await migrate({ url: p.url });
  await using database = openDatabase({ url: p.url, max: 2 });
  await database.addTenant({ id: tenant, name: tenant });
  const path = await place({ ...p, files: p.source.files });
  await syncOnce({ database, format: p.source.format, path, now: firstDay });
  // Awaited here: the database is closed on the way out.
  return await readHoldings({ database, tenant });
}

async function runFeed(p: {
  readonly url: string;
  readonly source: Source;
  readonly files: Files;
  readonly earned: Earned;
  readonly dir: string;
  readonly before: ReadonlyMap<string, Holding>;
}): Promise<{
  readonly refused: boolean;
  readonly held: boolean;
  readonly again: number;
  readonly unearned: readonly string[];
}> {
  await using database = openDatabase({ url: p.url, max: 2 });
  const path = await place(p);
  const day = { database, format: p.source.format, path, now: secondDay };
  let refused = false;
  let held = false;
  let again = 0;
  try {
    const plan = await syncOnce(day);
    held = plan.held.some(({ code }) => /^(limit|identity|relation)-/.test(code));
    again = countChanges(await syncOnce(day));
  } catch (error) {
    if (!(error instanceof FeedError)) throw error;
    refused = true;
  }
  const after = await readHoldings({ database, tenant });
  const earned = refused ? nothingEarned() : p.earned;
  return {
    refused,
    held,
    again,
    unearned: findUnearned({ before: p.before, after, earned, limits: { accounts } }),
  };
}

async function syncOnce(p: {
  readonly database: Database;
  readonly format: FeedFormat;
  readonly path: string;
  readonly now: Date;
}): Promise<PlanSummary> {
  const { database, format, path, now } = p;
  await promoteDue({ database, tenant, now });
  const identity = { key: 'a key of the proof that is long enough 123', tenant };
  const snapshot = await acceptSnapshot({
    database,
    tenant,
    source: 'main',
    items: readFeed({ format, path, identity }),
    now,
  });
  const plan = await makePlan({
    database,
    tenant,
    policy,
    targets,
    snapshotId: snapshot.id,
    schoolYear: snapshot.schoolYear,
    allowed: new Set(),
    now,
  });
  await commitPlan({ database, tenant, planId: plan.id, now });
  return plan;
}

function countChanges(plan: PlanSummary): number {
  return Object.values(plan.changes)
    .flatMap((kinds) => Object.values(kinds))
    .flatMap((actions) => Object.values(actions))
    .reduce((sum, n) => sum + n, 0);
}

async function place(p: { readonly dir: string; readonly files: Files }): Promise<string> {
  const folder = join(p.dir, 'feed');
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  for (const [name, bytes] of p.files) await writeFile(join(folder, name), bytes);
  return folder;
}

/** A socket address has no host before the slash, which URL does not accept. */
function withDatabase(url: string, name: string): string {
  const [base = '', parameters] = url.split('?');
  const path = `${base.slice(0, base.lastIndexOf('/'))}/${name}`;
  return parameters === undefined ? path : `${path}?${parameters}`;
}
