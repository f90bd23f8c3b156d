import { expect, it } from 'vitest';
import { kindOrder } from '../../provisioning/policy/resource.ts';
import { connectNextcloud } from '../../provisioning/target/nextcloud/connector.ts';
import {
  faultNames,
  randomFaults,
  slowGrowth,
} from '../../services/sandbox/nextcloud/random-faults.ts';
import { hasten, openHastyClock } from '../support/hasty-clock.ts';
import { startStandIn } from './server.ts';
import { account, drain, folder, group, observed, openMiniLedger, type Row } from './work.ts';

/** 500 classes of four pupils, each with a Team folder; every tenth folder has a closed subfolder. */
function school(classes: number): readonly Row[] {
  const rows: Row[] = [];
  for (let index = 0; index < classes; index += 1) {
    const [all, teachers] = [`k${index}`, `k${index % 50}-laerere`];
    rows.push(group(all, { displayName: `Klasse ${index}` }));
    if (index < 50) rows.push(group(teachers));
    for (let pupil = 0; pupil < 4; pupil += 1) {
      const id = `elev${index}-${pupil}`;
      rows.push(account(id, { groups: [all], email: `${id}@skole-101.example.test` }));
    }
    const access = { [all]: 15, [teachers]: 31 };
    const closed = { subfolders: [{ path: 'Lærere', access: { [all]: 0, [teachers]: 15 } }] };
    rows.push(folder(`Klasse ${index}`, { access, ...(index % 10 === 0 ? closed : {}) }));
  }
  return rows;
}

const certain = [
  'retry account-create-failed',
  'retry connection-lost',
  'retry server-error',
  'retry maintenance',
  'retry too-many-requests',
  'unknown-host busy',
];
/**
 * A read-back that was lost as well, a confirmation that is refused twice in a row, and a request that
 * was not sent because the server wanted to be left alone.
 */
const rare = [
  'retry answer-lost',
  'retry busy',
  'unknown-host confirmation-refused',
  'unknown-host unreachable',
];

it('sets 3,000 resources down right with 1 % of every misbehaviour', async () => {
  await using server = await startStandIn({ version: '34.0.1' });
  const clock = openHastyClock();
  await using plain = connectNextcloud({ name: 'nextcloud', mode: 'local', clock, ...server });
  const connector = hasten({ connector: plain, clock });
  const ledger = openMiniLedger(connector);
  const { hook, struck } = randomFaults({ rate: 0.01, seed: 20_261_121 });
  const slow = slowGrowth({ millisecondsPerHundred: 1 });
  server.standIn.setFaults((ask) => hook(ask) ?? slow(ask));
  const rows = school(500);

  const causes = await drain({ ledger, connector, rows, order: kindOrder.nextcloud });
  server.standIn.setFaults(null);

  expect(rows.length).toBeGreaterThanOrEqual(3000);
  expect([...struck.keys()].sort()).toEqual([...faultNames].sort());
  // Every failure says what it was, and none is final. The order of parallel requests varies, so
  // that the rare ones need not come. A half-made account is completed at once and is no failure.
  const named = [...causes.keys()];
  expect(named).toEqual(expect.arrayContaining([...certain]));
  expect([...certain, ...rare]).toEqual(expect.arrayContaining(named));
  const accounts = await observed(connector, 'account');
  const groups = await observed(connector, 'group');
  const folders = [...(await observed(connector, 'folder')).values()];
  const mounts = folders.map((one) => one.body['mountPoint']);
  expect(new Set(mounts).size).toBe(mounts.length);
  expect(mounts).toHaveLength(500);
  // The administrator, and the groups admin and skolebus-service.
  expect([accounts.size, groups.size]).toEqual([2001, 552]);
  for (const row of rows) {
    const { desired, kind, key } = row;
    if (kind === 'account') {
      const { displayName, email, groups: wanted } = { ...account('x').desired, ...desired };
      expect(accounts.get(key)?.body).toMatchObject({ displayName, email, groups: wanted });
    }
    if (kind === 'folder') {
      const id = ledger.externalId(kind, key);
      const { access } = { ...folder('x').desired, ...desired };
      expect(folders.find((one) => one.externalId === id)?.body['access']).toEqual(access);
    }
  }
  const again = await drain({ ledger, connector, rows, order: kindOrder.nextcloud });
  expect([...again.keys()]).toEqual([]);
}, 120_000);

it('gives the same faults for the same seed', () => {
  const ask = { method: 'POST', path: '/ocs/v2.php/cloud/users' };
  const draw = (seed: number) => {
    const { hook } = randomFaults({ rate: 0.05, seed });
    // The hook looks at method and path alone.
    return Array.from({ length: 200 }, () => hook(ask as Parameters<typeof hook>[0])?.kind ?? '-');
  };

  expect(draw(7)).toEqual(draw(7));
  expect(draw(7)).not.toEqual(draw(8));
});
