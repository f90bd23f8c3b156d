import { pino } from 'pino';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createApi } from '../../services/api/app.ts';
import { listen } from '../../services/api/listen.ts';
import { Movement } from '../../services/api/status.ts';
import type { Queues } from '../../services/worker/queues.ts';
import { openQueues } from '../../services/worker/queues.ts';
import { addResource, openMunicipality, tenant } from './municipality.ts';

const token = 'a-token-for-tests';
const headers = { authorization: `Bearer ${token}` };
let municipality: Awaited<ReturnType<typeof openMunicipality>>;
let queues: Queues;

beforeAll(async () => {
  municipality = await openMunicipality();
  queues = await openQueues({ databaseUrl: municipality.database.url, redisUrl: null });
});
afterAll(async () => {
  await queues[Symbol.asyncDispose]();
  await municipality[Symbol.asyncDispose]();
});

function serve() {
  const app = createApi({
    database: municipality.database,
    tenant,
    queues,
    access: { kind: 'local-token', token },
    console: null,
    onCommitted: async () => {},
    logger: pino({ level: 'silent' }),
  });
  return listen({ app, host: '127.0.0.1', port: 0 });
}

/** The events of a stream as they come. */
async function* readEvents(response: Response) {
  let text = '';
  for await (const chunk of response.body ?? []) {
    text += Buffer.from(chunk).toString();
    const blocks = text.split('\n\n');
    text = blocks.pop() ?? '';
    for (const block of blocks.filter((one) => one.includes('data: '))) {
      const field = (name: string) =>
        block
          .split('\n')
          .find((line) => line.startsWith(`${name}: `))
          ?.slice(name.length + 2);
      yield {
        id: Number(field('id')),
        event: field('event'),
        movement: Movement.parse(JSON.parse(field('data') ?? '')),
      };
    }
  }
}

it('tells the present state at once, then every change, to every reader', async () => {
  await using server = await serve();
  const response = await fetch(`${server.url}/api/v1/events`, { headers });
  expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
  expect(response.headers.get('x-accel-buffering')).toBe('no');
  const events = readEvents(response);
  const first = (await events.next()).value;
  expect(first).toMatchObject({ event: 'progress', movement: { progress: [] } });
  expect(first?.movement.queues).toEqual({
    backend: 'postgres',
    lanes: { now: 0, sync: 0, bulk: 0 },
  });

  await municipality.database.as(tenant, (tx) => addResource({ tx, key: 'a', state: 'due' }));

  const second = (await events.next()).value;
  expect(second?.movement.progress).toHaveLength(1);
  expect(second?.id).toBeGreaterThan(first?.id ?? Number.NaN);
  const late = readEvents(await fetch(`${server.url}/api/v1/events`, { headers }));
  expect((await late.next()).value?.movement.progress).toEqual(second?.movement.progress);
});

it('does not keep the server from closing', async () => {
  const server = await serve();
  const response = await fetch(`${server.url}/api/v1/events`, { headers });
  const events = readEvents(response);
  await events.next();
  const started = performance.now();

  await server[Symbol.asyncDispose]();

  expect(performance.now() - started).toBeLessThan(2000);
  expect((await events.next()).done).toBe(true);
});

it('lets an answer under way finish before it closes', async () => {
  const server = await serve();
  const answer = fetch(`${server.url}/api/v1/status`, { headers });
  await new Promise((resolve) => setTimeout(resolve, 5));

  const [response] = await Promise.all([answer, server[Symbol.asyncDispose]()]);

  expect(response.status).toBe(200);
});

it('says that a port is taken', async () => {
  await using server = await serve();
  const port = Number(new URL(server.url).port);

  await expect(
    listen({
      app: createApi({
        database: municipality.database,
        tenant,
        queues: null,
        access: { kind: 'local-token', token },
        console: null,
        onCommitted: async () => {},
        logger: pino({ level: 'silent' }),
      }),
      host: '127.0.0.1',
      port,
    }),
  ).rejects.toMatchObject({ code: 'EADDRINUSE' });
});
