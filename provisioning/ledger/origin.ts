import type { ResourceKind } from '../policy/resource.ts';
import type { Database } from '../store/database.ts';

/** As many as a span takes. */
const mostOrigins = 100;

/** The traces of the commits that made these rows due; only asked while traces are recorded. */
export async function findOrigins(p: {
  readonly database: Database;
  readonly tenant: string;
  readonly target: string;
  readonly kind: ResourceKind;
  readonly keys: readonly string[];
}): Promise<readonly string[]> {
  const rows = await p.database.as(p.tenant, (tx) =>
    tx.query<{ traceparent: string }>(
      `select distinct p.traceparent from resource r join plan p on p.id = r.plan_id
       where r.target = $1 and r.kind = $2 and r.key = any($3) and p.traceparent is not null
       limit ${mostOrigins}`,
      [p.target, p.kind, p.keys],
    ),
  );
  return rows.map((row) => row.traceparent);
}
