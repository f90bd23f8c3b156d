import type { Transaction } from '../store/database.ts';

/**
 * Keeps what was learnt of the people just recognised. UNI-IDs and civil numbers stay known of their
 * person for ever, so that one who is given somebody else's is found out. A local id is known of the
 * one who has it: schools give them anew.
 */
export async function learnEvidence(p: {
  readonly tx: Transaction;
  readonly hasUniId: boolean;
}): Promise<void> {
  const { tx, hasUniId } = p;
  await tx.execute('drop table if exists learnt');
  await tx.execute(
    `create temporary table learnt on commit drop as
     select distinct v.person_id, v.decided, c.kind, c.system, c.value
     from verdict v join claim c using (key)
     left join evidence e on e.system = c.system and e.value = c.value
     where v.has_uni_id = $1 and v.verdict <> 'hold' and c.part = 'person'
       and c.void is distinct from 'shared' and e.person_id is distinct from v.person_id`,
    [hasUniId],
  );
  await tx.execute('analyze learnt');
  await tx.execute(
    `delete from evidence e using learnt l
     where e.system = l.system and e.value = l.value and e.person_id <> l.person_id
       and (l.kind = 'local' or (l.decided and l.kind in ('uni-id', 'other')))`,
  );
  await tx.execute(
    `delete from evidence e
     using (select distinct person_id, system from learnt where kind = 'local') l
     where e.system = l.system and e.person_id = l.person_id
       and not exists (select from claim c join verdict v using (key)
                       where c.system = e.system and c.value = e.value and v.person_id = e.person_id)`,
  );
  const written = await tx.execute(
    `insert into evidence (tenant_id, system, value, person_id)
     select distinct on (system, value) $1, system, value, person_id
     from learnt order by system, value, decided desc, person_id
     on conflict (tenant_id, system, value) do nothing`,
    [tx.tenant],
  );
  if (written > 500) await tx.execute('analyze evidence');
}
