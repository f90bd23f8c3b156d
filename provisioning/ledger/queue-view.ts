import type { Lane } from '../policy/lane.ts';
import type { Database } from '../store/database.ts';
import type { Brake } from './brake.ts';
import { listBrakes } from './brake.ts';
import type { Circuit } from './circuit.ts';
import { readCircuits } from './circuit.ts';

/** What waits in front of a tenant's targets, how fast it goes, and what holds it up. */
export interface QueueView {
  readonly lanes: readonly {
    readonly target: string;
    readonly lane: Lane;
    readonly due: number;
    /** How long the oldest row has been different from what is desired, in seconds. */
    readonly oldestSeconds: number;
  }[];
  readonly brakes: readonly Brake[];
  readonly circuits: readonly (Circuit & { readonly target: string })[];
  readonly rates: readonly {
    readonly target: string;
    /** Applied rows a second while it was worked on, smoothed over two minutes of work. */
    readonly rowsPerSecond: number;
    readonly measuredAt: Date;
  }[];
}

export async function readQueue(p: {
  readonly database: Database;
  readonly tenant: string;
}): Promise<QueueView> {
  return p.database.as(p.tenant, async (tx) => ({
    lanes: await tx.query<QueueView['lanes'][number] & Record<string, unknown>>(
      `select target, lane, count(*)::int as due,
              greatest(0, extract(epoch from now() - min(changed_at)))::float8 as "oldestSeconds"
       from resource where state = 'due'
       group by 1, 2 order by target, array_position(array['now', 'sync', 'bulk'], lane)`,
    ),
    brakes: await listBrakes(tx),
    circuits: [...(await readCircuits(tx))].map(([target, circuit]) => ({ target, ...circuit })),
    rates: await tx.query<QueueView['rates'][number] & Record<string, unknown>>(
      `select target, rows_per_second as "rowsPerSecond", measured_at as "measuredAt"
       from target_state where rows_per_second is not null order by target`,
    ),
  }));
}

/** Sets a tenant's share of the workers beside other tenants; 1 where nobody said anything. */
export async function setWeight(p: {
  readonly database: Database;
  readonly tenant: string;
  /** 0.01 up to 100. */
  readonly weight: number;
}): Promise<void> {
  await p.database.as(p.tenant, (tx) =>
    tx.execute('update tenant set weight = $2 where id = $1', [p.tenant, p.weight]),
  );
}
