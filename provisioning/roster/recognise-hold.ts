import type { Transaction } from '../store/database.ts';
import type { Decision, NewHold } from '../store/hold.ts';
import { readDecisions, spendDecisions, tellHolds } from '../store/hold.ts';
import type { Candidate, EvidenceKind, HoldReason } from './recognise-decide.ts';

/**
 *   identity-contradiction  a person's evidence points to different people, or to one and against
 *   identity-shared         one id in the feed carries two people's pieces
 *   relation-contradiction  the same of a guardian: what the contact gives is not passed on
 *
 * Choices: `same:PERSON` (it is that person), `new` (it is a new one; of a contact: it is not the
 * person whose id it bears, and gives nothing), `wait`.
 */
export const identityCodes = [
  'identity-contradiction',
  'identity-shared',
  'relation-contradiction',
] as const;

/** A hold's subject: the same from one snapshot to the next. */
const subject = `$1 || '/person/' || v.key`;

/** A hash of all that the snapshot claims of a record's identity. */
function claimsOf(part: 'person' | 'contact'): string {
  return `(select md5(coalesce(string_agg(c.system || ' ' || c.value, ',' order by c.part, c.system, c.value), ''))
    from claim c where c.key = v.key and (c.part = 'person' or '${part}' = 'contact'))`;
}

/** What was decided stands as long as the source says the same of the record. */
export async function applySettled(p: {
  readonly tx: Transaction;
  readonly source: string;
}): Promise<void> {
  await p.tx.execute(
    `update verdict v set verdict = 'link', person_id = g.person_id, reason = null
     from settled_identity s, recognition g
     where v.verdict = 'hold' and s.source = $1 and s.record_key = v.key and s.part = 'person'
       and s.claims = ${claimsOf('person')}
       and g.source = $1 and g.record_key = v.key`,
    [p.source],
  );
}

/** Carries out what somebody decided about records that would be held. */
export async function applyChoices(p: {
  readonly tx: Transaction;
  readonly source: string;
  readonly now: Date;
}): Promise<void> {
  const choices = JSON.stringify(await readDecisions({ ...p, codes: identityCodes }));
  await p.tx.execute(
    `with chosen as (
       select v.key, x.choice, o.id as person_id
       from verdict v
       join jsonb_to_recordset($2::jsonb) as x(subject text, choice text) on x.subject = ${subject}
       left join person o on x.choice = 'same:' || o.id
       where v.verdict = 'hold' and (x.choice = 'new' or o.id is not null)
     ), settled as (
       insert into settled_identity (tenant_id, source, record_key, part, claims)
       select $3, $1, v.key, 'person', ${claimsOf('person')} from chosen v
       on conflict (tenant_id, source, record_key, part) do update set claims = excluded.claims
     )
     update verdict v set decided = true, reason = null, person_id = c.person_id,
            verdict = case c.choice when 'new' then 'new' else 'link' end,
            identity = 'decided ' || v.key
     from chosen c where v.key = c.key`,
    [p.source, choices, p.tx.tenant],
  );
}

/**
 * Guardians whose child's school knows them by another number than the one it has in their own right,
 * in the temporary table `contact_verdict`; what was decided about them is carried out.
 */
async function judgeContacts(p: {
  readonly tx: Transaction;
  readonly source: string;
  readonly now: Date;
}): Promise<void> {
  const choices = JSON.stringify(await readDecisions({ ...p, codes: identityCodes }));
  await p.tx.execute(
    `create temporary table contact_verdict on commit drop as
     select v.key, v.person_id, true as told
     from (select distinct key from claim where part = 'contact' and kind = 'civil' offset 0) x
     join verdict v using (key)
     where v.verdict <> 'hold' and exists (
       select from claim c
       left join claim own on own.key = c.key and own.part = 'person' and own.system = c.system
       left join evidence e on e.person_id = v.person_id and e.system = c.system
       where c.key = v.key and c.part = 'contact' and c.kind = 'civil'
       group by c.value
       having count(own.value) + count(e.value) > 0
          and coalesce(bool_or(own.value = c.value), false) = false
          and coalesce(bool_or(e.value = c.value), false) = false)`,
  );
  await p.tx.execute(
    `insert into settled_identity (tenant_id, source, record_key, part, claims, passed)
     select $3, $1, v.key, 'contact', ${claimsOf('contact')}, x.choice <> 'new'
     from contact_verdict v
     join jsonb_to_recordset($2::jsonb) as x(subject text, choice text)
       on x.subject = $1 || '/contact/' || v.key
     where x.choice in ('new', 'same:' || v.person_id)
     on conflict (tenant_id, source, record_key, part) do update
       set claims = excluded.claims, passed = excluded.passed`,
    [p.source, choices, p.tx.tenant],
  );
  const settled = `from settled_identity s where s.source = $1
    and s.record_key = v.key and s.part = 'contact' and s.claims = ${claimsOf('contact')}`;
  await p.tx.execute(
    `delete from contact_verdict v where exists (select ${settled} and s.passed)`,
    [p.source],
  );
  await p.tx.execute(`update contact_verdict v set told = false where exists (select ${settled})`, [
    p.source,
  ]);
}

/**
 * Takes what is held out of the snapshot: "present, unknown", so that the last good state stays.
 *
 *   a recognised person's record      with affiliations, memberships, and relations on either side
 *   a person who is not known yet     relations only: nothing else of it reaches anybody
 *   a contact                         the affiliation as a guardian, and the relations
 */
export async function setHeldAside(p: {
  readonly tx: Transaction;
  readonly source: string;
  readonly now: Date;
}): Promise<void> {
  const { tx, source } = p;
  await judgeContacts(p);
  await tx.execute(
    `create temporary table held on commit drop as
     select v.key, g.person_id is not null as known, true as whole
     from verdict v left join recognition g on g.source = $1 and g.record_key = v.key
     where v.verdict = 'hold'
     union all
     select key, true, false from contact_verdict`,
    [source],
  );
  await tx.execute('analyze held');
  // Protection fails closed: whoever of the two it is, nobody's name is shown until that is clear.
  await tx.execute(
    `update record r set body = r.body || '{"protected": true, "given": null, "family": null, "email": null}'
     from held h join told_person t using (key)
     where h.known and h.whole and r.source = $1 and r.entity = 'person' and r.key = h.key
       and t.protected and not (r.body->>'protected')::boolean`,
    [source],
  );
  // Without the person a relation or a contact's affiliation keeps its own key only, not all of the child's.
  await tx.execute(
    `update incoming i set type = 'held', person = case when x.alone then null else i.person end
     from (
       select seq, false as alone from incoming j join held h on j.entity = 'person' and j.key = h.key
       where h.known and h.whole
       union all
       select seq, false from incoming j join held h on j.person = h.key
       where h.known and h.whole and j.entity in ('affiliation', 'membership')
       union all
       select seq, true from incoming j join held h on j.person = h.key
       where (h.whole and j.entity = 'relation')
          or (not h.whole and j.entity = 'affiliation' and j.body->>'kind' = 'guardian')
       union all
       select seq, true from incoming j join held h on j.body->>'guardian' = h.key
       where j.entity = 'relation') x
     where i.seq = x.seq and i.type = 'record'`,
  );
  await tx.execute(
    `insert into incoming (type, entity, key)
     select 'held', r.entity, r.key from record r join held h on r.body->>'guardian' = h.key
     where r.source = $1 and r.gone_at is null and r.entity = 'relation'
     union
     select 'held', r.entity, r.key from record r join held h on r.person = h.key
     where r.source = $1 and r.gone_at is null and r.entity = 'affiliation'
       and not h.whole and r.body->>'kind' = 'guardian'`,
    [source],
  );
}

interface HeldRow {
  readonly key: string;
  readonly part: 'person' | 'contact';
  readonly member: boolean;
  readonly institution: string | null;
  readonly person: string | null;
  readonly reason: HoldReason;
  readonly shared: readonly EvidenceKind[];
  readonly people: readonly string[];
  readonly candidates: readonly Candidate[];
  readonly children: readonly string[];
}

/** Tells the holds of the snapshot; those of records that it did not speak of stay as they are. */
export async function tellIdentityHolds(p: {
  readonly tx: Transaction;
  readonly source: string;
  readonly now: Date;
}): Promise<void> {
  const { tx, source } = p;
  const rows = await tx.query<HeldRow & Record<string, unknown>>(
    `select h.*, t.member, t.institution,
            array(select distinct g.person_id from incoming i
                  join recognition g on g.source = $1 and g.record_key = i.body->>'child'
                  where i.type = 'held' and i.entity = 'relation' and i.body->>'guardian' = h.key
                  order by 1) as children
     from (select v.key, 'person' as part, g.person_id as person, v.reason, v.summary->'shared' as shared,
                  v.people, v.summary->'candidates' as candidates
           from verdict v left join recognition g on g.source = $1 and g.record_key = v.key
           where v.verdict = 'hold'
           union all
           select key, 'contact', person_id, 'changed-hands', '[]', array[person_id],
                  '[{"agrees": ["uni-id"], "differs": ["civil"]}]'
           from contact_verdict where told) h
     join claimant t using (key) order by h.key`,
    [source],
  );
  const decisions = await readDecisions({ ...p, codes: identityCodes });
  const waiting = new Set(decisions.filter(isWaitingRule).map((decision) => decision.subject));
  const holds = rows
    .map((row) => describeHold({ source, row }))
    .filter((hold) => !waiting.has(hold.subject));
  await tellHolds({
    tx,
    codes: identityCodes,
    holds: [...holds, ...(await readUntouched({ tx, source }))],
  });
  const spoken = await tx.query<{ id: string }>(
    `select h.id from hold h join claimant t
       on h.subject in ($1 || '/person/' || t.key, $1 || '/contact/' || t.key)
     where h.id = any($2::uuid[])`,
    [source, decisions.filter(({ scope }) => scope === 'once').map(({ id }) => id)],
  );
  await spendDecisions({ tx, ids: spoken.map(({ id }) => id), now: p.now });
}

function isWaitingRule(decision: Decision): boolean {
  return decision.choice === 'wait' && decision.scope === 'rule';
}

function describeHold(p: { readonly source: string; readonly row: HeldRow }): NewHold {
  const { source, row } = p;
  const isRelation = row.part === 'contact' || !row.member;
  return {
    code: isRelation
      ? 'relation-contradiction'
      : row.reason === 'shared'
        ? 'identity-shared'
        : 'identity-contradiction',
    subject: `${source}/${row.part}/${row.key}`,
    institution: row.institution,
    person: row.person,
    evidence: {
      reason: row.reason,
      shared: row.shared,
      people: row.people.map((person, index) => ({ person, ...row.candidates[index] })),
      children: row.children,
      choices: [...row.people.map((person) => `same:${person}`), 'new', 'wait'],
    },
  };
}

/** Open holds of other sources, and of records that are still in the roster but not in this snapshot. */
async function readUntouched(p: {
  readonly tx: Transaction;
  readonly source: string;
}): Promise<readonly NewHold[]> {
  return p.tx.query<NewHold & Record<string, unknown>>(
    `select h.code, h.subject, h.institution, h.person_id as person, h.evidence
     from hold h
     where h.state = 'open' and h.code = any($2)
       and not exists (select from claimant t
                       where h.subject in ($1 || '/person/' || t.key, $1 || '/contact/' || t.key))
       and (not starts_with(h.subject, $1 || '/')
            or exists (select from record r
                       where r.source = $1 and r.entity in ('affiliation', 'relation') and r.gone_at is null
                         and (h.subject in ($1 || '/person/' || r.person, $1 || '/contact/' || r.person)
                              or h.subject in ($1 || '/person/' || (r.body->>'guardian'),
                                               $1 || '/contact/' || (r.body->>'guardian')))))`,
    [p.source, identityCodes],
  );
}
