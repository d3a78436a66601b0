/**
 * A store in memory, for tests and for answers about evidence that is not kept.
 *
 * @module
 */
import { genesisOf } from './hash.ts';
import { alreadyThere } from './engine.ts';
import { followStore } from './following.ts';
import {
  type Entry,
  entryOf,
  headOfRow,
  isSameHead,
  recordedOf,
  type Row,
  rowOf,
  rowsAfter,
  streamName,
} from './row.ts';
import {
  type AppendResult,
  type Head,
  type ReadOptions,
  type RecordedEvent,
  RevisionConflictError,
  type Store,
  type StoredRows,
} from './store.ts';

interface Stream {
  readonly events: RecordedEvent[];
  readonly ids: Set<string>;
  /** The rows of other logs, by position: they may be of an older schema. */
  readonly carried: Map<number, Row>;
}

type Streams = Map<string, Stream>;

const BATCH_SIZE = 1024;

/** Creates an empty log that ends with the process. Its events are frozen and shared by all readers. */
export function memoryStore(): Store {
  const streams: Streams = new Map();

  const names = () => [...streams.keys()].sort();

  const read = async function* (stream: string, options?: ReadOptions) {
    const events = streams.get(stream)?.events ?? [];
    yield* batches(events, events.length - 1, options);
  };
  const head = async (stream: string) => headOf(stream, streams.get(stream));

  return {
    async append(stream, expected, events) {
      return append(streams, streamName(stream), expected, events.map(entryOf));
    },
    read,
    follow: (stream, from, signal) => followStore({ read, head }, stream, from, signal),
    head,
    async origin(stream) {
      return headOf(stream, undefined);
    },
    async missing() {
      return null;
    },
    async examine() {
      return { faults: [], foreign: [], lostGuards: [] };
    },
    async known(stream, ids) {
      const there = streams.get(stream)?.ids;
      return new Set(ids.filter((id) => there?.has(id)));
    },
    path: null,
    rows: storedRows(streams),
    local: {
      between: (stream, first, last) => streams.get(stream)?.events.slice(first, last + 1) ?? [],
      many: (stream, positions) => {
        const events = streams.get(stream)?.events ?? [];
        return positions.flatMap((position) => events[position] ?? []);
      },
      checkReaches() {},
      hashAt: (stream, position) => hashIn(stream, streams.get(stream), position),
      streams: names,
      extent: (stream) => ({
        origin: headOf(stream, undefined),
        head: headOf(stream, streams.get(stream)),
      }),
    },
    async streams() {
      return names();
    },
    async close() {},
  };
}

function streamIn(streams: Streams, stream: string): Stream {
  return streams.get(stream) ?? { events: [], ids: new Set(), carried: new Map() };
}

function append(
  streams: Streams,
  stream: string,
  expected: number,
  entries: readonly Entry[],
): AppendResult {
  const held = streamIn(streams, stream);
  const fresh = new Map<string, Entry>();
  for (const entry of entries) {
    if (!held.ids.has(entry.id) && !fresh.has(entry.id)) fresh.set(entry.id, entry);
  }
  const head = headOf(stream, held);
  if (fresh.size === 0) return { head, appended: 0 };
  if (head.position !== expected) {
    throw new RevisionConflictError(stream, expected, head.position);
  }
  return put(streams, stream, rowsAfter(head, [...fresh.values()]));
}

function put(streams: Streams, stream: string, rows: readonly Row[]): AppendResult {
  const held = streamIn(streams, stream);
  let head = headOf(stream, held);
  const events = rows.map((row) => {
    const event = recordedOf(row, head.position + 1, head.hash);
    head = headOfRow(row);
    return frozen(event);
  });
  for (const event of events) {
    held.events.push(event);
    held.ids.add(event.id);
  }
  streams.set(stream, held);
  return { head, appended: rows.length };
}

function storedRows(streams: Streams): StoredRows {
  return {
    async append(name, expected, rows) {
      const stream = streamName(name);
      const held = streamIn(streams, stream);
      const head = headOf(stream, held);
      if (!isSameHead(head, expected)) {
        const hashAt = (position: number) => hashIn(stream, held, position);
        return alreadyThere({ stream, name: 'the log in memory', head, hashAt }, expected, rows);
      }
      const result = put(streams, stream, rows);
      for (const row of rows) streamIn(streams, stream).carried.set(row[0], row);
      return result;
    },
    async *read(stream, from) {
      const held = streamIn(streams, stream);
      for (const batch of batches(held.events, held.events.length - 1, { from })) {
        yield batch.map((event) => {
          const { position } = event;
          const before = hashIn(stream, held, position - 1) ?? '';
          return held.carried.get(position) ?? rowOf(entryOf(event), position, before);
        });
      }
    },
  };
}

function hashIn(stream: string, held: Stream | undefined, position: number): string | undefined {
  return position < 0 ? genesisOf(stream) : held?.events[position]?.hash;
}

function headOf(stream: string, held: Stream | undefined): Head {
  const last = held?.events.at(-1);
  return { position: last?.position ?? -1, hash: last?.hash ?? genesisOf(stream) };
}

function* batches(events: readonly RecordedEvent[], last: number, options: ReadOptions = {}) {
  if (options.direction === 'backwards') {
    let end = Math.min(options.from ?? last, last) + 1;
    for (; end > 0; end -= BATCH_SIZE) {
      yield events.slice(Math.max(end - BATCH_SIZE, 0), end).reverse();
    }
  } else {
    let start = Math.max(options.from ?? 0, 0);
    for (; start <= last; start += BATCH_SIZE) {
      yield events.slice(start, Math.min(start + BATCH_SIZE, last + 1));
    }
  }
}

function frozen<T extends object>(value: T): T {
  for (const part of Object.values(value) as unknown[]) {
    if (typeof part === 'object' && part !== null) frozen(part);
  }
  return Object.freeze(value);
}
