/**
 * `node tests/bench/nextcloud.ts [accounts] [rounds]`: how fast a real Nextcloud takes accounts, groups and
 * Team folders from a bare client that only creates, and from the connector, in turns and with the
 * same parallelism. The server comes from SKOLEBUS_TEST_NEXTCLOUD_URL, _USER and _PASSWORD.
 */

import pLimit from 'p-limit';
import type { NextcloudAccount, NextcloudFolder } from '../../provisioning/policy/resource.ts';
import { connectNextcloud } from '../../provisioning/target/nextcloud/connector.ts';
import { openSession } from '../../provisioning/target/nextcloud/session.ts';
import { account, folder, gone, group, openMiniLedger, type Row } from '../nextcloud/work.ts';

const accounts = Number(process.argv[2] ?? 150);
const rounds = Number(process.argv[3] ?? 3);
const url = process.env['SKOLEBUS_TEST_NEXTCLOUD_URL'] ?? '';
const user = process.env['SKOLEBUS_TEST_NEXTCLOUD_USER'] ?? 'admin';
const password = process.env['SKOLEBUS_TEST_NEXTCLOUD_PASSWORD'] ?? '';
if (url === '') throw new Error('set SKOLEBUS_TEST_NEXTCLOUD_URL');

const run = `b${Date.now().toString(36)}`;
const parallel = { group: 4, account: 2, folder: 1 } as const;
type Kind = keyof typeof parallel;
const kinds: readonly Kind[] = ['group', 'account', 'folder'];

function rowsOf(part: string, count: number): Readonly<Record<Kind, readonly Row[]>> {
  const classes = Array.from({ length: Math.ceil(count / 10) }, (_, index) => `${part}-k${index}`);
  return {
    group: classes.map((id) => group(id, { displayName: `Klasse ${id}` })),
    account: Array.from({ length: count }, (_, index) =>
      account(`${part}e${index}`, { groups: [classes[Math.floor(index / 10)] ?? ''] }),
    ),
    folder: classes.map((id) => folder(`Klasse ${id}`, { access: { [id]: 15 }, quota: 1024 ** 3 })),
  };
}

await using session = openSession({ url, user, password, timeoutMs: 60_000 });
await using connector = connectNextcloud({ name: 'nextcloud', mode: 'local', url, user, password });
const ledger = openMiniLedger(connector);

/**
 * Only the writes that cannot be left out, on a session that is signed in already. An account that the
 * server refuses after making half of it, as it does in parallel, is counted and left so.
 */
async function createBare(kind: Kind, rows: readonly Row[]): Promise<number> {
  const limit = pLimit(parallel[kind]);
  const made = await Promise.all(rows.map((row) => limit(() => createOne(row))));
  return made.filter((whole) => !whole).length;
}

async function createOne(row: Row): Promise<boolean> {
  const post = async (path: string, form: Record<string, string | readonly string[]>) => {
    const reply = await session.ask({ method: 'POST', path, form });
    if (!reply.ok && reply.code !== 101) throw new Error(`${path}: ${reply.code}`);
    return reply;
  };
  if (row.kind === 'group') {
    await post('/ocs/v2.php/cloud/groups', { groupid: row.key, displayname: `Klasse ${row.key}` });
  } else if (row.kind === 'account') {
    const made = await post('/ocs/v2.php/cloud/users', {
      userid: row.key,
      password: `Stribet-Sommerfugl-${row.key}`,
      displayName: `Elev ${row.key}`,
      quota: '2 GB',
      language: 'da',
      'groups[]': (row.desired as NextcloudAccount).groups,
    });
    return made.ok;
  } else {
    const base = '/index.php/apps/groupfolders/folders';
    const { id } = (await post(base, { mountpoint: row.key })).data as { id: number };
    const [[name, bits] = ['', 0]] = Object.entries((row.desired as NextcloudFolder).access);
    await post(`${base}/${id}/quota`, { quota: String(1024 ** 3) });
    await post(`${base}/${id}/groups`, { group: name });
    await post(`${base}/${id}/groups/${name}`, { permissions: String(bits) });
    ledger.know({ kind: 'folder', key: row.key, externalId: String(id) });
  }
  return true;
}

async function createByConnector(kind: Kind, rows: readonly Row[]): Promise<void> {
  const size = connector.claimSize[kind] ?? 1;
  for (let from = 0; from < rows.length; from += size) {
    const outcomes = await ledger.apply(rows.slice(from, from + size));
    const failed = outcomes.find((outcome) => outcome.state !== 'applied');
    if (failed !== undefined) throw new Error(JSON.stringify(failed));
  }
}

async function seconds(work: () => Promise<unknown>): Promise<number> {
  const from = performance.now();
  await work();
  return (performance.now() - from) / 1000;
}

// Both sign in before the clock runs.
await session.ask({ method: 'GET', path: '/ocs/v2.php/cloud/user' });
await ledger.apply([group(`${run}-first`)]);
// In turns, so that a server that slows down slows both down, and a load beside us meets both.
const total = {
  bare: { group: 0, account: 0, folder: 0 },
  ours: { group: 0, account: 0, folder: 0 },
};
const done: Row[] = [];
let halfMade = 0;
for (let round = 0; round < rounds; round += 1) {
  const count = Math.round(accounts / rounds);
  const bare = rowsOf(`${run}b${round}`, count);
  const ours = rowsOf(`${run}c${round}`, count);
  for (const kind of kinds) {
    // Whoever comes first has the emptier server, so that the first turn changes hands.
    const turns = {
      bare: async () => {
        halfMade += await createBare(kind, bare[kind]);
      },
      ours: () => createByConnector(kind, ours[kind]),
    };
    const took = { bare: 0, ours: 0 };
    for (const side of round % 2 === 0
      ? (['bare', 'ours'] as const)
      : (['ours', 'bare'] as const)) {
      took[side] = await seconds(turns[side]);
      total[side][kind] += took[side];
    }
    console.info(
      `round ${round + 1}, ${bare[kind].length} of ${kind}: bare ${took.bare.toFixed(1)} s, connector ${took.ours.toFixed(1)} s`,
    );
    done.push(...bare[kind], ...ours[kind]);
    for (const row of bare[kind]) {
      if (kind !== 'folder') ledger.know({ kind, key: row.key, externalId: row.key });
    }
  }
}
for (const kind of kinds) {
  const count = done.filter((row) => row.kind === kind).length / 2;
  const [bare, ours] = [count / total.bare[kind], count / total.ours[kind]];
  console.info(
    `${kind}: ${count}; bare ${bare.toFixed(2)}/s, connector ${ours.toFixed(2)}/s, ratio ${(ours / bare).toFixed(2)}`,
  );
}
console.info(`the bare client left ${halfMade} accounts half made`);
done.push(group(`${run}-first`));
for (const kind of [...kinds].reverse()) {
  await createByConnector(kind, done.filter((row) => row.kind === kind).map(gone));
}
