import { accountKey } from '../policy/resource-rules.ts';
import type { Database, Transaction } from '../store/database.ts';

/** Somebody in lane `now` must not wait for a class that is due in lane `bulk`: what is needed comes along. */
export async function hurryNeeds(tx: Transaction): Promise<void> {
  await tx.execute(
    `with recursive needed as (
       select r.target, u.need from resource r, unnest(r.needs) u(need)
       where r.state = 'due' and r.lane = 'now'
       union
       select r.target, u.need from needed n
       join resource r on r.target = n.target and r.ref = n.need and r.applied is null, unnest(r.needs) u(need))
     update resource r set lane = 'now' from needed n
     where r.target = n.target and r.ref = n.need and r.state = 'due' and r.lane <> 'now' and r.applied is null`,
  );
}

/**
 * Puts what is due of one person before everything else: the accounts, and the courses, cohorts and
 * categories in which he or she is still missing; with what they need.
 *
 * @returns how many resources are hurried now
 */
export async function hurryPerson(p: {
  readonly database: Database;
  readonly tenant: string;
  /** Our own id. */
  readonly person: string;
}): Promise<number> {
  return p.database.as(p.tenant, async (tx) => {
    const hurried = await tx.execute(
      `update resource r set lane = 'now', due_at = least(due_at, now())
       where r.state = 'due' and (r.person_id = $1 or (
         r.kind in ('course', 'cohort', 'category')
         and (coalesce(r.desired->'enrolments', r.desired->'members', r.desired->'roles', '{}') ? $2)
         and not coalesce(coalesce(r.applied->'enrolments', r.applied->'members', r.applied->'roles') ? $2, false)))`,
      [p.person, accountKey(p.person)],
    );
    await hurryNeeds(tx);
    return hurried;
  });
}
