import type { Cannot } from '../../provisioning/plan/undo.ts';
import { undo } from '../../provisioning/undo.ts';
import { openContext, typesOfTargets } from '../context.ts';
import { readEnvironment } from '../env.ts';
import { actorOf } from './apply.ts';
import { openVoice } from './output.ts';
import {
  applyLedger,
  exitCode,
  exitUncommitted,
  howToCommit,
  printJson,
  showPlan,
} from './sync.ts';

/** `skolebus undo PLAN`: the inverse of a committed plan; with `--yes` done at once. Returns the exit code. */
export async function runUndo(p: {
  readonly plan: string;
  readonly home: string;
  readonly yes: boolean;
  readonly as?: string;
  readonly json: boolean;
  readonly signal: AbortSignal;
}): Promise<number> {
  const voice = openVoice(p);
  await using context = await openContext({ home: p.home, environment: readEnvironment() });
  const { plan, commit } = await undo({
    ...context,
    targets: typesOfTargets(context.connectors),
    planId: p.plan,
    actor: actorOf(p),
    commit: p.yes,
    now: new Date(),
  });
  await showPlan({ context, voice, plan });
  for (const one of plan.cannot) voice.say(`  cannot be undone: ${describeCannot(one)}`);
  // What does not come back is told like what is held: done, but not all of it.
  const partly = plan.cannot.length > 0 ? 3 : 0;
  if (commit === null) {
    if (p.json) printJson({ plan, commit, result: null });
    voice.say(howToCommit({ plan, home: p.home }));
    return exitUncommitted({ plan, wanted: p.yes }) || partly;
  }
  const expected = commit.committed - commit.scheduled;
  const result = await applyLedger({ context, voice, signal: p.signal, expected });
  if (p.json) printJson({ plan, commit, result });
  return exitCode({ plan, result }) || partly;
}

const sentences: Readonly<Record<Cannot['code'], string>> = {
  'changed-since': 'something else was done to them since',
  deleted: 'they were deleted in the server, with all that they held',
  linked: 'they stood there before, and were only linked',
  protected: 'they are protected now, and what stood there before may show who they are',
  mended: 'they were changed in the server by hand, and that was mended or accepted',
};

function describeCannot(p: Cannot): string {
  const some = p.titles.length < p.count ? `${p.titles.join(', ')}, ...` : p.titles.join(', ');
  return `${p.count} ${p.kind}s in ${p.target} (${p.action}): ${sentences[p.code]}: ${some}`;
}
