import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { connectNextcloud } from '../../provisioning/target/nextcloud/connector.ts';
import { openDocuments } from '../../services/sandbox/documents.ts';
import { startNextcloudStandIn } from '../../services/sandbox/nextcloud/stand-in.ts';
import { startStandIn } from './server.ts';
import { account, folder, group, observed, openMiniLedger } from './work.ts';

const credentials = {
  user: 'skolebus-service',
  password: 'Kurre-Kaninhop-88',
  appPassword: 'app-Kurre-Kaninhop-88',
};

describe('the stand-in beside its recordings', () => {
  it('has all it answered for after a restart, and the connector signs in anew', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'skolebus-nextcloud-'));
    const file = join(dir, 'nextcloud.sqlite');
    try {
      using first = openDocuments({ file });
      const before = await startNextcloudStandIn({ port: 0, documents: first, ...credentials });
      await using connector = connectNextcloud({
        name: 'n',
        mode: 'local',
        url: before.url,
        ...credentials,
      });
      const ledger = openMiniLedger(connector);
      await ledger.apply([group('7a')]);
      await ledger.apply([account('elev01', { groups: ['7a'] })]);
      await ledger.apply([folder('7.A', { access: { '7a': 15 } })]);
      await before[Symbol.asyncDispose]();

      using second = openDocuments({ file });
      const { port } = before;
      await using after = await startNextcloudStandIn({ port, documents: second, ...credentials });
      const outcomes = await ledger.apply([account('elev01', { groups: ['7a'], active: false })]);
      const folders = [...(await observed(connector, 'folder')).values()];

      expect(after.url).toBe(before.url);
      expect(outcomes).toEqual([{ state: 'applied', externalId: 'elev01' }]);
      expect(folders.map((one) => one.body['access'])).toEqual([{ '7a': 15 }]);
      expect((await observed(connector, 'group')).get('7a')?.body).toMatchObject({ members: 1 });
    } finally {
      rmSync(dir, { recursive: true });
    }
  });

  it('is told over loopback what an administrator does outside HTTP', async () => {
    await using server = await startStandIn({ version: '34.0.1' });
    const control = (path: string, form: Readonly<Record<string, string>> = {}) =>
      fetch(`${server.url}/__sandbox/${path}`, {
        method: 'POST',
        body: new URLSearchParams(form),
      });
    const status = async () => {
      const response = await fetch(`${server.url}/status.php`);
      return (await response.json()) as { maintenance: boolean };
    };
    await using connector = connectNextcloud({ name: 'n', mode: 'local', ...server });

    await control('maintenance', { on: 'true' });
    const on = await status();
    await control('maintenance', { on: 'false' });
    const off = await status();
    await control('users', { 'id[]': 'af-haand' });
    const taken = await openMiniLedger(connector).apply([account('af-haand')]);
    await control('reset');
    const free = await openMiniLedger(connector).apply([account('af-haand')]);
    const unknown = await control('findes-ikke');

    expect([on.maintenance, off.maintenance]).toEqual([true, false]);
    expect(taken).toMatchObject([{ state: 'rejected', code: 'username-taken' }]);
    expect(free).toMatchObject([{ state: 'applied' }]);
    expect(unknown.status).toBe(404);
  });

  it('pages through more accounts than fit on a page, each once', async () => {
    await using server = await startStandIn({ version: '34.0.1' });
    const ids = Array.from({ length: 250 }, (_, index) => `elev${String(index).padStart(3, '0')}`);
    server.standIn.control.addPlainUsers(ids);
    await using connector = connectNextcloud({ name: 'n', mode: 'local', ...server });

    const seen = await observed(connector, 'account');

    expect([...seen.keys()].sort()).toEqual([...ids, server.user].sort());
  });

  it('reads alone an account that slipped between the pages', async () => {
    await using server = await startStandIn({ version: '34.0.1' });
    server.standIn.control.addPlainUsers(['elev01', 'elev02']);
    let page = 0;
    server.standIn.setFaults((ask) => {
      if (!ask.path.endsWith('/users/details')) return null;
      page += 1;
      const body = JSON.stringify({
        ocs: { meta: { statuscode: 200, message: 'OK' }, data: { users: [] } },
      });
      const headers = { 'Content-Type': 'application/json; charset=utf-8' };
      return { kind: 'answer', answer: { status: 200, headers, body } };
    });
    await using connector = connectNextcloud({ name: 'n', mode: 'local', ...server });

    const seen = await observed(connector, 'account');

    expect(page).toBe(1);
    expect([...seen.keys()].sort()).toEqual(['elev01', 'elev02', server.user]);
  });
});
