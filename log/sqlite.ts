/**
 * A log in files: SQLite as Node brings it.
 *
 * @module
 */
import { entryOf, streamName } from './row.ts';
import { examine } from './sqlite-check.ts';
import { logError } from './sqlite-errors.ts';
import { batchBackwards, batchForwards } from './sqlite-read.ts';
import type { Volume } from './sqlite-volume.ts';
import { Volumes } from './sqlite-volumes.ts';
import { groupCommit } from './sqlite-write.ts';
import {
  CorruptLogError,
  type Head,
  type NearEvents,
  type ReadOptions,
  type RecordedEvent,
  type Store,
  StoreUnavailableError,
} from './store.ts';

export interface SqliteOptions {
  /** Opens an existing log and leaves it, its folder and its companions untouched. */
  readonly readOnly?: boolean;
  /** False where the log must exist. */
  readonly create?: boolean;
  /**
   * How long to wait for a lock that another process holds; all else in this process waits too.
   * 5000 when left out: appends and checkpoints take much less.
   */
  readonly busyTimeoutMs?: number;
}

/**
 * Opens the log at the path; unless `readOnly` or `create: false`, creates it where there is no file or
 * an empty one.
 *
 * Throws `NotALogError`, `CorruptLogError` or `StoreUnavailableError`.
 */
export function openSqliteStore(path: string, options: SqliteOptions = {}): Store {
  const { readOnly = false, create = true, busyTimeoutMs: timeout = 5000 } = options;
  const volumes = new Volumes(path, { readOnly, create, timeout });
  const writer = readOnly ? null : groupCommit(volumes);
  let isOpen = true;
  return {
    ...reading(volumes, readOnly),
    async append(stream, expected, events) {
      if (writer === null) throw new StoreUnavailableError(`${path} is open for reading only`);
      if (!isOpen) throw new StoreUnavailableError(`${path} is closed`);
      return writer.append(streamName(stream), expected, events.map(entryOf));
    },
    async close() {
      if (!isOpen) return;
      isOpen = false;
      writer?.flush();
      volumes.close();
    },
  };
}

/** Questions to the volumes as they are at that moment. */
function reading(volumes: Volumes, readOnly: boolean): Omit<Store, 'append' | 'close'> {
  /** Streams whose end has been looked for: nothing may be appended where one has been lost. */
  const checked = new Set<string>();
  const ask = <T>(question: (newest: Volume, all: readonly Volume[]) => T): T =>
    askVolumes(volumes, question);

  const originOf = (stream: string): Head =>
    ask((newest, [oldest]) => (oldest ?? newest).before(stream));

  /** The last position that there ought to be. A log whose end is damaged is read as far as it goes. */
  function lastPosition(stream: string, isLookedFor: boolean): number {
    try {
      return ask((newest) => {
        const { position } = newest.head(stream);
        // Takes a while, and finds an end that is no longer where it was.
        return isLookedFor ? Math.max(position, endOf(newest, stream)) : position;
      });
    } catch (error) {
      if (error instanceof CorruptLogError) return Number.MAX_SAFE_INTEGER;
      throw error;
    }
  }

  async function* forwards(stream: string, from: number) {
    const first = originOf(stream).position + 1;
    const last = lastPosition(stream, from <= first || !(readOnly || checked.has(stream)));
    checked.add(stream);
    for (let position = Math.max(from, first); position <= last;) {
      const { volume, next } = ask((_, all) => volumeWith(all, stream, position));
      const end = Math.min(last, next?.before(stream).position ?? last);
      const { events, fault } = batchForwards(volume, stream, position, end);
      if (fault !== undefined && isGone(volume)) continue;
      if (events.length > 0) yield events;
      if (fault !== undefined) throw fault;
      position += events.length;
      if (next !== undefined && position > end) checkCrossing(events.at(-1), next.before(stream));
    }
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

  /** Whether the file has moved on beneath a read: what it met is then no fault of the log's. */
  function isGone(volume: Volume): boolean {
    return !ask((_, all) => all.includes(volume));
  }

  return {
    read(stream, { from, direction = 'forwards' }: ReadOptions = {}) {
      return direction === 'forwards' ? forwards(stream, from ?? 0) : backwards(stream, from);
    },
    async head(stream) {
      return ask((newest) => newest.head(stream));
    },
    async origin(stream) {
      return originOf(stream);
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
    near: nearEvents(volumes),
    async streams() {
      return ask((newest) => {
        // Events that stand under a name without those before them are damage, not another host.
        const begun = newest.streams().filter(({ name, first }) => {
          const { position } = newest.before(name);
          return first === position + 1 && newest.head(name).position > position;
        });
        const names = [...newest.anchors.keys(), ...begun.map(({ name }) => name)];
        // Where there is not one event the index may know of some.
        return [...new Set(names.length > 0 ? names : newest.indexedStreams())].sort();
      });
    },
  };
}

/** A question to the volumes as they are at that moment. */
function askVolumes<T>(
  volumes: Volumes,
  question: (newest: Volume, all: readonly Volume[]) => T,
): T {
  return tell(volumes, () => {
    const all = volumes.list();
    return question(volumes.newest, all);
  });
}

/** Has an error be told in the words of the log. */
function tell<T>(volumes: Volumes, act: () => T): T {
  try {
    return act();
  } catch (error) {
    throw logError(volumes.log, error);
  }
}

/** Where a stream lies in a volume, and the head that the next volume goes on from. */
interface Extent {
  readonly volume: Volume;
  readonly stream: string;
  readonly first: number;
  readonly end: number;
  readonly follows: Head | null;
}

function nearEvents(volumes: Volumes): NearEvents {
  let last: Extent | null = null;
  /** As long as the volume of the last read is there, and was not left behind, it is asked again. */
  const find = (stream: string, position: number) => {
    const isSame =
      last !== null &&
      last.stream === stream &&
      last.first <= position &&
      position <= last.end &&
      volumes.all.includes(last.volume) &&
      !last.volume.isOutdated;
    if (isSame && last !== null) return last;
    const { volume, next } = volumeWith(volumes.list(), stream, position);
    const end = next?.before(stream).position ?? volume.head(stream).position;
    const follows = next?.before(stream) ?? null;
    last = { volume, stream, first: volume.before(stream).position + 1, end, follows };
    return last;
  };
  return {
    *between(stream, first, end) {
      for (let position = first; position <= end;) {
        const at = position;
        const { volume, end: known, follows } = tell(volumes, () => find(stream, at));
        const to = Math.min(end, Math.max(known, at));
        const { events, fault } = batchForwards(volume, stream, position, to);
        const isGone = () => !askVolumes(volumes, (_, all) => all.includes(volume));
        if (fault !== undefined && isGone()) continue;
        yield* events;
        if (fault !== undefined) throw fault;
        position += events.length;
        if (follows !== null && position > known) checkCrossing(events.at(-1), follows);
      }
    },
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

/** Where a stream ought to end, as its index and its seal know it. */
function endOf(volume: Volume, stream: string): number {
  const sealed = volume.seal()?.get(stream)?.position ?? -1;
  return Math.max(volume.lastIndexed(stream), sealed);
}

/** The volume that a position lies in, and the one after it. */
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

function checkCrossing(event: RecordedEvent | undefined, { position, hash }: Head): void {
  if (event === undefined || event.hash === hash) return;
  throw new CorruptLogError(position, 'the next log does not go on from this event');
}
