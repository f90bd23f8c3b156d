import { closeCircuit, openCircuit } from '../../provisioning/ledger/circuit.ts';
import type { Claim } from '../../provisioning/ledger/claim.ts';
import { claimWork, renewEveryMs, renewLease } from '../../provisioning/ledger/claim.ts';
import { settleWork } from '../../provisioning/ledger/settle.ts';
import type { Outcome } from '../../provisioning/ledger/work.ts';
import type { Lane } from '../../provisioning/policy/lane.ts';
import { kindOrder, type ResourceKind } from '../../provisioning/policy/resource.ts';
import type { Database } from '../../provisioning/store/database.ts';
import type { Connector } from '../../provisioning/target/contract.ts';
import type { Manner } from '../../provisioning/target/pace/manner.ts';
import { inManner } from '../../provisioning/target/pace/manner.ts';
import { applyBatch, countOutcomes } from './apply-batch.ts';
import type { Gate, OpenLane } from './gate.ts';

export interface TurnReport {
  readonly applied: number;
  readonly failed: number;
  /** Rows by what came of them: `applied`, or a code. */
  readonly codes: Readonly<Record<string, number>>;
  /** Rows whose lease had gone to another worker. */
  readonly overtaken: number;
  /** How long the target was worked on, in ms. */
  readonly ms: number;
  /** True when there may be more to do at once. */
  readonly more: boolean;
}

/**
 * One turn of work on a target: claim, apply, settle, until the turn is over, nothing is due or nothing may
 * be started any more. Only one turn of a target runs at a time, in whichever process, so that a
 * connector's own limits on parallel calls hold; beside it one of lane `now`, so that a person who waits
 * does not wait for a batch of thousands.
 *
 * @param p.lane what is less urgent is left to tickets of its own lane
 * @returns null when somebody else has the turn
 */
export async function drainTarget(p: {
  readonly database: Database;
  readonly tenant: string;
  readonly connector: Connector;
  readonly lane: Lane;
  /** Asked before every batch. */
  readonly gate: () => Promise<Gate>;
  readonly turnMs: number;
  readonly onError: (error: Error) => void;
}): Promise<TurnReport | null> {
  const { database, tenant, connector } = p;
  const target = connector.name;
  const lock = p.lane === 'now' ? `drain/${tenant}/${target}/now` : `drain/${tenant}/${target}`;
  const done = await database.withLock(lock, async () => {
    // Not the clock on the wall: when that jumps, a turn must neither stop nor go on for ever.
    const started = performance.now();
    const spent = () => performance.now() - started;
    let applied = 0;
    let failed = 0;
    let overtaken = 0;
    let codes: TurnReport['codes'] = {};
    const report = (more: boolean) => ({ applied, failed, overtaken, codes, more, ms: spent() });
    while (spent() < p.turnMs) {
      const gate = await p.gate();
      const next = await claimNext({ ...p, gate });
      if (next === null) return report(false);
      const { claim, manner } = next;
      const begun = performance.now();
      const outcomes = await inManner(manner, () =>
        applyBatch({ ...p, claim, keepLease: keepLease(p) }),
      );
      learnPace({ connector, claim, ms: performance.now() - begun });
      const settled = await settleWork({ ...p, target, claim, outcomes, random: Math.random });
      applied += settled.applied;
      failed += settled.failed;
      overtaken += settled.overtaken;
      codes = countOutcomes({ outcomes, before: codes });
      const trouble = findTrouble(outcomes);
      if (trouble !== null) {
        await openCircuit({ ...p, ...trouble, target, random: Math.random() });
        return report(false);
      }
      if (gate.probe) await closeCircuit({ ...p, target });
    }
    return report(true);
  });
  return done === null ? null : done.value;
}

/** Milliseconds a row takes, by target and kind, smoothed; of this process. */
const pace = new WeakMap<Connector, Map<ResourceKind, number>>();

function learnPace(p: {
  readonly connector: Connector;
  readonly claim: Claim;
  readonly ms: number;
}): void {
  const kind = p.claim.rows[0]?.kind;
  if (kind === undefined) return;
  const known = pace.get(p.connector) ?? new Map<ResourceKind, number>();
  const perRow = p.ms / p.claim.rows.length;
  const before = known.get(kind);
  pace.set(
    p.connector,
    known.set(kind, before === undefined ? perRow : before * 0.8 + perRow * 0.2),
  );
}

/** Claims what will be done before its lane closes: what would not is not started. */
async function claimNext(p: {
  readonly database: Database;
  readonly tenant: string;
  readonly connector: Connector;
  readonly lane: Lane;
  readonly gate: Gate;
}): Promise<{ readonly claim: Claim; readonly manner: Manner } | null> {
  const { connector, gate } = p;
  for (const lane of gate.lanes) {
    const claim = await claimWork({
      ...p,
      target: connector.name,
      kinds: kindOrder[connector.type],
      lanes: [lane],
      size: (kind) => (gate.probe ? 1 : sizeThatFits({ connector, kind, lane })),
    });
    if (claim !== null) return { claim, manner: lane.manner };
    if (lane.lane === p.lane) return null;
  }
  return null;
}

/** Time for which a batch must be sure to have ended before its lane closes, in ms. */
const marginMs = 2000;

function sizeThatFits(p: {
  readonly connector: Connector;
  readonly kind: ResourceKind;
  readonly lane: OpenLane;
}): number {
  const most = p.connector.claimSize[p.kind] ?? 20;
  // It takes about four times as long, and a turn should not.
  const size = p.lane.manner === 'gentle' ? Math.ceil(most / 4) : most;
  const { endsInMs } = p.lane;
  if (endsInMs === null) return size;
  const perRow = pace.get(p.connector)?.get(p.kind) ?? 100;
  return Math.max(0, Math.min(size, Math.floor((endsInMs - marginMs) / perRow)));
}

function keepLease(p: {
  readonly database: Database;
  readonly tenant: string;
  readonly connector: Connector;
  readonly onError: (error: Error) => void;
}): (claim: Claim) => Disposable {
  return (claim) => {
    const timer = setInterval(() => {
      renewLease({ ...p, target: p.connector.name, claim }).catch(p.onError);
    }, renewEveryMs);
    return { [Symbol.dispose]: () => clearInterval(timer) };
  };
}

/** Codes with which a server speaks of itself, not of a row. */
const ofTheServer: ReadonlySet<string> = new Set(['busy', 'maintenance', 'too-many-requests']);

/** Out of reach, or every single row of a batch was put off because of the server. */
function findTrouble(
  outcomes: readonly Outcome[],
): { readonly cause: string; readonly afterMs: number } | null {
  const outage = outcomes.find((one) => one.state === 'unknown-host');
  if (outage?.state === 'unknown-host') return { cause: outage.code, afterMs: 0 };
  let trouble = { cause: '', afterMs: 0 };
  for (const one of outcomes) {
    if (one.state !== 'retry' || !ofTheServer.has(one.code)) return null;
    if (one.afterMs >= trouble.afterMs) trouble = { cause: one.code, afterMs: one.afterMs };
  }
  return trouble.cause === '' ? null : trouble;
}
