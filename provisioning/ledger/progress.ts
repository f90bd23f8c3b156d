import type { Database } from '../store/database.ts';

/** How far a target is: rows by state. */
export interface TargetProgress {
  readonly target: string;
  readonly kind: string;
  readonly settled: number;
  readonly due: number;
  readonly failed: number;
  readonly scheduled: number;
}

export async function readProgress(p: {
  readonly database: Database;
  readonly tenant: string;
}): Promise<readonly TargetProgress[]> {
  return p.database.as(p.tenant, (tx) =>
    tx.query<TargetProgress & Record<string, unknown>>(
      `select target, kind, count(*) filter (where state = 'settled')::int as settled,
              count(*) filter (where state = 'due')::int as due,
              count(*) filter (where state = 'failed')::int as failed,
              count(*) filter (where scheduled_at is not null)::int as scheduled
       from resource group by target, kind order by target, kind`,
    ),
  );
}

/** The rows that are not right yet and why, counted by cause. */
export async function countCauses(p: {
  readonly database: Database;
  readonly tenant: string;
}): Promise<
  readonly {
    readonly target: string;
    readonly kind: string;
    readonly state: string;
    readonly code: string | null;
    readonly detail: string | null;
    readonly count: number;
    /** Seconds until the first of them is tried again. */
    readonly nextInSeconds: number;
  }[]
> {
  return p.database.as(p.tenant, (tx) =>
    tx.query(
      `select target, kind, state, failure->>'code' as code, min(failure->>'detail') as detail,
              count(*)::int as count,
              greatest(0, extract(epoch from min(due_at) - now()))::float8 as "nextInSeconds"
       from resource where state <> 'settled' group by 1, 2, 3, 4 order by count(*) desc`,
    ),
  );
}

/** The keys of what the ledger has seen confirmed, by the target's own ids. */
export async function readKeys(p: {
  readonly database: Database;
  readonly tenant: string;
  readonly target: string;
  readonly kind: string;
}): Promise<ReadonlyMap<string, string>> {
  const rows = await p.database.as(p.tenant, (tx) =>
    tx.query<{ key: string; external_id: string }>(
      `select key, external_id from resource
       where target = $1 and kind = $2 and applied is not null and external_id is not null`,
      [p.target, p.kind],
    ),
  );
  return new Map(rows.map((row) => [row.external_id, row.key]));
}
