import type { DriftResult } from '../../provisioning/drift.ts';
import { findDrift } from '../../provisioning/drift.ts';
import type { DriftDifference } from '../../provisioning/plan/drift-words.ts';
import { openContext } from '../context.ts';
import { readEnvironment } from '../env.ts';
import { requireConnector } from './adopt.ts';
import { describeHeld, openVoice, table } from './output.ts';
import type { ApplyResult } from './sync.ts';
import { applyLedger, printJson } from './sync.ts';

/** `skolebus drift`: compares targets with the ledger and mends what policy says. Returns the exit code. */
export async function runDrift(p: {
  readonly home: string;
  readonly target: string | null;
  readonly reportOnly: boolean;
  readonly allow: readonly string[];
  readonly json: boolean;
  readonly signal: AbortSignal;
}): Promise<number> {
  const voice = openVoice(p);
  await using context = await openContext({ home: p.home, environment: readEnvironment() });
  for (const target of p.allow) requireConnector({ context, target });
  const connectors =
    p.target === null
      ? [...context.connectors.values()]
      : [requireConnector({ context, target: p.target })];
  const drift = await findDrift({
    ...context,
    connectors,
    allowed: new Set(p.allow),
    reportOnly: p.reportOnly,
    now: new Date(),
  });
  voice.say(describeDrift(drift));
  const committed = drift.commit?.committed ?? 0;
  const result =
    committed === 0
      ? null
      : await applyLedger({ context, voice, signal: p.signal, expected: committed });
  const { compared, differences, plan, commit, unread } = drift;
  if (p.json) printJson({ compared, differences, plan, commit, result, unread });
  return exitCode({ drift, result });
}

/** Differences shown before the rest is only counted. */
const shown = 200;

function describeDrift(drift: DriftResult): string {
  const { differences, compared, unread, plan } = drift;
  const lines = [
    `Compared ${compared} resources: ${differences.length === 0 ? 'all are as the ledger has them.' : `${differences.length} differences.`}`,
    ...unread.map(({ target, message }) => `  ${target} could not be read: ${message}`),
  ];
  if (differences.length > 0) {
    const heads = [
      'target',
      'kind',
      'who or what',
      'attribute',
      'expected',
      'found',
      'what is done',
    ];
    lines.push(table([heads, ...differences.slice(0, shown).map(describeDifference)]));
  }
  if (differences.length > shown) {
    lines.push(`${differences.length - shown} more; --json has them all.`);
  }
  for (const held of plan?.held ?? []) lines.push(`  held: ${describeHeld(held)}`);
  if (plan !== null) lines.push(`Plan ${plan.id} has what is mended and why.`);
  return lines.join('\n');
}

const decisions: Readonly<Record<DriftDifference['decision'], string>> = {
  repair: 'mended',
  report: 'only told',
  adopt: 'accepted',
  held: 'held',
};

function describeDifference(one: DriftDifference): readonly string[] {
  const place = [one.target, one.kind, one.title] as const;
  const done = decisions[one.decision];
  if (one.aspect === 'missing') return [...place, '-', 'is there', 'is missing', done];
  if (one.aspect === 'extra') {
    return [...place, '-', 'is not there', 'carries our mark, unknown to the ledger', done];
  }
  return [...place, one.attribute ?? '-', one.expected ?? 'none', one.found ?? 'none', done];
}

function exitCode(p: { readonly drift: DriftResult; readonly result: ApplyResult | null }): number {
  const { drift, result } = p;
  if (drift.unread.length > 0) return 1;
  if (result !== null && result.failed + result.waiting > 0) return 1;
  return (drift.plan?.held.length ?? 0) > 0 ? 3 : 0;
}
