/** What the ledger and the plans say of one person: the accounts, the places, and who decided. */
import type { Action } from '../plan/diff.ts';
import type { Fields } from '../plan/seen.ts';
import type { Transaction } from '../store/database.ts';

export interface AccountRow {
  readonly target: string;
  readonly key: string;
  readonly desired: Fields | null;
  readonly applied: Fields | null;
  readonly state: 'due' | 'settled' | 'failed';
  readonly attempts: number;
  readonly dueAt: Date;
  readonly beingWritten: boolean;
  readonly failure: FailureFields | null;
  readonly triedAt: Date | null;
  readonly settledAt: Date | null;
  readonly changedAt: Date;
  readonly scheduled: Fields | null;
  readonly scheduledAt: Date | null;
  readonly inactiveSince: Date | null;
  /** Titles of what must stand in the target first and does not. */
  readonly waitsFor: readonly string[];
  /** Those of them that did not go well, and will not come by waiting alone. */
  readonly blockedBy: readonly string[];
  readonly decided: DecidedBy | null;
}

export interface FailureFields {
  readonly code: string;
  readonly detail: string;
  /** The target was out of reach: nothing was wrong with the row. */
  readonly outage?: boolean;
}

/** The committed plan that last changed the resource, and why. */
export interface DecidedBy {
  readonly plan: string;
  readonly createdAt: string;
  readonly committedAt: string | null;
  readonly action: Action | null;
  readonly reason: string | null;
  /** Who committed or approved it, where the plan says so. */
  readonly by: string | null;
}

export interface PlaceRow {
  readonly target: string;
  readonly kind: string;
  readonly key: string;
  readonly title: string;
  readonly state: AccountRow['state'];
  readonly open: boolean;
  readonly failure: FailureFields | null;
  readonly scheduledAt: Date | null;
  /** Folders: keys of the person's own groups that have access. */
  readonly through: readonly string[];
  /** Roles in a course or category. */
  readonly roles: readonly string[];
}

/** A change of an account that was planned and is not done. */
export interface PendingChange {
  readonly plan: string;
  readonly target: string;
  readonly action: Action;
  readonly reason: string;
  /** Code of what holds it; null: the plan was not committed. */
  readonly held: string | null;
}

export interface TargetPulse {
  readonly target: string;
  readonly answeredAt: Date | null;
  /** Code of the outage that is going on; null: the last try was answered. */
  readonly outage: string | null;
}

export async function readAccounts(p: {
  readonly tx: Transaction;
  readonly person: string;
}): Promise<readonly AccountRow[]> {
  const rows = await p.tx.query<AccountRow & Record<string, unknown>>(
    `select r.target, r.key, r.desired, r.applied, r.state, r.attempts, r.due_at as "dueAt",
            coalesce(r.leased_until > now(), false) as "beingWritten", r.failure,
            r.tried_at as "triedAt", r.settled_at as "settledAt", r.changed_at as "changedAt",
            r.scheduled, r.scheduled_at as "scheduledAt", r.inactive_since as "inactiveSince",
            array(select coalesce(n.title, need) from unnest(r.needs) need
                  left join resource n on n.target = r.target and n.ref = need
                  where n.applied is null order by 1) as "waitsFor",
            array(select coalesce(n.title, need) from unnest(r.needs) need
                  left join resource n on n.target = r.target and n.ref = need
                  where n.key is null or (n.applied is null and n.failure is not null)
                  order by 1) as "blockedBy",
            case when d.id is null then null else jsonb_build_object('plan', d.id,
              'createdAt', d.created_at, 'committedAt', d.committed_at, 'action', c.action,
              'reason', c.reason->>'code', 'by', to_jsonb(d)->>'committed_by') end as decided
     from resource r
     left join plan d on d.id = r.plan_id
     left join change c on c.plan_id = r.plan_id and c.target = r.target and c.kind = r.kind and c.key = r.key
     where r.person_id = $1 and r.kind = 'account' order by r.target`,
    [p.person],
  );
  return rows.map((row) => ({ ...row, decided: row.decided && withTimes(row.decided) }));
}

/** Times inside JSON come as PostgreSQL writes them. */
function withTimes(decided: DecidedBy): DecidedBy {
  const toUtc = (time: string) => new Date(time).toISOString();
  return {
    ...decided,
    createdAt: toUtc(decided.createdAt),
    committedAt: decided.committedAt && toUtc(decided.committedAt),
  };
}

/** Groups, folders, courses, cohorts and categories that the person is in by the desired state. */
export async function readPlaces(p: {
  readonly tx: Transaction;
  readonly key: string;
  readonly target: string;
  readonly groups: readonly string[];
}): Promise<readonly PlaceRow[]> {
  return p.tx.query<PlaceRow & Record<string, unknown>>(
    `select target, kind, key, title, state, coalesce((desired->>'active')::boolean, false) as open,
            failure, scheduled_at as "scheduledAt",
            case when kind = 'folder' then
              array(select g from unnest($3::text[]) g where desired->'access' ? g order by g)
            else '{}' end as through,
            array(select jsonb_array_elements_text(case kind
              when 'course' then desired->'enrolments'->$2 when 'category' then desired->'roles'->$2
              else '[]' end)) as roles
     from resource
     where target = $1 and desired is not null and case kind
       when 'group' then key = any($3)
       when 'folder' then desired->'access' ?| $3::text[]
       when 'course' then desired->'enrolments' ? $2
       when 'cohort' then desired->'members' ? $2
       when 'category' then desired->'roles' ? $2
       else false end
     order by kind, title, key`,
    [p.target, p.key, p.groups],
  );
}

/** What the plan that is open, or the last sync, has for the person's accounts and was not done. */
export async function readPending(p: {
  readonly tx: Transaction;
  readonly person: string;
}): Promise<readonly PendingChange[]> {
  return p.tx.query<PendingChange & Record<string, unknown>>(
    `with latest as (
       select id from plan where state = 'committed' and snapshot_id is not null
       order by created_at desc limit 1)
     select p.id as plan, c.target, c.action, c.reason->>'code' as reason, c.held
     from plan p join change c on c.plan_id = p.id
     where c.person_id = $1 and c.kind = 'account'
       and (p.state = 'open' or (c.held is not null and p.id = (select id from latest)))
     order by p.created_at desc, c.seq`,
    [p.person],
  );
}

/** When each target last answered anything, and whether it is out of reach since. */
export async function readPulse(tx: Transaction): Promise<readonly TargetPulse[]> {
  return tx.query<TargetPulse & Record<string, unknown>>(
    `select target, answered as "answeredAt",
            case when answered is null or tried > answered then code end as outage
     from (select target,
                  greatest(max(settled_at), max(tried_at)
                    filter (where failure is null or not failure ? 'outage')) as answered,
                  max(tried_at) filter (where failure ? 'outage') as tried,
                  (array_agg(failure->>'code' order by tried_at desc)
                     filter (where failure ? 'outage'))[1] as code
           from resource group by target) t order by target`,
  );
}

/** `target/key` of things without a person -> the title that people know them by. */
export async function readGroupTitles(p: {
  readonly tx: Transaction;
  readonly keys: readonly string[];
}): Promise<ReadonlyMap<string, string>> {
  const rows = await p.tx.query<{ ref: string; title: string }>(
    `select target || '/' || key as ref, title from resource where kind = 'group' and key = any($1)`,
    [p.keys],
  );
  return new Map(rows.map((row) => [row.ref, row.title]));
}
