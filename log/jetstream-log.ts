/**
 * Where the events of a host are in a stream of JetStream, whose messages are of all hosts.
 *
 * @module
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { MsgRequest, StoredMsg } from '@nats-io/jetstream';
import { genesisOf } from './hash.ts';
import { Unanswered } from './jetstream-errors.ts';
import { hostOf, POSITION, rowsOf, subjectOf } from './jetstream-messages.ts';
import { rowsFrom } from './jetstream-reading.ts';
import type { JetStreamServer } from './jetstream-server.ts';
import { headOfRow, type Row } from './row.ts';
import { CorruptLogError, type Head } from './store.ts';

/** The last message of a host. `sequence` is 0 if there is none. */
export interface Newest {
  readonly sequence: number;
  readonly head: Head;
}

/** The last message of a host, which may have no events. */
type Last =
  | (Newest & { readonly damage: null })
  | { readonly sequence: number; readonly head: null; readonly damage: CorruptLogError };

/** Which message: the last one of a subject, or the first one of a subject from a sequence on. */
type Query =
  | { readonly last_by_subj: string }
  | { readonly seq: number; readonly next_by_subj: string };

/** How many times longer than a caller a follower waits for the servers. */
const PATIENCE_OF_FOLLOWERS = 20;
/** How often a follower looks whether the log has begun. */
const LOOK_EVERY_MS = 250;

/** Answers of the leader of the stream, which has every message that was acknowledged. */
export class JetStreamLog {
  readonly #server: JetStreamServer;
  readonly #seen = new Map<string, Newest>();

  constructor(server: JetStreamServer) {
    this.#server = server;
  }

  /** The newest message of a host that was met, which may no longer be the newest one. */
  seen(host: string): Newest | undefined {
    return this.#seen.get(host);
  }

  /** Notes a message that was met. */
  see(host: string, met: Newest): Newest {
    const seen = this.#seen.get(host);
    if (seen === undefined || seen.sequence < met.sequence) this.#seen.set(host, met);
    return met;
  }

  /** Rejects with `CorruptLogError` if the newest message has no events. */
  async newest(host: string): Promise<Newest> {
    const last = await this.#last(host);
    if (last.damage !== null) throw last.damage;
    return last;
  }

  async #last(host: string): Promise<Last> {
    const none = { sequence: 0, head: { position: -1, hash: genesisOf(host) }, damage: null };
    if (!(await this.#server.hasLog())) return none;
    return this.#server.patiently(async () => {
      const found = await this.#get({ last_by_subj: this.subjectOf(host) });
      // A leader that was chosen just now may not have read all of its messages yet.
      if ((found?.seq ?? 0) < (this.#seen.get(host)?.sequence ?? 0)) throw new Unanswered();
      if (found === null) return none;
      const { seq: sequence } = found;
      try {
        const last = rowsIn(found).at(-1);
        if (last === undefined) return none;
        return { ...this.see(host, { sequence, head: headOfRow(last) }), damage: null };
      } catch (error) {
        if (error instanceof CorruptLogError) return { sequence, head: null, damage: error };
        throw error;
      }
    });
  }

  /** Reads all rows of a host from a position on. Rejects at the first message that has none. */
  async *read(host: string, from: number, signal: AbortSignal): AsyncGenerator<readonly Row[]> {
    yield* this.rows(host, from, await this.#last(host), signal);
  }

  /** Reads the rows of a host from a position to its newest message. */
  async *rows(
    host: string,
    from: number,
    newest: Last | Newest,
    signal?: AbortSignal,
  ): AsyncGenerator<readonly Row[]> {
    if (newest.head !== null && newest.head.position < from) return;
    const first = await this.#sequenceOf(host, from, newest);
    const subject = this.subjectOf(host);
    const { patienceMs } = this.#server;
    const reading = { subject, first, last: newest.sequence, signal, patienceMs };
    yield* after(from, rowsFrom(this.#server, reading));
  }

  /** As `rows`, and then the rows of later messages. Ends when the signal aborts. */
  async *follow(host: string, from: number, signal: AbortSignal): AsyncGenerator<readonly Row[]> {
    while (!signal.aborted && !(await this.#server.hasLog())) {
      await delay(LOOK_EVERY_MS, undefined, { signal }).catch(() => {});
    }
    if (signal.aborted) return;
    const newest = await this.#last(host);
    const isThere = newest.head === null || from <= newest.head.position;
    const first = isThere ? await this.#sequenceOf(host, from, newest) : newest.sequence + 1;
    const patienceMs = PATIENCE_OF_FOLLOWERS * this.#server.patienceMs;
    const reading = { subject: this.subjectOf(host), first, last: null, signal, patienceMs };
    yield* after(from, rowsFrom(this.#server, reading));
  }

  /** The sequence of the last message of a host that begins at a position, or before. */
  async #sequenceOf(host: string, position: number, newest: Last | Newest): Promise<number> {
    if (position <= 0) return 1;
    // What a message without events says of its position is not believed.
    let [low, high] = [1, newest.head === null ? newest.sequence - 1 : newest.sequence];
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      const found = await this.#server.patiently(() =>
        this.#get({ seq: middle, next_by_subj: this.subjectOf(host) }),
      );
      const isBefore = found !== null && found.seq <= high && firstPosition(found) <= position;
      if (isBefore) low = found.seq;
      else high = middle - 1;
    }
    return low;
  }

  async hosts(): Promise<readonly string[]> {
    const { manager, address, patiently, hasLog } = this.#server;
    if (!(await hasLog())) return [];
    const filter = { subjects_filter: `${address.log}.*` };
    const { state } = await patiently(() => manager.streams.info(address.log, filter));
    return Object.keys(state.subjects ?? {})
      .flatMap((subject) => hostOf(address.log, subject) ?? [])
      .sort();
  }

  subjectOf(host: string): string {
    return subjectOf(this.#server.address.log, host);
  }

  #get(query: Query): Promise<StoredMsg | null> {
    return this.#server.manager.streams.getMessage(this.#server.address.log, query as MsgRequest);
  }
}

/** Leaves out the rows before a position. They can only be in the first message that has the position. */
async function* after(from: number, batches: AsyncIterable<readonly Row[]>) {
  let isWithin = from <= 0;
  for await (const batch of batches) {
    const start = isWithin ? 0 : batch.findIndex(([position]) => position >= from);
    if (start < 0) continue;
    isWithin = true;
    yield start === 0 ? batch : batch.slice(start);
  }
}

/** The position that a message says; NaN if it says none. */
function firstPosition({ header }: StoredMsg): number {
  const text = header.get(POSITION);
  return text === '' ? NaN : Number(text);
}

function rowsIn(message: StoredMsg): readonly Row[] {
  const { seq: sequence, header } = message;
  return rowsOf({ sequence, position: header.get(POSITION), text: message.string() });
}
