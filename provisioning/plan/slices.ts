import type {
  GroupSlice,
  InstitutionPersonSlice,
  InstitutionSlice,
  PersonSlice,
} from '../policy/resource.ts';
import type { Policy } from '../policy/schema.ts';
import type { Transaction } from '../store/database.ts';
import { gatherAffiliations } from './affiliations.ts';

/**
 * The roster as policy sees it on one day, in temporary tables of the transaction: who is here
 * (affiliations.ts), and
 *
 *   effective_group       in the roster and within its dates, and grade 0 as early as its pupils
 *   effective_membership  the same; and for a person who is leaving (no affiliation any more, but an
 *                         account that still stands) the last memberships, so that classes and
 *                         folders change on the day the account does, and not before
 */
export async function gatherRoster(p: {
  readonly tx: Transaction;
  readonly today: string;
  readonly lifecycle: Policy['lifecycle'];
  /** Only this person; absent: everybody. */
  readonly person?: string;
}): Promise<void> {
  const { tx, today } = p;
  const ready = JSON.stringify(p.lifecycle.readyDays);
  await gatherAffiliations(p);
  await tx.execute(
    `create temporary table effective_group on commit drop as
     select distinct on (key) key, institution, body, first_day > $1 as ahead,
            -- Next year's class must not bear the name of this year's.
            case when first_day > $1 then (
              select y || '-' || (y + 1)
              from extract(year from first_day::date - interval '7 months') y) end as school_year
     from group_day
     where coalesce(first_day, $1)::date <=
           $1::date + case when body->>'grade' = '0' then ($2::jsonb->>'pupil')::int else 0 end
       and coalesce(last_day, $1) >= $1
     order by key, source`,
    [today, ready],
  );
  await tx.execute('create unique index on effective_group (key)');
  await tx.execute(
    `create temporary table effective_membership on commit drop as
     with leaving as (
       select person_id, nullif(max(ended), '-infinity') as ended from last_affiliation group by 1
     ), starter as (
       select person_id from effective_affiliation group by person_id having bool_and(starts is not null)
     ), dated as (
       select g.person_id, r."group", r.body, split_part(r.body->>'affiliation', '/', 3) as kind,
              e.ahead or s.person_id is not null as early,
              -- Whoever is leaving is seen as on the last day.
              least($1, ((l.ended - interval '1 microsecond') at time zone 'UTC')::date::text) as day
       from record r
       join recognition g on g.source = r.source and g.record_key = r.person
       join effective_group e on e.key = r."group"
       left join leaving l on l.person_id = g.person_id
       left join starter s on s.person_id = g.person_id
       where r.entity = 'membership' and ($3::uuid is null or g.person_id = $3)
         and (r.gone_at is null or r.gone_at >= l.ended)
         and not exists (select from idle_affiliation i
                         where i.source = r.source and i.key = r.body->>'affiliation')
     )
     select person_id, "group", body->>'role' as role, kind, bool_or((body->>'main')::boolean) as main
     from dated
     where coalesce(body->>'from', $1)::date <=
           $1::date + case when early then ($2::jsonb->>kind)::int else 0 end
       and coalesce(body->>'to', day) >= day
     group by 1, 2, 3, 4`,
    [today, ready, p.person ?? null],
  );
  await tx.execute('create index on effective_membership (person_id)');
  await tx.execute('create index on effective_membership ("group")');
  await tx.execute('analyze effective_group, effective_membership');
  await tx.execute(
    `create temporary table seen_person on commit drop as
     with everybody as (
       select person_id, true as present from effective_affiliation
       union select person_id, false from effective_membership
     ), affiliation as (
       select person_id, institution, kind, roles, grade, "primary", starts from effective_affiliation
       -- A leaving person is still seen through what he or she last was.
       union all
       select person_id, institution, kind, roles, grade, false, null from last_affiliation
     )
     select e.person_id, bool_or(e.present) as present,
            coalesce((select jsonb_agg(distinct jsonb_build_object('institution', a.institution, 'kind', a.kind,
                      'roles', a.roles, 'grade', a.grade, 'primary', a."primary", 'starts', a.starts,
                      'groupKinds', array(
                        select distinct g.body->>'kind'
                        from effective_membership m join effective_group g on g.key = m."group"
                        where m.person_id = a.person_id and g.institution = a.institution and m.kind = a.kind
                        order by 1)))
             from affiliation a where a.person_id = e.person_id), '[]') as affiliations
     from everybody e group by e.person_id`,
  );
  await tx.execute('create unique index on seen_person (person_id)');
  await tx.execute('analyze seen_person');
}

/** Everybody seen who has a username, in the temporary table `account_holder`. */
export async function gatherAccountHolders(tx: Transaction): Promise<void> {
  await tx.execute(
    `create temporary table account_holder on commit drop as
     select s.person_id, s.present, s.affiliations, u.username
     from seen_person s join username u on u.person_id = s.person_id`,
  );
  await tx.execute('create unique index on account_holder (person_id)');
  await tx.execute('analyze account_holder');
}

export async function readInstitutions(
  tx: Transaction,
): Promise<ReadonlyMap<string, InstitutionSlice>> {
  const rows = await tx.query<{ key: string; name: string; kind: string }>(
    `select distinct on (key) key, body->>'name' as name, body->>'kind' as kind
     from record where entity = 'institution' order by key, source`,
  );
  return new Map(rows.map((row) => [row.key, row]));
}

/** Who has one of these roles at each institution, among those with a username. */
export async function readPeopleWithRoles(p: {
  readonly tx: Transaction;
  readonly roles: readonly string[];
}): Promise<ReadonlyMap<string, readonly InstitutionPersonSlice[]>> {
  if (p.roles.length === 0) return new Map();
  const rows = await p.tx.query<{ institution: string; people: InstitutionPersonSlice[] }>(
    `select a.institution, jsonb_agg(jsonb_build_object('person', a.person_id, 'roles', a.roles,
              'affiliations', h.affiliations) order by a.person_id, a.kind) as people
     from effective_affiliation a join account_holder h on h.person_id = a.person_id
     where a.roles && $1 group by a.institution`,
    [p.roles],
  );
  return new Map(rows.map((row) => [row.institution, row.people]));
}

const groupColumns = `e.key, e.institution, e.body->>'kind' as kind, e.body->>'name' as name,
  e.body->>'grade' as grade, e.body->>'line' as line, e.body->>'subject' as subject,
  e.body->>'from' as from, e.body->>'to' as to, e.school_year as "schoolYear"`;

/** Everybody with a present affiliation and a username, in order of person id. */
export async function* readPeople(tx: Transaction): AsyncGenerator<PersonSlice> {
  const rows = tx.stream<PersonSlice>(
    `select p.person_id as id, p.username, r.uni_id as "uniId",
            (r.body->>'protected')::boolean as protected, r.body->>'given' as given,
            r.body->>'family' as family, r.body->>'email' as email,
            (r.body->>'mayLogIn')::boolean as "mayLogIn", p.affiliations,
            coalesce((select jsonb_agg(jsonb_build_object('key', m."group", 'institution', e.institution,
                        'kind', e.body->>'kind', 'role', m.role, 'main', m.main)
                        order by m."group", m.role, m.kind)
                      from effective_membership m join effective_group e on e.key = m."group"
                      where m.person_id = p.person_id), '[]') as groups
     from account_holder p
     join lateral (
       select r.body, (select id->>'value' from jsonb_array_elements(r.body->'ids') id
                       where id->>'system' = 'uni-id' order by 1 limit 1) as uni_id
       from recognition g
       join record r on r.source = g.source and r.entity = 'person' and r.key = g.record_key
       where g.person_id = p.person_id
       -- One voice for protection is enough: it fails closed.
       order by (r.body->>'protected')::boolean desc, r.source, r.key limit 1) r on true
     where p.present order by p.person_id`,
  );
  yield* rows;
}

/** Every group that is in force today, without its members. */
export async function readGroupHeads(p: {
  readonly tx: Transaction;
  readonly institutions: ReadonlyMap<string, InstitutionSlice>;
}): Promise<readonly Omit<GroupSlice, 'members'>[]> {
  const rows = await p.tx.query<
    Omit<GroupSlice, 'institution' | 'members'> & { institution: string }
  >(`select ${groupColumns} from effective_group e order by e.key`);
  return rows.flatMap((row) => {
    const institution = p.institutions.get(row.institution);
    return institution === undefined ? [] : [{ ...row, institution }];
  });
}

/** Every group that is in force today, with its members. */
export async function* readGroups(p: {
  readonly tx: Transaction;
  readonly institutions: ReadonlyMap<string, InstitutionSlice>;
}): AsyncGenerator<GroupSlice> {
  const rows = p.tx.stream<Omit<GroupSlice, 'institution'> & { institution: string }>(
    `select ${groupColumns},
            coalesce(m.members, '[]') as members
     from effective_group e
     left join (
       select m."group", jsonb_agg(jsonb_build_object('person', m.person_id, 'role', m.role,
                'kind', m.kind, 'affiliations', h.affiliations) order by m.person_id, m.role) as members
       from effective_membership m join account_holder h on h.person_id = m.person_id
       group by m."group") m on m."group" = e.key
     order by e.key`,
  );
  for await (const row of rows) {
    const institution = p.institutions.get(row.institution);
    if (institution !== undefined) yield { ...row, institution };
  }
}
