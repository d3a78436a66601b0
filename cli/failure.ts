/**
 * Turns an error into an exit code and a message.
 *
 * @module
 */
import { LedgerError, type ErrorCode } from '../events/ledger-error.ts';

/** Exit codes. Scripts rely on them. */
export const exit = { done: 0, no: 1, badRequest: 2, damaged: 3, surroundings: 4 } as const;

/** The exit code of each error that a caller can meet. */
export const exitOf: Readonly<Record<ErrorCode, number>> = {
  'bad-request': exit.badRequest,
  'unknown-subject': exit.badRequest,
  'bad-when': exit.badRequest,
  'not-a-refusal': exit.badRequest,
  'bad-evidence': exit.badRequest,
  'not-a-log': exit.badRequest,
  'newer-schema': exit.badRequest,
  foreign: exit.badRequest,
  unsupported: exit.badRequest,
  'too-large': exit.badRequest,
  'stale-view': exit.badRequest,
  damaged: exit.damaged,
  conflict: exit.surroundings,
  unavailable: exit.surroundings,
  'unsupported-runtime': exit.surroundings,
};

const BUG = 'this is a bug in vfio-ledger';

export interface Failure {
  readonly code: number;
  readonly message: string;
  /** Of a bug of vfio-ledger, where it was thrown. */
  readonly stack?: readonly string[];
}

/** The exit code and the message of anything that was thrown. */
export function failureOf(error: unknown): Failure {
  if (!(error instanceof Error)) return bug(error);
  if (error instanceof LedgerError) return { code: exitOf[error.code], message: messageOf(error) };
  const code = 'code' in error ? String(error.code) : '';
  if (code.startsWith('ERR_PARSE_ARGS')) {
    const message = `${argumentFault(error.message)}; see --help`;
    return { code: exit.badRequest, message };
  }
  // Errors of the operating system carry the name of the call that failed.
  if ('syscall' in error) return { code: exit.surroundings, message: error.message };
  return bug(error);
}

/** The message of `parseArgs` without its advice. */
function argumentFault(said: string): string {
  const [, option] =
    /^Option '(--\S+?)(?: <value>)?' argument (?:missing|is ambig)/.exec(said) ?? [];
  if (option !== undefined) return `option '${option}' needs a value`;
  return said
    .replace(/\. To specify [^]*$/, '')
    .replace(/\.$/, '')
    .replace(/^[A-Z]/, (letter) => letter.toLowerCase());
}

function messageOf(error: LedgerError): string {
  const isDamagedAt = error.code === 'damaged' && 'position' in error && error.position !== null;
  return isDamagedAt ? `the log is damaged at ${error.message}` : error.message;
}

/** Whether an error can only come from a bug of vfio-ledger, or from an index that makes no sense. */
export function isBug(error: unknown): boolean {
  return failureOf(error).message.startsWith(BUG);
}

/** A bug has no exit code of its own: 4 is the only one that does not blame request, input or log. */
function bug(error: unknown): Failure {
  const stack = error instanceof Error ? (error.stack ?? '').match(/^ {4}at .+$/gm) : null;
  const message = `${BUG}: ${String(error)}`;
  return { code: exit.surroundings, message, stack: stack ?? [] };
}
