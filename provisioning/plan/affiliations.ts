import { leavingDays } from '../policy/lifecycle.ts';
import type { AffiliationSlice } from '../policy/resource.ts';
import type { Policy } from '../policy/schema.ts';
import type { Transaction } from '../store/database.ts';
import { isKept } from '../store/keep-alive.ts';

/**
 * Who is here on one day, in temporary tables of the transaction:
 *
 *   group_day              groups of the roster with their first and last day
 *   effective_affiliation  in the roster and within its dates, or about to begin (`starts`: its first
 *                          day, where that lies ahead)
 *   last_affiliation       what somebody was last who is here no more but whose account still stands
 *   idle_affiliation       in the roster, but over or not begun, and neither of these: its memberships
 *                          do not count
 *
 * What begins soon counts only for somebody who is not here already: a mover gets the new school on
 * the first day there, and not before.
 */
export async function gatherAffiliations(p: {
  readonly tx: Transaction;
  readonly today: string;
  readonly lifecycle: Policy['lifecycle'];
  /** Only this person; absent: everybody. */
  readonly person?: string;
}): Promise<void> {
  const { tx, today } = p;
  const one = p.person ?? null;
  const ready = JSON.stringify(p.lifecycle.readyDays);
  await gatherGroupDays(tx);
  await gatherGradeZeroStarts(p);
  await tx.execute(
    `create temporary table effective_affiliation on commit drop as
     with dated as (
       select g.person_id, r.institution, r.body,
              case when r.body->>'from' > $1 then r.body->>'from'
                   -- A date of a group alone never shuts out somebody who is in already.
                   when z.first_day is not null and not exists (
                     select from resource s where s.person_id = g.person_id
                       and (s.desired->>'active')::boolean) then z.first_day end as starts
       from record r
       join recognition g on g.source = r.source and g.record_key = r.person
       left join grade_zero_start z on z.source = r.source and z.affiliation = r.key
       where r.entity = 'affiliation' and r.gone_at is null and coalesce(r.body->>'to', $1) >= $1
         and ($3::uuid is null or g.person_id = $3)
     )
     select person_id, institution, body->>'kind' as kind,
            array(select distinct role from unnest(array_agg(body->'roles')) list,
                  jsonb_array_elements_text(list) role order by role) as roles,
            min(body->>'grade') as grade,
            bool_or(coalesce((body->>'primary')::boolean, false)) as primary,
            case when bool_and(starts is not null) then min(starts) end as starts
     from dated
     where starts is null or starts::date <= $1::date + ($2::jsonb->>(body->>'kind'))::int
     group by person_id, institution, body->>'kind'`,
    [today, ready, one],
  );
  await tx.execute('create index on effective_affiliation (person_id)');
  // A parent, or a child in day care, is here without an account: it gets one as a newcomer does.
  await tx.execute(
    `delete from effective_affiliation e where e.starts is not null
       and exists (select from effective_affiliation o where o.person_id = e.person_id
                     and o.starts is null and o.kind <> 'guardian' and o.roles <> '{child}')`,
  );
  // Whoever only asks about one person forgets nothing.
  if (one === null) await forgetPrimaries(p);
  await choosePrimary(tx);
  await tx.execute(
    `create temporary table last_affiliation on commit drop as
     with former as (
       select g.person_id, r.institution, r.body,
              case when ${endOf('r')} <= $1::date + 1 then ${endOf('r')} else '-infinity' end as ended
       from record r join recognition g on g.source = r.source and g.record_key = r.person
       where r.entity = 'affiliation' and ($2::uuid is null or g.person_id = $2)
         and not exists (select from effective_affiliation e where e.person_id = g.person_id)
         and exists (select from resource s where s.person_id = g.person_id
                       and (s.desired->>'active')::boolean)
     )
     select distinct person_id, institution, body->>'kind' as kind,
            array(select jsonb_array_elements_text(body->'roles')) as roles, body->>'grade' as grade, ended
     from (select *, max(ended) over (partition by person_id) as latest from former) f
     where ended = latest`,
    [today, one],
  );
  await dropWithoutGrace(p);
  await tx.execute(
    `create temporary table idle_affiliation on commit drop as
     select r.source, r.key from record r
     join recognition g on g.source = r.source and g.record_key = r.person
     where r.entity = 'affiliation' and r.gone_at is null
       and (r.body->>'from' > $1 or r.body->>'to' < $1)
       and not exists (
         select from (select person_id, institution, kind from effective_affiliation
                      union all select person_id, institution, kind from last_affiliation) e
         where e.person_id = g.person_id and e.institution = r.institution
           and e.kind = r.body->>'kind')`,
    [today],
  );
  await tx.execute('analyze effective_affiliation, last_affiliation, idle_affiliation');
}

/** Whom policy gives no grace loses the memberships in the same plan as the account. */
async function dropWithoutGrace(p: {
  readonly tx: Transaction;
  readonly today: string;
  readonly lifecycle: Policy['lifecycle'];
}): Promise<void> {
  const { lifecycle, tx } = p;
  const ofRoles = Object.values(lifecycle.roles).map((days) => days.graceDays);
  if (![...Object.values(lifecycle.graceDays), ...ofRoles].includes(0)) return;
  const leavers = await tx.query<{ person: string; affiliations: AffiliationSlice[] }>(
    `select a.person_id as person,
            jsonb_agg(jsonb_build_object('kind', a.kind, 'roles', a.roles)) as affiliations
     from last_affiliation a
     where not ${isKept({ person: 'a.person_id', today: '$1', kinds: ['keep'] })} group by 1`,
    [p.today],
  );
  const atOnce = leavers.filter(
    ({ affiliations }) => leavingDays({ lifecycle, which: 'graceDays', affiliations }) === 0,
  );
  await tx.execute('delete from last_affiliation where person_id = any($1::uuid[])', [
    atOnce.map(({ person }) => person),
  ]);
}

/** SQL: when an affiliation in the row `name` ended: gone from the feed, or its last day was over; null: not yet. */
export function endOf(name: string): string {
  return `least(${name}.gone_at,
    (((${name}.body->>'to')::date + 1)::timestamp at time zone 'UTC'))`;
}

/** SQL: kind and roles of what the person in this column was last, or is, as a list. */
export function lastAffiliations(person: string): string {
  return `coalesce((
    select jsonb_agg(jsonb_build_object('kind', a.body->>'kind', 'roles', a.body->'roles'))
    from (select f.body, ${endOf('f')} as ended, max(coalesce(${endOf('f')}, 'infinity')) over () as latest
          from recognition g
          join record f on f.source = g.source and f.entity = 'affiliation' and f.person = g.record_key
          where g.person_id = ${person}) a
    where coalesce(a.ended, 'infinity') = a.latest), '[]')`;
}

async function gatherGroupDays(tx: Transaction): Promise<void> {
  await tx.execute(
    `create temporary table group_day on commit drop as
     select r.source, r.key, r.institution, r.body,
            coalesce(r.body->>'from', term.first_day) as first_day,
            coalesce(r.body->>'to', term.last_day) as last_day
     from record r
     left join lateral (
       select min(t.body->>'from') as first_day, max(t.body->>'to') as last_day
       from record t where t.entity = 'term' and t.source = r.source
         and t.key in (select jsonb_array_elements_text(r.body->'terms'))) term on true
     where r.entity = 'group' and r.gone_at is null`,
  );
  await tx.execute('analyze group_day');
}

/**
 * The first day of pupils whose groups all are of grade 0 and begin later: WS17 has no dates of its
 * own for people, and its summer export holds next year's classes. Grade 0 alone, because all other
 * grades have such classes too, and their pupils are here already.
 */
async function gatherGradeZeroStarts(p: {
  readonly tx: Transaction;
  readonly today: string;
}): Promise<void> {
  await p.tx.execute(
    `create temporary table grade_zero_start on commit drop as
     with ahead as (
       select source, key, first_day from group_day where body->>'grade' = '0' and first_day > $1
     ), candidate as (
       select m.source, m.person, m.body->>'affiliation' as affiliation, min(a.first_day) as first_day
       from ahead a
       join record m on m.entity = 'membership' and m.source = a.source and m."group" = a.key
       where m.gone_at is null and split_part(m.body->>'affiliation', '/', 3) = 'pupil'
       group by 1, 2, 3
     )
     select c.source, c.affiliation, c.first_day from candidate c
     where not exists (
       select from record o where o.entity = 'membership' and o.source = c.source
         and o.person = c.person and o.gone_at is null and o.body->>'affiliation' = c.affiliation
         and not exists (select from ahead a where a.source = o.source and a.key = o."group"))`,
    [p.today],
  );
  await p.tx.execute('analyze grade_zero_start');
}

/**
 * An operator's choice does not count while the person is not there, and is forgotten when that has
 * lasted longer than any grace: a broken export must not cost it.
 */
async function forgetPrimaries(p: {
  readonly tx: Transaction;
  readonly today: string;
  readonly lifecycle: Policy['lifecycle'];
}): Promise<void> {
  await p.tx.execute(
    `delete from primary_choice c where not exists (
       select from recognition g
       join record r on r.source = g.source and r.entity = 'affiliation' and r.person = g.record_key
       where g.person_id = c.person_id and r.institution = c.institution
         and coalesce(${endOf('r')}, 'infinity') > $1::date - $2::int)`,
    [p.today, Math.max(...Object.values(p.lifecycle.graceDays))],
  );
}

/** An operator's choice goes before the feed's word. */
async function choosePrimary(tx: Transaction): Promise<void> {
  await tx.execute(
    `update effective_affiliation a set "primary" = a.institution = c.institution
     from primary_choice c where c.person_id = a.person_id
       and exists (select from effective_affiliation o
                   where o.person_id = c.person_id and o.institution = c.institution)`,
  );
}
