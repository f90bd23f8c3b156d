import { commitPlan } from '../../provisioning/ledger/commit.ts';
import { approvePlan } from '../../provisioning/plan/approve.ts';
import type { Actor } from '../../provisioning/plan/guard.ts';
import { findPlan } from '../../provisioning/plan/read.ts';
import type { Selection } from '../../provisioning/plan/selection.ts';
import { openContext, typesOfTargets } from '../context.ts';
import { readEnvironment } from '../env.ts';
import { openVoice } from './output.ts';
import { applyLedger, exitCode, printJson } from './sync.ts';
import { UsageError } from './usage.ts';
import { whoAmI } from './who.ts';

/** What `apply` and `approve` are asked on the command line. */
interface DecideOptions {
  readonly plan: string;
  readonly home: string;
  readonly as?: string;
  readonly institution?: readonly string[];
  readonly target?: readonly string[];
  readonly kind?: readonly string[];
  readonly action?: readonly string[];
  readonly change?: readonly number[];
  readonly except?: boolean;
  readonly json: boolean;
}

/** `skolebus apply PLAN`: commits exactly that plan and brings the targets to it. Returns the exit code. */
export async function runApply(
  p: DecideOptions & { readonly signal: AbortSignal },
): Promise<number> {
  const voice = openVoice(p);
  const selection = toSelection(p);
  await using context = await openContext({ home: p.home, environment: readEnvironment() });
  const { database, tenant, policy } = context;
  const commit = await commitPlan({
    database,
    tenant,
    planId: p.plan,
    selection,
    actor: actorOf(p),
    rules: { policy, targets: typesOfTargets(context.connectors) },
    now: new Date(),
  });
  const plan = await findPlan({ database, tenant, id: p.plan });
  if (plan === null) throw new Error(`Plan ${p.plan} vanished while it was committed.`);
  if (commit.left > 0) voice.say(`${commit.left} not approved; the next plan shows them again.`);
  if (commit.waiting > 0) voice.say(`${commit.waiting} wait for what was not approved or is held.`);
  if (commit.replanned !== null) {
    voice.say(
      `${commit.stale} were overtaken by a newer feed or another change. What is to be done instead: skolebus show ${commit.replanned.id} --home ${p.home}`,
    );
  }
  const expected = commit.committed - commit.scheduled;
  const result = await applyLedger({ context, voice, signal: p.signal, expected });
  const { id, changes, held } = plan;
  if (p.json) printJson({ plan: { id, changes, held }, commit, result });
  return exitCode({ plan, result });
}

/** `skolebus approve PLAN`. Returns the exit code. */
export async function runApprove(p: DecideOptions): Promise<number> {
  const selection = toSelection(p);
  await using context = await openContext({ home: p.home, environment: readEnvironment() });
  const { database, tenant } = context;
  const now = new Date();
  const asked = { database, tenant, planId: p.plan, selection, actor: actorOf(p), now };
  const approvals = await approvePlan(asked);
  openVoice(p).say(
    `Approved by ${approvals.map(({ name }) => name).join(', ')}. Somebody else: skolebus apply ${p.plan} --home ${p.home} --as NAME`,
  );
  if (p.json) printJson({ plan: p.plan, approvals });
  return 0;
}

function toSelection(p: DecideOptions): Selection {
  const { institution, target, kind, action, change: seqs } = p;
  const lists = Object.entries({ institution, target, kind, action, seqs });
  const given = Object.fromEntries(lists.filter(([, list]) => list !== undefined));
  if (p.except !== true) return given;
  if (Object.keys(given).length > 0) return { ...given, except: true };
  throw new UsageError(
    'Say what --except is about: --institution, --target, --kind, --action or --change.',
  );
}

/** On a command line people are who they say: whoever may run it may do everything anyway. */
export function actorOf(p: { readonly as?: string }): Actor {
  const name = p.as ?? whoAmI();
  return { id: name, name };
}
