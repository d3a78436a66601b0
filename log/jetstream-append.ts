/**
 * Appends to a log on JetStream, each as one message.
 *
 * The lock is the sequence of the last message of the host: the server takes a message only if that is
 * still the last one. So a message whose answer was lost can be sent again, and is stored once.
 *
 * @module
 */
import { setTimeout as delay } from 'node:timers/promises';
import { alreadyThere, AppendTooLargeError, LostAnswerError } from './engine.ts';
import { genesisOf } from './hash.ts';
import { isPassing, isUnanswered, isWrongSequence, Unanswered } from './jetstream-errors.ts';
import type { JetStreamLog, Newest } from './jetstream-log.ts';
import { POSITION } from './jetstream-messages.ts';
import { type JetStreamServer, APPEND_MS } from './jetstream-server.ts';
import { headOfRow, isSameHead, type Row } from './row.ts';
import { type AppendResult, type Head, StoreUnavailableError } from './store.ts';

interface Append {
  readonly host: string;
  readonly expected: Head;
  readonly rows: readonly Row[];
}

/** How a message was answered. `unanswered`: it is stored or not, or may still be. */
type Delivery = { readonly sequence: number } | 'refused' | 'unanswered';

const SHORTEST_PAUSE_MS = 10;
const LONGEST_PAUSE_MS = 1_000;

/** Appends as `Engine.append` does. */
export async function appendTo(
  server: JetStreamServer,
  log: JetStreamLog,
  append: Append,
): Promise<AppendResult> {
  const { host, expected, rows } = append;
  const payload = Buffer.from(JSON.stringify(rows));
  const { name } = server.address;
  const limit = server.limit();
  if (payload.length > limit) throw new AppendTooLargeError(name, payload.length, limit);
  await server.create();
  const deadline = Date.now() + server.patienceMs;
  let isSent = false;
  try {
    let newest = log.seen(host);
    for (let pause = SHORTEST_PAUSE_MS; ; pause = Math.min(2 * pause, LONGEST_PAUSE_MS)) {
      if (newest === undefined || !isSameHead(newest.head, expected)) {
        newest = await log.newest(host);
      }
      if (!isSameHead(newest.head, expected)) {
        const found = await answerOf(log, append, newest, name);
        return isSent ? { ...found, appended: rows.length } : found;
      }
      const outcome = await publish(server, log.subjectOf(host), append, newest, payload);
      if (typeof outcome === 'object') return stored(log, append, outcome.sequence);
      isSent ||= outcome === 'unanswered';
      if (Date.now() > deadline || server.connection.isClosed()) {
        throw server.unavailable(new Unanswered());
      }
      if (pause > SHORTEST_PAUSE_MS) await delay(pause);
      newest = undefined;
    }
  } catch (error) {
    if (!isSent || !(error instanceof StoreUnavailableError)) throw error;
    throw new LostAnswerError(name, { cause: error });
  }
}

function stored(log: JetStreamLog, { host, rows }: Append, sequence: number): AppendResult {
  const [last] = rows.slice(-1);
  if (last === undefined) throw new RangeError('an append has at least one row');
  const head = headOfRow(last);
  log.see(host, { sequence, head });
  return { head, appended: rows.length };
}

async function publish(
  { client, headers, address, answer, unavailable }: JetStreamServer,
  subject: string,
  { expected, rows }: Append,
  newest: Newest,
  payload: Uint8Array,
): Promise<Delivery> {
  const fields = headers();
  fields.set(POSITION, String(expected.position + 1));
  try {
    const { seq, duplicate } = await answer(() =>
      client.publish(subject, payload, {
        headers: fields,
        // The hash covers the host and all rows before: the same id is the same append.
        msgID: rows.at(-1)?.[6] ?? '',
        expect: { streamName: address.log, lastSubjectSequence: newest.sequence },
        timeout: APPEND_MS,
      }),
    );
    return duplicate ? 'refused' : { sequence: seq };
  } catch (error) {
    if (isUnanswered(error)) return 'unanswered';
    if (isWrongSequence(error) || isPassing(error)) return 'refused';
    throw unavailable(error);
  }
}

/** What an append is answered if the stream has another head than it expects. */
async function answerOf(
  log: JetStreamLog,
  { host, expected, rows }: Append,
  newest: Newest,
  name: string,
): Promise<AppendResult> {
  const { head } = newest;
  const hashes = new Map([
    [-1, genesisOf(host)],
    [head.position, head.hash],
  ]);
  const last = rows.at(-1)?.[0] ?? -1;
  const isKnown = hashes.has(last) && hashes.has(expected.position);
  if (!isKnown && head.position > expected.position) {
    for await (const found of log.rows(host, expected.position, newest)) {
      for (const [position, , , , , , hash] of found) hashes.set(position, hash);
      if (hashes.has(last)) break;
    }
  }
  const hashAt = (position: number) => hashes.get(position);
  return alreadyThere({ stream: host, name, head, hashAt }, expected, rows);
}
