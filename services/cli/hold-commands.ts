import type { Command, Option } from 'commander';
import { runHoldDecide, runHoldList, runHoldRevoke, runHoldShow } from './hold.ts';

/** `skolebus hold ...`: what waits for a person. */
export function addHoldCommands(p: {
  readonly program: Command;
  readonly home: () => Option;
  readonly json: () => Option;
  readonly onDone: (exitCode: number) => void;
}): void {
  const { home, json, onDone } = p;
  const hold = p.program.command('hold').description('what waits for a person, and deciding it');

  hold
    .command('list')
    .description('what waits, or with --decided what was decided')
    .addOption(home())
    .option('--institution <number>')
    .option('--code <code>', 'only holds of this code')
    .option('--decided', 'what was decided already')
    .addOption(json())
    .action(async (o) =>
      onDone(
        await runHoldList({
          ...o,
          institution: o.institution ?? null,
          code: o.code ?? null,
          decided: o.decided === true,
          json: o.json === true,
        }),
      ),
    );

  hold
    .command('show <id>')
    .description('why it waits, the evidence, and what each choice does')
    .addOption(home())
    .addOption(json())
    .action(async (id, o) => onDone(await runHoldShow({ ...o, id, json: o.json === true })));

  hold
    .command('decide <id> <choice>')
    .description('decide it, for the next commit or as a rule')
    .addOption(home())
    .option('--rule', 'for every later case of the same, not just the next commit')
    .option('--until <day>', 'last day of the rule, for example 2027-06-30')
    .option('--as <name>', 'who decides; without it your account on this machine')
    .addOption(json())
    .action(async (id, choice, o) =>
      onDone(
        await runHoldDecide({
          ...o,
          id,
          choice,
          rule: o.rule === true,
          until: o.until ?? null,
          as: o.as ?? null,
          json: o.json === true,
        }),
      ),
    );

  hold
    .command('revoke <id>')
    .description('take a decision back; what was done by it stays done')
    .addOption(home())
    .addOption(json())
    .action(async (id, o) => onDone(await runHoldRevoke({ ...o, id, json: o.json === true })));
}
