/** When people arrive: an open Poisson process whose rate rises in a line and then stays. Pure. */

import { createRandom } from '../generator/random.ts';

export interface Arrival {
  /** Seconds after the start of the wave. */
  readonly at: number;
  /** Seconds after the sign-in until the same browser opens a second application; null: never. */
  readonly returnAfter: number | null;
}

export interface Shape {
  readonly seed: number;
  /** Sign-ins per second at the top. */
  readonly rate: number;
  /** Seconds from none to `rate`. */
  readonly ramp: number;
  /** Seconds at `rate`. */
  readonly hold: number;
  /** Share of the people who open a second application, 0 to 1. */
  readonly returnShare: number;
}

const shortestReturn = 2;
const longestReturn = 8;

/**
 * Gaps of an exponential clock, laid on the integral of the rate: an exact Poisson process, the same
 * for the same seed whatever the server does meanwhile.
 */
export function planArrivals(shape: Shape): readonly Arrival[] {
  const { hold, ramp, rate, returnShare, seed } = shape;
  const random = createRandom(seed);
  const arrivals: Arrival[] = [];
  const inRamp = (rate * ramp) / 2;
  for (let sum = 0; ; ) {
    sum -= Math.log(1 - random.next());
    const at = sum < inRamp ? Math.sqrt((2 * sum * ramp) / rate) : ramp + (sum - inRamp) / rate;
    if (at >= ramp + hold) return arrivals;
    const returns = random.chance(returnShare);
    const gap = shortestReturn + random.next() * (longestReturn - shortestReturn);
    arrivals.push({ at, returnAfter: returns ? gap : null });
  }
}
