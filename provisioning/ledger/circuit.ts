import type { Database, Transaction } from '../store/database.ts';

/**
 * The circuit of a target (Nygard, Release It!, 2007): it opens when the target is out of reach or asks
 * to be left alone, and all work on it waits. When the wait is over, one row is tried (half-open): its
 * outcome closes the circuit, or opens it for longer. It stands in the database, so that all workers
 * leave the target alone at once, and so that it outlives them.
 */
export interface Circuit {
  readonly openedAt: Date;
  /** Openings in a row without an answer in between. */
  readonly openings: number;
  /** Code of what opened it. */
  readonly cause: string;
  readonly probeAt: Date;
}

/** First wait and longest wait of an open circuit, in seconds. */
const firstWait = 5;
const longestWait = 300;

/**
 * How long to leave a target alone: up to 5, 10, 20 ... 300 seconds with full jitter, so that the targets of
 * many tenants are not tried in step, but never less than a second, nor than the target asked for.
 *
 * @param p.afterMs what the target asked for; 0: nothing
 * @param p.random 0 up to 1
 */
export function waitOfOpening(p: {
  readonly openings: number;
  readonly afterMs: number;
  readonly random: number;
}): number {
  const most = Math.min(longestWait, firstWait * 2 ** Math.min(p.openings, 10));
  return Math.max(1, p.afterMs / 1000, most * p.random);
}

/** Opens the circuit, or keeps it open for longer. */
export async function openCircuit(p: {
  readonly database: Database;
  readonly tenant: string;
  readonly target: string;
  readonly cause: string;
  readonly afterMs: number;
  readonly random: number;
}): Promise<void> {
  await p.database.as(p.tenant, async (tx) => {
    const [state] = await tx.query<{ openings: number }>(
      `insert into target_state (tenant_id, target) values ($1, $2)
       on conflict (tenant_id, target) do update set target = excluded.target returning openings`,
      [tx.tenant, p.target],
    );
    const seconds = waitOfOpening({ ...p, openings: state?.openings ?? 0 });
    await tx.execute(
      `update target_state set opened_at = coalesce(opened_at, now()), openings = openings + 1,
              cause = $2, probe_at = now() + make_interval(secs => $3)
       where target = $1`,
      [p.target, p.cause, seconds],
    );
  });
}

/** The target answered. */
export async function closeCircuit(p: {
  readonly database: Database;
  readonly tenant: string;
  readonly target: string;
}): Promise<void> {
  await p.database.as(p.tenant, (tx) =>
    tx.execute(
      `update target_state set opened_at = null, openings = 0, cause = null, probe_at = null
       where target = $1 and opened_at is not null`,
      [p.target],
    ),
  );
}

/** The open circuits of a tenant's targets; what is not in the map is closed. */
export async function readCircuits(tx: Transaction): Promise<ReadonlyMap<string, Circuit>> {
  const rows = await tx.query<Circuit & { target: string }>(
    `select target, opened_at as "openedAt", openings, cause, probe_at as "probeAt"
     from target_state where opened_at is not null`,
  );
  return new Map(rows.map(({ target, ...circuit }) => [target, circuit]));
}
