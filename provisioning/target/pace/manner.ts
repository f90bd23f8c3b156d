/**
 * How the calls of some work share a target with its users and with each other. It goes along with the
 * asynchronous context, so that connectors need not hand it through to each of their requests.
 */
import { AsyncLocalStorage } from 'node:async_hooks';

/**
 * - `urgent`: somebody waits; before all others.
 * - `full`: as many calls at once as the target bears.
 * - `gentle`: one at a time, and after each a rest as long as it took. At a real Keycloak of two cores
 *   sign-ins took 0.93 to 1.16 times as long beside it (p95), against 8 to 37 times beside `full`
 *   (docs/decisions/0029-gentle.md).
 */
export type Manner = 'urgent' | 'full' | 'gentle';

const manners = new AsyncLocalStorage<Manner>();

export function inManner<T>(manner: Manner, work: () => Promise<T>): Promise<T> {
  return manners.run(manner, work);
}

/** `full` where nothing was said. */
export function currentManner(): Manner {
  return manners.getStore() ?? 'full';
}
