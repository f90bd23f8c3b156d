import type { Collection, Documents } from '../documents.ts';

/**
 * Tables with indexes above the document store, with savepoints, because Moodle rolls back whole
 * batches. A refused batch undoes its changes in memory and never reaches the documents, so that a
 * rollback costs what the batch changed and not a reload of everything.
 */
export interface Table<T> {
  readonly size: number;
  get(id: string | number): T | undefined;
  /** Inserts, or replaces the row with the same id. Rows are never changed in place. */
  put(row: T): void;
  delete(id: string | number): void;
  all(): IterableIterator<T>;
  /** Rows whose index `name` has this value, in order of insertion. */
  find(name: string, value: string | number): readonly T[];
}

export interface Store {
  table<T>(p: TableShape<T>): Table<T>;
  /** The next number of a sequence; a rollback does not give numbers back (as InnoDB does not). */
  nextId(sequence: string): number;
  /** All changes of `work` or none; inside another transaction it is a savepoint. */
  transaction<T>(work: () => T): T;
}

export interface TableShape<T> {
  readonly name: string;
  readonly id: (row: T) => string | number;
  /** Null: the row is not in this index. */
  readonly indexes: Readonly<Record<string, (row: T) => string | number | null>>;
}

interface Journal {
  depth: number;
  readonly undo: (() => void)[];
  readonly dirty: Map<string, () => void>;
}

export function openStore(documents: Documents): Store {
  const journal: Journal = { depth: 0, undo: [], dirty: new Map() };
  const sequences = documents.collection<{ readonly last: number }>('sequence');
  const last = new Map([...sequences.entries()].map(([name, row]) => [name, row.last]));

  function transaction<T>(work: () => T): T {
    const mark = journal.undo.length;
    journal.depth += 1;
    try {
      const result = work();
      if (journal.depth === 1) {
        documents.atomically(() => {
          for (const write of journal.dirty.values()) write();
        });
      }
      return result;
    } catch (error) {
      while (journal.undo.length > mark) journal.undo.pop()?.();
      throw error;
    } finally {
      journal.depth -= 1;
      if (journal.depth === 0) {
        journal.undo.length = 0;
        journal.dirty.clear();
      }
    }
  }

  return {
    transaction,
    table: (shape) => openTable({ shape, documents, journal, transaction }),
    nextId(sequence) {
      const next = (last.get(sequence) ?? 0) + 1;
      last.set(sequence, next);
      journal.dirty.set(`sequence ${sequence}`, () =>
        sequences.set(sequence, { last: last.get(sequence) ?? next }),
      );
      return next;
    },
  };
}

function openTable<T>(p: {
  readonly shape: TableShape<T>;
  readonly documents: Documents;
  readonly journal: Journal;
  readonly transaction: (work: () => void) => void;
}): Table<T> {
  const { shape, journal } = p;
  const collection: Collection<T> = p.documents.collection<T>(shape.name);
  const rows = new Map<string, T>();
  const indexes = new Map<string, Map<string | number, Set<string>>>();
  for (const name of Object.keys(shape.indexes)) indexes.set(name, new Map());

  function place(id: string, row: T | undefined): void {
    const before = rows.get(id);
    for (const [name, key] of Object.entries(shape.indexes)) {
      const index = indexes.get(name);
      const from = before === undefined ? null : key(before);
      const to = row === undefined ? null : key(row);
      if (from === to || index === undefined) continue;
      if (from !== null) {
        const bucket = index.get(from);
        bucket?.delete(id);
        if (bucket?.size === 0) index.delete(from);
      }
      if (to !== null) {
        const bucket = index.get(to);
        if (bucket === undefined) index.set(to, new Set([id]));
        else bucket.add(id);
      }
    }
    if (row === undefined) rows.delete(id);
    else rows.set(id, row);
  }

  function change(id: string, row: T | undefined): void {
    if (journal.depth === 0) {
      p.transaction(() => change(id, row));
      return;
    }
    const before = rows.get(id);
    place(id, row);
    journal.undo.push(() => place(id, before));
    journal.dirty.set(`${shape.name} ${id}`, () => {
      const now = rows.get(id);
      if (now === undefined) collection.delete(id);
      else collection.set(id, now);
    });
  }

  for (const [id, row] of collection.entries()) place(id, row);
  return {
    get size() {
      return rows.size;
    },
    get: (id) => rows.get(String(id)),
    put: (row) => change(String(shape.id(row)), row),
    delete: (id) => change(String(id), undefined),
    all: () => rows.values(),
    find(name, value) {
      const found: T[] = [];
      for (const id of indexes.get(name)?.get(value) ?? []) {
        const row = rows.get(id);
        if (row !== undefined) found.push(row);
      }
      return found;
    },
  };
}
