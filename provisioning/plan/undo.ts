import type { Body, ResourceKind } from '../policy/resource.ts';
import type { TargetTypes } from '../policy/route.ts';
import type { Policy } from '../policy/schema.ts';
import type { Database, Transaction } from '../store/database.ts';
import type { PlanSummary } from './make.ts';
import { PlanError } from './plan-error.ts';
import { compareFields, readTitles } from './reason.ts';
import type { CannotCode, DoneChange } from './undo-change.ts';
import { undoChange } from './undo-change.ts';
import type { NewChange } from './write.ts';
import { finishPlan, insertChanges, insertPlan } from './write.ts';

/** Changes of one sort that cannot be turned back. */
export interface Cannot {
  readonly institution: string | null;
  readonly target: string;
  readonly kind: string;
  readonly action: string;
  readonly code: CannotCode;
  readonly count: number;
  /** Some of them, as people know them. */
  readonly titles: readonly string[];
}

/** What an undo shuts, for whoever looks at it before the commit: no limit holds an undo. */
export interface UndoLoss {
  readonly institution: string | null;
  readonly target: string;
  readonly kind: string;
  readonly count: number;
  /** Active resources of this sort. */
  readonly of: number;
}

export interface UndoPlan extends PlanSummary {
  readonly undoes: string;
  readonly cannot: readonly Cannot[];
  readonly losses: readonly UndoLoss[];
}

/** Titles that a sort of what cannot be undone names. */
const titlesNamed = 5;

/**
 * Stores the inverse of a committed plan as an open plan: previewed, approved and committed like every
 * other one. Only what still is as the plan left it is turned back.
 *
 * @throws PlanError when there is no such plan, it was not committed, or its window is over
 */
export async function planUndo(p: {
  readonly database: Database;
  readonly tenant: string;
  readonly policy: Policy;
  readonly targets: TargetTypes;
  readonly planId: string;
  readonly now: Date;
}): Promise<UndoPlan> {
  return p.database.as(p.tenant, async (tx) => {
    const undoes = await requireUndoable({ ...p, tx });
    await tx.execute(`update plan set state = 'superseded' where state = 'open' and undoes = $1`, [
      undoes,
    ]);
    const planId = await insertPlan({ tx, snapshotId: null });
    await tx.execute(`update plan set undoes = $2 where id = $1`, [planId, undoes]);
    const cannot = await writeInverse({ ...p, tx, planId, undoes });
    const losses = await countLosses({ tx, planId });
    const more = { cannot, losses };
    const { approval } = p.policy;
    const plan = await finishPlan({ ...p, tx, planId, held: [], approval, more });
    return { ...plan, undoes, ...more };
  });
}

async function requireUndoable(p: {
  readonly tx: Transaction;
  readonly planId: string;
  readonly policy: Policy;
  readonly now: Date;
}): Promise<string> {
  const [plan] = await p.tx.query<{ id: string; state: string; committed_at: Date | null }>(
    `select id, state, committed_at from plan where id::text = $1`,
    [p.planId],
  );
  if (plan === undefined) {
    throw new PlanError({ code: 'plan-unknown', message: `There is no plan ${p.planId}.` });
  }
  if (plan.committed_at === null) {
    throw new PlanError({
      code: 'plan-not-committed',
      message: `Plan ${p.planId} is ${plan.state}: it did nothing that could be undone.`,
    });
  }
  const { days } = p.policy.undo;
  if (plan.committed_at.getTime() + days * 86_400_000 < p.now.getTime()) {
    throw new PlanError({
      code: 'undo-too-late',
      message: `Plan ${p.planId} was committed on ${plan.committed_at.toISOString().slice(0, 10)}, and policy lets a plan be undone for ${days} days (undo.days): mend what is wrong in the feed or the policy instead.`,
    });
  }
  return plan.id;
}

interface DoneRow extends DoneChange {
  readonly target: string;
  readonly kind: ResourceKind;
  readonly key: string;
  readonly institution: string | null;
  readonly title: string;
  readonly person_id: string | null;
  readonly needs: readonly string[];
  readonly desired: Body | null;
}

async function writeInverse(p: {
  readonly tx: Transaction;
  readonly planId: string;
  readonly undoes: string;
  readonly policy: Policy;
  readonly now: Date;
}): Promise<readonly Cannot[]> {
  const { tx, planId, now } = p;
  const titles = await readTitles({ tx, alsoWanted: false });
  const graceDays = Math.max(...Object.values(p.policy.lifecycle.graceDays));
  const done = tx.stream<DoneRow>(
    `select c.target, c.kind, c.key, coalesce(r.institution, c.institution) as institution,
            coalesce(r.title, c.title) as title, c.person_id, coalesce(r.needs, c.needs) as needs,
            c.action, c.origin, c.before, c.after, r.desired, c.reason->>'code' = 'stays' as stayed,
            c.person_id is not null and c.person_id in (
              select g.person_id from recognition g join record p on p.source = g.source
                and p.entity = 'person' and p.key = g.record_key
              where (p.body->>'protected')::boolean) as hidden,
            case when r.key is null then 'moved'
                 when r.scheduled_at is null and r.desired is not distinct from c.after then 'as-left'
                 when r.scheduled_at = c.not_before and r.scheduled is not distinct from c.after
                      and r.desired is not distinct from c.before then 'scheduled'
                 else 'moved' end as stands
     from change c left join resource r using (target, kind, key)
     where c.plan_id = $1 and c.outcome = 'committed' order by c.seq`,
    [p.undoes],
  );
  const cannot = new Map<string, Cannot>();
  async function* rows(): AsyncGenerator<NewChange> {
    for await (const row of done) {
      const { target, kind, institution, title } = row;
      const undoing = undoChange({ change: row, graceDays, now });
      if ('cannot' in undoing) {
        const sort = { institution, target, kind, action: row.action, code: undoing.cannot };
        const at = JSON.stringify(sort);
        const { count = 0, titles: named = [] } = cannot.get(at) ?? {};
        const more = named.length < titlesNamed ? [...named, title] : named;
        cannot.set(at, { ...sort, count: count + 1, titles: more });
        continue;
      }
      const { action, after, notBefore } = undoing;
      const before = row.desired;
      yield {
        ...{ target, kind, key: row.key, institution, title },
        person_id: row.person_id,
        needs: row.needs,
        ...{ action, before, after, not_before: notBefore, lane: 'sync', origin: 'undo' },
        found: row.after,
        reason: {
          code: 'undone',
          fields: before === null ? [] : compareFields({ before, after, titles, target }),
        },
      };
    }
  }
  await insertChanges({ tx, planId, rows: rows() });
  return [...cannot.values()];
}

async function countLosses(p: {
  readonly tx: Transaction;
  readonly planId: string;
}): Promise<readonly UndoLoss[]> {
  return p.tx.query<UndoLoss & Record<string, unknown>>(
    `with active as (
       select institution, target, kind, count(*)::int as n from resource
       where (desired->>'active')::boolean group by 1, 2, 3)
     select c.institution, c.target, c.kind, count(*)::int as count, coalesce(max(a.n), 0) as of
     from change c left join active a
       on a.institution is not distinct from c.institution and a.target = c.target and a.kind = c.kind
     where c.plan_id = $1 and c.action = 'deactivate' group by 1, 2, 3 order by 1, 2, 3`,
    [p.planId],
  );
}
