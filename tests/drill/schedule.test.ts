import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { planArrivals } from '../../services/drill/schedule.ts';

const shapes = fc.record({
  seed: fc.nat(),
  rate: fc.double({ min: 0.5, max: 200, noNaN: true }),
  ramp: fc.double({ min: 0, max: 60, noNaN: true }),
  hold: fc.double({ min: 1, max: 60, noNaN: true }),
  returnShare: fc.double({ min: 0, max: 1, noNaN: true }),
});

describe('arrivals', () => {
  test('come in order, within the wave, the same for the same seed', () => {
    fc.assert(
      fc.property(shapes, (shape) => {
        const arrivals = planArrivals(shape);
        expect(planArrivals(shape)).toEqual(arrivals);
        let before = 0;
        for (const { at, returnAfter } of arrivals) {
          expect(at).toBeGreaterThanOrEqual(before);
          expect(at).toBeLessThan(shape.ramp + shape.hold);
          if (returnAfter !== null) expect(returnAfter).toBeGreaterThanOrEqual(2);
          before = at;
        }
      }),
      { numRuns: 60 },
    );
  });

  test('are as many as the area under the rate says, within six standard deviations', () => {
    fc.assert(
      fc.property(shapes, (shape) => {
        const expected = shape.rate * (shape.ramp / 2 + shape.hold);
        const count = planArrivals(shape).length;
        expect(Math.abs(count - expected)).toBeLessThan(6 * Math.sqrt(expected) + 6);
      }),
      { numRuns: 60, seed: 1 },
    );
  });

  test('grow in a line: a quarter of the ramp comes in its first half', () => {
    const shape = { seed: 3, rate: 200, ramp: 100, hold: 1, returnShare: 0 };
    const ramp = planArrivals(shape).filter((one) => one.at < 100);
    const firstHalf = ramp.filter((one) => one.at < 50).length;
    expect(firstHalf / ramp.length).toBeGreaterThan(0.23);
    expect(firstHalf / ramp.length).toBeLessThan(0.27);
  });

  test('have the gaps of a Poisson process: as far apart on average as they scatter', () => {
    const shape = { seed: 5, rate: 100, ramp: 0, hold: 200, returnShare: 0.3 };
    const arrivals = planArrivals(shape);
    const gaps = arrivals.slice(1).map((one, n) => one.at - (arrivals[n]?.at ?? 0));
    const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length;
    const spread = Math.sqrt(gaps.reduce((sum, gap) => sum + (gap - mean) ** 2, 0) / gaps.length);
    expect(spread / mean).toBeGreaterThan(0.95);
    expect(spread / mean).toBeLessThan(1.05);
    const share = arrivals.filter((one) => one.returnAfter !== null).length / arrivals.length;
    expect(share).toBeGreaterThan(0.28);
    expect(share).toBeLessThan(0.32);
  });

  test('differ with the seed', () => {
    const shape = { rate: 5, ramp: 2, hold: 4, returnShare: 0.3 };
    expect(planArrivals({ ...shape, seed: 1 })).not.toEqual(planArrivals({ ...shape, seed: 2 }));
  });
});
