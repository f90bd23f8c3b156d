import type { Database } from '../store/database.ts';
import type { Action } from './diff.ts';
import type { Held } from './limits.ts';
import type { ActionCounts } from './make.ts';
import type { Reason } from './reason.ts';

export interface PlanRow {
  readonly id: string;
  readonly createdAt: Date;
  readonly committedAt: Date | null;
  readonly state: 'open' | 'committed' | 'superseded';
  /** SHA-256 over all changes, hex: what was previewed is what is committed. */
  readonly hash: string;
  readonly changes: Readonly<Record<string, Readonly<Record<string, ActionCounts>>>>;
  readonly held: readonly Held[];
}

export interface ChangeRow {
  readonly seq: number;
  readonly target: string;
  readonly kind: string;
  readonly key: string;
  readonly institution: string | null;
  readonly institutionName: string | null;
  readonly title: string;
  readonly action: Action;
  /** When it takes effect, if not at once. */
  readonly notBefore: Date | null;
  readonly reason: Reason;
  readonly held: string | null;
  /** Null before the commit. */
  readonly outcome: 'committed' | 'held' | 'stale' | null;
}

export interface ChangeFilter {
  readonly target?: string | null;
  readonly institution?: string | null;
  readonly kind?: string | null;
  readonly action?: string | null;
  readonly heldOnly?: boolean;
  /** Part of a title, any letter case. */
  readonly text?: string | null;
}

/** Newest first. `before` is the createdAt of the last plan of the page before. */
export async function listPlans(p: {
  readonly database: Database;
  readonly tenant: string;
  readonly before: Date | null;
  readonly limit: number;
}): Promise<readonly PlanRow[]> {
  return p.database.as(p.tenant, (tx) =>
    tx.query<PlanRow & Record<string, unknown>>(
      `select id, created_at as "createdAt", committed_at as "committedAt", state, hash,
              summary->'changes' as changes, summary->'held' as held
       from plan where $1::timestamptz is null or created_at < $1
       order by created_at desc limit $2`,
      [p.before, p.limit],
    ),
  );
}

export async function findPlan(p: {
  readonly database: Database;
  readonly tenant: string;
  readonly id: string;
}): Promise<PlanRow | null> {
  const rows = await p.database.as(p.tenant, (tx) =>
    tx.query<PlanRow & Record<string, unknown>>(
      `select id, created_at as "createdAt", committed_at as "committedAt", state, hash,
              summary->'changes' as changes, summary->'held' as held
       from plan where id::text = $1`,
      [p.id],
    ),
  );
  return rows[0] ?? null;
}

/** The changes of a plan in its own order (by institution), from after `after`. */
export async function listChanges(p: {
  readonly database: Database;
  readonly tenant: string;
  readonly planId: string;
  readonly filter: ChangeFilter;
  readonly after: number;
  readonly limit: number;
}): Promise<readonly ChangeRow[]> {
  const { filter } = p;
  return p.database.as(p.tenant, (tx) =>
    tx.query<ChangeRow & Record<string, unknown>>(
      `select c.seq, c.target, c.kind, c.key, c.institution, i.name as "institutionName", c.title, c.action,
              c.not_before as "notBefore", c.reason, c.held, c.outcome
       from change c left join (
         select distinct on (key) key, body->>'name' as name from record where entity = 'institution'
         order by key, source) i on i.key = c.institution
       where c.plan_id = $1 and c.seq > $2
         and ($3::text is null or c.target = $3) and ($4::text is null or c.institution = $4)
         and ($5::text is null or c.kind = $5) and ($6::text is null or c.action = $6)
         and (not $7 or c.held is not null)
         and ($8::text is null or strpos(lower(c.title), lower($8)) > 0)
       order by c.seq limit $9`,
      [
        p.planId,
        p.after,
        filter.target ?? null,
        filter.institution ?? null,
        filter.kind ?? null,
        filter.action ?? null,
        filter.heldOnly ?? false,
        filter.text ?? null,
        p.limit,
      ],
    ),
  );
}

/** A plan on one page: how many changes of each sort, per institution and target. */
export async function countChanges(p: {
  readonly database: Database;
  readonly tenant: string;
  readonly planId: string;
}): Promise<
  readonly {
    readonly institution: string | null;
    readonly institutionName: string | null;
    readonly target: string;
    readonly kind: string;
    readonly action: Action;
    readonly held: boolean;
    readonly scheduled: boolean;
    readonly reasonCode: string;
    readonly count: number;
  }[]
> {
  return p.database.as(p.tenant, (tx) =>
    tx.query(
      `select c.institution, i.name as "institutionName", c.target, c.kind, c.action,
              c.held is not null as held, c.not_before is not null as scheduled,
              c.reason->>'code' as "reasonCode", count(*)::int as count
       from change c left join (
         select distinct on (key) key, body->>'name' as name from record where entity = 'institution'
         order by key, source) i on i.key = c.institution
       where c.plan_id = $1 group by 1, 2, 3, 4, 5, 6, 7, 8 order by 2 nulls first, 1, 3, 4, 5`,
      [p.planId],
    ),
  );
}
