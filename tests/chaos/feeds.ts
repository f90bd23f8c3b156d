/**
 * `npm run -s chaos:feeds -- [--feeds 10000] [--seed 1]`: mutated feeds, each synced twice upon a good first
 * day. One line of JSON; ends with 1 when somebody lost what the feed did not truly take, when something
 * crashed, or when a second run planned anything. Examples of these go to standard error.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startEmbeddedPostgres } from '../../provisioning/store/embedded.ts';
import { proveFeeds } from '../feeds/prove.ts';

const { values } = parseArgs({
  options: {
    feeds: { type: 'string', default: '10000' },
    seed: { type: 'string', default: '1' },
  },
});
const dir = mkdtempSync(join(tmpdir(), 'skolebus-chaos-'));
const started = Date.now();
{
  await using postgres = await startEmbeddedPostgres({ dir });
  const proof = await proveFeeds({
    serverUrl: postgres.url,
    feeds: Number(values.feeds),
    seed: Number(values.seed),
    onProgress: (done) => {
      if (done % 500 === 0) process.stderr.write(`${done} feeds\n`);
    },
  });
  for (const one of [...proof.unearned, ...proof.crashes].slice(0, 500)) {
    process.stderr.write(`${one}\n`);
  }
  const line = {
    ...proof,
    unearned: proof.unearned.length,
    crashes: proof.crashes.length,
    seconds: Math.round((Date.now() - started) / 1000),
  };
  process.stdout.write(`${JSON.stringify(line)}\n`);
  process.exitCode = line.unearned + line.crashes === 0 ? 0 : 1;
}
rmSync(dir, { recursive: true, force: true });
