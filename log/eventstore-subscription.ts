/**
 * The events that are appended to a stream of EventStoreDB or KurrentDB, as they come.
 *
 * @module
 */
import type { EventStoreConnection } from './eventstore-connection.ts';
import { NoAnswer } from './eventstore-errors.ts';
import type { StoredEvent } from './eventstore-events.ts';
import type { EveryCall } from './eventstore-reading.ts';

/** Events that may wait before the subscription is told to pause. */
const MOST_WAITING = 1000;

interface Subscribing {
  readonly connection: EventStoreConnection;
  readonly every: EveryCall;
  readonly stream: string;
  /** The first revision that is wanted. */
  readonly from: number;
  readonly signal: AbortSignal;
  /** After this many ms without an event, `isBehind` is asked. */
  readonly patience: number;
  /** Whether the stream has events from a revision on. */
  readonly isBehind: (next: number) => Promise<boolean>;
}

/**
 * Yields the events of a stream from a revision on, each once and without gaps, until the signal aborts.
 *
 * Rejects with `NoAnswer` if the subscription ends, loses an event, is not confirmed, or is silent while
 * the stream has further events; and as the client does.
 */
export async function* liveEvents(asked: Subscribing): AsyncGenerator<readonly StoredEvent[]> {
  const { connection, every, stream, from, signal, patience, isBehind } = asked;
  const waiting: StoredEvent[] = [];
  let failure: unknown = null;
  let isConfirmed = false;
  let woken = new AbortController();
  const fail = (error: unknown) => {
    failure ??= error;
    woken.abort();
  };

  const subscription = await connection.once(async (client, _, given) => {
    const opened = client.subscribeToStream(stream, {
      ...every,
      fromRevision: from === 0 ? 'start' : BigInt(from - 1),
    });
    opened.on('error', fail);
    opened.on('end', () => fail(new NoAnswer('it ended a subscription')));
    opened.on('close', () => fail(new NoAnswer('it closed a subscription')));
    opened.on('confirmation', () => {
      isConfirmed = true;
    });
    opened.on('data', ({ event }) => {
      if (event !== undefined) waiting.push(event);
      if (waiting.length >= MOST_WAITING) opened.pause();
      woken.abort();
    });
    given.addEventListener('abort', () => fail(new NoAnswer('the connection was lost')));
    return opened;
  });

  try {
    for (let next = from; !signal.aborted;) {
      if (waiting.length === 0 && failure === null) {
        await connection.pause(patience, signal, woken.signal);
        connection.checkOpen();
      }
      woken = new AbortController();
      const events = waiting.splice(0);
      subscription.resume();
      const gap = events.findIndex(({ revision }, index) => Number(revision) !== next + index);
      const whole = gap < 0 ? events : events.slice(0, gap);
      if (whole.length > 0) yield whole;
      next += whole.length;
      if (gap >= 0) throw new NoAnswer('it left out an event of a subscription');
      if (failure !== null) throw failure;
      if (events.length > 0 || signal.aborted) continue;
      if (!isConfirmed) throw new NoAnswer('it did not confirm a subscription');
      if (await isBehind(next)) throw new NoAnswer('it sent no events to a subscription');
    }
  } finally {
    void subscription.unsubscribe().catch(() => {});
  }
}
