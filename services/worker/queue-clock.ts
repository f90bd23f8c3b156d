import type { Database } from '../../provisioning/store/database.ts';

/** Further ahead than any lock or interval of the queue can be, whoever wrote it with a good clock; in ms. */
const tooFarMs = 60_000;

/**
 * BullMQ's PostgreSQL backend writes times by the clock of the process. Where that ran hours ahead and the
 * process was killed, its ticket counts as worked on for hours, no new one may be written for its target,
 * and nobody looks for stalled ones either. By the database's clock such times end now. (In Redis they are
 * times to live, counted by the server itself.)
 */
export async function mendQueueClock(p: { readonly database: Database }): Promise<void> {
  await p.database.as('*', async (tx) => {
    await tx.execute(
      `update bullmq.job set locked_until_ms = ${nowMs}
       where state = 'active' and locked_until_ms > ${nowMs} + $1`,
      [tooFarMs],
    );
    await tx.execute(
      `update bullmq.meta set value = ${nowMs}::text
       where field = 'stalled-check' and value::bigint > ${nowMs} + $1`,
      [tooFarMs],
    );
  });
}

const nowMs = '(extract(epoch from now()) * 1000)::bigint';
