import { countCauses, readProgress } from '../../provisioning/ledger/progress.ts';
import { retryFailed } from '../../provisioning/ledger/settle.ts';
import type { ChangeRow } from '../../provisioning/plan/read.ts';
import { findPlan, listChanges } from '../../provisioning/plan/read.ts';
import { listSnapshots } from '../../provisioning/roster/read.ts';
import { sentenceFor } from '../../provisioning/target/cause-sentences.ts';
import { openContext } from '../context.ts';
import { readEnvironment } from '../env.ts';
import { describeChange, openVoice, table } from './output.ts';
import { applyLedger, changeHeads, printJson } from './sync.ts';
import { UsageError } from './usage.ts';

/** `skolebus show PLAN`: every change, page by page. Returns the exit code. */
export async function runShow(p: {
  readonly plan: string;
  readonly home: string;
  readonly institution?: string;
  readonly target?: string;
  readonly kind?: string;
  readonly action?: string;
  readonly held?: boolean;
  readonly code?: string;
  readonly group?: string;
  readonly text?: string;
  readonly whole?: boolean;
  readonly jsonl?: boolean;
}): Promise<number> {
  await using context = await openContext({ home: p.home, environment: readEnvironment() });
  const { database, tenant } = context;
  const plan = await findPlan({ database, tenant, id: p.plan });
  if (plan === null) {
    throw new UsageError(
      `There is no plan ${p.plan} in this home; skolebus status names the latest.`,
    );
  }
  const filter = {
    institution: p.institution ?? null,
    target: p.target ?? null,
    kind: p.kind ?? null,
    action: p.action ?? null,
    heldOnly: p.held === true,
    code: p.code ?? null,
    group: p.group ?? null,
    text: p.text ?? null,
  };
  let after = 0;
  for (;;) {
    const page = await listChanges({
      database,
      tenant,
      planId: plan.id,
      filter,
      after,
      limit: 500,
      whole: p.whole === true,
    });
    if (page.length === 0) return 0;
    if (p.jsonl === true) {
      for (const change of page) process.stdout.write(`${JSON.stringify(change)}\n`);
    } else process.stdout.write(`${table([['no.', ...changeHeads], ...page.map(numbered)])}\n`);
    after = page.at(-1)?.seq ?? after;
  }
}

/** With the number that `skolebus apply --change` takes. */
function numbered(change: ChangeRow): readonly (string | number)[] {
  return [change.seq, ...describeChange(change)];
}

/** `skolebus status`. Returns the exit code: 1 when something failed. */
export async function runStatus(p: {
  readonly home: string;
  readonly json: boolean;
}): Promise<number> {
  await using context = await openContext({ home: p.home, environment: readEnvironment() });
  const { database, tenant } = context;
  const [snapshot] = await listSnapshots({ database, tenant, limit: 1 });
  const progress = await readProgress({ database, tenant });
  const causes = await countCauses({ database, tenant });
  if (p.json) {
    const told = causes.map((cause) => ({
      ...cause,
      sentence: cause.code === null ? null : sentenceFor(cause.code),
    }));
    printJson({ snapshot: snapshot ?? null, progress, causes: told });
  } else {
    const voice = openVoice(p);
    voice.say(
      snapshot === undefined
        ? 'No feed was read yet.'
        : `Last feed: ${snapshot.readAt.toISOString()}, ${snapshot.state}${snapshot.refusal === null ? '' : ` (${snapshot.refusal.code}: ${snapshot.refusal.message})`}`,
    );
    voice.say(
      table([
        ['target', 'kind', 'right', 'waiting', 'failed', 'scheduled'],
        ...progress.map((r) => [r.target, r.kind, r.settled, r.due, r.failed, r.scheduled]),
      ]),
    );
    for (const line of describeCauses(causes)) voice.say(line);
  }
  return causes.some((cause) => cause.state === 'failed') ? 1 : 0;
}

/** Failures before what waits; of each cause what to do about it, and then where it was met. */
function describeCauses(causes: Awaited<ReturnType<typeof countCauses>>): readonly string[] {
  const groups = new Map<string, (typeof causes)[number][]>();
  for (const cause of causes.toSorted((a, b) => rankOf(a.state) - rankOf(b.state))) {
    const at = `${cause.state} ${cause.code}`;
    groups.set(at, [...(groups.get(at) ?? []), cause]);
  }
  return [...groups.values()].flatMap((group) => {
    const [first] = group;
    if (first === undefined) return [];
    const count = group.reduce((sum, cause) => sum + cause.count, 0);
    const code = first.code ?? 'not tried yet';
    const sentence = first.code === null ? '' : `. ${sentenceFor(first.code).en}`;
    return [
      `${count} ${first.state === 'failed' ? 'failed' : 'wait'}: ${code}${sentence}`,
      ...group.map(
        ({ count: n, kind, target, detail }) =>
          `  ${n} ${kind}s in ${target}${detail === null ? '' : `: ${detail}`}`,
      ),
    ];
  });
}

function rankOf(state: string): number {
  return state === 'failed' ? 0 : 1;
}

/** `skolebus retry`. Returns the exit code. */
export async function runRetry(p: {
  readonly home: string;
  readonly target: string | null;
  readonly json: boolean;
  readonly signal: AbortSignal;
}): Promise<number> {
  const voice = openVoice(p);
  await using context = await openContext({ home: p.home, environment: readEnvironment() });
  const { database, tenant } = context;
  const again = await retryFailed({ database, tenant, target: p.target, kind: null });
  voice.say(`${again} put back to work.`);
  const result = await applyLedger({ context, voice, signal: p.signal, expected: again });
  if (p.json) printJson({ retried: again, result });
  return result.failed + result.waiting > 0 ? 1 : 0;
}
