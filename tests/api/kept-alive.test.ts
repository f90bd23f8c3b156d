import request from 'supertest';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { endpoints } from '../../services/api/app.ts';
import { Problem } from '../../services/api/problem.ts';
import { openLine } from '../support/line.ts';
import { smallRoster } from '../support/roster.ts';
import type { TestApi } from './open-app.ts';
import { openApp } from './open-app.ts';

let line: Awaited<ReturnType<typeof openLine>>;
let api: TestApi;

beforeAll(async () => {
  line = await openLine();
  await line.day({ roster: smallRoster({ pupils: 1 }), now: new Date() });
  api = openApp(line);
});

afterAll(async () => {
  await line[Symbol.asyncDispose]();
});

const path = '/kept-alive';
const list = (query = '') => api.get(`${path}${query}`);
const keep = (body: object) => api.post(path, body);
const primary = (body: object) => api.post('/primary-institution', body);

function refused(response: request.Response, code: string) {
  expect(Problem.parse(response.body)).toMatchObject({ code, status: response.status });
}

describe('people who are kept alive', () => {
  it('are listed with until when, why and by whom, until it is ended', async () => {
    const answer = await keep({ person: 'ELEV1001', until: '2999-01-31', reason: 'Prøve' });
    expect(answer.status).toBe(200);
    endpoints.find((one) => one.id === 'keepAlive')?.answer.schema?.parse(answer.body);
    expect(answer.body).toMatchObject({
      username: 'elev1001',
      kind: 'keep',
      until: '2999-01-31',
      by: 'local-token',
    });
    await keep({ person: answer.body.person, kind: 'legal-hold', reason: 'Sag 12' });
    const both = await list('?person=elev1001');
    expect(both.body.items.map((one: { kind: string }) => one.kind)).toEqual([
      'keep',
      'legal-hold',
    ]);
    expect((await list('?person=elev2001')).body.items).toEqual([]);

    const end = () => api.remove(`${path}/${answer.body.id}`);
    expect((await end()).status).toBe(204);
    expect((await list()).body.items).toHaveLength(1);
    refused(await end(), 'keep-unknown');
  });

  it('give way to a later word on the same person', async () => {
    await keep({ person: 'elev2001', until: '2999-01-31', reason: 'Prøve' });
    await keep({ person: 'elev2001', until: '2999-06-30', reason: 'Prøve' });
    const { body } = await list('?person=elev2001');
    expect(body.items).toMatchObject([{ until: '2999-06-30' }]);
  });

  it.each([
    ['nobody we know', { person: 'ukendt', until: '2999-01-31', reason: 'x' }, 'person-unknown'],
    [
      'a day that is over',
      { person: 'elev1001', until: '2020-01-31', reason: 'x' },
      'until-invalid',
    ],
    ['no day', { person: 'elev1001', reason: 'x' }, 'until-invalid'],
    ['no reason', { person: 'elev1001', until: '2999-01-31' }, 'bad-request'],
    ['no date', { person: 'elev1001', until: '2999-02-31', reason: 'x' }, 'bad-request'],
  ])('are refused: %s', async (_name, body, code) => {
    refused(await keep(body), code);
  });

  it('are not guessed where a username is somebody else’s UNI-ID', async () => {
    await line.database.as(line.tenant, async (tx) => {
      await tx.execute(`update username set username = 'bfkt4729' where username = 'lede2001'`);
      await tx.execute(`update username set username = 'lede2001' where username = 'lear2001'`);
    });
    const answer = await keep({ person: 'lede2001', until: '2999-01-31', reason: 'Prøve' });
    refused(answer, 'person-ambiguous');
    const [id] = /[0-9a-f-]{36}/.exec(answer.body.detail) ?? [];
    expect((await keep({ person: id, until: '2999-01-31', reason: 'Prøve' })).status).toBe(200);
  });

  it('are not told to anybody without a token', async () => {
    refused(await request(api.app).get(`/api/v1${path}`), 'unauthenticated');
    refused(await request(api.app).post(`/api/v1${path}`).send({}), 'unauthenticated');
  });
});

describe('the primary institution', () => {
  it('is chosen among those where the person is', async () => {
    const chosen = await primary({ person: 'elev1001', institution: '101001' });
    expect(chosen.body).toMatchObject({ institution: '101001' });
    refused(await primary({ person: 'elev1001', institution: '101002' }), 'institution-unknown');
    expect((await primary({ person: 'elev1001', institution: null })).status).toBe(200);
  });
});
