import type { Command, Option } from 'commander';
import { choosePrimaryOf, endKept, keepPerson, listKept } from '../../provisioning/plan/keep.ts';
import { openContext } from '../context.ts';
import { readEnvironment } from '../env.ts';
import { openVoice, table } from './output.ts';
import { printJson } from './sync.ts';
import { UsageError } from './usage.ts';
import { whoAmI } from './who.ts';

/** `keep` and `primary`: what an operator says about one person, against the feed. */
export function addKeepCommands(p: {
  readonly program: Command;
  readonly home: () => Option;
  readonly json: () => Option;
  readonly onDone: (exitCode: number) => void;
}): void {
  const { program, home, json, onDone } = p;
  program
    .command('keep [person]')
    .description(
      "keep somebody's accounts alive whatever the feed says; by username, UNI-ID or our id",
    )
    .option('--until <date>', 'the last day, as 2027-01-31')
    .option('--reason <text>', 'why; without personal values')
    .option('--legal-hold', 'the accounts may be deactivated, but nothing is deleted until --end')
    .option('--list', 'what is kept now, of everybody or of the person')
    .option('--end', 'keep no longer; the ordinary grace begins with the next sync')
    .addOption(home())
    .addOption(json())
    .action(async (person, o) =>
      onDone(await runKeep({ ...o, person: person ?? null, json: o.json === true })),
    );
  program
    .command('primary <person> [institution]')
    .description("make an institution somebody's first, as long as he or she is there")
    .option('--clear', 'as the feed and policy say')
    .addOption(home())
    .addOption(json())
    .action(async (person, institution, o) =>
      onDone(
        await runPrimary({
          ...o,
          person,
          institution: institution ?? null,
          clear: o.clear === true,
          json: o.json === true,
        }),
      ),
    );
}

interface KeepOptions {
  readonly person: string | null;
  readonly home: string;
  readonly until?: string;
  readonly reason?: string;
  readonly legalHold?: boolean;
  readonly list?: boolean;
  readonly end?: boolean;
  readonly json: boolean;
}

async function runKeep(p: KeepOptions): Promise<number> {
  const kind = p.legalHold === true ? 'legal-hold' : 'keep';
  const request = readRequest(p);
  await using context = await openContext({ home: p.home, environment: readEnvironment() });
  const { database, tenant } = context;
  const operator = { database, tenant, by: whoAmI(), now: new Date() };
  const voice = openVoice(p);
  if (request !== null) {
    const kept = await keepPerson({ ...operator, ...request, kind });
    if (p.json) printJson({ kept });
    voice.say(
      kind === 'keep'
        ? `Kept until ${kept.until}. Accounts that are deactivated already stay so, and are not deleted.`
        : `Under legal hold${kept.until === null ? '' : ` until ${kept.until}`}: nothing is deleted.`,
    );
    return 0;
  }
  const found = await listKept({ ...operator, person: p.person });
  if (p.end !== true) {
    if (p.json) printJson({ items: found });
    else {
      const rows = found.map((one) => [
        one.username ?? one.person,
        one.kind,
        one.until ?? '-',
        one.reason,
        one.by,
      ]);
      voice.say(table([['person', 'kind', 'until', 'reason', 'by'], ...rows]));
    }
    return 0;
  }
  const ending = found.filter((one) => one.kind === kind);
  for (const { id } of ending) await endKept({ ...operator, id });
  if (p.json) printJson({ ended: ending.map(({ id }) => id) });
  voice.say(ending.length === 0 ? `There was no ${kind} of this person.` : 'Ended.');
  return ending.length === 0 ? 1 : 0;
}

/** What is to be kept; null: only to look, or to end. @throws UsageError */
function readRequest(
  p: KeepOptions,
): { readonly person: string; readonly until: string | null; readonly reason: string } | null {
  if (p.list === true) return null;
  if (p.person === null) throw new UsageError('Say whom, or --list to see who is kept.');
  if (p.end === true) return null;
  const { until = null, reason } = p;
  if (reason === undefined || (until === null && p.legalHold !== true)) {
    throw new UsageError("Say until when and why: --until 2027-01-31 --reason '...'.");
  }
  if (until !== null && !isDate(until)) {
    throw new UsageError('Write the day as 2027-01-31.');
  }
  return { person: p.person, until, reason };
}

function isDate(text: string): boolean {
  const time = /^\d{4}-\d{2}-\d{2}$/.test(text) ? Date.parse(`${text}T00:00:00Z`) : Number.NaN;
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(text);
}

async function runPrimary(p: {
  readonly person: string;
  readonly institution: string | null;
  readonly clear: boolean;
  readonly home: string;
  readonly json: boolean;
}): Promise<number> {
  if ((p.institution === null) !== p.clear) {
    throw new UsageError('Give the number of an institution, or --clear.');
  }
  await using context = await openContext({ home: p.home, environment: readEnvironment() });
  const person = await choosePrimaryOf({ ...p, ...context, by: whoAmI() });
  if (p.json) printJson({ person, institution: p.institution });
  openVoice(p).say('Chosen; the next sync goes by it.');
  return 0;
}
