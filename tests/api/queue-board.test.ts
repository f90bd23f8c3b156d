import { pino } from 'pino';
import type { Response } from 'supertest';
import request from 'supertest';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { lanes } from '../../provisioning/policy/lane.ts';
import { createApi } from '../../services/api/app.ts';
import type { Queues } from '../../services/worker/queues.ts';
import { openQueues } from '../../services/worker/queues.ts';
import type { TestRedis } from '../support/redis.ts';
import { startTestRedis, whyNoRedis } from '../support/redis.ts';
import { openMunicipality, tenant } from './municipality.ts';
import type { TestRealm } from './realm.ts';
import { openRealm } from './realm.ts';

let municipality: Awaited<ReturnType<typeof openMunicipality>>;
let realm: TestRealm;

beforeAll(async () => {
  municipality = await openMunicipality();
  realm = await openRealm();
});
afterAll(async () => {
  await realm[Symbol.asyncDispose]();
  await municipality[Symbol.asyncDispose]();
});

function makeApp(queues: Queues | null) {
  return createApi({
    database: municipality.database,
    tenant,
    queues,
    access: realm.access,
    console: null,
    onCommitted: async () => {},
    logger: pino({ level: 'silent' }),
  });
}

const operator = () => realm.sign({ claims: realm.claims('skolebus-operator') });
const reader = () => realm.sign({ claims: realm.claims('skolebus-reader') });

function cookieOf(response: Response): string {
  return String(response.headers['set-cookie']?.[0] ?? '').split(';')[0] ?? '';
}

const noRedis = whyNoRedis();
if (noRedis !== null) console.warn(noRedis);
const backends = noRedis === null ? (['postgres', 'redis'] as const) : (['postgres'] as const);

describe.each(backends)('the board of queues on %s', (backend) => {
  let redis: TestRedis | null = null;
  let queues: Queues;
  let app: ReturnType<typeof createApi>;

  beforeAll(async () => {
    if (backend === 'redis') redis = await startTestRedis();
    const databaseUrl = municipality.database.url;
    queues = await openQueues({ databaseUrl, redisUrl: redis?.url ?? null });
    app = makeApp(queues);
  });
  afterAll(async () => {
    await queues[Symbol.asyncDispose]();
    await redis?.[Symbol.asyncDispose]();
  });

  const open = (token: string) =>
    request(app).post('/api/v1/queue-board').auth(token, { type: 'bearer' });
  const get = (path: string) => request(app).get(path);

  it('lists the three lanes and their tickets for an operator', async () => {
    await queues.add({ lane: 'sync', ticket: { tenant, target: 'moodle' } });
    const cookie = cookieOf(await open(operator()));

    const list = await get('/queues/api/queues?activeQueue=skolebus-sync').set('Cookie', cookie);

    expect(list.status).toBe(200);
    const names = list.body.queues.map((one: { name: string }) => one.name);
    expect(names).toEqual(lanes.map((lane) => `skolebus-${lane}`));
    const sync = list.body.queues.find((one: { name: string }) => one.name === 'skolebus-sync');
    expect(sync).toMatchObject({ readOnlyMode: true, counts: { waiting: 1 } });
    expect(sync.jobs).toMatchObject([{ data: { tenant, target: 'moodle' } }]);
  });

  it('writes nothing, whoever asks', async () => {
    const cookie = cookieOf(await open(operator()));
    const writes = [
      ['put', '/queues/api/queues/pause'],
      ['put', '/queues/api/queues/skolebus-sync/empty'],
      ['post', '/queues/api/queues/skolebus-sync/add'],
      ['patch', '/queues/api/queues/skolebus-sync/1/update-data'],
      ['delete', '/queues/'],
    ] as const;
    for (const [method, path] of writes) {
      const byCookie = await request(app)[method](path).set('Cookie', cookie);
      expect(byCookie.status).toBe(405);
      expect(byCookie.body.code).toBe('method-not-allowed');
      const byToken = await request(app)[method](path).auth(operator(), { type: 'bearer' });
      expect(byToken.status).toBe(405);
    }
    expect(await queues.lanes[1]?.isPaused()).toBe(false);
  });

  it('keeps of a failed ticket nothing that its cause said', async () => {
    const secret = 'duplicate key (username)=(kaja4321)';
    const causes: string[] = [];
    await using _worker = await queues.work({
      lane: 'bulk',
      concurrency: 1,
      run: async () => {
        throw new Error(secret);
      },
      onError: (error) => causes.push(error.message),
    });
    await queues.add({ lane: 'bulk', ticket: { tenant, target: 'keycloak' } });
    const bulk = queues.lanes[2];
    await expect.poll(() => bulk?.getFailedCount(), { timeout: 10_000 }).toBe(1);

    const path = '/queues/api/queues?activeQueue=skolebus-bulk&status=failed';
    const list = await get(path).auth(operator(), { type: 'bearer' });

    expect(causes).toEqual([secret]);
    expect(list.text).toContain('The turn failed');
    expect(list.text).not.toContain('kaja4321');
  });
});

describe('the way to the board', () => {
  let queues: Queues;
  let app: ReturnType<typeof createApi>;

  beforeAll(async () => {
    queues = await openQueues({ databaseUrl: municipality.database.url, redisUrl: null });
    app = makeApp(queues);
  });
  afterAll(() => queues[Symbol.asyncDispose]());

  const open = (token: string) =>
    request(app).post('/api/v1/queue-board').auth(token, { type: 'bearer' });

  it.each(['/queues', '/queues/', '/queues/api/queues', '/queues/static/images/logo.svg'])(
    'is shut to strangers and readers: %s',
    async (path) => {
      const stranger = await request(app).get(path);
      const known = await request(app).get(path).auth(reader(), { type: 'bearer' });

      expect([stranger.status, stranger.body.code]).toEqual([401, 'unauthenticated']);
      expect([known.status, known.body.code]).toEqual([403, 'forbidden']);
    },
  );

  it('is opened for operators only', async () => {
    expect((await request(app).post('/api/v1/queue-board')).status).toBe(401);
    expect((await open(reader())).status).toBe(403);
    const opened = await open(operator());
    expect(opened.status).toBe(204);
    expect(opened.headers['set-cookie']?.[0]).toMatch(
      /^skolebus_queues=\d+\.[\w-]{43}; Max-Age=900; Path=\/queues; .*HttpOnly; SameSite=Strict$/,
    );
  });

  it('leads nowhere else', async () => {
    const cookie = cookieOf(await open(operator()));

    expect((await request(app).get('/queues/').set('Cookie', cookie)).status).toBe(200);
    for (const path of ['/api/v1/plans', '/api/v1/queue', '/api/v1/status', '/metrics']) {
      expect((await request(app).get(path).set('Cookie', cookie)).status).toBe(401);
    }
    const session = await request(app).get('/api/v1/session').set('Cookie', cookie);
    expect(session.body).toMatchObject({ mayRead: false, mayWrite: false });
    const again = await request(app).post('/api/v1/queue-board').set('Cookie', cookie);
    expect(again.status).toBe(401);
  });

  it.each([
    ['of another process', () => open(operator()), () => makeApp(queues)],
    ['with a later end', () => open(operator()), () => app],
  ])('is shut to a cookie %s', async (name, ask, where) => {
    const cookie = cookieOf(await ask());
    const shown = name === 'with a later end' ? cookie.replace(/=\d+/, '=99999999999') : cookie;

    const response = await request(where()).get('/queues/').set('Cookie', shown);

    expect(response.status).toBe(401);
  });

  it('keeps to the policy of the site, and is kept by nobody', async () => {
    const page = await request(app).get('/queues/').auth(operator(), { type: 'bearer' });

    expect(page.headers['cache-control']).toBe('no-store');
    const policy = page.headers['content-security-policy'];
    expect(policy).toContain("default-src 'self'");
    expect(policy).toContain("script-src 'self'");
    expect(policy).toContain("frame-ancestors 'none'");
  });

  it('is not there without queues', async () => {
    const bare = makeApp(null);

    const opened = await request(bare)
      .post('/api/v1/queue-board')
      .auth(operator(), { type: 'bearer' });
    const page = await request(bare).get('/queues/').auth(operator(), { type: 'bearer' });

    expect([opened.status, page.status]).toEqual([404, 404]);
  });
});
