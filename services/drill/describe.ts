/** A drill in words. Pure. */

import type { Capacity } from './capacity.ts';
import { peakFactor, worstFailedShare, worstSignInMs } from './capacity.ts';
import type { Ratio, RoundReport } from './drill.ts';
import type { PhaseReport } from './measure.ts';

type Row = readonly (string | number)[];

/** Rows of a table, the heads first. */
export function phaseRows(phases: readonly PhaseReport[]): readonly Row[] {
  const heads = ['phase', 'count', 'failed', 'p50 ms', 'p95 ms', 'p99 ms', 'causes'];
  const rows = phases.map((one) => [
    one.phase,
    one.count,
    one.failed,
    ...[one.p50, one.p95, one.p99].map(inMs),
    Object.entries(one.causes)
      .map(([cause, n]) => `${cause} ${n}`)
      .join(', '),
  ]);
  return [heads, ...rows];
}

export function ratioRows(ratios: readonly Ratio[]): readonly Row[] {
  const heads = ['phase', 'p95 alone', 'p95 beside', 'ratio', 'ratio of each round'];
  const rows = ratios.map((one) => [
    one.phase,
    inMs(one.alone),
    inMs(one.beside),
    inRatio(one.ratio),
    one.rounds.map(inRatio).join(' '),
  ]);
  return [heads, ...rows];
}

function inMs(ms: number | null): string | number {
  return ms === null ? '-' : Math.round(ms);
}

function inRatio(ratio: number | null): string {
  return ratio === null ? '-' : ratio.toFixed(2);
}

export function describeWave(wave: RoundReport): string {
  const place =
    wave.load === null
      ? 'alone'
      : `beside a load of ${wave.load.rate.toFixed(1)} accounts/s made or removed (${wave.load.rows} in all${describeFailures(wave.load.failures)})`;
  const ends = {
    done: '',
    stopped: ' Stopped before its end.',
    'gave-up': ' Given up: everybody was turned away.',
  };
  return [
    `Wave ${place}: ${wave.planned} planned, ${wave.signedIn} signed in, ${wave.failed} failed;`,
    `${wave.carried.toFixed(1)}/s while held; ${wave.busyCores.toFixed(1)} cores of this machine busy;`,
    `this command late by ${wave.latenessP99.toFixed(0)} ms at most for 99 %.${ends[wave.end]}`,
  ].join(' ');
}

function describeFailures(failures: Readonly<Record<string, number>>): string {
  const all = Object.entries(failures);
  return all.length === 0 ? '' : `; not taken: ${all.map(([c, n]) => `${c} ${n}`).join(', ')}`;
}

export function describeCapacity(capacity: Capacity): string {
  const { answer, cores, coresNeeded, estimate, heads, needed, peak, perCore, why } = capacity;
  const reasons: Readonly<Record<Capacity['why'], string>> = {
    carries: 'Enough.',
    'wave-failed': `Not enough: more than ${worstFailedShare * 100} % failed, or the 95th percentile of a sign-in is above ${worstSignInMs} ms, already at this rate.`,
    'too-few-cores': `Not enough: ${coresNeeded} cores like these are needed.`,
    'shown-too-little': `Not shown to be enough: nothing broke, but the wave was too small. Drill again with --rate ${Math.ceil(needed)}.`,
  };
  return [
    `Capacity for ${heads} people: if all sign in within an hour and the busiest seconds see ${peakFactor} times the average,`,
    `${peak.toFixed(1)} sign-ins/s come at the peak, ${needed.toFixed(1)}/s with 150 % of head room.`,
    `Seen: ${perCore.toFixed(1)}/s per ${why === 'shown-too-little' ? 'core at least' : 'core'}, so ${estimate.toFixed(1)}/s on ${cores} cores. ${reasons[why]}`,
    ...(answer === 'enough' && coresNeeded !== null ? [`(${coresNeeded} would do.)`] : []),
  ].join(' ');
}
