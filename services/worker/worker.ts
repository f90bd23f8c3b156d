import { promoteDue } from '../../provisioning/ledger/commit.ts';
import { findDueTargets } from '../../provisioning/ledger/progress.ts';
import type { Database } from '../../provisioning/store/database.ts';
import type { Connector } from '../../provisioning/target/contract.ts';
import { drainTarget } from './drain.ts';
import type { Queues } from './queues.ts';
import { lanes } from './queues.ts';

/** The connectors of a tenant, by target name. */
export type ConnectorsOf = (tenant: string) => Promise<ReadonlyMap<string, Connector>>;

export interface RunningWorker extends AsyncDisposable {
  /** Looks at once for due rows without a ticket; runs by itself every `sweepMs` as well. */
  sweep(): Promise<void>;
}

/**
 * Takes tickets from all lanes and drains the targets they name. A sweep writes tickets for due rows
 * that have none, so that a lost queue, a crash or a retry whose time has come need nobody's help.
 */
export async function startWorker(p: {
  readonly database: Database;
  readonly queues: Queues;
  readonly connectorsOf: ConnectorsOf;
  /** Targets worked on at the same time, per lane. */
  readonly concurrency: number;
  readonly sweepMs: number;
  readonly onError: (error: Error) => void;
}): Promise<RunningWorker> {
  const { database, queues } = p;
  const running: AsyncDisposable[] = [];
  let closing = false;

  /** Connections that break while the worker is being closed are no trouble. */
  function onError(error: Error): void {
    if (!closing) p.onError(error);
  }

  for (const lane of lanes) {
    running.push(
      await queues.work({
        lane,
        concurrency: p.concurrency,
        onError,
        run: async (ticket) => {
          const connector = (await p.connectorsOf(ticket.tenant)).get(ticket.target);
          // A target taken out of the configuration keeps its rows; its tickets mean nothing.
          if (connector === undefined) return;
          const report = await drainTarget({ ...p, onError, tenant: ticket.tenant, connector });
          if (report?.more === true) await queues.add({ lane, ticket });
        },
      }),
    );
  }

  async function sweep(): Promise<void> {
    for (const tenant of await database.listTenants()) {
      await promoteDue({ database, tenant, now: new Date() });
      for (const { target, lane } of await findDueTargets({ database, tenant })) {
        await queues.add({ lane, ticket: { tenant, target } });
      }
    }
  }

  let sweeping: Promise<void> = Promise.resolve();
  const timer = setInterval(() => {
    sweeping = sweeping.then(sweep).catch(onError);
  }, p.sweepMs);

  return {
    sweep,
    async [Symbol.asyncDispose]() {
      closing = true;
      clearInterval(timer);
      await sweeping;
      for (const worker of running) await worker[Symbol.asyncDispose]();
    },
  };
}
