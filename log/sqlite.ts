/**
 * A log in a file: SQLite as Node brings it.
 *
 * @module
 */
import { entryOf, plainText } from './row.ts';
import { logError } from './sqlite-errors.ts';
import { closeAfterWriting, openForReading, openForWriting } from './sqlite-file.ts';
import {
  batchBackwards,
  batchForwards,
  headOf,
  prepareQueries,
  type Queries,
} from './sqlite-read.ts';
import { groupCommit } from './sqlite-write.ts';
import { CorruptLogError, type ReadOptions, type Store, StoreUnavailableError } from './store.ts';

export interface SqliteOptions {
  /** Opens an existing log and leaves it, its folder and its companions untouched. */
  readonly readOnly?: boolean;
  /**
   * How long to wait for a lock that another process holds; all else in this process waits too.
   * 5000 when left out: appends and checkpoints take much less.
   */
  readonly busyTimeoutMs?: number;
}

/**
 * Opens the log at the path; unless `readOnly`, creates it where there is no file or an empty one.
 *
 * Throws `NotALogError`, `CorruptLogError` or `StoreUnavailableError`.
 */
export function openSqliteStore(path: string, options: SqliteOptions = {}): Store {
  const { readOnly = false, busyTimeoutMs = 5000 } = options;
  return readOnly ? readOnlyStore(path, busyTimeoutMs) : writableStore(path, busyTimeoutMs);
}

function writableStore(path: string, timeout: number): Store {
  const db = openForWriting(path, timeout);
  let queries: Queries;
  try {
    queries = prepareQueries(db, path);
  } catch (error) {
    db.close();
    throw logError(path, error);
  }
  const writer = groupCommit(db, queries, path);
  return {
    ...reading(() => queries),
    async append(stream, expected, events) {
      if (!db.isOpen) throw new StoreUnavailableError(`${path} is closed`);
      return writer.append(plainText(stream, 'stream'), expected, events.map(entryOf));
    },
    async close() {
      if (!db.isOpen) return;
      writer.flush();
      closeAfterWriting(db);
    },
  };
}

function readOnlyStore(path: string, timeout: number): Store {
  let current = open();

  function open() {
    const reader = openForReading(path, timeout);
    try {
      return { ...reader, queries: prepareQueries(reader.db, path) };
    } catch (error) {
      reader.db.close();
      throw logError(path, error);
    }
  }

  function queries(): Queries {
    if (current.db.isOpen && current.outdated()) {
      current.db.close();
      current = open();
    }
    return current.queries;
  }

  return {
    ...reading(queries),
    async append() {
      throw new StoreUnavailableError(`${path} is open for reading only`);
    },
    async close() {
      if (current.db.isOpen) current.db.close();
    },
  };
}

/** `current` gives other queries once the file has moved on beneath those that it gave before. */
function reading(current: () => Queries): Pick<Store, 'read' | 'head' | 'streams'> {
  function ask<T>(question: (queries: Queries) => T): T {
    const queries = current();
    try {
      return question(queries);
    } catch (error) {
      throw logError(queries.path, error);
    }
  }

  /** A log whose end is damaged is read as far as it goes. */
  function lastPosition(stream: string): number {
    try {
      return ask((queries) => headOf(queries, stream)).position;
    } catch (error) {
      if (error instanceof CorruptLogError) return Number.MAX_SAFE_INTEGER;
      throw error;
    }
  }

  async function* forwards(stream: string, from: number) {
    const last = lastPosition(stream);
    for (let position = Math.max(from, 0); position <= last;) {
      const queries = current();
      const { events, fault } = batchForwards(queries, stream, position, last);
      if (fault !== undefined && current() !== queries) continue;
      if (events.length > 0) yield events;
      if (fault !== undefined) throw fault;
      position += events.length;
    }
  }

  async function* backwards(stream: string, from: number | undefined) {
    const last = ask((queries) => headOf(queries, stream)).position;
    for (let position = Math.min(from ?? last, last); position >= 0;) {
      const queries = current();
      const { events, fault } = batchBackwards(queries, stream, position);
      if (fault !== undefined && current() !== queries) continue;
      if (events.length > 0) yield events;
      if (fault !== undefined) throw fault;
      position -= events.length;
    }
  }

  return {
    read(stream, { from, direction = 'forwards' }: ReadOptions = {}) {
      return direction === 'forwards' ? forwards(stream, from ?? 0) : backwards(stream, from);
    },
    async head(stream) {
      return ask((queries) => headOf(queries, stream));
    },
    async streams() {
      return ask((queries) =>
        queries.streams
          .all()
          .map((row) => String(row['name']))
          .sort(),
      );
    },
  };
}
