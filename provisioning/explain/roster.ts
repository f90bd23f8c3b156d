/** What the feeds say of one person, and as whom they were recognised. */
import type { Transaction } from '../store/database.ts';

export interface FeedRow {
  readonly source: string;
  /** The source's own id of the record. */
  readonly key: string;
  readonly format: string | null;
  /** The reading that last changed the record. */
  readonly snapshot: string;
  readonly changedAt: Date | null;
  /** Gone: the last affiliation of the record has left. */
  readonly state: 'present' | 'gone';
  readonly goneAt: Date | null;
  readonly mayLogIn: boolean;
}

export interface Recognition {
  readonly since: Date;
  /** `value` only of UNI-IDs; of other systems it is nobody's business here. */
  readonly evidence: readonly {
    readonly system: string;
    readonly value: string | null;
    readonly since: Date;
  }[];
}

export interface AffiliationRow {
  readonly source: string;
  readonly institution: string;
  readonly institutionName: string | null;
  readonly kind: string;
  readonly roles: readonly string[];
  readonly grade: string | null;
  readonly from: string | null;
  readonly to: string | null;
  readonly state: 'present' | 'future' | 'ended' | 'gone';
  readonly goneAt: Date | null;
}

export interface MembershipRow {
  readonly source: string;
  readonly group: string;
  readonly groupName: string | null;
  readonly institution: string;
  /** Kind of the affiliation through which the person is in the group. */
  readonly kind: string;
  readonly role: string;
  readonly main: boolean;
  readonly changedAt: Date | null;
  readonly state: AffiliationRow['state'];
  readonly goneAt: Date | null;
}

export interface RosterOfPerson {
  readonly feed: readonly FeedRow[];
  readonly recognition: Recognition;
  readonly affiliations: readonly AffiliationRow[];
  readonly memberships: readonly MembershipRow[];
  readonly protected: boolean;
  readonly given: string | null;
  readonly family: string | null;
}

/** Null for an id that is nobody's. */
export async function readRosterOf(p: {
  readonly tx: Transaction;
  readonly person: string;
  /** ISO date. */
  readonly today: string;
}): Promise<RosterOfPerson | null> {
  const { tx, person } = p;
  const [known] = await tx.query<{ created_at: Date }>(
    'select created_at from person where id::text = lower($1)',
    [person],
  );
  if (known === undefined) return null;
  const feed = await readFeedRows(p);
  const [shown] = await tx.query<{
    protected: boolean;
    given: string | null;
    family: string | null;
  }>(
    `select (r.body->>'protected')::boolean as protected, r.body->>'given' as given,
            r.body->>'family' as family
     from recognition g join record r on r.source = g.source and r.entity = 'person' and r.key = g.record_key
     where g.person_id = $1 order by 1 desc, r.source, r.key limit 1`,
    [person],
  );
  return {
    feed,
    recognition: { since: known.created_at, evidence: await readEvidence(p) },
    affiliations: await readAffiliations(p),
    memberships: await readMemberships(p),
    protected: shown?.protected ?? false,
    given: shown?.given ?? null,
    family: shown?.family ?? null,
  };
}

async function readFeedRows(p: {
  readonly tx: Transaction;
  readonly person: string;
}): Promise<readonly FeedRow[]> {
  return p.tx.query<FeedRow & Record<string, unknown>>(
    `select r.source, r.key, nullif(s.format, '') as format, r.changed_by as snapshot,
            s.read_at as "changedAt", (r.body->>'mayLogIn')::boolean as "mayLogIn",
            case when a.present then 'present' else 'gone' end as state,
            case when not a.present then coalesce(r.gone_at, a.gone_at) end as "goneAt"
     from recognition g
     join record r on r.source = g.source and r.entity = 'person' and r.key = g.record_key
     left join snapshot s on s.id = r.changed_by
     cross join lateral (
       select coalesce(bool_or(a.gone_at is null), false) and r.gone_at is null as present,
              max(a.gone_at) as gone_at
       from record a where a.source = r.source and a.entity = 'affiliation' and a.person = r.key) a
     where g.person_id = $1 order by r.source, r.key`,
    [p.person],
  );
}

async function readEvidence(p: {
  readonly tx: Transaction;
  readonly person: string;
}): Promise<Recognition['evidence']> {
  return p.tx.query<Recognition['evidence'][number] & Record<string, unknown>>(
    `select system, case when system = 'uni-id' then value end as value, since
     from evidence where person_id = $1 order by system, since, value`,
    [p.person],
  );
}

/** SQL: whether a record `r` holds on the day `$2`. */
const stateOn = `case when r.gone_at is not null then 'gone'
  when r.body->>'from' > $2 then 'future' when r.body->>'to' < $2 then 'ended' else 'present' end`;

async function readAffiliations(p: {
  readonly tx: Transaction;
  readonly person: string;
  readonly today: string;
}): Promise<readonly AffiliationRow[]> {
  return p.tx.query<AffiliationRow & Record<string, unknown>>(
    `select r.source, r.institution, i.body->>'name' as "institutionName", r.body->>'kind' as kind,
            array(select jsonb_array_elements_text(r.body->'roles')) as roles,
            r.body->>'grade' as grade, r.body->>'from' as from, r.body->>'to' as to,
            ${stateOn} as state, r.gone_at as "goneAt"
     from recognition g
     join record r on r.source = g.source and r.entity = 'affiliation' and r.person = g.record_key
     left join record i on i.source = r.source and i.entity = 'institution' and i.key = r.institution
     where g.person_id = $1 order by r.gone_at desc nulls first, r.institution, kind, r.source`,
    [p.person, p.today],
  );
}

async function readMemberships(p: {
  readonly tx: Transaction;
  readonly person: string;
  readonly today: string;
}): Promise<readonly MembershipRow[]> {
  return p.tx.query<MembershipRow & Record<string, unknown>>(
    `select r.source, r."group", e.body->>'name' as "groupName", r.institution,
            split_part(r.body->>'affiliation', '/', 3) as kind, r.body->>'role' as role,
            coalesce((r.body->>'main')::boolean, false) as main, s.read_at as "changedAt",
            ${stateOn} as state, r.gone_at as "goneAt"
     from recognition g
     join record r on r.source = g.source and r.entity = 'membership' and r.person = g.record_key
     left join record e on e.source = r.source and e.entity = 'group' and e.key = r."group"
     left join snapshot s on s.id = r.changed_by
     where g.person_id = $1 order by r.gone_at desc nulls first, r."group", role, r.source`,
    [p.person, p.today],
  );
}
