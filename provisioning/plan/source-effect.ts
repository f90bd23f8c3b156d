import type { Transaction } from '../store/database.ts';
import type { Effect } from './limits.ts';

/** What the sources do not say any more. Nothing leaves by it; somebody should know. */
export async function measureSources(p: {
  readonly tx: Transaction;
  /** The snapshot that the plan is made from; null: none, and only silence is looked at. */
  readonly snapshotId: string | null;
  readonly silentDays: number;
  readonly now: Date;
}): Promise<readonly Effect[]> {
  const { tx, snapshotId } = p;
  const silentSources = await tx.query<Found>(findSilentSources, [snapshotId, p.now, p.silentDays]);
  if (snapshotId === null) return silentSources.map((found) => toEffect('sourceSilent', found));
  const missing = await tx.query<Found>(findMissing, [snapshotId]);
  const silentEntities = await tx.query<Found>(findSilentEntities, [snapshotId]);
  return [
    ...missing.map((found) => toEffect('institutionMissing', found)),
    ...[...silentEntities, ...silentSources].map((found) => toEffect('sourceSilent', found)),
  ];
}

interface Found extends Record<string, unknown> {
  readonly institution: string;
  readonly kind: string;
  readonly detail: string | null;
  readonly count: number;
  readonly of: number;
}

function toEffect(limit: 'institutionMissing' | 'sourceSilent', found: Found): Effect {
  return { ...found, limit, target: '*', action: 'update' };
}

/**
 * Institutions with people that once came in one snapshot with some of those that came now. One that
 * has always come in a snapshot of its own is not missing from others, and a delta lacks nothing.
 */
const findMissing = `
  with snap as (select id, source from snapshot where id = $1),
  here as (select institution, affiliation from coverage where snapshot_id = $1),
  together as (
    select distinct o.snapshot_id from coverage o join here using (institution)
    join snapshot s on s.id = o.snapshot_id join snap on snap.source = s.source
    where s.state = 'accepted'),
  missing as (
    select distinct c.institution from coverage c join together using (snapshot_id)
    where not exists (select from here where here.institution = c.institution)
      and exists (select from here where here.affiliation = 'full'))
  select r.institution, 'institution' as kind, null as detail,
         count(distinct r.person)::int as count, count(distinct r.person)::int as of
  from missing join record r on r.institution = missing.institution
  join snap on snap.source = r.source
  where r.entity = 'affiliation' and r.gone_at is null
  group by r.institution order by r.institution`;

/** Entities of an institution that this snapshot is silent about, and that were full the last time they were not. */
const findSilentEntities = `
  with said as (
    select c.snapshot_id, s.source, s.read_at, c.institution, e.entity, e.said
    from coverage c join snapshot s on s.id = c.snapshot_id
    cross join lateral (values ('affiliation', c.affiliation), ('group', c."group"),
                               ('membership', c.membership)) e(entity, said)
    where s.state = 'accepted'),
  silent as (
    select n.source, n.institution, n.entity from said n
    where n.snapshot_id = $1 and n.said = 'silent'
      and (select b.said from said b
           where b.source = n.source and b.institution = n.institution and b.entity = n.entity
             and b.said <> 'silent' order by b.read_at desc limit 1) = 'full')
  select r.institution, s.entity as kind, null as detail, count(*)::int as count, count(*)::int as of
  from silent s join record r
    on r.source = s.source and r.entity = s.entity and r.institution = s.institution
  where r.gone_at is null group by 1, 2 order by 1, 2`;

const findSilentSources = `
  with last as (
    select source, max(read_at) as read_at, bool_or(id = $1) as now from snapshot
    where state = 'accepted' group by source)
  select '*' as institution, 'source' as kind, string_agg(source, ', ' order by source) filter (where silent) as detail,
         count(*) filter (where silent)::int as count, count(*)::int as of
  from (select source, not coalesce(now, false) and read_at < $2::timestamptz - make_interval(days => $3) as silent
        from last) l
  having count(*) filter (where silent) > 0`;
