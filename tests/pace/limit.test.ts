import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  firstLimit,
  type LimitSample,
  type LimitState,
  nextLimit,
} from '../../provisioning/target/pace/limit.ts';
import { openServerModel, serveRound } from './server-model.ts';

const cap = 12;
const at = (limit: number, more: Partial<LimitState> = {}): LimitState => ({
  ...firstLimit(),
  limit,
  doubling: false,
  ...more,
});
const call = (more: Partial<LimitSample> = {}): LimitSample => ({
  startedAt: 100,
  endedAt: 110,
  together: 12,
  state: 'done',
  slowdown: 1,
  ...more,
});
const run = (state: LimitState, samples: readonly LimitSample[]): LimitState =>
  samples.reduce((now, sample) => nextLimit({ state: now, sample, cap }), state);
const times = (count: number, sample: LimitSample) => Array.from({ length: count }, () => sample);

describe('one step of the limit', () => {
  it.each([
    ['starts with one call at a time', firstLimit(), [], 1],
    ['doubles with the first quiet rounds', firstLimit(), times(5, call()), 2],
    ['and doubles again', firstLimit(), times(10, call()), 4],
    ['adds one after that', at(4), times(5, call()), 5],
    ['waits for a whole round', at(8), times(7, call()), 8],
    ['which is as long as the limit', at(8), times(8, call()), 9],
    ['and never shorter than five', at(2), times(4, call()), 2],
    ['stops at the cap', at(11.5), times(12, call()), 12],
    ['keeps up a latency that is well for a cap', at(4), times(5, call({ slowdown: 2 })), 5],
    ['eases off when a round is slow', at(8), times(8, call({ slowdown: 4 })), 6],
    ['from what was really under way', at(12), times(12, call({ slowdown: 4, together: 2 })), 1.5],
    ['minds no single call that hangs', at(2), [call({ slowdown: 99 }), ...times(4, call())], 3],
    ['halves at once when the server is overloaded', at(8), [call({ state: 'overload' })], 4],
    ['never goes below one', at(1), times(5, call({ slowdown: 50 })), 1],
    ['not even by overload', at(1.2), [call({ state: 'overload', together: 1 })], 1],
    ['reacts once to a crowd that is refused', at(12), times(12, call({ state: 'overload' })), 6],
  ] as const)('%s', (_title, state, samples, limit) => {
    expect(run(state, samples).limit).toBe(limit);
  });

  it('learns nothing from calls that began before it fell', () => {
    const fallen = run(at(8), [call({ state: 'overload', endedAt: 200 })]);
    const late = times(20, call({ startedAt: 199, endedAt: 300, slowdown: 9 }));

    expect(run(fallen, late)).toEqual(fallen);
    expect(run(fallen, times(5, call({ startedAt: 200, endedAt: 300 }))).limit).toBe(5);
  });

  it('stays within one and the cap, whatever happens', () => {
    const sample = fc.record({
      startedAt: fc.integer({ min: 0, max: 1000 }),
      endedAt: fc.integer({ min: 0, max: 2000 }),
      together: fc.integer({ min: 1, max: 40 }),
      state: fc.constantFrom('done', 'overload'),
      slowdown: fc.double({ min: 0, max: 1e6, noNaN: true }),
    });
    fc.assert(
      fc.property(
        fc.array(sample, { maxLength: 200 }),
        fc.integer({ min: 1, max: 40 }),
        (all, most) => {
          let state = firstLimit();
          for (const one of all) {
            const before = state.limit;
            const fresh = one.startedAt >= state.fellAt;
            state = nextLimit({ state, sample: one, cap: most });
            if (!(state.limit >= 1 && state.limit <= most)) return false;
            if (one.state === 'overload' && fresh && state.limit > Math.max(1, before / 2))
              return false;
          }
          return true;
        },
      ),
    );
  });
});

/** Servers that bear their cap: calls take at most twice as long there as alone. */
const healthy = fc.integer({ min: 1, max: 16 }).chain((most) =>
  fc.record({
    cap: fc.constant(most),
    cores: fc.double({ min: most / 2, max: 2 * most, noNaN: true }),
    serviceMs: fc.integer({ min: 20, max: 2000 }),
    seed: fc.integer(),
  }),
);

function noiseOf(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) | 0;
    return state / 2 ** 31;
  };
}

describe('a server with one client that always has work', () => {
  it('is used up to the cap, is eased when it slows down, and is used up to the cap again', () => {
    fc.assert(
      fc.property(
        healthy,
        fc.double({ min: 4.5, max: 20, noNaN: true }),
        fc.integer({ min: 1, max: 2000 }),
        ({ seed, ...server }, slower, hardRounds) => {
          const model = openServerModel();
          const noise = noiseOf(seed);
          const round = (more: { slower?: number } = {}) =>
            serveRound({ model, ...server, noise, ...more });
          for (let n = 0; n < 100; n += 1) round();
          expect(model.limit.limit).toBe(server.cap);

          let lowest = server.cap;
          for (let n = 0; n < 60; n += 1) {
            round({ slower });
            lowest = Math.min(lowest, Math.floor(model.limit.limit));
          }
          expect(lowest).toBe(1);
          for (let n = 0; n < hardRounds; n += 1) round({ slower });

          for (let n = 0; n < 100; n += 1) round();
          expect(model.limit.limit).toBe(server.cap);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('is never held at one call for more than three minutes by slowness alone', () => {
    fc.assert(
      fc.property(healthy, fc.double({ min: 0, max: 1, noNaN: true }), (given, hard) => {
        const { seed, ...server } = given;
        fc.pre(server.cap > 1);
        // Up to a thousand times slower, but no call that ends after more than half a minute.
        const slower = Math.min(1000, 20_000 / server.serviceMs) ** hard;
        const model = openServerModel();
        const noise = noiseOf(seed);
        for (let n = 0; n < 100; n += 1) serveRound({ model, ...server, noise });
        let oneSince = model.now;
        for (let n = 0; n < 2000; n += 1) {
          serveRound({ model, ...server, noise, slower });
          if (model.limit.limit >= 2) oneSince = model.now;
          // And the two rounds of five that are under way then.
          const roundMs = 5 * server.serviceMs * slower;
          expect(model.now - oneSince).toBeLessThan(180_000 + 2 * roundMs);
        }
      }),
      { numRuns: 20 },
    );
  });

  it('gets one call at a time while it refuses, and all of them when it serves again', () => {
    const model = openServerModel();
    const server = { model, cap: 12, serviceMs: 50, cores: 12 };
    for (let n = 0; n < 50; n += 1) serveRound(server);
    for (let n = 0; n < 10; n += 1) serveRound({ ...server, refused: true });
    expect(model.limit.limit).toBe(1);
    for (let n = 0; n < 60; n += 1) serveRound(server);
    expect(model.limit.limit).toBe(12);
  });

  it('of one core gets two or three calls at a time, and not the twelve that it could take', () => {
    const model = openServerModel();
    const seen: number[] = [];
    for (let n = 0; n < 400; n += 1) {
      serveRound({ model, cap: 12, serviceMs: 50, cores: 1 });
      if (n > 100) seen.push(Math.floor(model.limit.limit));
    }
    expect(Math.max(...seen)).toBeLessThanOrEqual(3);
    expect(seen.reduce((sum, one) => sum + one, 0) / seen.length).toBeGreaterThan(1.3);
  });
});
