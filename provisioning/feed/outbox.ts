import type { Diagnostic, Entity, FeedItem, RosterRecord } from './record.ts';

/**
 * Where readers put what they find; the async iteration around them takes it out in order. It keeps
 * a feed with the same mistake in every row from drowning the rest: of one code in one file the
 * first 20 are told one by one, then their number.
 */
export interface Outbox {
  record(record: RosterRecord): void;
  send(item: FeedItem): void;
  note(diagnostic: Diagnostic): void;
  /** Once per code, file and field: for the way a whole column is written. */
  noteOnce(diagnostic: Diagnostic): void;
  /** A record that could not be read; each one is told, because each one keeps something in place. */
  reject(p: Rejection): void;
  /** Everything since the last call. */
  take(): readonly FeedItem[];
  /** The summaries of what was counted only. Call it once, at the end. */
  summarise(): void;
}

export interface Rejection {
  readonly entity: Entity;
  readonly key?: string | null;
  readonly institution?: string | null;
  readonly person?: string | null;
  readonly group?: string | null;
  readonly diagnostic: Diagnostic;
}

const toldOneByOne = 20;

export function createOutbox(): Outbox {
  let items: FeedItem[] = [];
  const counts = new Map<string, { diagnostic: Diagnostic; n: number }>();
  const once = new Set<string>();

  function note(diagnostic: Diagnostic): void {
    const key = `${diagnostic.code}\n${diagnostic.file}`;
    const count = counts.get(key) ?? { diagnostic, n: 0 };
    count.n += 1;
    counts.set(key, count);
    if (count.n <= toldOneByOne) items.push({ type: 'diagnostic', diagnostic });
  }

  return {
    record: (record) => {
      items.push({ type: 'record', record });
    },
    send: (item) => {
      items.push(item);
    },
    note,
    noteOnce: (diagnostic) => {
      const key = `${diagnostic.code}\n${diagnostic.file}\n${diagnostic.field}`;
      if (once.has(key)) return;
      once.add(key);
      note(diagnostic);
    },
    reject: (p) => {
      items.push({
        type: 'rejected',
        entity: p.entity,
        key: p.key ?? null,
        institution: p.institution ?? null,
        person: p.person ?? null,
        group: p.group ?? null,
        diagnostic: p.diagnostic,
      });
    },
    take: () => {
      const taken = items;
      items = [];
      return taken;
    },
    summarise: () => {
      for (const { diagnostic, n } of counts.values()) {
        if (n <= toldOneByOne) continue;
        const message = `${n - toldOneByOne} more of ${diagnostic.code} in this file are not listed.`;
        items.push({ type: 'diagnostic', diagnostic: { ...diagnostic, line: null, message } });
      }
    },
  };
}
