import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Logger } from 'pino';
import { pino } from 'pino';
import { pinoHttp } from 'pino-http';

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
    customProps: (request) => ({ route: routeOf(request) }),
    serializers: {
      req: (request: { method: string }) => ({ method: request.method }),
      res: (response: { statusCode: number }) => ({ status: response.statusCode }),
      err: describeError,
    },
  });
}

/** Warnings and worse, on the standard error: the standard output belongs to the command's own words. */
export function defaultLogger(): Logger {
  return pino({ level: 'warn' }, pino.destination(2));
}

/** The route's pattern, never the address itself. */
function routeOf(request: IncomingMessage & { route?: { path?: unknown } }): string | null {
  const path = request.route?.path;
  return typeof path === 'string' ? path : null;
}

/** Messages of the database can quote values of rows; its codes and our own stack cannot. */
export function describeError(error: Error & { code?: unknown }) {
  return {
    name: error.name,
    code: typeof error.code === 'string' ? error.code : null,
    at: (error.stack ?? '')
      .split('\n')
      .filter((line) => /^\s+at /.test(line))
      .slice(0, 8)
      .map((line) => line.trim()),
  };
}
