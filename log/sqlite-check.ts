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

/** Examines all volumes. Faults are ordered by position, one each; faults of a whole file come last. */
export function examine(volumes: readonly Volume[]): Examination {
  const faults = new Map<string, CorruptLogError>();
  const foreign: ForeignPart[] = [];
  const lostGuards: LostGuard[] = [];
  const add = (fault: CorruptLogError) => {
    const key = fault.position === null ? fault.message : String(fault.position);
    if (!faults.has(key)) faults.set(key, fault);
  };
  const look = (volume: Volume, act: () => void) => {
    try {
      act();
    } catch (error) {
      const fault = logError(volume.path, error);
      if (!(fault instanceof CorruptLogError)) throw fault;
      add(fault);
    }
  };
  for (const volume of volumes) {
    const { db, path } = volume;
    // A transaction sees one state, even if events are appended meanwhile.
    db.exec('BEGIN');
    try {
      look(volume, () => foreign.push(...foreignIn(db, path)));
      look(volume, () => {
        for (const fault of faultsOf(volume)) add(fault);
      });
      look(volume, () => {
        for (const guard of missingGuards(db)) lostGuards.push({ path, guard });
      });
    } finally {
      if (db.isTransaction) db.exec('ROLLBACK');
    }
  }
  const found = [...faults.values()];
  return {
    faults: found.toSorted((a, b) => (a.position ?? Infinity) - (b.position ?? Infinity)),
    foreign,
    lostGuards,
  };
}

function* faultsOf(volume: Volume): Generator<CorruptLogError> {
  const streams = volume.streams();
  for (const { name, first } of streams) yield* faultsOfStream(volume, name, first);
  for (const stream of volume.indexedStreams()) {
    if (streams.some(({ name }) => name === stream)) continue;
    yield new CorruptLogError(
      volume.before(stream).position + 1,
      `no event of stream '${stream}' here, but the index of ids has some`,
    );
  }
  for (const [stream, { position, hash }] of volume.seal() ?? []) {
    const head = volume.head(stream);
    if (head.position === position && head.hash === hash) continue;
    yield new CorruptLogError(
      position,
      `stream '${stream}' in ${volume.path} does not end with the head that was sealed`,
    );
  }
  const checked = volume.db.prepare(`PRAGMA integrity_check(${FINDINGS_MAX})`).all();
  for (const { integrity_check: finding } of checked) {
    if (finding !== 'ok') yield new CorruptLogError(null, `${volume.path}: ${String(finding)}`);
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
      `stream '${stream}' begins here in ${volume.path}, not at position ${begin}`,
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
