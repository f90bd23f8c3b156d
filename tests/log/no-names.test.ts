import { Writable } from 'node:stream';
import request from 'supertest';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { liftBrake, setBrake } from '../../provisioning/ledger/brake.ts';
import type { Work } from '../../provisioning/ledger/work.ts';
import { createApi } from '../../services/api/app.ts';
import { openLog } from '../../services/log.ts';
import { neverCalm } from '../../services/worker/gate.ts';
import type { Queues } from '../../services/worker/queues.ts';
import { openQueues } from '../../services/worker/queues.ts';
import { startWorker } from '../../services/worker/worker.ts';
import type { Line } from '../support/line.ts';
import { openLine } from '../support/line.ts';
import type { SmallRoster } from '../support/roster.ts';
import { smallRoster } from '../support/roster.ts';

type Entry = Readonly<Record<string, unknown>> & { readonly msg: string };

const lines: string[] = [];
const logger = openLog({
  level: 'debug',
  to: new Writable({
    write: (chunk, _encoding, done) => {
      lines.push(...String(chunk).trimEnd().split('\n'));
      done();
    },
  }),
});
const entries = () => lines.map((line) => JSON.parse(line) as Entry);
const told = (msg: string) => entries().filter((entry) => entry.msg === msg);

let line: Line;
let queues: Queues;

const plain = smallRoster({ pupils: 4 });
const roster: SmallRoster = {
  ...plain,
  people: plain.people.map((person, index) => ({
    ...person,
    given: `Kajafrida${index}`,
    family: 'Mosegaardlund',
    email: `kajafrida${index}@skole.example`,
  })),
};

/** Everything that a defect may quote of a row. */
function quote(work: Work): Error {
  return new Error(`cannot write ${work.key}: ${JSON.stringify(work.desired)}`);
}

/** The database quotes rows itself, as it does of a value that it cannot take. */
const quoting = `
  create function quote_row() returns trigger language plpgsql as $$
  begin
    raise exception 'row of % has %', new.title, new.desired using
      errcode = '23514', detail = new.title, table = 'resource', constraint = 'made_up';
  end $$;
  create trigger quote_settled before update on resource for each row
    when (new.target = 'moodle' and new.kind = 'account' and new.state = 'settled')
    execute function quote_row();
  create trigger quote_retried before update on resource for each row
    when (old.state = 'failed' and new.state = 'due') execute function quote_row()`;

beforeAll(async () => {
  line = await openLine();
  queues = await openQueues({ databaseUrl: line.database.url, redisUrl: null });
  await line.day({ roster, now: new Date() });
  await line.database.as(line.tenant, async (tx) => {
    await tx.execute(quoting);
    await tx.execute(
      `update resource set attempts = 9 where target = 'keycloak' and kind = 'account'`,
    );
  });
});
afterAll(async () => {
  await queues[Symbol.asyncDispose]();
  await line[Symbol.asyncDispose]();
});

it('tells an operator what goes wrong, and nothing of whom it goes wrong with', async () => {
  const { database, tenant, targets } = line;
  let away = true;
  targets.nextcloud.misbehave((work) =>
    away ? { state: 'unknown-host', code: 'unreachable', detail: `${work.key} not sent` } : null,
  );
  targets.keycloak.misbehave((work) => {
    if (work.kind !== 'account') return null;
    const { username = '' } = work.desired as { username?: string };
    if (username.startsWith('lear')) throw quote(work);
    return { state: 'rejected', code: 'bad-name', detail: `${JSON.stringify(work.desired)}` };
  });
  const brake = { target: 'keycloak', lane: 'bulk', kind: 'pause', until: null } as const;
  await setBrake({ database, tenant, brake: { ...brake, reason: 'Kajafrida1', by: 'Kajafrida2' } });
  await using _worker = await startWorker({
    ...{ database, queues, concurrency: 3, sweepMs: 100, logger },
    connectorsOf: async () => new Map(Object.entries(targets)),
    calmOf: () => neverCalm,
    onError: (error) => logger.error({ err: error }, 'worker trouble'),
  });
  const tells = (msg: string) => expect.poll(() => told(msg).length, { timeout: 20_000 });
  await tells('brake began').toBe(1);
  await tells('open circuit began').toBeGreaterThan(0);
  await tells('rows set aside: a connector fails on them').toBeGreaterThan(0);
  await tells('worker trouble').toBeGreaterThan(2);
  away = false;
  await liftBrake({ database, tenant, target: 'keycloak', lane: 'bulk' });
  await tells('brake ended').toBe(1);
  await tells('open circuit ended').toBeGreaterThan(0);

  const access = { kind: 'local-token', token: 'a-token-for-tests' } as const;
  const app = createApi({
    ...{ database, tenant, queues, access, logger, console: null },
    onCommitted: async () => {},
  });
  const asked = await request(app)
    .post('/api/v1/targets/keycloak/retry')
    .auth(access.token, { type: 'bearer' })
    .send({});
  const found = await request(app)
    .get('/api/v1/people')
    .query({ search: 'Kajafrida3' })
    .auth(access.token, { type: 'bearer' });
  expect([asked.status, found.status, found.body.items.length]).toEqual([500, 200, 1]);
  const failed = () => entries().some((entry) => entry['route'] === '/api/v1/targets/:name/retry');
  await expect.poll(failed).toBe(true);

  const text = lines.join('\n').toLowerCase();
  for (const secret of ['kajafrida', 'mosegaardlund', 'skole.example', access.token]) {
    expect(text).not.toContain(secret);
  }
  for (const { uniId } of roster.people) expect(text).not.toContain(uniId);
});

it('says which turn, with what outcome, and of an error where and which', () => {
  expect(told('turn')).toContainEqual(
    expect.objectContaining({
      tenant: line.tenant,
      target: 'keycloak',
      lane: 'sync',
      outcomes: expect.objectContaining({ 'bad-name': expect.any(Number) }),
      rows: expect.any(Number),
      ms: expect.any(Number),
    }),
  );
  expect(told('brake began')[0]).toMatchObject({ target: 'keycloak', lane: 'bulk', kind: 'pause' });
  expect(told('open circuit began')[0]).toMatchObject({
    target: 'nextcloud',
    cause: 'unreachable',
  });
  const errors = told('worker trouble').map((entry) => entry['err']);
  expect(errors).toContainEqual(
    expect.objectContaining({
      ...{ name: 'error', code: '23514', table: 'resource', constraint: 'made_up' },
      at: expect.arrayContaining([expect.stringContaining('settle.ts')]),
    }),
  );
  expect(errors).toContainEqual(
    expect.objectContaining({ name: 'Error', code: null, at: expect.any(Array) }),
  );
  const failed = entries().find((entry) => entry['route'] === '/api/v1/targets/:name/retry');
  expect(failed).toMatchObject({ err: { code: '23514' }, res: { status: 500 } });
});
