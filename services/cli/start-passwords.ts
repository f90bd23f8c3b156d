import { listStartingAccounts, startAgain } from '../../provisioning/ledger/start-passwords.ts';
import { startPasswordOf } from '../../provisioning/target/keycloak/start-password.ts';
import { readTargets } from '../config.ts';
import { openContext } from '../context.ts';
import { readEnvironment } from '../env.ts';
import { openVoice, table } from './output.ts';
import { printJson } from './sync.ts';
import { UsageError } from './usage.ts';

/**
 * `skolebus start-passwords`: who got one at a school, and its words, which are worked out again and
 * stored nowhere. A pupil who has chosen another password since has that one. Returns the exit code.
 */
export async function runStartPasswords(p: {
  readonly home: string;
  readonly institution: string;
  readonly target: string;
}): Promise<number> {
  const environment = readEnvironment();
  const targets = (await readTargets(p.home)) ?? [];
  const target = targets.find((one) => one.name === p.target);
  if (target?.type !== 'keycloak' || target.startPasswordEnv === null) {
    throw new UsageError(
      `${p.target} is no Keycloak with a startPasswordEnv in targets.yaml, so it gives no start passwords.`,
    );
  }
  const secret = environment.secret(target.startPasswordEnv);
  if (secret === null) {
    throw new UsageError(`The environment variable ${target.startPasswordEnv} is not set.`);
  }
  await using context = await openContext({ home: p.home, environment });
  const accounts = await listStartingAccounts({ ...context, ...p });
  const rows = accounts.map(({ groups, key, title, username }) => [
    groups.join(', '),
    title,
    username,
    startPasswordOf({ secret, key }),
  ]);
  process.stdout.write(`${table([['class', 'name', 'username', 'start password'], ...rows])}\n`);
  return 0;
}

/** `skolebus start-again`: sets one person's start password once more. Returns the exit code. */
export async function runStartAgain(p: {
  readonly home: string;
  readonly person: string;
  readonly json: boolean;
}): Promise<number> {
  await using context = await openContext({ home: p.home, environment: readEnvironment() });
  const person = await startAgain({ ...context, text: p.person });
  if (p.json) printJson({ person });
  openVoice(p).say(
    'The start password is set once more, before everything else. Its words: skolebus start-passwords.',
  );
  return 0;
}
