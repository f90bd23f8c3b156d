import { pino } from 'pino';
import request from 'supertest';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createApi } from '../../services/api/app.ts';
import { openMunicipality, tenant } from './municipality.ts';

const token = 'a-token-for-tests';
let municipality: Awaited<ReturnType<typeof openMunicipality>>;

beforeAll(async () => {
  municipality = await openMunicipality();
});
afterAll(async () => {
  await municipality[Symbol.asyncDispose]();
});

function makeApp(secret: string) {
  return createApi({
    database: municipality.database,
    tenant,
    queues: null,
    access: { kind: 'local-token', token: secret },
    console: null,
    onCommitted: async () => {},
    logger: pino({ level: 'silent' }),
  });
}

const plans = '/api/v1/plans';
const commit = `${plans}/7b9e0d3e-5a51-4a39-9d6c-3f9f6d7c2f10/commit`;

async function signIn(app = makeApp(token)): Promise<string> {
  const response = await request(app).post('/api/v1/session').send({ token });
  expect(response.status).toBe(204);
  return response.headers['set-cookie']?.[0] ?? '';
}

it('exchanges the token for a cookie that scripts and other sites cannot use', async () => {
  const cookie = await signIn();

  expect(cookie).toMatch(
    /^skolebus_session=\d+\.[\w-]{43}; Max-Age=43200; Path=\/; .*HttpOnly; SameSite=Strict$/,
  );
  expect(cookie).not.toContain(token);
  expect((await request(makeApp(token)).get(plans).set('Cookie', cookie)).status).toBe(200);
});

it('says what a caller may do', async () => {
  const app = makeApp(token);
  const cookie = await signIn(app);

  const stranger = await request(app).get('/api/v1/session');
  const known = await request(app).get('/api/v1/session').set('Cookie', cookie);

  expect(stranger.body).toEqual({
    access: 'local-token',
    mayRead: false,
    mayWrite: false,
    keycloak: null,
  });
  expect(known.body).toMatchObject({ mayRead: true, mayWrite: true });
});

it.each([
  ['of another secret', async () => (await signIn()).replace(/\.[\w-]{43}/, `.${'x'.repeat(43)}`)],
  ['with a later end', async () => (await signIn()).replace(/=\d+/, '=99999999999')],
  ['that is over', async () => (await signIn()).replace(/=\d+/, '=1')],
  ['of nonsense', async () => 'skolebus_session=%00.;='],
])('refuses a cookie %s', async (_name, makeCookie) => {
  const response = await request(makeApp(token))
    .get(plans)
    .set('Cookie', await makeCookie());

  expect(response.status).toBe(401);
});

it('ends every session with a new secret', async () => {
  const cookie = await signIn();

  const response = await request(makeApp('another')).get(plans).set('Cookie', cookie);

  expect(response.status).toBe(401);
});

it.each([
  ['a page of another port', { 'sec-fetch-site': 'same-site' }, 401],
  ['another site', { 'sec-fetch-site': 'cross-site' }, 401],
  ['nowhere', {}, 401],
  ['another origin', { origin: 'http://127.0.0.1:1' }, 401],
  ['our own page', { 'sec-fetch-site': 'same-origin' }, 404],
])('lets a write by cookie from %s pass or not', async (_name, headers, status) => {
  const app = makeApp(token);
  const cookie = await signIn(app);

  const response = await request(app).post(commit).set('Cookie', cookie).set(headers);

  expect(response.status).toBe(status);
});

it('takes a write by bearer token from anywhere', async () => {
  const response = await request(makeApp(token)).post(commit).auth(token, { type: 'bearer' });

  expect(response.body.code).toBe('plan-unknown');
});

it('refuses a wrong token, and a body that is none', async () => {
  const app = makeApp(token);

  expect((await request(app).post('/api/v1/session').send({ token: 'x' })).status).toBe(401);
  expect((await request(app).post('/api/v1/session').send({})).status).toBe(400);
});

it('takes the cookie back', async () => {
  const response = await request(makeApp(token)).delete('/api/v1/session');

  expect(response.status).toBe(204);
  expect(response.headers['set-cookie']?.[0]).toContain('Expires=Thu, 01 Jan 1970');
});
