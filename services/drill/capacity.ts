/**
 * Is the server enough for this tenant's bell? The model of Keycloak's own maintainers: everybody signs
 * in within the first hour, and the busiest seconds see ten times the average of it. On top of that peak
 * their sizing guide wants 150 % of head room, so 2.5 times as much. Pure.
 */

export const peakFactor = 10;
export const headRoom = 1.5;
/** Above these a wave did not go well, and what was carried in it is no capacity. */
export const worstFailedShare = 0.01;
export const worstSignInMs = 2000;

/** What a wave has shown of the server. */
export interface Shown {
  /** Sign-ins per second that came to their end while the rate was held. */
  readonly carried: number;
  /** Cores of the server's machine. */
  readonly cores: number;
  /** Cores that were busy, by whatever; null where the server runs on another machine. */
  readonly busyCores: number | null;
  /** Of all arrivals, 0 to 1. */
  readonly failedShare: number;
  /** 95th percentile of the whole sign-in in ms; null when nobody got in. */
  readonly signInP95: number | null;
}

export interface Capacity {
  readonly heads: number;
  /** Sign-ins per second in the busiest seconds. */
  readonly peak: number;
  /** The same with head room. */
  readonly needed: number;
  /** Sign-ins per second and core. Where no processor time was seen, at least so many. */
  readonly perCore: number;
  readonly cores: number;
  /** Sign-ins per second of all cores. */
  readonly estimate: number;
  readonly coresNeeded: number | null;
  readonly answer: 'enough' | 'not-enough';
  /** `shown-too-little`: nothing broke, but the wave was too small to say more. */
  readonly why: 'carries' | 'wave-failed' | 'too-few-cores' | 'shown-too-little';
}

/** @param heads people who sign in of a morning: pupils and staff */
export function judgeCapacity(p: { readonly heads: number; readonly shown: Shown }): Capacity {
  const { heads, shown } = p;
  const peak = (heads / 3600) * peakFactor;
  const needed = peak * (1 + headRoom);
  // A machine that is not fully busy could carry more; one that we cannot look into shows no more
  // than what it carried.
  const used = Math.min(shown.busyCores ?? shown.cores, shown.cores);
  const perCore = used > 0 ? shown.carried / used : 0;
  const estimate = perCore * shown.cores;
  const why = !wentWell(shown)
    ? 'wave-failed'
    : estimate >= needed
      ? 'carries'
      : shown.busyCores === null
        ? 'shown-too-little'
        : 'too-few-cores';
  return {
    heads,
    peak,
    needed,
    perCore,
    cores: shown.cores,
    estimate,
    coresNeeded: perCore > 0 ? Math.ceil(needed / perCore) : null,
    answer: why === 'carries' ? 'enough' : 'not-enough',
    why,
  };
}

export function wentWell(shown: Pick<Shown, 'failedShare' | 'signInP95'>): boolean {
  return (
    shown.failedShare <= worstFailedShare &&
    shown.signInP95 !== null &&
    shown.signInP95 <= worstSignInMs
  );
}
