/**
 * The logs that figures are taken on: written when they are first asked for, each but once.
 *
 * @module
 */
import { once } from 'node:events';
import { createWriteStream, existsSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { LedgerEvent } from '../events/vocabulary.ts';
import { openSqliteStore } from '../log/sqlite.ts';
import { inChild } from './children.ts';
import { hostHistory } from './host.ts';
import { type Notes, readNotes, writeNotes } from './notes.ts';
import { ProgressLog } from './progress.ts';

/** The stream that is written. */
export const HOST = 'host';
/** Events in an append. */
const BATCH = 20_000;
/** Refusals whose positions are noted, at most. */
const NOTED = 5000;

export class Logs {
  readonly #folder: string;

  /** In a folder that is kept for another run, logs are found that an earlier one has written. */
  constructor(folder: string) {
    this.#folder = folder;
  }

  /** The path of a log of so many events, opened once before, and what is known of it. */
  async at(events: number): Promise<{ readonly path: string; readonly notes: Notes }> {
    const path = join(this.#folder, `host-${events}.ledger`);
    const known = readNotes(path);
    if (known !== null) return { path, notes: known };
    const positions = await write(path, events);
    const { seconds, megabytes } = inChild('build', path);
    const notes = { events, ...positions, building: { seconds, megabytes } };
    writeNotes(path, notes);
    return { path, notes };
  }

  /** The path of a file with the same events, a line of JSON each. */
  async lines(events: number): Promise<string> {
    const path = join(this.#folder, `host-${events}.jsonl`);
    if (existsSync(path)) return path;
    const part = `${path}.part`;
    const file = createWriteStream(part);
    const progress = new ProgressLog(path, events);
    let written = 0;
    for (const batch of batches(events)) {
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

/** Writes a log, and gives the positions that are worth a note. */
async function write(path: string, events: number): Promise<Pick<Notes, 'boots' | 'refusals'>> {
  // What another run did not get to the end of.
  for (const name of readdirSync(dirname(path))) {
    if (!name.startsWith(basename(path))) continue;
    rmSync(join(dirname(path), name), { recursive: true });
  }
  const store = openSqliteStore(path);
  const progress = new ProgressLog(path, events);
  const boots: number[] = [];
  const refusals: number[] = [];
  let { position } = await store.head(HOST);
  for (const batch of batches(events)) {
    for (const [index, { type }] of batch.entries()) {
      if (type === 'operation.refused') refusals.push(position + 1 + index);
      if (type === 'host.booted') boots.push(position + 1 + index);
    }
    ({ position } = (await store.append(HOST, position, batch)).head);
    progress.at(position + 1);
  }
  await store.close();
  const every = Math.ceil(refusals.length / NOTED);
  return { boots, refusals: refusals.filter((_, index) => index % every === 0) };
}

/** The first so many events of the host, `size` at a time. */
export function* batches(events: number, size = BATCH): Generator<readonly LedgerEvent[]> {
  let batch: LedgerEvent[] = [];
  for (const event of hostHistory(events)) {
    batch.push(event);
    if (batch.length < size) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}
