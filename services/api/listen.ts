import type { ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Express } from 'express';

/** Longest wait for answers under way before their connections are cut. */
const drainMs = 5000;

/**
 * Serves `app`. Disposing lets answers under way finish, ends event streams (which never would by
 * themselves), and then closes.
 *
 * @param p.port 0 takes a free one
 */
export async function listen(p: {
  readonly app: Express;
  readonly host: string;
  readonly port: number;
}): Promise<{ readonly url: string } & AsyncDisposable> {
  const server = createServer(p.app);
  const open = new Set<ServerResponse>();
  server.on('request', (_request, response) => {
    open.add(response);
    response.on('close', () => open.delete(response));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(p.port, p.host, () => {
      server.off('error', reject);
      resolve();
    });
  });
  const { address, family, port } = server.address() as AddressInfo;
  return {
    url: `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`,
    async [Symbol.asyncDispose]() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const response of open) {
        // A connection kept alive after its answer would be waited for in vain.
        response.shouldKeepAlive = false;
        response.on('close', () => setImmediate(() => server.closeIdleConnections()));
        if (isStream(response)) response.end();
      }
      server.closeIdleConnections();
      const cut = setTimeout(() => server.closeAllConnections(), drainMs);
      await closed;
      clearTimeout(cut);
    },
  };
}

function isStream(response: ServerResponse): boolean {
  return String(response.getHeader('content-type') ?? '').startsWith('text/event-stream');
}
