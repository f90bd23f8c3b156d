import { context, DiagLogLevel, diag, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  BatchSpanProcessor,
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import type { TraceSettings } from '../env.ts';
import { traceTargetCalls } from './target-calls.ts';

/** A worker at full pace makes some hundred spans a second, and they are sent every five seconds. */
const queueSize = 8192;
/** A collector that is away is told of once in so long, in ms. */
const tellEveryMs = 60_000;

/**
 * Records traces from now on; disposing sends what is left and stops.
 * A collector that is away costs the traces and nothing else. Headers and certificates of the
 * way to it are what the exporter itself reads from OTEL_EXPORTER_OTLP_*.
 */
export function startTracing(p: {
  readonly settings: TraceSettings;
  readonly onTrouble: () => void;
}): AsyncDisposable {
  const { settings } = p;
  let toldAt = Number.NEGATIVE_INFINITY;
  function tell(): void {
    if (performance.now() - toldAt < tellEveryMs) return;
    toldAt = performance.now();
    p.onTrouble();
  }
  const provider = new TracerProvider({
    resource: resourceFromAttributes({ 'service.name': settings.service }),
    sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(settings.ratio) }),
    spanProcessors: [
      new BatchSpanProcessor({
        exporter: new OTLPTraceExporter({ url: settings.url, timeoutMillis: settings.timeoutMs }),
        maxQueueSize: queueSize,
      }),
    ],
  });
  const quiet = { warn() {}, info() {}, debug() {}, verbose() {} };
  const silent = { logLevel: DiagLogLevel.ERROR, suppressOverrideMessage: true };
  diag.setLogger({ ...quiet, error: tell }, silent);
  const manager = new AsyncLocalStorageContextManager().enable();
  trace.setGlobalTracerProvider(provider);
  context.setGlobalContextManager(manager);
  const calls = traceTargetCalls();
  return {
    async [Symbol.asyncDispose]() {
      calls[Symbol.dispose]();
      trace.disable();
      context.disable();
      await provider.shutdown().catch(tell);
      diag.disable();
    },
  };
}
