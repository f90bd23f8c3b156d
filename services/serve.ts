import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Access } from './api/access.ts';
import { createApi } from './api/app.ts';
import { listen } from './api/listen.ts';
import type { Context } from './context.ts';
import { calendarOf, typesOfTargets } from './context.ts';
import { openProcessFigures } from './metrics/process.ts';
import { lookEveryMs, watchBell } from './worker/bell-alarm.ts';
import { followCalendar } from './worker/calm.ts';
import type { Queues } from './worker/queues.ts';
import { openQueues } from './worker/queues.ts';
import { readReadiness } from './worker/readiness.ts';
import type { RunningWorker } from './worker/worker.ts';
import { startWorker } from './worker/worker.ts';

export interface Service extends AsyncDisposable {
  readonly url: string;
  /** The address to open in a browser; with the token where the console has no Keycloak login. */
  readonly consoleUrl: string;
  readonly worker: RunningWorker;
  readonly queues: Queues;
}

/** How often due rows without a ticket are looked for, in ms. */
const sweepMs = 1000;

/** API, console and worker in one process. */
export async function serve(p: {
  readonly context: Context;
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
}): Promise<Service> {
  const { database, connectors, environment, log, policy, tenant } = p.context;
  await using stack = new AsyncDisposableStack();
  const calendar = calendarOf(p.context);
  const calm = followCalendar(calendar);
  const queues = stack.use(
    await openQueues({ databaseUrl: database.url, redisUrl: environment.redisUrl }),
  );
  const figures = stack.use(openProcessFigures({ connectors: connectors.values() }));
  const worker = stack.use(
    await startWorker({
      database,
      queues,
      connectorsOf: async () => connectors,
      calmOf: () => calm,
      concurrency: connectors.size,
      sweepMs,
      onError: (error) => log.error({ err: error }, 'worker trouble'),
      logger: log,
      onTurn: figures.turns.count,
    }),
  );
  if (calendar !== null) {
    stack.use(
      watchBell({
        read: () => readReadiness({ database, tenant, calendar, now: new Date() }),
        everyMs: lookEveryMs,
        log,
        onError: (error) => log.error({ err: error }, 'readiness trouble'),
      }),
    );
  }
  const token = randomBytes(24).toString('base64url');
  const access: Access = environment.keycloak ?? { kind: 'local-token', token };
  const folder = fileURLToPath(new URL('./console/dist', import.meta.url));
  const app = createApi({
    database,
    tenant,
    queues,
    targets: typesOfTargets(connectors),
    access,
    rules: { policy, targets: typesOfTargets(connectors) },
    console: existsSync(folder) ? folder : null,
    calendar,
    figures,
    onCommitted: () => worker.sweep(),
    logger: log,
  });
  const { url } = stack.use(await listen({ app, host: p.host, port: p.port }));
  const open = stack.move();
  return {
    url,
    consoleUrl: access.kind === 'local-token' ? `${url}/#token=${token}` : url,
    worker,
    queues,
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  };
}
