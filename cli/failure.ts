/**
 * Errors as the program reports them: an exit code and one line.
 *
 * @module
 */
import { printable } from '../words/printable.ts';

/** Exit codes; they are part of what scripts rely on. */
export const exit = { done: 0, no: 1, badRequest: 2, damaged: 3, surroundings: 4 } as const;

const codes: Readonly<Record<string, number>> = {
  RequestError: exit.badRequest,
  EvidenceError: exit.badRequest,
  ScenarioError: exit.badRequest,
  TopologyError: exit.badRequest,
  WhenError: exit.badRequest,
  WhereError: exit.badRequest,
  UnknownSubjectError: exit.badRequest,
  UnknownInvariantError: exit.badRequest,
  NoRefusalError: exit.badRequest,
  WitnessError: exit.badRequest,
  NotALogError: exit.badRequest,
  DecodeError: exit.badRequest,
  CorruptLogError: exit.damaged,
  StoreUnavailableError: exit.surroundings,
  RevisionConflictError: exit.surroundings,
  TracerError: exit.surroundings,
  UnreadableHostError: exit.surroundings,
};

export interface Failure {
  readonly code: number;
  /** One line; several only for what is a bug of ours. */
  readonly message: string;
}

export function failureOf(error: unknown): Failure {
  if (!(error instanceof Error)) return bug(String(error));
  const known = codes[error.name];
  if (known !== undefined) return { code: known, message: oneLine(messageOf(error)) };
  const code = 'code' in error ? String(error.code) : '';
  if (code.startsWith('ERR_PARSE_ARGS')) {
    const message = `${argumentFault(error.message)}; --help says what there is`;
    return { code: exit.badRequest, message };
  }
  // Errors of the operating system carry the name of the call that failed.
  if ('syscall' in error) return { code: exit.surroundings, message: oneLine(error.message) };
  return bug(error.stack ?? error.message);
}

/** What parseArgs says, without its advice. */
function argumentFault(said: string): string {
  const [, option] =
    /^Option '(--\S+?)(?: <value>)?' argument (?:missing|is ambig)/.exec(said) ?? [];
  if (option !== undefined) return `option '${option}' needs a value`;
  const [fault = ''] = said.split(/\n|\. To specify/);
  return oneLine(fault)
    .replace(/\.$/, '')
    .replace(/^[A-Z]/, (letter) => letter.toLowerCase());
}

function messageOf(error: Error): string {
  const at = 'position' in error ? error.position : null;
  const damagedAt = error.name === 'CorruptLogError' && at !== null;
  return damagedAt ? `the log is damaged at ${error.message}` : error.message;
}

function oneLine(text: string): string {
  return printable(text.trim().replace(/\s*[\r\n]+\s*/g, ' '));
}

/** None of the exit codes is for faults of our own; the last one blames nothing that was given. */
function bug(details: string): Failure {
  return { code: exit.surroundings, message: `this is a bug in vfio-ledger: ${details}` };
}
