/**
 * `LedgerError`, the one class of errors that callers meet, and its codes.
 *
 * @module
 */

/** A stable name for what went wrong. The exit code of the program follows from it. */
export type ErrorCode =
  /** A wrong call or argument: for example an unknown option, profile or operation. */
  | 'bad-request'
  /** A device, group, process or file that the log does not mention. */
  | 'unknown-subject'
  /** A moment that the log does not have, or text that is not a moment. */
  | 'bad-when'
  /** `why` was given an event that is not a refusal, or a subject without one. */
  | 'not-a-refusal'
  /** Evidence that cannot be read, or that does not continue what the log holds. */
  | 'bad-evidence'
  /** There is no log at the address. */
  | 'not-a-log'
  /** A newer release wrote the log or the event. */
  | 'newer-schema'
  /** The log is not what was written. */
  | 'damaged'
  /** A file of the log holds what vfio-ledger has not put there, so nothing is written to it. */
  | 'foreign'
  /** Another writer appended first: read its events and try again. */
  | 'conflict'
  /** An append has more bytes than the engine takes at once. Nothing was written. */
  | 'too-large'
  /** No space, no permission, a log in use or closed, a host that cannot be read. */
  | 'unavailable'
  /** This release cannot do it. */
  | 'unsupported'
  /** The running Node is too old. */
  | 'unsupported-runtime'
  /** A `HostAt` was used after its ledger had moved to another moment: get a new one. */
  | 'stale-view';

/**
 * Every error that a caller can meet. `message` says what is wrong and names what is involved.
 *
 * Subclasses add fields or can be caught by type; each has a `code`.
 */
export class LedgerError extends Error {
  override readonly name: string = 'LedgerError';
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** The request itself is wrong (`bad-request`). */
export class RequestError extends LedgerError {
  override readonly name: string = 'RequestError';

  constructor(message: string) {
    super('bad-request', message);
  }
}
