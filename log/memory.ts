/**
 * A store in memory, for tests and for answers about evidence that is not kept.
 *
 * @module
 */
import { genesisOf } from './hash.ts';
import { type Entry, entryOf, recordedOf, rowOf, streamName } from './row.ts';
import {
  type AppendResult,
  type Head,
  type ReadOptions,
  type RecordedEvent,
  RevisionConflictError,
  type Store,
} from './store.ts';

interface Stream {
  readonly events: RecordedEvent[];
  readonly ids: Set<string>;
}

const BATCH_SIZE = 1024;

/** Creates an empty log that ends with the process. Its events are frozen and shared by all readers. */
export function memoryStore(): Store {
  const streams = new Map<string, Stream>();

  function append(stream: string, expected: number, entries: readonly Entry[]): AppendResult {
    const held = streams.get(stream) ?? { events: [], ids: new Set() };
    const fresh = new Map<string, Entry>();
    for (const entry of entries) {
      if (!held.ids.has(entry.id) && !fresh.has(entry.id)) fresh.set(entry.id, entry);
    }
    let head = headOf(stream, held);
    if (fresh.size === 0) return { head, appended: 0 };
    if (head.position !== expected) {
      throw new RevisionConflictError(stream, expected, head.position);
    }
    for (const entry of fresh.values()) {
      const row = rowOf(entry, head.position + 1, head.hash);
      const event = recordedOf(row, head.position + 1, head.hash);
      held.events.push(frozen(event));
      held.ids.add(entry.id);
      head = { position: event.position, hash: event.hash };
    }
    streams.set(stream, held);
    return { head, appended: fresh.size };
  }

  const names = () => [...streams.keys()].sort();

  return {
    async append(stream, expected, events) {
      return append(streamName(stream), expected, events.map(entryOf));
    },
    async *read(stream, options) {
      const events = streams.get(stream)?.events ?? [];
      yield* batches(events, events.length - 1, options);
    },
    async head(stream) {
      return headOf(stream, streams.get(stream));
    },
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
    local: {
      between: (stream, first, last) => streams.get(stream)?.events.slice(first, last + 1) ?? [],
      many: (stream, positions) => {
        const events = streams.get(stream)?.events ?? [];
        return positions.flatMap((position) => events[position] ?? []);
      },
      checkReaches() {},
      hashAt: (stream, position) =>
        position < 0 ? genesisOf(stream) : streams.get(stream)?.events[position]?.hash,
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
