import { parseFeedArgument } from '../../provisioning/feed/read.ts';
import { FeedError } from '../../provisioning/feed/record.ts';
import type { PlanSummary } from '../../provisioning/plan/make.ts';
import { countChanges, listChanges } from '../../provisioning/plan/read.ts';
import type { SnapshotReport } from '../../provisioning/roster/accept.ts';
import { sync } from '../../provisioning/sync.ts';
import type { Context } from '../context.ts';
import { calendarOf, openContext, typesOfTargets } from '../context.ts';
import { readEnvironment } from '../env.ts';
import { settlePolicy } from '../policy-file.ts';
import { prepareTargets } from '../prepare.ts';
import { followCalendar } from '../worker/calm.ts';
import { openQueues } from '../worker/queues.ts';
import { readTotals, waitUntilDone } from '../worker/run-until-done.ts';
import { startWorker } from '../worker/worker.ts';
import type { Voice } from './output.ts';
import {
  describeChange,
  describePlan,
  describeSnapshot,
  openVoice,
  progressBar,
  table,
} from './output.ts';
import { UsageError } from './usage.ts';
import { whoAmI } from './who.ts';

export interface SyncOptions {
  readonly feed: string;
  readonly home: string;
  readonly source: string;
  readonly yes: boolean;
  readonly json: boolean;
  readonly allow: readonly string[];
  readonly signal: AbortSignal;
}

/** What applying did: rows of the ledger, over all targets. */
export interface ApplyResult {
  readonly applied: number;
  /** Refused by a target; see `skolebus status`. */
  readonly failed: number;
  /** Tried and not done yet, for example because a target is out of reach. */
  readonly waiting: number;
  /** Committed changes whose day has not come, for example after a grace period. */
  readonly scheduled: number;
}

/** `skolebus sync` and `skolebus plan`. Returns the exit code. */
export async function runSync(p: SyncOptions): Promise<number> {
  const voice = openVoice(p);
  const feed = parseFeed(p.feed);
  await using context = await openContext({ home: p.home, environment: readEnvironment() });
  const { candidate, report: policy } = await settlePolicy({ context, by: whoAmI() });
  const report = await sync({
    database: context.database,
    tenant: context.tenant,
    source: p.source,
    feed,
    policy: context.policy,
    candidate,
    targets: typesOfTargets(context.connectors),
    allowed: new Set(p.allow),
    commit: p.yes,
    identityKey: context.environment.identityKey,
    now: new Date(),
  });
  context.log.info(
    {
      ...{ tenant: context.tenant, source: p.source, plan: report.plan.id },
      counts: report.snapshot.counts,
      held: report.plan.held.map(({ code, institution, count }) => ({ code, institution, count })),
      committed: report.commit?.committed ?? null,
    },
    'sync',
  );
  voice.say(describeSnapshot(report.snapshot));
  if (policy.warning !== null) voice.say(policy.warning);
  await showPlan({ context, voice, plan: report.plan });
  if (report.commit === null) {
    if (p.json) printJson({ snapshot: toJson(report.snapshot), policy, plan: report.plan });
    voice.say(howToCommit({ plan: report.plan, home: p.home }));
    return exitUncommitted({ plan: report.plan, wanted: p.yes });
  }
  const expected = report.commit.committed - report.commit.scheduled;
  const result = await applyLedger({ context, voice, signal: p.signal, expected });
  if (p.json) {
    printJson({ snapshot: toJson(report.snapshot), policy, plan: report.plan, result });
  }
  return exitCode({ plan: report.plan, result });
}

/** A feed that is named wrongly is wrong use; one that cannot be read is a failure. */
function parseFeed(text: string): ReturnType<typeof parseFeedArgument> {
  try {
    return parseFeedArgument(text);
  } catch (error) {
    if (error instanceof FeedError) throw new UsageError(error.message);
    throw error;
  }
}

/**
 * Runs a worker in this process until the ledger is as far as it goes. Another process, such as the
 * demo, may be working on the same ledger; what counts is what the ledger says before and after.
 *
 * @param p.expected changes just committed that have work in them now
 */
export async function applyLedger(p: {
  readonly context: Context;
  readonly voice: Voice;
  readonly signal: AbortSignal;
  readonly expected: number;
}): Promise<ApplyResult> {
  const { context, voice } = p;
  const { database, tenant, environment, connectors, log } = context;
  const calm = followCalendar(calendarOf(context));
  const before = await readTotals(context);
  const work = Math.max(before.due, p.expected);
  await prepareTargets({ connectors: connectors.values(), onTrouble: voice.say });
  await using queues = await openQueues({
    databaseUrl: database.url,
    redisUrl: environment.redisUrl,
  });
  await using worker = await startWorker({
    database,
    queues,
    connectorsOf: async () => connectors,
    calmOf: () => calm,
    concurrency: connectors.size,
    sweepMs: 500,
    onError: (error) => log.error({ err: error }, 'worker trouble'),
    logger: log,
  });
  const started = Date.now();
  const last = await waitUntilDone({
    database,
    tenant,
    worker,
    signal: p.signal,
    onProgress: ({ due }) => {
      if (work > 0) voice.progress(progressBar({ done: Math.max(0, work - due), of: work }));
    },
  });
  const seconds = (Date.now() - started) / 1000;
  const applied = Math.max(0, work + before.failed - last.due - last.failed);
  voice.say(
    `Applied ${applied} in ${seconds.toFixed(1)} s; ${last.failed} failed, ${last.due} waiting, ${last.scheduled} scheduled.`,
  );
  if (last.due > 0) voice.say('"skolebus queue show" says what holds it up, and until when.');
  return { applied, failed: last.failed, waiting: last.due, scheduled: last.scheduled };
}

export async function showPlan(p: {
  readonly context: Context;
  readonly voice: Voice;
  readonly plan: PlanSummary;
}): Promise<void> {
  const { database, tenant } = p.context;
  const counts = await countChanges({ database, tenant, planId: p.plan.id });
  p.voice.say(describePlan({ ...p.plan, counts }));
  const shown = 40;
  const changes = await listChanges({
    database,
    tenant,
    planId: p.plan.id,
    filter: {},
    after: 0,
    limit: shown + 1,
  });
  if (changes.length === 0) return p.voice.say('Everything is as it should be: nothing to do.');
  if (changes.length > shown) {
    return p.voice.say(
      `For every single change: skolebus show ${p.plan.id} (filters: --institution, --target, --kind, --action, --held).`,
    );
  }
  p.voice.say(table([changeHeads, ...changes.map(describeChange)]));
}

export const changeHeads = ['institution', 'target', 'kind', 'action', 'who or what', 'why'];

function toJson(snapshot: SnapshotReport): object {
  const { counts, diagnostics } = snapshot;
  return { ...counts, schoolYear: snapshot.schoolYear, diagnostics };
}

export function exitCode(p: {
  readonly plan: { readonly held: readonly unknown[] };
  readonly result: ApplyResult | null;
}): number {
  if (p.result !== null && p.result.failed + p.result.waiting > 0) return 1;
  return p.plan.held.length > 0 ? 3 : 0;
}

/** What a command that was to commit comes to when policy wants a second person first. */
export function exitUncommitted(p: {
  readonly plan: Pick<PlanSummary, 'held' | 'fourEyes'>;
  readonly wanted: boolean;
}): number {
  return p.wanted && p.plan.fourEyes ? 3 : exitCode({ plan: p.plan, result: null });
}

export function howToCommit(p: { readonly plan: PlanSummary; readonly home: string }): string {
  const { id, fourEyes } = p.plan;
  const apply = `skolebus apply ${id} --home ${p.home}`;
  return fourEyes
    ? `Nothing was written: policy wants two people for this plan. One: skolebus approve ${id} --home ${p.home} --as NAME. Another one: ${apply} --as NAME`
    : `Nothing was written. To do it: ${apply}`;
}

export function printJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}
