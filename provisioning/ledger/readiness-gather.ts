/**
 * Who is here today and whose resources are not as policy wants them, in temporary tables of the
 * transaction:
 *
 *   planned   changes that wait for somebody
 *   active    person and institution
 *   thing     courses, cohorts, categories, folders and groups that are not right
 *   sort      of these, what is the same but for the people; with a number
 *   blocker   of them, what will not stand by waiting alone, and why; and what waits for it
 *   blocked   accounts that wait for one of these
 *   own       accounts that are not right
 *   place     person, and number of the sort of thing in which he or she is not, and should be
 *
 * Only rows that are not settled are looked at, and the affiliations. As one statement it took between
 * 2 and 40 s, because nothing tells the planner how many rows come out of a body.
 */
import type { Transaction } from '../store/database.ts';
import { dayOf } from '../store/keep-alive.ts';

export async function gatherGaps(p: {
  readonly tx: Transaction;
  readonly now: Date;
}): Promise<void> {
  const { tx, now } = p;
  // Some 20 MB are sorted and hashed; nothing here is long enough to be worth compiling.
  await tx.execute("set local work_mem = '64MB'");
  await tx.execute('set local enable_mergejoin = off');
  await tx.execute('set local jit = off');
  // Of temporary tables the number of rows is what matters: 300 of them say that as well as 30,000.
  await tx.execute('set local default_statistics_target = 1');
  await gather({ tx, name: 'planned', select: planned, values: [tx.tenant, now] });
  await gather({ tx, name: 'active', select: active, values: [tx.tenant, dayOf(now)] });
  await gather({ tx, name: 'thing', select: things, values: [tx.tenant, now] });
  await gather({ tx, name: 'blocker', select: blockers, values: [tx.tenant] });
  await gather({ tx, name: 'sort', select: sorts, values: [] });
  await gather({ tx, name: 'blocked', select: blocked, values: [tx.tenant] });
  await gather({ tx, name: 'own', select: own, values: [tx.tenant, now] });
  await gather({ tx, name: 'broken', select: broken, values: [tx.tenant] });
  await gather({ tx, name: 'reach', select: reach, values: [] });
  await gather({ tx, name: 'place', select: places, values: [tx.tenant] });
}

async function gather(p: {
  readonly tx: Transaction;
  readonly name: string;
  readonly select: string;
  readonly values: readonly unknown[];
}): Promise<void> {
  await p.tx.execute(`create temporary table ${p.name} on commit drop as ${p.select}`, p.values);
  // How many rows there are is what matters, not what is in the bodies.
  await p.tx.execute(`analyze ${p.name}`);
}

/**
 * Of the plan of the last sync, and of plans that are open beside it. A policy that is only previewed
 * wants nothing yet, nor does an undo that nobody has committed.
 */
const planned = `
  with latest as (
    select id from plan where tenant_id = $1 and state <> 'superseded' and snapshot_id is not null
      and undoes is null and replans is null order by created_at desc limit 1
  ), waiting as materialized (
    select id, state, created_at from plan p
    where tenant_id = $1 and undoes is null and case state
      when 'committed' then id = (select id from latest)
      when 'open' then replans is not null or case when snapshot_id is null
        then not exists (select from policy_version v where v.plan_id = p.id)
        else id = (select id from latest) end
      else false end
  )
  select c.target, c.kind, c.key, c.kind || '/' || c.key as ref, c.person_id, c.lane, c.action, c.held,
         w.created_at as since, c.after, case c.origin when 'drift' then c.found else c.before end as before
  from waiting w cross join lateral (
    select * from change where tenant_id = $1 and plan_id = w.id and w.state = 'open'
    union all
    select * from change where tenant_id = $1 and plan_id = w.id and w.state = 'committed'
      and outcome in ('held', 'left')) c
  where c.origin <> 'adoption' and c.action in ('create', 'update')
    and (c.not_before is null or c.not_before <= $2) and (c.after->>'active')::boolean`;

/**
 * Somebody is active where the roster has him or her today, if policy gives, or would give, an account.
 * Parents and children in day care count there only when they are nothing else anywhere. `once` is true
 * in one row of each person.
 */
const active = `
  with here as materialized (
    select g.person_id, a.institution,
           a.body->>'kind' = 'guardian' or a.body->'roles' = '["child"]' as aside
    from record a join recognition g on g.source = a.source and g.record_key = a.person
    where a.tenant_id = $1 and g.tenant_id = $1 and a.entity = 'affiliation' and a.gone_at is null
      and coalesce(a.body->>'from', $2) <= $2 and coalesce(a.body->>'to', $2) >= $2
  ), place as (
    select person_id, institution from here where not aside
    union
    select person_id, institution from here
    where aside and person_id not in (select person_id from here where not aside)
  )
  select person_id, institution,
         row_number() over (partition by person_id order by institution) = 1 as once
  from place
  where person_id in (select person_id from resource where tenant_id = $1 and person_id is not null
                      union all select person_id from planned where person_id is not null)`;

/** Put off so often that nobody can say any more when it will go: the waits are minutes by then. */
const stuck = `(state = 'due' and attempts >= 8 and coalesce(failure->>'code', '') <> 'waits-for-accounts')`;

const things = `
  select row_number() over () as row, target, kind, key, ref, lane, state, failure->>'code' as code,
         ${stuck} as stuck, due_at, changed_at, desired as wanted, applied as had,
         not coalesce((applied->>'active')::boolean, false) as shut
  from resource
  where tenant_id = $1 and state <> 'settled' and (desired->>'active')::boolean
    and kind in ('group', 'folder', 'category', 'course', 'cohort')
  union all
  select -row_number() over (), target, kind, key, ref, lane,
         case when held is null then 'open' else 'held' end, held, false, $2, since, after, before,
         not coalesce((before->>'active')::boolean, false)
  from planned where kind <> 'account'`;

const blockers = `
  with recursive stone(target, ref, code) as (
    select target, ref, code from thing where state = 'failed' and had is null
    union
    select target, ref, coalesce(held, 'not-approved') from planned
    where kind <> 'account' and action = 'create'
    union
    select n.target, n.ref, s.code from stone s join (
      select r.target, r.ref, n.need from resource r cross join lateral unnest(r.needs) n(need)
      where r.tenant_id = $1 and r.state = 'due' and r.kind <> 'account' and r.applied is null
    ) n on n.target = s.target and n.need = s.ref
  )
  select target, ref, min(code) as code from stone group by 1, 2`;

const blocked = `
  select r.target, r.key, min(b.code) as code
  from blocker b join (
    select r.target, r.key, n.need from resource r cross join lateral unnest(r.needs) n(need)
    where r.tenant_id = $1 and r.state = 'due' and r.kind = 'account'
      and exists (select from blocker)) r on r.target = b.target and r.need = b.ref
  group by 1, 2`;

/** `absent`: the target has none at all. */
const own = `
  select r.person_id, r.target, r.kind, r.lane, r.state, r.failure->>'code' as code, b.code as blocked,
         ${stuck} as stuck, r.due_at, r.changed_at, r.applied is null as absent
  from resource r left join blocked b on b.target = r.target and b.key = r.key
  where r.tenant_id = $1 and r.state <> 'settled' and r.kind = 'account' and r.person_id is not null
    and (r.desired->>'active')::boolean
  union all
  select person_id, target, kind, lane, case when held is null then 'open' else 'held' end, held, null,
         false, $2, since, action = 'create'
  from planned where kind = 'account' and person_id is not null`;

/** A classmate who comes leaves the others alone: only whoever is named, and was not, misses the course. */
const named = `
  select e.key from jsonb_object_keys(coalesce(t.wanted->'enrolments', t.wanted->'roles')) e(key)
  where t.shut and t.kind <> 'cohort'
  union all
  select e.key from jsonb_each(coalesce(t.wanted->'enrolments', t.wanted->'roles')) e
  where not t.shut and t.kind <> 'cohort'
    and coalesce(t.had->'enrolments', t.had->'roles')->e.key is distinct from e.value
  union all
  select e.key from jsonb_array_elements_text(t.wanted->'members') e(key)
  where t.kind = 'cohort' and (t.shut or not coalesce(t.had->'members' ? e.key, false))
  union all
  select e.key from jsonb_each(t.wanted->'groups') g, jsonb_array_elements_text(g.value) e(key)
  where not t.shut and t.kind = 'course' and not coalesce(t.had->'groups'->g.key ? e.key, false)`;

/** Groups that do not stand, or that may not yet do in a folder what they should. */
const reached = `
  select t.key where t.kind = 'group' and t.shut
  union all
  select a.key from jsonb_each(t.wanted->'access') a
  where t.kind = 'folder' and (t.shut or t.had->'access'->a.key is distinct from a.value)
  union all
  select a.key from jsonb_array_elements(t.wanted->'subfolders') s, jsonb_each(s->'access') a
  where t.kind = 'folder' and (t.shut or not coalesce(t.had->'subfolders', '[]') @> jsonb_build_array(s))`;

const dims = `target, kind, lane, state, code, blocked, stuck`;

const sorts = `
  select row_number() over ()::int as id, ${dims}, max(due_at) as due_at, min(changed_at) as since,
         max(changed_at) as committed_at, array_agg(row) as rows
  from (select t.*, b.code as blocked from thing t
        left join blocker b on b.target = t.target and b.ref = t.ref and t.state = 'due') one
  group by target, kind, lane, state, code, blocked, stuck`;

/** What is not right where there are accounts at all: during a first load the people come first. */
const broken = `
  select s.id as sort, t.target, t.kind, t.key, t.shut, t.wanted, t.had
  from sort s cross join lateral unnest(s.rows) r(row) join thing t using (row)
  where s.target in (
    select target from (select distinct target from sort) one
    where exists (select from resource r where r.tenant_id = $1 and r.target = one.target
                    and r.kind = 'account' and r.applied is not null))`;

const reach = `
  select distinct t.sort, t.target, 'group/' || g.key as need
  from broken t cross join lateral (${reached}) g where t.kind in ('group', 'folder')`;

/** Whoever has no account in a target misses that there, and not each place in it too. */
const places = `
  with member as (
    select r.target, r.person_id, n.need from resource r cross join lateral unnest(r.needs) n(need)
    where r.tenant_id = $1 and r.kind = 'account' and r.applied is not null and r.person_id is not null
      and r.target = any(array(select distinct target from reach))
  ), name as materialized (
    select distinct m.key, t.target, t.sort from broken t cross join lateral (${named}) m
    where t.kind in ('course', 'cohort', 'category') and m.key like 'person:%'
  ), called as (
    select substr(key, 8)::uuid as person_id, target, sort from name
  )
  select person_id, sort from called c
  where not exists (select from own o where o.absent and o.person_id = c.person_id and o.target = c.target)
  union
  select m.person_id, c.sort from reach c join member m on m.target = c.target and m.need = c.need`;
