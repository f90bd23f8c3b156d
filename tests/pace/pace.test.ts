import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { currentManner, inManner } from '../../provisioning/target/pace/manner.ts';
import {
  openPace,
  type Pace,
  type PaceClock,
  PaceHeldError,
  patienceMs,
  type Verdict,
} from '../../provisioning/target/pace/pace.ts';

/** Time that stands still until it is told. */
function openClock() {
  let now = 0;
  let sleepers: { at: number; wake: () => void }[] = [];
  const clock: PaceClock = {
    now: () => now,
    sleep: (ms) => new Promise((wake) => sleepers.push({ at: now + ms, wake })),
  };
  return {
    clock,
    async pass(ms: number) {
      now += ms;
      const due = sleepers.filter((one) => one.at <= now);
      sleepers = sleepers.filter((one) => one.at > now);
      for (const one of due) one.wake();
      await settled();
    },
  };
}

/** Everything that can happen without time passing has happened. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

const done: Verdict = { state: 'done' };
const overload = (afterMs: number | null = null): Verdict => ({ state: 'overload', afterMs });

/** Calls that end when they are told to. */
function openCalls(pace: Pace) {
  const begun: string[] = [];
  const ended: string[] = [];
  const refused = new Map<string, unknown>();
  const ends = new Map<string, () => void>();
  const verdicts = new Map<string, Verdict>();
  return {
    begun,
    ended,
    refused,
    ask(...names: readonly string[]) {
      for (const name of names) {
        pace
          .run({
            kind: 'write',
            work: () => {
              begun.push(name);
              return new Promise<void>((resolve) => ends.set(name, resolve));
            },
            judge: () => verdicts.get(name) ?? done,
          })
          .then(
            () => ended.push(name),
            (error: unknown) => refused.set(name, error),
          );
      }
      return settled();
    },
    async end(name: string, verdict: Verdict = done) {
      verdicts.set(name, verdict);
      ends.get(name)?.();
      await settled();
    },
  };
}

/** Quick calls one after the other until nothing more is to be gained. */
async function warmUp(pace: Pace, calls = 100): Promise<void> {
  for (let n = 0; n < calls; n += 1) {
    await pace.run({ kind: 'write', work: async () => {}, judge: () => done });
  }
}

describe('the pace of a target', () => {
  it('begins with one call, and lets the others wait in their order', async () => {
    const pace = openPace({ cap: 4, clock: openClock().clock });
    const calls = openCalls(pace);
    await calls.ask('a', 'b', 'c');

    expect(calls.begun).toEqual(['a']);
    expect(pace.state()).toEqual({
      limit: 1,
      cap: 4,
      inFlight: 1,
      waiting: 2,
      latencyMs: null,
      calls: 0,
      overloads: 0,
      throttledUntil: null,
    });
    await calls.end('a');
    expect(calls.begun).toEqual(['a', 'b']);
    await calls.end('b');
    await calls.end('c');
    expect(calls.ended).toEqual(['a', 'b', 'c']);
    expect(pace.state()).toMatchObject({ inFlight: 0, waiting: 0, calls: 3 });
  });

  it('comes to its cap, and never beyond', async () => {
    const pace = openPace({ cap: 3, clock: openClock().clock });
    await warmUp(pace);
    const calls = openCalls(pace);
    await calls.ask('a', 'b', 'c', 'd');

    expect(calls.begun).toEqual(['a', 'b', 'c']);
    expect(pace.state()).toMatchObject({ limit: 3, inFlight: 3, waiting: 1 });
  });

  it('lets what runs come to its end when the limit shrinks, and new calls wait', async () => {
    const pace = openPace({ cap: 4, clock: openClock().clock });
    await warmUp(pace);
    const calls = openCalls(pace);
    await calls.ask('a', 'b', 'c', 'd', 'e', 'f');
    await calls.end('a', overload());

    expect(pace.state()).toMatchObject({ limit: 2, inFlight: 3, waiting: 2, overloads: 1 });
    await calls.end('b');
    expect(calls.begun).not.toContain('e');
    await calls.end('c');
    expect(calls.begun).toEqual(['a', 'b', 'c', 'd', 'e']);
    expect(calls.ended).toEqual(['a', 'b', 'c']);
  });

  it('measures on its own clock, smoothed', async () => {
    const { clock, pass } = openClock();
    const pace = openPace({ cap: 1, clock });
    const calls = openCalls(pace);
    await calls.ask('a', 'b');
    await pass(100);
    await calls.end('a');
    expect(pace.state().latencyMs).toBe(100);
    await pass(200);
    await calls.end('b');
    expect(pace.state().latencyMs).toBe(120);
  });

  it('eases off a server that slows down, and comes back when it is well again', async () => {
    const { clock, pass } = openClock();
    const pace = openPace({ cap: 4, clock });
    const serve = async (latencyMs: number, rounds: number) => {
      for (let round = 0; round < rounds; round += 1) {
        const calls = openCalls(pace);
        const names = Array.from({ length: pace.state().limit }, (_, n) => `${n}`);
        await calls.ask(...names);
        await pass(latencyMs);
        for (const name of names) await calls.end(name);
      }
    };
    await serve(100, 30);
    expect(pace.state().limit).toBe(4);
    await serve(600, 15);
    expect(pace.state().limit).toBe(1);
    await serve(100, 30);
    expect(pace.state().limit).toBe(4);
  });

  it('does not take a failure for overload, nor its quickness for health', async () => {
    const { clock, pass } = openClock();
    const pace = openPace({ cap: 4, clock });
    await warmUp(pace);
    const calls = openCalls(pace);
    for (let n = 0; n < 40; n += 1) {
      await calls.ask(`${n}`);
      await pass(1);
      await calls.end(`${n}`, { state: 'failed' });
    }

    expect(pace.state()).toMatchObject({ limit: 4, calls: 140, overloads: 0, latencyMs: 0 });
  });

  it('passes on what the work throws, and what a judge throws, and stays in order', async () => {
    const pace = openPace({ cap: 1, clock: openClock().clock });
    const failing = async () => {
      throw new Error('refused');
    };
    const odd = () => {
      throw new Error('no judgement');
    };

    await expect(pace.run({ kind: 'w', work: failing, judge: () => done })).rejects.toThrow(
      'refused',
    );
    await expect(pace.run({ kind: 'w', work: async () => 1, judge: odd })).rejects.toThrow(
      'no judgement',
    );
    expect(await pace.run({ kind: 'w', work: async () => 7, judge: () => done })).toBe(7);
    expect(pace.state().inFlight).toBe(0);
  });
});

describe('a server that says when to come back', () => {
  it('is left alone until then, and all that waited goes on in its order', async () => {
    const { clock, pass } = openClock();
    const pace = openPace({ cap: 4, clock });
    await warmUp(pace);
    const calls = openCalls(pace);
    await calls.ask('a');
    await calls.end('a', overload(3000));
    const before = Date.now();
    await calls.ask('b', 'c', 'd');

    const until = pace.state().throttledUntil?.getTime() ?? 0;
    expect(until - before).toBeGreaterThanOrEqual(2999);
    expect(until - before).toBeLessThan(4500);
    await pass(2999);
    expect(calls.begun).toEqual(['a']);
    expect(pace.state()).toMatchObject({ waiting: 3, inFlight: 0 });
    await pass(1);
    expect(calls.begun).toEqual(['a', 'b']);
    expect(pace.state().throttledUntil).toBeNull();
    await calls.end('b');
    await calls.end('c');
    await calls.end('d');
    expect(calls.ended).toEqual(['a', 'b', 'c', 'd']);
  });

  it('for long is not waited for: who waits and who comes is told, and nothing is sent', async () => {
    const { clock, pass } = openClock();
    const pace = openPace({ cap: 1, clock });
    const calls = openCalls(pace);
    await calls.ask('a', 'b', 'c');
    await calls.end('a', overload(60_000));
    await calls.ask('d');

    expect(calls.begun).toEqual(['a']);
    expect([...calls.refused.keys()]).toEqual(['b', 'c', 'd']);
    expect(calls.refused.get('d')).toBeInstanceOf(PaceHeldError);
    expect(calls.refused.get('d')).toMatchObject({ afterMs: 60_000 });
    await pass(60_000 - patienceMs);
    await calls.ask('e');
    expect(calls.begun).toEqual(['a']);
    await pass(patienceMs);
    expect(calls.begun).toEqual(['a', 'e']);
  });

  it('is believed when it says later, not when it says sooner', async () => {
    const { clock, pass } = openClock();
    const pace = openPace({ cap: 4, clock });
    await warmUp(pace);
    const calls = openCalls(pace);
    await calls.ask('a', 'b', 'c');
    await calls.end('a', overload(2000));
    await calls.ask('d');
    await calls.end('b', overload(4000));
    await calls.end('c', overload(1000));
    await pass(2000);
    expect(calls.begun).not.toContain('d');
    await pass(2000);
    expect(calls.begun).toContain('d');
  });
});

it('ends every call once, within the cap and in order, whatever the server does', async () => {
  const call = fc.record({
    verdict: fc.constantFrom<Verdict>(
      done,
      done,
      { state: 'failed' },
      overload(),
      overload(700),
      overload(60_000),
    ),
    rounds: fc.integer({ min: 1, max: 4 }),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.array(call, { maxLength: 40 }),
      fc.integer({ min: 1, max: 6 }),
      async (all, cap) => {
        const { clock, pass } = openClock();
        const pace = openPace({ cap, clock });
        const begun: number[] = [];
        let most = 0;
        let ended = 0;
        for (const [index, { rounds, verdict }] of all.entries()) {
          const work = async () => {
            begun.push(index);
            most = Math.max(most, pace.state().inFlight);
            for (let round = 0; round < rounds; round += 1) await clock.sleep(50);
          };
          const count = () => {
            ended += 1;
          };
          void pace.run({ kind: 'w', work, judge: () => verdict }).then(count, count);
        }
        for (let n = 0; n < 5000 && ended < all.length; n += 1) await pass(50);
        expect(ended).toBe(all.length);
        expect(begun).toEqual([...begun].sort((a, b) => a - b));
        expect(most).toBeLessThanOrEqual(cap);
        expect(pace.state()).toMatchObject({ inFlight: 0, waiting: 0, calls: begun.length });
      },
    ),
    { numRuns: 50 },
  );
});

describe('manners', () => {
  it('urgent calls go before those that wait', async () => {
    const pace = openPace({ cap: 1, clock: openClock().clock });
    const calls = openCalls(pace);
    await calls.ask('a', 'b');
    await inManner('gentle', () => calls.ask('c'));
    await inManner('urgent', () => calls.ask('d'));
    for (const name of ['a', 'd', 'b', 'c']) await calls.end(name);

    expect(calls.begun).toEqual(['a', 'd', 'b', 'c']);
  });

  it('gentle calls go one at a time, and rest as long as they took; nobody else waits for that', async () => {
    const { clock, pass } = openClock();
    const pace = openPace({ cap: 4, clock });
    await warmUp(pace);
    const calls = openCalls(pace);
    await inManner('gentle', () => calls.ask('a', 'b', 'c'));
    expect(calls.begun).toEqual(['a']);
    await pass(300);
    await calls.end('a');
    await pass(299);
    expect(calls.begun).toEqual(['a']);
    await inManner('urgent', () => calls.ask('d'));
    await calls.ask('e');
    expect(calls.begun).toEqual(['a', 'd', 'e']);
    await pass(1);
    expect(calls.begun).toEqual(['a', 'd', 'e', 'b']);
  });

  it('a rest is over after five seconds', async () => {
    const { clock, pass } = openClock();
    const pace = openPace({ cap: 1, clock });
    const calls = openCalls(pace);
    await inManner('gentle', () => calls.ask('a', 'b'));
    await pass(60_000);
    await calls.end('a');
    await pass(4999);
    expect(calls.begun).toEqual(['a']);
    await pass(1);
    expect(calls.begun).toEqual(['a', 'b']);
  });

  it('a server that wants to be left alone is left alone, also when it said so during a rest', async () => {
    const { clock, pass } = openClock();
    const pace = openPace({ cap: 4, clock });
    await warmUp(pace);
    const calls = openCalls(pace);
    await inManner('gentle', () => calls.ask('a', 'b'));
    await pass(5000);
    await calls.end('a');
    await calls.ask('c');
    await calls.end('c', overload(1000));
    await calls.ask('d');
    await pass(1000);
    expect(calls.begun).toEqual(['a', 'c', 'd']);
    await calls.end('d');
    await pass(3999);
    expect(calls.begun).toEqual(['a', 'c', 'd']);
    await pass(1);
    expect(calls.begun).toEqual(['a', 'c', 'd', 'b']);
  });

  it('go along with the work, and are full without any', async () => {
    expect(currentManner()).toBe('full');
    await inManner('gentle', async () => {
      await settled();
      expect(currentManner()).toBe('gentle');
      await inManner('urgent', async () => expect(currentManner()).toBe('urgent'));
    });
    expect(currentManner()).toBe('full');
  });
});
