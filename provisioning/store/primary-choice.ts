import type { Transaction } from './database.ts';

/** Puts an operator's choice of somebody's first institution; null takes it away. */
export async function choosePrimary(p: {
  readonly tx: Transaction;
  readonly person: string;
  readonly institution: string | null;
  readonly by: string;
}): Promise<void> {
  if (p.institution === null) {
    await p.tx.execute('delete from primary_choice where person_id = $1', [p.person]);
    return;
  }
  await p.tx.execute(
    `insert into primary_choice (tenant_id, person_id, institution, by) values ($1, $2, $3, $4)
     on conflict (tenant_id, person_id) do update
       set institution = excluded.institution, by = excluded.by, created_at = now()`,
    [p.tx.tenant, p.person, p.institution, p.by],
  );
}

/** Institutions where somebody is now, as far as the roster says. */
export async function listInstitutionsOf(p: {
  readonly tx: Transaction;
  readonly person: string;
}): Promise<readonly string[]> {
  const rows = await p.tx.query<{ institution: string }>(
    `select distinct r.institution from recognition g
     join record r on r.source = g.source and r.entity = 'affiliation' and r.person = g.record_key
     where g.person_id = $1 and r.gone_at is null order by 1`,
    [p.person],
  );
  return rows.map((row) => row.institution);
}
