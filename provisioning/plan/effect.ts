import type { ResourceKind } from '../policy/resource.ts';
import type { Policy } from '../policy/schema.ts';
import type { Transaction } from '../store/database.ts';
import type { Effect, LimitName } from './limits.ts';

/**
 * What a plan would do, counted in the database from the bodies of its changes, before anything is
 * written. The temporary table `effect` has a row for each change and each sort of effect it has:
 *
 *   measure       | counts                                        | of, what stands in the ledger
 *   --------------+-----------------------------------------------+----------------------------------
 *   deactivate    | accounts shut or deleted                      | active accounts
 *   groups        | other resources shut or deleted               | active ones of the kind
 *   memberships   | places lost: groups of an account, people of  | such places
 *                 | a course or cohort, roles in a category       |
 *   teacherRoles  | of them, and of roles kept in a lesser form,  | such places of staff
 *                 | those of staff                                |
 *   accessLost    | folders in which a role may do less           | active folders
 *   accessGained  | folders in which a role may do more; people   | active folders; active accounts
 *                 | who come into a role that has a folder        |
 *   names         | accounts with another name                    | active accounts
 *   groupNames    | other resources with another name             | active ones of the kind
 *   identifiers   | accounts with another username or UNI-ID; and  | active accounts
 *                 | new accounts, as far as as many are shut      |
 *   growth        | new resources                                 | active ones of the kind
 *
 * Who has left, or is leaving, loses no places here: that was looked at when the account was shut.
 * Places belong to the institution of the group, so that a teacher of two schools does not carry the
 * losses of one into the other. `detail` is the role whose access changes: the worst one counts.
 */
export async function measureEffects(p: {
  readonly tx: Transaction;
  readonly planId: string;
  readonly policy: Policy;
}): Promise<readonly Effect[]> {
  const { tx } = p;
  const plan = [p.planId];
  const staff = staffGroups(p.policy);
  await tx.execute(
    `create temporary table effect (seq integer, institution text, target text, kind text,
       action text, measure text, detail text, n integer) on commit drop`,
  );
  // Rows just written look like none to the planner.
  if ((await tx.execute(insertWhole, plan)) > 500) await tx.execute('analyze change');
  await tx.execute(insertAccountPlaces, [...plan, staff]);
  await tx.execute(insertCoursePlaces, plan);
  await tx.execute(insertCohortPlaces, plan);
  await tx.execute(insertFolderAccess, plan);
  await tx.execute(insertAccessOfPeople, plan);
  // What is held already, because somebody has undone it, has no effect.
  await tx.execute(
    `delete from effect e using change c where c.plan_id = $1 and c.seq = e.seq and c.held is not null`,
    plan,
  );
  await tx.execute('analyze effect');
  await gatherPlaces({ tx, staff });
  return tx.query<Effect & Record<string, unknown>>(countEffects);
}

/** What carries an effect that is to be held: everything that is null fits. */
export interface Carrier {
  readonly institution: string;
  readonly target: string | null;
  readonly kind: string;
  readonly action: string | null;
  readonly measure: LimitName;
  readonly code: string;
}

/**
 * Marks the changes that carry these effects as held, and the new resources that could not be set
 * down without a held one. A change that does other things too is held whole.
 */
export async function holdCarriers(p: {
  readonly tx: Transaction;
  readonly planId: string;
  readonly carriers: readonly Carrier[];
}): Promise<void> {
  const { tx, planId, carriers } = p;
  if (carriers.length === 0) return;
  // Joined in one statement, the planner took them for one row each and looped: over ten minutes for 30,000 people.
  await tx.execute(
    `create temporary table to_hold on commit drop as
     select e.seq, min(x.code) as code
     from jsonb_to_recordset($1::jsonb)
       as x(institution text, target text, kind text, action text, measure text, code text)
     join effect e on e.institution = x.institution and e.measure = x.measure and e.kind = x.kind
       and (x.target is null or x.target = e.target) and (x.action is null or x.action = e.action)
     group by e.seq`,
    [JSON.stringify(carriers)],
  );
  await tx.execute('create unique index on to_hold (seq)');
  await tx.execute('analyze to_hold');
  await tx.execute(
    `update change c set held = h.code from to_hold h where c.plan_id = $1 and c.seq = h.seq`,
    [planId],
  );
  while ((await tx.execute(holdDependents, [planId])) > 0) {
    // What needs the ones that were just held, is next.
  }
}

const holdDependents = `
  update change c set held = d.code
  from (
    with made as materialized (
      select target, kind || '/' || key as ref, held as code from change
      where plan_id = $1 and action = 'create' and held is not null)
    select w.seq, min(made.code) as code
    from (select seq, target, unnest(needs) as need from change where plan_id = $1 and held is null
            and exists (select from made)) w
    join made on made.target = w.target and made.ref = w.need
    group by w.seq) d
  where c.plan_id = $1 and c.seq = d.seq`;

/** Keys of the school groups that only staff can be in: the last part of their ids. */
function staffGroups(policy: Policy): readonly string[] {
  return policy.schools.groups
    .filter(({ when }) => when.kinds?.length && !when.kinds.includes('pupil'))
    .map(({ key }) => key);
}

const nameFields = `array['given', 'family', 'displayName', 'firstname', 'lastname', 'name', 'fullname', 'mountPoint']`;

/** Moodle roles that a pupil never has. */
const teacherRoles = `array['manager', 'editingteacher', 'teacher']`;

/** Whether a group key, as an expression, is one of staff; $2 has the keys of such school groups. */
const isStaffGroup = (key: string) =>
  `(${key} like 'group:%:teachers' or (${key} like 'school:%:%' and substring(${key} from '[^:]+$') = any($2)))`;

/** The role by which a group key gives access: `class`, `class-teachers`, or the key of a school group. */
const roleOf = (key: string) =>
  `case when ${key} like 'group:%:teachers' then 'class-teachers'
        when ${key} like 'group:%' then 'class' else substring(${key} from '[^:]+$') end`;

const insertWhole = `
  insert into effect
  select seq, institution, target, kind, action, measure, '', 1
  from change c cross join lateral (
    select case when kind = 'account' then 'deactivate' else 'groups' end as measure
    where action in ('deactivate', 'delete')
    union all select 'growth' where action = 'create'
    union all select case when kind = 'account' then 'names' else 'groupNames' end
      where action = 'update' and exists (
        select from unnest(${nameFields}) field where before->field is distinct from after->field)
    union all select 'identifiers' where action = 'update' and kind = 'account'
      and (before->'username' is distinct from after->'username'
           or before->'userId' is distinct from after->'userId'
           or (before->'attributes'->'uniId' is not null
               and before->'attributes'->'uniId' is distinct from after->'attributes'->'uniId'))) m
  where plan_id = $1 and institution is not null`;

const insertAccountPlaces = `
  insert into effect
  select c.seq, coalesce(g.institution, c.institution), c.target, c.kind, c.action, m.measure, '', count(*)
  from change c
  cross join lateral jsonb_array_elements_text(c.before->'groups') place(key)
  cross join (values ('memberships'), ('teacherRoles')) m(measure)
  left join resource g on g.target = c.target and g.kind = 'group' and g.key = place.key
  where c.plan_id = $1 and c.kind = 'account' and c.action = 'update'
    and not (c.after->'groups') ? place.key
    and (m.measure = 'memberships' or ${isStaffGroup('place.key')})
  group by 1, 2, 3, 4, 5, 6`;

const insertCoursePlaces = `
  insert into effect
  select c.seq, c.institution, c.target, c.kind, c.action, m.measure, '', count(*)
  from change c
  cross join lateral jsonb_each(coalesce(c.before->'enrolments', c.before->'roles')) place(key, roles)
  cross join lateral jsonb_array_elements_text(place.roles) had(role)
  cross join lateral (
    select coalesce(coalesce(c.after->'enrolments', c.after->'roles')->place.key, '[]') as roles) has
  cross join (values ('memberships'), ('teacherRoles')) m(measure)
  join resource a on a.target = c.target and a.kind = 'account' and a.key = place.key
  where c.plan_id = $1 and c.kind in ('course', 'category') and c.action = 'update'
    and not has.roles ? had.role
    and case m.measure when 'memberships' then has.roles = '[]' else had.role = any(${teacherRoles}) end
    and (a.desired->>'active')::boolean
  group by 1, 2, 3, 4, 5, 6`;

const insertCohortPlaces = `
  insert into effect
  select c.seq, c.institution, c.target, c.kind, c.action, 'memberships', '', count(*)
  from change c
  cross join lateral jsonb_array_elements_text(c.before->'members') place(key)
  join resource a on a.target = c.target and a.kind = 'account' and a.key = place.key
  where c.plan_id = $1 and c.kind = 'cohort' and c.action = 'update'
    and not (c.after->'members') ? place.key and (a.desired->>'active')::boolean
  group by 1, 2, 3, 4, 5`;

/** A folder's own access, and that of the folders inside which are there before and after. */
const insertFolderAccess = `
  insert into effect
  select distinct c.seq, c.institution, c.target, c.kind, c.action, m.measure, ${roleOf('grant_.key')}, 1
  from change c
  cross join lateral (
    select c.before->'access' as old, c.after->'access' as wanted
    union all
    select b->'access', a->'access'
    from jsonb_array_elements(coalesce(c.before->'subfolders', '[]')) b
    join jsonb_array_elements(coalesce(c.after->'subfolders', '[]')) a on a->>'path' = b->>'path') place
  cross join lateral (
    select key, coalesce(place.old->>key, '0')::int as old, coalesce(place.wanted->>key, '0')::int as wanted
    from (select jsonb_object_keys(place.old) union select jsonb_object_keys(place.wanted)) k(key)) grant_
  cross join lateral (
    select 'accessLost' as measure where grant_.old & ~grant_.wanted <> 0
    union all select 'accessGained' where grant_.wanted & ~grant_.old <> 0) m
  where c.plan_id = $1 and c.kind = 'folder' and c.action = 'update' and c.institution is not null`;

/** Only folders that stand already have something in them to see. */
const insertAccessOfPeople = `
  insert into effect
  with opens as materialized (
    select distinct f.target, f.institution, grant_.key
    from resource f cross join lateral jsonb_each(f.desired->'access') grant_(key, bits)
    where f.kind = 'folder' and (f.desired->>'active')::boolean
      and exists (select from change where plan_id = $1 and kind = 'account' and action = 'update'))
  select distinct c.seq, opens.institution, c.target, c.kind, c.action, 'accessGained', ${roleOf('place.key')}, 1
  from change c
  cross join lateral jsonb_array_elements_text(c.after->'groups') place(key)
  join opens on opens.target = c.target and opens.key = place.key
  where c.plan_id = $1 and c.kind = 'account' and c.action = 'update'
    and not (c.before->'groups') ? place.key and opens.institution is not null`;

/** The places that there are to lose, where some are lost, in the temporary table `standing_place`. */
async function gatherPlaces(p: {
  readonly tx: Transaction;
  readonly staff: readonly string[];
}): Promise<void> {
  await p.tx.execute(
    `create temporary table standing_place (institution text, target text, kind text, measure text,
       n integer) on commit drop`,
  );
  const losing = await p.tx.query<{ kind: ResourceKind; institutions: string[] }>(
    `select kind, array_agg(distinct institution) as institutions from effect
     where measure in ('memberships', 'teacherRoles') group by kind`,
  );
  for (const { kind, institutions } of losing) {
    await p.tx.execute(
      kind === 'account' ? gatherAccountPlaces : gatherPeoplePlaces,
      kind === 'account' ? [institutions, p.staff] : [institutions, kind],
    );
  }
}

const gatherAccountPlaces = `
  insert into standing_place
  select coalesce(g.institution, a.institution), a.target, a.kind, m.measure, count(*)
  from resource a
  cross join lateral jsonb_array_elements_text(a.desired->'groups') place(key)
  cross join (values ('memberships'), ('teacherRoles')) m(measure)
  left join resource g on g.target = a.target and g.kind = 'group' and g.key = place.key
  where a.kind = 'account' and (a.desired->>'active')::boolean
    and coalesce(g.institution, a.institution) = any($1)
    and (m.measure = 'memberships' or ${isStaffGroup('place.key')})
  group by 1, 2, 3, 4`;

const gatherPeoplePlaces = `
  insert into standing_place
  select r.institution, r.target, r.kind, m.measure, sum(m.n)
  from resource r cross join lateral (
    select 'memberships' as measure, count(*) as n from jsonb_object_keys(coalesce(r.desired->'enrolments', r.desired->'roles'))
    union all select 'memberships', jsonb_array_length(coalesce(r.desired->'members', '[]'))
    union all select 'teacherRoles', count(*)
      from jsonb_each(coalesce(r.desired->'enrolments', r.desired->'roles')) place(key, roles)
      cross join lateral jsonb_array_elements_text(place.roles) had(role)
      where had.role = any(${teacherRoles})) m
  where r.kind = $2 and r.institution = any($1) and (r.desired->>'active')::boolean
  group by 1, 2, 3, 4`;

const countEffects = `
  with active as (
    select institution, target, kind, count(*)::int as n from resource
    where (desired->>'active')::boolean group by 1, 2, 3
  ), counted as (
    select institution, target, kind, action, measure, detail, sum(n)::int as count
    from effect group by 1, 2, 3, 4, 5, 6
    union all
    select institution, target, kind, 'create', 'identifiers', '', least(
        count(*) filter (where measure = 'growth'),
        count(*) filter (where measure = 'deactivate' and action = 'deactivate'))::int
    from effect where kind = 'account' group by 1, 2, 3
  ), worst as (
    select distinct on (institution, target, kind, action, measure) * from counted
    where count > 0 order by institution, target, kind, action, measure, count desc, detail
  )
  select w.institution, w.target, w.kind, w.action, w.measure as "limit", nullif(w.detail, '') as detail,
         w.count, coalesce(case when w.measure in ('memberships', 'teacherRoles') then s.n else a.n end, 0) as of
  from worst w
  left join active a using (institution, target, kind)
  left join standing_place s using (institution, target, kind, measure)
  order by 1, 2, 3, 4, 5`;
