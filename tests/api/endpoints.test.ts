import type { Express } from 'express';
import { pino } from 'pino';
import request from 'supertest';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Database } from '../../provisioning/store/database.ts';
import { createApi, endpoints } from '../../services/api/app.ts';
import { Problem } from '../../services/api/problem.ts';
import { answered } from './answered.ts';
import {
  addChanges,
  addPlan,
  addResource,
  addSchool,
  addSnapshot,
  openMunicipality,
  tenant,
} from './municipality.ts';

const token = 'a-token-for-tests';
const logged: string[] = [];

let municipality: Awaited<ReturnType<typeof openMunicipality>>;
let database: Database;
let app: Express;
let planId: string;
let woken = 0;

beforeAll(async () => {
  municipality = await openMunicipality();
  database = municipality.database;
  planId = await database.as(tenant, async (tx) => {
    await addSchool({ tx, key: '101001', name: 'Engskolen' });
    await addSchool({ tx, key: '101002', name: 'Bakkeskolen' });
    await addSnapshot({ tx });
    await addResource({ tx, key: 'a', state: 'settled' });
    await addResource({ tx, key: 'b', state: 'due' });
    await addResource({ tx, key: 'c', state: 'failed' });
    for (let n = 1; n <= 6; n++) {
      await addPlan({ tx, state: 'superseded', createdAt: `2026-08-0${n}T05:00:00Z` });
    }
    const id = await addPlan({ tx });
    await addChanges({ tx, planId: id, count: 25 });
    return id;
  });
  app = createApi({
    database,
    tenant,
    queues: null,
    access: { kind: 'local-token', token },
    console: null,
    onCommitted: async () => {
      woken += 1;
    },
    logger: pino({ level: 'info' }, { write: (line: string) => logged.push(line) }),
  });
});

afterAll(async () => {
  await municipality[Symbol.asyncDispose]();
});

const get = (path: string) => request(app).get(path).auth(token, { type: 'bearer' });
const post = (path: string) => request(app).post(path).auth(token, { type: 'bearer' });

function refused(response: request.Response, code: string) {
  expect(response.headers['content-type']).toMatch(/^application\/problem\+json/);
  const problem = Problem.parse(response.body);
  expect(problem).toMatchObject({ code, status: response.status });
  return problem;
}

describe('status', () => {
  it('tells how far the targets are and why not further', async () => {
    const body = answered('getStatus', await get('/api/v1/status'));

    expect(body.tenant).toBe(tenant);
    expect(body.progress).toEqual([
      { target: 'keycloak', kind: 'account', settled: 1, due: 1, failed: 1, scheduled: 0 },
    ]);
    expect(body.causes).toContainEqual(
      expect.objectContaining({ state: 'failed', code: 'name-taken', count: 1 }),
    );
    expect(body.snapshots[0].counts.people).toBe(40);
    expect(body.plan.id).toBe(planId);
    expect(body.queues).toBeNull();
  });

  it('is not kept by any cache', async () => {
    expect((await get('/api/v1/status')).headers['cache-control']).toBe('no-store');
  });
});

describe('snapshots and institutions', () => {
  it('counts diagnostics and lists the first ones', async () => {
    const body = answered('listSnapshots', await get('/api/v1/snapshots?diagnostics=1'));

    expect(body.items).toHaveLength(1);
    expect(body.items[0].diagnosticCounts).toEqual([
      { code: 'group-dangling', severity: 'warning', count: 2 },
    ]);
    expect(body.items[0].diagnostics).toHaveLength(1);
  });

  it('shows why a snapshot was refused', async () => {
    await database.as(tenant, (tx) => addSnapshot({ tx, refused: true }));

    const body = answered('listSnapshots', await get('/api/v1/snapshots?limit=1'));

    expect(body.items[0]).toMatchObject({ state: 'refused', counts: null });
    expect(body.items[0].refusal.code).toBe('feed-truncated');
  });

  it('lists institutions', async () => {
    const body = answered('listInstitutions', await get('/api/v1/institutions'));

    expect(body.items.map((one: { name: string }) => one.name)).toEqual([
      'Engskolen',
      'Bakkeskolen',
    ]);
  });
});

describe('plans', () => {
  it('pages to the end, every plan once, newest first', async () => {
    const seen: string[] = [];
    let cursor = '';
    do {
      const page = answered('listPlans', await get(`/api/v1/plans?limit=3${cursor}`));
      seen.push(...page.items.map((plan: { createdAt: string }) => plan.createdAt));
      cursor = page.next === null ? '' : `&cursor=${page.next}`;
    } while (cursor !== '');

    expect(seen).toHaveLength(7);
    expect(seen).toEqual([...seen].sort().reverse());
  });

  it('shows one', async () => {
    const plan = answered('getPlan', await get(`/api/v1/plans/${planId.toUpperCase()}`));

    expect(plan).toMatchObject({ id: planId, state: 'open', committedAt: null });
    expect(plan.changes.keycloak.account.create).toBe(2);
  });

  it('summarises one', async () => {
    const { items } = answered('summarisePlan', await get(`/api/v1/plans/${planId}/summary`));

    expect(items.reduce((sum: number, row: { count: number }) => sum + row.count, 0)).toBe(25);
    expect(items.filter((row: { held: boolean }) => row.held)).toEqual([
      expect.objectContaining({ action: 'deactivate', scheduled: true, count: 1 }),
    ]);
  });

  it.each(['', '/summary', '/changes'])('knows no other plan (%s)', async (rest) => {
    const other = '7b9e0d3e-5a51-4a39-9d6c-3f9f6d7c2f10';

    refused(await get(`/api/v1/plans/${other}${rest}`), 'plan-unknown');
  });

  it('does not see the plans of another tenant', async () => {
    await database.addTenant({ id: 'nabo', name: 'Nabokommune' });
    const other = createApi({
      database,
      tenant: 'nabo',
      queues: null,
      access: { kind: 'local-token', token },
      console: null,
      onCommitted: async () => {},
      logger: pino({ level: 'silent' }),
    });
    const ask = (path: string) => request(other).get(path).auth(token, { type: 'bearer' });

    refused(await ask(`/api/v1/plans/${planId}`), 'plan-unknown');
    expect((await ask('/api/v1/plans')).body.items).toEqual([]);
  });
});

describe('changes', () => {
  const changes = (query: string) => get(`/api/v1/plans/${planId}/changes${query}`);

  it('pages to the end, every change once, in order', async () => {
    const seen: number[] = [];
    let cursor = '';
    do {
      const page = answered('listChanges', await changes(`?limit=10${cursor}`));
      seen.push(...page.items.map((change: { seq: number }) => change.seq));
      cursor = page.next === null ? '' : `&cursor=${page.next}`;
    } while (cursor !== '');

    expect(seen).toEqual(Array.from({ length: 25 }, (_, index) => index + 1));
  });

  it('has no next page when the last one is just full', async () => {
    expect((await changes('?limit=25')).body.next).toBeNull();
  });

  it.each([
    ['target=moodle', 12],
    ['institution=101001', 9],
    ['kind=course', 5],
    ['action=deactivate', 1],
    ['held=true', 1],
    ['held=false', 24],
    ['text=%C3%A5SE', 1],
    ['text=%25', 0],
    ['target=moodle&kind=course', 2],
    ['code=moved', 1],
    ['code=limit-deactivate', 1],
    ['group=1.b', 1],
    ['group=1.c', 0],
  ])('filters by %s', async (query, count) => {
    expect((await changes(`?${query}`)).body.items).toHaveLength(count);
  });

  it('tells what moved', async () => {
    const [change] = (await changes('?text=Elev%206')).body.items;

    expect(change.institutionName).toBe('Bakkeskolen');
    expect(change.reason.fields).toEqual([
      { field: 'groups', added: ['2.B'], removed: ['1.B'] },
      { field: 'grade', from: '1', to: '2' },
    ]);
  });

  it('tells what is created, field by field, when asked', async () => {
    const ask = async (whole: string) => (await changes(`?limit=1${whole}`)).body.items[0];

    expect((await ask('')).reason.fields).toEqual([]);
    expect((await ask('&whole=true')).reason.fields).toEqual([
      { field: 'active', from: null, to: 'true' },
      { field: 'username', from: null, to: 'elev1' },
    ]);
  });

  it.each([
    'limit=501',
    'limit=0',
    'limit=ten',
    'action=explode',
    'held=maybe',
    'cursor=xyz',
    'cursor=',
    'target=Not%20a%20name',
    'text=',
    'unknown=1',
    'target=a&target=b',
  ])('refuses %s', async (query) => {
    refused(await changes(`?${query}`), 'bad-request');
  });

  it('never repeats what was sent', async () => {
    const response = await changes('?action=Hemmelig%20Person');

    expect(refused(response, 'bad-request').errors?.[0]?.path).toBe('action');
    expect(response.text).not.toContain('Hemmelig');
  });
});

describe('commit', () => {
  const freshPlan = () =>
    database.as(tenant, async (tx) => {
      await tx.execute(`update plan set state = 'superseded' where state = 'open'`);
      await tx.execute(`delete from resource where key like 'person:%'`);
      const id = await addPlan({ tx });
      await addChanges({ tx, planId: id, count: 8 });
      return id;
    });

  it('makes the plan the desired state and wakes the worker', async () => {
    const id = await freshPlan();
    const before = woken;

    const body = answered('commitPlan', await post(`/api/v1/plans/${id}/commit`));

    expect(body).toEqual({
      ...{ committed: 7, scheduled: 0, held: 1, stale: 0, left: 0, waiting: 0 },
      replanned: null,
    });
    expect(woken).toBe(before + 1);
    expect((await get(`/api/v1/plans/${id}`)).body.state).toBe('committed');
  });

  it('refuses a plan that is not open', async () => {
    const id = await freshPlan();
    await post(`/api/v1/plans/${id}/commit`);

    refused(await post(`/api/v1/plans/${id}/commit`), 'plan-not-open');
    refused(
      await post(`/api/v1/plans/${id}/commit`).set('Idempotency-Key', 'late'),
      'plan-not-open',
    );
    refused(
      await post(`/api/v1/plans/${id}/commit`).set('Idempotency-Key', 'late'),
      'plan-not-open',
    );
  });

  it('gives the same answer for the same key', async () => {
    const id = await freshPlan();
    const ask = () => post(`/api/v1/plans/${id}/commit`).set('Idempotency-Key', 'first');

    const first = answered('commitPlan', await ask());

    expect(answered('commitPlan', await ask())).toEqual(first);
  });

  it('commits once for one key asked many times at once', async () => {
    const id = await freshPlan();
    const ask = () => post(`/api/v1/plans/${id}/commit`).set('Idempotency-Key', 'at-once');

    const responses = await Promise.all(Array.from({ length: 8 }, ask));

    const good = responses.filter((response) => response.status === 200);
    expect(good.length).toBeGreaterThan(0);
    expect(new Set(good.map((response) => JSON.stringify(response.body))).size).toBe(1);
    for (const response of responses.filter((one) => one.status !== 200)) {
      refused(response, 'request-in-progress');
      expect(response.headers['retry-after']).toBe('1');
    }
  });

  it('finds the answer of a process that died before it had kept it', async () => {
    const id = await freshPlan();
    const ask = () => post(`/api/v1/plans/${id}/commit`).set('Idempotency-Key', 'died');
    const first = await ask();
    await database.as(tenant, (tx) =>
      tx.execute('update kept_answer set answer = null where operation = $1', [`commit ${id}`]),
    );

    expect((await ask()).body).toEqual(first.body);
  });

  it('refuses a key that belongs to another request', async () => {
    const [one, two] = [await freshPlan(), planId];
    await post(`/api/v1/plans/${one}/commit`).set('Idempotency-Key', 'shared');

    const response = await post(`/api/v1/plans/${two}/commit`).set('Idempotency-Key', 'shared');

    refused(response, 'idempotency-key-reused');
  });

  it('refuses unknown plans and bad keys', async () => {
    refused(await post('/api/v1/plans/not-a-plan/commit'), 'bad-request');
    refused(
      await post('/api/v1/plans/7b9e0d3e-5a51-4a39-9d6c-3f9f6d7c2f10/commit'),
      'plan-unknown',
    );
    refused(
      await post(`/api/v1/plans/${planId}/commit`).set('Idempotency-Key', 'x'.repeat(201)),
      'bad-request',
    );
  });
});

describe('retry', () => {
  it('puts failed resources back to work', async () => {
    await database.as(tenant, (tx) =>
      addResource({ tx, key: 'course:1', state: 'failed', target: 'moodle', kind: 'course' }),
    );

    const none = answered(
      'retryTarget',
      await post('/api/v1/targets/moodle/retry').send({ kind: 'account' }),
    );
    const all = answered('retryTarget', await post('/api/v1/targets/moodle/retry'));

    expect([none.retried, all.retried]).toEqual([0, 1]);
  });

  it('refuses what it does not know', async () => {
    refused(await post('/api/v1/targets/nowhere/retry'), 'target-unknown');
    refused(await post('/api/v1/targets/keycloak/retry').send({ kind: 'planet' }), 'bad-request');
    refused(await post('/api/v1/targets/keycloak/retry').send({ all: true }), 'bad-request');
  });

  it('refuses bodies that it cannot read', async () => {
    const ask = () =>
      post('/api/v1/targets/keycloak/retry').set('Content-Type', 'application/json');

    refused(await ask().send('{"kind":'), 'bad-request');
    refused(await ask().send(JSON.stringify({ kind: 'x'.repeat(20_000) })), 'body-too-large');
    refused(
      await ask().set('Content-Type', 'application/json; charset=x').send('{}'),
      'unsupported-media-type',
    );
  });
});

describe('every endpoint', () => {
  it.each(endpoints.filter((one) => one.role !== null).map((one) => [one.id, one] as const))(
    '%s answers 401 without a token, and with a wrong one',
    async (_id, endpoint) => {
      const path = endpoint.path.replace('{id}', planId).replace('{name}', 'keycloak');
      const ask = () => request(app)[endpoint.method](path);

      refused(await ask(), 'unauthenticated');
      const wrong = await ask().auth(`${token}x`, { type: 'bearer' });

      refused(wrong, 'unauthenticated');
      expect(wrong.headers['www-authenticate']).toMatch(/^Bearer/);
    },
  );

  it.each(endpoints.map((one) => [one.path]))('%s names its methods', async (path) => {
    const response = await request(app).patch(path.replace('{id}', planId).replace('{name}', 'a'));

    refused(response, 'method-not-allowed');
    expect(response.headers['allow']).toMatch(/GET|POST|DELETE/);
  });

  it('stands in the description, and every described one exists', async () => {
    const document = answered('describe', await request(app).get('/api/v1/openapi.json'));
    const described = Object.entries<object>(document.paths).flatMap(([path, item]) =>
      Object.keys(item).map((method) => `${method} ${path}`),
    );
    const routed = (
      app.router.stack as { route?: { path: string; stack: { method?: string }[] } }[]
    ).flatMap(({ route }) =>
      (route?.stack ?? [])
        .filter((layer) => layer.method !== undefined)
        .map((layer) => `${layer.method} ${route?.path.replaceAll(/:(\w+)/g, '{$1}')}`),
    );

    expect(document.openapi).toBe('3.1.0');
    expect(described.length).toBeGreaterThan(14);
    expect([...new Set(routed)].sort()).toEqual([...described].sort());
  });

  it('is described with its problems and its role', async () => {
    const { paths } = (await request(app).get('/api/v1/openapi.json')).body;
    const operation = paths['/api/v1/plans/{id}/commit'].post;

    expect(operation['x-skolebus-role']).toBe('operator');
    expect(Object.keys(operation.responses)).toEqual(
      expect.arrayContaining(['200', '400', '401', '403', '404', '409', '422', '500']),
    );
  });
});

describe('outside of the API', () => {
  it('is healthy and ready', async () => {
    answered('getHealth', await request(app).get('/healthz'));
    answered('getReady', await request(app).get('/readyz'));
  });

  it('gives figures to Prometheus', async () => {
    const { text } = await get('/metrics');

    expect(text).toMatch(
      /skolebus_resources\{target="keycloak",kind="account",state="settled",tenant="kommune"\} \d/,
    );
  });

  it.each(['/', '/api/v1/nothing', '/k_logout', '/k_push_not_before', '/api/v1/plans/%E0%A4%A'])(
    'has nothing at %s',
    async (path) => {
      const response = await request(app).post(path);

      refused(response, path.includes('%') ? 'bad-request' : 'not-found');
    },
  );

  it('logs the route, and neither names nor tokens', async () => {
    logged.length = 0;
    await get(`/api/v1/plans/${planId}/changes?text=Hemmelig`).set('Cookie', 'a=Hemmelig');

    const lines = logged.join('');
    expect(lines).toContain('/api/v1/plans/:id/changes');
    expect(lines).not.toMatch(/Hemmelig|a-token-for-tests/);
  });
});
