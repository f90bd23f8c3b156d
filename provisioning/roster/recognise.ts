import type { Transaction } from '../store/database.ts';

/**
 * Finds out which person each new person record of a source is: by evidence, never by name or
 * e-mail. The record's ids in other systems (a UNI-ID first of all) are compared with what is known:
 *
 *   ids known of nobody          -> a new person
 *   ids known of one person      -> that person
 *   ids known of several people  -> nobody: the record stays unrecognised, and a hold says so
 *
 * Once recognised, a record keeps its person.
 */
export async function recognisePeople(p: {
  readonly tx: Transaction;
  readonly source: string;
}): Promise<void> {
  const { tx, source } = p;
  await tx.execute(
    `create temporary table stranger on commit drop as
     select r.key, coalesce(lower(id.value->>'value'), r.key) as identity,
            case when id.value is null then 'source:' || r.source else id.value->>'system' end as system
     from record r
     left join lateral (
       select value from jsonb_array_elements(r.body->'ids')
       order by (value->>'system') <> 'uni-id', value->>'system', value->>'value' limit 1) id on true
     where r.source = $1 and r.entity = 'person'
       and not exists (select from recognition g where g.source = r.source and g.record_key = r.key)`,
    [source],
  );
  await tx.execute('create unique index on stranger (key)');
  await tx.execute('analyze stranger');
  // Every known id of the stranger, not only the first, may speak for or against a person.
  await tx.execute(
    `create temporary table acquaintance on commit drop as
     select s.key, min(e.person_id::text)::uuid as person_id, count(distinct e.person_id) as people
     from stranger s
     join record r on r.source = $1 and r.entity = 'person' and r.key = s.key
     join lateral jsonb_array_elements(r.body->'ids') id on true
     join evidence e on e.system = id.value->>'system' and e.value = lower(id.value->>'value')
     group by s.key`,
    [source],
  );
  await tx.execute('analyze acquaintance');
  await tx.execute(
    `create temporary table newcomer on commit drop as
     select system, identity, gen_random_uuid() as person_id
     from stranger s where not exists (select from acquaintance a where a.key = s.key)
     group by system, identity`,
  );
  await tx.execute('analyze newcomer');
  await tx.execute(`insert into person (tenant_id, id) select $1, person_id from newcomer`, [
    tx.tenant,
  ]);
  await tx.execute(
    `insert into recognition (tenant_id, source, record_key, person_id)
     select $1, $2, a.key, a.person_id from acquaintance a where a.people = 1
     union all
     select $1, $2, s.key, n.person_id from stranger s
     join newcomer n using (system, identity)
     where not exists (select from acquaintance a where a.key = s.key)`,
    [tx.tenant, source],
  );
  // Freshly filled tables look empty to the planner; without this the next join took minutes for 30,000 people.
  await tx.execute('analyze record, recognition');
  await tx.execute(
    `insert into evidence (tenant_id, system, value, person_id)
     select distinct on (id.value->>'system', lower(id.value->>'value'))
            $1, id.value->>'system', lower(id.value->>'value'), g.person_id
     from record r
     join recognition g on g.source = r.source and g.record_key = r.key
     join lateral jsonb_array_elements(r.body->'ids') id on true
     where r.source = $2 and r.entity = 'person'
     order by id.value->>'system', lower(id.value->>'value'), r.key
     on conflict (tenant_id, system, value) do nothing`,
    [tx.tenant, source],
  );
}
