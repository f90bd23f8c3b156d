import type { Body } from '../policy/resource.ts';
import type { Database, Transaction } from '../store/database.ts';
import type { Action } from './diff.ts';
import type { Held, LimitRow } from './limits.ts';
import type { ActionCounts } from './make.ts';
import type { Reason } from './reason.ts';
import { compareFields } from './reason.ts';
import type { Cannot, UndoLoss } from './undo.ts';

export interface PlanRow {
  readonly id: string;
  readonly createdAt: Date;
  readonly committedAt: Date | null;
  readonly state: 'open' | 'committed' | 'superseded';
  /** SHA-256 over all changes, hex: what was previewed is what is committed. */
  readonly hash: string;
  readonly changes: Readonly<Record<string, Readonly<Record<string, ActionCounts>>>>;
  readonly held: readonly Held[];
  /** Every limit that something was counted against; in a list of plans only those near or beyond. */
  readonly limits: readonly LimitRow[];
  /** An open plan can be committed until then; null: it does not run out. */
  readonly expiresAt: Date | null;
  /** Whether somebody has to approve it whom somebody else commits. */
  readonly fourEyes: boolean;
  readonly approvals: readonly { readonly name: string; readonly at: string }[];
  readonly committedBy: string | null;
  /** The reading of a feed that it was made from. */
  readonly snapshot: {
    readonly id: string;
    readonly source: string;
    readonly readAt: string;
  } | null;
  /** The plan that this one turns back. */
  readonly undoes: string | null;
  /** The plan whose overtaken part this one plans again. */
  readonly replans: string | null;
  /** Of an undo: what cannot be turned back, and what is shut by it. */
  readonly cannot: readonly Cannot[];
  readonly losses: readonly UndoLoss[];
}

/** SQL: the columns of a PlanRow. */
const planColumns = `id, created_at as "createdAt", committed_at as "committedAt", state, hash,
  summary->'changes' as changes, summary->'held' as held, expires_at as "expiresAt",
  four_eyes as "fourEyes", committed_by as "committedBy", undoes, replans,
  coalesce(summary->'cannot', '[]') as cannot, coalesce(summary->'losses', '[]') as losses,
  (select jsonb_build_object('id', s.id, 'source', s.source, 'readAt', s.read_at)
   from snapshot s where s.id = plan.snapshot_id) as snapshot,
  array(select jsonb_build_object('name', a.name, 'at', a.at) from plan_approval a
        where a.plan_id = plan.id order by a.at) as approvals`;

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
  readonly outcome: 'committed' | 'held' | 'stale' | 'left' | null;
}

export interface ChangeFilter {
  readonly target?: string | null;
  readonly institution?: string | null;
  readonly kind?: string | null;
  readonly action?: string | null;
  readonly heldOnly?: boolean;
  /** Part of a title, any letter case. */
  readonly text?: string | null;
  /** Code of the reason, or of what holds it. */
  readonly code?: string | null;
  /** Part of the title of a class or another group: the group itself, and what goes in or out of it. */
  readonly group?: string | null;
}

/** SQL: whether the change `c` of plan `$1` is about a group whose title has `text` in it. */
function concernsGroup(text: string): string {
  const named = `person_id is null and strpos(lower(title), lower(${text})) > 0`;
  return `((c.person_id is null and strpos(lower(c.title), lower(${text})) > 0)
    or strpos(lower(c.reason->>'fields'), lower(${text})) > 0
    or c.needs && array(select kind || '/' || key from change where plan_id = $1 and ${named}
                        union select ref from resource where ${named}))`;
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
      `select ${planColumns},
              jsonb_path_query_array(summary, '$.limits[*] ? (@.state != "ok")') as limits
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
      `select ${planColumns}, coalesce(summary->'limits', '[]') as limits
       from plan where id::text = $1`,
      [p.id],
    ),
  );
  return rows[0] ?? null;
}

/**
 * The changes of a plan in its own order (by institution), from after `after`.
 *
 * @param p.whole also tells the fields of what is created or deleted
 */
export async function listChanges(p: {
  readonly database: Database;
  readonly tenant: string;
  readonly planId: string;
  readonly filter: ChangeFilter;
  readonly after: number;
  readonly limit: number;
  readonly whole?: boolean;
}): Promise<readonly ChangeRow[]> {
  const { filter, whole = false } = p;
  return p.database.as(p.tenant, async (tx) => {
    const rows = await tx.query<ChangeRow & Bodies & Record<string, unknown>>(
      `select c.seq, c.target, c.kind, c.key, c.institution, i.name as "institutionName", c.title, c.action,
              c.not_before as "notBefore", c.reason, c.held, c.outcome
              ${whole ? ', c.before, c.after, c.needs' : ''}
       from change c left join (
         select distinct on (key) key, body->>'name' as name from record where entity = 'institution'
         order by key, source) i on i.key = c.institution
       where c.plan_id = $1 and c.seq > $2
         and ($3::text is null or c.target = $3) and ($4::text is null or c.institution = $4)
         and ($5::text is null or c.kind = $5) and ($6::text is null or c.action = $6)
         and (not $7 or c.held is not null)
         and ($8::text is null or strpos(lower(c.title), lower($8)) > 0)
         and ($10::text is null or $10 in (c.held, c.reason->>'code'))
         and ($11::text is null or ${concernsGroup('$11')})
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
        filter.code ?? null,
        filter.group ?? null,
      ],
    );
    return whole ? tellFields({ tx, planId: p.planId, rows }) : rows;
  });
}

interface Bodies {
  readonly before: Body | null;
  readonly after: Body | null;
  readonly needs: readonly string[];
}

/** The fields of what is created or deleted, whose reason names none. */
async function tellFields(p: {
  readonly tx: Transaction;
  readonly planId: string;
  readonly rows: readonly (ChangeRow & Bodies)[];
}): Promise<readonly ChangeRow[]> {
  const needs = [...new Set(p.rows.flatMap((row) => row.needs))];
  const named = await p.tx.query<{ ref: string; title: string }>(
    `select target || '/' || key as ref, title from resource where ref = any($2)
     union select target || '/' || key, title from change
     where plan_id = $1 and kind || '/' || key = any($2)`,
    [p.planId, needs],
  );
  const titles = new Map(named.map(({ ref, title }) => [ref, title]));
  return p.rows.map(({ before, after, needs: _, ...row }) => {
    if (row.reason.fields.length > 0 || (before !== null && after !== null)) return row;
    const fields = compareFields({ before, after, titles, target: row.target });
    return { ...row, reason: { ...row.reason, fields } };
  });
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
