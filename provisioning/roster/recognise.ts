import type { Transaction } from '../store/database.ts';
import { gatherClaims } from './recognise-claims.ts';
import type { EvidenceSummary } from './recognise-decide.ts';
import { recognise } from './recognise-decide.ts';
import { applyChoices, applySettled } from './recognise-hold.ts';
import { learnEvidence } from './recognise-learn.ts';

/**
 * Finds out which person each person record of the gathered snapshot is, before anything of it becomes
 * the roster. SQL sums up the evidence of every record, `recognise` judges each sum that occurs (a few
 * dozen, however many people), and SQL carries the verdicts out. What it leaves behind for the steps
 * to come is the temporary table `verdict`.
 *
 * People with a UNI-ID come first: whoever has none may then be recognised as one of them.
 */
export async function recognisePeople(p: {
  readonly tx: Transaction;
  readonly source: string;
  readonly now: Date;
}): Promise<void> {
  const { tx, source } = p;
  await gatherClaims(p);
  await tx.execute(
    'create temporary table point (key text, kind text, system text, person_id uuid) on commit drop',
  );
  await tx.execute(
    `create temporary table candidate (key text, person_id uuid, agrees text[], differs text[] not null default '{}')
     on commit drop`,
  );
  await tx.execute(
    `create temporary table verdict (key text, has_uni_id boolean, identity text, people uuid[], summary jsonb,
       verdict text, reason text, person_id uuid, decided boolean not null default false) on commit drop`,
  );
  const turns = await tx.query<{ hasUniId: boolean }>(
    'select distinct has_uni_id as "hasUniId" from claimant order by 1 desc',
  );
  for (const { hasUniId } of turns) {
    await findCandidates({ tx, source, hasUniId });
    await judge({ tx, hasUniId });
    await applySettled({ tx, source });
    await applyChoices(p);
    await namePeople({ tx, source, hasUniId });
    await learnEvidence({ tx, hasUniId });
  }
}

interface Turn {
  readonly tx: Transaction;
  readonly hasUniId: boolean;
}

async function findCandidates(p: Turn & { readonly source: string }): Promise<void> {
  const { tx, source, hasUniId } = p;
  await tx.execute(
    `insert into point (key, kind, system, person_id)
     select c.key, c.kind, c.system, e.person_id
     from claimant t join claim c using (key) join evidence e on e.system = c.system and e.value = c.value
     where t.has_uni_id = $2 and c.part = 'person' and c.void is null
     union
     -- Where the source's own id is the UNI-ID, it is one piece and not two.
     select t.key, 'source', 'source', g.person_id
     from claimant t join recognition g on g.source = $1 and g.record_key = t.key
     where t.has_uni_id = $2
       and not exists (select from claim c where c.key = t.key and c.kind = 'uni-id' and c.value = lower(t.key))`,
    [source, hasUniId],
  );
  await tx.execute('analyze point');
  await tx.execute(
    `insert into candidate (key, person_id, agrees)
     select p.key, p.person_id, array_agg(distinct p.kind order by p.kind)
     from point p join claimant t using (key) where t.has_uni_id = $1
     group by p.key, p.person_id having bool_or(p.kind <> 'replacement')`,
    [hasUniId],
  );
  await tx.execute('analyze candidate');
  await tx.execute(
    `update candidate k set differs = d.kinds
     from (select k.key, k.person_id, array_agg(distinct c.kind order by c.kind) as kinds
           from candidate k
           join claimant t on t.key = k.key and t.has_uni_id = $1
           join claim c on c.key = k.key and c.part = 'person' and c.void is null
             and c.kind in ('uni-id', 'civil', 'replacement', 'local')
           where exists (select from evidence e where e.person_id = k.person_id and e.system = c.system)
             and not exists (select from point p where p.key = k.key and p.person_id = k.person_id
                               and p.system = c.system)
           group by k.key, k.person_id) d
     where d.key = k.key and d.person_id = k.person_id`,
    [hasUniId],
  );
}

/** Everybody with the same sum of evidence gets the same verdict, so each sum is judged once. */
async function judge(p: Turn): Promise<void> {
  const { tx, hasUniId } = p;
  await tx.execute(
    `insert into verdict (key, has_uni_id, identity, people, summary)
     select t.key, t.has_uni_id, t.identity, coalesce(k.people, '{}'),
            jsonb_build_object('shared', coalesce(s.kinds, '[]'), 'candidates', coalesce(k.candidates, '[]'))
     from claimant t
     left join (select key, array_agg(person_id order by agrees, differs, person_id) as people,
                       jsonb_agg(jsonb_build_object('agrees', agrees, 'differs', differs)
                         order by agrees, differs, person_id) as candidates
                from candidate group by key) k using (key)
     left join (select key, jsonb_agg(kind order by kind) as kinds from shared_kind group by key) s using (key)
     where t.has_uni_id = $1`,
    [hasUniId],
  );
  const sums = await tx.query<{ summary: EvidenceSummary }>(
    'select distinct summary from verdict where verdict is null',
  );
  const judged = sums.map(({ summary }) => ({ summary, ...recognise(summary) }));
  await tx.execute(
    `update verdict v set verdict = j.verdict, reason = j.reason,
            person_id = case j.verdict when 'link' then v.people[j.candidate + 1] end
     from jsonb_to_recordset($1::jsonb) as j(summary jsonb, verdict text, reason text, candidate integer)
     where v.verdict is null and v.summary = j.summary`,
    [JSON.stringify(judged)],
  );
  await tx.execute('analyze verdict (key, has_uni_id, identity, verdict)');
}

/** New people get an id, one for all records of one identity; every record then has its person. */
async function namePeople(p: Turn & { readonly source: string }): Promise<void> {
  const { tx, source, hasUniId } = p;
  await tx.execute(
    `with linked as (
       select identity, min(person_id::text)::uuid as person_id from verdict
       where has_uni_id = $1 and verdict = 'link' and not decided
       group by identity having count(distinct person_id) = 1
     ), newcomer as (
       select n.identity, l.person_id as known, gen_random_uuid() as fresh
       from (select distinct identity from verdict
             where has_uni_id = $1 and verdict = 'new' and person_id is null) n
       left join linked l using (identity)
     ), born as (
       insert into person (tenant_id, id) select $2, fresh from newcomer where known is null
     )
     update verdict v set person_id = coalesce(n.known, n.fresh)
     from newcomer n where v.identity = n.identity and v.verdict = 'new' and v.person_id is null`,
    [hasUniId, tx.tenant],
  );
  const written = await tx.execute(
    `insert into recognition (tenant_id, source, record_key, person_id)
     select $1, $2, key, person_id from verdict where has_uni_id = $3 and verdict <> 'hold'
     on conflict (tenant_id, source, record_key) do update set person_id = excluded.person_id
       where recognition.person_id <> excluded.person_id`,
    [tx.tenant, source, hasUniId],
  );
  // Freshly filled tables look empty to the planner; without this the next join took minutes for 30,000 people.
  if (written > 500) await tx.execute('analyze recognition');
}
