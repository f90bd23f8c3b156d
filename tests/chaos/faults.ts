/**
 * `npm run -s chaos:faults -- [--people 6000] [--rate 0.01] [--seed 1]`: one line of JSON; ends with 1
 * when something is wrong, doubled or half-made.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startEmbeddedPostgres } from '../../provisioning/store/embedded.ts';
import { migrate } from '../../provisioning/store/migrate.ts';
import { loadFaultyTargets } from './faulty-targets.ts';

const { values } = parseArgs({
  options: {
    people: { type: 'string', default: '6000' },
    rate: { type: 'string', default: '0.01' },
    seed: { type: 'string', default: '1' },
  },
});
const dir = mkdtempSync(join(tmpdir(), 'skolebus-chaos-'));
const people = Number(values.people);
{
  await using postgres = await startEmbeddedPostgres({ dir });
  await migrate({ url: postgres.url });
  const report = await loadFaultyTargets({
    databaseUrl: postgres.url,
    schools: Math.max(1, Math.round(people / 500)),
    people,
    rate: Number(values.rate),
    seed: Number(values.seed),
  });
  process.stdout.write(`${JSON.stringify(report)}\n`);
  process.exitCode = report.wrong + report.doubled + report.halfMade === 0 ? 0 : 1;
}
rmSync(dir, { recursive: true, force: true });
