import type { Lane } from '../policy/lane.ts';
import type { Database, Transaction } from '../store/database.ts';

/** The tenant of brakes that hold for all tenants. */
export const everyTenant = '*';

export const brakeKinds = ['pause', 'drain', 'maintenance'] as const;

/** What an operator stopped, until it is lifted or its time is over. */
export interface Brake {
  readonly id: string;
  /** `*`: all tenants. */
  readonly tenant: string;
  /** Null: all targets, all lanes. */
  readonly target: string | null;
  readonly lane: Lane | null;
  /**
   * `pause`: nothing new is started. `drain`: what was committed before is still done, what comes later
   * waits. `maintenance`: like pause, while the server behind the target is worked on.
   */
  readonly kind: (typeof brakeKinds)[number];
  readonly since: Date;
  readonly until: Date | null;
  readonly reason: string;
  readonly by: string;
}

/** The brakes that hold now for a tenant, those for all tenants among them. */
export async function listBrakes(tx: Transaction): Promise<readonly Brake[]> {
  return tx.query<Brake & Record<string, unknown>>(
    `select id, tenant_id as tenant, target, lane, kind, since, until, reason, by from brake
     where until is null or until > now() order by since, id`,
  );
}

/** Sets a brake; the one that was set for the same place gives way to it. */
export async function setBrake(p: {
  readonly database: Database;
  /** Or `everyTenant`. */
  readonly tenant: string;
  readonly brake: Omit<Brake, 'id' | 'tenant' | 'since'>;
}): Promise<void> {
  const { target, lane, kind, until, reason, by } = p.brake;
  await p.database.as(p.tenant, async (tx) => {
    await liftIn({ tx, target, lane });
    await tx.execute(
      `insert into brake (tenant_id, target, lane, kind, until, reason, by)
       values ($1, $2, $3, $4, $5, $6, $7)`,
      [tx.tenant, target, lane, kind, until, reason, by],
    );
  });
}

/**
 * Lifts what was set for exactly this place.
 *
 * @returns how many brakes were lifted: 0 when none was set there
 */
export async function liftBrake(p: {
  readonly database: Database;
  readonly tenant: string;
  readonly target: string | null;
  readonly lane: Lane | null;
}): Promise<number> {
  return p.database.as(p.tenant, (tx) => liftIn({ ...p, tx }));
}

function liftIn(p: {
  readonly tx: Transaction;
  readonly target: string | null;
  readonly lane: Lane | null;
}): Promise<number> {
  return p.tx.execute(
    `delete from brake where tenant_id = $1 and target is not distinct from $2 and lane is not distinct from $3`,
    [p.tx.tenant, p.target, p.lane],
  );
}
