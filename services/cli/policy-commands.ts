import type { Command, Option } from 'commander';
import { runPolicyList, runPolicyPlan, runPolicyShow } from './policy.ts';

/** `skolebus policy ...`: a change of the rules is previewed before it takes effect. */
export function addPolicyCommands(p: {
  readonly program: Command;
  readonly home: () => Option;
  readonly json: () => Option;
  readonly allow: () => Option;
  readonly onDone: (exitCode: number) => void;
}): void {
  const { home, json, onDone } = p;
  const policy = p.program
    .command('policy')
    .description('the versions of the policy, and what a change of it would do');

  policy
    .command('plan')
    .description('what policy.yaml would change, as a plan; nothing takes effect before its apply')
    .addOption(home())
    .addOption(p.allow())
    .addOption(json())
    .action(async (o) => onDone(await runPolicyPlan({ ...o, json: o.json === true })));

  policy
    .command('list')
    .description('every version, and which is in force')
    .addOption(home())
    .addOption(json())
    .action(async (o) => onDone(await runPolicyList({ ...o, json: o.json === true })));

  policy
    .command('show <version>')
    .description('a version as it was written')
    .addOption(home())
    .addOption(json())
    .action(async (version, o) =>
      onDone(await runPolicyShow({ ...o, version, json: o.json === true })),
    );
}
