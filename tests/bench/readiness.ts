/**
 * `npm run -s bench -- readiness [--people 30000]`: how long it takes to say who is ready for the bell, with
 * all of a first load due, with half of it, with only courses and folders left, and with everything settled.
 *
 * Prints one line of JSON: people, rows, and for each state the middle one of five readings in ms, beside
 * how many miss something.
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
import { readReadiness } from '../../services/worker/readiness.ts';

const { values } = parseArgs({
  allowPositionals: true,
  options: { people: { type: 'string', default: '30000' } },
});
const people = Number(values.people);
const targets = new Map((['keycloak', 'nextcloud', 'moodle'] as const).map((one) => [one, one]));
const tenant = 'kommune';

/** What stands in the targets, as SQL on `resource`. */
const states = {
  due: 'false',
  half: `('x' || substr(md5(target || ref), 1, 4))::bit(16)::int < 32768`,
  places: `kind in ('account', 'group', 'category')`,
  settled: 'true',
};

const dir = mkdtempSync(join(tmpdir(), 'skolebus-readiness-'));
try {
  await generate({ out: join(dir, 'feed'), seed: 1, schools: Math.ceil(people / 500), people });
  await using postgres = await startEmbeddedPostgres({ dir: join(dir, 'postgres') });
  await migrate({ url: postgres.url });
  await using database = openDatabase({ url: postgres.url });
  await database.addTenant({ id: tenant, name: tenant });
  const base = { database, tenant, now: new Date() };
  const policy = parsePolicy(await readPolicyText(dir));
  const items = readFeed({ format: 'ws17', path: join(dir, 'feed', 'day1', 'ws17') });
  const { id: snapshotId, schoolYear } = await acceptSnapshot({ ...base, source: 'main', items });
  const wanted = { policy, targets, snapshotId, schoolYear, allowed: new Set<string>() };
  const plan = await makePlan({ ...base, ...wanted });
  const { committed } = await commitPlan({ ...base, planId: plan.id });

  const figures: Record<string, { readonly ms: number; readonly missing: number }> = {};
  for (const [name, stands] of Object.entries(states)) {
    await database.as(tenant, async (tx) => {
      await tx.execute(
        `update resource set state = case when ${stands} then 'settled' else 'due' end,
                applied = case when ${stands} then desired end`,
      );
      await tx.execute('analyze resource');
    });
    const times: number[] = [];
    let missing = 0;
    for (let n = 0; n < 5; n += 1) {
      const started = performance.now();
      const now = new Date();
      ({ missing } = await readReadiness({ ...base, calendar: policy.calendar, now }));
      times.push(performance.now() - started);
    }
    figures[name] = { ms: Math.round(times.sort((a, b) => a - b)[2] ?? 0), missing };
  }
  process.stdout.write(`${JSON.stringify({ people, rows: committed, ...figures })}\n`);
} finally {
  rmSync(dir, { recursive: true, force: true });
}
