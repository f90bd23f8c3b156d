import type { Command } from 'commander';
import { Option } from 'commander';
import { lanes } from '../../provisioning/policy/lane.ts';
import { runHurry, runQueueShow, runResume, runStop, runWeight } from './queue.ts';

/** `skolebus queue ...` and `hurry`: what waits in front of the targets, stopping it and letting it go on. */
export function addQueueCommands(p: {
  readonly program: Command;
  readonly home: () => Option;
  readonly json: () => Option;
  readonly onDone: (exitCode: number) => void;
}): void {
  const { home, json, onDone } = p;
  const queue = p.program
    .command('queue')
    .description('what waits in front of the targets; stopping it and letting it go on');

  queue
    .command('show')
    .description('what is due in each lane, how fast it goes, and what holds it up')
    .addOption(home())
    .addOption(json())
    .action(async (o) => onDone(await runQueueShow({ ...o, json: o.json === true })));

  const place = (command: Command) =>
    command
      .addOption(home())
      .option('--target <name>', 'only this target')
      .addOption(new Option('--lane <lane>', 'only this lane').choices(lanes))
      .option('--every-tenant', 'of all tenants in this database, not just this one')
      .addOption(json());
  const stop = (kind: 'pause' | 'drain' | 'maintenance', description: string) =>
    place(queue.command(kind).description(description))
      .requiredOption('--reason <text>', 'why; without personal values')
      .option('--until <time>', 'ends by itself, for example 2026-11-28T06:00:00+01:00')
      .action(async (o) =>
        onDone(
          await runStop({
            ...o,
            ...whereOf(o),
            kind,
            until: o.until ?? null,
            json: o.json === true,
          }),
        ),
      );
  stop('pause', 'start nothing new; a batch under way is finished');
  stop('drain', 'finish what is due now; what is committed later waits');
  stop('maintenance', 'like pause, while somebody works on the server');
  place(queue.command('resume').description('lift what was set for exactly this place')).action(
    async (o) => onDone(await runResume({ ...o, ...whereOf(o), json: o.json === true })),
  );

  queue
    .command('weight <number>')
    .description("this tenant's share of the workers beside other tenants; 1 is usual")
    .addOption(home())
    .action(async (weight, o) => onDone(await runWeight({ ...o, weight: Number(weight) })));

  p.program
    .command('hurry <person>')
    .description('somebody waits: do what is due of one person before everything else')
    .addOption(home())
    .addOption(json())
    .action(async (person, o) => onDone(await runHurry({ ...o, person, json: o.json === true })));
}

function whereOf(o: Readonly<Record<string, unknown>>) {
  return {
    target: (o['target'] as string | undefined) ?? null,
    lane: (o['lane'] as (typeof lanes)[number] | undefined) ?? null,
    everyTenant: o['everyTenant'] === true,
  };
}
