import { Worker } from 'node:worker_threads';
import type { FeedFormat } from '../feed/read.ts';
import type { FeedErrorCode } from '../feed/record.ts';
import { FeedError } from '../feed/record.ts';
import { addPastSpan, inSpan } from '../trace/span.ts';
import type { SnapshotReport } from './accept.ts';

export interface ReadOrder {
  readonly databaseUrl: string;
  readonly tenant: string;
  readonly source: string;
  readonly format: FeedFormat;
  readonly path: string;
  /** SKOLEBUS_IDENTITY_KEY; null: civil numbers are no evidence. It goes from memory to memory only. */
  readonly identityKey: string | null;
  readonly now: Date;
}

/** What the thread answers: errors do not keep their class on the way between threads. */
export type ReadAnswer =
  | { readonly ok: true; readonly report: SnapshotReport; readonly gatheredAt: Date }
  | {
      readonly ok: false;
      readonly refusal: {
        readonly code: FeedErrorCode;
        readonly message: string;
        readonly file: string | null;
        readonly line: number | null;
      };
    };

/**
 * Reads and accepts a snapshot in a thread of its own: parsing 100 MB of XML keeps a processor busy
 * for seconds, and a worker whose event loop stands still that long loses its locks.
 *
 * @throws FeedError when the snapshot is refused
 */
export async function readSnapshot(p: ReadOrder): Promise<SnapshotReport> {
  return inSpan({
    name: 'snapshot',
    work: async (span) => {
      const from = new Date();
      const { report, gatheredAt } = await askThread(p);
      addPastSpan({ name: 'read', from, to: gatheredAt });
      addPastSpan({ name: 'accept', from: gatheredAt, to: new Date() });
      const { people, rejected } = report.counts;
      span.setAttributes({ 'skolebus.people': people, 'skolebus.rejected': rejected });
      return report;
    },
  });
}

async function askThread(p: ReadOrder): Promise<Extract<ReadAnswer, { ok: true }>> {
  const thread = new Worker(new URL('./read-thread.ts', import.meta.url), { workerData: p });
  const answer = await new Promise<ReadAnswer>((resolve, reject) => {
    thread.once('message', resolve);
    thread.once('error', reject);
    thread.once('exit', (code) => {
      reject(new Error(`The reading thread ended with code ${code} before it answered.`));
    });
  });
  if (answer.ok) return answer;
  throw new FeedError(answer.refusal);
}
