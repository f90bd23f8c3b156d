import type { Transaction } from '../store/database.ts';

/**
 * Marks as gone what the snapshot in the temporary table `incoming` lacks. Absence must be earned;
 * a record leaves only when all of these hold:
 *
 *   institution covered | entity full there | not in the snapshot | not kept by a rejected row
 *   --------------------+-------------------+---------------------+---------------------------
 *   its file was read   | not delta, silent | under its own key   | or one held, see `keep` below
 *
 * or when a delta names it as removed. Institutions, terms and persons never leave by absence: a
 * person leaves through the last of the affiliations.
 *
 * @returns how many records are newly gone
 */
export async function markGone(p: {
  readonly tx: Transaction;
  readonly source: string;
  readonly snapshotId: string;
  readonly now: Date;
}): Promise<number> {
  const { tx } = p;
  await gatherKept(tx);
  const absent = await tx.execute(
    `update record r set gone_at = $3, gone_by = $2::uuid
     from (select distinct on (institution) institution, body
           from incoming where type = 'coverage' order by institution, seq desc) c
     where r.source = $1 and r.gone_at is null
       and r.entity in ('affiliation', 'group', 'membership', 'relation')
       and c.institution = r.institution and c.body->>r.entity = 'full'
       and not exists (select from incoming i
                       where i.type = 'record' and i.entity = r.entity and i.key = r.key)
       and not exists (select from keep k where k.how = 'key' and k.entity = r.entity and k.value = r.key)
       and not exists (select from keep k where k.how = 'person' and k.entity = r.entity and k.value = r.person)
       and not exists (select from keep k where k.how = 'group' and k.entity = r.entity and k.value = r."group")
       and not exists (select from keep k where k.how = 'institution' and k.entity = r.entity
                         and (k.value is null or k.value = r.institution))`,
    [p.source, p.snapshotId, p.now],
  );
  const removed = await tx.execute(
    `update record r set gone_at = $3, gone_by = $2::uuid
     from (select entity, key from incoming where type = 'removed'
           union
           -- A person's removal is the removal of all that hangs on the person.
           select hanging.entity, hanging.key from incoming i join record hanging
             on hanging.source = $1 and hanging.person = i.key
                and hanging.entity in ('affiliation', 'membership', 'relation')
           where i.type = 'removed' and i.entity = 'person') i
     where r.source = $1 and r.gone_at is null and r.entity = i.entity and r.key = i.key`,
    [p.source, p.snapshotId, p.now],
  );
  return absent + removed;
}

/**
 * What a rejected row keeps in place, as rows (how, entity, value). "Present, unknown" reaches as far
 * as the rejected row could have said something: a person that cannot be read keeps affiliations and
 * memberships, a group keeps its memberships, and a row without any id keeps everything of its kind
 * in its institution.
 */
async function gatherKept(tx: Transaction): Promise<void> {
  await tx.execute(
    `create temporary table keep (how text, entity text, value text) on commit drop`,
  );
  await tx.execute(
    `with rejected as (
       select entity, key, institution, person, "group" from incoming where type in ('rejected', 'held')
     ), reach (entity, touches) as (values
       ('person', 'affiliation'), ('person', 'membership'), ('person', 'relation'),
       ('affiliation', 'affiliation'), ('affiliation', 'membership'), ('affiliation', 'relation'),
       ('group', 'group'), ('group', 'membership'),
       ('membership', 'membership'), ('relation', 'relation'))
     insert into keep
       select 'key', entity, key from rejected where key is not null
     union
       select 'key', 'group', "group" from rejected where "group" is not null
     union
       select 'person', touches, case when r.entity = 'person' then coalesce(key, person) else person end
       from rejected r join reach using (entity)
       where (r.entity = 'person' or person is not null) and touches <> 'group'
     union
       select 'group', 'membership', case when r.entity = 'group' then coalesce(key, "group") end
       from rejected r where r.entity = 'group'
     union
       select 'institution', touches, institution
       from rejected r join reach using (entity)
       where key is null and person is null and "group" is null`,
  );
  await tx.execute('analyze keep');
}
