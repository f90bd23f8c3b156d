import type { Transaction } from '../store/database.ts';

/**
 * What the snapshot in the temporary table `incoming` claims of people's identity, in temporary tables:
 *
 *   claimant     one row a person record; `identity` joins records of one snapshot that claim one
 *                UNI-ID (or without any, one civil number, or one other id)
 *   claim        its ids, each with the part of the person it was said of: `contact` is somebody who
 *                is at a school in his or her own right and also stands there as a child's guardian
 *   shared_kind  claimants of whom one id carries two people's pieces
 *
 * A local id says nothing (`void`) where several people claim it in one snapshot, and where a school
 * changed most of its local ids at once: it has a new administration system.
 */
export async function gatherClaims(p: {
  readonly tx: Transaction;
  readonly source: string;
}): Promise<void> {
  const { tx } = p;
  await gatherIds(tx);
  await gatherClaimants(tx);
  await voidLocalIds(p);
  await findShared(tx);
}

/** Usernames and e-mails are no evidence, whatever system a feed says they are of. */
const noEvidence = 'mail|name|login|account|upn';

async function gatherIds(tx: Transaction): Promise<void> {
  await tx.execute(
    `create temporary table told_person on commit drop as
     select p.key, p.body->'ids' as ids, (p.body->>'protected')::boolean as protected,
            coalesce(a.member, false) as member, a.institution
     from (select distinct on (key) key, body from incoming
           where type = 'record' and entity = 'person' order by key, seq desc) p
     left join (select person, bool_or(body->>'kind' <> 'guardian') as member, min(institution) as institution
                from incoming where type = 'record' and entity = 'affiliation' group by person) a
       on a.person = p.key`,
  );
  await tx.execute('create unique index on told_person (key)');
  await tx.execute('analyze told_person');
  await tx.execute(
    `create temporary table claim on commit drop as
     with said as (
       select p.key, null as "as", id.value->>'system' as system, id.value->>'value' as value
       from told_person p cross join lateral jsonb_array_elements(p.ids) id
       union all
       select a.person, a.body->>'kind', 'local:' || a.institution, a.body->>'localId'
       from (select distinct on (key) person, institution, body from incoming
             where type = 'record' and entity = 'affiliation' order by key, seq desc) a
       union all
       select person, body->>'as', body->>'system', body->>'value' from incoming where type = 'evidence'
     ), told as (
       select distinct s.key, s."as", s.system, lower(s.value) as value,
              case when s."as" = 'guardian' and p.member then 'contact' else 'person' end as part,
              case when s.system = 'uni-id' then 'uni-id'
                   when starts_with(s.system, 'local:') then 'local'
                   when starts_with(s.system, 'civil:') then 'civil'
                   when starts_with(s.system, 'replacement:') then 'replacement'
                   else 'other' end as kind
       from said s join told_person p using (key) where s.value <> ''
     )
     select *, null::text as void from told
     where kind <> 'other' or (value not like '%@%' and system !~ $re$${noEvidence}$re$)`,
  );
  await tx.execute('create index on claim (key)');
  await tx.execute('create index on claim (system, value)');
  await tx.execute('analyze claim');
}

async function gatherClaimants(tx: Transaction): Promise<void> {
  await tx.execute(
    `create temporary table claimant on commit drop as
     select p.key, p.member, p.institution, c.uni_id is not null as has_uni_id,
            coalesce('uni-id ' || c.uni_id, c.civil, c.other, 'source ' || p.key) as identity
     from told_person p left join (
       select key, min(value) filter (where kind = 'uni-id') as uni_id,
              min(system || ' ' || value) filter (where kind = 'civil' and part = 'person') as civil,
              min(system || ' ' || value) filter (where kind = 'other') as other
       from claim group by key) c using (key)`,
  );
  await tx.execute('create unique index on claimant (key)');
  await tx.execute('analyze claimant');
}

async function voidLocalIds(p: {
  readonly tx: Transaction;
  readonly source: string;
}): Promise<void> {
  await p.tx.execute(
    `update claim c set void = 'shared'
     from (select system, value from claim join claimant using (key) where kind = 'local'
           group by system, value having count(distinct identity) > 1) s
     where c.system = s.system and c.value = s.value`,
  );
  await p.tx.execute(
    `with who as (
       select c.key, e.person_id from claim c join evidence e using (system, value)
       where c.kind in ('uni-id', 'civil') and c.part = 'person'
       union
       select t.key, g.person_id from claimant t join recognition g on g.source = $1 and g.record_key = t.key
     ), compared as (
       select c.system, c.key, bool_or(e.value = c.value) as same
       from claim c join who using (key)
       join evidence e on e.person_id = who.person_id and e.system = c.system
       where c.kind = 'local' group by c.system, c.key
     ), renumbered as (
       select system from compared group by system
       having count(*) filter (where not same) >= 3
          and count(*) filter (where not same) * 2 > count(*)
     )
     update claim c set void = 'renumbered' from renumbered n where c.system = n.system and c.void is null`,
    [p.source],
  );
}

async function findShared(tx: Transaction): Promise<void> {
  await tx.execute(
    `create temporary table shared_kind on commit drop as
     with piece as (
       select t.key, t.identity, t.member, t.has_uni_id, c.kind, c."as", c.system, c.value, e.person_id
       from claim c join claimant t using (key)
       left join evidence e on e.system = c.system and e.value = c.value
       where c.part = 'person' and c.void is null and c.kind in ('civil', 'local')
     ), torn as (
       -- Two numbers of which one person is known (an old and a new one) are that person's.
       select identity, kind from piece where kind = 'civil' group by identity, kind, system
       having count(distinct value) > 1
          and not (count(person_id) = count(*) and count(distinct person_id) = 1)
       union
       -- Two local ids of one sort at one school, and no civil number to say that it is one person.
       select identity, kind from piece l
       where kind = 'local'
         and not exists (select from piece c where c.identity = l.identity and c.kind = 'civil')
       group by identity, kind, "as", system
       having count(distinct value) > 1
          and not (count(person_id) = count(*) and count(distinct person_id) = 1)
     ), crowded as (
       select system, value from piece where kind = 'civil' and has_uni_id and person_id is null
       group by system, value having count(distinct identity) > 1
     )
     select t.key, n.kind from torn n join claimant t using (identity)
     union
     select a.key, 'civil' from crowded w
     join piece a using (system, value)
     join piece b using (system, value)
     -- A child's guardian with the child's number must not hold up the child.
     where a.identity <> b.identity and a.has_uni_id and b.has_uni_id and (b.member or not a.member)`,
  );
}
