import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Connector } from '../../provisioning/target/contract.ts';
import { connectNextcloud } from '../../provisioning/target/nextcloud/connector.ts';
import { type StandInUnderTest, startStandIn } from './server.ts';
import { account, group, type MiniLedger, observed, openMiniLedger } from './work.ts';

/** As in the connector: each finds out for itself that there is no such way. */
const parallelAccounts = 2;

/** 50 edits of profiles in ten minutes for each way to do it, as 32.0.1 and 34.0.1 were measured. */
describe.each([
  ['34.0.1', 100],
  ['29.0.1', 50],
] as const)('the limit on edits of %s', (version, most) => {
  const ids = Array.from({ length: 120 }, (_, index) => `elev${String(index).padStart(3, '0')}`);
  let server: StandInUnderTest;
  let connector: Connector;
  let ledger: MiniLedger;
  let edits: string[];

  beforeEach(async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: new Date('2026-11-27T08:00:00Z') });
    server = await startStandIn({ version, limitEdits: true });
    connector = connectNextcloud({ name: 'nextcloud', mode: 'local', ...server });
    ledger = openMiniLedger(connector);
    await ledger.apply([group('7a'), group('8a')]);
    await ledger.apply(ids.map((id) => account(id, { groups: ['7a'] })));
    edits = [];
    server.standIn.setFaults((ask) => {
      if (/^(PUT|PATCH)$/.test(ask.method) && /\/users\/\w+$/.test(ask.path)) {
        edits.push(ask.method);
      }
      return null;
    });
  });

  async function failedChecks(): Promise<readonly string[]> {
    return (await connector.check()).filter((result) => !result.ok).map((result) => result.name);
  }

  afterEach(async () => {
    vi.useRealTimers();
    await connector[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
  });

  it('stops asking, says when it goes on, and does what is not limited', async () => {
    const moved = ids.map((id) => account(id, { quota: '5 GB', groups: ['8a'], active: false }));
    const outcomes = await ledger.apply(moved);
    const seen = await observed(connector, 'account');

    const done = outcomes.filter((outcome) => outcome.state === 'applied');
    const waiting = outcomes.filter((outcome) => outcome.state !== 'applied');
    expect(done).toHaveLength(most);
    for (const outcome of waiting) {
      expect(outcome).toMatchObject({ state: 'retry', code: 'edit-limit', afterMs: 601_000 });
    }
    // One refused request for each way and each row that was under way then, not one for each row.
    expect(edits.length).toBeLessThanOrEqual(most + 4);
    // A ration is no sign of load: the pace does not slow down for it.
    expect(connector.pace().overloads).toBe(0);
    for (const id of ids) {
      expect(seen.get(id)?.body).toMatchObject({ groups: ['8a'], active: false });
    }

    expect(await failedChecks()).toEqual(['edit-limit']);

    vi.setSystemTime(new Date('2026-11-27T08:10:02Z'));
    expect(await failedChecks()).toEqual([]);
    const later = await ledger.apply(moved);
    expect(later.filter((outcome) => outcome.state === 'applied').length).toBeGreaterThanOrEqual(
      Math.min(ids.length, done.length + most),
    );
  });

  it('counts several fields of an account as one where the server can', async () => {
    const changed = ids.slice(0, 20).map((id) =>
      account(id, {
        displayName: `Ny ${id}`,
        email: `${id}@skole-101.example.test`,
        quota: '5 GB',
        language: 'en',
        groups: ['7a'],
      }),
    );
    const outcomes = await ledger.apply(changed);

    const whole = version === '34.0.1';
    expect(outcomes.every((outcome) => outcome.state === 'applied')).toBe(whole);
    expect(edits.filter((method) => method === 'PATCH')).toHaveLength(
      whole ? 20 : parallelAccounts,
    );
    if (!whole) return;
    expect((await observed(connector, 'account')).get('elev007')?.body).toMatchObject({
      displayName: 'Ny elev007',
      email: 'elev007@skole-101.example.test',
      quota: `${5 * 1024 ** 3} B`,
      language: 'en',
    });
  });

  it('finds the field at fault and writes the others', async () => {
    const outcomes = await ledger.apply([
      account('elev000', { email: 'ikke en adresse', quota: '5 GB', language: 'en' }),
    ]);

    expect(outcomes).toMatchObject([{ state: 'rejected', code: 'email-refused' }]);
    expect((await observed(connector, 'account')).get('elev000')?.body).toMatchObject({
      email: null,
      quota: `${5 * 1024 ** 3} B`,
      language: 'en',
    });
  });

  it('waits a minute where somebody else has used the limit up', async () => {
    await ledger.apply(ids.map((id) => account(id, { quota: '5 GB', groups: ['7a'] })));
    await using restarted = connectNextcloud({ name: 'nextcloud', mode: 'local', ...server });
    const fresh = openMiniLedger(restarted);
    fresh.know({ kind: 'account', key: 'elev119', externalId: 'elev119' });
    fresh.know({ kind: 'group', key: '7a', externalId: '7a' });

    const outcomes = await fresh.apply([account('elev119', { quota: '9 GB', groups: ['7a'] })]);

    expect(outcomes).toMatchObject([{ state: 'retry', code: 'edit-limit', afterMs: 60_000 }]);
  });
});
