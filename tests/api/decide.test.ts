import type { Express } from 'express';
import { pino } from 'pino';
import request from 'supertest';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parsePolicy } from '../../provisioning/policy/parse.ts';
import { createApi } from '../../services/api/app.ts';
import { answered } from './answered.ts';
import { addChanges, addPlan, addSchool, openMunicipality, tenant } from './municipality.ts';

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
    rules: {
      policy: parsePolicy({ text: 'version: 1', file: 'policy.yaml' }),
      targets: new Map([
        ['keycloak', 'keycloak'],
        ['moodle', 'moodle'],
      ]),
    },
    console: null,
    onCommitted: async () => {},
    logger: pino({ level: 'silent' }),
  });
  await municipality.database.as(tenant, (tx) =>
    addSchool({ tx, key: '101001', name: 'Engskolen' }),
  );
});

afterAll(async () => {
  await municipality[Symbol.asyncDispose]();
});

const post = (path: string, body?: object) =>
  request(app).post(`/api/v1/plans/${path}`).auth(token, { type: 'bearer' }).send(body);
const get = (path: string) =>
  request(app).get(`/api/v1/plans/${path}`).auth(token, { type: 'bearer' });

async function freshPlan(): Promise<string> {
  return municipality.database.as(tenant, async (tx) => {
    await tx.execute(`delete from resource`);
    const id = await addPlan({ tx });
    await addChanges({ tx, planId: id, count: 8 });
    return id;
  });
}

it('commits the part that is selected', async () => {
  const id = await freshPlan();
  const selection = { institution: ['101001'], seqs: [1, 2, 7] };
  const report = answered('commitPlan', await post(`${id}/commit`, { selection }));
  expect(report).toMatchObject({ committed: 2, left: 5, held: 1 });
  const { items } = answered('listChanges', await get(`${id}/changes`));
  expect(items.map((one: { outcome: string }) => one.outcome)).toEqual([
    'committed',
    'left',
    'left',
    'held',
    'left',
    'left',
    'committed',
    'left',
  ]);
});

it('rejects with a selection, and keeps the key for just that', async () => {
  const id = await freshPlan();
  const selection = { target: ['moodle'], except: true };
  const ask = (body: object) => post(`${id}/commit`, body).set('Idempotency-Key', 'part');
  const first = answered('commitPlan', await ask({ selection }));
  expect(first).toMatchObject({ committed: 4, left: 3 });
  expect((await ask({ selection })).body).toEqual(first);
  expect((await ask({})).body.code).toBe('idempotency-key-reused');
});

it.each([
  { selection: { seqs: [] } },
  { selection: { kind: ['printer'] } },
  { selection: { sequence: [1] } },
  { seqs: [1] },
])('refuses %j', async (body) => {
  expect((await post(`${await freshPlan()}/commit`, body)).body.code).toBe('bad-request');
});

it('tells who has approved a plan, and lets nobody be two', async () => {
  const id = await freshPlan();
  await municipality.database.as(tenant, (tx) =>
    tx.execute('update plan set four_eyes = true where id = $1', [id]),
  );
  const selection = { kind: ['account'] };
  const { approvals } = answered('approvePlan', await post(`${id}/approve`, { selection }));
  expect(approvals).toMatchObject([{ name: 'local-token', selection }]);
  const plan = answered('getPlan', await get(id));
  expect(plan).toMatchObject({ fourEyes: true, approvals: [{ name: 'local-token' }] });
  const refused = await post(`${id}/commit`, { selection });
  expect([refused.status, refused.body.code]).toEqual([409, 'plan-needs-approval']);
});

it('makes the inverse of what was committed', async () => {
  const id = await freshPlan();
  expect((await post(`${id}/undo`)).body.code).toBe('plan-not-committed');
  await post(`${id}/commit`);
  const undo = answered('undoPlan', await post(`${id}/undo`));
  expect(undo).toMatchObject({ state: 'open', undoes: id, cannot: [] });
  expect(undo.changes.keycloak.account.deactivate).toBe(3);
  const { items } = answered('listChanges', await get(`${undo.id}/changes?code=undone`));
  expect(items).toHaveLength(7);
  const again = answered('undoPlan', await post(`${id}/undo`));
  expect(answered('getPlan', await get(undo.id)).state).toBe('superseded');
  expect(answered('commitPlan', await post(`${again.id}/commit`)).committed).toBe(7);
});
