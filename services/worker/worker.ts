import type { Logger } from 'pino';
import { pino } from 'pino';
import { promoteDue } from '../../provisioning/ledger/commit.ts';
import { findDueLanes } from '../../provisioning/ledger/due.ts';
import { rememberRate } from '../../provisioning/ledger/rate.ts';
import type { Lane } from '../../provisioning/policy/lane.ts';
import { lanes } from '../../provisioning/policy/lane.ts';
import type { Database } from '../../provisioning/store/database.ts';
import type { Connector } from '../../provisioning/target/contract.ts';
import { inSpan } from '../../provisioning/trace/span.ts';
import type { TurnReport } from './drain.ts';
import { drainTarget } from './drain.ts';
import type { CalmOf } from './gate.ts';
import { decideGate, readConditions } from './gate.ts';
import { mendQueueClock } from './queue-clock.ts';
import type { Queues, Ticket } from './queues.ts';
import { tellTurn, watchConditions } from './tell.ts';
import { mostTurns, shareTurn } from './turn.ts';

/** The connectors of a tenant, by target name. */
export type ConnectorsOf = (tenant: string) => Promise<ReadonlyMap<string, Connector>>;

export interface RunningWorker extends AsyncDisposable {
  /** Looks at once for due rows without a ticket; runs by itself every `sweepMs` as well. */
  sweep(): Promise<void>;
  /** Whether nothing of a target may be started now: its circuit, a brake, or a calm window. */
  isShut(p: { readonly tenant: string; readonly target: string }): Promise<boolean>;
}

/**
 * Takes tickets from all lanes and drains the targets they name. A sweep writes tickets for due rows
 * that have none, so that a lost queue, a crash or a retry whose time has come need nobody's help. A
 * target that may not be worked on now gets no ticket: its rows wait in the ledger, and nothing spins.
 */
export async function startWorker(p: {
  readonly database: Database;
  readonly queues: Queues;
  readonly connectorsOf: ConnectorsOf;
  readonly calmOf: (tenant: string) => CalmOf;
  /** Targets worked on at the same time, per lane, as far as the database's connections allow. */
  readonly concurrency: number;
  readonly sweepMs: number;
  readonly onError: (error: Error) => void;
  /** Left out: nothing is told. */
  readonly logger?: Logger;
  /** Is told of every turn that was taken. */
  readonly onTurn?: (p: {
    readonly tenant: string;
    readonly target: string;
    readonly lane: Lane;
    readonly turn: TurnReport;
  }) => void;
}): Promise<RunningWorker> {
  const { database, queues, logger = pino({ level: 'silent' }) } = p;
  const watch = watchConditions(logger);
  const running: AsyncDisposable[] = [];
  let closing = false;

  /** Connections that break while the worker is being closed are no trouble. */
  function onError(error: Error): void {
    if (!closing) p.onError(error);
  }

  async function takeTurn(lane: Lane, ticket: Ticket): Promise<void> {
    const { tenant, target } = ticket;
    const connectors = await p.connectorsOf(tenant);
    const connector = connectors.get(target);
    // A target taken out of the configuration keeps its rows; its tickets mean nothing.
    if (connector === undefined) return;
    const base = { database, tenant };
    const { weight } = await readConditions(base);
    const due = await findDueLanes({ ...base, targets: [...connectors.keys()] });
    const turn = await drainTarget({
      ...base,
      connector,
      lane,
      turnMs: shareTurn({ weight, dueTargets: due.filter((one) => one.lane === lane).length }),
      gate: async () =>
        decideGate({ conditions: await readConditions(base), target, calmOf: p.calmOf(tenant) }),
      onError,
    });
    if (turn === null) return;
    tellTurn({ logger, tenant, target, lane, turn });
    p.onTurn?.({ tenant, target, lane, turn });
    await rememberRate({ ...base, target, rows: turn.applied, seconds: turn.ms / 1000 });
    if (turn.more) await queues.add({ lane, ticket });
  }

  function traceTurn(lane: Lane, ticket: Ticket): Promise<void> {
    const facts = { 'skolebus.tenant': ticket.tenant, 'skolebus.target': ticket.target };
    return inSpan({
      name: 'turn',
      root: true,
      facts: { ...facts, 'skolebus.lane': lane },
      work: () => takeTurn(lane, ticket),
    });
  }

  const { connections } = database;
  const concurrency = mostTurns({ wanted: p.concurrency, connections, lanes: lanes.length });
  for (const lane of lanes) {
    const work = { lane, concurrency, onError };
    running.push(await queues.work({ ...work, run: (ticket) => traceTurn(lane, ticket) }));
  }

  async function sweepTenant(tenant: string): Promise<void> {
    const targets = [...(await p.connectorsOf(tenant)).keys()];
    const conditions = await readConditions({ database, tenant });
    // The database's clock: a worker whose own runs ahead must not end what has time left.
    await promoteDue({ database, tenant, now: conditions.now });
    watch({ tenant, conditions, calmOf: p.calmOf(tenant) });
    for (const { target, lane } of await findDueLanes({ database, tenant, targets })) {
      const gate = decideGate({ conditions, target, calmOf: p.calmOf(tenant) });
      if (!gate.lanes.some((open) => open.lane === lane)) continue;
      await queues.add({ lane, ticket: { tenant, target } });
    }
  }

  async function sweep(): Promise<void> {
    if (queues.backend === 'postgres') await mendQueueClock({ database });
    for (const tenant of await database.listTenants()) await sweepTenant(tenant);
  }

  let sweeping: Promise<void> = Promise.resolve();
  const timer = setInterval(() => {
    sweeping = sweeping.then(sweep).catch(onError);
  }, p.sweepMs);

  return {
    sweep,
    async isShut({ tenant, target }) {
      const conditions = await readConditions({ database, tenant });
      const gate = decideGate({ conditions, target, calmOf: p.calmOf(tenant) });
      return gate.lanes.length === 0 || gate.probe;
    },
    async [Symbol.asyncDispose]() {
      closing = true;
      clearInterval(timer);
      await sweeping;
      for (const worker of running) await worker[Symbol.asyncDispose]();
    },
  };
}
