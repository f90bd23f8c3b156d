import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import type { SentSpan } from './otlp.ts';
import { readSpans } from './otlp.ts';

export interface Collector extends AsyncDisposable {
  readonly url: string;
  readonly spans: readonly SentSpan[];
  /** Everything that was sent, as it came. */
  readonly bodies: readonly Buffer[];
}

/** Takes OTLP over HTTP on a loopback port, as an OpenTelemetry collector does. */
export async function openCollector(): Promise<Collector> {
  const spans: SentSpan[] = [];
  const bodies: Buffer[] = [];
  const server = createServer((request, response) => {
    void buffer(request).then((body) => {
      const ours = request.url === '/v1/traces' && request.method === 'POST';
      if (ours) {
        bodies.push(body);
        spans.push(...readSpans(body));
      }
      response.writeHead(ours ? 200 : 404).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spans,
    bodies,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
