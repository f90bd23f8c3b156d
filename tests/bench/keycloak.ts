/**
 * `node tests/bench/keycloak.ts [people]`: how fast a real Keycloak takes people in classes of 20 from
 * the connector, from a bare client that makes the same creates as fast as the server takes them, and
 * by partialImport. Each way has a realm of its own and they take turns after every few hundred people,
 * so that what else the machine does hits all alike. Figures go to tests/keycloak/README.md.
 */

import pLimit from 'p-limit';
import type { KeycloakAccount } from '../../provisioning/policy/resource.ts';
import { connectKeycloak } from '../../provisioning/target/keycloak/connector.ts';
import { openRaw, type Raw } from '../keycloak/admin-api.ts';
import { account, group, type Ledger, observeAll, openLedger } from '../keycloak/people.ts';
import { startKeycloak } from '../support/keycloak-server.ts';

const people = Number(process.argv[2] ?? 5000);
const perClass = 20;
const classesPerSchool = 25;
/** As the connector has it. */
const parallel = 12;

await using server = await startKeycloak();
if (server === null) process.exit(1);
const { password, url, user } = server;
let realms = 0;

/** Neighbours are from classes all over, since the ledger hands people out by a random key. */
function fill(ledger: Ledger): void {
  const classes = Math.ceil(people / perClass);
  for (let n = 0; n < classes; n += 1) {
    const school = `school:${Math.floor(n / classesPerSchool)}`;
    if (!ledger.rows.has(`group/${school}`)) ledger.want('group', school, group({ name: school }));
    ledger.want('group', `class:${n}`, group({ name: `Klasse ${n}`, parent: school }));
  }
  for (let n = 0; n < people; n += 1) {
    const inClass = n % Math.ceil(people / perClass);
    ledger.want(
      'account',
      `person:${n}`,
      account({
        username: `person${String(n).padStart(5, '0')}`,
        given: `Fornavn${n}`,
        email: `p${n}@example.test`,
        attributes: { uniId: [`uni${n}`], kinds: ['pupil'], roles: ['pupil'] },
        groups: [`class:${inClass}`, `school:${Math.floor(inClass / classesPerSchool)}`],
      }),
    );
  }
}

/** A prepared realm with its groups, ready for people. */
async function open() {
  realms += 1;
  const realm = `bench-${process.pid}-${realms}`;
  const raw = openRaw({ server: { url, user, password }, realm });
  const connector = connectKeycloak({
    name: 'keycloak',
    url,
    realm,
    credentials: { user, password },
  });
  await connector.prepare();
  const ledger = openLedger();
  fill(ledger);
  await ledger.drain(connector, 'group');
  const groups = await observeAll(connector, 'group');
  const paths = new Map([...groups.values()].map((one) => [one.key, String(one.body['path'])]));
  const users = [...ledger.rows.values()]
    .filter((row) => row.kind === 'account')
    .map((row) => {
      const body = row.desired as KeycloakAccount;
      return {
        username: body.username,
        email: body.email,
        firstName: body.given,
        lastName: body.family,
        enabled: true,
        attributes: { ...body.attributes, skolebusKey: [row.key] },
        groups: body.groups.map((key) => paths.get(key)),
      };
    });
  return { raw, connector, ledger, users };
}

type Opened = Awaited<ReturnType<typeof open>>;

/** How many people a way takes before it is the next one's turn. */
const slice = 720;

interface Turn extends Opened {
  readonly from: number;
  readonly to: number;
}

async function byConnector({ connector, from, ledger, to }: Turn): Promise<void> {
  const rows = [...ledger.rows.values()].filter((row) => row.kind === 'account').slice(from, to);
  const size = connector.claimSize.account ?? 1;
  for (let at = 0; at < rows.length; at += size) {
    const batch = rows.slice(at, at + size);
    const outcomes = await connector.apply({ batch, externalIds: ledger.lookUp });
    const bad = outcomes.find((outcome) => outcome.state !== 'applied');
    if (bad !== undefined) throw new Error(JSON.stringify(bad));
  }
}

async function byBareClient({ from, raw, to, users }: Turn): Promise<void> {
  const limit = pLimit(parallel);
  const some = users.slice(from, to);
  await Promise.all(some.map((body) => limit(() => expectOk(raw, 'users', body))));
}

function byImport(size: number, atOnce: number) {
  return async ({ from, raw, to, users }: Turn): Promise<void> => {
    const limit = pLimit(atOnce);
    const chunks: (typeof users)[] = [];
    for (let at = from; at < to; at += size) chunks.push(users.slice(at, Math.min(at + size, to)));
    await Promise.all(
      chunks.map((chunk) =>
        limit(() => expectOk(raw, 'partialImport', { ifResourceExists: 'SKIP', users: chunk })),
      ),
    );
  };
}

async function expectOk(raw: Raw, path: string, body: unknown): Promise<void> {
  const { status } = await raw.call('POST', path, body);
  if (status >= 300) throw new Error(`${path} answered ${status}`);
}

interface Way {
  readonly name: string;
  readonly run: (turn: Turn) => Promise<void>;
}

const ways: readonly Way[] = [
  { name: 'bare client', run: byBareClient },
  { name: 'connector', run: byConnector },
  { name: 'partialImport, 200 at a time', run: byImport(200, 1) },
  { name: 'partialImport, 200 at a time, 2 at once', run: byImport(200, 2) },
];

/** Milliseconds, and milliseconds of our own processor time, per way. */
async function race(count: number): Promise<readonly { elapsed: number; own: number }[]> {
  const opened: Opened[] = [];
  for (const _ of ways) opened.push(await open());
  const totals = ways.map(() => ({ elapsed: 0, own: 0 }));
  for (let from = 0, turn = 0; from < count; from += slice, turn += 1) {
    for (const step of ways.keys()) {
      // Whoever comes first in a turn is another one each time.
      const index = (step + turn) % ways.length;
      const [way, realm, total] = [ways[index], opened[index], totals[index]];
      if (way === undefined || realm === undefined || total === undefined) continue;
      const before = process.cpuUsage();
      const started = performance.now();
      await way.run({ ...realm, from, to: Math.min(from + slice, count) });
      total.elapsed += performance.now() - started;
      const { system, user: busy } = process.cpuUsage(before);
      total.own += (system + busy) / 1000;
    }
  }
  for (const { connector, raw } of opened) {
    await connector[Symbol.asyncDispose]();
    await raw.call('DELETE', '');
  }
  return totals;
}

// The first turn only warms the server up: Java is several times slower in its first minute.
await race(Math.min(slice, people));
const totals = await race(people);
const bare = totals[0]?.elapsed ?? 0;
for (const [index, { elapsed, own }] of totals.entries()) {
  const rate = (people / elapsed) * 1000;
  console.info(
    `${ways[index]?.name}: ${rate.toFixed(1)}/s, ${(bare / elapsed).toFixed(2)} of bare, own processor ${(own / people).toFixed(2)} ms each`,
  );
}
