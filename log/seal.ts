/**
 * Sealing: ends the newest volume of a log for good and starts the next one from its heads.
 *
 * @module
 */
import { begin } from './patience.ts';
import { examine } from './sqlite-check.ts';
import { logError } from './sqlite-errors.ts';
import { createVolume } from './sqlite-file.ts';
import { refuseForeign } from './sqlite-foreign.ts';
import { createHeads } from './sqlite-format.ts';
import type { Volume } from './sqlite-volume.ts';
import { Volumes } from './sqlite-volumes.ts';
import type { Head } from './store.ts';
import { volumeFile } from './volume-files.ts';

export interface Seal {
  /** The path of the sealed volume, and that of the new one. */
  readonly sealed: string;
  readonly next: string;
  /** The head of each stream at the end of the sealed volume. */
  readonly heads: ReadonlyMap<string, Head>;
}

/**
 * Seals the newest volume of a log and starts the next one; if the log is a symbolic link, beside the
 * file behind it. Null if the volume holds no event. Processes that have the log open continue in the
 * next volume with their next append or read.
 *
 * The next volume is created before the seal is committed, and is part of the log only after it. So a
 * crash leaves the log either as it was or sealed.
 *
 * `timeout` is for locks, in ms. Throws `NotALogError`, `CorruptLogError` if the volume is damaged, or
 * `StoreUnavailableError`.
 */
export function sealLog(log: string, timeout = 5000): Seal | null {
  const volumes = new Volumes(log, { readOnly: false, create: false, timeout });
  try {
    for (;;) {
      const volume = volumes.writable();
      const [damage] = examine([volume]).faults;
      if (damage !== undefined) throw damage;
      const next = volumeFile(volumes.log, volumes.newestNumber + 1).path;
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
    refuseForeign(db, volume.path);
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
