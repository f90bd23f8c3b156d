import type { Transaction } from '../store/database.ts';

/**
 * SQL: the outcome of an adoption `c` at its commit. Stale where the resource was linked, written or
 * changed since the proposal was made, where a worker is at it, where something else was linked to the
 * same thing, or where the username has become somebody else's.
 */
export const adoptionOutcome = `(case
  when exists (select from resource r join plan p on p.id = c.plan_id
       where r.target = c.target and r.kind = c.kind and r.key = c.key
         and (r.applied is not null or r.external_id is not null or r.leased_until > now()
              or r.changed_at > p.created_at)) then 'stale'
  when exists (select from resource r
       where r.target = c.target and r.kind = c.kind and r.external_id = c.external_id) then 'stale'
  when c.kind = 'account' and exists (select from username u
       where u.username = lower(coalesce(c.after->>'username', c.after->>'userId'))
         and u.person_id <> c.person_id) then 'stale'
  else 'committed' end)`;

/**
 * Links what the plan adopts: the resource gets the target's id and is due, so that its connector
 * brings it to what policy wants and marks it as ours. A person's username becomes the one that
 * stands there, and is kept from now on.
 */
export async function linkAdopted(p: {
  readonly tx: Transaction;
  readonly planId: string;
}): Promise<void> {
  await p.tx.execute(
    `insert into resource as r (tenant_id, target, kind, key, institution, title, person_id, needs,
                                desired, external_id, state, lane, plan_id)
     select tenant_id, target, kind, key, institution, title, person_id, needs, after, external_id,
            'due', lane, plan_id
     from change where plan_id = $1 and outcome = 'committed' and origin = 'adoption'
     on conflict (tenant_id, target, kind, key) do update
       set desired = excluded.desired, external_id = excluded.external_id, needs = excluded.needs,
           title = excluded.title, institution = excluded.institution, lane = excluded.lane,
           state = 'due', due_at = now(), attempts = 0, failure = null, scheduled = null,
           scheduled_at = null, inactive_since = null, plan_id = excluded.plan_id, changed_at = now()`,
    [p.planId],
  );
  await p.tx.execute(
    `update username u set username = lower(coalesce(c.after->>'username', c.after->>'userId'))
     from change c
     where c.plan_id = $1 and c.outcome = 'committed' and c.origin = 'adoption'
       and c.kind = 'account' and u.person_id = c.person_id
       and u.username <> lower(coalesce(c.after->>'username', c.after->>'userId'))`,
    [p.planId],
  );
}
