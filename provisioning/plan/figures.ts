import type { Database } from '../store/database.ts';

/** What of a tenant's plans waits for a person, counted. */
export interface PlanFigures {
  /** Plans that may be committed. */
  readonly open: number;
  /** How long the oldest of them has waited, in seconds; null: there is none. */
  readonly oldestSeconds: number | null;
  readonly holds: readonly { readonly code: string; readonly count: number }[];
  /** Places near or beyond a limit, over the plans made within the last 24 hours. */
  readonly limits: readonly {
    readonly limit: string;
    readonly state: 'near' | 'exceeded' | 'allowed';
    readonly count: number;
  }[];
}

export async function readPlanFigures(p: {
  readonly database: Database;
  readonly tenant: string;
}): Promise<PlanFigures> {
  return p.database.as(p.tenant, async (tx) => {
    const [plans] = await tx.query<
      Pick<PlanFigures, 'open' | 'oldestSeconds'> & Record<string, unknown>
    >(
      `select count(*)::int as open,
              extract(epoch from now() - min(created_at))::float8 as "oldestSeconds"
       from plan where state = 'open' and (expires_at is null or expires_at > now())
         and exists (select from change c where c.plan_id = plan.id)`,
    );
    return {
      open: plans?.open ?? 0,
      oldestSeconds: plans?.oldestSeconds ?? null,
      holds: await tx.query<PlanFigures['holds'][number] & Record<string, unknown>>(
        `select code, count(*)::int as count from hold where state = 'open' group by code order by code`,
      ),
      limits: await tx.query<PlanFigures['limits'][number] & Record<string, unknown>>(
        `select l->>'limit' as "limit", l->>'state' as state, count(*)::int as count
         from plan, jsonb_path_query(summary, '$.limits[*] ? (@.state != "ok")') l
         where created_at > now() - interval '1 day' group by 1, 2 order by 1, 2`,
      ),
    };
  });
}
