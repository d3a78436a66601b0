/**
 * The errors that callers meet: one class, told apart by a code.
 *
 * @module
 */

/** What went wrong, in a word that does not change. The exit code of the program follows from it. */
export type ErrorCode =
  /** A call, or an argument of it, that means nothing here: no such option, profile or operation. */
  | 'bad-request'
  /** A device, group, process or file that this log has never heard of. */
  | 'unknown-subject'
  /** A moment that the log does not have, or words that name none. */
  | 'bad-when'
  /** `why` was asked of an event that is no refusal, or of a subject that was refused nothing. */
  | 'not-a-refusal'
  /** Evidence that cannot be read, or does not go on from what the log holds. */
  | 'bad-evidence'
  /** What lies at the address is no log, or nothing is there. */
  | 'not-a-log'
  /** A log or an event that only a later release reads. */
  | 'newer-schema'
  /** The log is not what was written. */
  | 'damaged'
  /** Another writer was first: read on, and try again. */
  | 'conflict'
  /** The surroundings failed: no space, no permission, in use, closed, a host that cannot be read. */
  | 'unavailable'
  /** This release cannot do it. */
  | 'unsupported'
  /** The running Node is too old. */
  | 'unsupported-runtime'
  /** A `HostAt` was asked after its ledger had gone on to another moment: take a new one. */
  | 'stale-view';

/**
 * Every error that a caller can meet. `message` says what is wrong, with the names involved.
 *
 * Subclasses say more in fields, or are caught by type; `code` is always there.
 */
export class LedgerError extends Error {
  override readonly name: string = 'LedgerError';
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** A request that cannot be met as it was put. */
export class RequestError extends LedgerError {
  override readonly name: string = 'RequestError';

  constructor(message: string) {
    super('bad-request', message);
  }
}
