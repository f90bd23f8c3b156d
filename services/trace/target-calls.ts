import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Span } from '@opentelemetry/api';
import { SpanKind, trace } from '@opentelemetry/api';
import { failSpan, tracer } from '../../provisioning/trace/span.ts';
import { moodleFunctionOf, patternOf } from './routes.ts';

/** What undici tells of a request; the global fetch is undici too. */
interface Request {
  readonly method: string;
  readonly origin: string | URL;
  readonly path: string;
  readonly body?: unknown;
}

/**
 * A span for every HTTP call that is made below another span, whichever library makes it: undici, Node's
 * fetch in Keycloak's client, or the WebDAV client all speak through undici's channels. The package for
 * this (instrumentation-undici) writes whole addresses into its spans, in which ids and names of people
 * stand. Nothing is sent along to the servers.
 */
export function traceTargetCalls(): Disposable {
  const open = new WeakMap<object, Span>();

  const channels: Readonly<Record<string, (message: unknown) => void>> = {
    'undici:request:create': (message) => {
      if (trace.getActiveSpan()?.isRecording() !== true) return;
      const { request } = message as { request: Request };
      open.set(request, startCall(request));
    },
    'undici:request:headers': (message) => {
      const { request, response } = message as {
        request: Request;
        response: { statusCode: number };
      };
      const span = open.get(request);
      span?.setAttribute('http.response.status_code', response.statusCode);
      if (response.statusCode >= 400) span?.setAttribute('error.type', String(response.statusCode));
    },
    'undici:request:trailers': (message) => {
      open.get((message as { request: Request }).request)?.end();
    },
    'undici:request:error': (message) => {
      const { request, error } = message as { request: Request; error: unknown };
      const span = open.get(request);
      if (span === undefined) return;
      failSpan(span, error);
      span.end();
    },
  };
  for (const [name, listen] of Object.entries(channels)) subscribe(name, listen);
  return {
    [Symbol.dispose]() {
      for (const [name, listen] of Object.entries(channels)) unsubscribe(name, listen);
    },
  };
}

function startCall(request: Request): Span {
  const { hostname, port } = new URL(request.origin);
  const template = patternOf(request.path);
  const called = moodleFunctionOf(request.body);
  return tracer().startSpan(`${request.method} ${called ?? template}`, {
    kind: SpanKind.CLIENT,
    attributes: {
      'http.request.method': request.method,
      'server.address': hostname,
      ...(port === '' ? {} : { 'server.port': Number(port) }),
      'url.template': template,
      ...(called === null ? {} : { 'skolebus.moodle_function': called }),
    },
  });
}
