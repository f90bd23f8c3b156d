import { adopt } from '../../provisioning/adopt.ts';
import type { ResourceKind } from '../../provisioning/policy/resource.ts';
import { kindOrder } from '../../provisioning/policy/resource.ts';
import type { Connector } from '../../provisioning/target/contract.ts';
import type { Context } from '../context.ts';
import { openContext, typesOfTargets } from '../context.ts';
import { readEnvironment } from '../env.ts';
import { openVoice } from './output.ts';
import {
  applyLedger,
  exitCode,
  exitUncommitted,
  howToCommit,
  printJson,
  showPlan,
} from './sync.ts';
import { UsageError } from './usage.ts';

/** `skolebus adopt`: proposes links as a plan; with `--yes` commits and applies it. Returns the exit code. */
export async function runAdopt(p: {
  readonly home: string;
  readonly target: string;
  readonly kind: string | null;
  readonly yes: boolean;
  readonly json: boolean;
  readonly signal: AbortSignal;
}): Promise<number> {
  const voice = openVoice(p);
  await using context = await openContext({ home: p.home, environment: readEnvironment() });
  const connector = requireConnector({ context, target: p.target });
  const kind = p.kind === null ? null : requireKind({ connector, kind: p.kind });
  const { plan, commit } = await adopt({
    ...context,
    targets: typesOfTargets(context.connectors),
    connector,
    kind,
    commit: p.yes,
    now: new Date(),
  });
  if (plan === null) {
    voice.say(
      `Nothing in ${p.target} is like what policy wants and is not linked yet. (Policy wants what the last feed had: read one with skolebus plan.)`,
    );
    if (p.json) printJson({ plan, commit, result: null });
    return 0;
  }
  await showPlan({ context, voice, plan });
  if (commit === null) {
    if (p.json) printJson({ plan });
    voice.say(howToCommit({ plan, home: p.home }));
    return exitUncommitted({ plan, wanted: p.yes });
  }
  const expected = commit.committed;
  const result = await applyLedger({ context, voice, signal: p.signal, expected });
  if (p.json) printJson({ plan, commit, result });
  return exitCode({ plan, result });
}

/** @throws UsageError when the home has no such target */
export function requireConnector(p: {
  readonly context: Pick<Context, 'connectors'>;
  readonly target: string;
}): Connector {
  const connector = p.context.connectors.get(p.target);
  if (connector !== undefined) return connector;
  const names = [...p.context.connectors.keys()].join(', ');
  throw new UsageError(`There is no target ${p.target} in this home. Choose one of: ${names}.`);
}

/** @throws UsageError when such a target has no such kind */
export function requireKind(p: {
  readonly connector: Connector;
  readonly kind: string;
}): ResourceKind {
  const kinds = kindOrder[p.connector.type];
  const kind = kinds.find((one) => one === p.kind);
  if (kind !== undefined) return kind;
  throw new UsageError(
    `A ${p.connector.type} has no ${p.kind}. Choose one of: ${kinds.join(', ')}.`,
  );
}
