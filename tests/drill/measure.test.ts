import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { judgeCapacity } from '../../services/drill/capacity.ts';
import { describeCapacity } from '../../services/drill/describe.ts';
import { compare } from '../../services/drill/drill.ts';
import { openMeasure, percentileOf, percentilesOf } from '../../services/drill/measure.ts';

describe('percentiles', () => {
  test('are values that were seen, by nearest rank', () => {
    const hundred = Array.from({ length: 100 }, (_, n) => 100 - n);
    expect(percentilesOf(hundred)).toEqual({ p50: 50, p95: 95, p99: 99 });
    expect(percentilesOf([7])).toEqual({ p50: 7, p95: 7, p99: 7 });
    expect(percentilesOf([])).toEqual({ p50: null, p95: null, p99: null });
  });

  test('leave no more than the rest above them, and no fewer than so many at or below', () => {
    const values = fc.array(fc.double({ min: 0, max: 1e6, noNaN: true }), { minLength: 1 });
    fc.assert(
      fc.property(values, fc.integer({ min: 1, max: 100 }), (samples, percent) => {
        const sorted = [...samples].sort((a, b) => a - b);
        const value = percentileOf({ sorted, percent }) ?? Number.NaN;
        const share = (test: (one: number) => boolean) =>
          sorted.filter(test).length / sorted.length;
        expect(share((one) => one <= value) * 100).toBeGreaterThanOrEqual(percent - 1e-9);
        expect(share((one) => one > value) * 100).toBeLessThanOrEqual(100 - percent + 1e-9);
      }),
    );
  });
});

test('failures are counted by phase and cause, latencies of the others stay', () => {
  const measure = openMeasure();
  measure.took('token', 12);
  measure.failed('token', 'busy');
  measure.failed('token', 'timeout');
  measure.failed('token', 'busy');
  const token = measure.report().find((one) => one.phase === 'token');
  expect(token).toEqual({
    phase: 'token',
    count: 1,
    p50: 12,
    p95: 12,
    p99: 12,
    failed: 3,
    causes: { busy: 2, timeout: 1 },
  });
});

test('a ratio is of all waves together and of each round by itself', () => {
  const wave = (ms: readonly number[]) => {
    const measure = openMeasure();
    for (const one of ms) measure.took('sign-in', one);
    return measure;
  };
  const ratios = compare({ alone: [wave([100]), wave([200])], beside: [wave([110]), wave([180])] });
  expect(ratios.find((one) => one.phase === 'sign-in')).toMatchObject({
    alone: 200,
    beside: 180,
    ratio: 0.9,
    rounds: [1.1, 0.9],
  });
  expect(ratios.find((one) => one.phase === 'token')).toMatchObject({
    ratio: null,
    rounds: [null, null],
  });
});

describe('capacity', () => {
  const good = { carried: 20, cores: 4, busyCores: 2, failedShare: 0, signInP95: 300 };

  test("is the maintainers' own example: 100,000 people are 278 sign-ins a second", () => {
    const { needed, peak } = judgeCapacity({ heads: 100_000, shown: good });
    expect(peak).toBeCloseTo(277.8, 1);
    expect(needed).toBeCloseTo(694.4, 1);
  });

  test('is enough when the busy cores, taken for all, carry the peak with its head room', () => {
    // 10/s per core, 40/s in all: 5,760 people need exactly that.
    expect(judgeCapacity({ heads: 5760, shown: good })).toMatchObject({
      perCore: 10,
      estimate: 40,
      answer: 'enough',
      coresNeeded: 4,
    });
    expect(judgeCapacity({ heads: 5761, shown: good })).toMatchObject({
      answer: 'not-enough',
      why: 'too-few-cores',
      coresNeeded: 5,
    });
  });

  test('of a machine that nobody looks into is no more than what it carried', () => {
    const remote = { ...good, busyCores: null };
    const judged = judgeCapacity({ heads: 5760, shown: remote });
    expect(judged).toMatchObject({ perCore: 5, estimate: 20, why: 'shown-too-little' });
    expect(describeCapacity(judged)).toContain('--rate 40');
    expect(judgeCapacity({ heads: 2880, shown: remote }).answer).toBe('enough');
  });

  test.each([{ failedShare: 0.02 }, { signInP95: 2500 }, { signInP95: null }])(
    'is none where the wave did not go well: %o',
    (bad) => {
      expect(judgeCapacity({ heads: 1, shown: { ...good, ...bad } })).toMatchObject({
        answer: 'not-enough',
        why: 'wave-failed',
      });
    },
  );

  test('says that it does not know where nobody got in', () => {
    const shown = { ...good, carried: 0, signInP95: null };
    expect(judgeCapacity({ heads: 10, shown })).toMatchObject({ perCore: 0, coresNeeded: null });
  });
});
