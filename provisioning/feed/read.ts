import type { IdentityKey } from './civil.ts';
import { createCivilSeal } from './civil.ts';
import { readOneRoster } from './oneroster/read.ts';
import type { FeedItem } from './record.ts';
import { FeedError } from './record.ts';
import { readWs17 } from './ws17/read.ts';

export type FeedFormat = 'ws17' | 'oneroster';

export interface FeedSource {
  readonly format: FeedFormat;
  readonly path: string;
}

/**
 * Reads a feed from disk as one stream of neutral records. Parsing takes the processor for itself
 * (WS17 38-40 MB/s, CSV about the same), so callers that have other things to do run it in a worker
 * thread. A record whose key was told before replaces the earlier one.
 *
 * @throws FeedError when the feed as a whole cannot be trusted; what was yielded before must then be
 * discarded
 */
export function readFeed(
  p: FeedSource & {
    /** Without it civil numbers are no evidence. */
    readonly identity?: IdentityKey | null;
  },
): AsyncIterable<FeedItem> {
  const { path } = p;
  const civil = createCivilSeal(p.identity ?? null);
  return p.format === 'ws17' ? readWs17({ path, civil }) : readOneRoster({ path, civil });
}

/** `ws17:DIR` or `oneroster:PATH`, as on the command line. */
export function parseFeedArgument(text: string): FeedSource {
  const colon = text.indexOf(':');
  const format = text.slice(0, Math.max(colon, 0)).trim().toLowerCase();
  const path = text.slice(colon + 1).trim();
  if ((format !== 'ws17' && format !== 'oneroster') || path === '') {
    throw new FeedError({
      code: 'feed-unknown-format',
      message: 'A feed is written ws17:FOLDER or oneroster:FOLDER-OR-ZIP, for example ws17:./feed.',
    });
  }
  return { format, path };
}
