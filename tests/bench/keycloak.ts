/**
 * `node tests/bench/keycloak.ts [people]`: how fast a real Keycloak takes people one by one, and
 * as the connector sends them. Figures go to the README beside this file.
 */

import { connectKeycloak } from '../../provisioning/target/keycloak/connector.ts';
import { openRaw } from '../keycloak/admin-api.ts';
import { fillSchools, observeAll, openLedger } from '../keycloak/people.ts';
import { startKeycloak } from '../support/keycloak-server.ts';

const people = Number(process.argv[2] ?? 500);
const started = performance.now();
await using server = await startKeycloak();
if (server === null) process.exit(1);
report('start of the server', null, performance.now() - started);
const { password, url, user } = server;

async function measure(p: { readonly name: string; readonly batch: number }): Promise<void> {
  const realm = `measure-${p.batch}`;
  const raw = openRaw({ server: { url, user, password }, realm });
  await raw.call('DELETE', '');
  await using connector = connectKeycloak({
    name: 'keycloak',
    url,
    realm,
    credentials: { user, password },
  });
  await timed(`${p.name}: prepare`, null, () => connector.prepare());
  const ledger = openLedger();
  fillSchools(ledger, people);
  await timed(`${p.name}: groups`, 22, () => ledger.drain(connector, 'group'));
  for (const what of ['create', 'apply again']) {
    const rows = [...ledger.rows.values()].filter((row) => row.kind === 'account');
    await timed(`${p.name}: ${what}`, people, async () => {
      for (let at = 0; at < rows.length; at += p.batch) {
        const batch = rows.slice(at, at + p.batch);
        const outcomes = await connector.apply({ batch, externalIds: ledger.lookUp });
        for (const [index, outcome] of outcomes.entries()) {
          const row = batch[index];
          if (outcome.state !== 'applied' || row === undefined) throw new Error(outcome.state);
          ledger.rows.set(`account/${row.key}`, {
            ...row,
            applied: row.desired,
            externalId: outcome.externalId,
          });
        }
      }
    });
  }
  await timed(`${p.name}: observe`, people, () => observeAll(connector, 'account'));
  await raw.call('DELETE', '');
}

async function timed(name: string, count: number | null, work: () => Promise<unknown>) {
  const from = performance.now();
  await work();
  report(name, count, performance.now() - from);
}

function report(name: string, count: number | null, ms: number): void {
  const rate = count === null ? '' : ` ${((count / ms) * 1000).toFixed(1)}/s`;
  console.info(`${name}: ${(ms / 1000).toFixed(2)} s${rate}`);
}

// The first round only warms the server up: Java is 3-5 times slower in its first minute.
await measure({ name: 'warm-up', batch: 120 });
await measure({ name: 'one by one', batch: 1 });
await measure({ name: 'batches of 120', batch: 120 });
await measure({ name: 'batches of 500', batch: 500 });
