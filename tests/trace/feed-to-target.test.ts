import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import request from 'supertest';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sync } from '../../provisioning/sync.ts';
import { createApi } from '../../services/api/app.ts';
import type { Context } from '../../services/context.ts';
import { openContext, typesOfTargets } from '../../services/context.ts';
import { readEnvironment } from '../../services/env.ts';
import { civilNumbers } from '../../services/generator/civil.ts';
import { generate } from '../../services/generator/generate.ts';
import { generateMunicipality } from '../../services/generator/municipality.ts';
import { prepareTargets } from '../../services/prepare.ts';
import { neverCalm } from '../../services/worker/gate.ts';
import { openQueues } from '../../services/worker/queues.ts';
import { waitUntilDone } from '../../services/worker/run-until-done.ts';
import { startWorker } from '../../services/worker/worker.ts';
import { createTestDatabase } from '../support/database.ts';
import type { Collector } from './collector.ts';
import { openCollector } from './collector.ts';
import type { SentSpan } from './otlp.ts';

const made = { seed: 3, schools: 1, people: 60 };
const token = 'a-token-for-tests';
let collector: Collector;
let usernames: readonly string[];

/** Two days of a made-up school, the first committed by the sync, the second by hand; all brought to the stand-ins. */
beforeAll(async () => {
  collector = await openCollector();
  const home = await mkdtemp(join(tmpdir(), 'skolebus-trace-'));
  await using _home = { [Symbol.asyncDispose]: () => rm(home, { recursive: true }) };
  await generate({ ...made, out: join(home, 'feed'), civil: true });
  await using server = await createTestDatabase();
  const environment = readEnvironment({
    DATABASE_URL: server.url,
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    SKOLEBUS_IDENTITY_KEY: 'a-key-for-tests-that-is-long-enough-to-be-one',
  });
  await using context = await openContext({ home, environment });
  const troubles: string[] = [];
  await prepareTargets({
    connectors: context.connectors.values(),
    onTrouble: (trouble) => troubles.push(trouble),
  });
  expect(troubles).toEqual([]);
  await runDay({ context, feed: join(home, 'feed/day1/ws17'), commit: true });
  await runDay({ context, feed: join(home, 'feed/day2/ws17'), commit: false });
  const rows = await context.database.as(context.tenant, (tx) =>
    tx.query<{ username: string }>(
      `select distinct coalesce(desired->>'username', desired->>'userId') as username
       from resource where kind = 'account'`,
    ),
  );
  usernames = rows.map((row) => row.username);
}, 120_000);
afterAll(() => collector[Symbol.asyncDispose]());

async function runDay(p: {
  readonly context: Context;
  readonly feed: string;
  readonly commit: boolean;
}): Promise<void> {
  const { database, tenant, policy, connectors, environment } = p.context;
  const targets = typesOfTargets(connectors);
  const { plan } = await sync({
    ...{ database, tenant, policy, targets, commit: p.commit },
    source: 'main',
    feed: { format: 'ws17', path: p.feed },
    allowed: new Set(),
    identityKey: environment.identityKey,
    now: new Date(),
  });
  await using queues = await openQueues({ databaseUrl: database.url, redisUrl: null });
  if (!p.commit) {
    const app = createApi({
      ...{ database, tenant, queues },
      access: { kind: 'local-token', token },
      console: null,
      onCommitted: async () => {},
      logger: pino({ level: 'silent' }),
    });
    const path = `/api/v1/plans/${plan.id}/commit`;
    expect((await request(app).post(path).auth(token, { type: 'bearer' })).status).toBe(200);
    const search = await request(app)
      .get('/api/v1/people')
      .query({ search: 'Jensen' })
      .auth(token, { type: 'bearer' });
    expect(search.status).toBe(200);
  }
  await using worker = await startWorker({
    ...{ database, queues, concurrency: 3, sweepMs: 200 },
    connectorsOf: async () => connectors,
    calmOf: () => neverCalm,
    onError: (error) => {
      throw error;
    },
  });
  const signal = AbortSignal.timeout(60_000);
  const last = await waitUntilDone({ database, tenant, worker, signal, onProgress: () => {} });
  expect(last).toMatchObject({ due: 0, failed: 0 });
}

const named = (name: string) => collector.spans.filter((span) => span.name === name);
const batches = () => collector.spans.filter((span) => span.name.startsWith('batch '));
const calls = () => collector.spans.filter((span) => span.kind === 3);

function find(p: { readonly traceId: string; readonly spanId: string }): SentSpan | null {
  const same = (span: SentSpan) => span.traceId === p.traceId && span.spanId === p.spanId;
  return collector.spans.find(same) ?? null;
}

/** The span and all above it, up to the first of the trace. */
function lineOf(span: SentSpan): readonly SentSpan[] {
  const above = find({ traceId: span.traceId, spanId: span.parentId });
  return above === null ? [span] : [span, ...lineOf(above)];
}

const namesOf = (line: readonly SentSpan[]) => line.map((span) => span.name);

describe('traces of two days', () => {
  it('tell each step of a sync', () => {
    expect(named('sync')).toHaveLength(2);
    for (const name of ['read', 'accept']) {
      expect(named(name).map((span) => namesOf(lineOf(span)))).toEqual([
        [name, 'snapshot', 'sync'],
        [name, 'snapshot', 'sync'],
      ]);
    }
    for (const name of ['desire', 'diff', 'gate']) {
      expect(named(name).map((span) => namesOf(lineOf(span)))).toEqual([
        [name, 'plan', 'sync'],
        [name, 'plan', 'sync'],
      ]);
    }
  });

  it('lead from every call of a target to the feed', () => {
    const seen = new Set<string>();
    expect(calls().length).toBeGreaterThan(100);
    for (const call of calls()) {
      const line = lineOf(call);
      expect(namesOf(line)).toEqual([call.name, expect.stringMatching(/^batch /), 'turn']);
      const origins = line.flatMap((span) => span.links).map((link) => find(link));
      expect(origins.length).toBeGreaterThan(0);
      for (const origin of origins) {
        if (origin === null) throw new Error(`${call.name} goes on with a span that was not sent.`);
        const [commit, above] = lineOf(origin);
        expect(commit?.name).toBe('commit');
        // Committed by the sync itself, or by a request, which goes on with the plan of a sync.
        const plans = commit?.links.map((link) => find(link)) ?? [];
        expect(plans.map((plan) => plan && namesOf(lineOf(plan)))).toEqual([['plan', 'sync']]);
        seen.add(`${line[1]?.facts['skolebus.target']} ${above?.name}`);
      }
    }
    for (const target of ['keycloak', 'nextcloud', 'moodle']) {
      expect(seen).toContain(`${target} sync`);
      expect(seen).toContain(`${target} POST /api/v1/plans/:id/commit`);
    }
  });

  it('count rows and outcomes', () => {
    for (const { facts } of batches()) {
      const outcomes = Object.entries(facts).filter(([name]) => name.includes('.outcome.'));
      const sum = outcomes.reduce((total, [, count]) => total + Number(count), 0);
      expect(sum).toBe(facts['skolebus.rows']);
    }
    const turns = named('turn');
    expect(turns.map((turn) => turn.facts['skolebus.lane'])).toContain('sync');
    for (const { facts, parentId } of turns) {
      expect([facts['skolebus.tenant'], parentId]).toEqual(['kommune', '']);
    }
  });

  it('call requests and calls by their patterns', () => {
    const patterns = new Set(calls().map((call) => call.name));
    expect(patterns).toContain('POST /admin/realms/*/users');
    expect(patterns).toContain('POST core_user_create_users');
    expect(patterns).toContain('POST /ocs/v2.php/cloud/users');
    // Few, however many people there are.
    expect(patterns.size).toBeLessThan(60);
    for (const { facts } of calls()) {
      expect(facts).toMatchObject({
        'server.address': '127.0.0.1',
        'http.request.method': expect.any(String),
        'http.response.status_code': expect.any(Number),
      });
    }
    expect(named('GET /api/v1/people')).toHaveLength(1);
  });

  it('hold nothing of anybody', () => {
    const truth = generateMunicipality(made);
    const told = collector.spans.flatMap(({ name, facts }) => [
      name,
      ...Object.entries(facts).flat().map(String),
    ]);
    expect(told.length).toBeGreaterThan(1000);
    const text = [...new Set(told)].join('\n').toLowerCase();
    const words = new Set(text.split(/[^\p{L}]+/u));
    for (const person of truth.people) {
      for (const name of [person.given, person.family, person.alias?.given, person.alias?.family]) {
        for (const part of (name ?? '').toLowerCase().split(/[ -]+/)) {
          if (part !== '') expect(words).not.toContain(part);
        }
      }
      expect(text).not.toContain(person.uniId.toLowerCase());
      if (person.email !== null) expect(text).not.toContain(person.email.toLowerCase());
    }
    const numbers = [...civilNumbers(truth.people).values()].map((civil) => civil.number);
    expect(usernames.length).toBeGreaterThan(50);
    for (const secret of [...numbers, ...usernames, 'jensen', token]) {
      expect(text).not.toContain(secret.toLowerCase());
      for (const body of collector.bodies) expect(body.includes(secret)).toBe(false);
    }
  });
});
