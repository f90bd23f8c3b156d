import type { Express } from 'express';
import { pino } from 'pino';
import request from 'supertest';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { tellHolds } from '../../provisioning/store/hold.ts';
import { createApi } from '../../services/api/app.ts';
import { openMunicipality, tenant } from './municipality.ts';

const token = 'a-token-for-tests';
let municipality: Awaited<ReturnType<typeof openMunicipality>>;
let app: Express;

beforeAll(async () => {
  municipality = await openMunicipality();
  app = createApi({
    database: municipality.database,
    tenant,
    queues: null,
    access: { kind: 'local-token', token },
    console: null,
    onCommitted: async () => {},
    logger: pino({ level: 'silent' }),
  });
});

afterAll(async () => {
  await municipality[Symbol.asyncDispose]();
});

beforeEach(async () => {
  await municipality.database.as(tenant, async (tx) => {
    await tx.execute('delete from hold');
    const holds = ['101001', '101002', '101003'].map((institution) => ({
      code: 'limit-people-leaving',
      subject: `${institution}/keycloak/account`,
      institution,
      person: null,
      evidence: { target: 'keycloak', count: 25, of: 32 },
    }));
    await tellHolds({ tx, codes: ['limit-people-leaving'], holds });
  });
});

const get = (path: string) => request(app).get(`/api/v1${path}`).auth(token, { type: 'bearer' });
const decide = (id: string, body: object) =>
  request(app).post(`/api/v1/holds/${id}/decision`).auth(token, { type: 'bearer' }).send(body);

it('lists what waits page by page', async () => {
  const first = (await get('/holds?limit=2')).body;
  const second = (await get(`/holds?limit=2&cursor=${first.next}`)).body;
  expect(first.items).toHaveLength(2);
  expect(second.items).toHaveLength(1);
  expect(second.next).toBeNull();
  expect((await get('/holds?institution=101002')).body.items).toMatchObject([
    { target: 'keycloak', count: 25, of: 32, decision: null },
  ]);
});

it('decides as whoever asks, once for one key', async () => {
  const [hold] = (await get('/holds')).body.items;
  const ask = () =>
    decide(hold.id, { choice: 'refuse', scope: 'rule' }).set('Idempotency-Key', 'k');
  const answer = await ask();
  expect(answer.status).toBe(200);
  expect(answer.body).toMatchObject({
    state: 'decided',
    decision: { choice: 'refuse', scope: 'rule', by: 'local-token' },
  });
  expect((await ask()).body).toEqual(answer.body);
  expect((await get(`/holds/${hold.id}`)).body).toEqual(answer.body);
  expect((await get('/holds')).body.items).toHaveLength(2);
  expect((await get('/holds?state=decided')).body.items).toHaveLength(1);
  const again = await decide(hold.id, { choice: 'allow' });
  expect([again.status, again.body.code]).toEqual([409, 'hold-not-open']);
});

it('takes a decision back', async () => {
  const [hold] = (await get('/holds')).body.items;
  await decide(hold.id, { choice: 'allow' });
  const revoke = () =>
    request(app).delete(`/api/v1/holds/${hold.id}/decision`).auth(token, { type: 'bearer' });
  expect((await revoke()).body.decision.spentAt).not.toBeNull();
  expect((await revoke()).body.code).toBe('hold-not-decided');
});

it.each([
  [{ choice: 'maybe' }, 422, 'choice-unknown'],
  [{ choice: 'allow', until: '2001-01-01T00:00:00Z', scope: 'rule' }, 422, 'until-invalid'],
  [{ choice: 'allow', as: 'somebody else' }, 400, 'bad-request'],
  [{}, 400, 'bad-request'],
])('refuses %j', async (body, status, code) => {
  const [hold] = (await get('/holds')).body.items;
  const answer = await decide(hold.id, body);
  expect([answer.status, answer.body.code]).toEqual([status, code]);
});

it('knows no other hold', async () => {
  const id = '7b9e0d3e-5a51-4a39-9d6c-3f9f6d7c2f10';
  expect((await get(`/holds/${id}`)).body.code).toBe('hold-unknown');
  expect((await decide(id, { choice: 'allow' })).body.code).toBe('hold-unknown');
});
