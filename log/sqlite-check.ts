/**
 * Examines the files of a log: SQLite's own integrity check, and every event of every stream in both
 * trees of the file, the table and the index of ids.
 *
 * @module
 */
import { logError } from './sqlite-errors.ts';
import { foreignIn } from './sqlite-foreign.ts';
import { missingGuards } from './sqlite-format.ts';
import { batchForwards } from './sqlite-read.ts';
import type { Volume } from './sqlite-volume.ts';
import { CorruptLogError, type Examination, type ForeignPart, type LostGuard } from './store.ts';

/** SQLite's own check stops after this many findings. */
const FINDINGS_MAX = 20;

/** Damage, and the stream that it is in; null if it is in none. */
interface FaultIn {
  readonly stream: string | null;
  readonly fault: CorruptLogError;
}

/**
 * Examines all volumes. Faults are ordered by position, one each of a stream; faults of a whole file come
 * last. If the log has several streams, each fault names its own.
 */
export function examine(volumes: readonly Volume[]): Examination {
  const faults = new Map<string, FaultIn>();
  const foreign: ForeignPart[] = [];
  const lostGuards: LostGuard[] = [];
  const streams = new Set<string>();
  const add = ({ stream, fault }: FaultIn) => {
    if (stream !== null) streams.add(stream);
    const { position, message } = fault;
    const key = position === null ? message : JSON.stringify([stream, position]);
    if (!faults.has(key)) faults.set(key, { stream, fault });
  };
  const look = (volume: Volume, act: () => void) => {
    try {
      act();
    } catch (error) {
      const fault = logError(volume.path, error);
      if (!(fault instanceof CorruptLogError)) throw fault;
      add({ stream: null, fault });
    }
  };
  for (const volume of volumes) {
    const { db, path } = volume;
    // A transaction sees one state, even if events are appended meanwhile.
    db.exec('BEGIN');
    try {
      look(volume, () => foreign.push(...foreignIn(db, path)));
      look(volume, () => {
        for (const { name } of volume.streams()) streams.add(name);
        for (const found of faultsOf(volume)) add(found);
      });
      look(volume, () => {
        for (const guard of missingGuards(db)) lostGuards.push({ path, guard });
      });
    } finally {
      if (db.isTransaction) db.exec('ROLLBACK');
    }
  }
  const found = [...faults.values()].map(({ stream, fault }) => {
    return stream === null || streams.size < 2 ? fault : fault.ofHost(stream);
  });
  return {
    faults: found.toSorted((a, b) => (a.position ?? Infinity) - (b.position ?? Infinity)),
    foreign,
    lostGuards,
  };
}

function* faultsOf(volume: Volume): Generator<FaultIn> {
  const streams = volume.streams();
  for (const { name: stream, first } of streams) {
    for (const fault of faultsOfStream(volume, stream, first)) yield { stream, fault };
  }
  for (const stream of volume.indexedStreams()) {
    if (streams.some(({ name }) => name === stream)) continue;
    const position = volume.before(stream).position + 1;
    const reason = 'no event here, but the index of ids has some';
    yield { stream, fault: new CorruptLogError(position, reason) };
  }
  for (const [stream, { position, hash }] of volume.seal() ?? []) {
    const head = volume.head(stream);
    if (head.position === position && head.hash === hash) continue;
    const reason = `${volume.path} does not end with the head that was sealed`;
    yield { stream, fault: new CorruptLogError(position, reason) };
  }
  const checked = volume.db.prepare(`PRAGMA integrity_check(${FINDINGS_MAX})`).all();
  for (const { integrity_check: finding } of checked) {
    if (finding === 'ok') continue;
    const fault = new CorruptLogError(null, `${volume.path}: ${String(finding)}`);
    yield { stream: null, fault };
  }
}

function* faultsOfStream(
  volume: Volume,
  stream: string,
  first: number,
): Generator<CorruptLogError> {
  const begin = volume.before(stream).position + 1;
  if (first !== begin) {
    yield new CorruptLogError(
      first,
      `its events begin here in ${volume.path}, not at position ${begin}`,
    );
    return;
  }
  const last = Math.max(volume.head(stream).position, volume.lastIndexed(stream));
  for (let position = begin; position <= last;) {
    const { events, fault } = batchForwards(volume, stream, position, last);
    if (fault instanceof CorruptLogError) yield fault;
    if (fault !== undefined) return;
    position += events.length;
  }
}
