import type { Transaction } from './database.ts';

/** `keep`: nothing of the person is deactivated or deleted. `legal-hold`: nothing is deleted. */
export type KeepKind = 'keep' | 'legal-hold';

export interface Keep {
  readonly id: string;
  readonly person: string;
  /** Null where the person never had one. */
  readonly username: string | null;
  readonly kind: KeepKind;
  /** The last day; null: until it is lifted. */
  readonly until: string | null;
  readonly reason: string;
  readonly by: string;
  readonly createdAt: Date;
}

/** The day as all dates of the roster are read: in UTC. */
export function dayOf(now: Date): string {
  return now.toISOString().slice(0, 10);
}

/** SQL: whether one of the kinds is in force today for the person in this column. */
export function isKept(p: {
  /** A column, such as `r.person_id`. */
  readonly person: string;
  /** A placeholder for the day, such as `$2`. */
  readonly today: string;
  readonly kinds: readonly KeepKind[];
}): string {
  const kinds = p.kinds.map((kind) => `'${kind}'`).join(', ');
  return `exists (select from keep_alive k where k.person_id = ${p.person} and k.kind in (${kinds})
    and k.ended_at is null and coalesce(k.until, 'infinity') >= ${p.today}::date)`;
}

/**
 * Keeps somebody's accounts from now on. What is under way against it is called off: deactivations that
 * wait for their day, and deletions that no worker has in hand. One of the same kind gives way.
 */
export async function placeKeep(p: {
  readonly tx: Transaction;
  readonly person: string;
  readonly kind: KeepKind;
  readonly until: string | null;
  readonly reason: string;
  readonly by: string;
  readonly now: Date;
}): Promise<string> {
  const { tx } = p;
  await tx.execute(
    `update keep_alive set ended_at = $3, ended_by = $4
     where person_id = $1 and kind = $2 and ended_at is null`,
    [p.person, p.kind, p.now, p.by],
  );
  const [row] = await tx.query<{ id: string }>(
    `insert into keep_alive (tenant_id, person_id, kind, until, reason, by, created_at)
     values ($1, $2, $3, $4, $5, $6, $7) returning id`,
    [tx.tenant, p.person, p.kind, p.until, p.reason, p.by, p.now],
  );
  if (row === undefined) throw new Error('The row was not returned.');
  if (p.kind === 'keep') {
    await tx.execute(
      `update resource set scheduled = null, scheduled_at = null, changed_at = now()
       where person_id = $1 and scheduled_at is not null
         and (desired->>'active')::boolean and not (scheduled->>'active')::boolean`,
      [p.person],
    );
  }
  await tx.execute(
    `update resource set desired = applied, failure = null, changed_at = now(), due_at = now(),
            state = case when attempts = 0 then 'settled' else 'due' end
     where person_id = $1 and desired is null and applied is not null
       and (leased_until is null or leased_until < now())`,
    [p.person],
  );
  return row.id;
}

/** Ends what is in force; the ordinary grace or retention begins with the next plan. False: there was none. */
export async function endKeep(p: {
  readonly tx: Transaction;
  readonly id: string;
  readonly by: string;
  readonly now: Date;
}): Promise<boolean> {
  const ended = await p.tx.execute(
    'update keep_alive set ended_at = $2, ended_by = $3 where id = $1 and ended_at is null',
    [p.id, p.now, p.by],
  );
  return ended > 0;
}

/** All that is in force, or all of one person, oldest first. */
export async function listKeeps(p: {
  readonly tx: Transaction;
  readonly person: string | null;
  readonly today: string;
}): Promise<readonly Keep[]> {
  return p.tx.query<Keep & Record<string, unknown>>(
    `select k.id, k.person_id as person, u.username, k.kind, k.until::text, k.reason, k.by,
            k.created_at as "createdAt"
     from keep_alive k left join username u on u.person_id = k.person_id
     where k.ended_at is null and coalesce(k.until, 'infinity') >= $1::date
       and ($2::uuid is null or k.person_id = $2)
     order by k.created_at, k.id`,
    [p.today, p.person],
  );
}
