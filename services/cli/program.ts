import { Command, InvalidArgumentError, Option } from 'commander';
import { readEnvironment } from '../env.ts';
import { runAdopt } from './adopt.ts';
import { runApply, runApprove } from './apply.ts';
import { runConformance } from './conformance.ts';
import { runDemo } from './demo.ts';
import { runDrift } from './drift.ts';
import { addDrillCommand } from './drill-commands.ts';
import { runExplain } from './explain.ts';
import { runGenerate } from './generate.ts';
import { addHoldCommands } from './hold-commands.ts';
import { addKeepCommands } from './keep.ts';
import { runCheck, runSandbox, runServe } from './long-running.ts';
import { runRetry, runShow, runStatus } from './look.ts';
import { runObserve } from './observe.ts';
import { addPolicyCommands } from './policy-commands.ts';
import { addQueueCommands } from './queue-commands.ts';
import { runReadiness } from './readiness.ts';
import { runStartAgain, runStartPasswords } from './start-passwords.ts';
import { runSync } from './sync.ts';
import { runUndo } from './undo.ts';

const defaultHome = '.skolebus/home';

/** Every command of `skolebus`, with the words that explain it. */
export function buildProgram(p: {
  readonly signal: AbortSignal;
  readonly onDone: (exitCode: number) => void;
}): Command {
  const { signal, onDone } = p;
  const program = new Command('skolebus')
    .description(
      'Takes pupils, teachers, classes and teams from a school-admin feed and sets them down in Keycloak, Nextcloud and Moodle.',
    )
    .exitOverride()
    .showHelpAfterError('(skolebus --help explains every command)')
    .addHelpText(
      'after',
      `
Also: skolebus test runs every check and test.

Exit codes: 0 done, 1 failed, 2 wrong use, 3 done but something is held.

Start here:  skolebus demo`,
    );

  const home = () =>
    new Option(
      '--home <dir>',
      'folder with the state, targets.yaml and policy.yaml (both optional)',
    ).default(defaultHome);
  const json = () => new Option('--json', 'one JSON object on standard output');
  const feed = () =>
    new Option('--feed <format:path>', 'ws17:DIR or oneroster:DIR-OR-ZIP').makeOptionMandatory();
  const source = () =>
    new Option('--source <name>', 'name of the feed, where a home has several').default('main');
  const allow = () =>
    new Option(
      '--allow <institution...>',
      'institutions whose losses you have looked at and let pass',
    ).default([]);

  program
    .command('demo')
    .description('the whole product on a made-up municipality, with its console; ends with Ctrl-C')
    .addOption(
      new Option('--home <dir>', 'where the demo keeps its data').default('.skolebus/demo'),
    )
    .addOption(
      new Option('--port <number>', 'port of the console').default(8400).argParser(toNumber),
    )
    .addOption(new Option('--schools <number>').default(6).argParser(toNumber))
    .addOption(new Option('--people <number>').default(3000).argParser(toNumber))
    .addOption(new Option('--seed <number>').default(1).argParser(toNumber))
    .addOption(
      new Option('--once', 'end when everything is applied instead of serving the console'),
    )
    .action(async (o) => onDone(await runDemo({ ...o, once: o.once === true, signal })));

  program
    .command('sync')
    .description('read a feed, plan, and with --yes bring the targets to it')
    .addOption(feed())
    .addOption(home())
    .addOption(source())
    .addOption(allow())
    .option('--yes', 'commit the plan and apply it; without it nothing is written')
    .addOption(json())
    .action(async (o) =>
      onDone(await runSync({ ...o, yes: o.yes === true, json: o.json === true, signal })),
    );

  program
    .command('plan')
    .description('read a feed and show what would be done; nothing is written to any target')
    .addOption(feed())
    .addOption(home())
    .addOption(source())
    .addOption(allow())
    .addOption(json())
    .action(async (o) =>
      onDone(await runSync({ ...o, yes: false, json: o.json === true, signal })),
    );

  program
    .command('show <plan>')
    .description('every change of a plan, with the reason')
    .addOption(home())
    .option('--institution <number>')
    .option('--target <name>')
    .option('--kind <kind>')
    .option('--action <action>', 'create, update, deactivate, delete or adopt')
    .option('--held', 'only what is held')
    .option('--code <code>', 'only this reason, or what this holds')
    .option('--group <name>', 'a class or group, and what goes in or out of it')
    .option('--text <text>', 'part of a name')
    .option('--whole', 'also every field of what is created or deleted')
    .option('--jsonl', 'one JSON object per line')
    .action(async (plan, o) => onDone(await runShow({ plan, ...o })));

  const part = (command: Command) =>
    command
      .addOption(home())
      .option('--institution <number...>', 'only these institutions')
      .option('--target <name...>', 'only these targets')
      .option('--kind <kind...>', 'only these kinds')
      .option('--action <action...>', 'only these: create, update, deactivate, delete, adopt')
      .addOption(
        new Option('--change <seq...>', 'only these single changes, by number').argParser(
          (text: string, before: readonly number[] | undefined) => [
            ...(before ?? []),
            toNumber(text),
          ],
        ),
      )
      .option('--except', 'everything but what these options name')
      .addOption(
        new Option('--as <name>', 'who you are; the name of the signed-in user without it'),
      )
      .addOption(json());

  part(program.command('apply <plan>'))
    .description('commit exactly this plan, or a part of it, and bring the targets to it')
    .action(async (plan, o) =>
      onDone(await runApply({ ...o, plan, json: o.json === true, signal })),
    );

  part(program.command('approve <plan>'))
    .description(
      'say that you want a plan, where policy asks for two people; another one applies it',
    )
    .action(async (plan, o) => onDone(await runApprove({ ...o, plan, json: o.json === true })));

  program
    .command('undo <plan>')
    .description('turn a committed plan back, as a plan of its own; --yes does it')
    .addOption(home())
    .option('--yes', 'commit the inverse plan and apply it; without it nothing is written')
    .addOption(new Option('--as <name>', 'who you are; the name of the signed-in user without it'))
    .addOption(json())
    .action(async (plan, o) =>
      onDone(await runUndo({ ...o, plan, yes: o.yes === true, json: o.json === true, signal })),
    );

  program
    .command('status')
    .description('how far every target is, what waits or failed, and why')
    .addOption(home())
    .addOption(json())
    .action(async (o) => onDone(await runStatus({ ...o, json: o.json === true })));

  program
    .command('readiness')
    .description(
      'how many are ready for the bell at each school, what the others miss and why, and until when',
    )
    .addOption(home())
    .option('--alarm', 'end with 1 when somebody will not be ready for the bell')
    .addOption(json())
    .action(async (o) =>
      onDone(await runReadiness({ ...o, alarm: o.alarm === true, json: o.json === true })),
    );

  program
    .command('retry')
    .description('put what a target refused back to work, after its cause was mended')
    .addOption(home())
    .option('--target <name>')
    .addOption(json())
    .action(async (o) =>
      onDone(await runRetry({ ...o, target: o.target ?? null, json: o.json === true, signal })),
    );

  program
    .command('adopt')
    .description('propose to link what stands in a target already, as a plan; --yes does it')
    .addOption(home())
    .requiredOption('--target <name>', 'keycloak, nextcloud, moodle, or a name of targets.yaml')
    .option('--kind <kind>', 'account, group, folder, course, category or cohort; all without it')
    .option('--yes', 'commit the plan and apply it; without it nothing is linked')
    .addOption(json())
    .action(async (o) =>
      onDone(
        await runAdopt({
          ...o,
          kind: o.kind ?? null,
          yes: o.yes === true,
          json: o.json === true,
          signal,
        }),
      ),
    );

  program
    .command('drift')
    .description('compare the targets with the ledger, and mend what policy says')
    .addOption(home())
    .option('--target <name>', 'only this target')
    .option('--report-only', 'mend and accept nothing, whatever policy says')
    .addOption(
      new Option('--allow <target...>', 'targets where what is missing was really deleted').default(
        [],
      ),
    )
    .addOption(json())
    .action(async (o) =>
      onDone(
        await runDrift({
          ...o,
          target: o.target ?? null,
          reportOnly: o.reportOnly === true,
          json: o.json === true,
          signal,
        }),
      ),
    );

  addKeepCommands({ program, home, json, onDone });

  program
    .command('explain <person>')
    .description(
      'why somebody has what, in which target, and who decided; by username, UNI-ID or name',
    )
    .addOption(home())
    .addOption(json())
    .action(async (person, o) => onDone(await runExplain({ ...o, person, json: o.json === true })));

  addQueueCommands({ program, home, json, onDone });
  addHoldCommands({ program, home, json, onDone });
  addPolicyCommands({ program, home, json, allow, onDone });

  program
    .command('observe')
    .description('what a server itself holds now')
    .addOption(home())
    .requiredOption('--target <name>', 'keycloak, nextcloud, moodle, or a name of targets.yaml')
    .requiredOption('--kind <kind>', 'account, group, folder, course, category or cohort')
    .option('--jsonl', 'one JSON object per line')
    .action(async (o) => onDone(await runObserve({ ...o, jsonl: o.jsonl === true })));

  program
    .command('start-passwords')
    .description('the start passwords of the young pupils of a school, to print and hand out')
    .addOption(home())
    .requiredOption('--institution <number>')
    .addOption(new Option('--target <name>', 'a Keycloak of targets.yaml').default('keycloak'))
    .action(async (o) => onDone(await runStartPasswords(o)));

  program
    .command('start-again <person>')
    .description('a young pupil has forgotten the password: sets the start password once more')
    .addOption(home())
    .addOption(json())
    .action(async (person, o) =>
      onDone(await runStartAgain({ ...o, person, json: o.json === true })),
    );

  program
    .command('check')
    .description('whether the targets answer, have the right version, and let us write')
    .addOption(home())
    .addOption(json())
    .action(async (o) => onDone(await runCheck({ ...o, json: o.json === true })));

  program
    .command('conformance')
    .description(
      'whether a server keeps what the connectors count on, for example before an upgrade',
    )
    .requiredOption('--target <url>', 'a server without real people')
    .option('--type <type>', 'keycloak, nextcloud or moodle; found out when not given')
    .option('--test-server', 'yes, accounts may be made and deleted there')
    .option('--out <file>', 'write the report there as well')
    .addOption(json())
    .addHelpText(
      'after',
      '\nIt signs in with SKOLEBUS_CONFORMANCE_USER and _PASSWORD, or _TOKEN for Moodle, from the environment.',
    )
    .action(async (o) =>
      onDone(
        await runConformance({
          target: o.target,
          type: o.type ?? null,
          testServer: o.testServer === true,
          out: o.out ?? null,
          json: o.json === true,
          secret: readEnvironment().secret,
        }),
      ),
    );

  addDrillCommand({ program, home, json, signal, onDone });

  program
    .command('generate')
    .description('write a made-up municipality as WS17, OneRoster 1.1 and 1.2, for two days')
    .requiredOption('--out <dir>')
    .addOption(new Option('--seed <number>').default(1).argParser(toNumber))
    .addOption(new Option('--schools <number>').default(6).argParser(toNumber))
    .addOption(new Option('--people <number>').default(3000).argParser(toNumber))
    .addOption(new Option('--civil', 'write fictive civil numbers into the WS17 documents'))
    .addOption(json())
    .action(async (o) =>
      onDone(await runGenerate({ ...o, civil: o.civil === true, json: o.json === true })),
    );

  program
    .command('sandbox')
    .description('the three stand-in servers alone and empty, until it is stopped')
    .addOption(new Option('--json', 'their addresses and secrets as one line of JSON'))
    .addOption(
      new Option('--faults <rate>', 'let every recorded misbehaviour happen at this rate, 0 to 1')
        .default(0)
        .argParser(toRate),
    )
    .addOption(
      new Option('--seed <number>', 'repeats the same faults').default(1).argParser(toNumber),
    )
    .action(async (o) => onDone(await runSandbox({ ...o, json: o.json === true, signal })));

  program
    .command('serve')
    .description('API, console and worker in one process, for production')
    .addOption(home())
    .addOption(new Option('--host <address>').default('127.0.0.1'))
    .addOption(new Option('--port <number>').default(8400).argParser(toNumber))
    .action(async (o) => onDone(await runServe({ ...o, signal })));

  return program;
}

function toRate(text: string): number {
  const value = Number(text);
  if (value >= 0 && value <= 1) return value;
  throw new InvalidArgumentError('Give a number from 0 to 1, for example 0.01.');
}

function toNumber(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 0) return value;
  throw new InvalidArgumentError('Give a whole number.');
}
