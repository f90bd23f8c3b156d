import { setTimeout as sleep } from 'node:timers/promises';
import type { Connector } from '../provisioning/target/contract.ts';

/** Waits before the next tries, in ms: one lost answer must not leave a target unprepared. */
const shortWaits = [250, 1000, 4000];
/** How often a target that was out of reach is tried again in the background, in ms. */
const longWait = 30_000;

/**
 * Makes every target ready for us. One that stays out of reach or refuses is reported and does not
 * stand in the way of the others: its rows wait and say why.
 *
 * @returns the targets that are not ready
 */
export async function prepareTargets(p: {
  readonly connectors: Iterable<Connector>;
  readonly onTrouble: (sentence: string) => void;
}): Promise<readonly Connector[]> {
  const done = await Promise.all(
    [...p.connectors].map(async (connector) => {
      const error = await prepareOne({ connector, waits: shortWaits });
      if (error === null) return [];
      p.onTrouble(`${connector.name} could not be made ready: ${error.message}`);
      return [connector];
    }),
  );
  return done.flat();
}

/** Tries again until all are ready; for a service that was started before its servers. Disposing stops it. */
export function keepPreparing(p: {
  readonly connectors: readonly Connector[];
  readonly onReady: (sentence: string) => void;
  readonly waitMs?: number;
}): AsyncDisposable {
  const stop = new AbortController();
  const running = p.connectors.map(async (connector) => {
    while (!stop.signal.aborted) {
      await sleep(p.waitMs ?? longWait, undefined, { signal: stop.signal }).catch(() => {});
      if (stop.signal.aborted || (await prepareOne({ connector, waits: [] })) !== null) continue;
      p.onReady(`${connector.name} is ready now.`);
      return;
    }
  });
  return {
    async [Symbol.asyncDispose]() {
      stop.abort();
      await Promise.all(running);
    },
  };
}

/** What prepare does is the same a second time, so it may be tried as often as needed. Null: it is ready. */
async function prepareOne(p: {
  readonly connector: Connector;
  readonly waits: readonly number[];
}): Promise<Error | null> {
  for (const wait of [...p.waits, null]) {
    try {
      await p.connector.prepare();
      return null;
    } catch (error) {
      if (wait === null) return error instanceof Error ? error : new Error(String(error));
      await sleep(wait);
    }
  }
  return null;
}
