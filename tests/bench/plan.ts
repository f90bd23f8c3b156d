/**
 * `npm run -s bench -- plan [--people 30000]`: how long reading, planning and committing take for a whole
 * municipality, on its first day and on an ordinary second one, and for a tenth of it in the same run, so
 * that growth is seen. One line of JSON; seconds, people a second, and the highest memory of the process.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { readFeed } from '../../provisioning/feed/read.ts';
import { commitPlan } from '../../provisioning/ledger/commit.ts';
import { makePlan } from '../../provisioning/plan/make.ts';
import { parsePolicy } from '../../provisioning/policy/parse.ts';
import { acceptSnapshot } from '../../provisioning/roster/accept.ts';
import { openDatabase } from '../../provisioning/store/database.ts';
import { startEmbeddedPostgres } from '../../provisioning/store/embedded.ts';
import { migrate } from '../../provisioning/store/migrate.ts';
import { readPolicyText } from '../../services/config.ts';
import { generate } from '../../services/generator/generate.ts';

const { values } = parseArgs({ options: { people: { type: 'string', default: '30000' } } });
const people = Number(values.people);
const targets = new Map([
  ['keycloak', 'keycloak'],
  ['nextcloud', 'nextcloud'],
  ['moodle', 'moodle'],
] as const);

interface Day {
  readonly acceptSeconds: number;
  readonly planSeconds: number;
  readonly commitSeconds: number;
  readonly changes: number;
  readonly held: number;
}

async function measure(count: number): Promise<{ readonly first: Day; readonly second: Day }> {
  const dir = mkdtempSync(join(tmpdir(), 'skolebus-bench-'));
  try {
    const schools = Math.max(1, Math.round(count / 500));
    await generate({ out: join(dir, 'feed'), seed: 1, schools, people: count });
    await using postgres = await startEmbeddedPostgres({ dir: join(dir, 'postgres') });
    await migrate({ url: postgres.url });
    await using database = openDatabase({ url: postgres.url });
    const tenant = 'kommune';
    await database.addTenant({ id: tenant, name: tenant });
    const policy = parsePolicy(await readPolicyText(dir));
    const base = { database, tenant };

    async function day(number: 1 | 2): Promise<Day> {
      const now = new Date(Date.UTC(2026, 10, 1 + number, 5));
      const path = join(dir, 'feed', `day${number}`, 'ws17');
      const items = readFeed({ format: 'ws17', path });
      const [snapshot, acceptSeconds] = await timed(() =>
        acceptSnapshot({ ...base, source: 'main', items, now }),
      );
      const { id: snapshotId, schoolYear } = snapshot;
      const wanted = { policy, targets, snapshotId, schoolYear, allowed: new Set<string>(), now };
      const [plan, planSeconds] = await timed(() => makePlan({ ...base, ...wanted }));
      const [commit, commitSeconds] = await timed(() =>
        commitPlan({ ...base, planId: plan.id, now }),
      );
      const changes = commit.committed;
      return { acceptSeconds, planSeconds, commitSeconds, changes, held: commit.held };
    }
    return { first: await day(1), second: await day(2) };
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

async function timed<T>(work: () => Promise<T>): Promise<readonly [T, number]> {
  const started = performance.now();
  const done = await work();
  return [done, Math.round((performance.now() - started) / 10) / 100];
}

const small = await measure(Math.round(people / 10));
const large = await measure(people);
const perPerson = (of: (day: Day) => number, day: 'first' | 'second') =>
  Math.round((of(large[day]) / of(small[day]) / 10) * 100) / 100;
const line = {
  people,
  ...large,
  /** How much more a person costs in the whole than in a tenth of it. */
  growth: {
    firstPlan: perPerson((day) => day.planSeconds, 'first'),
    secondPlan: perPerson((day) => day.planSeconds, 'second'),
  },
  peoplePerSecond: Math.round(people / large.first.planSeconds),
  memoryMb: Math.round(process.resourceUsage().maxRSS / 1024),
};
process.stdout.write(`${JSON.stringify(line)}\n`);
