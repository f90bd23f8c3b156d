import { afterAll, beforeAll, expect, it } from 'vitest';
import { endpoints } from '../../services/api/app.ts';
import { openLine } from '../support/line.ts';
import { smallRoster } from '../support/roster.ts';
import type { TestApi } from './open-app.ts';
import { openApp } from './open-app.ts';

let line: Awaited<ReturnType<typeof openLine>>;
let api: TestApi;

beforeAll(async () => {
  line = await openLine();
  await line.day({ roster: smallRoster({ pupils: 2 }), now: new Date() });
  api = openApp(line);
});

afterAll(async () => {
  await line[Symbol.asyncDispose]();
});

it('says how many are ready at each school, and what the others miss', async () => {
  const before = await api.get('/readiness');
  expect(before.status).toBe(200);
  endpoints.find((one) => one.id === 'getReadiness')?.answer.schema?.parse(before.body);
  expect(before.body).toMatchObject({ people: 8, ready: 0, missing: 8, bell: null, late: false });
  expect(before.body.reasons[0]).toMatchObject({ kind: 'account', lane: 'sync', count: 8 });
  expect(before.body.institutions).toMatchObject([
    { institution: '101001', name: 'Skole 101001', people: 4, missing: 4 },
    { institution: '101002', people: 4, missing: 4 },
  ]);
  await line.drain();
  const after = await api.get('/readiness');
  expect(after.body).toMatchObject({ people: 8, ready: 8, missing: 0, eta: null, reasons: [] });
});
