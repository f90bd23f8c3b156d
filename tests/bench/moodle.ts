/**
 * `node tests/bench/moodle.ts [people] [rounds]`: how fast a Moodle takes a school year through the
 * connector, against a bare client that only writes: the same functions and batches, four at a time,
 * no look-ups and no reading back. Cohorts are people / 25, courses people * 3 / 50, with 25 people each.
 * Address and token from SKOLEBUS_TEST_MOODLE_URL and SKOLEBUS_TEST_MOODLE_TOKEN; without them the
 * stand-in, where the figures speak of the connector alone. What is made stays there, hidden behind a
 * name of its own for each round.
 */

import type { Body, ResourceKind } from '../../provisioning/policy/resource.ts';
import { connectMoodle } from '../../provisioning/target/moodle/connector.ts';
import { openDocuments } from '../../services/sandbox/documents.ts';
import { startMoodleStandIn } from '../../services/sandbox/moodle/stand-in.ts';
import { account, category, cohort, course } from '../moodle/bench.ts';
import { writeBarely } from './moodle-bare.ts';

export interface Load {
  readonly name: string;
  readonly rows: ReadonlyMap<ResourceKind, ReadonlyMap<string, Body>>;
}

const kinds = ['category', 'account', 'cohort', 'course'] as const;

const people = Number(process.argv[2] ?? 1000);
const rounds = Number(process.argv[3] ?? 2);

function makeLoad(name: string, people: number): Load {
  const keys = Array.from({ length: people }, (_, index) => `${name}-${index}`);
  const some = (index: number): readonly string[] =>
    Array.from({ length: 25 }, (_, at) => keys[(index * 25 + at) % people] ?? '').sort();
  const many = <T extends Body>(count: number, make: (index: number) => T) =>
    new Map(
      Array.from({ length: count }, (_, index) => [`${name}:${index}`, make(index)] as const),
    );
  return {
    name,
    rows: new Map<ResourceKind, ReadonlyMap<string, Body>>([
      ['category', new Map([[name, category(`Måling ${name}`)]])],
      ['account', new Map(keys.map((key) => [key, account(key)]))],
      [
        'cohort',
        many(people / 25, (index) =>
          cohort({ name: `K${index}`, category: name, members: some(index) }),
        ),
      ],
      [
        'course',
        many((people * 3) / 50, (index) => {
          const roles = some(index).map((key) => [key, ['student'] as const] as const);
          const shortname = `${name}-${index}`;
          return course({ shortname, category: name, enrolments: Object.fromEntries(roles) });
        }),
      ],
    ]),
  };
}

type Site = { readonly url: string; readonly token: string };

/** Claims as the worker does: one batch of a kind after the other, as large as the connector asks for. */
async function writeThroughConnector(site: Site, load: Load): Promise<Timed> {
  await using connector = connectMoodle({ name: 'moodle', ...site });
  const ids = new Map<string, string>();
  return await timePhases(async (kind) => {
    const rows = [...(load.rows.get(kind) ?? [])];
    const size = connector.claimSize[kind] ?? 50;
    for (let at = 0; at < rows.length; at += size) {
      const batch = rows.slice(at, at + size).map(([key, desired]) => ({
        kind,
        key,
        desired,
        applied: null,
        externalId: null,
        attempts: 0,
      }));
      const outcomes = await connector.apply({
        batch,
        externalIds: async (p) =>
          new Map(p.keys.map((key) => [key, ids.get(`${p.kind}/${key}`) ?? 'none'])),
      });
      for (const [index, outcome] of outcomes.entries()) {
        if (outcome.state !== 'applied' || outcome.incomplete !== undefined) {
          throw new Error(`${kind} ${index}: ${JSON.stringify(outcome)}`);
        }
        ids.set(`${kind}/${batch[index]?.key ?? ''}`, outcome.externalId ?? '');
      }
    }
  });
}

type Timed = ReadonlyMap<ResourceKind, number>;

async function timePhases(work: (kind: ResourceKind) => Promise<void>): Promise<Timed> {
  const seconds = new Map<ResourceKind, number>();
  for (const kind of kinds) {
    const from = performance.now();
    await work(kind);
    seconds.set(kind, (performance.now() - from) / 1000);
  }
  return seconds;
}

const total = (one: Timed): number => [...one.values()].reduce((sum, value) => sum + value, 0);

async function measure(site: Site): Promise<void> {
  const run = Date.now().toString(36);
  // The first calls fill Moodle's caches and PHP's opcode cache, and belong to neither.
  await writeBarely({ site, load: makeLoad(`${run}-w`, 200), time: timePhases });
  const sums = { bare: 0, connector: 0 };
  for (let round = 0; round < rounds; round += 1) {
    const bare = () =>
      writeBarely({ site, load: makeLoad(`${run}-b${round}`, people), time: timePhases });
    const through = () => writeThroughConnector(site, makeLoad(`${run}-c${round}`, people));
    // Moodle slows down as it grows: who goes first takes turns.
    const first = round % 2 === 0 ? await bare() : await through();
    const second = round % 2 === 0 ? await through() : await bare();
    const [plain, own] = round % 2 === 0 ? [first, second] : [second, first];
    for (const kind of kinds) {
      const [a, b] = [plain.get(kind) ?? 0, own.get(kind) ?? 0];
      const count = makeLoad(run, people).rows.get(kind)?.size ?? 0;
      console.info(
        `round ${round + 1} ${kind} (${count}): bare ${a.toFixed(2)} s ${(count / a).toFixed(0)}/s, ` +
          `connector ${b.toFixed(2)} s ${(count / b).toFixed(0)}/s, ratio ${(a / b).toFixed(2)}`,
      );
    }
    sums.bare += total(plain);
    sums.connector += total(own);
  }
  console.info(
    `all: bare ${sums.bare.toFixed(2)} s, connector ${sums.connector.toFixed(2)} s, ` +
      `ratio ${(sums.bare / sums.connector).toFixed(2)}`,
  );
}

const url = process.env['SKOLEBUS_TEST_MOODLE_URL'] ?? '';
const token = process.env['SKOLEBUS_TEST_MOODLE_TOKEN'] ?? '';
if (url !== '') {
  await measure({ url, token });
} else {
  using documents = openDocuments({ file: null });
  const tokens = { school: 'school-token', infoonly: 'infoonly-token', limited: 'limited-token' };
  await using standIn = await startMoodleStandIn({ port: 0, documents, tokens });
  await measure({ url: standIn.url, token: tokens.school });
}
