import { parsePolicy } from '../../provisioning/policy/parse.ts';
import type { PolicyVersion } from '../../provisioning/policy/version.ts';
import { listPolicyVersions } from '../../provisioning/policy/version.ts';
import { previewPolicy } from '../../provisioning/preview-policy.ts';
import { openContext, typesOfTargets } from '../context.ts';
import { readEnvironment } from '../env.ts';
import { openVoice, table } from './output.ts';
import { exitCode, printJson, showPlan } from './sync.ts';
import { UsageError } from './usage.ts';
import { whoAmI } from './who.ts';

/** `skolebus policy plan`: what the home's policy would change, against the roster as it stands. Returns the exit code. */
export async function runPolicyPlan(p: {
  readonly home: string;
  readonly allow: readonly string[];
  readonly json: boolean;
}): Promise<number> {
  const voice = openVoice(p);
  await using context = await openContext({ home: p.home, environment: readEnvironment() });
  const { policyFile } = context;
  // Throws what is wrong with it, with line and remedy.
  const policy = parsePolicy(policyFile);
  const plan = await previewPolicy({
    ...context,
    candidate: { text: policyFile.text, policy, by: whoAmI() },
    targets: typesOfTargets(context.connectors),
    allowed: new Set(p.allow),
    now: new Date(),
  });
  const [version] = await listPolicyVersions(context);
  if (p.json) printJson({ plan, policy: { version: version?.version, state: policyFile.state } });
  await showPlan({ context, voice, plan });
  voice.say(
    `Nothing was written. Version ${version?.version} of the policy comes into force with: skolebus apply ${plan.id} --home ${p.home}`,
  );
  return exitCode({ plan, result: null });
}

/** `skolebus policy list`. Returns the exit code. */
export async function runPolicyList(p: {
  readonly home: string;
  readonly json: boolean;
}): Promise<number> {
  await using context = await openContext({ home: p.home, environment: readEnvironment() });
  const versions = await listPolicyVersions(context);
  if (p.json) {
    printJson({ versions: versions.map(({ text: _, ...version }) => version) });
    return 0;
  }
  const day = (date: Date | null) => date?.toISOString().slice(0, 16).replace('T', ' ') ?? '-';
  const rows = versions.map((one) => [
    one.version,
    one.state,
    day(one.inForceAt),
    one.madeBy,
    one.plan ?? '-',
  ]);
  openVoice(p).say(
    rows.length === 0
      ? 'No policy is in force yet: the first sync that is committed puts one there.'
      : table([['version', 'state', 'in force since', 'made by', 'plan'], ...rows]),
  );
  return 0;
}

/** `skolebus policy show VERSION`: the policy as it was written. Returns the exit code. */
export async function runPolicyShow(p: {
  readonly version: string;
  readonly home: string;
  readonly json: boolean;
}): Promise<number> {
  await using context = await openContext({ home: p.home, environment: readEnvironment() });
  const versions = await listPolicyVersions(context);
  const version = versions.find((one: PolicyVersion) => String(one.version) === p.version);
  if (version === undefined) {
    throw new UsageError(
      `There is no version ${p.version} of the policy. skolebus policy list names them.`,
    );
  }
  if (p.json) printJson({ version });
  else process.stdout.write(version.text);
  return 0;
}
