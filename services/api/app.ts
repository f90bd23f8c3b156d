import express from 'express';
import type { Logger } from 'pino';
import type { Rules } from '../../provisioning/ledger/replan.ts';
import type { Calendar } from '../../provisioning/policy/calendar/schema.ts';
import type { TargetTypes } from '../../provisioning/policy/route.ts';
import type { Database } from '../../provisioning/store/database.ts';
import { describeError } from '../log.ts';
import type { ProcessFigures } from '../metrics/process.ts';
import { traceRequests } from '../trace/requests.ts';
import type { Queues } from '../worker/queues.ts';
import type { Access } from './access.ts';
import { openGate } from './access.ts';
import { approve } from './approve.ts';
import { getPlanChanges } from './changes.ts';
import { commit, getCommit } from './commit.ts';
import type { ApiContext, Endpoint } from './endpoint.ts';
import { getEvents } from './events.ts';
import { getHealth, getReady } from './health.ts';
import { deleteDecision, getHold, getHolds, postDecision } from './holds.ts';
import { getInstitutions } from './institutions.ts';
import { deleteKept, getKept, postKept, postPrimary } from './kept-alive.ts';
import { logRequests } from './log.ts';
import { getMetrics } from './metrics.ts';
import { describeApi } from './openapi.ts';
import { getExplanation, getPeople } from './people.ts';
import { getPlan, getPlanSummary, getPlans } from './plans.ts';
import { getPolicy, getPolicyVersion } from './policy.ts';
import { ApiError, answerError } from './problem.ts';
import { getQueue, postBrake, postHurry, postRelease } from './queue.ts';
import { makeBoardPass, openQueueBoard, serveQueueBoard } from './queue-board.ts';
import { getReadiness } from './readiness.ts';
import { retry } from './retry.ts';
import { deleteSession, getSession, postSession } from './session.ts';
import { protectPages, serveConsole } from './site.ts';
import { getSnapshots } from './snapshots.ts';
import { postStartAgain } from './start-again.ts';
import { getStatus } from './status.ts';
import { undoPlan } from './undo.ts';
import { weigh } from './weigh.ts';

const operations: readonly Endpoint[] = [
  getStatus,
  getSnapshots,
  getInstitutions,
  getPlans,
  getPlan,
  getPlanSummary,
  getPlanChanges,
  weigh,
  commit,
  getCommit,
  approve,
  undoPlan,
  getPolicy,
  getPolicyVersion,
  getPeople,
  getExplanation,
  getHolds,
  getHold,
  postDecision,
  deleteDecision,
  retry,
  getKept,
  postKept,
  deleteKept,
  postPrimary,
  getReadiness,
  getQueue,
  postBrake,
  postRelease,
  postHurry,
  postStartAgain,
  openQueueBoard,
  getEvents,
  getSession,
  postSession,
  deleteSession,
  getHealth,
  getReady,
  getMetrics,
];

/** Everything that can be called, its own description included. */
export const endpoints: readonly Endpoint[] = [...operations, describeApi(operations)];

const oneOfEach: TargetTypes = new Map(
  (['keycloak', 'nextcloud', 'moodle'] as const).map((type) => [type, type]),
);

/** The HTTP API of one tenant and, where `console` names a folder, the built console beside it. */
export function createApi(p: {
  readonly database: Database;
  readonly tenant: string;
  /** Null where this process has no queues: their counts are left out. */
  readonly queues: Queues | null;
  /** The configured targets; left out: one of each type, called by it. */
  readonly targets?: TargetTypes;
  readonly access: Access;
  /** What plans are made by; left out, nothing is planned here. */
  readonly rules?: Rules;
  readonly console: string | null;
  /** Left out: there are no calm windows here. */
  readonly calendar?: Calendar | null;
  /** Left out: /metrics tells only what the database knows. */
  readonly figures?: Pick<ProcessFigures, 'read'>;
  /** Wakes the worker after a write that made work. */
  readonly onCommitted: () => Promise<void>;
  readonly logger: Logger;
}): express.Express {
  const { logger } = p;
  const context: ApiContext = {
    database: p.database,
    tenant: p.tenant,
    queues: p.queues,
    targets: p.targets ?? oneOfEach,
    gate: openGate(p.access),
    boardPass: makeBoardPass(),
    rules: p.rules ?? null,
    calendar: p.calendar ?? null,
    figures: p.figures ?? null,
    wake: async () => {
      try {
        await p.onCommitted();
      } catch (error) {
        logger.warn(
          { err: describeError(error instanceof Error ? error : new Error()) },
          'The worker could not be woken; its sweep finds the work.',
        );
      }
    },
  };
  const app = express();
  app.disable('x-powered-by');
  app.set('query parser', 'simple');
  app.use(traceRequests());
  app.use(logRequests(logger));
  app.use(protectPages(p.access));
  app.use('/api', (_request, response, next) => {
    response.set('Cache-Control', 'no-store');
    next();
  });
  for (const endpoint of endpoints) mount({ app, endpoint, context });
  app.use(refuseOtherMethods());
  if (p.queues !== null) {
    const { gate, boardPass: pass } = context;
    app.use(...serveQueueBoard({ queues: p.queues, gate, pass }));
  }
  if (p.console !== null) app.use(...serveConsole(p.console));
  app.use(() => {
    throw new ApiError({
      code: 'not-found',
      detail: 'There is nothing here. /api/v1/openapi.json lists what there is.',
    });
  });
  app.use(answerError);
  return app;
}

function mount(p: {
  readonly app: express.Express;
  readonly endpoint: Endpoint;
  readonly context: ApiContext;
}): void {
  const { app, endpoint, context } = p;
  app[endpoint.method](
    toRoute(endpoint.path),
    ...(endpoint.role === null ? [] : [context.gate.require(endpoint.role)]),
    ...(endpoint.body === null ? [] : [express.json({ limit: '16kb' })]),
    endpoint.makeHandler(context),
  );
}

/** For known addresses that were asked with a method which they do not have. */
function refuseOtherMethods(): express.Router {
  const router = express.Router();
  for (const path of new Set(endpoints.map((endpoint) => endpoint.path))) {
    const methods = endpoints.filter((e) => e.path === path).map((e) => e.method.toUpperCase());
    router.all(toRoute(path), () => {
      throw new ApiError({
        code: 'method-not-allowed',
        detail: `Only ${methods.join(', ')} can be asked of this.`,
        headers: { Allow: methods.join(', ') },
      });
    });
  }
  return router;
}

function toRoute(path: string): string {
  return path.replaceAll(/\{(\w+)\}/g, ':$1');
}
