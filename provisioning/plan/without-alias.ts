import type { Transaction } from '../store/database.ts';
import type { NewHold } from '../store/hold.ts';
import { readDecisions, spendDecisions, tellHolds } from '../store/hold.ts';
import type { Held } from './limits.ts';

/** Somebody protected who is shown by the placeholder, and the institution that can mend it. */
export interface PersonWithoutAlias {
  readonly person: string;
  readonly institution: string;
}

const code = 'protected-without-alias';

/**
 * Tells the inbox of each person, and counts them for the plan. Whom somebody has put off waits outside
 * of the inbox: until the rule runs out, or for this one plan.
 */
export async function holdWithoutAlias(p: {
  readonly tx: Transaction;
  readonly people: readonly PersonWithoutAlias[];
  readonly now: Date;
}): Promise<readonly Held[]> {
  const decisions = await readDecisions({ ...p, codes: [code] });
  const putOff = new Set(decisions.map(({ subject }) => subject));
  const holds = p.people.map(({ person, institution }): NewHold => {
    return { code, subject: `person:${person}`, institution, person, evidence: {} };
  });
  const told = holds.filter(({ subject }) => !putOff.has(subject));
  await tellHolds({ tx: p.tx, codes: [code], holds: told });
  await spendDecisions({ ...p, ids: decisions.map(({ id }) => id) });
  const counts = new Map<string, number>();
  for (const { institution } of p.people) {
    counts.set(institution, (counts.get(institution) ?? 0) + 1);
  }
  return [...counts].map(([institution, count]) => ({
    institution,
    target: '*',
    kind: 'account',
    action: 'create',
    code,
    count,
    of: count,
  }));
}
