/**
 * `Volume`, one open file of a log: its queries, and the heads where its streams begin and end.
 *
 * @module
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { BY_POSITION, checkTables, genesisIn, headsIn, ID_INDEX } from './sqlite-format.ts';
import type { FileState } from './file-in-use.ts';
import { logError } from './sqlite-errors.ts';
import type { OpenLog } from './sqlite-file.ts';
import { CorruptLogError, type Head } from './store.ts';
import { nextStream, storedStreams } from './stream-names.ts';

const COLUMNS = 'position, time, event.id, schema, event.type, data, hash';

/** One open file of a log. Errors of SQLite pass through; callers translate them with `logError`. */
export class Volume {
  readonly path: string;
  readonly db: DatabaseSync;
  /** The heads that the streams of this volume continue from; empty in the first volume. */
  readonly anchors: ReadonlyMap<string, Head>;
  readonly forwards: StatementSync;
  readonly backwards: StatementSync;
  /** The events at the positions of a JSON list, each with the hash before it. */
  readonly listed: StatementSync;
  readonly #genesis: (stream: string) => string;
  readonly #head: StatementSync;
  readonly #hash: StatementSync;
  readonly #id: StatementSync;
  readonly #indexed: StatementSync;
  readonly #next: StatementSync;
  readonly #nextIndexed: StatementSync;
  readonly #sealed: StatementSync;
  readonly #log: OpenLog;
  /** The last head that each stream was seen to have. */
  readonly #seen = new Map<string, Head>();

  /** Throws `CorruptLogError` or `StoreUnavailableError`, and then has closed the log. */
  constructor(path: string, log: OpenLog) {
    const { db } = log;
    this.path = path;
    this.db = db;
    this.#log = log;
    try {
      checkTables(db, path);
      this.anchors = headsIn(db, 'anchors') ?? new Map<string, Head>();
      this.#genesis = genesisIn(db);
      const select = `SELECT ${COLUMNS} FROM events AS event ${BY_POSITION}
         WHERE stream = ? AND position BETWEEN ? AND ?`;
      this.forwards = db.prepare(`${select} ORDER BY position LIMIT ?`);
      this.backwards = db.prepare(`${select} ORDER BY position DESC LIMIT ?`);
      this.listed = db.prepare(
        `SELECT ${COLUMNS}, (
           SELECT hash FROM events AS last ${BY_POSITION}
           WHERE last.stream = event.stream AND last.position = event.position - 1
         )
         FROM json_each(?2) AS listed CROSS JOIN events AS event ${BY_POSITION}
         ON event.stream = ?1 AND event.position = listed.value`,
      );
      // Takes half the time of rows as objects (measured).
      for (const rows of [this.forwards, this.backwards, this.listed]) rows.setReturnArrays(true);
      this.#head = db.prepare(
        `SELECT position, hash FROM events ${BY_POSITION} WHERE stream = ?
         ORDER BY position DESC LIMIT 1`,
      );
      this.#hash = db.prepare(
        `SELECT hash FROM events ${BY_POSITION} WHERE stream = ? AND position = ?`,
      );
      this.#id = db.prepare(
        `SELECT 1 FROM events INDEXED BY ${ID_INDEX} WHERE stream = ? AND id = ?`,
      );
      this.#indexed = db.prepare(
        `SELECT count(*) AS count FROM events INDEXED BY ${ID_INDEX} WHERE stream = ?`,
      );
      this.#next = nextStream(db);
      this.#nextIndexed = db.prepare(
        `SELECT CAST(min(stream) AS BLOB) AS name, 0 AS first FROM events INDEXED BY ${ID_INDEX}
         WHERE stream >= CAST(? AS TEXT)`,
      );
      this.#sealed = db.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'seal'");
    } catch (error) {
      db.close();
      throw logError(path, error);
    }
  }

  /** What has become of the file since it was opened. If it is `changed`, it must be opened again. */
  get state(): FileState {
    return this.#log.state();
  }

  /** The head before the first event of a stream in this volume. */
  before(stream: string): Head {
    return this.anchors.get(stream) ?? { position: -1, hash: this.#genesis(stream) };
  }

  /**
   * The last event of a stream in this volume, or the head before it if it has none here. Throws
   * `CorruptLogError` if the stream no longer has a head that it had before.
   */
  head(stream: string): Head {
    const head = (this.#head.get(stream) as Head | undefined) ?? this.before(stream);
    const seen = this.#seen.get(stream) ?? head;
    const kept = head.position === seen.position ? head.hash : this.hashAt(stream, seen.position);
    if (kept !== seen.hash) {
      throw new CorruptLogError(seen.position, `${this.path} had another event here before`);
    }
    this.#seen.set(stream, head);
    return head;
  }

  /** Takes over the heads that were seen in this file before it was opened again, and checks them. */
  follow(before: Volume): void {
    for (const [stream, head] of before.#seen) {
      this.#seen.set(stream, head);
      this.head(stream);
    }
  }

  /** The hash at a position, or that of `before`. Throws `CorruptLogError` if no event is there. */
  hashAt(stream: string, position: number): string {
    const before = this.before(stream);
    if (position === before.position) return before.hash;
    const row = this.#hash.get(stream, position) as { hash: string } | undefined;
    if (row === undefined) throw new CorruptLogError(position, 'no event here');
    return row.hash;
  }

  /**
   * The last position of a stream by the index of ids, which holds each event a second time. Reads the
   * whole index.
   */
  lastIndexed(stream: string): number {
    const { count } = this.#indexed.get(stream) as { count: number };
    return this.before(stream).position + count;
  }

  /** Whether a stream has an event with this id in this volume. */
  holds(stream: string, id: string): boolean {
    return this.#id.get(stream, id) !== undefined;
  }

  /** The streams of hosts with events in this volume, and the first position of each in it. */
  streams(): { readonly name: string; readonly first: number }[] {
    return [...storedStreams(this.#next)].filter(({ isHost }) => isHost);
  }

  /** The streams with events by the index of ids. */
  indexedStreams(): string[] {
    return [...storedStreams(this.#nextIndexed)].flatMap(({ name, isHost }) =>
      isHost ? [name] : [],
    );
  }

  /** The position of the last `host.booted` of a stream. Reads its events backwards. */
  lastBoot(stream: string): number | null {
    const last = this.db.prepare(
      `SELECT position FROM events ${BY_POSITION} WHERE stream = ? AND type = 'host.booted'
       ORDER BY position DESC LIMIT 1`,
    );
    return (last.get(stream)?.['position'] as number | undefined) ?? null;
  }

  get isSealed(): boolean {
    return this.#sealed.get() !== undefined;
  }

  /** The heads in the seal; null if the volume is not sealed. Throws `CorruptLogError`. */
  seal(): ReadonlyMap<string, Head> | null {
    return headsIn(this.db, 'seal');
  }

  close(): void {
    if (this.db.isOpen) this.db.close();
  }
}
