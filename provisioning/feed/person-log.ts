import type { Outbox } from './outbox.ts';
import type { PersonRecord } from './record.ts';
import { ownCopy } from './text.ts';

/** Remembers which people were told, in about 60 bytes each, so that one person is told once. */
export interface PersonLog {
  /**
   * Tells the person unless just this was told before. Where two places differ the later one counts,
   * but who is protected in one place is protected in all: a later unprotected record is not told.
   * What is said of somebody as a contact of a child never replaces what the school says of its own.
   */
  tell(p: {
    readonly record: PersonRecord;
    readonly file: string;
    readonly line: number;
    readonly contact?: boolean;
  }): void;
}

export function createPersonLog(outbox: Outbox): PersonLog {
  const told = new Map<string, number>();
  const guarded = new Set<string>();
  const own = new Set<string>();
  return {
    tell: ({ record, file, line, contact = false }) => {
      const before = told.get(record.key);
      const fingerprint = hash(JSON.stringify(record));
      if (before === fingerprint) return;
      if (before !== undefined) {
        outbox.note({
          code:
            record.protected || guarded.has(record.key) ? 'protection-differs' : 'person-differs',
          severity: 'warning',
          file,
          line,
          field: null,
          message:
            'Two places describe one person differently; protection wins, else the later one.',
        });
      }
      if (guarded.has(record.key) && !record.protected) return;
      if (contact && own.has(record.key) && !record.protected) return;
      const key = before === undefined ? ownCopy(record.key) : record.key;
      if (!contact) own.add(key);
      if (record.protected) guarded.add(key);
      told.set(key, fingerprint);
      outbox.record(record);
    },
  };
}

/** FNV-1a, 30 bits, so that V8 keeps it as a small integer. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) {
    value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  }
  return value & 0x3fffffff;
}
