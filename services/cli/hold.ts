import type { Hold } from '../../provisioning/plan/hold-inbox.ts';
import {
  decideHold,
  findHold,
  HoldError,
  listHolds,
  revokeDecision,
} from '../../provisioning/plan/hold-inbox.ts';
import { openContext } from '../context.ts';
import { readEnvironment } from '../env.ts';
import { openVoice, table } from './output.ts';
import { printJson } from './sync.ts';
import { UsageError } from './usage.ts';
import { whoAmI } from './who.ts';

/** `skolebus hold list`. Returns the exit code. */
export async function runHoldList(p: {
  readonly home: string;
  readonly institution: string | null;
  readonly code: string | null;
  readonly decided: boolean;
  readonly json: boolean;
}): Promise<number> {
  await using context = await openContext({ home: p.home, environment: readEnvironment() });
  const holds: Hold[] = [];
  for (;;) {
    const after = holds.at(-1)?.id ?? null;
    const state = p.decided ? 'decided' : 'open';
    const page = await listHolds({ ...context, ...p, state, after, limit: 500 });
    holds.push(...page);
    if (page.length < 500) break;
  }
  if (p.json) printJson({ holds });
  else openVoice(p).say(describeHolds({ holds, decided: p.decided }));
  return 0;
}

/** `skolebus hold show ID`. Returns the exit code. */
export async function runHoldShow(p: {
  readonly id: string;
  readonly home: string;
  readonly json: boolean;
}): Promise<number> {
  await using context = await openContext({ home: p.home, environment: readEnvironment() });
  const hold = await findHold({ ...context, id: p.id });
  if (hold === null) {
    throw new UsageError(`There is no hold ${p.id}. skolebus hold list names those that wait.`);
  }
  if (p.json) printJson({ hold });
  else openVoice(p).say(describeHold(hold));
  return 0;
}

/** `skolebus hold decide ID CHOICE`. Returns the exit code. */
export async function runHoldDecide(p: {
  readonly id: string;
  readonly choice: string;
  readonly home: string;
  readonly rule: boolean;
  readonly until: string | null;
  readonly as: string | null;
  readonly json: boolean;
}): Promise<number> {
  const until = p.until === null ? null : parseDay(p.until);
  await using context = await openContext({ home: p.home, environment: readEnvironment() });
  const hold = await asUsage(() =>
    decideHold({
      ...context,
      id: p.id,
      choice: p.choice,
      scope: p.rule ? 'rule' : 'once',
      until,
      by: p.as ?? whoAmI(),
      now: new Date(),
    }),
  );
  if (p.json) printJson({ hold });
  else openVoice(p).say(describeHold(hold));
  return 0;
}

/** `skolebus hold revoke ID`. Returns the exit code. */
export async function runHoldRevoke(p: {
  readonly id: string;
  readonly home: string;
  readonly json: boolean;
}): Promise<number> {
  await using context = await openContext({ home: p.home, environment: readEnvironment() });
  const hold = await asUsage(() => revokeDecision({ ...context, id: p.id, now: new Date() }));
  if (p.json) printJson({ hold });
  else openVoice(p).say(`The decision is taken back; the next plan asks again.`);
  return 0;
}

/** Asking for what is not there or not offered is wrong use; a hold that is no longer open is a failure. */
async function asUsage<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof HoldError && error.code !== 'hold-not-open') {
      throw new UsageError(error.message);
    }
    throw error;
  }
}

/** The rule holds up to and with this day. */
function parseDay(text: string): Date {
  const day = new Date(`${text}T23:59:59Z`);
  if (/^\d{4}-\d{2}-\d{2}$/.test(text) && !Number.isNaN(day.getTime())) return day;
  throw new UsageError(`--until takes a day such as 2027-06-30.`);
}

function describeHolds(p: { readonly holds: readonly Hold[]; readonly decided: boolean }): string {
  if (p.holds.length === 0) return p.decided ? 'Nothing was decided.' : 'Nothing waits for you.';
  const rows = p.holds.map((hold) => [
    hold.id,
    hold.institution ?? '-',
    hold.code,
    `${hold.count} of ${hold.of}`,
    hold.subject,
    hold.decision === null
      ? hold.choices.map(({ choice }) => choice).join(', ') || 'see hold show'
      : describeDecision(hold.decision),
  ]);
  return table([
    ['hold', 'institution', 'code', 'count', 'about', p.decided ? 'decision' : 'choices'],
    ...rows,
  ]);
}

function describeHold(hold: Hold): string {
  const { decision } = hold;
  return [
    `Hold ${hold.id}: ${hold.code}, ${hold.state}`,
    `  about:       ${hold.subject}`,
    `  institution: ${hold.institution ?? '-'}`,
    `  count:       ${hold.count} of ${hold.of} (${hold.action} ${hold.kind}, ${hold.target})`,
    `  opened:      ${hold.openedAt.toISOString()}, last seen ${hold.seenAt.toISOString()}`,
    `  why:         ${hold.why.en}`,
    `  evidence:    ${JSON.stringify(hold.evidence)}`,
    ...(decision === null
      ? hold.choices.map(({ choice, does }) => `  ${choice}: ${does.en}`)
      : [`  decision:    ${describeDecision(decision)}`]),
  ].join('\n');
}

function describeDecision(decision: NonNullable<Hold['decision']>): string {
  const until =
    decision.until === null ? '' : ` until ${decision.until.toISOString().slice(0, 10)}`;
  const used = decision.spentAt === null ? '' : ', no longer in force';
  return `${decision.choice} (${decision.scope}${until}) by ${decision.by ?? '-'} on ${decision.at.toISOString().slice(0, 10)}${used}`;
}
