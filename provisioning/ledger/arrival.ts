import type { Database } from '../store/database.ts';

/** How long it took people from the reading of the feed that they came with to their last new account. */
export interface Arrivals {
  /** People whose accounts all stand; of the last 24 hours. */
  readonly arrived: number;
  /** People who still wait for one. */
  readonly waiting: number;
  /** Half of them, 95 per cent and all of them took no longer, in seconds; null: nobody has come. */
  readonly seconds: { readonly p50: number; readonly p95: number; readonly max: number } | null;
}

/** Accounts that a later plan has changed again are left out: the ledger keeps the last write of a row only. */
export async function readArrivals(p: {
  readonly database: Database;
  readonly tenant: string;
}): Promise<Arrivals> {
  const [row] = await p.database.as(p.tenant, (tx) =>
    tx.query<{ arrived: number; waiting: number; quantiles: readonly number[] | null }>(
      `with person as (
         select extract(epoch from max(r.settled_at) - min(s.read_at))::float8 as seconds,
                bool_and(r.applied is not null) as arrived
         from plan p join snapshot s on s.id = p.snapshot_id
           join change c on c.plan_id = p.id and c.kind = 'account' and c.action = 'create'
             and c.outcome = 'committed' and c.origin = 'policy' and c.person_id is not null
           join resource r on r.target = c.target and r.kind = 'account' and r.key = c.key and r.plan_id = p.id
         where p.state = 'committed' and p.committed_at > now() - interval '1 day'
         group by p.id, c.person_id)
       select count(*) filter (where arrived)::int as arrived,
              count(*) filter (where not arrived)::int as waiting,
              percentile_disc(array[0.5, 0.95, 1.0]) within group (order by seconds)
                filter (where arrived) as quantiles
       from person`,
    ),
  );
  const [p50, p95, max] = row?.quantiles ?? [];
  return {
    arrived: row?.arrived ?? 0,
    waiting: row?.waiting ?? 0,
    seconds: p50 === undefined || p95 === undefined || max === undefined ? null : { p50, p95, max },
  };
}
