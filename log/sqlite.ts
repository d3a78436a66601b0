/**
 * The store in SQLite files, with `node:sqlite`.
 *
 * @module
 */
import { followStore } from './following.ts';
import { entryOf, streamName } from './row.ts';
import { examine } from './sqlite-check.ts';
import { logError } from './sqlite-errors.ts';
import { BATCH_SIZE, batchAt, batchBackwards, batchForwards } from './sqlite-read.ts';
import type { Volume } from './sqlite-volume.ts';
import { Volumes } from './sqlite-volumes.ts';
import { type GroupCommit, groupCommit } from './sqlite-write.ts';
import {
  CorruptLogError,
  type Head,
  type LocalEvents,
  type ReadOptions,
  type RecordedEvent,
  type Store,
  type StoredRows,
  StoreUnavailableError,
} from './store.ts';

export interface SqliteOptions {
  /** Opens an existing log and changes neither it nor its folder. Default false. */
  readonly readOnly?: boolean;
  /** False: the log must exist. Default true. */
  readonly create?: boolean;
  /**
   * How long to wait for a lock of another process, in ms. It blocks this whole process. Default 5000:
   * appends and checkpoints take much less.
   */
  readonly busyTimeoutMs?: number;
}

/**
 * Opens the log at a path. Unless `readOnly` or `create: false`, creates it if the file is missing or
 * empty.
 *
 * Throws `NotALogError`, `CorruptLogError` or `StoreUnavailableError`.
 */
export function openSqliteStore(path: string, options: SqliteOptions = {}): Store {
  const { readOnly = false, create = true, busyTimeoutMs: timeout = 5000 } = options;
  const volumes = new Volumes(path, { readOnly, create, timeout });
  const writer = readOnly ? null : groupCommit(volumes);
  /** Streams whose end was checked: nothing may be appended to a stream that has lost its end. */
  const checked = new Set<string>();
  let isOpen = true;

  function writerOf(name: string): GroupCommit {
    if (writer === null) throw new StoreUnavailableError(`${path} is open for reading only`);
    if (!isOpen) throw new StoreUnavailableError(`${path} is closed`);
    if (!checked.has(name)) checkEnd(volumes, name);
    checked.add(name);
    return writer;
  }

  const { readRows, ...questions } = reading(volumes);
  return {
    ...questions,
    follow: (stream, from, signal) => followStore(questions, stream, from, signal),
    async append(stream, expected, events) {
      const [name, entries] = [streamName(stream), events.map(entryOf)];
      return writerOf(name).append(name, expected, entries);
    },
    rows: {
      async append(stream, expected, rows) {
        const name = streamName(stream);
        return writerOf(name).appendRows(name, expected, rows);
      },
      read: readRows,
    },
    async close() {
      if (!isOpen) return;
      isOpen = false;
      writer?.flush();
      volumes.close();
    },
  };
}

/** The reading half of a store. Each call looks at the volumes as they are then. */
function reading(
  volumes: Volumes,
): Omit<Store, 'append' | 'follow' | 'rows' | 'close'> & { readonly readRows: StoredRows['read'] } {
  const ask = <T>(question: (newest: Volume, all: readonly Volume[]) => T): T =>
    askVolumes(volumes, question);

  const originOf = (stream: string): Head =>
    ask((newest, [oldest]) => (oldest ?? newest).before(stream));

  /** The last position to read. If the end is damaged, a greater one: reading stops at the damage. */
  function lastPosition(stream: string, isLookedFor: boolean): number {
    try {
      return ask((newest) => {
        const { position } = newest.head(stream);
        // `endOf` reads the whole index of ids, and finds an end that was cut off.
        return isLookedFor ? Math.max(position, endOf(newest, stream)) : position;
      });
    } catch (error) {
      if (error instanceof CorruptLogError) return Number.MAX_SAFE_INTEGER;
      throw error;
    }
  }

  async function* forwards(stream: string, from: number) {
    const first = originOf(stream).position + 1;
    const last = lastPosition(stream, from <= first);
    for (let position = Math.max(from, first); position <= last;) {
      const { volume, next } = ask((_, all) => volumeWith(all, stream, position));
      const end = Math.min(last, next?.before(stream).position ?? last);
      const { events, rows, fault } = batchForwards(volume, stream, position, end);
      if (fault !== undefined && isGone(volume)) continue;
      if (events.length > 0) yield { events, rows };
      if (fault !== undefined) throw fault;
      position += events.length;
      if (next !== undefined) checkCrossing(events.at(-1), next.before(stream));
    }
  }

  async function* eventsForwards(stream: string, from: number) {
    for await (const { events } of forwards(stream, from)) yield events;
  }

  async function* rowsForwards(stream: string, from: number) {
    for await (const { rows } of forwards(stream, from)) yield rows;
  }

  async function* backwards(stream: string, from: number | undefined) {
    const last = ask((newest) => newest.head(stream)).position;
    const origin = originOf(stream).position;
    for (let position = Math.min(from ?? last, last); position > origin;) {
      const { volume } = ask((_, all) => volumeWith(all, stream, position));
      const { events, fault } = batchBackwards(volume, stream, position);
      if (fault !== undefined && isGone(volume)) continue;
      if (events.length > 0) yield events;
      if (fault !== undefined) throw fault;
      position -= events.length;
    }
  }

  /** Whether a volume was reopened during a read: a fault that the read met is then no damage. */
  function isGone(volume: Volume): boolean {
    return !ask((_, all) => all.includes(volume));
  }

  return {
    read(stream, { from, direction = 'forwards' }: ReadOptions = {}) {
      return direction === 'forwards' ? eventsForwards(stream, from ?? 0) : backwards(stream, from);
    },
    readRows: rowsForwards,
    async head(stream) {
      return ask((newest) => newest.head(stream));
    },
    async origin(stream) {
      return originOf(stream);
    },
    async missing() {
      return ask(() => volumes.missing);
    },
    async examine() {
      return ask((_, all) => examine(all));
    },
    async known(stream, ids) {
      return ask((_, all) => {
        return new Set(ids.filter((id) => all.some((volume) => volume.holds(stream, id))));
      });
    },
    path: volumes.log,
    local: localEvents(volumes),
    async streams() {
      return ask(streamsOf);
    },
  };
}

function streamsOf(newest: Volume): string[] {
  // A stream that does not begin at its first position is damage, not another host.
  const begun = newest.streams().filter(({ name, first }) => {
    const { position } = newest.before(name);
    return first === position + 1 && newest.head(name).position > position;
  });
  const names = [...newest.anchors.keys(), ...begun.map(({ name }) => name)];
  // If the table holds no event, the index of ids may still hold some.
  return [...new Set(names.length > 0 ? names : newest.indexedStreams())].sort();
}

/** Calls `question` with the volumes as they are now. Throws the errors of the contract. */
function askVolumes<T>(
  volumes: Volumes,
  question: (newest: Volume, all: readonly Volume[]) => T,
): T {
  return tell(volumes, () => {
    const all = volumes.list();
    return question(volumes.newest, all);
  });
}

/** Calls `act` and translates its errors to those of the contract. */
function tell<T>(volumes: Volumes, act: () => T): T {
  try {
    return act();
  } catch (error) {
    throw logError(volumes.log, error);
  }
}

/** The positions of a stream in a volume, and the head that the next volume continues from. */
interface Extent {
  readonly volume: Volume;
  readonly stream: string;
  readonly first: number;
  readonly end: number;
  readonly follows: Head | null;
}

function localEvents(volumes: Volumes): LocalEvents {
  let last: Extent | null = null;
  /** The span of a position. That of the last read is reused while its volume is still current. */
  const find = (stream: string, position: number) => {
    const isSame =
      last !== null &&
      last.stream === stream &&
      last.first <= position &&
      position <= last.end &&
      volumes.all.includes(last.volume) &&
      last.volume.state === 'same';
    if (isSame && last !== null) return last;
    const { volume, next } = volumeWith(volumes.list(), stream, position);
    const end = next?.before(stream).position ?? volume.head(stream).position;
    const follows = next?.before(stream) ?? null;
    last = { volume, stream, first: volume.before(stream).position + 1, end, follows };
    return last;
  };
  const isGone = (volume: Volume) => !askVolumes(volumes, (_, all) => all.includes(volume));
  return {
    *between(stream, first, end) {
      for (let position = first; position <= end;) {
        const at = position;
        const { volume, end: known, follows } = tell(volumes, () => find(stream, at));
        const to = Math.min(end, Math.max(known, at));
        const { events, fault } = batchForwards(volume, stream, position, to);
        if (fault !== undefined && isGone(volume)) continue;
        yield* events;
        if (fault !== undefined) throw fault;
        position += events.length;
        if (follows !== null) checkCrossing(events.at(-1), follows);
      }
    },
    *many(stream, positions) {
      for (let done = 0; done < positions.length;) {
        const [at = 0, ...more] = positions.slice(done, done + BATCH_SIZE);
        const { volume, end, follows } = tell(volumes, () => find(stream, at));
        const here = [at, ...more.filter((position) => position <= end)];
        const { events, fault } = batchAt(volume, stream, here);
        if (fault !== undefined && isGone(volume)) continue;
        yield* events;
        if (fault !== undefined) throw fault;
        done += events.length;
        if (follows !== null) checkCrossing(events.at(-1), follows);
      }
    },
    checkReaches(stream, position) {
      const head = askVolumes(volumes, (newest) => newest.head(stream));
      if (head.position < position) checkEnd(volumes, stream);
    },
    streams: () => askVolumes(volumes, streamsOf),
    extent: (stream) =>
      askVolumes(volumes, (newest, [oldest]) => {
        return { origin: (oldest ?? newest).before(stream), head: newest.head(stream) };
      }),
    hashAt(stream, position) {
      return askVolumes(volumes, (newest, all) => {
        const origin = (all[0] ?? newest).before(stream);
        if (position === origin.position) return origin.hash;
        if (position < origin.position || position > newest.head(stream).position) return undefined;
        return volumeWith(all, stream, position).volume.hashAt(stream, position);
      });
    },
  };
}

/**
 * Throws `CorruptLogError` if a stream has lost its end: the index of ids or the seal has later events.
 * Reads the whole index of ids.
 */
function checkEnd(volumes: Volumes, stream: string): void {
  askVolumes(volumes, (newest) => {
    // In this order: another process may append meanwhile.
    const end = endOf(newest, stream);
    const { position } = newest.head(stream);
    if (position < end) throw new CorruptLogError(position + 1, 'no event here');
  });
}

/** The last position of a stream by the index of ids and by the seal. */
function endOf(volume: Volume, stream: string): number {
  const sealed = volume.seal()?.get(stream)?.position ?? -1;
  return Math.max(volume.lastIndexed(stream), sealed);
}

/** The volume that holds a position, and the next one. Throws `CorruptLogError` if there is none. */
function volumeWith(
  volumes: readonly Volume[],
  stream: string,
  position: number,
): { readonly volume: Volume; readonly next: Volume | undefined } {
  const index = volumes.findLastIndex((found) => found.before(stream).position < position);
  const volume = volumes[index];
  if (volume === undefined) throw new CorruptLogError(position, 'no event here');
  return { volume, next: volumes[index + 1] };
}

/** Throws `CorruptLogError` if an event is the last of its volume, but not the head that the next has. */
function checkCrossing(event: RecordedEvent | undefined, { position, hash }: Head): void {
  if (event?.position !== position || event.hash === hash) return;
  throw new CorruptLogError(position, 'the next volume does not continue from this event');
}
