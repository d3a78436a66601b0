/**
 * The logs that figures are taken on: written when they are first asked for, each but once.
 *
 * @module
 */
import { once } from 'node:events';
import { createWriteStream, existsSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { removeSegmentFiles } from '../log/segment-files.ts';
import { openSqliteStore } from '../log/sqlite.ts';
import { rulesVersion } from '../ledger/rules-version.ts';
import { besidesInChild, inChild } from './children.ts';
import type { LogKind } from './figure.ts';
import { batchesOf, type HostKind } from './hosts.ts';
import { type Notes, notesOf, readNotes, writeNotes } from './notes.ts';
import { ProgressLog } from './progress.ts';

/** The stream that is written. */
export const HOST = 'host';
/** Events in an append. */
const BATCH = 20_000;

const NAMES: Readonly<Record<HostKind, string>> = {
  whole: 'host',
  'boot unseen': 'unseen',
  'short boots': 'boots',
};

export class Logs {
  readonly #folder: string;

  /** In a folder that is kept for another run, logs are found that an earlier one has written. */
  constructor(folder: string) {
    this.#folder = folder;
  }

  /** The path of a log, opened once before by these rules, and what is known of it. */
  async at(of: LogKind): Promise<{ readonly path: string; readonly notes: Notes }> {
    const path = join(this.#folder, `${NAMES[of.host]}-${of.events}.ledger`);
    const known = readNotes(path);
    if (known?.rules === rulesVersion) return { path, notes: known };
    if (!(await isWritten(path, of))) await write(path, of);
    removeSegmentFiles(path);
    const { seconds, megabytes } = inChild('build', path);
    const notes = { ...notesOf(path), rules: rulesVersion, building: { seconds, megabytes } };
    writeNotes(path, notes);
    return { path, notes };
  }

  /** Writes logs before they are asked for, as many at a time as there are processors. */
  async prepare(wanted: readonly LogKind[]): Promise<void> {
    const left = wanted.toSorted((a, b) => b.events - a.events);
    const turn = async () => {
      for (let next = left.shift(); next !== undefined; next = left.shift()) {
        await besidesInChild('writeLog', this.#folder, next.host, next.events);
      }
    };
    await Promise.all(Array.from({ length: availableParallelism() }, turn));
  }

  /** The path of a file with the events of the whole host, a line of JSON each. */
  async lines(events: number): Promise<string> {
    const path = join(this.#folder, `host-${events}.jsonl`);
    if (existsSync(path)) return path;
    const part = `${path}.part`;
    const file = createWriteStream(part);
    const progress = new ProgressLog(path, events);
    let written = 0;
    for await (const batch of batchesOf('whole', events, BATCH)) {
      const text = batch.map((event) => `${JSON.stringify(event)}\n`).join('');
      if (!file.write(text)) await once(file, 'drain');
      progress.at((written += batch.length));
    }
    file.end();
    await once(file, 'close');
    renameSync(part, path);
    return path;
  }
}

/** Whether another run has written the log to its end. */
async function isWritten(path: string, { events }: LogKind): Promise<boolean> {
  if (!existsSync(path)) return false;
  const store = openSqliteStore(path, { readOnly: true });
  const { position } = await store.head(HOST);
  await store.close();
  return position === events - 1;
}

async function write(path: string, { host, events }: LogKind): Promise<void> {
  // What another run did not get to the end of.
  for (const name of readdirSync(dirname(path))) {
    if (!name.startsWith(basename(path))) continue;
    rmSync(join(dirname(path), name), { recursive: true });
  }
  const store = openSqliteStore(path);
  const progress = new ProgressLog(path, events);
  let { position } = await store.head(HOST);
  for await (const batch of batchesOf(host, events, BATCH)) {
    ({ position } = (await store.append(HOST, position, batch)).head);
    progress.at(position + 1);
  }
  await store.close();
}
