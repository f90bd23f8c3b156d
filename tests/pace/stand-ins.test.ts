import { afterEach, describe, expect, it } from 'vitest';
import type { Body } from '../../provisioning/policy/resource.ts';
import type { Connector, Outcome } from '../../provisioning/target/contract.ts';
import { connectKeycloak } from '../../provisioning/target/keycloak/connector.ts';
import { connectMoodle } from '../../provisioning/target/moodle/connector.ts';
import { connectNextcloud } from '../../provisioning/target/nextcloud/connector.ts';
import type { PaceClock } from '../../provisioning/target/pace/pace.ts';
import { openDocuments } from '../../services/sandbox/documents.ts';
import { startKeycloakStandIn } from '../../services/sandbox/keycloak/stand-in.ts';
import type { MoodleFaults } from '../../services/sandbox/moodle/faults.ts';
import { startMoodleStandIn } from '../../services/sandbox/moodle/stand-in.ts';
import { answerHtml } from '../../services/sandbox/nextcloud/exchange.ts';
import { startNextcloudStandIn } from '../../services/sandbox/nextcloud/stand-in.ts';
import { account as keycloakAccount } from '../keycloak/people.ts';
import { account as moodleAccount } from '../moodle/bench.ts';
import { account as nextcloudAccount } from '../nextcloud/work.ts';
import { type HastyClock, openHastyClock } from '../support/hasty-clock.ts';

interface Trouble {
  readonly status: 429 | 503;
  /** Retry-After; null: without one. */
  readonly retryAfter: string | null;
}

interface Server extends AsyncDisposable {
  readonly connector: Connector;
  readonly clock: HastyClock;
  /** Requests that came in since the beginning. */
  readonly seen: () => number;
  /** What is answered from now on; null: as it should be. */
  trouble: Trouble | null;
  account(name: string): Body;
}

type Open = () => Promise<Server>;
const servers: Server[] = [];

const openKeycloak: Open = async () => {
  const documents = openDocuments({ file: null });
  const credentials = { user: 'admin', password: 'fixture' };
  const standIn = await startKeycloakStandIn({ port: 0, documents, ...credentials });
  const clock = openHastyClock();
  const connector = connectKeycloak({
    name: 'keycloak',
    url: standIn.url,
    realm: 'pace',
    credentials,
    clock,
  });
  const account = (username: string) => keycloakAccount({ username });
  const server = makeServer({ connector, clock, account, standIn, documents });
  standIn.setFaults((call) => {
    // Tokens are fetched inside of a call.
    if (!call.path.startsWith('/admin/')) return null;
    const answer = server.note();
    return answer === null ? null : { kind: 'answer', answer };
  });
  await connector.prepare();
  return server;
};

const openNextcloud: Open = async () => {
  const documents = openDocuments({ file: null });
  const credentials = { user: 'skolebus', password: 'Kurre-Kaninhop-88' };
  const appPassword = 'app-Kurre-Kaninhop-88';
  const standIn = await startNextcloudStandIn({ port: 0, documents, appPassword, ...credentials });
  const clock = openHastyClock();
  const { url } = standIn;
  const connector = connectNextcloud({ name: 'n', mode: 'local', url, clock, ...credentials });
  const account = (userId: string) => nextcloudAccount(userId).desired;
  const server = makeServer({ connector, clock, account, standIn, documents });
  standIn.setFaults(() => {
    const trouble = server.note();
    return trouble === null
      ? null
      : { kind: 'answer', answer: answerHtml(trouble.status, trouble.headers) };
  });
  return server;
};

const openMoodle: Open = async () => {
  const documents = openDocuments({ file: null });
  const tokens = { school: 'school-token', infoonly: 'info-token', limited: 'limited-token' };
  let faults: MoodleFaults = () => null;
  const standIn = await startMoodleStandIn({
    port: 0,
    documents,
    tokens,
    faults: (call) => faults(call),
  });
  const clock = openHastyClock();
  const connector = connectMoodle({ name: 'm', url: standIn.url, token: tokens.school, clock });
  const server = makeServer({ connector, clock, account: moodleAccount, standIn, documents });
  faults = () => {
    const trouble = server.note();
    if (trouble === null) return null;
    const retryAfter = trouble.headers['Retry-After'] ?? null;
    return { at: 'before', effect: 'status', status: trouble.status, retryAfter };
  };
  return server;
};

function makeServer(p: {
  readonly connector: Connector;
  readonly clock: HastyClock;
  readonly account: (name: string) => Body;
  readonly standIn: AsyncDisposable;
  readonly documents: Disposable;
}) {
  let seen = 0;
  const server = {
    ...p,
    trouble: null as Trouble | null,
    seen: () => seen,
    note() {
      seen += 1;
      if (server.trouble === null) return null;
      const { retryAfter, status } = server.trouble;
      const headers: Record<string, string> =
        retryAfter === null ? {} : { 'Retry-After': retryAfter };
      return { status, headers };
    },
    async [Symbol.asyncDispose]() {
      await p.connector[Symbol.asyncDispose]();
      await p.standIn[Symbol.asyncDispose]();
      p.documents[Symbol.dispose]();
    },
  };
  servers.push(server);
  return server;
}

async function apply(server: Server, ...names: readonly string[]): Promise<readonly Outcome[]> {
  return server.connector.apply({
    batch: names.map((key) => ({
      kind: 'account',
      key,
      desired: server.account(key),
      applied: null,
      externalId: null,
      attempts: 1,
    })),
    externalIds: async () => new Map(),
  });
}

afterEach(async () => {
  for (const server of servers.splice(0)) await server[Symbol.asyncDispose]();
});

function inHalfAMinute(): string {
  return new Date(Date.now() + 30_000).toUTCString();
}

describe.each([
  ['Keycloak', openKeycloak, 12],
  ['Nextcloud', openNextcloud, 4],
  ['Moodle', openMoodle, 4],
] as const)('%s', (_name, open, cap) => {
  it('gets every request through its pace, up to its cap', async () => {
    const server = await open();
    const before = server.connector.pace().calls;
    const seen = server.seen();
    for (let n = 0; n < 30; n += 1) {
      const outcomes = await apply(server, `elev${n}a`, `elev${n}b`);
      expect(outcomes).toMatchObject([{ state: 'applied' }, { state: 'applied' }]);
    }

    const pace = server.connector.pace();
    expect(pace.calls - before).toBe(server.seen() - seen);
    expect(pace).toMatchObject({
      cap,
      inFlight: 0,
      waiting: 0,
      overloads: 0,
      throttledUntil: null,
    });
    expect(pace.latencyMs).toBeGreaterThan(0);
    expect(pace.limit).toBeGreaterThan(1);
  });

  it.each([
    ['429 with seconds', 429, 'seconds'],
    ['503 with seconds', 503, 'seconds'],
    ['429 with a date', 429, 'date'],
    ['503 with a date', 503, 'date'],
  ] as const)('is left alone as long as it says: %s', async (_title, status, form) => {
    const server = await open();
    await apply(server, 'elev1');
    server.trouble = { status, retryAfter: form === 'date' ? inHalfAMinute() : '30' };
    const [told] = await apply(server, 'elev2');
    const seen = server.seen();
    server.trouble = null;
    const [held, heldToo] = await apply(server, 'elev2', 'elev3');

    expect(told).toMatchObject({ state: 'retry', afterMs: expect.any(Number) });
    expect(held).toMatchObject({ state: 'retry', code: 'busy', afterMs: expect.any(Number) });
    for (const outcome of [told, held, heldToo]) {
      const ms = outcome?.state === 'retry' ? outcome.afterMs : 0;
      // A date has whole seconds, and a loaded machine takes some itself.
      expect(ms).toBeGreaterThan(20_000);
      expect(ms).toBeLessThanOrEqual(30_000);
    }
    // Nothing was sent meanwhile.
    expect(server.seen()).toBe(seen);
    const until = server.connector.pace().throttledUntil?.getTime() ?? 0;
    expect(until).toBeGreaterThan(Date.now() + 20_000);
    server.clock.skip(30_000);
    expect(server.connector.pace().throttledUntil).toBeNull();
    expect(await apply(server, 'elev2', 'elev3')).toMatchObject([
      { state: 'applied' },
      { state: 'applied' },
    ]);
  });

  it('is waited for when it wants a moment only, and nothing is sent in it', async () => {
    const server = await open();
    await apply(server, 'elev1');
    const waits: number[] = [];
    let seenBefore = 0;
    const sleep: PaceClock['sleep'] = server.clock.sleep;
    server.clock.sleep = async (ms) => {
      waits.push(ms);
      seenBefore = server.seen();
      await new Promise((resolve) => setImmediate(resolve));
      expect(server.seen()).toBe(seenBefore);
      server.trouble = null;
      await sleep(ms);
    };
    server.trouble = { status: 429, retryAfter: '2' };
    const outcomes = await apply(server, 'elev2');
    const next = await apply(server, 'elev2', 'elev3');

    expect(outcomes).toMatchObject([{ state: 'retry' }]);
    expect(next).toMatchObject([{ state: 'applied' }, { state: 'applied' }]);
    expect(waits).toHaveLength(1);
    expect(waits[0]).toBeGreaterThan(500);
    expect(waits[0]).toBeLessThanOrEqual(2000);
    expect(server.seen()).toBeGreaterThan(seenBefore);
  });

  it('gets half as much at once after a refusal, and is not left alone without being told', async () => {
    const server = await open();
    for (let n = 0; n < 30; n += 1) await apply(server, `elev${n}a`, `elev${n}b`);
    const { limit } = server.connector.pace();
    server.trouble = { status: 503, retryAfter: null };
    const [outcome] = await apply(server, 'elev99');
    server.trouble = null;

    expect(outcome?.state).not.toBe('applied');
    const pace = server.connector.pace();
    expect(pace.overloads).toBeGreaterThan(0);
    expect(pace.limit).toBeLessThanOrEqual(Math.max(1, limit / 2));
    expect(pace.throttledUntil).toBeNull();
    expect(await apply(server, 'elev99')).toMatchObject([{ state: 'applied' }]);
  });
});
