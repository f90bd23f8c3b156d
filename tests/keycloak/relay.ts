/** A relay in front of a server: counts what passes, and can break connections at chosen moments. */

import { createServer, type IncomingMessage, request as send } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Passed {
  readonly method: string;
  readonly path: string;
  readonly status: number;
}

export interface Relay extends AsyncDisposable {
  readonly url: string;
  readonly passed: Passed[];
  /** Writes to the admin API that passed since the last look. */
  takeWrites(): Passed[];
  /** Called for each request after the server has answered; true: the client never hears of it. */
  swallow: ((p: Passed) => boolean) | null;
  /** Called before the server is asked; an answer of one's own, or null to let it pass. */
  replace:
    | ((p: {
        method: string;
        path: string;
      }) => { status: number; headers?: Record<string, string>; body?: unknown } | null)
    | null;
}

export async function startRelay(upstream: string): Promise<Relay> {
  const target = new URL(upstream);
  const server = createServer(async (incoming, response) => {
    const { method = 'GET', url: path = '/' } = incoming;
    const body = await read(incoming);
    const own = relay.replace?.({ method, path }) ?? null;
    if (own !== null) {
      relay.passed.push({ method, path, status: own.status });
      response.writeHead(own.status, { 'content-type': 'application/json', ...own.headers });
      response.end(JSON.stringify(own.body ?? {}));
      return;
    }
    const outgoing = send(
      {
        host: target.hostname,
        port: target.port,
        method,
        path,
        // The host stays the relay's own, so that Location headers lead back here.
        headers: { ...incoming.headers },
      },
      async (answer) => {
        const content = await read(answer);
        const passed = { method, path, status: answer.statusCode ?? 0 };
        relay.passed.push(passed);
        if (relay.swallow?.(passed) === true) {
          incoming.socket.resetAndDestroy();
          return;
        }
        response.writeHead(passed.status, answer.headers);
        response.end(content);
      },
    );
    outgoing.on('error', () => incoming.socket.destroy());
    outgoing.end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const relay: Relay = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    passed: [],
    swallow: null,
    replace: null,
    takeWrites() {
      const all = relay.passed.splice(0);
      return all.filter((one) => one.method !== 'GET' && one.path.startsWith('/admin/'));
    },
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
  return relay;
}

async function read(stream: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
