/** Which realms and people a drill may touch. Pure. */

/** Usernames of everything a drill makes begin with it. */
export const drillPrefix = 'drill-';

/** Hard bounds: a drill is a rehearsal, not an attack. */
export const bounds = {
  /** Sign-ins per second. */
  rate: 200,
  /** Seconds, of all waves together. */
  duration: 600,
  people: 20_000,
  rounds: 20,
} as const;

export function usernameOf(n: number): string {
  return `${drillPrefix}${String(n).padStart(5, '0')}`;
}

/** True for those who sign in; false for what the load of a drill makes. */
export function isDrillPerson(username: string): boolean {
  return /^drill-\d{5,}$/.test(username);
}

/** The owner mark of what a drill makes: `drift` and `adopt` know nothing of such keys. */
export function markFor(username: string): string {
  return `drill:${username}`;
}

/** A test realm says so in its name, or in the realm attribute `skolebusTestRealm`. */
export function isTestRealm(p: {
  readonly name: string;
  readonly attributes: Readonly<Record<string, unknown>>;
}): boolean {
  return (
    /(^|[-_.])(test|drill|rehearsal|sandbox)([-_.]|$)/i.test(p.name) ||
    p.attributes['skolebusTestRealm'] === 'true'
  );
}

/** Why a drill must not run in this realm, with what to do; null when it may. */
export function refuseRealm(p: {
  readonly realm: string;
  readonly attributes: Readonly<Record<string, unknown>>;
  /** People of the realm that no drill made. */
  readonly others: number;
  readonly thisIsProduction: boolean;
}): string | null {
  if (p.thisIsProduction) return null;
  if (!isTestRealm({ name: p.realm, attributes: p.attributes })) {
    return `Realm "${p.realm}" is not marked as a test realm. Use one with test, drill, rehearsal or sandbox as a word of its name, set its attribute skolebusTestRealm to true, or say --this-is-production.`;
  }
  if (p.others > 0) {
    return `Realm "${p.realm}" holds people that no drill made. Use a realm of its own, or say --this-is-production.`;
  }
  return null;
}

/** Why this order goes beyond the bounds, with what to do; null when it may run. */
export function refuseOrder(p: {
  readonly rate: number;
  readonly ramp: number;
  readonly hold: number;
  readonly warmUp: number;
  readonly people: number;
  readonly waves: number;
  readonly rounds: number;
}): string | null {
  if (!(p.rate > 0 && p.rate <= bounds.rate)) {
    return `--rate ${p.rate}: more than 0 and at most ${bounds.rate} sign-ins per second.`;
  }
  if (!(p.hold >= 1)) return `--hold ${p.hold}: at least one second.`;
  if (!isWithin(p.rounds, bounds.rounds)) {
    return `--rounds ${p.rounds}: 1 to ${bounds.rounds}.`;
  }
  const seconds = (p.ramp + p.hold) * p.waves + p.warmUp;
  if (seconds > bounds.duration) {
    return `All waves together would take ${seconds} s: at most ${bounds.duration} s. Lower --ramp, --hold, --rounds or --warm-up.`;
  }
  if (!isWithin(p.people, bounds.people)) {
    return `--people ${p.people}: 1 to ${bounds.people}.`;
  }
  return null;
}

function isWithin(count: number, most: number): boolean {
  return Number.isInteger(count) && count >= 1 && count <= most;
}

/** Seconds that one person is away at most: the sign-in, and coming back to a second application. */
const awaySeconds = 10;

/** Fewer people than this would have to be at two places at once. */
export function peopleFor(rate: number): number {
  return Math.ceil(rate * awaySeconds);
}
