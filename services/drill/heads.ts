import type { Database } from '../../provisioning/store/database.ts';

/** Pupils, staff and externals of the roster: who signs in of a morning. Guardians do not. */
export function countHeads(p: {
  readonly database: Database;
  readonly tenant: string;
}): Promise<number> {
  return p.database.as(p.tenant, async (tx) => {
    const [row] = await tx.query<{ heads: number }>(
      `select count(distinct g.person_id)::int as heads
         from record a
         join recognition g on g.source = a.source and g.record_key = a.person
        where a.entity = 'affiliation' and a.gone_at is null and a.body->>'kind' <> 'guardian'`,
    );
    return row?.heads ?? 0;
  });
}
