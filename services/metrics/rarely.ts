/** How old a reading may be, in ms. */
const keptMs = 30_000;

/**
 * For questions that look at every person: asked by several Prometheus every few seconds they would cost
 * more than the work. Who asks while it is being read waits for the same answer.
 */
export function readRarely(read: () => Promise<void>): () => Promise<void> {
  let reading: Promise<void> | null = null;
  let readAt = Number.NEGATIVE_INFINITY;

  async function readNow(): Promise<void> {
    try {
      await read();
      readAt = performance.now();
    } finally {
      reading = null;
    }
  }

  return async () => {
    if (performance.now() - readAt < keptMs) return;
    reading ??= readNow();
    await reading;
  };
}
