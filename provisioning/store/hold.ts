import type { Transaction } from './database.ts';

/** Something that waits for a person. */
export interface NewHold {
  /** Stable, for example `limit-people-leaving` or `identity-contradiction`. */
  readonly code: string;
  /** What it is about, the same from one plan to the next, for example `280001/keycloak/account`. */
  readonly subject: string;
  readonly institution: string | null;
  readonly person: string | null;
  /** Counts, codes and ids of our own; never a personal value. */
  readonly evidence: Readonly<Record<string, unknown>>;
}

/** What somebody decided about a hold, as long as it is in force. */
export interface Decision {
  readonly id: string;
  readonly code: string;
  readonly subject: string;
  readonly choice: string;
  readonly scope: 'once' | 'rule';
  /** What there was to see when it was decided. */
  readonly evidence: Readonly<Record<string, unknown>>;
}

/**
 * Tells all that is held now under the codes that the caller watches over: new ones are opened, known
 * ones seen again, and open ones that are no longer told are gone.
 *
 * @param p.within only holds of these institutions may be gone; null: of all
 */
export async function tellHolds(p: {
  readonly tx: Transaction;
  readonly codes: readonly string[];
  readonly holds: readonly NewHold[];
  readonly within?: readonly string[] | null;
}): Promise<void> {
  const told = JSON.stringify(p.holds);
  await p.tx.execute(
    `insert into hold (tenant_id, code, subject, institution, person_id, evidence)
     select distinct on (code, subject) $1, code, subject, institution, person, evidence
     from jsonb_to_recordset($2::jsonb)
       as x(code text, subject text, institution text, person uuid, evidence jsonb)
     on conflict (tenant_id, code, subject) where state = 'open' do update
       set evidence = excluded.evidence, institution = excluded.institution,
           person_id = excluded.person_id, seen_at = now()`,
    [p.tx.tenant, told],
  );
  await p.tx.execute(
    `update hold h set state = 'gone'
     where h.state = 'open' and h.code = any($1)
       and ($3::text[] is null or h.institution = any($3))
       and not exists (select from jsonb_to_recordset($2::jsonb) as x(code text, subject text)
                       where x.code = h.code and x.subject = h.subject)`,
    [p.codes, told, p.within ?? null],
  );
}

/** Decisions in force under these codes: rules that have not run out, and unspent ones for once. */
export async function readDecisions(p: {
  readonly tx: Transaction;
  readonly codes: readonly string[];
  readonly now: Date;
}): Promise<readonly Decision[]> {
  return p.tx.query<Decision & Record<string, unknown>>(
    `select distinct on (code, subject) id, code, subject, choice, scope, evidence from hold
     where state = 'decided' and code = any($1)
       and case scope when 'once' then spent_at is null else until is null or until > $2 end
     order by code, subject, decided_at desc`,
    [p.codes, p.now],
  );
}

/** Uses up decisions for once; rules stay. */
export async function spendDecisions(p: {
  readonly tx: Transaction;
  readonly ids: readonly string[];
  readonly now: Date;
}): Promise<void> {
  await p.tx.execute(
    `update hold set spent_at = $2
     where id = any($1::uuid[]) and scope = 'once' and spent_at is null`,
    [p.ids, p.now],
  );
}
