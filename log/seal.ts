/**
 * Sealing a log: what is in its file is ended there for good, and the next file goes on from its head.
 *
 * @module
 */
import { begin } from './patience.ts';
import { examine } from './sqlite-check.ts';
import { logError } from './sqlite-errors.ts';
import { createVolume } from './sqlite-file.ts';
import { createHeads } from './sqlite-format.ts';
import type { Volume } from './sqlite-volume.ts';
import { Volumes } from './sqlite-volumes.ts';
import { type Head, NotALogError } from './store.ts';
import { logOfVolume, volumeFile, volumeFiles } from './volume-files.ts';

export interface Seal {
  /** The file that is sealed now, and the one in which the log goes on. */
  readonly sealed: string;
  readonly next: string;
  /** Where each stream ended. */
  readonly heads: ReadonlyMap<string, Head>;
}

/**
 * Seals the newest volume of a log, which has to be intact, and begins the next. Null where there is
 * no event in it. Whoever has the log open goes on in the next volume with the next append or read.
 *
 * The next volume is there before the seal is, and counts only from then on: whatever happens in
 * between, the log is as it was, or sealed.
 *
 * Throws `NotALogError`, `CorruptLogError` or `StoreUnavailableError`.
 */
export function sealLog(log: string, timeout = 5000): Seal | null {
  const whole = logOfVolume(log);
  if (whole !== null) throw new NotALogError(`${log} is a volume of ${whole}: that can be sealed`);
  if (volumeFiles(log).length === 0) throw new NotALogError(`no log at ${log}`);
  const volumes = new Volumes(log, { readOnly: false, timeout });
  try {
    for (;;) {
      const volume = volumes.writable();
      const [damage] = examine([volume]).faults;
      if (damage !== undefined) throw damage;
      const next = volumeFile(log, volumes.newestNumber + 1).path;
      const heads = seal(volume, next, timeout);
      if (heads === 'overtaken') continue;
      return heads === null ? null : { sealed: volume.path, next, heads };
    }
  } catch (error) {
    throw logError(log, error);
  } finally {
    volumes.close();
  }
}

function seal(
  volume: Volume,
  next: string,
  timeout: number,
): ReadonlyMap<string, Head> | null | 'overtaken' {
  const { db } = volume;
  begin(db, timeout);
  try {
    if (volume.isSealed) return 'overtaken';
    const streams = volume.streams().map(({ name }) => name);
    if (streams.length === 0) return null;
    const names = new Set([...volume.anchors.keys(), ...streams]);
    const heads = new Map([...names].sort().map((name) => [name, volume.head(name)]));
    createVolume(next, heads);
    createHeads(db, 'seal', heads);
    db.exec('COMMIT');
    return heads;
  } finally {
    if (db.isTransaction) db.exec('ROLLBACK');
  }
}
