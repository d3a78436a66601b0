/**
 * Sealed volumes that leave: the oldest are removed or archived, whole, and the log says so.
 *
 * @module
 */
import { copyFileSync, existsSync, renameSync, rmSync, statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { RequestError } from '../events/ledger-error.ts';
import type { LedgerEvent } from '../events/vocabulary.ts';
import { hash } from 'node:crypto';
import { removeSegmentFiles } from './segment-files.ts';
import { logError } from './sqlite-errors.ts';
import { fold, syncFile, syncFolder } from './sqlite-file.ts';
import { openSqliteStore } from './sqlite.ts';
import type { Volume } from './sqlite-volume.ts';
import { Volumes } from './sqlite-volumes.ts';
import {
  type Head,
  NotALogError,
  RevisionConflictError,
  type Store,
  StoreUnavailableError,
} from './store.ts';
import { logOfVolume, volumeFiles } from './volume-files.ts';

export interface RetentionOptions {
  /** How many sealed volumes stay; the newest, which is not sealed, always does. */
  readonly keep: number;
  /** The folder that the others are moved to; they are removed where it is left out. */
  readonly archive?: string | undefined;
  /** When, ISO 8601. */
  readonly at: string;
}

export interface Retained {
  /** Files that are gone from beside the log, oldest first, and where each is now. */
  readonly gone: readonly { readonly file: string; readonly to: string | null }[];
  /** Files that would have gone, but are needed to know what is so now. */
  readonly needed: readonly string[];
}

/**
 * Lets the oldest sealed volumes go. Those that hold the boot of a host which is running, or what has
 * happened since, stay: without them nobody knows who owns what now.
 *
 * The log says so before it is so. Rejects with `not-a-log`, `damaged`, or with `unavailable`
 * where a volume is in use; then all is as it was.
 */
export async function retainLog(log: string, options: RetentionOptions): Promise<Retained> {
  const { keep, archive } = options;
  if (!Number.isInteger(keep) || keep < 0) {
    throw new RequestError(`'keep' is a number of files, not '${keep}'`);
  }
  const whole = logOfVolume(log);
  if (whole !== null) throw new NotALogError(`${log} is a volume of ${whole}`);
  if (volumeFiles(log).length === 0) throw new NotALogError(`no log at ${log}`);
  const { leaving, needed, heads } = select(log, keep);
  if (leaving.length === 0) return { gone: [], needed };
  const moves = leaving.map((file) => ({ file, to: destination(file, archive) }));
  for (const { file } of moves) fold(file);
  const store = openSqliteStore(log);
  try {
    const notes = [...heads].map(([stream, head]) => note(store, stream, head, options));
    await Promise.all(notes);
  } finally {
    await store.close();
  }
  for (const { file, to } of moves) move(log, file, to);
  // What was derived of events that are gone is to be gone with them.
  removeSegmentFiles(log);
  return { gone: moves, needed };
}

/** Which files are to leave, and the heads of the last of them. */
function select(log: string, keep: number) {
  const volumes = new Volumes(log, { readOnly: true, timeout: 5000 });
  try {
    const all = volumes.list();
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

/** Whether a host that is running booted in the volume, or before it. */
function isNeeded(volume: Volume, all: readonly Volume[]): boolean {
  return [...(volume.seal() ?? [])].some(([stream, { position }]) => {
    const boot = Math.max(...all.map((each) => each.lastBoot(stream) ?? -1));
    return boot <= position;
  });
}

function destination(file: string, archive: string | undefined): string | null {
  if (archive === undefined) return null;
  if (!isFolder(archive)) throw new StoreUnavailableError(`there is no folder ${archive}`);
  const to = join(archive, basename(file));
  if (!existsSync(to)) return to;
  throw new StoreUnavailableError(`${to} is there already`);
}

function isFolder(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
  } catch (error) {
    throw logError(path, error);
  }
}

/** Appends to a stream that its events up to a head are gone from here. */
async function note(
  store: Store,
  stream: string,
  { position: to, hash: last }: Head,
  { archive, at }: RetentionOptions,
): Promise<void> {
  const type = archive === undefined ? 'history.removed' : 'history.archived';
  const id = hash('sha256', `${type}\n${last}`).slice(0, 24);
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

/** An event without a time of its own has that of the one before it. */
async function timeOfLast(store: Store, stream: string): Promise<string | null> {
  for await (const [last] of store.read(stream, { direction: 'backwards' })) {
    return last?.time ?? null;
  }
  return null;
}

function move(log: string, file: string, to: string | null): void {
  try {
    if (to === null) rmSync(file);
    else transfer(file, to);
    syncFolder(file);
  } catch (error) {
    throw logError(log, error);
  }
}

function transfer(file: string, to: string): void {
  try {
    renameSync(file, to);
  } catch (error) {
    // Into another file system.
    if (!(error instanceof Error && 'code' in error && error.code === 'EXDEV')) throw error;
    copyFileSync(file, to);
    syncFile(resolve(to));
    syncFolder(to);
    rmSync(file);
  }
}
