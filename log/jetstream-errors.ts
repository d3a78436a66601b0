/**
 * What the errors of the packages of NATS mean. They are told apart by name and number: the packages,
 * and the classes in them, are loaded only when an address is opened.
 *
 * @module
 */
import { isError } from '../events/is-error.ts';

/** Numbers of errors of the JetStream API (`server/errors.json` of nats-server). */
const NO_SUITABLE_PEERS = 10_005;
const NOT_ENABLED_FOR_ACCOUNT = 10_039;
const STREAM_NOT_FOUND = 10_059;
const WRONG_LAST_SEQUENCE = 10_071;
const WRONG_LAST_SEQUENCE_UNKNOWN = 10_164;

const UNAVAILABLE = 503;

/** No answer came before the connection broke, or the server has sent nothing for too long. */
export class Unanswered extends Error {
  override readonly name = 'Unanswered';
}

/** No server could be reached, so nothing was sent. */
export class NotConnected extends Error {
  override readonly name = 'NotConnected';
}

/** Whether the stream of JetStream is not there. */
export function isStreamMissing(error: unknown): boolean {
  return numberOf(error) === STREAM_NOT_FOUND;
}

/** Whether the subject has another last message than the append expects. */
export function isWrongSequence(error: unknown): boolean {
  const number = numberOf(error);
  return number === WRONG_LAST_SEQUENCE || number === WRONG_LAST_SEQUENCE_UNKNOWN;
}

/** Whether a request may have reached the server although no answer came. */
export function isUnanswered(error: unknown): boolean {
  if (!isError(error)) return false;
  if (error instanceof Unanswered || error.name === 'TimeoutError') return true;
  return (
    error.name === 'RequestError' &&
    !hasNoResponders(error) &&
    forbiddenSubject(error) === undefined
  );
}

/** Whether the same call may succeed soon: servers are away, restart, or choose a leader. */
export function isPassing(error: unknown): boolean {
  if (isUnanswered(error) || hasNoResponders(error) || isStreamMissing(error)) return true;
  if (error instanceof NotConnected) return true;
  const { status } = error as { readonly status?: unknown };
  return status === UNAVAILABLE && numberOf(error) !== NOT_ENABLED_FOR_ACCOUNT;
}

/** Says what is wrong. The text has no part of the credentials. */
export function reasonOf(error: unknown): string {
  if (!isError(error)) return 'unknown failure';
  if (numberOf(error) === NO_SUITABLE_PEERS) {
    return 'the cluster cannot place the replicas now; ?replicas=N asks for other than three';
  }
  if (hasNoResponders(error) || numberOf(error) === NOT_ENABLED_FOR_ACCOUNT) {
    return 'JetStream does not answer: it is not enabled, or has no leader';
  }
  const forbidden = forbiddenSubject(error);
  if (forbidden !== undefined) return `the account may not use ${forbidden}`;
  if (error.name === 'AuthorizationError' || error.name === 'UserAuthenticationExpiredError') {
    return 'the server refuses the user, password, token or credentials';
  }
  if (error instanceof Unanswered || error.name === 'TimeoutError') return 'no answer in time';
  if (error instanceof NotConnected) return 'no server can be reached';
  if (isStreamMissing(error)) return 'the log is no longer there';
  return error.message;
}

function numberOf(error: unknown): number | null {
  if (!isError(error)) return null;
  const { code } = error as { readonly code?: unknown };
  return typeof code === 'number' ? code : null;
}

function hasNoResponders(error: unknown): boolean {
  return (
    isError(error) &&
    (error.name === 'JetStreamNotEnabled' || nameOfCause(error) === 'NoResponders')
  );
}

/** The subject that the account has no permission for. */
function forbiddenSubject(error: Error): string | undefined {
  for (const found of [error, error.cause]) {
    if (isError(found) && found.name === 'PermissionViolationError') {
      return (found as Error & { readonly subject: string }).subject;
    }
  }
  return undefined;
}

function nameOfCause({ cause }: Error): string | null {
  return isError(cause) ? cause.name : null;
}
