/**
 * Opens the local replica of an engine: a file in the user's cache folder, another file, or memory.
 *
 * @module
 */
import { existsSync, renameSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, isAbsolute, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { DivergedError, type Engine, EngineBehindError } from './engine.ts';
import { sha256 } from './hash.ts';
import { memoryStore } from './memory.ts';
import { makePrivateFolder } from './private-files.ts';
import { replicaOf } from './replica.ts';
import { differenceOf } from './ship.ts';
import { logError } from './sqlite-errors.ts';
import { openSqliteStore } from './sqlite.ts';
import { engineOf } from './store-engine.ts';
import { CorruptLogError, NotALogError, type Store, StreamDeletedError } from './store.ts';
import { volumeFile, volumeFiles } from './volume-files.ts';

/** A replica that was not what the engine has, and was made anew. */
export interface RenewedReplica {
  readonly path: string;
  /** Where the file with the old content is now. */
  readonly kept: string;
  readonly reason: string;
}

interface ReplicaOptions {
  /** The path of the replica, or `:memory:`; null: in the cache folder. */
  readonly replica: string | null;
  readonly renewed: (replica: RenewedReplica) => void;
  /** How long, in ms, an engine may lack events that the replica has; left out: three seconds. */
  readonly patienceMs?: number;
}

/**
 * Opens the replica of an engine, which it creates if it is missing. A replica that differs from the
 * engine in a hash, or is damaged, is renamed, and made anew. So is one in the cache folder that has what
 * the engine has not, after some seconds: a leader that was chosen just now may not have all events yet.
 *
 * Rejects with `conflict` if another replica has what the engine has not, and as `openSqliteStore` and the
 * engine do. It has closed the engine then.
 */
export async function openReplica(
  engine: Engine,
  { replica, renewed, patienceMs = 3000 }: ReplicaOptions,
): Promise<Store> {
  try {
    const path = replica ?? cachePath(engine);
    if (path === MEMORY) return replicaOf(engine, memoryStore());
    if (replica === null) makeFolder(dirname(path));
    const reason = await disagreement(engine, path, patienceMs).catch((error: unknown) => {
      if (replica === null && error instanceof EngineBehindError) return error.message;
      throw error;
    });
    if (reason !== null) renewed({ path, kept: putAside(path), reason });
    return replicaOf(engine, openSqliteStore(path));
  } catch (error) {
    await engine.close();
    throw error;
  }
}

const MEMORY = ':memory:';

/**
 * The replica of an engine in the cache folder of the user. Its name is made of the engine's and of what
 * tells its log from others there. In memory if that is not known: no two logs share a file.
 */
function cachePath({ name, identity }: Engine): string {
  if (identity === null) return MEMORY;
  const cache = process.env['XDG_CACHE_HOME'] ?? '';
  const folder = isAbsolute(cache) ? cache : join(homedir(), '.cache');
  const legible = name.replace(/^[a-z\d+]*:\/\//, '').replaceAll(/[^\w.-]+/g, '-');
  const file = `${legible.slice(0, 64)}-${sha256(`${name}\n${identity}`).slice(0, 16)}.ledger`;
  return join(folder, 'vfio-ledger', 'replicas', file);
}

/**
 * Why the replica at a path is not what the engine has; null if it is, or if there is none. Rejects with
 * `EngineBehindError` if it only has more.
 */
async function disagreement(
  engine: Engine,
  path: string,
  patienceMs: number,
): Promise<string | null> {
  if (volumeFiles(path).length === 0) return null;
  try {
    const local = openSqliteStore(path);
    try {
      await checkAgrees(engine, local, patienceMs);
    } finally {
      await local.close();
    }
    return null;
  } catch (error) {
    if (error instanceof DivergedError || error instanceof CorruptLogError) return error.message;
    // A log of this release that a killed process had begun is opened again.
    if (error instanceof NotALogError && error.isUnbegun) return null;
    throw error;
  }
}

/** How many streams are asked for at the same time. */
const TOGETHER = 32;

/** Throws `DivergedError` or `EngineBehindError` unless the engine has the head of each stream of a log. */
async function checkAgrees(engine: Engine, local: Store, patienceMs: number): Promise<void> {
  const streams = [...(await local.streams())];
  await Promise.all(
    Array.from({ length: TOGETHER }, async () => {
      for (let stream = streams.pop(); stream !== undefined; stream = streams.pop()) {
        await checkHead(engine, local, { stream, patienceMs });
      }
    }),
  );
}

/** How often an engine is asked, until patience ends, whether it has the head of a replica by now. */
const LOOKS = 6;

async function checkHead(
  engine: Engine,
  local: Store,
  { stream, patienceMs }: { readonly stream: string; readonly patienceMs: number },
): Promise<void> {
  await local.head(stream);
  const target = engineOf(local, local.path ?? 'its replica');
  for (let looks = 0; ; looks++) {
    const difference = await differenceOf({ stream, source: engine, target }).catch(
      (error: unknown) => {
        // Damage in the engine is no reason to replace the replica: reading the stream meets it.
        if (error instanceof CorruptLogError || error instanceof StreamDeletedError) return null;
        throw error;
      },
    );
    if (difference === null) return;
    if (difference !== 'behind') throw difference;
    if (looks === LOOKS) throw new EngineBehindError(engine.name, stream, target.name);
    await setTimeout(patienceMs / LOOKS);
  }
}

/**
 * Renames the files of a log, so that another one can be made at its path. Returns the new path, at which
 * nothing was.
 */
function putAside(path: string): string {
  try {
    const kept = freePath(`${path}.replaced`);
    for (const { path: volume, number } of volumeFiles(path)) {
      const to = volumeFile(kept, number).path;
      for (const suffix of ['', '-wal', '-shm']) {
        if (existsSync(volume + suffix)) renameSync(volume + suffix, to + suffix);
      }
    }
    return kept;
  } catch (error) {
    throw logError(path, error);
  }
}

/** The path, or with a number after it, of which there is neither a volume nor a file of SQLite. */
function freePath(path: string): string {
  const isTaken = (at: string) =>
    volumeFiles(at).length > 0 || ['', '-wal', '-shm'].some((suffix) => existsSync(at + suffix));
  for (let count = 1; ; count++) {
    const free = count === 1 ? path : `${path}-${count}`;
    if (!isTaken(free)) return free;
  }
}

function makeFolder(path: string): void {
  try {
    makePrivateFolder(path);
  } catch (error) {
    throw logError(path, error);
  }
}
