import type { Database } from '../store/database.ts';

/** How much of an older rate is left after so many seconds of work: the mean is over about two minutes. */
const memorySeconds = 120;

/** Takes a turn's rows a second into the target's smoothed rate. */
export async function rememberRate(p: {
  readonly database: Database;
  readonly tenant: string;
  readonly target: string;
  /** Applied in the turn. */
  readonly rows: number;
  readonly seconds: number;
}): Promise<void> {
  // A turn in which nothing was applied says nothing of the pace, only of what the rows wait for.
  if (p.rows === 0 || p.seconds <= 0) return;
  const fresh = 1 - Math.exp(-p.seconds / memorySeconds);
  await p.database.as(p.tenant, (tx) =>
    tx.execute(
      `insert into target_state as s (tenant_id, target, rows_per_second, measured_at)
       values ($1, $2, $3, now())
       on conflict (tenant_id, target) do update set measured_at = now(),
         rows_per_second = coalesce(s.rows_per_second * (1 - $4::float8) + excluded.rows_per_second * $4,
                                    excluded.rows_per_second)`,
      [tx.tenant, p.target, p.rows / p.seconds, fresh],
    ),
  );
}
