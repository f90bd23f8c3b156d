import { setTimeout as sleep } from 'node:timers/promises';
import { countCauses, readProgress } from '../../provisioning/ledger/progress.ts';
import type { Database } from '../../provisioning/store/database.ts';
import type { RunningWorker } from './worker.ts';

interface Progress {
  readonly settled: number;
  readonly due: number;
  readonly failed: number;
  readonly scheduled: number;
}

/** How long without any progress counts as "nothing more will come now", in seconds. */
const patience = { allTried: 6, someUntried: 60 };

/**
 * Waits until a worker has brought the ledger as far as it goes now: nothing is due any more, or what
 * is due waits for something that will not come in the next seconds. `onProgress` hears of every look.
 *
 * @returns the last look
 */
export async function waitUntilDone(p: {
  readonly database: Database;
  readonly tenant: string;
  readonly worker: RunningWorker;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: Progress) => void;
}): Promise<Progress> {
  const { database, tenant } = p;
  await p.worker.sweep();
  let best = Number.POSITIVE_INFINITY;
  let bestAt = Date.now();
  for (;;) {
    const progress = await readTotals({ database, tenant });
    p.onProgress(progress);
    if (progress.due === 0 || p.signal.aborted) return progress;
    if (progress.due < best) {
      best = progress.due;
      bestAt = Date.now();
    }
    const stalledSeconds = (Date.now() - bestAt) / 1000;
    if (stalledSeconds > patience.allTried) {
      const causes = await countCauses({ database, tenant });
      // A due row without a cause was never tried: something before it may still take its time.
      const untried = causes.filter((cause) => cause.state === 'due' && cause.code === null);
      const targets = [...new Set(untried.map((cause) => cause.target))];
      const shut = await Promise.all(targets.map((target) => p.worker.isShut({ tenant, target })));
      if (shut.every((one) => one) || stalledSeconds > patience.someUntried) return progress;
    }
    await sleep(200, undefined, { signal: p.signal }).catch(() => {});
  }
}

/** Rows of the ledger by state, over all targets. */
export async function readTotals(p: {
  readonly database: Database;
  readonly tenant: string;
}): Promise<Progress> {
  const rows = await readProgress({ database: p.database, tenant: p.tenant });
  const sum = (of: keyof Progress) => rows.reduce((total, row) => total + row[of], 0);
  return {
    settled: sum('settled'),
    due: sum('due'),
    failed: sum('failed'),
    scheduled: sum('scheduled'),
  };
}
