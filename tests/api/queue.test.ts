import { afterAll, beforeAll, expect, it } from 'vitest';
import { endpoints } from '../../services/api/app.ts';
import { Problem } from '../../services/api/problem.ts';
import { openLine } from '../support/line.ts';
import { smallRoster } from '../support/roster.ts';
import type { TestApi } from './open-app.ts';
import { openApp } from './open-app.ts';

let line: Awaited<ReturnType<typeof openLine>>;
let api: TestApi;
let woken = 0;

beforeAll(async () => {
  line = await openLine();
  await line.day({ roster: smallRoster({ pupils: 2 }), now: new Date() });
  api = openApp(line, {
    onCommitted: async () => {
      woken += 1;
    },
  });
});

afterAll(async () => {
  await line[Symbol.asyncDispose]();
});

const get = () => api.get('/queue');
const post = (path: string, body: object) => api.post(`/${path}`, body);

it('says what is due in each lane, and what an operator stopped', async () => {
  const before = await get();
  endpoints.find((one) => one.id === 'getQueue')?.answer.schema?.parse(before.body);
  expect(before.body.lanes).toContainEqual(
    expect.objectContaining({ target: 'keycloak', lane: 'sync', due: 12 }),
  );
  const set = await post('brakes', { target: 'moodle', kind: 'drain', reason: 'opgradering' });
  expect(set.body.brakes).toMatchObject([
    { target: 'moodle', lane: null, kind: 'drain', by: 'local-token', everyTenant: false },
  ]);
  const again = await post('brakes', { target: 'moodle', kind: 'pause', reason: 'opgradering' });
  expect(again.body.brakes).toMatchObject([{ kind: 'pause' }]);
  expect((await post('brakes/release', { target: 'keycloak' })).body.brakes).toHaveLength(1);
  const wokenBefore = woken;
  expect((await post('brakes/release', { target: 'moodle' })).body.brakes).toEqual([]);
  expect(woken).toBe(wokenBefore + 1);
});

it('refuses a target that there is not, and a time that is over', async () => {
  const unknown = await post('brakes', { target: 'nirgends', kind: 'pause', reason: 'x' });
  expect(Problem.parse(unknown.body)).toMatchObject({ code: 'target-unknown', status: 404 });
  const until = '2020-01-01T00:00:00Z';
  const late = await post('brakes', { kind: 'pause', reason: 'x', until });
  expect(Problem.parse(late.body)).toMatchObject({ code: 'until-invalid', status: 422 });
});

it('puts one person before everything else', async () => {
  const answer = await post('hurry', { person: 'elev1001' });
  endpoints.find((one) => one.id === 'hurryPerson')?.answer.schema?.parse(answer.body);
  expect(answer.body.hurried).toBe(5);
  expect((await get()).body.lanes.map((one: { lane: string }) => one.lane)).toContain('now');
  const refused = await post('start-again', { person: 'elev1001' });
  expect(Problem.parse(refused.body)).toMatchObject({ code: 'no-start-password', status: 409 });
  const nobody = await post('hurry', { person: 'ingen' });
  expect(Problem.parse(nobody.body)).toMatchObject({ code: 'person-unknown' });
});
