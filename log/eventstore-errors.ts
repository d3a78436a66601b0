/**
 * What the errors of the clients say of a call.
 *
 * @module
 */
import { isError } from '../events/is-error.ts';
import { LedgerError } from '../events/ledger-error.ts';
import { AppendTooLargeError } from './engine.ts';
import type { ProposedEvent } from './eventstore-events.ts';
import { StoreUnavailableError, StreamDeletedError } from './store.ts';

/** The call had no answer in time, or its connection was given up. */
export class NoAnswer extends Error {}

/** The server could not be reached for as long as a call may take. It may be there later. */
export class ServerAwayError extends StoreUnavailableError {}

/** The name of an error in the clients, such as `stream-not-found`; empty if it has none. */
export function typeOf(error: unknown): string {
  const type = isError(error) ? (error as { readonly type?: unknown }).type : undefined;
  return typeof type === 'string' ? type : '';
}

/** Statuses of gRPC that a server answers before it does anything. */
const REFUSALS: ReadonlySet<unknown> = new Set([
  3, // INVALID_ARGUMENT
  7, // PERMISSION_DENIED
  8, // RESOURCE_EXHAUSTED
  16, // UNAUTHENTICATED
]);

/** Names of errors that a server answers before it does anything, and that repeating does not change. */
const REFUSED: ReadonlySet<string> = new Set([
  'access-denied',
  'invalid-argument',
  'maximum-append-size-exceeded',
  'stream-deleted',
  'stream-tombstoned',
]);

/** Whether the server has refused the call, which has had no effect then and would be refused again. */
export function isRefusal(error: unknown): boolean {
  if (error instanceof LedgerError || REFUSED.has(typeOf(error))) return true;
  return isError(error) && REFUSALS.has((error as { readonly code?: unknown }).code);
}

/** The error of a call that was refused, or that failed until its time was over. */
export function unavailable(name: string, stream: string, error: unknown): LedgerError {
  if (error instanceof LedgerError) return error;
  switch (typeOf(error)) {
    case 'access-denied':
      return new StoreUnavailableError(
        `${name} refuses access to stream ${stream}: the user and password of the address, or what ` +
          'this user may do',
      );
    case 'stream-deleted':
    case 'stream-tombstoned':
      return new StreamDeletedError(name, stream);
  }
  const words = wordsOf(error);
  if (isRefusal(error)) return new StoreUnavailableError(`${name} refuses: ${words}`);
  return new ServerAwayError(`${name} cannot be reached: ${words}`);
}

/** The error of an append that is too large; null if the error is another one. */
export function tooLarge(
  name: string,
  events: readonly ProposedEvent[],
  error: unknown,
): AppendTooLargeError | null {
  if (typeOf(error) !== 'maximum-append-size-exceeded') return null;
  const { maxAppendSize } = error as { readonly maxAppendSize?: unknown };
  const bytes = events.reduce(
    (sum, { data, metadata }) => sum + sizeOf(data) + sizeOf(metadata),
    0,
  );
  return new AppendTooLargeError(name, bytes, Number(maxAppendSize));
}

function sizeOf(content: unknown): number {
  return Buffer.byteLength(JSON.stringify(content));
}

/** What an error says, as one line. */
function wordsOf(error: unknown): string {
  const { details } = error as { readonly details?: unknown };
  const words = isError(error) ? error.message : String(error);
  const [line = ''] = (typeof details === 'string' && details !== '' ? details : words).split('\n');
  // What the client appends to its words when it has nothing to append.
  return line
    .replaceAll(/\p{Cc}/gu, ' ')
    .replace(/ Resolution note:\s*$/, '')
    .trim();
}
