/**
 * What can go wrong with a call: on the server, and on the way to and from it.
 *
 * @module
 */
import type { GrpcCall } from './grpc.ts';

/** How a call ends. `twice`: the answer comes two times. `ok`: a status without an answer. */
type FaultyEnd = 'given' | 'none' | 'twice' | 'ok' | 'error' | 'reset' | 'cut';

/** What becomes of an append, and of its answer. */
export interface AppendFault {
  /** Whether the events are written; `late` is after `lateMs`, when the client has given up. */
  readonly written: 'yes' | 'no' | 'late';
  readonly end: FaultyEnd;
  /** The status of `error`. */
  readonly status?: number;
  readonly afterMs?: number;
  readonly lateMs?: number;
}

/** How a read or subscription ends after a number of events. */
export interface ReadFault {
  readonly after: number;
  readonly end: 'none' | 'ok' | 'error' | 'reset' | 'cut';
}

/** Statuses of a server or proxy that fails: CANCELLED, UNKNOWN, ABORTED, INTERNAL, UNAVAILABLE. */
const FAILURES: readonly number[] = [1, 2, 10, 13, 14];

/** A fault by chance. `deadline`: how long a client waits for an answer, in ms. */
export function anyAppendFault(random: () => number, deadline: number): AppendFault {
  const pick = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)]!;
  const end = pick<FaultyEnd>(['given', 'none', 'twice', 'ok', 'error', 'reset', 'cut']);
  const written = end === 'twice' ? 'yes' : pick(['yes', 'no', 'late'] as const);
  return {
    written,
    // An answer says what was done.
    end: end === 'given' && written !== 'yes' ? 'none' : end,
    status: pick(FAILURES),
    afterMs: pick([0, 0, 5, deadline / 4]),
    lateMs: deadline * pick([0.2, 1.1, 2.2]),
  };
}

/** Ends a call in the way of a fault. `give` sends the answer. Does nothing for `none`. */
export function endWith<Request, Response>(
  call: GrpcCall<Request, Response>,
  { end, status = 14 }: Pick<AppendFault, 'end' | 'status'>,
  give: () => void,
): void {
  switch (end) {
    case 'given':
      return give();
    case 'twice':
      give();
      return give();
    case 'ok':
      return call.finish(0);
    case 'error':
      return call.finish(status, 'the server has a fault');
    case 'reset':
      return call.reset();
    case 'cut':
      return call.cut();
    case 'none':
  }
}
