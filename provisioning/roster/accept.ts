import type { Diagnostic, FeedItem } from '../feed/record.ts';
import { FeedError } from '../feed/record.ts';
import type { Database, Transaction } from '../store/database.ts';
import { markGone } from './absence.ts';
import { recognisePeople } from './recognise.ts';
import { setHeldAside, tellIdentityHolds } from './recognise-hold.ts';

/** What one snapshot said, as counts; the roster itself is in the store. */
export interface SnapshotReport {
  readonly id: string;
  readonly schoolYear: string | null;
  readonly counts: SnapshotCounts;
  readonly diagnostics: readonly Diagnostic[];
}

export interface SnapshotCounts {
  readonly institutions: number;
  readonly people: number;
  readonly affiliations: {
    readonly pupil: number;
    readonly staff: number;
    readonly external: number;
    readonly guardian: number;
  };
  readonly groups: number;
  readonly memberships: number;
  readonly rejected: number;
  /** Records that are new, changed, back again, or gone since the snapshot before. */
  readonly changed: number;
  readonly gone: number;
}

/** A feed with one mistake in every row must not fill the memory; the last entry then says how many were dropped. */
const diagnosticsKept = 10_000;

/**
 * Gathers a feed and, when it was read to its end, makes it the roster: all of it in one transaction.
 * A FeedError refuses the snapshot: the refusal is recorded, nothing else changes, and it is thrown
 * on to the caller.
 */
export async function acceptSnapshot(p: {
  readonly database: Database;
  readonly tenant: string;
  readonly source: string;
  readonly items: AsyncIterable<FeedItem>;
  readonly now: Date;
  /** The feed was read to its end. */
  readonly onGathered?: () => void;
}): Promise<SnapshotReport> {
  try {
    return await p.database.as(p.tenant, (tx) => gatherAndMerge({ ...p, tx }));
  } catch (error) {
    if (error instanceof FeedError) {
      const { code, message, file, line } = error;
      await p.database.as(p.tenant, (tx) =>
        tx.execute(
          `insert into snapshot (tenant_id, source, format, state, refusal, read_at)
           values ($1, $2, '', 'refused', $3, $4)`,
          [p.tenant, p.source, JSON.stringify({ code, message, file, line }), p.now],
        ),
      );
    }
    throw error;
  }
}

async function gatherAndMerge(p: {
  readonly tx: Transaction;
  readonly source: string;
  readonly items: AsyncIterable<FeedItem>;
  readonly now: Date;
  readonly onGathered?: () => void;
}): Promise<SnapshotReport> {
  const { tx, source, now } = p;
  const gathered = await gather({ tx, items: p.items });
  p.onGathered?.();
  const [snapshot] = await tx.query<{ id: string }>(
    `insert into snapshot (tenant_id, source, format, taken_at, school_year, state, diagnostics, read_at)
     values ($1, $2, $3, $4, $5, 'accepted', $6, $7) returning id`,
    [
      tx.tenant,
      source,
      gathered.format,
      gathered.takenAt,
      gathered.schoolYear,
      JSON.stringify(gathered.diagnostics),
      now,
    ],
  );
  if (snapshot === undefined) throw new Error('The snapshot row was not returned.');
  await tx.execute(
    `insert into coverage (tenant_id, snapshot_id, institution, affiliation, "group", membership)
     select distinct on (institution) $1, $2::uuid, institution, body->>'affiliation', body->>'group',
            body->>'membership'
     from incoming where type = 'coverage' order by institution, seq desc`,
    [tx.tenant, snapshot.id],
  );
  await recognisePeople({ tx, source, now });
  await setHeldAside({ tx, source, now });
  const changed = await tx.execute(
    `insert into record (tenant_id, source, entity, key, institution, person, "group", body, changed_by)
     select distinct on (entity, key) $1, $2, entity, key, institution, person, "group", body, $3::uuid
     from incoming where type = 'record' order by entity, key, seq desc
     on conflict (tenant_id, source, entity, key) do update
       set institution = excluded.institution, person = excluded.person, "group" = excluded."group",
           body = excluded.body, changed_by = excluded.changed_by, gone_by = null, gone_at = null
       where record.body is distinct from excluded.body or record.gone_at is not null`,
    [tx.tenant, source, snapshot.id],
  );
  const gone = await markGone({ tx, source, snapshotId: snapshot.id, now });
  await tellIdentityHolds({ tx, source, now });
  await refreshStatistics({ tx, touched: changed + gone });
  const counts = { ...(await countIncoming(tx)), changed, gone };
  await tx.execute('update snapshot set counts = $2 where id = $1', [
    snapshot.id,
    JSON.stringify(counts),
  ]);
  return {
    id: snapshot.id,
    schoolYear: gathered.schoolYear,
    counts,
    diagnostics: gathered.diagnostics,
  };
}

/**
 * PostgreSQL plans by what it last counted, and counts by itself only now and then: without this the
 * plan after a first load took 20 s instead of 2 s for 3,000 people.
 */
async function refreshStatistics(p: {
  readonly tx: Transaction;
  readonly touched: number;
}): Promise<void> {
  if (p.touched < 500) return;
  for (const table of ['record', 'recognition', 'person', 'evidence']) {
    await p.tx.execute(`analyze ${table}`);
  }
}

/** One temporary table takes the whole stream in, by a single COPY in constant memory. */
async function gather(p: {
  readonly tx: Transaction;
  readonly items: AsyncIterable<FeedItem>;
}): Promise<{
  readonly format: string;
  readonly takenAt: string | null;
  readonly schoolYear: string | null;
  readonly diagnostics: readonly Diagnostic[];
}> {
  await p.tx.execute(
    `create temporary table incoming (
       seq integer, type text, entity text, key text, institution text, person text, "group" text, body jsonb
     ) on commit drop`,
  );
  const header = { format: '', takenAt: null as string | null, schoolYear: null as string | null };
  const diagnostics: Diagnostic[] = [];
  let dropped = 0;

  function note(diagnostic: Diagnostic): void {
    if (diagnostics.length < diagnosticsKept) diagnostics.push(diagnostic);
    else dropped += 1;
  }

  async function* rows(): AsyncGenerator<readonly unknown[]> {
    let seq = 0;
    for await (const item of p.items) {
      if (item.type === 'snapshot') Object.assign(header, item);
      if (item.type === 'diagnostic' || item.type === 'rejected') note(item.diagnostic);
      const row = toRow(item);
      if (row !== null) yield [++seq, ...row];
    }
  }

  await p.tx.copy({
    table: 'incoming',
    columns: ['seq', 'type', 'entity', 'key', 'institution', 'person', 'group', 'body'],
    rows: rows(),
  });
  await p.tx.execute('create index on incoming (entity, key)');
  await p.tx.execute('analyze incoming');
  if (dropped > 0) {
    diagnostics.push({
      code: 'diagnostics-dropped',
      severity: 'warning',
      file: '',
      line: null,
      field: null,
      message: `${dropped} more diagnostics are not listed. Mend the ones above first.`,
    });
  }
  return { ...header, diagnostics };
}

/** type, entity, key, institution, person, group, body */
function toRow(item: FeedItem): readonly unknown[] | null {
  switch (item.type) {
    case 'record': {
      const { record } = item;
      return [
        'record',
        record.entity,
        record.key,
        'institution' in record ? record.institution : null,
        'person' in record ? record.person : 'child' in record ? record.child : null,
        'group' in record ? record.group : null,
        record,
      ];
    }
    case 'removed':
      return ['removed', item.entity, item.key, null, null, null, {}];
    case 'rejected':
      return ['rejected', item.entity, item.key, item.institution, item.person, item.group, {}];
    case 'evidence':
      return ['evidence', null, null, null, item.person, null, item];
    case 'coverage':
      return ['coverage', null, null, item.institution, null, null, item];
    default:
      return null;
  }
}

async function countIncoming(tx: Transaction): Promise<Omit<SnapshotCounts, 'changed' | 'gone'>> {
  const rows = await tx.query<{ what: string; n: number }>(
    `select case when type = 'rejected' then 'rejected'
                 when entity = 'affiliation' then body->>'kind' else entity end as what,
            count(distinct coalesce(key, seq::text))::int as n
     from incoming where type in ('record', 'held', 'rejected') and seq is not null group by 1`,
  );
  const n = (what: string) => rows.find((row) => row.what === what)?.n ?? 0;
  return {
    institutions: n('institution'),
    people: n('person'),
    affiliations: {
      pupil: n('pupil'),
      staff: n('staff'),
      external: n('external'),
      guardian: n('guardian'),
    },
    groups: n('group'),
    memberships: n('membership'),
    rejected: n('rejected'),
  };
}
