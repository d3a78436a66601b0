/**
 * `Store`, the contract of a log: named streams of events, one per host, that are only appended to.
 *
 * `test/log/contract.ts` tests every store against it.
 *
 * @module
 */
import { LedgerError } from '../events/ledger-error.ts';
import type { LedgerEvent } from '../events/vocabulary.ts';
import type { Engine } from './engine.ts';

/** A stored event. `hash` is lowercase hex SHA-256 over the event and the hash before it. */
export type RecordedEvent = LedgerEvent & {
  /** 0-based, gapless within its stream. */
  readonly position: number;
  /** The schema that it was written in. `type` and `data` are upcast to the current one. */
  readonly schema: number;
  readonly hash: string;
};

/** The position and hash of the last event of a stream; -1 and the genesis hash if it is empty. */
export interface Head {
  readonly position: number;
  readonly hash: string;
}

/** The volume that continues a log whose newest one that was read is sealed. */
export interface MissingVolume {
  /** Path of the newest volume. */
  readonly sealed: string;
  /** Path of the volume that continues it. */
  readonly next: string;
  /** Whether `next` is there: it is not read if the log is opened by the name of a later volume. */
  readonly isThere: boolean;
}

export interface ReadOptions {
  /** The position to start at. Default: the first one forwards, the head backwards. */
  readonly from?: number;
  readonly direction?: 'forwards' | 'backwards';
}

export interface AppendResult {
  /** The head after the append. */
  readonly head: Head;
  /** The number of new events. The others were in the stream already, by id. */
  readonly appended: number;
}

/** A log. Rejects with `StoreUnavailableError` if it is closed, locked or cannot be read. */
export interface Store {
  /**
   * Appends events to a stream, all or none, and resolves when they are durable. Events whose id is in
   * the stream already are skipped.
   *
   * `expected` is the position of the head that the caller has seen (-1 for an empty stream). If the
   * head has moved, nothing is written and it rejects with `RevisionConflictError`. But if all events
   * are in the stream already, it resolves and `appended` is 0. Rejects with `DecodeError` for an
   * invalid event or name, with `ForeignContentError` if the file holds what no log has, and with
   * `StoreUnavailableError` if it cannot write.
   */
  append(stream: string, expected: number, events: readonly LedgerEvent[]): Promise<AppendResult>;

  /**
   * Reads the events of a stream in batches, up to the head at the start of the read.
   *
   * Rejects with `CorruptLogError` at an event whose hash, position or content is not what was
   * appended. All events before it are delivered first.
   */
  read(stream: string, options?: ReadOptions): AsyncIterable<readonly RecordedEvent[]>;

  /**
   * As `read`, forwards from a position, and then the events that are appended later, by whatever
   * process, soon after each append. The stream need not exist yet. Ends when `signal` aborts, without an
   * error. Rejects with `StoreUnavailableError` if a server stays away for long.
   */
  follow(
    stream: string,
    from: number,
    signal: AbortSignal,
  ): AsyncIterable<readonly RecordedEvent[]>;

  head(stream: string): Promise<Head>;

  /**
   * The head before the first event that can be read: -1 and the genesis hash, or, if older volumes are
   * missing, the head at their end.
   */
  origin(stream: string): Promise<Head>;

  /** The volume that continues the log, if the newest one here is sealed; else null. */
  missing(): Promise<MissingVolume | null>;

  /** Checks all streams and files for damage, also for damage that no read would meet. */
  examine(): Promise<Examination>;

  /** The given ids that are in a stream already. */
  known(stream: string, ids: readonly string[]): Promise<ReadonlySet<string>>;

  /**
   * The events as they are stored, to be carried from one log to another unchanged.
   *
   * @internal
   */
  readonly rows: StoredRows;

  /** Synchronous access to the events of a store on this machine; null for any other store. */
  readonly local: LocalEvents | null;

  /** The path of its first file; null if it has none. */
  readonly path: string | null;

  /** Names of the streams that hold at least one event, in order of name. */
  streams(): Promise<readonly string[]>;

  close(): Promise<void>;
}

/**
 * Appends and reads rows as an `Engine` does. What `append` is given is not verified, what `read` yields
 * is: it rejects as `Store.read` does.
 *
 * @internal
 */
export type StoredRows = Pick<Engine, 'append' | 'read'>;

/** Synchronous reading. Throws `CorruptLogError` at an event that is not what was appended. */
export interface LocalEvents {
  /** The events from `first` to `last`, both included. Both positions must exist. */
  between(stream: string, first: number, last: number): Iterable<RecordedEvent>;
  /** The events at these positions, which ascend. All must exist. */
  many(stream: string, positions: readonly number[]): Iterable<RecordedEvent>;
  /**
   * To be called with a position at which an event is known to have been: if the stream ends before,
   * looks whether it has lost its end, and then throws.
   */
  checkReaches(stream: string, position: number): void;
  /** The hash at a position, or before the first event; undefined if no event is there. */
  hashAt(stream: string, position: number): string | undefined;
  /** As `Store.streams`. */
  streams(): readonly string[];
  /** The heads of a stream before its first event and after its last; see `Store.origin`. */
  extent(stream: string): { readonly origin: Head; readonly head: Head };
}

/** The result of `examine`. `faults` has one fault per position at most, in order of position. */
export interface Examination {
  readonly faults: readonly CorruptLogError[];
  /** What the files hold that vfio-ledger has not put there. Nothing is written to such a file. */
  readonly foreign: readonly ForeignPart[];
  /** Findings that are not damage, but that a user should know. */
  readonly lostGuards: readonly LostGuard[];
}

export interface LostGuard {
  readonly path: string;
  readonly guard: string;
}

/** Something in a file of a log that vfio-ledger has not put there. */
export interface ForeignPart {
  readonly path: string;
  /**
   * As SQLite lists it: `table`, `index`, `trigger`, `view`. Or `setting`, a value in the header; or
   * `rows`, whose stream has a name that no host can have.
   */
  readonly kind: string;
  /** The name of the object or setting, or the stream of the rows. */
  readonly name: string;
  /** The table that it belongs to; null if it is a setting or a table itself. */
  readonly table: string | null;
}

/** Another writer appended first. The caller can read up to `actual` and try again. */
export class RevisionConflictError extends LedgerError {
  override readonly name = 'RevisionConflictError';
  readonly expected: number;
  readonly actual: number;
  constructor(stream: string, expected: number, actual: number) {
    super(
      'conflict',
      `stream '${stream}' is at position ${actual}, not at ${expected} as expected`,
    );
    this.expected = expected;
    this.actual = actual;
  }
}

/** The log is not what was written. `position`: the first damaged event; null: the file itself. */
export class CorruptLogError extends LedgerError {
  override readonly name = 'CorruptLogError';
  readonly position: number | null;
  /** What is there in the place of something that every log has; null if it is other damage. */
  readonly foreign: ForeignPart | null;
  constructor(position: number | null, reason: string, foreign: ForeignPart | null = null) {
    super('damaged', position === null ? reason : `position ${position}: ${reason}`);
    this.position = position;
    this.foreign = foreign;
  }

  /**
   * Says in the message in whose stream the position is.
   *
   * @internal
   */
  ofHost(host: string): this {
    this.message = `host '${host}', ${this.message}`;
    return this;
  }

  /**
   * Says in the message which log is damaged.
   *
   * @internal
   */
  inLog(name: string): this {
    this.message = `${this.message}, in ${name}`;
    return this;
  }
}

/** A file of the log holds what vfio-ledger has not put there, so nothing is written to it. */
export class ForeignContentError extends LedgerError {
  override readonly name = 'ForeignContentError';
  readonly foreign: readonly ForeignPart[];
  constructor(path: string, foreign: readonly ForeignPart[]) {
    const names = foreign.map(({ kind, name }) => `${kind} '${name}'`).join(', ');
    super('foreign', `nothing is written to ${path}: it holds what no log has (${names})`);
    this.foreign = foreign;
  }
}

/** The file is not a log, or a newer release wrote it (`newer-schema`). */
export class NotALogError extends LedgerError {
  override readonly name = 'NotALogError';
  /** Whether the header says a newer format while the tables are those of this release. */
  readonly isSuspect: boolean;
  /** Whether no log has begun: there is no file, or only what a killed creator has left. */
  readonly isUnbegun: boolean;
  constructor(reason: string, { isNewer = false, isSuspect = false, isUnbegun = false } = {}) {
    super(isNewer ? 'newer-schema' : 'not-a-log', reason);
    this.isSuspect = isSuspect;
    this.isUnbegun = isUnbegun;
  }
}

/** No space, no permission, no such folder, a log that is locked or closed. */
export class StoreUnavailableError extends LedgerError {
  override readonly name = 'StoreUnavailableError';
  constructor(message: string, options?: ErrorOptions) {
    super('unavailable', message, options);
  }
}

/** A stream was deleted on the server. Other streams can be there. */
export class StreamDeletedError extends StoreUnavailableError {
  constructor(engine: string, stream: string) {
    super(`stream ${stream} was deleted on ${engine}: its events are gone`);
  }
}
