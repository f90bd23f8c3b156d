import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Baseline,
  type Latency,
  nextBaseline,
  slowdownOf,
} from '../../provisioning/target/pace/baseline.ts';

const known = (more: Partial<Baseline> = {}): Baseline => ({
  aloneMs: 100,
  smoothMs: 100,
  lone: [],
  at: 0,
  ...more,
});

function after(baseline: Baseline | null, latencies: readonly Latency[]): Baseline {
  let now = baseline;
  for (const latency of latencies) now = nextBaseline({ baseline: now, latency });
  if (now === null) throw new Error('no latency');
  return now;
}

/** A call each second. */
const seconds = (count: number, latencyMs: number, alone: boolean): readonly Latency[] =>
  Array.from({ length: count }, (_, n) => ({ latencyMs, alone, at: 1000 * (n + 1) }));

describe('what a lone call takes', () => {
  it('is the first one, until more is known', () => {
    expect(after(null, seconds(1, 80, false))).toEqual({
      aloneMs: 80,
      smoothMs: 80,
      lone: [],
      at: 1000,
    });
  });

  it.each([
    ['follows a faster server down', known(), seconds(60, 20, false), 20, 21],
    ['believes lone calls sooner', known({ lone: [100] }), seconds(3, 20, true), 20, 20],
    ['but not one of them', known({ lone: [100, 100] }), seconds(1, 0, true), 90, 90],
    ['finds the crowd that it began with', known(), seconds(1, 20, true), 20, 20],
    ['does not rise while we may be in our own way', known(), seconds(600, 900, false), 100, 100],
    ['rises slowly while we are not', known(), seconds(30, 900, true), 170, 180],
    ['within minutes to what is new for good', known(), seconds(180, 900, true), 360, 470],
    [
      'counts a pause as half a minute',
      known(),
      [{ latencyMs: 900, alone: true, at: 9e9 }],
      176,
      177,
    ],
  ] as const)('%s', (_title, baseline, latencies, least, most) => {
    const { aloneMs } = after(baseline, latencies);

    expect(aloneMs).toBeGreaterThanOrEqual(least);
    expect(aloneMs).toBeLessThanOrEqual(most);
  });

  it('never leaves what was measured', () => {
    const latency = fc.record({
      latencyMs: fc.double({ min: 0, max: 1e6, noNaN: true }),
      alone: fc.boolean(),
      at: fc.integer({ min: 0, max: 1e9 }),
    });
    fc.assert(
      fc.property(fc.array(latency, { minLength: 1 }), (all) => {
        const { aloneMs } = after(null, all);
        const measured = all.map((one) => one.latencyMs);
        return aloneMs >= Math.min(...measured) - 1e-6 && aloneMs <= Math.max(...measured) + 1e-6;
      }),
    );
  });
});

describe('a slowdown', () => {
  it.each([
    ['is one for a lone call', 100, 100, 1],
    ['is how many times as long it took', 100, 350, 3.5],
    ['is none among answers of a few milliseconds', 1, 10, 1],
  ])('%s', (_title, aloneMs, latencyMs, slowdown) => {
    expect(slowdownOf({ baseline: known({ aloneMs }), latencyMs })).toBe(slowdown);
  });
});
