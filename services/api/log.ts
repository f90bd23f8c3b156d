import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Logger } from 'pino';
import { pinoHttp } from 'pino-http';
import { describeError } from '../log.ts';

/**
 * One line a request: method, route, status, time. Neither the query (its `text` may be a name) nor
 * headers (tokens), addresses of people or bodies ever reach the log.
 */
export function logRequests(logger: Logger) {
  return pinoHttp({
    logger,
    genReqId: () => randomUUID(),
    quietReqLogger: true,
    customLogLevel: (_request, response) => (response.statusCode >= 500 ? 'error' : 'info'),
    // Asked again when the answer is out: only then is the route known.
    customProps: (request, response) => ({ route: routeOf(request), ...traceOf(response) }),
    serializers: {
      req: (request: { method: string }) => ({ method: request.method }),
      res: (response: { statusCode: number }) => ({ status: response.statusCode }),
      err: describeError,
    },
  });
}

/** The request's trace, while traces are recorded. */
function traceOf(response: ServerResponse & { locals?: { traceId?: unknown } }) {
  const traceId = response.locals?.traceId;
  return traceId === undefined ? {} : { traceId };
}

/** The route's pattern, never the address itself. */
export function routeOf(request: IncomingMessage & { route?: { path?: unknown } }): string | null {
  const path = request.route?.path;
  return typeof path === 'string' ? path : null;
}
