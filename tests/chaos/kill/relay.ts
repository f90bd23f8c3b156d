/** A cable that can be cut: forwards connections on loopback to a server, or ends and refuses them. */
import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { connect, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

export interface Relay extends AsyncDisposable {
  readonly url: string;
  /** Ends what is under way in the middle, and refuses everybody for so long. */
  cut(ms: number): Promise<void>;
}

/** @param p.url http://127.0.0.1:port of the server behind it */
export async function openRelay(p: { readonly url: string }): Promise<Relay> {
  const { hostname, port } = new URL(p.url);
  const open = new Set<Socket>();
  let whole = true;
  const server = createServer((client) => {
    if (!whole) {
      client.destroy();
      return;
    }
    const upstream = connect(Number(port), hostname);
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      open.add(socket);
      socket.on('error', () => other.destroy());
      socket.on('close', () => {
        open.delete(socket);
        other.destroy();
      });
      socket.pipe(other);
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const endAll = () => {
    for (const socket of open) socket.resetAndDestroy();
  };
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async cut(ms) {
      whole = false;
      endAll();
      await sleep(ms);
      whole = true;
    },
    async [Symbol.asyncDispose]() {
      endAll();
      server.close();
      await once(server, 'close');
    },
  };
}
