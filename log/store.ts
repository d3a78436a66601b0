/**
 * The contract of a log: named streams of events, each one host's, appended to and never changed.
 *
 * Every store keeps it; `test/log/contract.ts` is the suite that says so.
 *
 * @module
 */
import { LedgerError } from '../events/ledger-error.ts';
import type { LedgerEvent } from '../events/vocabulary.ts';

/** An event in its place. `hash` is lowercase hex SHA-256 over the event and the hash before it. */
export type RecordedEvent = LedgerEvent & {
  /** 0-based, gapless within its stream. */
  readonly position: number;
  /** The schema it was written by; what is read is already lifted to today's. */
  readonly schema: number;
  readonly hash: string;
};

/** The last event of a stream; position -1 and the stream's genesis while there is none. */
export interface Head {
  readonly position: number;
  readonly hash: string;
}

export interface ReadOptions {
  /** First position to read. Forwards: the first when left out. Backwards: the head. */
  readonly from?: number;
  readonly direction?: 'forwards' | 'backwards';
}

export interface AppendResult {
  /** The head after the append. */
  readonly head: Head;
  /** How many of the events are new; the others were there already, by id. */
  readonly appended: number;
}

export interface Store {
  /**
   * Appends events to a stream, all of them or none, and resolves when they are durable.
   *
   * `expected` is the position of the head that the caller has seen (-1 for an empty stream). When
   * another has appended since, rejects with `RevisionConflictError` and nothing is written, unless
   * every event is in the stream already by id: then it resolves, and `appended` is 0. Events whose
   * id is in the stream already are passed over.
   */
  append(stream: string, expected: number, events: readonly LedgerEvent[]): Promise<AppendResult>;

  /**
   * The events of a stream in batches, as they stood when the read began.
   *
   * Rejects with `CorruptLogError` at the event whose hash, position or content is not what was
   * appended, after all the events before it have been delivered.
   */
  read(stream: string, options?: ReadOptions): AsyncIterable<readonly RecordedEvent[]>;

  head(stream: string): Promise<Head>;

  /**
   * The head that the first event follows which can be read: position -1 and the stream's genesis,
   * or that of the sealed logs before it which are not here.
   */
  origin(stream: string): Promise<Head>;

  /** What is wrong with the log as it lies there, all streams, whether or not a reader would meet it. */
  examine(): Promise<Examination>;

  /** Which of some ids are in a stream already. */
  known(stream: string, ids: readonly string[]): Promise<ReadonlySet<string>>;

  /** The same events without waiting, of a store on this machine; null for any other. */
  readonly near: NearEvents | null;

  /** Where it lies in files; null where it lies in none. */
  readonly path: string | null;

  /** Names of the streams that hold at least one event, in order of name. */
  streams(): Promise<readonly string[]>;

  close(): Promise<void>;
}

/** Events that can be had at once. Throws `CorruptLogError` where they are not what was appended. */
export interface NearEvents {
  /** From one position to another, both included, which must be there. */
  between(stream: string, first: number, last: number): Iterable<RecordedEvent>;
  /** The hash at a position, also before the first event; undefined where there is none. */
  hashAt(stream: string, position: number): string | undefined;
}

/** What was found when a log was looked over as it lies there. */
export interface Examination {
  readonly faults: readonly CorruptLogError[];
  readonly lostGuards: readonly LostGuard[];
}

/** A trigger that a file of a log lacks: no fault, but then SQLite lets its rows be changed. */
export interface LostGuard {
  readonly path: string;
  /** The name of the trigger. */
  readonly guard: string;
}

/** Another writer was first. The caller may read on from `actual` and try again. */
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

/** The log is not what was written. `position` is the first event concerned, or null: the file. */
export class CorruptLogError extends LedgerError {
  override readonly name = 'CorruptLogError';
  readonly position: number | null;
  constructor(position: number | null, reason: string) {
    super('damaged', position === null ? reason : `position ${position}: ${reason}`);
    this.position = position;
  }
}

/** What was opened is no log, or one that only a later release reads (`newer-schema`). */
export class NotALogError extends LedgerError {
  override readonly name = 'NotALogError';
  /** Whether it says that it is a newer one, and yet looks just like one of this release. */
  readonly isSuspect: boolean;
  constructor(reason: string, { isNewer = false, isSuspect = false } = {}) {
    super(isNewer ? 'newer-schema' : 'not-a-log', reason);
    this.isSuspect = isSuspect;
  }
}

/** The surroundings failed: no space, no permission, no such folder, engine unreachable. */
export class StoreUnavailableError extends LedgerError {
  override readonly name = 'StoreUnavailableError';
  constructor(message: string, options?: ErrorOptions) {
    super('unavailable', message, options);
  }
}
