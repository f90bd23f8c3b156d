/**
 * Traces, in the words of OpenTelemetry. Without a provider (services/trace/tracing.ts) everything here
 * does next to nothing. What is written into a span are ids of ours, counts and codes; an error leaves
 * its code, never its message, which may quote what a feed or a server said of somebody.
 */
import type { Span, SpanContext } from '@opentelemetry/api';
import {
  context,
  isSpanContextValid,
  ROOT_CONTEXT,
  SpanStatusCode,
  TraceFlags,
  trace,
} from '@opentelemetry/api';

export type SpanFacts = Readonly<Record<string, string | number | boolean>>;

/** Asked for every span: one that was kept would hold on to the provider of its first day. */
export function tracer() {
  return trace.getTracer('skolebus');
}

/** Runs `work` as a span below the one that is running now. */
export async function inSpan<T>(p: {
  readonly name: string;
  readonly facts?: SpanFacts;
  /** The first of a trace of its own. */
  readonly root?: boolean;
  readonly work: (span: Span) => Promise<T>;
}): Promise<T> {
  const parent = p.root === true ? ROOT_CONTEXT : context.active();
  const span = tracer().startSpan(p.name, { attributes: { ...p.facts } }, parent);
  try {
    return await context.with(trace.setSpan(parent, span), () => p.work(span));
  } catch (error) {
    failSpan(span, error);
    throw error;
  } finally {
    span.end();
  }
}

/** Something that is over, and whose times another thread has measured. */
export function addPastSpan(p: {
  readonly name: string;
  readonly from: Date;
  readonly to: Date;
}): void {
  tracer().startSpan(p.name, { startTime: p.from }).end(p.to);
}

export function failSpan(span: Span, error: unknown): void {
  span.setStatus({ code: SpanStatusCode.ERROR });
  span.setAttribute('error.type', errorType(error));
}

/** A code where there is one, else the name of the class. */
function errorType(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  const code = 'code' in error ? error.code : null;
  return typeof code === 'string' && /^[\w.-]{1,60}$/.test(code) ? code : error.name;
}

/** The running span as a W3C traceparent, to be kept where somebody goes on with its work later; null: none is recorded. */
export function currentTraceparent(): string | null {
  const span = trace.getActiveSpan();
  if (span === undefined || !span.isRecording()) return null;
  const { traceId, spanId, traceFlags } = span.spanContext();
  return `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, '0')}`;
}

/** Says that a span goes on with what these have begun; whatever is no traceparent is left out. */
export function linkTo(span: Span, traceparents: readonly string[]): void {
  for (const text of traceparents) {
    const origin = readTraceparent(text);
    if (origin !== null) span.addLink({ context: origin });
  }
}

function readTraceparent(text: string): SpanContext | null {
  const [, traceId, spanId, flags] =
    /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/.exec(text) ?? [];
  if (traceId === undefined || spanId === undefined || flags === undefined) return null;
  const traceFlags = Number.parseInt(flags, 16) & TraceFlags.SAMPLED;
  const origin = { traceId, spanId, traceFlags, isRemote: true };
  return isSpanContextValid(origin) ? origin : null;
}
