import type { Database, Transaction } from '../store/database.ts';
import type { Actor } from './guard.ts';
import { requireOpen } from './guard.ts';
import type { Selection } from './selection.ts';

export interface PlanApproval {
  readonly name: string;
  readonly at: Date;
  readonly selection: Selection;
}

/**
 * Notes that somebody has looked at a plan, or a part of it, and wants it. Whoever approves again has
 * changed their mind about the part.
 *
 * @returns all approvals of the plan
 * @throws PlanError when there is no such plan, or it cannot be committed any more
 */
export async function approvePlan(p: {
  readonly database: Database;
  readonly tenant: string;
  readonly planId: string;
  readonly actor: Actor;
  readonly selection: Selection;
  readonly now: Date;
}): Promise<readonly PlanApproval[]> {
  return p.database.as(p.tenant, async (tx) => {
    const { id } = await requireOpen({ ...p, tx });
    await tx.execute(
      `insert into plan_approval (tenant_id, plan_id, who, name, at, selection)
       values ($1, $2, $3, $4, $5, $6)
       on conflict (tenant_id, plan_id, who) do update
         set name = excluded.name, at = excluded.at, selection = excluded.selection`,
      [p.tenant, id, p.actor.id, p.actor.name, p.now, JSON.stringify(p.selection)],
    );
    return readApprovals({ tx, planId: id });
  });
}

async function readApprovals(p: {
  readonly tx: Transaction;
  readonly planId: string;
}): Promise<readonly PlanApproval[]> {
  return p.tx.query<PlanApproval & Record<string, unknown>>(
    `select name, at, selection from plan_approval where plan_id = $1 order by at`,
    [p.planId],
  );
}
