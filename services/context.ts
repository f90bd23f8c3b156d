import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Logger } from 'pino';
import type { Calendar } from '../provisioning/policy/calendar/schema.ts';
import type { TargetTypes } from '../provisioning/policy/route.ts';
import type { Policy } from '../provisioning/policy/schema.ts';
import type { Database } from '../provisioning/store/database.ts';
import { openDatabase } from '../provisioning/store/database.ts';
import { startEmbeddedPostgres } from '../provisioning/store/embedded.ts';
import { migrate } from '../provisioning/store/migrate.ts';
import type { Connector } from '../provisioning/target/contract.ts';
import { checkIdentityKey, readPolicyText, readTargets } from './config.ts';
import { connectSandbox, connectTargets } from './connectors.ts';
import type { Environment, TraceSettings } from './env.ts';
import { openLog } from './log.ts';
import type { PolicyFile } from './policy-file.ts';
import { comparePolicyFile, policyInForce } from './policy-file.ts';
import { openSandbox } from './sandbox/sandbox.ts';

/** All collaborators of one process, built by hand; disposing closes them in the reverse order. */
export interface Context extends AsyncDisposable {
  readonly home: string;
  readonly tenant: string;
  readonly environment: Environment;
  readonly log: Logger;
  readonly database: Database;
  /** The policy in force; before the first commit the one that the home has. */
  readonly policy: Policy;
  readonly policyFile: PolicyFile;
  readonly connectors: ReadonlyMap<string, Connector>;
  /** True when the targets are the stand-ins of this home. */
  readonly sandboxed: boolean;
}

/**
 * Opens a home folder: database (embedded, or DATABASE_URL), policy and targets. Everything that is
 * kept from one command to the next stands below it.
 */
export async function openContext(p: {
  readonly home: string;
  readonly environment: Environment;
}): Promise<Context> {
  const { environment } = p;
  const log = openLog({ level: environment.logLevel ?? 'warn' });
  checkIdentityKey(environment.identityKey);
  const home = resolve(p.home);
  await mkdir(home, { recursive: true, mode: 0o700 });
  const written = await readPolicyText(home);
  const targets = await readTargets(home);
  await using stack = new AsyncDisposableStack();
  // The last to close: it sends what the others did at their end.
  if (environment.traces !== null)
    stack.use(await openTraces({ log, settings: environment.traces }));

  const url = environment.databaseUrl ?? stack.use(await startEmbedded(home)).url;
  await migrate({ url });
  const database = stack.use(openDatabase({ url, max: 20 }));
  await database.addTenant({ id: environment.tenant, name: environment.tenant });

  const policyFile = await comparePolicyFile({ database, tenant: environment.tenant, ...written });
  const policy = policyInForce(policyFile);
  const connectors =
    targets === null
      ? connectSandbox(stack.use(await openSandbox({ dir: join(home, 'sandbox') })).addresses)
      : connectTargets({ targets, policy, secret: environment.secret });
  for (const connector of connectors.values()) stack.use(connector);

  const open = stack.move();
  return {
    home,
    tenant: environment.tenant,
    environment,
    log,
    database,
    policy,
    policyFile,
    connectors,
    sandboxed: targets === null,
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  };
}

/** Loaded only where traces are wanted: it takes 0.3 s, which every command would wait for. */
async function openTraces(p: { readonly log: Logger; readonly settings: TraceSettings }) {
  const { startTracing } = await import('./trace/tracing.ts');
  return startTracing({
    settings: p.settings,
    onTrouble: () => p.log.warn('traces could not be sent'),
  });
}

function startEmbedded(home: string) {
  return startEmbeddedPostgres({ dir: join(home, 'postgres') });
}

/** Calm windows are for people who log in: at the stand-ins of a home nobody does. */
export function calendarOf(context: Pick<Context, 'sandboxed' | 'policy'>): Calendar | null {
  return context.sandboxed ? null : context.policy.calendar;
}

export function typesOfTargets(connectors: ReadonlyMap<string, Connector>): TargetTypes {
  return new Map([...connectors].map(([name, connector]) => [name, connector.type] as const));
}
