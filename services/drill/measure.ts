/** What a wave has seen, phase by phase. */

/**
 * `sign-in` is the whole way from the planned arrival to the token; the others are its parts. `token`
 * counts those of returning browsers too.
 */
export const phases = ['login-page', 'form-post', 'token', 'sign-in', 'sso-return'] as const;
export type Phase = (typeof phases)[number];

/** Stable: what people may build alarms on. */
export type Cause =
  | 'no-connection'
  | 'connection-lost'
  | 'timeout'
  | 'busy'
  | 'server-error'
  | 'unexpected-status'
  | 'no-form'
  | 'wrong-credentials'
  | 'required-action'
  | 'refused'
  | 'wrong-state'
  | 'asked-again'
  | 'bad-token'
  | 'no-person-free';

export interface PhaseReport {
  readonly phase: Phase;
  readonly count: number;
  /** Milliseconds; null when nothing was measured. */
  readonly p50: number | null;
  readonly p95: number | null;
  readonly p99: number | null;
  readonly failed: number;
  readonly causes: Readonly<Partial<Record<Cause, number>>>;
}

export interface Measure {
  took(phase: Phase, ms: number): void;
  failed(phase: Phase, cause: Cause): void;
  report(): readonly PhaseReport[];
  /** The latencies of one phase in ms, in the order in which they ended. */
  samples(phase: Phase): readonly number[];
}

export function openMeasure(): Measure {
  const samples = new Map<Phase, number[]>(phases.map((phase) => [phase, []]));
  const causes = new Map<Phase, Map<Cause, number>>(phases.map((phase) => [phase, new Map()]));
  return {
    took(phase, ms) {
      samples.get(phase)?.push(ms);
    },
    failed(phase, cause) {
      const of = causes.get(phase);
      of?.set(cause, (of.get(cause) ?? 0) + 1);
    },
    samples: (phase) => samples.get(phase) ?? [],
    report: () =>
      phases.map((phase) => {
        const all = samples.get(phase) ?? [];
        const failures = [...(causes.get(phase) ?? [])];
        return {
          phase,
          count: all.length,
          ...percentilesOf(all),
          failed: failures.reduce((sum, [, n]) => sum + n, 0),
          causes: Object.fromEntries(failures.sort(([a], [b]) => (a < b ? -1 : 1))),
        };
      }),
  };
}

export function percentilesOf(
  samples: readonly number[],
): Pick<PhaseReport, 'p50' | 'p95' | 'p99'> {
  const sorted = [...samples].sort((a, b) => a - b);
  return {
    p50: percentileOf({ sorted, percent: 50 }),
    p95: percentileOf({ sorted, percent: 95 }),
    p99: percentileOf({ sorted, percent: 99 }),
  };
}

/** Nearest rank: the smallest value that at least so many percent are not above. Null for none. */
export function percentileOf(p: {
  /** Ascending. */
  readonly sorted: readonly number[];
  readonly percent: number;
}): number | null {
  const rank = Math.ceil((p.percent / 100) * p.sorted.length);
  return p.sorted[Math.max(rank, 1) - 1] ?? null;
}
