import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Registry } from 'prom-client';
import { Histogram } from 'prom-client';

interface Message {
  readonly request: { readonly origin: string | URL };
  readonly response?: { readonly statusCode: number };
}

/**
 * Measures every HTTP call of this process until its answer has begun, whichever library makes it; all of
 * them speak through undici's channels. By server only: addresses hold ids and names of people.
 */
export function measureTargetCalls(registry: Registry): Disposable {
  const seconds = new Histogram({
    name: 'skolebus_target_request_seconds',
    help: 'Calls of a server until its answer began, by status class; "none": there was no answer.',
    labelNames: ['server', 'status'],
    buckets: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
    registers: [registry],
  });
  const begun = new WeakMap<object, number>();

  function end(message: unknown, status: string): void {
    const { request } = message as Message;
    const at = begun.get(request);
    if (at === undefined) return;
    begun.delete(request);
    const server = new URL(request.origin).host;
    seconds.observe({ server, status }, (performance.now() - at) / 1000);
  }

  const channels: Readonly<Record<string, (message: unknown) => void>> = {
    'undici:request:create': (message) => {
      begun.set((message as Message).request, performance.now());
    },
    'undici:request:headers': (message) => {
      const { response } = message as Message;
      end(message, `${Math.floor((response?.statusCode ?? 0) / 100)}xx`);
    },
    'undici:request:error': (message) => end(message, 'none'),
  };
  for (const [name, listen] of Object.entries(channels)) subscribe(name, listen);
  return {
    [Symbol.dispose]() {
      for (const [name, listen] of Object.entries(channels)) unsubscribe(name, listen);
    },
  };
}
