import { type Command, InvalidArgumentError, Option } from 'commander';
import { runDrillCommand } from './drill.ts';

/** `skolebus drill`: the morning's sign-ins against a test realm. */
export function addDrillCommand(p: {
  readonly program: Command;
  readonly home: () => Option;
  readonly json: () => Option;
  readonly signal: AbortSignal;
  readonly onDone: (exitCode: number) => void;
}): void {
  const { home, json, onDone, program, signal } = p;
  const number = (flags: string, words: string) => new Option(flags, words).argParser(toAmount);
  program
    .command('drill')
    .description('the morning bell, rehearsed with made-up people who sign in to a test realm')
    .addOption(home())
    .addOption(new Option('--target <name>', 'a Keycloak of targets.yaml').default('keycloak'))
    .option('--prepare', 'make the people and the applications of the drill, and no more')
    .option('--clean', 'remove everything that drills made, and no more')
    .addOption(number('--people <number>', 'how many --prepare makes').default(1000))
    .addOption(number('--rate <number>', 'sign-ins per second, at most 200').default(10))
    .addOption(number('--ramp <seconds>', 'from none to the rate').default(10))
    .addOption(number('--hold <seconds>', 'at the rate').default(60))
    .addOption(number('--warm-up <seconds>', 'before, not counted').default(10))
    .addOption(number('--rounds <number>', 'how often').default(1))
    .addOption(number('--seed <number>', 'repeats the same arrivals').default(1))
    .addOption(
      new Option('--return-share <share>', 'who open a second application, 0 to 1')
        .default(0.3)
        .argParser(toShare),
    )
    .option('--with-load', 'each wave twice: alone, and while many accounts are being made')
    .option('--full-speed', 'that as it goes outside of school hours, not gently')
    .addOption(number('--heads <number>', "people who sign in of a morning; the home's without it"))
    .addOption(number('--server-cores <number>', "of the server's machine, where it is not this"))
    .option('--this-is-production', 'yes, real people are in this realm, or it is no test realm')
    .addOption(json())
    .action(async (o) =>
      onDone(
        await runDrillCommand({
          ...o,
          heads: o.heads ?? null,
          serverCores: o.serverCores ?? null,
          withLoad: o.withLoad === true,
          fullSpeed: o.fullSpeed === true,
          prepare: o.prepare === true,
          clean: o.clean === true,
          thisIsProduction: o.thisIsProduction === true,
          json: o.json === true,
          signal,
        }),
      ),
    );
}

function toAmount(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && Number.isFinite(value) && value >= 0) return value;
  throw new InvalidArgumentError('Give a number of 0 or more.');
}

function toShare(text: string): number {
  const value = toAmount(text);
  if (value <= 1) return value;
  throw new InvalidArgumentError('Give a number from 0 to 1, for example 0.3.');
}
