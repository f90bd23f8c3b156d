import type { Brake } from '../../provisioning/ledger/brake.ts';
import { listBrakes } from '../../provisioning/ledger/brake.ts';
import type { Circuit } from '../../provisioning/ledger/circuit.ts';
import { readCircuits } from '../../provisioning/ledger/circuit.ts';
import type { LaneClaim } from '../../provisioning/ledger/claim.ts';
import { wholeLanes } from '../../provisioning/ledger/claim.ts';
import { type Exclusion, nothingExcluded } from '../../provisioning/ledger/exclusion.ts';
import type { Lane } from '../../provisioning/policy/lane.ts';
import { lanes } from '../../provisioning/policy/lane.ts';
import type { Database } from '../../provisioning/store/database.ts';
import type { Manner } from '../../provisioning/target/pace/manner.ts';

/** What the calendar says of a lane at an instant. */
export interface Calm {
  readonly open: boolean;
  /** What must wait although the lane may run. */
  readonly without: Exclusion;
  /** Until then the lane may run, in ms; null: no end is near. */
  readonly endsInMs: number | null;
  /** People use the servers now: what may run goes gently. */
  readonly gentle: boolean;
}
export type CalmOf = (p: { readonly lane: Lane; readonly at: Date }) => Calm;

export interface OpenLane extends LaneClaim {
  /** As of Calm. */
  readonly endsInMs: number | null;
  readonly manner: Manner;
}

/** What may be started on a target now. */
export interface Gate {
  /** Most urgent first; empty: nothing. */
  readonly lanes: readonly OpenLane[];
  /** The circuit is half-open: one row, to see. */
  readonly probe: boolean;
}

/** Where there is no calendar. */
export const neverCalm: CalmOf = () => ({
  open: true,
  without: nothingExcluded,
  endsInMs: null,
  gentle: false,
});

/** Nothing stands in the way. */
export const openGate: Gate = {
  lanes: wholeLanes(lanes).map((claim) => ({
    ...claim,
    endsInMs: null,
    manner: mannerOf({ lane: claim.lane, gentle: false }),
  })),
  probe: false,
};

/** All that is not about single rows and decides whether a tenant's work may go on. */
export interface Conditions {
  readonly brakes: readonly Brake[];
  readonly circuits: ReadonlyMap<string, Circuit>;
  /** The database's clock: the lanes of all machines follow one clock. */
  readonly now: Date;
  /** The tenant's share of the workers beside others. */
  readonly weight: number;
}

export async function readConditions(p: {
  readonly database: Database;
  readonly tenant: string;
}): Promise<Conditions> {
  return p.database.as(p.tenant, async (tx) => {
    const [row] = await tx.query<{ now: Date; weight: number }>(
      'select now() as now, weight from tenant where id = $1',
      [p.tenant],
    );
    return {
      brakes: await listBrakes(tx),
      circuits: await readCircuits(tx),
      now: row?.now ?? new Date(),
      weight: row?.weight ?? 1,
    };
  });
}

/** Decides what may be started. Pure. */
export function decideGate(p: {
  readonly conditions: Conditions;
  readonly target: string;
  readonly calmOf: CalmOf;
}): Gate {
  const { circuits, now } = p.conditions;
  const circuit = circuits.get(p.target);
  if (circuit !== undefined && circuit.probeAt > now) return { lanes: [], probe: false };
  const open = wholeLanes(lanes).flatMap((claim) => {
    const calm = p.calmOf({ lane: claim.lane, at: now });
    const until = brakedUntil({ ...p, lane: claim.lane });
    if (!calm.open || until === 'stopped') return [];
    const { without, endsInMs, gentle } = calm;
    const manner = mannerOf({ lane: claim.lane, gentle });
    return [{ ...claim, committedUntil: until, without, endsInMs, manner }];
  });
  return { lanes: open, probe: circuit !== undefined };
}

function mannerOf(p: { readonly lane: Lane; readonly gentle: boolean }): Manner {
  if (p.lane === 'now') return 'urgent';
  return p.gentle ? 'gentle' : 'full';
}

/** Stopped, or up to when commits are still worked on; null: no brake. */
function brakedUntil(p: {
  readonly conditions: Conditions;
  readonly target: string;
  readonly lane: Lane;
}): Date | 'stopped' | null {
  const here = p.conditions.brakes.filter(
    (brake) =>
      (brake.target === null || brake.target === p.target) &&
      (brake.lane === null || brake.lane === p.lane),
  );
  if (here.some((brake) => brake.kind !== 'drain')) return 'stopped';
  const since = here.map((brake) => brake.since.getTime());
  return since.length === 0 ? null : new Date(Math.min(...since));
}
