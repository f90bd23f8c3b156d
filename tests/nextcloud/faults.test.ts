import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Connector } from '../../provisioning/target/contract.ts';
import { connectNextcloud } from '../../provisioning/target/nextcloud/connector.ts';
import { type Ask, answerHtml } from '../../services/sandbox/nextcloud/exchange.ts';
import type { Fault } from '../../services/sandbox/nextcloud/fault.ts';
import { type StandInUnderTest, startStandIn } from './server.ts';
import { account, folder, gone, group, type MiniLedger, observed, openMiniLedger } from './work.ts';

/** What only a server that goes wrong on purpose can show. */
describe.each(['34.0.1', '29.0.1'] as const)('trouble with Nextcloud %s', (version) => {
  let server: StandInUnderTest;
  let connector: Connector;
  let ledger: MiniLedger;
  let asked: Ask[];

  beforeEach(async () => {
    server = await startStandIn({ version });
    connector = connectNextcloud({ name: 'nextcloud', mode: 'local', timeoutMs: 2000, ...server });
    ledger = openMiniLedger(connector);
    asked = [];
    watch(() => null);
  });

  afterEach(async () => {
    await connector[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
  });

  function watch(fault: (ask: Ask) => Fault | null): void {
    server.standIn.setFaults((ask) => {
      asked.push(ask);
      return fault(ask);
    });
  }

  /** The fault strikes the first request of this kind, and no other. */
  function strikeOnce(method: string, path: RegExp, fault: Fault): void {
    let struck = false;
    watch((ask) => {
      if (struck || ask.method !== method || !path.test(ask.path)) return null;
      struck = true;
      return fault;
    });
  }

  const writes = () => asked.filter((ask) => ask.method !== 'GET');
  const signIns = () => asked.filter((ask) => ask.headers.authorization !== undefined);

  it('writes nothing the second time', async () => {
    const rows = [
      [group('7a', { displayName: '7.A' }), group('elever')],
      [account('elev01', { groups: ['7a', 'elever'], email: 'elev01@skole-101.example.test' })],
      [folder('7.A Fælles', { access: { '7a': 15 } })],
    ];
    for (const batch of rows) await ledger.apply(batch);
    const first = writes().length;
    asked.length = 0;

    for (const batch of rows) {
      const outcomes = await ledger.apply(batch);
      expect(outcomes.every((outcome) => outcome.state === 'applied')).toBe(true);
    }

    expect(first).toBe(6);
    expect(writes()).toEqual([]);
  });

  it('signs in once, with two requests, whatever runs in parallel', async () => {
    await ledger.apply([group('7a')]);
    await Promise.all(
      [1, 2, 3].map((n) => ledger.apply([account(`elev0${n}`, { groups: ['7a'] })])),
    );

    expect(signIns()).toHaveLength(2);
  });

  it('signs in again when the session is gone', async () => {
    await ledger.apply([group('7a')]);
    server.standIn.control.dropSessions();
    const outcomes = await Promise.all([ledger.apply([group('7b')]), ledger.apply([group('7c')])]);

    expect(outcomes.flat()).toMatchObject([{ state: 'applied' }, { state: 'applied' }]);
    expect(signIns()).toHaveLength(4);
  });

  it('confirms the password again when the half hour is over', async () => {
    await ledger.apply([group('7a')]);
    server.standIn.control.expireConfirmations();
    const outcomes = await ledger.apply([group('7b'), group('7c')]);

    expect(outcomes).toMatchObject([{ state: 'applied' }, { state: 'applied' }]);
    expect((await observed(connector, 'group')).has('7b')).toBe(true);
    expect(signIns()).toHaveLength(4);
  });

  it.each([
    ['the answer is lost', { kind: 'reset', when: 'after' }],
    ['the request is lost', { kind: 'reset', when: 'before' }],
  ] as const)('doubles nothing when %s', async (_title, fault) => {
    strikeOnce('POST', /\/cloud\/groups$/, fault);
    const groups = await ledger.apply([group('7a')]);
    await ledger.apply([{ ...group('7a'), attempts: 1 }]);
    strikeOnce('POST', /\/cloud\/users$/, fault);
    const accounts = await ledger.apply([account('elev01', { groups: ['7a'] })]);
    await ledger.apply([{ ...account('elev01', { groups: ['7a'] }), attempts: 1 }]);
    strikeOnce('POST', /\/folders$/, fault);
    const row = folder('7.A Fælles', { access: { '7a': 15 } });
    const folders = await ledger.apply([row]);
    const last = await ledger.apply([{ ...row, attempts: 1 }]);

    expect([...groups, ...accounts, ...folders].map((outcome) => outcome.state)).not.toContain(
      'rejected',
    );
    expect(last).toMatchObject([{ state: 'applied' }]);
    const seen = [...(await observed(connector, 'folder')).values()];
    expect(seen.map((one) => one.body)).toEqual([
      { mountPoint: '7.A Fælles', quota: -3, access: { '7a': 15 }, size: 0 },
    ]);
    expect((await observed(connector, 'account')).get('elev01')?.body).toMatchObject({
      displayName: 'Elev elev01',
      groups: ['7a'],
    });
  });

  it('finds and completes the accounts that a deadlock left half made', async () => {
    await ledger.apply([group('7a')]);
    let creates = 0;
    watch((ask) => {
      if (ask.method !== 'POST' || !ask.path.endsWith('/cloud/users')) return null;
      creates += 1;
      return creates % 3 === 0 ? { kind: 'break-off' } : null;
    });
    const rows = Array.from({ length: 9 }, (_, index) =>
      account(`elev${index}`, { groups: ['7a'] }),
    );

    const outcomes = await ledger.apply(rows);

    expect(outcomes.map((outcome) => outcome.state)).toEqual(rows.map(() => 'applied'));
    const seen = await observed(connector, 'account');
    for (const row of rows) {
      expect(seen.get(row.key)?.body).toMatchObject({
        displayName: row.desired.displayName,
        quota: `${2 * 1024 ** 3} B`,
        groups: ['7a'],
      });
    }
  });

  it('never has more than two creates under way', async () => {
    let underWay = 0;
    let most = 0;
    watch((ask) => {
      if (ask.method !== 'POST' || !ask.path.endsWith('/cloud/users')) return null;
      underWay += 1;
      most = Math.max(most, underWay);
      setTimeout(() => {
        underWay -= 1;
      }, 15);
      return { kind: 'delay', milliseconds: 20 };
    });
    const batch = (from: number) => Array.from({ length: 5 }, (_, n) => account(`e${from + n}`));

    await Promise.all([ledger.apply(batch(0)), ledger.apply(batch(10)), ledger.apply(batch(20))]);

    expect(most).toBe(2);
  });

  it('concludes nothing in maintenance, from an outage, or from a refused password', async () => {
    const rows = [account('elev01'), account('elev02')];
    server.standIn.control.setMaintenance(true);
    const closed = await ledger.apply(rows);
    const check = await connector.check();
    server.standIn.control.setMaintenance(false);
    await using stranger = connectNextcloud({
      name: 'n',
      mode: 'local',
      url: server.url,
      user: server.user,
      password: 'forkert',
    });
    const refused = await openMiniLedger(stranger).apply(rows);
    const before = asked.length;
    await openMiniLedger(stranger).apply(rows);
    await using nowhere = connectNextcloud({
      name: 'n',
      mode: 'local',
      url: 'http://127.0.0.1:9',
      user: 'x',
      password: 'y',
    });
    const away = await openMiniLedger(nowhere).apply(rows);

    expect(closed).toMatchObject(rows.map(() => ({ state: 'unknown-host', code: 'maintenance' })));
    expect(check).toMatchObject([
      { name: 'server', ok: false },
      { name: 'version', ok: true },
    ]);
    expect(refused).toMatchObject(
      rows.map(() => ({ state: 'unknown-host', code: 'sign-in-refused' })),
    );
    // A refused password is not tried again at once.
    expect(asked.length).toBe(before);
    expect(away).toMatchObject(rows.map(() => ({ state: 'unknown-host', code: 'unreachable' })));
  });

  it('reads nothing into an HTML page', async () => {
    strikeOnce('POST', /\/cloud\/users$/, { kind: 'answer', answer: answerHtml(502) });
    const outcomes = await ledger.apply([account('elev01'), account('elev02')]);

    expect(outcomes.map((outcome) => outcome.state).sort()).toEqual(['applied', 'retry']);
  });

  it('survives a status line that is no HTTP, and a group that is on the folder already', async () => {
    await ledger.apply([group('7a'), group('7b')]);
    const row = folder('7.A Fælles', { access: { '7a': 15 } });
    await ledger.apply([row]);
    // The list does not show the group, as when somebody else adds it at this moment: the server
    // then answers 400 on 34.0.1 and "HTTP/1.1 1062" on 29.0.1.
    const path = /\/folders$/;
    const id = Number(ledger.externalId('folder', row.key));
    const list = { [id]: { id, mount_point: '7.A Fælles', quota: -3, size: 0, groups: [] } };
    const body = JSON.stringify({ ocs: { meta: { statuscode: 100, message: 'OK' }, data: list } });
    const headers = { 'Content-Type': 'application/json; charset=utf-8' };
    strikeOnce('GET', path, { kind: 'answer', answer: { status: 200, headers, body } });

    const outcomes = await ledger.apply([folder('7.A Fælles', { access: { '7a': 31 } })]);

    expect(outcomes).toEqual([{ state: 'applied', externalId: String(id) }]);
    expect((await observed(connector, 'folder')).get(String(id))?.body).toMatchObject({
      access: { '7a': 31 },
    });
  });

  it('leaves alone what it did not put there', async () => {
    await ledger.apply([group('7a'), group('andre')]);
    await ledger.apply([folder('7.A', { access: { '7a': 31 } })]);
    // A second ledger stands for an administrator who works by hand.
    const byHand = openMiniLedger(connector);
    const later = { attempts: 1 };
    await byHand.apply([
      { ...group('7a'), ...later },
      { ...group('andre'), ...later },
    ]);
    await byHand.apply([{ ...folder('7.A', { access: { '7a': 31, andre: 1 } }), ...later }]);
    await ledger.apply([account('elev01', { groups: ['7a'] })]);
    await byHand.apply([{ ...account('elev01', { groups: ['andre'] }), ...later }]);

    await ledger.apply([account('elev01')]);
    await ledger.apply([folder('7.A')]);

    const seen = (await observed(connector, 'account')).get('elev01');
    expect(seen?.body).toMatchObject({ groups: ['andre'] });
    const folders = [...(await observed(connector, 'folder')).values()];
    expect(folders.map((one) => one.body['access'])).toEqual([{ andre: 1 }]);
  });

  it('makes again what somebody deleted', async () => {
    await ledger.apply([group('7a')]);
    await ledger.apply([account('elev01', { groups: ['7a'] })]);
    await ledger.apply([folder('7.A', { access: { '7a': 31 } })]);
    const forgetful = openMiniLedger(connector);
    await forgetful.apply([{ ...account('elev01'), attempts: 1 }]);
    await forgetful.apply([gone(account('elev01'))]);

    const outcomes = await ledger.apply([account('elev01', { groups: ['7a'] })]);

    expect(outcomes).toEqual([{ state: 'applied', externalId: 'elev01' }]);
  });
});

describe('an app password', () => {
  it('is explained on 34.0.1, where it reads everything and writes nothing', async () => {
    await using server = await startStandIn({ version: '34.0.1' });
    const { url, user, appPassword: password } = server;
    await using connector = connectNextcloud({ name: 'n', mode: 'local', url, user, password });

    const results = await connector.check();
    const outcomes = await openMiniLedger(connector).apply([group('7a')]);

    const wrong = results.filter((result) => !result.ok);
    expect(wrong.map((result) => result.name)).toEqual(['write-probe']);
    expect(wrong[0]?.message).toMatch(/app password.*own password instead/s);
    expect(outcomes).toMatchObject([{ state: 'unknown-host', code: 'confirmation-refused' }]);
  });

  it('is enough on 29.0.1', async () => {
    await using server = await startStandIn({ version: '29.0.1' });
    const { url, user, appPassword: password } = server;
    await using connector = connectNextcloud({ name: 'n', mode: 'local', url, user, password });

    const results = await connector.check();

    expect(results.filter((result) => !result.ok)).toEqual([]);
  });
});
