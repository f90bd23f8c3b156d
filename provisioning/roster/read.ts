import type { Diagnostic } from '../feed/record.ts';
import type { Database, Transaction } from '../store/database.ts';
import type { SnapshotCounts } from './accept.ts';

export interface SnapshotRow {
  readonly id: string;
  readonly source: string;
  readonly format: string;
  readonly readAt: Date;
  readonly takenAt: Date | null;
  readonly schoolYear: string | null;
  readonly state: 'accepted' | 'refused';
  readonly counts: SnapshotCounts | Record<string, never>;
  readonly diagnostics: readonly Diagnostic[];
  readonly refusal: {
    readonly code: string;
    readonly message: string;
    readonly file: string | null;
    readonly line: number | null;
  } | null;
}

/** The latest readings, newest first, refused ones included. */
export async function listSnapshots(p: {
  readonly database: Database;
  readonly tenant: string;
  readonly limit: number;
}): Promise<readonly SnapshotRow[]> {
  return p.database.as(p.tenant, (tx) =>
    tx.query<SnapshotRow & Record<string, unknown>>(
      `select id, source, format, read_at as "readAt", taken_at as "takenAt", school_year as "schoolYear",
              state, counts, diagnostics, refusal
       from snapshot order by read_at desc limit $1`,
      [p.limit],
    ),
  );
}

/** The reading that the roster is of, and the last school year that any reading named. */
export async function readLastSnapshot(
  tx: Transaction,
): Promise<{ readonly id: string | null; readonly schoolYear: string | null }> {
  const [row] = await tx.query<{ id: string | null; schoolYear: string | null }>(
    `select (select id from snapshot where state = 'accepted' order by read_at desc limit 1) as id,
            (select school_year from snapshot where state = 'accepted' and school_year is not null
             order by read_at desc limit 1) as "schoolYear"`,
  );
  return row ?? { id: null, schoolYear: null };
}

export interface InstitutionRow {
  readonly key: string;
  readonly name: string;
  readonly kind: string;
  readonly pupils: number;
  readonly staff: number;
  readonly classes: number;
}

/** Every institution that was ever read, with the people and classes present now. */
export async function listInstitutions(p: {
  readonly database: Database;
  readonly tenant: string;
}): Promise<readonly InstitutionRow[]> {
  return p.database.as(p.tenant, (tx) =>
    tx.query<InstitutionRow & Record<string, unknown>>(
      `with present as (select * from record where gone_at is null)
       select distinct on (i.key) i.key, i.body->>'name' as name, i.body->>'kind' as kind,
              (select count(*)::int from present a where a.entity = 'affiliation' and a.institution = i.key
                 and a.body->>'kind' = 'pupil') as pupils,
              (select count(*)::int from present a where a.entity = 'affiliation' and a.institution = i.key
                 and a.body->>'kind' = 'staff') as staff,
              (select count(*)::int from present g where g.entity = 'group' and g.institution = i.key
                 and g.body->>'kind' = 'class') as classes
       from record i where i.entity = 'institution' order by i.key, i.source`,
    ),
  );
}
