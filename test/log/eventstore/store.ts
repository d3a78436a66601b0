/**
 * The streams of the protocol server, in memory, by the rules of EventStoreDB: expected revisions,
 * repeated appends, streams that are deleted.
 *
 * @module
 */

/** An event as it was sent, and its place. */
export interface ServerEvent {
  readonly id: string;
  readonly type: string;
  readonly contentType: string;
  readonly data: Uint8Array;
  readonly metadata: Uint8Array;
}

export interface KeptEvent extends ServerEvent {
  readonly revision: number;
  /** In the order of all appends. */
  readonly commit: number;
}

export type ExpectedRevision = number | 'any' | 'no-stream' | 'exists';

/** What an append comes to. `current` is the revision of the last event; -1 if there is none. */
export type Appended =
  | { readonly kind: 'success'; readonly current: number; readonly commit: number }
  | { readonly kind: 'wrong-version'; readonly current: number }
  | { readonly kind: 'deleted' }
  | { readonly kind: 'too-large'; readonly limit: number };

interface Stream {
  readonly events: KeptEvent[];
  isTombstone: boolean;
}

export class ServerStreams {
  readonly #streams = new Map<string, Stream>();
  readonly #limit: number;
  #commits = 0;
  #listeners = new Set<() => void>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  append(name: string, expected: ExpectedRevision, events: readonly ServerEvent[]): Appended {
    const size = events.reduce((sum, { data, metadata }) => sum + data.length + metadata.length, 0);
    if (size > this.#limit) return { kind: 'too-large', limit: this.#limit };
    const stream = this.#streams.get(name) ?? { events: [], isTombstone: false };
    if (stream.isTombstone) return { kind: 'deleted' };
    const current = stream.events.length - 1;
    if (!this.#isExpected(name, expected, current)) {
      const begin = typeof expected === 'number' ? expected + 1 : 0;
      if (isThere(stream.events.slice(begin), events)) {
        return { kind: 'success', current: begin + events.length - 1, commit: this.#commits };
      }
      return { kind: 'wrong-version', current };
    }
    if (expected === 'any') {
      const begin = stream.events.findIndex(({ id }) => id === events[0]?.id);
      if (begin >= 0 && isThere(stream.events.slice(begin), events)) {
        return { kind: 'success', current, commit: this.#commits };
      }
    }
    for (const event of events) {
      stream.events.push({ ...event, revision: stream.events.length, commit: this.#commits++ });
    }
    this.#streams.set(name, stream);
    for (const listener of this.#listeners) listener();
    return { kind: 'success', current: stream.events.length - 1, commit: this.#commits };
  }

  /** The events that can be read; null if the stream does not exist, or was deleted for now. */
  events(name: string): readonly KeptEvent[] | null {
    const events = this.#streams.get(name)?.events ?? [];
    const begin = this.#begin(name);
    const readable = begin === 0 ? events : events.filter(({ revision }) => revision >= begin);
    return readable.length === 0 ? null : readable;
  }

  isTombstone(name: string): boolean {
    return this.#streams.get(name)?.isTombstone ?? false;
  }

  /** Deletes a stream: for good, or so that a later append begins after the events that were there. */
  delete(name: string, forGood: boolean): void {
    if (forGood) {
      this.#streams.set(name, { events: [], isTombstone: true });
      return;
    }
    this.append(`$$${name}`, 'any', [
      {
        id: crypto.randomUUID(),
        type: '$metadata',
        contentType: 'application/json',
        data: Buffer.from('{"$tb":9223372036854775807}'),
        metadata: Buffer.from(''),
      },
    ]);
  }

  /** Calls back after each append. Returns what ends it. */
  onAppend(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #isExpected(name: string, expected: ExpectedRevision, current: number): boolean {
    if (expected === 'any') return true;
    if (expected === 'exists') return current >= 0;
    if (expected === 'no-stream') return current < 0 || this.events(name) === null;
    return expected === current;
  }

  /** The first revision that can be read, by the metadata of the stream. */
  #begin(name: string): number {
    const last = this.#streams.get(`$$${name}`)?.events.at(-1);
    if (last === undefined) return 0;
    const { $tb: begin = 0 } = JSON.parse(Buffer.from(last.data).toString()) as { $tb?: number };
    return begin;
  }
}

/** Whether events are these, by id. */
function isThere(there: readonly ServerEvent[], events: readonly ServerEvent[]): boolean {
  return events.length > 0 && events.every(({ id }, index) => there[index]?.id === id);
}
