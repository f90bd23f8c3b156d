import { afterAll, beforeAll, expect, it } from 'vitest';
import { parsePolicy } from '../../provisioning/policy/parse.ts';
import { rewordPolicy } from '../../provisioning/policy/version.ts';
import type { Line } from '../support/line.ts';
import { openLine } from '../support/line.ts';
import { smallRoster } from '../support/roster.ts';
import type { TestApi } from './open-app.ts';
import { openApp } from './open-app.ts';

const text = '# ours\nversion: 1\n';
let line: Line;
let api: TestApi;

beforeAll(async () => {
  line = await openLine();
  api = openApp(line);
});

afterAll(async () => {
  await line[Symbol.asyncDispose]();
});

const get = (path: string) => api.get(path);

it('has no policy before the first commit', async () => {
  expect((await get('/policy')).body).toEqual({ inForce: null, versions: [] });
});

it('finds people and explains one', async () => {
  const policy = parsePolicy({ text, file: 'policy.yaml' });
  await rewordPolicy({ ...line, found: { text, policy, by: 'anna' } });
  await line.day({ roster: smallRoster({ pupils: 2 }), now: new Date() });
  await line.drain();

  const found = (await get('/people?search=elev1001')).body;
  expect(found).toMatchObject({ more: false, items: [{ username: 'elev1001' }] });
  expect((await get('/people?search=pr%C3%B8vesen&limit=3')).body).toMatchObject({ more: true });

  const answer = await get(`/people/${found.items[0].id}/explanation`);
  expect(answer.status).toBe(200);
  expect(answer.body.findings).toMatchObject([{ code: 'all-right', target: null }]);
  expect(answer.body.targets.map((one: { target: string }) => one.target)).toEqual([
    'keycloak',
    'nextcloud',
    'moodle',
  ]);
  expect(answer.body.targets[1].places.length).toBeGreaterThan(2);
});

it('tells which policy is in force', async () => {
  expect((await get('/policy')).body).toMatchObject({
    inForce: { version: 1, text, madeBy: 'anna' },
    versions: [{ version: 1, state: 'in-force', plan: null }],
  });
  expect((await get('/policy/1')).body).toMatchObject({ version: 1, state: 'in-force', text });
  expect((await get('/policy/2')).body.code).toBe('not-found');
  expect((await get('/policy/latest')).body.code).toBe('bad-request');
});

it('knows nobody else, and wants to be asked for somebody', async () => {
  const nobody = await get('/people/7b9e0d3e-5a51-4a39-9d6c-3f9f6d7c2f10/explanation');
  expect([nobody.status, nobody.body.code]).toEqual([404, 'person-unknown']);
  expect((await get('/people')).body.code).toBe('bad-request');
  expect((await get('/people?search=%25')).body.items).toEqual([]);
});
