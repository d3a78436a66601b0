/**
 * A bare client in a process of its own: as whatever calls it without thinking of faults would use it.
 *
 * @module
 */
import type { EventStoreProduct } from '../../../log/eventstore-address.ts';
import { serve } from './remote.ts';

type Options = Readonly<Record<string, unknown>>;

interface Resolved {
  readonly event?: {
    readonly id: string;
    readonly type: string;
    readonly revision: bigint;
    readonly data: unknown;
    readonly metadata: unknown;
  };
}

/** What is asked of both clients here, under the names that each of them has. */
interface BareClient {
  appendToStream(stream: string, events: unknown, options: Options): Promise<Options>;
  readStream(stream: string, options: Options): AsyncIterable<Resolved>;
  subscribeToStream(
    stream: string,
    options: Options,
  ): AsyncIterable<Resolved> & { unsubscribe(): Promise<void>; on(...args: unknown[]): unknown };
  dispose(): Promise<void>;
}

let client: BareClient;

/** Options that make the client send an append as a call of its own. */
const CLASSIC = { credentials: { username: 'user', password: 'password' } };

function shown({ event }: Resolved) {
  const { id, type, revision, data, metadata } = event!;
  return { id, type, revision: Number(revision), data, metadata };
}

serve({
  async connect(product: EventStoreProduct, address: string) {
    if (product === 'esdb') {
      const { EventStoreDBClient } = await import('@eventstore/db-client');
      client = EventStoreDBClient.connectionString(address) as unknown as BareClient;
    } else {
      const { KurrentDBClient } = await import('@kurrent/kurrentdb-client');
      client = KurrentDBClient.connectionString(address) as unknown as BareClient;
    }
  },
  /** Appends an event. Resolves to its revision. */
  async append(
    stream: string,
    id: string,
    expected: number | 'any' | 'no_stream',
    { isClassic = false, length = 1 }: { isClassic?: boolean; length?: number },
  ) {
    const expectedRevision = typeof expected === 'number' ? BigInt(expected) : expected;
    const data = { text: 'x'.repeat(length) };
    const { nextExpectedRevision } = await client.appendToStream(
      stream,
      { id, contentType: 'application/json', type: 'said', data, metadata: { by: 'test' } },
      { expectedRevision, streamState: expectedRevision, ...(isClassic ? CLASSIC : {}) },
    );
    return Number(nextExpectedRevision);
  },
  async read(stream: string, from: number | 'start' | 'end', direction: string, maxCount: number) {
    const fromRevision = typeof from === 'number' ? BigInt(from) : from;
    const events = [];
    for await (const event of client.readStream(stream, { fromRevision, direction, maxCount })) {
      events.push(shown(event));
    }
    return events;
  },
  /** The next events after a revision, those that are still to come too. */
  async subscribe(stream: string, after: number, count: number) {
    const subscription = client.subscribeToStream(stream, { fromRevision: BigInt(after) });
    const events = [];
    for await (const event of subscription) {
      events.push(shown(event));
      if (events.length === count) break;
    }
    return events;
  },
  async dispose() {
    await client.dispose();
  },
});
