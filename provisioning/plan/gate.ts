import type { Policy } from '../policy/schema.ts';
import type { Transaction } from '../store/database.ts';
import type { Decision } from '../store/hold.ts';
import { readDecisions, spendDecisions, tellHolds } from '../store/hold.ts';
import type { Carrier } from './effect.ts';
import { holdCarriers, measureEffects } from './effect.ts';
import type { Effect, Held, LimitRow, Occasion } from './limits.ts';
import { codeOf, findHeld, judge, limitCodes, limitFor } from './limits.ts';
import { measureSources } from './source-effect.ts';

export interface Gate {
  readonly held: readonly Held[];
  /** Every limit that something was counted against. */
  readonly limits: readonly LimitRow[];
  /** Decisions for once that the commit of this plan uses up. */
  readonly decisions: readonly string[];
}

/** A decision for once covers what was decided about and this much of it, for a feed moves on meanwhile. */
const grownBy = 1.25;

/**
 * Looks at what the plan would do before anything is written, holds what exceeds a limit for its
 * institution, and tells the inbox. What a person allowed or refused before is respected.
 */
export async function holdBeyondLimits(p: {
  readonly tx: Transaction;
  readonly planId: string;
  readonly policy: Policy;
  readonly snapshotId: string | null;
  readonly occasion?: Occasion;
  /** Institutions in which a person allows everything in this run. */
  readonly allowed: ReadonlySet<string>;
  /** Whether the plan is about everything, so that the inbox learns what is held no more. */
  readonly whole: boolean;
  readonly now: Date;
}): Promise<Gate> {
  const { tx, policy, now } = p;
  const effects = [
    ...(await measureEffects(p)),
    ...(p.whole ? await measureSources({ ...p, silentDays: policy.limits.silentDays }) : []),
  ];
  const decisions = await readDecisions({ tx, codes: limitCodes, now });
  const inForce = decisions.filter((decision) => covers({ decision, effects }));
  const isAllowed = (effect: Effect) =>
    p.allowed.has(effect.institution) ||
    inForce.some(
      ({ choice, code, subject }) =>
        choice === 'allow' &&
        code === codeOf(effect.limit) &&
        subject.startsWith(`${effect.institution}/`),
    );
  const limits = judge({
    effects,
    limitOf: (effect) => limitFor({ policy, occasion: p.occasion ?? 'ordinary', effect }),
    isAllowed,
  });
  const held = findHeld({ rows: limits, isAllowed });
  await holdCarriers({ tx, planId: p.planId, carriers: held.flatMap(carriersOf) });

  if (p.whole) await tellInbox({ tx, limits, inForce, now });
  const used = decisions.filter(({ choice, scope }) => choice === 'allow' && scope === 'once');
  return { held: held.map(toHeld), limits, decisions: used.map(({ id }) => id) };
}

/** Tells what is asked now; what was refused is not asked again while it is the same. */
async function tellInbox(p: {
  readonly tx: Transaction;
  readonly limits: readonly LimitRow[];
  readonly inForce: readonly Decision[];
  readonly now: Date;
}): Promise<void> {
  const exceeded = p.limits.filter((row) => row.state === 'exceeded');
  const refused = p.inForce.filter(({ choice }) => choice === 'refuse');
  const isThis = (row: LimitRow) => (decision: Decision) =>
    decision.code === row.code && decision.subject === subjectOf(row);
  await tellHolds({
    tx: p.tx,
    codes: limitCodes,
    holds: exceeded.filter((row) => !refused.some(isThis(row))).map(toHold),
  });
  // What was refused is over when it is not asked for any more: the next time is another case.
  const over = refused.filter((decision) => !exceeded.some((row) => isThis(row)(decision)));
  await spendDecisions({ tx: p.tx, ids: over.map(({ id }) => id), now: p.now });
}

/** A decision is about as much as there was to see when it was made; a rule to allow is about any number. */
function covers(p: { readonly decision: Decision; readonly effects: readonly Effect[] }): boolean {
  const { choice, code, evidence, scope, subject } = p.decision;
  if (choice === 'allow' && scope === 'rule') return true;
  const now = p.effects.find(
    (effect) => codeOf(effect.limit) === code && subjectOf(effect) === subject,
  );
  const seen = Number(evidence['count'] ?? Number.POSITIVE_INFINITY);
  return now === undefined || now.count <= seen * (choice === 'allow' ? grownBy : 1);
}

/** When all people seem to be new, neither the new nor the old ones are touched, in any target. */
function carriersOf(row: LimitRow): readonly Carrier[] {
  const { action, code, institution, kind, limit, target } = row;
  if (limit === 'institutionMissing' || limit === 'sourceSilent') return [];
  if (limit === 'identifiers' && action === 'create') {
    const all = { institution, kind, code, target: null, action: null };
    return [
      { ...all, measure: 'growth' },
      { ...all, measure: 'deactivate' },
    ];
  }
  return [{ institution, target, kind, action, code, measure: limit }];
}

function subjectOf(row: Effect): string {
  return `${row.institution}/${row.target}/${row.kind}/${row.action}`;
}

function toHold(row: LimitRow) {
  const { action, code, count, countLimit, detail, institution, kind, of, percentLimit, target } =
    row;
  return {
    code,
    subject: subjectOf(row),
    institution: institution === '*' ? null : institution,
    person: null,
    evidence: { target, kind, action, detail, count, of, percentLimit, countLimit },
  };
}

function toHeld({ institution, target, kind, action, code, count, of }: LimitRow): Held {
  return { institution, target, kind, action, code, count, of };
}
