/**
 * Reads the streams of a server of EventStoreDB or KurrentDB, by revision.
 *
 * @module
 */
import type { BasicCredentials, EventStoreAddress } from './eventstore-address.ts';
import type { EventStoreClient } from './eventstore-client.ts';
import type { EventStoreConnection } from './eventstore-connection.ts';
import { typeOf } from './eventstore-errors.ts';
import type { StoredEvent } from './eventstore-events.ts';
import { StreamDeletedError } from './store.ts';

/** Events of one call. A call that fails is made again as a whole. */
const PAGE = 500;
/** A deleted stream begins here, by its metadata. */
const TRUNCATED_WHOLE = 2 ** 63;

/** What each call says beside what it asks for. */
export interface EveryCall {
  readonly credentials?: BasicCredentials;
  /** Another server of a cluster may not have the newest events yet. */
  readonly requiresLeader: true;
}

/** The options of every call to an address. */
export function everyCall({ credentials, isSecure }: EventStoreAddress): EveryCall {
  if (credentials === null || !isSecure) return { requiresLeader: true };
  return { credentials, requiresLeader: true };
}

/** Reads streams. Rejects with `StoreUnavailableError`, also if a stream was deleted. */
export class StreamReader {
  readonly #name: string;
  readonly #connection: EventStoreConnection;
  readonly #every: EveryCall;

  constructor(address: EventStoreAddress, connection: EventStoreConnection) {
    this.#name = address.name;
    this.#connection = connection;
    this.#every = everyCall(address);
  }

  /** The last event of a stream; null if it has none. */
  async last(stream: string): Promise<StoredEvent | null> {
    try {
      const [event] = await this.#read(stream, 'end', 1);
      return event ?? null;
    } catch (error) {
      if (typeOf(error) !== 'stream-not-found') throw error;
    }
    await this.#checkNotDeleted(stream);
    return null;
  }

  /** The events of a stream from a revision up to the last one at the start of the call, in batches. */
  async *events(stream: string, from: number): AsyncGenerator<readonly StoredEvent[]> {
    const last = Number((await this.last(stream))?.revision ?? -1);
    for (let next = from; next <= last;) {
      const count = Math.min(PAGE, last - next + 1);
      const events = await this.#read(stream, next, count).catch((error: unknown) => {
        throw typeOf(error) === 'stream-not-found'
          ? new StreamDeletedError(this.#name, stream)
          : error;
      });
      yield events;
      next = Number(events.at(-1)?.revision) + 1;
    }
  }

  /** The event at a revision; null if the stream has none there. */
  async at(stream: string, revision: number): Promise<StoredEvent | null> {
    for await (const [event] of this.events(stream, revision)) {
      return event !== undefined && Number(event.revision) === revision ? event : null;
    }
    return null;
  }

  /** One call, backwards from the end or forwards from a revision. There is at least one event. */
  async #read(stream: string, from: number | 'end', maxCount: number): Promise<StoredEvent[]> {
    const options = {
      ...this.#every,
      maxCount,
      ...(from === 'end'
        ? { direction: 'backwards' as const, fromRevision: from }
        : { direction: 'forwards' as const, fromRevision: BigInt(from) }),
    };
    return this.#connection.patiently(stream, async (client) => {
      const events = await collected(client.readStream(stream, options));
      const isBefore = from !== 'end' && Number(events[0]?.revision) < from;
      if (events.length === 0 || isBefore) throw new Error('it ended a read before its end');
      return events;
    });
  }

  /** Throws if a stream without events is one that was deleted, and not one that never was. */
  async #checkNotDeleted(stream: string): Promise<void> {
    try {
      const [event] = await this.#read(`$$${stream}`, 'end', 1);
      const { $tb: begin } = (event?.data ?? {}) as { readonly $tb?: unknown };
      if (Number(begin) >= TRUNCATED_WHOLE) throw new StreamDeletedError(this.#name, stream);
    } catch (error) {
      if (typeOf(error) !== 'stream-not-found') throw error;
    }
  }
}

async function collected(stream: ReturnType<EventStoreClient['readStream']>) {
  const { on } = stream as { on?: (event: 'error', listener: () => void) => unknown };
  // A stream that is not read any more can still fail.
  on?.call(stream, 'error', () => {});
  const events: StoredEvent[] = [];
  for await (const { event } of stream) {
    if (event !== undefined) events.push(event);
  }
  return events;
}
