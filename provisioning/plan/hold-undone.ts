import type { Transaction } from '../store/database.ts';
import type { NewHold } from '../store/hold.ts';
import { readDecisions, tellHolds } from '../store/hold.ts';
import type { Held } from './limits.ts';

const code = 'undone';

/**
 * Holds what somebody turned back and policy wants just as it was: a sync must not do again what an undo
 * has undone. Another wish for the same thing goes on, and so does what somebody lets through.
 *
 * @returns what is held, and the decisions that let something through
 */
export async function holdUndone(p: {
  readonly tx: Transaction;
  readonly planId: string;
  /** Institutions whose changes somebody has looked at and allowed. */
  readonly allowed: ReadonlySet<string>;
  /** Whether the plan is about everything, so that what it does not hold is held no more. */
  readonly whole: boolean;
  readonly now: Date;
}): Promise<{ readonly held: readonly Held[]; readonly decisions: readonly string[] }> {
  const { tx, planId } = p;
  const again = await tx.query<Omit<Held, 'code' | 'of'> & { code: string; count: number }>(
    `select coalesce(c.institution, '*') as institution, c.target, c.kind, c.action, count(*)::int as count
     from change c join undone u using (target, kind, key)
     where c.plan_id = $1 and c.after is not distinct from u.after
     group by 1, 2, 3, 4 order by 1, 2, 3, 4`,
    [planId],
  );
  const made = await readDecisions({ tx, codes: [code], now: p.now });
  const allowing = new Map(made.filter((d) => d.choice === 'allow').map((d) => [d.subject, d.id]));
  const held = again
    .filter((one) => !p.allowed.has(one.institution) && !allowing.has(subjectOf(one)))
    .map((one): Held => ({ ...one, code, of: one.count }));
  await tx.execute(
    `update change c set held = '${code}'
     from undone u, jsonb_to_recordset($2::jsonb) as h(institution text, target text, kind text, action text)
     where c.plan_id = $1 and (u.target, u.kind, u.key) = (c.target, c.kind, c.key)
       and c.after is not distinct from u.after
       and (h.institution, h.target, h.kind, h.action)
         = (coalesce(c.institution, '*'), c.target, c.kind, c.action)`,
    [planId, JSON.stringify(held)],
  );
  if (p.whole) await tellHolds({ tx, codes: [code], holds: held.map(toHold) });
  return { held, decisions: again.flatMap((one) => allowing.get(subjectOf(one)) ?? []) };
}

function subjectOf(p: Pick<Held, 'institution' | 'target' | 'kind' | 'action'>): string {
  return `${p.institution}/${p.target}/${p.kind}/${p.action}`;
}

function toHold(held: Held): NewHold {
  const { institution, target, kind, action, count } = held;
  return {
    code,
    subject: subjectOf(held),
    institution: institution === '*' ? null : institution,
    person: null,
    evidence: { target, kind, action, count },
  };
}
