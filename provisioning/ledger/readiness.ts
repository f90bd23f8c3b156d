import type { Lane } from '../policy/lane.ts';
import type { ResourceKind } from '../policy/resource.ts';
import type { Database } from '../store/database.ts';
import { gatherGaps } from './readiness-gather.ts';

/** Active people of an institution who miss the same sort of thing for the same reason. */
export interface Gap {
  readonly institution: string;
  readonly target: string;
  readonly kind: ResourceKind;
  readonly lane: Lane;
  /**
   * `due`, `failed`: a row of the ledger is. `held`: a change is, by what `code` says. `open`: a change
   * waits for somebody to approve and commit it.
   */
  readonly state: 'due' | 'failed' | 'held' | 'open';
  /** Of the failure, or of what holds it; null: not tried yet. */
  readonly code: string | null;
  /** Why something that it needs does not come by waiting; null: nothing is in the way. */
  readonly blocked: string | null;
  /** It was put off again and again. */
  readonly stuck: boolean;
  readonly people: number;
  /** Of them, those who are counted here and at no institution before: their sum counts nobody twice. */
  readonly once: number;
  /** When the last of them is tried (again); of things that name people: in the whole tenant. */
  readonly dueAt: Date;
  /** Since when the oldest has been different from what is desired, and the newest. */
  readonly since: Date;
  readonly committedAt: Date;
}

export interface Headcount {
  readonly institution: string;
  readonly name: string;
  readonly people: number;
  /** Of them, those who miss something. */
  readonly missing: number;
  /** As with gaps. */
  readonly peopleOnce: number;
  readonly missingOnce: number;
}

/**
 * Whose resources are right today, and what the others miss: institutions with active people, and what
 * is missing in each. Measured by `npm run -s bench -- readiness`.
 */
export async function readGaps(p: {
  readonly database: Database;
  readonly tenant: string;
  readonly now: Date;
}): Promise<{ readonly heads: readonly Headcount[]; readonly gaps: readonly Gap[] }> {
  return p.database.as(p.tenant, async (tx) => {
    await gatherGaps({ ...p, tx });
    const heads = await tx.query<Headcount & Record<string, unknown>>(
      `with lacking as (select person_id from own union select person_id from place)
       select h.*, coalesce((select min(body->>'name') from record
                             where tenant_id = $1 and entity = 'institution' and key = h.institution),
                            h.institution) as name
       from (select a.institution, count(*)::int as people, count(l.person_id)::int as missing,
                    count(*) filter (where a.once)::int as "peopleOnce",
                    count(l.person_id) filter (where a.once)::int as "missingOnce"
             from active a left join lacking l using (person_id) group by 1) h order by 1`,
      [tx.tenant],
    );
    const gaps = await tx.query<Gap & Record<string, unknown>>(
      `select a.institution, o.target, o.kind, o.lane, o.state, o.code, o.blocked, o.stuck,
              count(*)::int as people, count(*) filter (where a.once)::int as once,
              max(o.due_at) as "dueAt", min(o.changed_at) as since, max(o.changed_at) as "committedAt"
       from own o join active a using (person_id) group by 1, 2, 3, 4, 5, 6, 7, 8
       union all
       select p.institution, s.target, s.kind, s.lane, s.state, s.code, s.blocked, s.stuck,
              p.people, p.once, s.due_at, s.since, s.committed_at
       from (select a.institution, p.sort, count(*)::int as people,
                    count(*) filter (where a.once)::int as once
             from place p join active a using (person_id) group by 1, 2) p
       join sort s on s.id = p.sort`,
    );
    return { heads, gaps };
  });
}
