import { once } from 'node:events';
import { openContext } from '../context.ts';
import { readEnvironment } from '../env.ts';
import { keepPreparing, prepareTargets } from '../prepare.ts';
import { openSandbox } from '../sandbox/sandbox.ts';
import { serve } from '../serve.ts';
import { openVoice, table } from './output.ts';
import { printJson } from './sync.ts';

/** `skolebus sandbox`: serves until it is stopped. Returns the exit code. */
export async function runSandbox(p: {
  readonly json: boolean;
  /** Rate of each misbehaviour; 0 for none. */
  readonly faults: number;
  readonly seed: number;
  readonly signal: AbortSignal;
}): Promise<number> {
  await using sandbox = await openSandbox({
    dir: null,
    faults: p.faults > 0 ? { rate: p.faults, seed: p.seed } : null,
  });
  if (p.json) printJson(sandbox.addresses);
  else {
    const { keycloak, nextcloud, moodle } = sandbox.addresses;
    process.stdout.write(
      `Keycloak   ${keycloak.url}\nNextcloud  ${nextcloud.url}\nMoodle     ${moodle.url}\nUsers and tokens: skolebus sandbox --json. Ctrl-C stops them.\n`,
    );
  }
  await untilAborted(p.signal);
  return 0;
}

/** `skolebus serve`: API, console and worker until it is stopped. Returns the exit code. */
export async function runServe(p: {
  readonly home: string;
  readonly host: string;
  readonly port: number;
  readonly signal: AbortSignal;
}): Promise<number> {
  const { logLevel, ...environment } = readEnvironment();
  await using context = await openContext({
    home: p.home,
    environment: { ...environment, logLevel: logLevel ?? 'info' },
  });
  const voice = openVoice({ json: false });
  const connectors = context.connectors.values();
  const missing = await prepareTargets({ connectors, onTrouble: voice.say });
  await using _preparing = keepPreparing({ connectors: missing, onReady: voice.say });
  await using service = await serve({ context, host: p.host, port: p.port });
  voice.say(`Console: ${service.consoleUrl}`);
  await untilAborted(p.signal);
  return 0;
}

/** `skolebus check`. Returns the exit code: 1 when a check is not ok. */
export async function runCheck(p: {
  readonly home: string;
  readonly json: boolean;
}): Promise<number> {
  await using context = await openContext({ home: p.home, environment: readEnvironment() });
  const results = [];
  for (const connector of context.connectors.values()) {
    for (const result of await connector.check())
      results.push({ target: connector.name, ...result });
  }
  if (p.json) printJson({ checks: results });
  else {
    openVoice(p).say(
      table(results.map((r) => [r.target, r.name, r.ok ? 'ok' : 'NOT OK', r.message])),
    );
  }
  return results.every((r) => r.ok) ? 0 : 1;
}

export async function untilAborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, 'abort');
}
