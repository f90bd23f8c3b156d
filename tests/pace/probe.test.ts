import { describe, expect, it } from 'vitest';
import { openMeter } from '../../provisioning/target/pace/meter.ts';
import { afterLoneCall, dueProbe, firstProbe } from '../../provisioning/target/pace/probe.ts';

const started = dueProbe({ probe: firstProbe(0), now: 10_000 });

function after(calls: number, eachMs: number) {
  let probe = started;
  for (let n = 1; n <= calls; n += 1) {
    probe = afterLoneCall({ probe, now: 10_000 + n * eachMs });
  }
  return probe;
}

describe('a few lone calls now and then', () => {
  it.each([
    ['not at once', dueProbe({ probe: firstProbe(0), now: 9999 }), { left: 0, at: 10_000 }],
    ['soon', started, { left: 5, at: 10_000 }],
    ['a handful', after(4, 20), { left: 1, at: 10_000 }],
    ['and then a minute none', after(5, 20), { left: 0, at: 70_100 }],
    ['fewer of those that take long', after(2, 2000), { left: 0, at: 94_000 }],
    [
      'and one in a long time of those that take minutes',
      after(1, 60_000),
      { left: 0, at: 1_270_000 },
    ],
    ['none that nobody asked for', afterLoneCall({ probe: firstProbe(0), now: 5 }), firstProbe(0)],
  ])('%s', (_title, probe, expected) => {
    expect(probe).toEqual(expected);
  });

  it('show that twelve at once were too many for a kind that was never seen alone', () => {
    const meter = openMeter({ cap: 12, now: 0 });
    let now = 0;
    let served = 0;
    /** A server with one core: everybody waits for everybody. */
    const round = (kind: string, serviceMs: number, most: number) => {
      const together = Math.min(most, meter.places(now));
      const startedAt = now;
      now += serviceMs * together;
      for (let call = 0; call < together; call += 1) {
        const times = { startedAt, endedAt: now, together, togetherAtEnd: together };
        meter.note({ kind, state: 'done', ...times });
      }
      served += together;
      return together;
    };
    // Quick look-ups bring the limit to its cap, and then come the creates.
    for (let n = 0; n < 40; n += 1) round('look-up', 0.5, 12);
    expect(meter.readings().limit).toBe(12);
    while (now < 9000) round('create', 20, 12);
    expect(meter.readings().limit).toBe(12);
    while (now < 15_000) round('create', 20, 12);

    const seen: number[] = [];
    served = 0;
    const from = now;
    while (now < 180_000) seen.push(round('create', 20, 12));
    expect(Math.max(...seen)).toBeLessThanOrEqual(4);
    // Nothing is lost by it: the one core was always busy.
    expect(served).toBeCloseTo((now - from) / 20, 0);
  });
});
