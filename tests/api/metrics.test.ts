import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pino } from 'pino';
import request from 'supertest';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { parse } from 'yaml';
import { setBrake } from '../../provisioning/ledger/brake.ts';
import { openCircuit } from '../../provisioning/ledger/circuit.ts';
import { createApi } from '../../services/api/app.ts';
import { openProcessFigures } from '../../services/metrics/process.ts';
import { neverCalm } from '../../services/worker/gate.ts';
import { openQueues } from '../../services/worker/queues.ts';
import { startWorker } from '../../services/worker/worker.ts';
import { openLine } from '../support/line.ts';
import { smallRoster } from '../support/roster.ts';

const token = 'a-token-for-tests';
const stack = new AsyncDisposableStack();
let text: string;

/** 48 people; a pupil is refused by Keycloak, all of them wait for Nextcloud, which does not answer. */
beforeAll(async () => {
  const line = stack.use(await openLine());
  const { database, tenant } = line;
  const connectors = new Map(Object.entries(line.targets));
  const figures = stack.use(openProcessFigures({ connectors: connectors.values() }));
  const queues = stack.use(await openQueues({ databaseUrl: database.url, redisUrl: null }));
  const { keycloak, moodle, nextcloud } = line.targets;
  keycloak.misbehave(({ desired }) =>
    desired !== null && 'username' in desired && desired.username === 'elev1001'
      ? { state: 'rejected', code: 'invalid-name', detail: 'The server refuses the name.' }
      : null,
  );
  await openCircuit({
    ...line,
    target: nextcloud.name,
    cause: 'unreachable',
    afterMs: 600_000,
    random: 1,
  });
  await setBrake({
    ...line,
    brake: {
      target: 'moodle',
      lane: 'bulk',
      kind: 'pause',
      until: null,
      reason: 'Test',
      by: 'test',
    },
  });
  await line.day({ roster: smallRoster({ pupils: 22 }), now: new Date() });
  {
    await using worker = await startWorker({
      database,
      queues,
      connectorsOf: async () => connectors,
      calmOf: () => neverCalm,
      concurrency: 3,
      sweepMs: 100,
      onError: (error) => {
        throw error;
      },
      onTurn: figures.turns.count,
    });
    await worker.sweep();
    await vi.waitUntil(() => moodle.writes.length > 52, { timeout: 20_000 });
    await vi.waitUntil(() => keycloak.writes.length === 47 + 4, { timeout: 20_000 });
  }
  await callServer();
  const app = createApi({
    ...{ database, tenant, queues, figures, console: null },
    access: { kind: 'local-token', token },
    onCommitted: async () => {},
    logger: pino({ level: 'silent' }),
  });
  const scrape = () => request(app).get('/metrics').auth(token, { type: 'bearer' }).expect(200);
  await scrape();
  // What was counted once must not be counted twice at the second scrape.
  ({ text } = await scrape());
}, 60_000);

afterAll(() => stack.disposeAsync());

/** One answer, and one call that nobody answers. */
async function callServer(): Promise<void> {
  const server = createServer((_request, response) => response.writeHead(503).end());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/users/elev1001`;
  await (await fetch(url)).text();
  server.close();
  server.closeAllConnections();
  await once(server, 'close');
  await expect(fetch(url)).rejects.toThrow();
}

/** The value of a figure, by its name and some of its labels. */
function figure(name: string, labels: Readonly<Record<string, string>> = {}): number | undefined {
  const wanted = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
  const found = text
    .split('\n')
    .find((one) => one.startsWith(`${name}{`) && wanted.every((label) => one.includes(label)));
  return found === undefined ? undefined : Number(found.slice(found.lastIndexOf(' ')));
}

describe('figures', () => {
  it('tell what waits in which lane, how long, and what holds it up', () => {
    const nextcloud = { target: 'nextcloud', lane: 'sync', tenant: 'kommune' };
    expect(figure('skolebus_due_rows', nextcloud)).toBeGreaterThan(48);
    expect(figure('skolebus_due_rows', { ...nextcloud, lane: 'now' })).toBe(0);
    expect(figure('skolebus_oldest_due_seconds', nextcloud)).toBeGreaterThan(0);
    expect(figure('skolebus_circuit_open', { target: 'nextcloud' })).toBe(1);
    expect(figure('skolebus_circuit_open', { target: 'keycloak' })).toBe(0);
    expect(figure('skolebus_brakes', { kind: 'pause' })).toBe(1);
    expect(figure('skolebus_rows_per_second', { target: 'keycloak' })).toBeGreaterThan(0);
  });

  it('count what the worker did, and why not', () => {
    const keycloak = { target: 'keycloak', lane: 'sync' };
    expect(figure('skolebus_rows_total', { ...keycloak, outcome: 'applied' })).toBe(47 + 4);
    expect(figure('skolebus_rows_total', { ...keycloak, outcome: 'invalid-name' })).toBe(1);
    expect(figure('skolebus_turn_seconds_count', keycloak)).toBeGreaterThan(0);
    expect(figure('skolebus_overtaken_rows_total', keycloak)).toBe(0);
    expect(figure('skolebus_pace_limit', { target: 'keycloak' })).toBeGreaterThan(0);
  });

  it('tell who is ready, who not and why, and how long new people waited', () => {
    expect(figure('skolebus_everybody')).toBe(48);
    expect(figure('skolebus_everybody_ready')).toBe(0);
    expect(figure('skolebus_people', { institution: '101001' })).toBe(24);
    expect(figure('skolebus_people_missing', { cause: 'circuit', target: 'nextcloud' })).toBe(48);
    expect(figure('skolebus_people_missing', { code: 'invalid-name', target: 'keycloak' })).toBe(1);
    expect(figure('skolebus_new_people', { state: 'waiting' })).toBe(48);
    expect(figure('skolebus_ready_in_seconds')).toBeUndefined();
  });

  it('measure calls by server and status, and not by address', () => {
    expect(figure('skolebus_target_request_seconds_count', { status: '5xx' })).toBe(1);
    expect(figure('skolebus_target_request_seconds_count', { status: 'none' })).toBe(1);
    expect(text).not.toMatch(/elev1001|person:/);
  });

  it('stand in the documentation with their labels, and nothing else does', async () => {
    const told = new Map<string, Set<string>>();
    for (const row of (await read('docs/metrics.md')).matchAll(/^\| (`skolebus.*)$/gm)) {
      const [names = '', labels = ''] = (row[1] ?? '').split('|');
      const known = [...labels.matchAll(/`(\w+)`/g)].map((label) => label[1] ?? '');
      for (const name of names.matchAll(/`(\w+)`/g)) told.set(name[1] ?? '', new Set(known));
    }
    const figures = namesOf(text).filter((name) => name.startsWith('skolebus_'));
    expect([...told.keys()].sort()).toEqual([...figures].sort());
    for (const line of text.split('\n')) {
      const [, name = '', labels = ''] = /^(skolebus_\w+)\{(.*)\}/.exec(line) ?? [];
      const known = told.get(withoutSuffix(name));
      for (const label of labels.matchAll(/(\w+)="/g)) {
        if (label[1] === 'tenant' || label[1] === 'le') continue;
        expect([name, [...(known ?? [])]]).toEqual([name, expect.arrayContaining([label[1]])]);
      }
    }
  });

  it.each(['deploy/prometheus/alerts.yaml', 'deploy/grafana/skolebus.json'])(
    'are all there that %s asks for',
    async (file) => {
      const asked = expressionsOf(parse(await read(file))).flatMap((expression) =>
        [...expression.matchAll(/\b(?:skolebus|process|nodejs)_\w+/g)].map((name) => name[0]),
      );
      expect(asked.length).toBeGreaterThan(9);
      const known = new Set(namesOf(text));
      expect(asked.map(withoutSuffix).filter((name) => !known.has(name))).toEqual([]);
    },
  );
});

function read(file: string): Promise<string> {
  return readFile(new URL(`../../${file}`, import.meta.url), 'utf8');
}

function namesOf(figures: string): readonly string[] {
  return [...figures.matchAll(/^# TYPE (\w+) /gm)].map((type) => type[1] ?? '');
}

/** Of a histogram. */
function withoutSuffix(name: string): string {
  return name.replace(/_(bucket|sum|count)$/, '');
}

/** Every `expr` below a node. */
function expressionsOf(node: unknown): readonly string[] {
  if (typeof node !== 'object' || node === null) return [];
  return Object.entries(node).flatMap(([key, value]) =>
    key === 'expr' ? [String(value)] : expressionsOf(value),
  );
}
