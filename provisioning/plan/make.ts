import type { Body, ResourceKind } from '../policy/resource.ts';
import type { TargetTypes } from '../policy/route.ts';
import { checkRoutes } from '../policy/route.ts';
import type { Policy } from '../policy/schema.ts';
import type { Database, Transaction } from '../store/database.ts';
import type { Action } from './diff.ts';
import { decide } from './diff.ts';
import type { ChangeCount, Held } from './limits.ts';
import { findHeld } from './limits.ts';
import { giveReason, readTitles } from './reason.ts';
import { gatherWish } from './wanted.ts';
import type { NewChange } from './write.ts';
import { finishPlan, insertChanges, openPlan } from './write.ts';

export interface PlanSummary {
  readonly id: string;
  /** Changes that will be committed, by target, kind and action; held ones are not among them. */
  readonly changes: Readonly<Record<string, Readonly<Record<string, ActionCounts>>>>;
  readonly held: readonly Held[];
}

/** `adopt` stands only in plans that adopt something. */
export type ActionCounts = Readonly<Record<Exclude<Action, 'adopt'>, number>> & {
  readonly adopt?: number;
};

/** A plan of more changes than this is a first load or a rollover: it goes through lane `bulk`. */
const bulkThreshold = 2000;

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
  readonly now: Date;
}): Promise<PlanSummary> {
  checkRoutes(p);
  return p.database.as(p.tenant, async (tx) => {
    const { withoutAlias } = await gatherWish({ ...p, tx });
    const planId = await openPlan({ tx, snapshotId: p.snapshotId });
    await refreshDescriptions(tx);
    await writeChanges({ ...p, tx, planId });
    const held = [
      ...(await holdLosses({ ...p, tx, planId })),
      ...withoutAlias,
      ...(await findContradictions(tx)),
    ];
    return finishPlan({ tx, planId, held, targets: p.targets });
  });
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
  readonly affiliation_kind: string | null;
}

async function writeChanges(p: {
  readonly tx: Transaction;
  readonly planId: string;
  readonly policy: Policy;
  readonly now: Date;
}): Promise<void> {
  const { tx, planId, policy, now } = p;
  const titles = await readTitles({ tx, alsoWanted: true });
  const pairs = tx.stream<Pair>(
    `select coalesce(w.target, r.target) as target, coalesce(w.kind, r.kind) as kind,
            coalesce(w.key, r.key) as key, coalesce(w.institution, r.institution) as institution,
            coalesce(w.title, r.title) as title, coalesce(w.person_id, r.person_id) as person_id,
            coalesce(w.needs, r.needs) as needs, r.key is not null as in_ledger, r.desired,
            r.scheduled_at, r.inactive_since, w.body as wanted,
            w.body is not distinct from r.desired as same,
            case when w.key is null and r.person_id is not null then
              (select a.body->>'kind' from recognition g
               join record a on a.source = g.source and a.entity = 'affiliation' and a.person = g.record_key
               where g.person_id = r.person_id order by a.gone_at desc nulls first limit 1) end as affiliation_kind
     from wanted w full join resource r on r.target = w.target and r.kind = w.kind and r.key = w.key
     where w.body is distinct from r.desired or r.scheduled_at is not null
     order by coalesce(w.institution, r.institution), 1, 2, 5, 3`,
  );
  async function* rows(): AsyncGenerator<NewChange> {
    for await (const pair of pairs) {
      const lifecycle = policy.lifecycle;
      const decision = decide({
        row: pair.in_ledger
          ? {
              desired: pair.desired,
              scheduledAt: pair.scheduled_at,
              inactiveSince: pair.inactive_since,
            }
          : null,
        wanted: pair.wanted,
        same: pair.same,
        graceDays: daysFor(lifecycle.graceDays, pair.affiliation_kind),
        retentionDays: daysFor(lifecycle.retentionDays, pair.affiliation_kind),
        now,
      });
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

  const written = await insertChanges({ tx, planId, rows: rows() });
  if (written > bulkThreshold) {
    await tx.execute(`update change set lane = 'bulk' where plan_id = $1`, [planId]);
  }
}

/** Groups, folders, courses have no affiliation kind of their own: they stay as long as the longest of the kinds. */
function daysFor(days: Readonly<Record<string, number>>, kind: string | null): number {
  return (kind === null ? undefined : days[kind]) ?? Math.max(...Object.values(days));
}

async function holdLosses(p: {
  readonly tx: Transaction;
  readonly planId: string;
  readonly policy: Policy;
  readonly allowed: ReadonlySet<string>;
}): Promise<readonly Held[]> {
  const counts = await p.tx.query<ChangeCount>(
    `with active as (
       select institution, target, kind, count(*)::int as n from resource
       where (desired->>'active')::boolean group by 1, 2, 3)
     select c.institution, c.target, c.kind, c.action, count(*)::int as count, coalesce(a.n, 0) as of
     from change c left join active a using (institution, target, kind)
     where c.plan_id = $1 and c.institution is not null
     group by c.institution, c.target, c.kind, c.action, a.n order by 1, 2, 3, 4`,
    [p.planId],
  );
  const held = findHeld({
    counts,
    limitOf: (institution) =>
      p.policy.limits.institutions[institution] ?? p.policy.limits.deactivate,
    allowed: p.allowed,
  });
  await p.tx.execute(
    `update change set held = 'limit-deactivate'
     where plan_id = $1 and action in ('deactivate', 'delete') and institution = any($2)`,
    [p.planId, [...new Set(held.map((h) => h.institution))]],
  );
  return held;
}

/** People whom the roster could not recognise, because their ids point to different people. */
async function findContradictions(tx: Transaction): Promise<readonly Held[]> {
  const rows = await tx.query<{ institution: string; count: number }>(
    `select a.institution, count(distinct r.key)::int as count
     from record r
     join record a on a.source = r.source and a.entity = 'affiliation' and a.person = r.key and a.gone_at is null
     where r.entity = 'person'
       and not exists (select from recognition g where g.source = r.source and g.record_key = r.key)
     group by a.institution order by a.institution`,
  );
  return rows.map(({ institution, count }) => ({
    institution,
    target: '*',
    kind: 'account',
    action: 'create',
    code: 'identity-contradiction',
    count,
    of: count,
  }));
}
