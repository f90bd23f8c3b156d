import { DatabaseSync } from 'node:sqlite';

/**
 * The state of a stand-in: named collections of JSON documents, kept in memory for reading and
 * written through to one SQLite file, so that a stand-in killed at any moment has all it answered
 * for. Without a file the state lives and dies with the process.
 */
export interface Documents extends Disposable {
  collection<T>(name: string): Collection<T>;
  /** Runs `work` so that a kill leaves all of its writes or none. Not nestable. */
  atomically<T>(work: () => T): T;
  /** Forgets everything. */
  clear(): void;
}

/** A Map whose writes last. Iteration is in order of first insertion. */
export interface Collection<T> {
  readonly size: number;
  get(id: string): T | undefined;
  has(id: string): boolean;
  /** Call it again after changing a document in place, or the change is lost at the next start. */
  set(id: string, document: T): void;
  delete(id: string): boolean;
  values(): IterableIterator<T>;
  entries(): IterableIterator<[string, T]>;
}

export function openDocuments(p: { readonly file: string | null }): Documents {
  const database = new DatabaseSync(p.file ?? ':memory:');
  // Process kills lose nothing in WAL mode without fsync; power loss may, which a stand-in can bear.
  database.exec(`pragma journal_mode = wal; pragma synchronous = off;
    create table if not exists document (
      seq integer primary key, collection text not null, id text not null, body text not null,
      unique (collection, id));`);
  const upsert = database.prepare(
    `insert into document (collection, id, body) values (?, ?, ?)
     on conflict (collection, id) do update set body = excluded.body`,
  );
  const remove = database.prepare('delete from document where collection = ? and id = ?');
  const select = database.prepare(
    'select id, body from document where collection = ? order by seq',
  );
  const open = new Map<string, Map<string, unknown>>();

  function collection<T>(name: string): Collection<T> {
    let rows = open.get(name) as Map<string, T> | undefined;
    if (rows === undefined) {
      rows = new Map(
        select.all(name).map((row) => [String(row['id']), JSON.parse(String(row['body'])) as T]),
      );
      open.set(name, rows as Map<string, unknown>);
    }
    const kept = rows;
    return {
      get size() {
        return kept.size;
      },
      get: (id) => kept.get(id),
      has: (id) => kept.has(id),
      set(id, document) {
        kept.set(id, document);
        upsert.run(name, id, JSON.stringify(document));
      },
      delete(id) {
        remove.run(name, id);
        return kept.delete(id);
      },
      values: () => kept.values(),
      entries: () => kept.entries(),
    };
  }

  return {
    collection,
    atomically(work) {
      database.exec('begin');
      try {
        const result = work();
        database.exec('commit');
        return result;
      } catch (error) {
        database.exec('rollback');
        open.clear();
        throw error;
      }
    },
    clear() {
      database.exec('delete from document');
      for (const rows of open.values()) rows.clear();
    },
    [Symbol.dispose]: () => database.close(),
  };
}
