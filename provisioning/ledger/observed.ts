import type { Database, Transaction } from '../store/database.ts';

/** SQL: the outcome of a drift change `c` whose desired state is as it was: stale where a worker was at it since. */
export const driftOutcome = `(case
  when exists (select from resource r join plan p on p.id = c.plan_id
       where r.target = c.target and r.kind = c.kind and r.key = c.key
         and (r.changed_at > p.created_at or r.settled_at > p.created_at
              or r.leased_until > now())) then 'stale'
  else 'committed' end)`;

/**
 * Writes what was found in the target into the ledger's applied state. What is to be mended is due
 * again; what policy accepts is not. A leaving that is under way goes on.
 */
export async function takeObserved(p: {
  readonly tx: Transaction;
  readonly planId: string;
}): Promise<void> {
  await p.tx.execute(
    `update resource r set
       applied = c.found,
       external_id = case when c.found is null then null else r.external_id end,
       desired = c.after,
       scheduled = case when c.after is null then null else r.scheduled end,
       scheduled_at = case when c.after is null then null else r.scheduled_at end,
       state = case when c.action = 'adopt' then r.state else 'due' end,
       lane = case when c.action = 'adopt' then r.lane else c.lane end,
       due_at = now(), attempts = 0, failure = null, plan_id = c.plan_id, changed_at = now()
     from change c
     where c.plan_id = $1 and c.outcome = 'committed' and c.origin = 'drift'
       and r.target = c.target and r.kind = c.kind and r.key = c.key`,
    [p.planId],
  );
}

/** The database's clock: what was settled after this may not have been seen. */
export async function readClock(p: {
  readonly database: Database;
  readonly tenant: string;
}): Promise<Date> {
  const [row] = await p.database.as(p.tenant, (tx) =>
    tx.query<{ now: Date }>('select clock_timestamp() as now'),
  );
  if (row === undefined) throw new Error('The database did not tell the time.');
  return row.now;
}
