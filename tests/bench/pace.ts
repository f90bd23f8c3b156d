/**
 * `npm run -s bench -- pace`: a server on loopback that does two requests at a time, each in 20 ms, and lets
 * the others wait in line; midway it becomes half as fast. Writers that always have work send all they can
 * through a pace, twelve at a time, or one at a time, while somebody uses the same server with a small
 * request now and then. One line of JSON: what was written per second, and how long the user waited (p95),
 * on the good and on the bad half, each after a second in which the change may be noticed. Ends with 1 when, on the bad half, the pace does not leave the user at
 * most half of the wait that twelve at a time mean, or writes less than 0.9 of the best. Takes 30 s.
 */

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import pLimit from 'p-limit';
import { Agent, request } from 'undici';
import { openPace } from '../../provisioning/target/pace/pace.ts';

const cap = 12;
const atOnce = 2;
const writeMs = 20;
const useMs = 4;
/** So long a change may take to be noticed, before it counts. */
const noticeMs = 1000;
const halfMs = 3800;

let slower = 1;
const slots = pLimit(atOnce);
const server = createServer((incoming, response) => {
  const ms = incoming.url === '/use' ? useMs : writeMs;
  void slots(() => sleep(ms * slower)).then(() => response.end('{}'));
});
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

type Send = () => Promise<void>;
type Limit = (send: Send) => Promise<void>;

async function ask(agent: Agent, path: string): Promise<void> {
  const answer = await request(`${url}${path}`, { dispatcher: agent, method: 'POST' });
  await answer.body.dump();
}

interface Half {
  readonly perSecond: number;
  readonly userP95Ms: number;
}

/** Both halves of one way to write. */
async function measure(limit: Limit): Promise<readonly [good: Half, bad: Half]> {
  const writing = new Agent({ connections: cap });
  const using = new Agent({ connections: 16 });
  const stop = new AbortController();
  let written = 0;
  async function keepWriting(): Promise<void> {
    while (!stop.signal.aborted) {
      await limit(() => ask(writing, '/write'));
      written += 1;
    }
  }
  const writers = Array.from({ length: 2 * cap }, keepWriting);
  async function half(factor: number): Promise<Half> {
    slower = factor;
    await sleep(noticeMs);
    const before = written;
    const began = performance.now();
    const waits: Promise<number>[] = [];
    while (performance.now() - began < halfMs) {
      waits.push(timed(() => ask(using, '/use')));
      await sleep(41);
    }
    const seconds = (performance.now() - began) / 1000;
    const perSecond = Math.round((10 * (written - before)) / seconds) / 10;
    return { perSecond, userP95Ms: percentile(await Promise.all(waits), 0.95) };
  }
  const good = await half(1);
  const bad = await half(2);
  stop.abort();
  await Promise.all(writers);
  slower = 1;
  await writing.close();
  await using.close();
  return [good, bad];
}

async function timed(send: Send): Promise<number> {
  const began = performance.now();
  await send();
  return performance.now() - began;
}

function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return Math.round(sorted[Math.ceil(share * sorted.length) - 1] ?? 0);
}

const pace = openPace({ cap });
const [good, bad] = await measure((work) =>
  pace.run({ kind: 'write', work, judge: () => ({ state: 'done' }) }),
);
const [fullGood, fullBad] = await measure(pLimit(cap));
const [oneGood, oneBad] = await measure(pLimit(1));
server.close();

const best = Math.max(bad.perSecond, fullBad.perSecond, oneBad.perSecond);
const ofBest = Math.round((100 * bad.perSecond) / best) / 100;
const wait = Math.round((100 * bad.userP95Ms) / fullBad.userP95Ms) / 100;
process.stdout.write(
  `${JSON.stringify({
    pace: { good, bad, limit: pace.state().limit },
    twelve: { good: fullGood, bad: fullBad },
    one: { good: oneGood, bad: oneBad },
    throughputOfBest: ofBest,
    waitOfTwelve: wait,
  })}\n`,
);
process.exitCode = ofBest >= 0.9 && wait <= 0.5 ? 0 : 1;
