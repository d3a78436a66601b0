/**
 * `Engine`, the contract of a server that keeps logs for many hosts, and of whatever else can stand in
 * its place: another log, or memory.
 *
 * An engine stores rows and knows their order. It does not make, hash or judge events: the rows come
 * chained from the writer (`log/row.ts`), and each reader verifies them again (`log/replica.ts`).
 * `test/log/engine-contract.ts` tests every engine against this page.
 *
 * @module
 */
import { LedgerError } from '../events/ledger-error.ts';
import type { Row } from './row.ts';
import {
  type AppendResult,
  type Head,
  RevisionConflictError,
  StoreUnavailableError,
  StreamDeletedError,
} from './store.ts';

/**
 * A server of logs. It has a stream for each host.
 *
 * The position of an event is part of its row. It is never a sequence number of the server, which may
 * count the events of all hosts, or messages of several rows.
 *
 * All methods may be called at the same time, also for one stream. They reject with
 * `StoreUnavailableError` if the server cannot be reached or refuses, or if the engine is closed. No
 * error, name or note holds a password, a token or the user of an address.
 */
export interface Engine {
  /** How messages name it: its address without credentials, or a path. */
  readonly name: string;

  /** What a user should know of it, such as that the server keeps one copy only. Often empty. */
  readonly notes: readonly string[];

  /**
   * What tells its log from others at the same address, such as the account that the server names; empty if
   * an address has one log, null if it is not known. Is no credential.
   */
  readonly identity: string | null;

  /** Whether `read` and `follow` yield verified rows only, as a log on this machine does. */
  readonly isVerified: boolean;

  /**
   * Appends rows to a stream as one atomic unit, and resolves when they are durable. Readers see all of
   * the rows or none. There is at least one row. The first one has the position after `expected` and is
   * chained to its hash; each row after it is chained to the row before. The engine does not check this.
   *
   * The rows are written only if `expected` is the head of the stream: another host's appends do not
   * matter. Otherwise it reads what is there and
   *
   * - resolves with `appended` 0 if the stream has exactly these rows at their positions, by hash. So an
   *   append that is repeated, however late, adds nothing;
   * - rejects with `RevisionConflictError` if the stream has other rows there, or ends before or after
   *   `expected`. `actual` is the position of its head;
   * - rejects with `DivergedError` if the stream has another hash at the position of `expected`.
   *
   * `head` of the result is the head of the stream: the last of the rows, or a later one.
   *
   * Rejects with `AppendTooLargeError` if the rows are more than the server takes at once; nothing is
   * written then. Rejects with `LostAnswerError` if the request was sent and no answer came: the rows
   * may have been written or not, or may still be written. The caller repeats the same rows with the
   * same `expected` until it has an answer; the engine itself may do so first. Any other rejection says
   * that nothing was written.
   */
  append(stream: string, expected: Head, rows: readonly Row[]): Promise<AppendResult>;

  /**
   * Reads the rows of a stream in batches, from a position up to the head at the start of the read. No
   * batch is empty; nothing is yielded if the stream ends before `from`, or does not exist.
   *
   * The rows are as they are stored: unless `isVerified`, the caller verifies positions and hashes. Rejects with
   * `CorruptLogError`, after all rows before it, at content that is no row.
   */
  read(stream: string, from: number): AsyncIterable<readonly Row[]>;

  /**
   * As `read`, and then the rows that are appended later, by whatever writer, soon after each append.
   * The stream need not exist yet. Ends when `signal` aborts, without an error. It survives a lost
   * connection: the next rows continue where the last ones ended. Rejects with `StoreUnavailableError`
   * if the server stays away for long.
   */
  follow(stream: string, from: number, signal: AbortSignal): AsyncIterable<readonly Row[]>;

  /** The position and hash of the last row of a stream; -1 and the genesis hash if it has none. */
  head(stream: string): Promise<Head>;

  /**
   * Names of the streams that hold at least one row, or were deleted on the server, sorted as `Array.sort`
   * does. A name has any characters that `isStreamName` lets pass, also `.`, `*`, `>`, `/` and blanks, and
   * up to 255 bytes.
   */
  streams(): Promise<readonly string[]>;

  /** Ends the connection; reads and follows that are under way reject or end. Can be called twice. */
  close(): Promise<void>;
}

/** An append has more bytes than the engine takes at once. Nothing was written. */
export class AppendTooLargeError extends LedgerError {
  override readonly name = 'AppendTooLargeError';
  /** The bytes of the append, and the most that the engine takes. */
  readonly bytes: number;
  readonly limit: number;
  constructor(engine: string, bytes: number, limit: number) {
    super(
      'too-large',
      `${engine} takes at most ${limit} bytes in one append, and this one has ${bytes}: nothing was written`,
    );
    this.bytes = bytes;
    this.limit = limit;
  }
}

/** No answer came to an append. It was made or not; the same append again has the same effect once. */
export class LostAnswerError extends StoreUnavailableError {
  constructor(engine: string, options?: ErrorOptions) {
    super(`${engine} did not answer to an append, which was made or not`, options);
  }
}

/** Whether an error concerns one stream of an engine, so that the others may do. */
export function isOfOneStream(error: unknown): error is LedgerError {
  if (error instanceof StreamDeletedError) return true;
  return error instanceof LedgerError && OF_ONE_STREAM.has(error.code);
}

const OF_ONE_STREAM: ReadonlySet<string> = new Set([
  'damaged',
  'conflict',
  'bad-request',
  'too-large',
]);

/** Two copies of a stream have different events at a position: one of them was changed. */
export class DivergedError extends LedgerError {
  override readonly name = 'DivergedError';
  readonly position: number;
  constructor(stream: string, position: number, one: string, other: string) {
    super(
      'conflict',
      `stream '${stream}' at position ${position}: ${one} and ${other} have different events`,
    );
    this.position = position;
  }
}

/** An engine does not have the last events of its replica. What both have is the same. */
export class EngineBehindError extends LedgerError {
  override readonly name = 'EngineBehindError';
  constructor(engine: string, stream: string, replica: string) {
    super(
      'conflict',
      `${engine} does not have the last events of stream '${stream}' that its replica ${replica} has`,
    );
  }
}

/** A stream whose head is not the one that an append expects. */
interface MovedStream {
  readonly stream: string;
  /** How messages name the engine. */
  readonly name: string;
  readonly head: Head;
  /** The hash at a position that is not after the head; undefined if it is not known. */
  readonly hashAt: (position: number) => string | undefined;
}

/**
 * The answer to an append whose `expected` is not the head of the stream, as `Engine.append` says. Throws
 * `RevisionConflictError` or `DivergedError`, unless the rows are there already.
 */
export function alreadyThere(
  { stream, name, head, hashAt }: MovedStream,
  expected: Head,
  rows: readonly Row[],
): AppendResult {
  const at = (position: number) => (position <= head.position ? hashAt(position) : undefined);
  const [lastPosition, , , , , , lastHash] = rows.at(-1) ?? [];
  // The chain makes all rows before it the same.
  if (lastPosition !== undefined && at(lastPosition) === lastHash) return { head, appended: 0 };
  const before = at(expected.position);
  if (before !== undefined && before !== expected.hash) {
    throw new DivergedError(stream, expected.position, name, 'the events to be appended');
  }
  throw new RevisionConflictError(stream, expected.position, head.position);
}
