/** The short version of `npm run chaos`: as its users start it. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { whyNoRedis } from '../support/redis.ts';

const main = fileURLToPath(new URL('../chaos/kill.ts', import.meta.url));
const run = promisify(execFile);

describe.each(['postgres', 'redis'])('kills, cuts and flushes with the queue on %s', (backend) => {
  it('lose nothing, double nothing and leave nothing stuck', async (context) => {
    const why = backend === 'redis' ? whyNoRedis() : null;
    if (why !== null) context.skip(why);
    const options = ['--points', '8', '--rows', '600', '--backend', backend, '--json'];
    const { stdout } = await run(process.execPath, [main, ...options]);
    const report = JSON.parse(stdout) as Record<string, unknown>;
    expect(report).toMatchObject({ points: 8, lost: 0, doubled: 0, stuck: 0, ended: 0, found: [] });
    expect(report['rows']).toBeGreaterThan(500);
  }, 300_000);
});
