/**
 * Retention: removes or archives the oldest sealed volumes, and records in the log that they are gone.
 *
 * @module
 */
import { realpathSync, rmSync } from 'node:fs';
import { RequestError } from '../events/ledger-error.ts';
import type { LedgerEvent } from '../events/vocabulary.ts';
import { copyTo, isOneEntry, placeIn } from './archive.ts';
import { sha256 } from './hash.ts';
import { removeSegmentFiles } from './segment-files.ts';
import { logError } from './sqlite-errors.ts';
import { fold, syncFolder } from './sqlite-file.ts';
import { refuseForeign } from './sqlite-foreign.ts';
import { openSqliteStore } from './sqlite.ts';
import type { Volume } from './sqlite-volume.ts';
import { Volumes } from './sqlite-volumes.ts';
import { type Head, RevisionConflictError, type Store } from './store.ts';
import { behindLinks } from './volume-files.ts';

export interface RetentionOptions {
  /** The number of sealed volumes to keep. The newest volume, which is not sealed, is always kept. */
  readonly keep: number;
  /** The folder to move the others to. If left out, they are removed. */
  readonly archive?: string | undefined;
  /** The time of the removal, ISO 8601. */
  readonly at: string;
}

export interface Retained {
  /** Removed or archived files, oldest first. `to`: the path in the archive; null if removed. */
  readonly gone: readonly { readonly file: string; readonly to: string | null }[];
  /** Files beyond `keep` that were kept: they hold the current boot of a host, or later events. */
  readonly needed: readonly string[];
}

/**
 * Removes or archives the oldest sealed volumes. Volumes since the current boot of a host are kept:
 * without them, the present owners would be unknown.
 *
 * First the archive gets whole copies, then events record the removal, and only then files go: after a
 * crash the same call goes on where it ended. Rejects with `not-a-log`, `damaged`, or with
 * `unavailable` if a volume is in use, the newest one is missing, or the archive is full or holds
 * another file of the name; then the log has not changed.
 */
export async function retainLog(log: string, options: RetentionOptions): Promise<Retained> {
  const { keep, archive } = options;
  if (!Number.isInteger(keep) || keep < 0) {
    throw new RequestError(`'keep' is a number of files, not '${keep}'`);
  }
  const { leaving, needed, heads } = select(log, keep);
  if (leaving.length === 0) return { gone: [], needed };
  const moves = leaving.map((file) => {
    return { file, to: archive === undefined ? null : placeIn(archive, file) };
  });
  for (const { file } of moves) fold(file);
  for (const { file, to } of moves) if (to !== null) copyTo(to, file);
  const store = openSqliteStore(log, { create: false });
  try {
    const notes = [...heads].map(([stream, head]) => note(store, stream, head, options));
    await Promise.all(notes);
  } finally {
    await store.close();
  }
  for (const { file, to } of moves) remove(file, to);
  // Index segments must not outlive the events that they were made from.
  removeSegmentFiles(behindLinks(log));
  return { gone: moves, needed };
}

/** The files to remove or archive, those needed, and the heads at the end of the last one to go. */
function select(log: string, keep: number) {
  const volumes = new Volumes(log, { readOnly: true, timeout: 5000 });
  try {
    volumes.checkIsWhole();
    volumes.writable();
    const all = volumes.list();
    for (const { db, path } of all) refuseForeign(db, path);
    const sealed = all.slice(0, -1);
    const surplus = sealed.slice(0, Math.max(sealed.length - keep, 0));
    const index = surplus.findIndex((volume) => isNeeded(volume, all));
    const leaving = index < 0 ? surplus : surplus.slice(0, index);
    return {
      leaving: leaving.map(({ path }) => path),
      needed: surplus.slice(leaving.length).map(({ path }) => path),
      heads: leaving.at(-1)?.seal() ?? new Map<string, Head>(),
    };
  } finally {
    volumes.close();
  }
}

/** Whether the last boot of any host of the volume lies in this volume or before it. */
function isNeeded(volume: Volume, all: readonly Volume[]): boolean {
  return [...(volume.seal() ?? [])].some(([stream, { position }]) => {
    const boot = Math.max(...all.map((each) => each.lastBoot(stream) ?? -1));
    return boot <= position;
  });
}

/** Appends `history.removed` or `history.archived` to a stream: its events up to a head are gone. */
async function note(
  store: Store,
  stream: string,
  { position: to, hash: last }: Head,
  { archive, at }: RetentionOptions,
): Promise<void> {
  const type = archive === undefined ? 'history.removed' : 'history.archived';
  const id = sha256(`${type}\n${last}`).slice(0, 24);
  for (let expected = (await store.head(stream)).position; ;) {
    const time = await timeOfLast(store, stream);
    const event: LedgerEvent = { id, time, type, data: { to, hash: last, at } };
    try {
      await store.append(stream, expected, [event]);
      return;
    } catch (error) {
      if (!(error instanceof RevisionConflictError)) throw error;
      expected = error.actual;
    }
  }
}

/** The time of a stream's last event: the event of a removal has no time of its own. */
async function timeOfLast(store: Store, stream: string): Promise<string | null> {
  for await (const [last] of store.read(stream, { direction: 'backwards' })) {
    return last?.time ?? null;
  }
  return null;
}

/** Removes a volume; of one that is a symbolic link, also the file behind it, unless that is the copy. */
function remove(file: string, copy: string | null): void {
  try {
    const real = realpathSync(file);
    if (copy === null || !isOneEntry(real, copy)) rmSync(real);
    rmSync(file, { force: true });
    syncFolder(file);
  } catch (error) {
    throw logError(file, error);
  }
}
