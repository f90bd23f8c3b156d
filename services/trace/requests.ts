import { context, ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import type { RequestHandler } from 'express';
import { tracer } from '../../provisioning/trace/span.ts';
import { routeOf } from '../api/log.ts';

/** Asked every few seconds by machines; they tell nothing. */
const quiet: ReadonlySet<string> = new Set(['/healthz', '/readyz', '/metrics']);

/**
 * A span for every request, called by the pattern of its route. It begins a trace: whoever calls from
 * outside must not be able to write into ours.
 */
export function traceRequests(): RequestHandler {
  return (request, response, next) => {
    if (quiet.has(request.path)) {
      next();
      return;
    }
    const { method } = request;
    const span = tracer().startSpan(method, { kind: SpanKind.SERVER }, ROOT_CONTEXT);
    if (!span.isRecording()) {
      next();
      return;
    }
    response.locals['traceId'] = span.spanContext().traceId;
    response.once('close', () => {
      const route = routeOf(request);
      span.updateName(route === null ? method : `${method} ${route}`);
      span.setAttributes({
        'http.request.method': method,
        'http.response.status_code': response.statusCode,
        ...(route === null ? {} : { 'http.route': route }),
      });
      if (response.statusCode >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
      span.end();
    });
    context.with(trace.setSpan(ROOT_CONTEXT, span), next);
  };
}
