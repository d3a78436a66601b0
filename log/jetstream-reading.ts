/**
 * Reads the messages of one subject of JetStream in their order.
 *
 * @module
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { ConsumerMessages, JsMsg } from '@nats-io/jetstream';
import { isPassing, Unanswered } from './jetstream-errors.ts';
import { POSITION, rowsOf, type StoredAppend } from './jetstream-messages.ts';
import type { JetStreamServer } from './jetstream-server.ts';
import type { Row } from './row.ts';
import { CorruptLogError } from './store.ts';

/** Rows of a batch: a batch ends with the message that reaches it. */
const BATCH_ROWS = 1024;
/** Bytes of messages that are on the way at one time, about. */
const WINDOW_BYTES = 8 * 1_048_576;
const WINDOW_MESSAGES = 1_000;
/** The server answers a pull after so long at the latest; half of that is its heartbeat. */
const PULL_MS = 4_000;
const PAUSE_MS = 250;
/** A consumer that lived so long was answered: what fails then fails anew. */
const ALIVE_MS = 3 * PULL_MS;

interface MessageRange {
  readonly subject: string;
  /** The sequence to start at. */
  readonly first: number;
  /** The sequence to end at; null: when the signal aborts. */
  readonly last: number | null;
  readonly signal?: AbortSignal | undefined;
  /** How long reading is tried again while nothing can be read. */
  readonly patienceMs: number;
}

/** Yields rows as they are stored. Rejects with `CorruptLogError` at a message that has none. */
export async function* rowsFrom(
  server: JetStreamServer,
  reading: MessageRange,
): AsyncGenerator<readonly Row[]> {
  const { last, signal, patienceMs } = reading;
  const isAborted = () => signal?.aborted === true;
  let first = reading.first;
  let failing: number | null = null;
  while (!isAborted()) {
    const begun = Date.now();
    try {
      for await (const messages of messagesFrom(server, { ...reading, first })) {
        failing = null;
        yield* batched(messages);
        first = (messages.at(-1)?.seq ?? first) + 1;
        if (last !== null && first > last) return;
      }
      if (!isAborted()) throw new Unanswered();
    } catch (error) {
      if (error instanceof CorruptLogError) throw error;
      if (isAborted()) return;
      if (Date.now() - begun > ALIVE_MS) failing = null;
      failing ??= Date.now();
      const isPast = Date.now() - failing > patienceMs || server.connection.isClosed();
      if (isPast || !isPassing(error)) throw server.unavailable(error);
      await delay(PAUSE_MS);
    }
  }
}

/** One consumer of the server, as long as it lives. Yields all messages that have arrived. */
async function* messagesFrom(
  { client, manager, address, answer }: JetStreamServer,
  { subject, first, last, signal }: MessageRange,
): AsyncGenerator<readonly JsMsg[]> {
  const { state } = await answer(() => manager.streams.info(address.log));
  const average = state.messages === 0 ? 0 : state.bytes / state.messages;
  const consumer = await answer(() =>
    client.consumers.get(address.log, {
      filter_subjects: subject,
      deliver_policy: 'by_start_sequence',
      opt_start_seq: first,
    }),
  );
  const incoming = await consumer.consume({
    max_messages: Math.max(4, Math.min(WINDOW_MESSAGES, Math.floor(WINDOW_BYTES / average))),
    expires: PULL_MS,
  });
  const stop = () => incoming.stop();
  signal?.addEventListener('abort', stop);
  const watching = stopWhenSilent(incoming);
  const ended = Promise.withResolvers<void>();
  // What was on its way when the connection broke is lost, and is not sent again to this consumer.
  answer(() => ended.promise).catch((error: Error) => incoming.stop(error));
  try {
    let arrived: JsMsg[] = [];
    if (signal?.aborted === true) return;
    for await (const message of incoming) {
      arrived.push(message);
      const isLast = last !== null && message.seq >= last;
      if (!isLast && arrived.length < BATCH_ROWS && incoming.getPending() > 1) continue;
      yield arrived;
      arrived = [];
    }
  } finally {
    signal?.removeEventListener('abort', stop);
    ended.resolve();
    stop();
    await watching;
    await consumer.delete().catch(() => {});
  }
}

/** Ends a consumer from which nothing comes: another one is asked for the rest. */
async function stopWhenSilent(incoming: ConsumerMessages): Promise<void> {
  for await (const { type } of incoming.status()) {
    if (type === 'heartbeats_missed' || type === 'consumer_not_found' || type === 'no_responders') {
      incoming.stop(new Unanswered());
    }
  }
}

function* batched(messages: readonly JsMsg[]): Generator<readonly Row[]> {
  let rows: Row[] = [];
  for (const message of messages) {
    try {
      rows.push(...rowsOf(appendOf(message)));
    } catch (error) {
      if (rows.length > 0) yield rows;
      throw error;
    }
    if (rows.length < BATCH_ROWS) continue;
    yield rows;
    rows = [];
  }
  if (rows.length > 0) yield rows;
}

function appendOf(message: JsMsg): StoredAppend {
  return {
    sequence: message.seq,
    position: message.headers?.get(POSITION) ?? '',
    text: message.string(),
  };
}
