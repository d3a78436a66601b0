/**
 * The engine of EventStoreDB and KurrentDB: a stream for each host, an event for each row, one call for
 * each append.
 *
 * @module
 */
import { alreadyThere, type Engine, LostAnswerError } from './engine.ts';
import { type EventStoreAddress, eventStoreAddress } from './eventstore-address.ts';
import { clientOf, type EventStoreClient } from './eventstore-client.ts';
import { EventStoreConnection, pauseAfter } from './eventstore-connection.ts';
import {
  isRefusal,
  NoAnswer,
  ServerAwayError,
  tooLarge,
  typeOf,
  unavailable,
} from './eventstore-errors.ts';
import {
  eventOf,
  hostNamed,
  hostOf,
  HOSTS_STREAM,
  type ProposedEvent,
  rowOfEvent,
  type StoredEvent,
  streamOfHost,
} from './eventstore-events.ts';
import { everyCall, StreamReader } from './eventstore-reading.ts';
import { liveEvents } from './eventstore-subscription.ts';
import { genesisOf } from './hash.ts';
import { headOfRow, isSameHead, type Row } from './row.ts';
import {
  type AppendResult,
  CorruptLogError,
  type Head,
  StoreUnavailableError,
  StreamDeletedError,
} from './store.ts';

/** An append is repeated, and a server may be away, for this many times the deadline of one call. */
const DEADLINES = 3;
/** Heads of streams that are asked for at the same time. */
const ASKED_AT_ONCE = 16;

/** Opens the engine at an address, without connecting. Throws `RequestError` and as `clientOf` does. */
export async function openEventStoreEngine(text: string): Promise<Engine> {
  const address = eventStoreAddress(text);
  const connect = await clientOf(address);
  const open = () => connect(address.connectionString);
  return new EventStoreEngine(address, new EventStoreConnection(address, open));
}

class EventStoreEngine implements Engine {
  readonly name: string;
  readonly notes: readonly string[];
  /** A server has one database, whoever logs in. */
  readonly identity = '';
  readonly isVerified = false;
  readonly #address: EventStoreAddress;
  readonly #connection: EventStoreConnection;
  readonly #reader: StreamReader;
  /** Hosts that have rows, or had some. */
  readonly #hosts = new Set<string>();

  constructor(address: EventStoreAddress, connection: EventStoreConnection) {
    this.name = address.name;
    this.#address = address;
    this.#connection = connection;
    this.#reader = new StreamReader(address, connection);
    const isUnsent = address.credentials !== null && !address.isSecure;
    this.notes = isUnsent
      ? [`${this.name}: user and password are not sent, as tls=false turns encryption off`]
      : [];
  }

  async append(stream: string, expected: Head, rows: readonly Row[]): Promise<AppendResult> {
    this.#connection.checkOpen();
    // The server compares positions only, and takes appends to a stream that was deleted.
    const head = await this.head(stream);
    if (!isSameHead(head, expected)) return this.#moved(stream, head, expected, rows);
    if (expected.position < 0) await this.#nameHost(stream);
    return this.#write(stream, expected, rows);
  }

  async *read(stream: string, from: number): AsyncGenerator<readonly Row[]> {
    this.#connection.checkOpen();
    for await (const events of this.#reader.events(streamOfHost(stream), from)) {
      yield* rowsOf(events);
    }
  }

  async *follow(stream: string, from: number, signal: AbortSignal): AsyncGenerator<readonly Row[]> {
    const connection = this.#connection;
    const patience = this.#address.deadline;
    const name = streamOfHost(stream);
    const isBehind = async (next: number) =>
      Number((await this.#reader.last(name))?.revision ?? -1) >= next;
    let next = from;
    let answered = performance.now();
    for (let attempt = 0; !signal.aborted; attempt++) {
      connection.checkOpen();
      try {
        for await (const events of this.#reader.events(name, next)) {
          yield* rowsOf(events);
          next = Number(events.at(-1)?.revision) + 1;
          if (signal.aborted) return;
        }
        answered = performance.now();
        const every = everyCall(this.#address);
        const asked = { connection, every, stream: name, from: next, signal, patience, isBehind };
        for await (const events of liveEvents(asked)) {
          yield* rowsOf(events);
          next += events.length;
          answered = performance.now();
          attempt = 0;
        }
      } catch (error) {
        connection.checkOpen();
        const isLong = performance.now() - answered > DEADLINES * patience;
        const isPassing = error instanceof ServerAwayError || !isRefusal(error);
        if (isLong || !isPassing) throw unavailable(this.name, name, error);
      }
      await connection.pause(pauseAfter(attempt), signal);
    }
  }

  async head(stream: string): Promise<Head> {
    this.#connection.checkOpen();
    const event = await this.#reader.last(streamOfHost(stream));
    if (event === null) return { position: -1, hash: genesisOf(stream) };
    this.#hosts.add(stream);
    return headOfRow(rowOfEvent(event));
  }

  async streams(): Promise<readonly string[]> {
    this.#connection.checkOpen();
    const hosts = new Set<string>();
    for await (const events of this.#reader.events(HOSTS_STREAM, 0)) {
      for (const event of events) hosts.add(hostOf(event));
    }
    // A host is named before its first append, which may not have come.
    const unsure = [...hosts].filter((host) => !this.#hosts.has(host));
    while (unsure.length > 0) {
      const asked = unsure.splice(0, ASKED_AT_ONCE);
      await Promise.all(
        asked.map(async (host) => {
          if (await this.#hadEvents(host)) this.#hosts.add(host);
        }),
      );
    }
    return [...hosts].filter((host) => this.#hosts.has(host)).sort();
  }

  /** Whether a host has events, or had some, in a stream that was deleted: reading it says so. */
  async #hadEvents(host: string): Promise<boolean> {
    try {
      return (await this.#reader.last(streamOfHost(host))) !== null;
    } catch (error) {
      if (error instanceof StreamDeletedError) return true;
      throw error;
    }
  }

  async close(): Promise<void> {
    this.#connection.close();
  }

  /** Appends after a head that was seen, and finds out what came of it if the answer does not say. */
  async #write(stream: string, expected: Head, rows: readonly Row[]): Promise<AppendResult> {
    const end = performance.now() + DEADLINES * this.#address.deadline;
    const name = streamOfHost(stream);
    const events = rows.map(eventOf);
    const head = headOfRow(rows.at(-1)!);
    /** Whether an append was sent that may have been made, or may still be made. */
    let isLost = false;
    for (let attempt = 0; ; attempt++) {
      let failure: unknown = new NoAnswer('its answer to an append is none');
      try {
        const revision = await this.#connection.once(async (client, deadline) =>
          this.#send(client, deadline, name, expected.position, events),
        );
        if (revision === head.position) return { head, appended: rows.length };
      } catch (error) {
        failure = error;
        const refusal = tooLarge(this.name, events, error) ?? error;
        if (isRefusal(refusal) && !isLost) throw unavailable(this.name, name, refusal);
        const type = typeOf(error);
        if (type !== 'wrong-expected-version' && type !== 'not-leader') isLost = true;
      }
      const there = await this.head(stream).catch((error: unknown) => {
        throw isLost && error instanceof StoreUnavailableError
          ? new LostAnswerError(this.name)
          : error;
      });
      if (!isSameHead(there, expected)) {
        const result = await this.#moved(stream, there, expected, rows);
        return isLost ? { ...result, appended: rows.length } : result;
      }
      if (performance.now() >= end) {
        throw isLost ? new LostAnswerError(this.name) : unavailable(this.name, name, failure);
      }
      await this.#connection.pause(pauseAfter(attempt));
    }
  }

  /** Makes one append. Resolves to the revision of its last event; -1 if the server refuses `after`. */
  async #send(
    client: EventStoreClient,
    deadline: number,
    name: string,
    after: number | 'any',
    events: readonly ProposedEvent[],
  ): Promise<number> {
    const expected = after === 'any' ? after : after < 0 ? 'no_stream' : BigInt(after);
    const { success, nextExpectedRevision } = await client.appendToStream(name, events, {
      ...everyCall(this.#address),
      deadline,
      expectedRevision: expected,
      streamState: expected,
    });
    return success ? Number(nextExpectedRevision) : -1;
  }

  /** Names a host before its first append. To name it twice does no harm. */
  async #nameHost(stream: string): Promise<void> {
    const event = hostNamed(stream);
    await this.#connection.patiently(HOSTS_STREAM, async (client, deadline) =>
      this.#send(client, deadline, HOSTS_STREAM, 'any', [event]),
    );
  }

  /** The answer to an append after another head than that of the stream. */
  async #moved(
    stream: string,
    head: Head,
    expected: Head,
    rows: readonly Row[],
  ): Promise<AppendResult> {
    const hashes = new Map([
      [-1, genesisOf(stream)],
      [head.position, head.hash],
    ]);
    for (const position of [rows.at(-1)![0], expected.position]) {
      if (hashes.has(position) || position > head.position) continue;
      const event = await this.#reader.at(streamOfHost(stream), position);
      if (event !== null) hashes.set(position, rowOfEvent(event)[6]);
    }
    const hashAt = (position: number) => hashes.get(position);
    return alreadyThere({ stream, name: this.name, head, hashAt }, expected, rows);
  }
}

/** The rows of events, in one batch, before the first event that is none. Then throws. */
function* rowsOf(events: readonly StoredEvent[]): Generator<readonly Row[]> {
  const rows: Row[] = [];
  let damage: CorruptLogError | null = null;
  for (const event of events) {
    try {
      rows.push(rowOfEvent(event));
    } catch (error) {
      if (!(error instanceof CorruptLogError)) throw error;
      damage = error;
      break;
    }
  }
  if (rows.length > 0) yield rows;
  if (damage !== null) throw damage;
}
