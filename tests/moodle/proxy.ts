import { createServer, request as forward } from 'node:http';
import type { AddressInfo } from 'node:net';

/**
 * Stands between connector and Moodle, stand-in or real: counts the calls by function and can break
 * the connection before a call arrives or after it was done.
 */
export interface MoodleProxy extends AsyncDisposable {
  readonly url: string;
  /** Function names in order of arrival. */
  readonly calls: string[];
  /** Asked for each call: what goes wrong with it. */
  fault: (called: string) => 'before' | 'after' | null;
}

const reading = /_(get|search)_/;

export function countWrites(proxy: MoodleProxy): number {
  return proxy.calls.filter((name) => !reading.test(name)).length;
}

export async function startProxy(target: string): Promise<MoodleProxy> {
  const to = new URL(target);
  const proxy: { calls: string[]; fault: MoodleProxy['fault'] } = { calls: [], fault: () => null };
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    const called = new URLSearchParams(body.toString()).get('wsfunction') ?? '';
    proxy.calls.push(called);
    const fault = proxy.fault(called);
    if (fault === 'before') {
      request.socket.destroy();
      return;
    }
    const onward = forward(
      {
        host: to.hostname,
        port: to.port,
        method: request.method,
        path: `${to.pathname.replace(/\/$/, '')}${request.url}`,
        headers: { ...request.headers, host: to.host },
      },
      (answer) => {
        const parts: Buffer[] = [];
        answer.on('data', (part: Buffer) => parts.push(part));
        answer.on('end', () => {
          if (fault === 'after') {
            request.socket.destroy();
            return;
          }
          response.writeHead(answer.statusCode ?? 502, answer.headers);
          response.end(Buffer.concat(parts));
        });
      },
    );
    onward.on('error', () => request.socket.destroy());
    onward.end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return Object.assign(proxy, {
    url: `http://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  });
}
