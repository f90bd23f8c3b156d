import { leavingDays } from '../policy/lifecycle.ts';
import type { AffiliationSlice, Body, ResourceKind } from '../policy/resource.ts';
import type { TargetTypes } from '../policy/route.ts';
import { checkRoutes } from '../policy/route.ts';
import type { Policy } from '../policy/schema.ts';
import type { NewPolicyVersion } from '../policy/version.ts';
import { addPreview, forgetPreviews } from '../policy/version.ts';
import { readLastSnapshot } from '../roster/read.ts';
import { identityCodes } from '../roster/recognise-hold.ts';
import type { Database, Transaction } from '../store/database.ts';
import type { KeepKind } from '../store/keep-alive.ts';
import { dayOf, isKept } from '../store/keep-alive.ts';
import { inSpan } from '../trace/span.ts';
import { lastAffiliations } from './affiliations.ts';
import type { Action } from './diff.ts';
import { decide, decideStart } from './diff.ts';
import { holdBeyondLimits } from './gate.ts';
import { holdUndone } from './hold-undone.ts';
import type { Held, LimitRow, Occasion } from './limits.ts';
import { giveReason, readTitles } from './reason.ts';
import { gatherWish } from './wanted.ts';
import { holdWithoutAlias } from './without-alias.ts';
import type { NewChange } from './write.ts';
import { finishPlan, insertChanges, insertPlan, openPlan } from './write.ts';

export interface PlanSummary {
  readonly id: string;
  /** Changes that will be committed, by target, kind and action; held ones are not among them. */
  readonly changes: Readonly<Record<string, Readonly<Record<string, ActionCounts>>>>;
  readonly held: readonly Held[];
  /** Every limit that something was counted against; none in plans that adopt or mend. */
  readonly limits: readonly LimitRow[];
  /** Whether somebody has to approve it whom somebody else commits. */
  readonly fourEyes: boolean;
}

/** `adopt` stands only in plans that adopt something. */
export type ActionCounts = Readonly<Record<Exclude<Action, 'adopt'>, number>> & {
  readonly adopt?: number;
};

/**
 * Compares what policy wants of the roster with the ledger and stores the difference as a plan.
 * Nothing in a target or in the ledger's desired state changes.
 *
 * @param p.targets the configured targets; what policy wants of a type that has none is left out
 * @throws RouteError when the policy's routes do not fit the targets
 */
export async function makePlan(p: {
  readonly database: Database;
  readonly tenant: string;
  readonly policy: Policy;
  readonly targets: TargetTypes;
  readonly snapshotId: string | null;
  readonly schoolYear: string | null;
  readonly allowed: ReadonlySet<string>;
  /** A declared change of school year has limits of its own. */
  readonly occasion?: Occasion;
  /** The plan is the preview of a policy that is not in force; its commit puts the policy into force. */
  readonly candidate?: NewPolicyVersion | null;
  readonly now: Date;
}): Promise<PlanSummary> {
  checkRoutes(p);
  return inSpan({
    name: 'plan',
    facts: { 'skolebus.tenant': p.tenant },
    work: () => p.database.as(p.tenant, (tx) => planAll({ ...p, tx })),
  });
}

async function planAll(
  p: Parameters<typeof makePlan>[0] & { readonly tx: Transaction },
): Promise<PlanSummary> {
  const { tx } = p;
  const candidate = p.candidate ?? null;
  await forgetPreviews(tx);
  const { withoutAlias } = await inSpan({ name: 'desire', work: () => gatherWish(p) });
  const planId = await openPlan({ tx, snapshotId: p.snapshotId });
  if (candidate === null) await refreshDescriptions(tx);
  else await addPreview({ tx, planId, ...candidate });
  await inSpan({ name: 'diff', work: () => writeChanges({ ...p, planId, only: null }) });
  // A policy that is only looked at asks nobody anything yet; the first of all comes with a feed.
  const whole = candidate === null || p.snapshotId !== null;
  return inSpan({
    name: 'gate',
    work: async () => {
      const undone = await holdUndone({ ...p, planId, whole });
      const gate = await holdBeyondLimits({ ...p, planId, whole });
      const held = [
        ...undone.held,
        ...gate.held,
        ...(await holdWithoutAlias({ ...p, people: withoutAlias })),
        ...(await findContradictions(tx)),
      ];
      const decisions = [...undone.decisions, ...gate.decisions];
      const { approval } = p.policy;
      return finishPlan({ ...p, planId, held, limits: gate.limits, decisions, approval });
    },
  });
}

/**
 * Plans again what the changes of another plan are about, as roster, policy and ledger are now, beside
 * whatever plan is open. The caller keeps of it what it needs and finishes it.
 */
export async function planAgain(p: {
  readonly tx: Transaction;
  readonly planId: string;
  readonly policy: Policy;
  readonly targets: TargetTypes;
  readonly now: Date;
}): Promise<string> {
  const { tx } = p;
  checkRoutes(p);
  const { id: snapshotId, schoolYear } = await readLastSnapshot(tx);
  await gatherWish({ ...p, schoolYear });
  const again = await insertPlan({ tx, snapshotId });
  await tx.execute(`update plan set replans = $2 where id = $1`, [again, p.planId]);
  await writeChanges({ ...p, planId: again, only: p.planId });
  return again;
}

/** Holds what is too much of a plan that was made by `planAgain`, and opens it. */
export async function finishAgain(p: {
  readonly tx: Transaction;
  readonly planId: string;
  readonly policy: Policy;
  readonly targets: TargetTypes;
  readonly now: Date;
}): Promise<PlanSummary> {
  const allowed = new Set<string>();
  const undone = await holdUndone({ ...p, allowed, whole: false });
  const gate = await holdBeyondLimits({ ...p, snapshotId: null, allowed, whole: false });
  const held = [...undone.held, ...gate.held];
  const decisions = [...undone.decisions, ...gate.decisions];
  const { approval } = p.policy;
  return finishPlan({ ...p, held, limits: gate.limits, decisions, approval });
}

/** Titles, institutions and needs describe a resource; they are not part of what stands in the target. */
async function refreshDescriptions(tx: Transaction): Promise<void> {
  await tx.execute(
    `update resource r set title = w.title, institution = w.institution, needs = w.needs
     from wanted w
     where w.target = r.target and w.kind = r.kind and w.key = r.key
       and (r.title, r.institution, r.needs) is distinct from (w.title, w.institution, w.needs)`,
  );
}

interface Pair {
  readonly target: string;
  readonly kind: ResourceKind;
  readonly key: string;
  readonly institution: string | null;
  readonly title: string;
  readonly person_id: string | null;
  readonly needs: readonly string[];
  readonly in_ledger: boolean;
  readonly desired: Body | null;
  readonly scheduled_at: Date | null;
  readonly inactive_since: Date | null;
  readonly wanted: Body | null;
  readonly same: boolean;
  readonly opens: Date | null;
  readonly kept: KeepKind | null;
  /** What somebody was last whom policy gives this no more. */
  readonly affiliations: readonly Pick<AffiliationSlice, 'kind' | 'roles'>[];
}

async function writeChanges(p: {
  readonly tx: Transaction;
  readonly planId: string;
  readonly policy: Policy;
  /** Only what the changes of this plan are about; null: everything. */
  readonly only: string | null;
  readonly now: Date;
}): Promise<void> {
  const { tx, planId, now } = p;
  const { lifecycle } = p.policy;
  const titles = await readTitles({ tx, alsoWanted: true });
  const pairs = tx.stream<Pair>(
    `select coalesce(w.target, r.target) as target, coalesce(w.kind, r.kind) as kind,
            coalesce(w.key, r.key) as key, coalesce(w.institution, r.institution) as institution,
            coalesce(w.title, r.title) as title, coalesce(w.person_id, r.person_id) as person_id,
            coalesce(w.needs, r.needs) as needs, r.key is not null as in_ledger, r.desired,
            r.scheduled_at, r.inactive_since, w.body as wanted,
            w.body is not distinct from r.desired as same, w.opens,
            case when w.key is not null or r.person_id is null then null
                 when ${isKept({ person: 'r.person_id', today: '$1', kinds: ['keep'] })} then 'keep'
                 when ${isKept({ person: 'r.person_id', today: '$1', kinds: ['legal-hold'] })}
                 then 'legal-hold' end as kept,
            case when w.key is null and r.person_id is not null then
              ${lastAffiliations('r.person_id')} else '[]' end as affiliations
     from wanted w full join resource r on r.target = w.target and r.kind = w.kind and r.key = w.key
     where (w.body is distinct from r.desired or r.scheduled_at is not null or w.opens is not null)
       and ($2::uuid is null or (coalesce(w.target, r.target), coalesce(w.kind, r.kind),
            coalesce(w.key, r.key)) in (select target, kind, key from change where plan_id = $2))
     order by coalesce(w.institution, r.institution), 1, 2, 5, 3`,
    [dayOf(now), p.only],
  );
  async function* rows(): AsyncGenerator<NewChange> {
    for await (const pair of pairs) {
      const input = {
        ...pair,
        row: pair.in_ledger
          ? {
              desired: pair.desired,
              scheduledAt: pair.scheduled_at,
              inactiveSince: pair.inactive_since,
            }
          : null,
        graceDays: leavingDays({ ...pair, lifecycle, which: 'graceDays' }),
        retentionDays: leavingDays({ ...pair, lifecycle, which: 'retentionDays' }),
        now,
      };
      for (const decision of [decide(input), decideStart(input)]) {
        if (decision === null) continue;
        yield {
          target: pair.target,
          kind: pair.kind,
          key: pair.key,
          institution: pair.institution,
          title: pair.title,
          person_id: pair.person_id,
          needs: pair.needs,
          action: decision.action,
          before: pair.desired,
          after: decision.after,
          not_before: decision.notBefore,
          reason: giveReason({ decision, before: pair.desired, titles, target: pair.target }),
          lane: 'sync',
        };
      }
    }
  }

  await insertChanges({ tx, planId, rows: rows() });
}

/** People and contacts whose evidence contradicts itself. */
async function findContradictions(tx: Transaction): Promise<readonly Held[]> {
  const rows = await tx.query<{ institution: string; code: string; count: number }>(
    `select coalesce(institution, '*') as institution, code, count(*)::int as count from hold
     where state = 'open' and code = any($1) group by 1, 2 order by 1, 2`,
    [identityCodes],
  );
  return rows.map(({ institution, code, count }) => ({
    institution,
    target: '*',
    kind: 'account',
    action: 'create',
    code,
    count,
    of: count,
  }));
}
