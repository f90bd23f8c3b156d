/** The thread behind `readSnapshot`. */

import { parentPort, workerData } from 'node:worker_threads';
import { readFeed } from '../feed/read.ts';
import { FeedError } from '../feed/record.ts';
import { openDatabase } from '../store/database.ts';
import { acceptSnapshot } from './accept.ts';
import type { ReadAnswer, ReadOrder } from './read-snapshot.ts';

const order = workerData as ReadOrder;

async function read(): Promise<ReadAnswer> {
  const { identityKey, tenant } = order;
  await using database = openDatabase({ url: order.databaseUrl, max: 2 });
  let gatheredAt = new Date();
  try {
    const report = await acceptSnapshot({
      database,
      tenant,
      source: order.source,
      items: readFeed({
        format: order.format,
        path: order.path,
        identity: identityKey === null ? null : { key: identityKey, tenant },
      }),
      now: order.now,
      onGathered: () => {
        gatheredAt = new Date();
      },
    });
    return { ok: true, report, gatheredAt };
  } catch (error) {
    if (!(error instanceof FeedError)) throw error;
    const { code, message, file, line } = error;
    return { ok: false, refusal: { code, message, file, line } };
  }
}

parentPort?.postMessage(await read());
