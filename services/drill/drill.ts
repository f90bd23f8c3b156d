/** A whole drill: waves alone, and with `withLoad` as many beside a bulk load, in turns. */

import type { Connector } from '../../provisioning/target/contract.ts';
import type { KeycloakSession } from '../../provisioning/target/keycloak/session.ts';
import type { Manner } from '../../provisioning/target/pace/manner.ts';
import type { Site } from './browser.ts';
import type { Shown } from './capacity.ts';
import type { LoadReport } from './load.ts';
import { loadPrefix, removeLoadGroups, startLoad } from './load.ts';
import type { Measure, Phase } from './measure.ts';
import { percentilesOf, phases } from './measure.ts';
import { removePeople } from './people.ts';
import type { Shape } from './schedule.ts';
import type { WaveReport } from './wave.ts';
import { runWave } from './wave.ts';

export interface RoundReport extends WaveReport {
  /** Null: alone. */
  readonly load: LoadReport | null;
}

export interface Ratio {
  readonly phase: Phase;
  /** 95th percentile in ms over all waves alone, and over all beside the load. */
  readonly alone: number | null;
  readonly beside: number | null;
  /** Of these two; null when one is missing. */
  readonly ratio: number | null;
  /** The same of each round by itself. */
  readonly rounds: readonly (number | null)[];
}

export interface DrillReport {
  readonly waves: readonly RoundReport[];
  /** Empty without a load. */
  readonly ratios: readonly Ratio[];
}

interface Order {
  readonly session: KeycloakSession;
  readonly connector: Connector;
  readonly site: Site;
  readonly people: readonly string[];
  readonly password: string;
  readonly shape: Shape;
  /** Seconds of sign-ins before the first wave that are not counted: Java is slow when it is cold. */
  readonly warmUp: number;
  readonly withLoad: boolean;
  /** Of the load: `gentle` as in school hours, or `full`. */
  readonly manner: Manner;
  readonly rounds: number;
  readonly signal: AbortSignal;
  readonly onWave: (report: RoundReport) => void;
}

/** The people of a load are removed after its wave, also when the wave failed. */
export async function runDrill(p: Order): Promise<DrillReport> {
  const { rounds, shape, signal, warmUp, withLoad } = p;
  if (warmUp > 0) await runWave({ ...p, shape: { ...shape, ramp: 0, hold: warmUp } });
  const waves: RoundReport[] = [];
  const alone: Measure[] = [];
  const beside: Measure[] = [];
  for (let round = 0; round < rounds && !signal.aborted; round += 1) {
    // Who comes first changes, so that a server that warms up or fills up favours neither.
    const turns = withLoad ? (round % 2 === 0 ? [false, true] : [true, false]) : [false];
    for (const loaded of turns) {
      if (signal.aborted) break;
      const wave = { ...p, shape: { ...shape, seed: shape.seed + round } };
      const { measure, report } = loaded ? await runBeside(wave) : await runAlone(wave);
      (loaded ? beside : alone).push(measure);
      waves.push(report);
      p.onWave(report);
      if (report.end === 'gave-up') return { waves, ratios: [] };
    }
  }
  return { waves, ratios: withLoad && !signal.aborted ? compare({ alone, beside }) : [] };
}

async function runAlone(p: Order) {
  const { measure, report } = await runWave(p);
  return { measure, report: { ...report, load: null } };
}

async function runBeside(p: Order) {
  const name = `${Date.now().toString(36)}`;
  const load = await startLoad({ ...p, name });
  try {
    const { measure, report } = await runWave(p);
    return { measure, report: { ...report, load: await load.stop() } };
  } finally {
    // Twice does no harm; what is under way must be over before it is removed.
    await load.stop().catch(() => {});
    await removePeople({ ...p, prefix: loadPrefix });
    await removeLoadGroups(p.connector);
  }
}

export function compare(p: {
  readonly alone: readonly Measure[];
  readonly beside: readonly Measure[];
}): readonly Ratio[] {
  const p95 = (of: readonly Measure[], phase: Phase) =>
    percentilesOf(of.flatMap((measure) => measure.samples(phase))).p95;
  const over = (a: number | null, b: number | null) => (a === null || b === null ? null : b / a);
  return phases.map((phase) => {
    const alone = p95(p.alone, phase);
    const beside = p95(p.beside, phase);
    const rounds = p.alone.map((one, round) => {
      const other = p.beside[round];
      return over(p95([one], phase), other === undefined ? null : p95([other], phase));
    });
    return { phase, alone, beside, ratio: over(alone, beside), rounds };
  });
}

/** What the waves alone have shown of the server, as one. Null when there was none. */
export function shownBy(p: {
  readonly waves: readonly RoundReport[];
  readonly cores: number;
  /** The server runs on this machine, so that its processor time was seen. */
  readonly here: boolean;
}): Shown | null {
  const waves = p.waves.filter((wave) => wave.load === null && wave.end === 'done');
  const [first] = waves;
  if (first === undefined) return null;
  const mean = (of: (wave: RoundReport) => number) =>
    waves.reduce((sum, wave) => sum + of(wave), 0) / waves.length;
  const p95s = waves.map((wave) => wave.phases.find((one) => one.phase === 'sign-in')?.p95 ?? null);
  return {
    carried: mean((wave) => wave.carried),
    cores: p.cores,
    busyCores: p.here ? mean((wave) => wave.busyCores) : null,
    failedShare: mean((wave) => (wave.planned === 0 ? 1 : wave.failed / wave.planned)),
    signInP95: p95s.includes(null) ? null : Math.max(...p95s.map((value) => value ?? 0)),
  };
}
