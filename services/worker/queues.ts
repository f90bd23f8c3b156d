import type { Processor, Queue } from 'bullmq';
import {
  createPostgresBackend,
  Queue as RedisQueue,
  Worker as RedisWorker,
  withBackend,
} from 'bullmq';
import { Redis } from 'ioredis';
import type { Lane } from '../../provisioning/policy/lane.ts';
import { lanes } from '../../provisioning/policy/lane.ts';

/** "There is work on this target." It carries no data: the ledger knows what the work is. */
export interface Ticket {
  readonly tenant: string;
  readonly target: string;
}

/** The lanes' queues, on whichever backend is configured. */
export interface Queues extends AsyncDisposable {
  readonly backend: 'postgres' | 'redis';
  /** As BullMQ knows them, most urgent first; for looking at. */
  readonly lanes: readonly Queue[];
  /** At most one ticket of a target waits in a lane; one that comes while another is worked on is kept for after it. */
  add(p: { readonly lane: Lane; readonly ticket: Ticket }): Promise<void>;
  /** Starts taking tickets from a lane; disposing waits for the tickets under way. */
  work(p: {
    readonly lane: Lane;
    readonly concurrency: number;
    readonly run: (ticket: Ticket) => Promise<void>;
    readonly onError: (error: Error) => void;
  }): Promise<AsyncDisposable>;
  /** Tickets waiting or under way. */
  count(lane: Lane): Promise<number>;
}

/** Finished tickets tell nothing that the ledger does not: only a few are kept, to be looked at. */
const keep = { removeOnComplete: { count: 100 }, removeOnFail: { count: 1000 } } as const;

/**
 * A killed worker's ticket stands in the way of new ones for its target until the queue gives it up;
 * with BullMQ's defaults that took up to a minute. A turn of draining lasts about two seconds and
 * never blocks the event loop, so a short lock is safe, and a ticket may be given up any number of
 * times: taking it again does no harm.
 */
const stalling = { lockDuration: 10_000, stalledInterval: 5_000, maxStalledCount: 1_000_000 };

interface QueueLike {
  add(name: string, data: Ticket, options: object): Promise<unknown>;
  getJobCounts(...types: string[]): Promise<Record<string, number>>;
  on(event: 'error', listener: (error: Error) => void): unknown;
  close(): Promise<void>;
}

interface WorkerLike {
  on(event: 'error', listener: (error: Error) => void): unknown;
  waitUntilReady(): Promise<unknown>;
  close(): Promise<void>;
}

interface Backend {
  readonly name: 'postgres' | 'redis';
  readonly makeQueue: (name: string) => QueueLike;
  readonly makeWorker: (name: string, run: Processor<Ticket>, concurrency: number) => WorkerLike;
  readonly close: () => Promise<void>;
}

/**
 * Opens the three lanes. BullMQ runs on PostgreSQL unless a Redis address is given.
 *
 * @throws whatever the backend's driver says when it cannot be reached
 */
export async function openQueues(p: {
  readonly databaseUrl: string;
  readonly redisUrl: string | null;
}): Promise<Queues> {
  const backend = p.redisUrl === null ? postgresBackend(p.databaseUrl) : redisBackend(p.redisUrl);
  const queues = new Map(lanes.map((lane) => [lane, backend.makeQueue(queueName(lane))]));
  for (const queue of queues.values()) queue.on('error', () => {});

  function queueOf(lane: Lane): QueueLike {
    const queue = queues.get(lane);
    if (queue === undefined) throw new Error(`There is no lane ${lane}.`);
    return queue;
  }

  return {
    backend: backend.name,
    lanes: [...queues.values()] as unknown as readonly Queue[],
    async add({ lane, ticket }) {
      const id = `${ticket.tenant}/${ticket.target}`;
      await queueOf(lane).add('ticket', ticket, {
        deduplication: { id, keepLastIfActive: true },
        ...keep,
      });
    },
    async work({ lane, concurrency, run, onError }) {
      const takeTicket = async (job: { readonly data: Ticket }) => {
        try {
          await run(job.data);
        } catch (error) {
          onError(error instanceof Error ? error : new Error('not an error'));
          // BullMQ keeps the text of it beside the ticket, where the cause (of the database, of a
          // server) might name people.
          throw new Error('The turn failed; the log says why.');
        }
      };
      const worker = backend.makeWorker(queueName(lane), takeTicket, concurrency);
      worker.on('error', onError);
      await worker.waitUntilReady();
      return { [Symbol.asyncDispose]: () => worker.close() };
    },
    async count(lane) {
      const counts = await queueOf(lane).getJobCounts('wait', 'active', 'delayed', 'prioritized');
      return Object.values(counts).reduce((sum, n) => sum + n, 0);
    },
    async [Symbol.asyncDispose]() {
      for (const queue of queues.values()) await queue.close();
      await backend.close();
    },
  };
}

function queueName(lane: Lane): string {
  return `skolebus-${lane}`;
}

function postgresBackend(url: string): Backend {
  const { Queue: PostgresQueue, Worker } = withBackend(createPostgresBackend);
  // One small pool per queue and worker: LISTEN takes a connection of its own besides.
  const connection = { connectionString: url, max: 3, migrate: true };
  return {
    name: 'postgres',
    makeQueue: (name) => new PostgresQueue<Ticket>(name, { connection }) as QueueLike,
    makeWorker: (name, run, concurrency) =>
      new Worker<Ticket>(name, run as Processor, {
        connection,
        concurrency,
        ...stalling,
      }) as WorkerLike,
    close: async () => {},
  };
}

function redisBackend(url: string): Backend {
  // A worker's blocking connection must wait out a Redis restart instead of giving up.
  const open: Redis[] = [];
  function connect(): Redis {
    const redis = new Redis(url, { maxRetriesPerRequest: null });
    redis.on('error', () => {});
    open.push(redis);
    return redis;
  }
  // Cluster needs all keys of a queue in one slot, hence the braces.
  const prefix = '{skolebus}';
  return {
    name: 'redis',
    makeQueue: (name) =>
      new RedisQueue<Ticket>(name, { connection: connect(), prefix }) as unknown as QueueLike,
    makeWorker: (name, run, concurrency) =>
      new RedisWorker<Ticket>(name, run, {
        connection: connect(),
        concurrency,
        prefix,
        ...stalling,
      }) as unknown as WorkerLike,
    close: async () => {
      for (const redis of open) redis.disconnect();
    },
  };
}
