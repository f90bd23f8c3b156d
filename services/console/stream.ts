import { useEffect, useState } from 'preact/hooks';
import type { Movement } from '../api/status.ts';
import { request } from './api.ts';

/** First wait before the stream is opened again, in ms; it doubles up to the longest one. */
const firstWaitMs = 1000;
const longestWaitMs = 30_000;

/**
 * What moves, as it moves. Read by fetch instead of EventSource, which cannot send a token of
 * Keycloak. `lost` is true while there is no connection.
 */
export function useMovement(): { readonly movement: Movement | null; readonly lost: boolean } {
  const [movement, setMovement] = useState<Movement | null>(null);
  const [lost, setLost] = useState(false);
  useEffect(() => {
    const stop = new AbortController();
    void follow({
      signal: stop.signal,
      onMovement: (next) => {
        setMovement(next);
        setLost(false);
      },
      onLost: () => setLost(true),
    });
    return () => stop.abort();
  }, []);
  return { movement, lost };
}

async function follow(p: {
  readonly signal: AbortSignal;
  readonly onMovement: (movement: Movement) => void;
  readonly onLost: () => void;
}): Promise<void> {
  let wait = firstWaitMs;
  while (!p.signal.aborted) {
    try {
      const response = await request({ path: '/events', signal: p.signal });
      for await (const data of readData(response)) {
        wait = firstWaitMs;
        p.onMovement(JSON.parse(data) as Movement);
      }
    } catch {
      // The next round opens it again.
    }
    if (p.signal.aborted) return;
    p.onLost();
    await new Promise((resolve) => setTimeout(resolve, wait));
    wait = Math.min(longestWaitMs, wait * 2);
  }
}

async function* readData(response: Response): AsyncGenerator<string> {
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  for (;;) {
    const chunk = await reader?.read();
    if (chunk === undefined || chunk.done) return;
    text += chunk.value;
    const blocks = text.split('\n\n');
    text = blocks.pop() ?? '';
    for (const block of blocks) {
      const data = block.split('\n').find((line) => line.startsWith('data: '));
      if (data !== undefined) yield data.slice('data: '.length);
    }
  }
}
