/** One wave of sign-ins: arrivals come when planned, whatever the server does with those before. */

import { cpus } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Site } from './browser.ts';
import { BrowserFailure, openBrowser } from './browser.ts';
import type { Measure, Phase, PhaseReport } from './measure.ts';
import { openMeasure, percentileOf } from './measure.ts';
import type { Arrival, Shape } from './schedule.ts';
import { planArrivals } from './schedule.ts';

export interface WaveReport {
  readonly planned: number;
  /** Arrivals that got in. */
  readonly signedIn: number;
  readonly failed: number;
  /** Sign-ins per second that ended while the rate was held. */
  readonly carried: number;
  /** Cores of this machine that were busy meanwhile, by the server, this command and all else. */
  readonly busyCores: number;
  /** How late this command itself was with its arrivals, in ms: it is part of the latencies. */
  readonly latenessP99: number;
  readonly phases: readonly PhaseReport[];
  /** `gave-up`: too many failures in a row. */
  readonly end: 'done' | 'gave-up' | 'stopped';
}

/** So many failures in a row are no load any more, but a door that is shut. */
const giveUpAfter = 100;

interface Running {
  readonly site: Site;
  readonly password: string;
  /** People who are nowhere in the wave; the one that rested longest comes next. */
  readonly free: string[];
  readonly measure: Measure;
  /** Milliseconds of the monotonic clock at which somebody got in. */
  readonly signedInAt: number[];
  failed: number;
  failedInRow: number;
  /** What was thrown that is nothing a server does: a defect of ours. */
  defect: unknown;
}

/**
 * Latencies count from the planned arrival, so that a server that stalls is charged for everybody who
 * came meanwhile. `people` must be more than are ever under way: an arrival for whom nobody is free
 * counts as failed. An abort lets those under way come to their end.
 */
export async function runWave(p: {
  readonly shape: Shape;
  readonly site: Site;
  readonly people: readonly string[];
  readonly password: string;
  readonly signal: AbortSignal;
}): Promise<{ readonly report: WaveReport; readonly measure: Measure }> {
  const { hold, ramp } = p.shape;
  const arrivals = planArrivals(p.shape);
  const run: Running = {
    site: p.site,
    password: p.password,
    free: [...p.people],
    measure: openMeasure(),
    signedInAt: [],
    failed: 0,
    failedInRow: 0,
    defect: null,
  };
  const lateness: number[] = [];
  const underWay = new Set<Promise<void>>();
  const started = performance.now();
  const busy = watchProcessor({
    from: started + ramp * 1000,
    until: started + (ramp + hold) * 1000,
  });
  let end: WaveReport['end'] = 'done';
  for (const arrival of arrivals) {
    const planned = started + arrival.at * 1000;
    await waitUntil({ at: planned, signal: p.signal });
    if (p.signal.aborted) end = 'stopped';
    else if (run.failedInRow >= giveUpAfter) end = 'gave-up';
    if (end !== 'done') break;
    lateness.push(performance.now() - planned);
    if (run.defect !== null) break;
    const visit = visitAs({ run, arrival, planned })
      .catch((error: unknown) => {
        run.defect ??= error;
      })
      .finally(() => underWay.delete(visit));
    underWay.add(visit);
  }
  await Promise.all(underWay);
  if (run.defect !== null) throw run.defect;
  const held = run.signedInAt.filter((at) => {
    const second = (at - started) / 1000;
    return second >= ramp && second < ramp + hold;
  });
  lateness.sort((a, b) => a - b);
  const report: WaveReport = {
    planned: arrivals.length,
    signedIn: run.signedInAt.length,
    failed: run.failed,
    carried: held.length / hold,
    busyCores: busy(),
    latenessP99: percentileOf({ sorted: lateness, percent: 99 }) ?? 0,
    phases: run.measure.report(),
    end,
  };
  return { report, measure: run.measure };
}

/** Never rejects for what the server does; a person is free again when the browser is closed. */
async function visitAs(p: {
  readonly run: Running;
  readonly arrival: Arrival;
  readonly planned: number;
}): Promise<void> {
  const { arrival, planned, run } = p;
  const username = run.free.shift();
  if (username === undefined) {
    fail({ run, phase: 'login-page', cause: 'no-person-free' });
    return;
  }
  const [first, second] = run.site.applications;
  const { password } = run;
  let phase: Phase = 'login-page';
  try {
    await using browser = openBrowser(run.site);
    const page = await browser.openLoginPage(first);
    let at = lap({ run, phase, since: planned });
    phase = 'form-post';
    const code = await browser.postForm({ ...page, username, password });
    at = lap({ run, phase, since: at });
    phase = 'token';
    await browser.takeToken({ ticket: page.ticket, code });
    at = lap({ run, phase, since: at });
    run.measure.took('sign-in', at - planned);
    run.signedInAt.push(at);
    run.failedInRow = 0;
    if (arrival.returnAfter === null) return;
    phase = 'sso-return';
    const back = at + arrival.returnAfter * 1000;
    await waitUntil({ at: back, signal: null });
    const again = await browser.comeBack(second);
    at = lap({ run, phase, since: back });
    phase = 'token';
    await browser.takeToken(again);
    lap({ run, phase, since: at });
  } catch (error) {
    if (!(error instanceof BrowserFailure)) throw error;
    fail({ run, phase, cause: error.code });
  } finally {
    run.free.push(username);
  }
}

function lap(p: { readonly run: Running; readonly phase: Phase; readonly since: number }): number {
  const now = performance.now();
  p.run.measure.took(p.phase, now - p.since);
  return now;
}

function fail(p: {
  readonly run: Running;
  readonly phase: Phase;
  readonly cause: BrowserFailure['code'];
}): void {
  p.run.measure.failed(p.phase, p.cause);
  p.run.failed += 1;
  p.run.failedInRow += 1;
}

async function waitUntil(p: {
  /** Milliseconds of the monotonic clock. */
  readonly at: number;
  readonly signal: AbortSignal | null;
}): Promise<void> {
  const ms = p.at - performance.now();
  if (ms <= 0 || p.signal?.aborted === true) return;
  // An abort ends the waiting; what follows looks at the signal itself.
  await sleep(ms, undefined, p.signal === null ? {} : { signal: p.signal }).catch(() => {});
}

/** Gives the cores that were busy from one moment to another, on average. */
function watchProcessor(p: { readonly from: number; readonly until: number }): () => number {
  const read = () =>
    cpus().reduce(
      (sum, { times }) => {
        const all = times.user + times.nice + times.sys + times.irq + times.idle;
        return { all: sum.all + all, idle: sum.idle + times.idle };
      },
      { all: 0, idle: 0 },
    );
  const later = (at: number) => Math.max(0, at - performance.now());
  let before = read();
  let after: ReturnType<typeof read> | null = null;
  const timers = [
    setTimeout(() => {
      before = read();
    }, later(p.from)),
    setTimeout(() => {
      after = read();
    }, later(p.until)),
  ];
  return () => {
    for (const timer of timers) clearTimeout(timer);
    const last = after ?? read();
    const all = last.all - before.all;
    return all === 0 ? 0 : ((all - (last.idle - before.idle)) / all) * cpus().length;
  };
}
