import { expect, it } from 'vitest';
import { connectNextcloud } from '../../provisioning/target/nextcloud/connector.ts';
import { warnOfTopology } from '../../provisioning/target/nextcloud/topology.ts';
import { putFile, removeFile } from './look.ts';
import { startStandIn } from './server.ts';
import { account, gone, observed, openMiniLedger } from './work.ts';

it('deletes an account whose files are to be kept only when its home is empty', async () => {
  await using server = await startStandIn({ version: '34.0.1' });
  await using connector = connectNextcloud({ name: 'n', mode: 'local', ...server });
  const ledger = openMiniLedger(connector);
  const row = account('elev01', { keepFilesWith: 'arkiv' });
  await ledger.apply([row]);
  await putFile({ server, user: 'elev01', path: 'stil.txt', content: 'En stil' });

  const held = await ledger.apply([gone(row)]);
  await removeFile({ server, user: 'elev01', path: 'stil.txt' });
  const removed = await ledger.apply([gone(row)]);

  expect(held).toMatchObject([
    { state: 'retry', code: 'files-not-transferred', afterMs: 24 * 60 * 60 * 1000 },
  ]);
  expect(removed).toEqual([{ state: 'applied', externalId: null }]);
  expect((await observed(connector, 'account')).has('elev01')).toBe(false);
});

it('keeps files with nobody when policy does not say so', async () => {
  await using server = await startStandIn({ version: '34.0.1' });
  await using connector = connectNextcloud({ name: 'n', mode: 'local', ...server });
  const ledger = openMiniLedger(connector);
  await ledger.apply([account('elev01')]);
  await putFile({ server, user: 'elev01', path: 'stil.txt', content: 'En stil' });

  expect(await ledger.apply([gone(account('elev01'))])).toMatchObject([{ state: 'applied' }]);
});

it('warns of what is known to be slow', () => {
  const small = { name: '7a', members: 28 };

  expect(warnOfTopology({ folders: 500, groups: [small] })).toEqual([]);
  expect(
    warnOfTopology({ folders: 900, groups: [small, { name: 'alle', members: 4000 }] }),
  ).toEqual([
    expect.stringMatching(/^900 Team folders/),
    expect.stringMatching(/"alle" with 4000/),
  ]);
});
