import type { Response } from 'express';
import type { ApiContext } from './endpoint.ts';
import { defineRawEndpoint } from './endpoint.ts';
import type { Movement } from './status.ts';
import { readMovement } from './status.ts';

/** While something changes; and when nothing did for a while. */
const busyMs = 1000;
const calmMs = 3000;
const calmAfter = 5;
/** Proxies close connections that are silent for 30 to 60 seconds. */
const heartbeatMs = 15_000;
/** A reader that takes nothing in must not fill our memory: it is let go, and reconnects. */
const unsentBytesMax = 1024 * 1024;

export const getEvents = defineRawEndpoint({
  method: 'get',
  path: '/api/v1/events',
  role: 'reader',
  id: 'streamEvents',
  summary: 'Server-sent events: `progress`, with a Movement, whenever something changed',
  description:
    'The first event tells the present state, so nothing is lost by reconnecting. A comment comes every 15 seconds.',
  type: 'text/event-stream',
  makeHandler: (context) => {
    const readers = openBroadcast(context);
    return (_request, response) => {
      response.writeHead(200, {
        'Content-Type': 'text/event-stream; charset=utf-8',
        'Cache-Control': 'no-store',
        // nginx would hold events back until its buffer is full.
        'X-Accel-Buffering': 'no',
      });
      response.write('retry: 3000\n\n');
      readers.add(response);
    };
  },
});

/** Asks the database once for all readers, and not at all when there are none. */
function openBroadcast(context: ApiContext): { add(reader: Response): void } {
  const readers = new Set<Response>();
  /** Event ids go on counting over a restart, which a plain counter would not. */
  let id = Date.now();
  let last: { readonly text: string; readonly event: string } | null = null;
  let unchanged = 0;
  let timer: NodeJS.Timeout | null = null;

  function send(reader: Response, text: string): void {
    if (reader.writableLength > unsentBytesMax) reader.destroy();
    else reader.write(text);
  }

  async function look(): Promise<void> {
    try {
      const movement = await readMovement(context);
      const text = comparable(movement);
      if (text === last?.text) unchanged += 1;
      else {
        unchanged = 0;
        const event = `id: ${++id}\nevent: progress\ndata: ${JSON.stringify(movement)}\n\n`;
        last = { text, event };
        for (const reader of readers) send(reader, event);
      }
    } catch {
      // The database is away. Readers see no change; status and readyz tell why.
      unchanged = calmAfter;
    }
    timer = readers.size === 0 ? null : setTimeout(look, unchanged >= calmAfter ? calmMs : busyMs);
  }

  const heartbeat = setInterval(() => {
    for (const reader of readers) send(reader, ': still here\n\n');
  }, heartbeatMs);
  heartbeat.unref();

  return {
    add(reader) {
      readers.add(reader);
      reader.on('close', () => {
        readers.delete(reader);
        if (readers.size > 0 || timer === null) return;
        clearTimeout(timer);
        timer = null;
        last = null;
      });
      if (last !== null) send(reader, last.event);
      if (readers.size > 1) return;
      unchanged = 0;
      timer ??= setTimeout(look, 0);
    },
  };
}

/** Without what moves by itself: the time, and the seconds until the next try. */
function comparable(movement: Movement): string {
  return JSON.stringify({
    ...movement,
    at: null,
    causes: movement.causes.map((cause) => ({ ...cause, nextInSeconds: null })),
  });
}
