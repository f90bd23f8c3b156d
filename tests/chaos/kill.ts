/**
 * `npm run -s chaos -- [--points 200] [--rows 100000] [--backend postgres|redis] [--seed 1] [--json]`:
 * kills, stops, restarts, cuts and flushes while a made-up municipality is brought to the stand-ins.
 *
 * Prints one line: points, rows, lost, doubled, stuck, seconds; without --json it also tells what
 * happens. Ends with 1 when something was lost, doubled or stuck, or a service ended by itself.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { runKills } from './kill/run.ts';

const { values } = parseArgs({
  options: {
    points: { type: 'string', default: '200' },
    rows: { type: 'string', default: '100000' },
    backend: { type: 'string', default: 'postgres' },
    seed: { type: 'string', default: '1' },
    json: { type: 'boolean', default: false },
  },
});
if (values.backend !== 'postgres' && values.backend !== 'redis') {
  process.stderr.write('Give --backend postgres or --backend redis.\n');
  process.exit(2);
}
const dir = mkdtempSync(join(tmpdir(), 'skolebus-kill-'));
try {
  const report = await runKills({
    dir,
    rows: Number(values.rows),
    points: Number(values.points),
    backend: values.backend,
    seed: Number(values.seed),
    tell: (line) => {
      if (!values.json) process.stderr.write(`${line}\n`);
    },
  });
  process.stdout.write(`${JSON.stringify(report)}\n`);
  const { lost, doubled, stuck, ended } = report;
  process.exitCode = lost + doubled + stuck + ended === 0 ? 0 : 1;
} finally {
  // What the services said tells why.
  if (process.exitCode === 0) rmSync(dir, { recursive: true, force: true });
  else process.stderr.write(`What the services said: ${join(dir, 'service-*.log')}\n`);
}
// Left to end by itself, Node 24.21 was twice seen to spin for ever in its own clean-up of connections.
process.exit();
