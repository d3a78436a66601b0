/**
 * `Spool`: holds events until they are appended to a log, in memory or, if many, in a private file.
 *
 * @module
 */
import {
  createReadStream,
  createWriteStream,
  fchmodSync,
  openSync,
  rmSync,
  type WriteStream,
} from 'node:fs';
import { once } from 'node:events';
import { join } from 'node:path';
import type { LedgerEvent } from '../events/vocabulary.ts';
import { blocksOf, LineBlocks, linesOf } from './source.ts';
import { makeTemporaryFolder } from './temporary-folder.ts';

/** The most events kept in memory, and in a batch. */
const BATCH = 1 << 16;
/** The most text of theirs, in characters. */
const BATCH_TEXT = 1 << 24;
/** The number of events that are written together. */
const WRITTEN = 1 << 10;

/** Events are added in order, and read once. The file is removed after that. */
export class Spool {
  /** Assumed events about the host, which come before the first line. */
  readonly preamble: LedgerEvent[] = [];
  /** The number of events; once they have been read, without the withdrawn ones. */
  length = 0;
  readonly #withdrawn = new Set<string>();
  #batch: LedgerEvent[] = [];
  /** The text in `#batch`, in characters. */
  #text = 0;
  #folder: string | null = null;
  #file: WriteStream | null = null;

  async add(event: LedgerEvent, isPreamble: boolean): Promise<void> {
    this.length++;
    if (isPreamble) {
      this.preamble.push(event);
      return;
    }
    this.#batch.push(event);
    this.#text += textIn(event.data);
    if (this.#batch.length >= BATCH || this.#text >= BATCH_TEXT) await this.#spill();
  }

  /** Leaves out the events with these ids, whenever they are added. None may be in the preamble. */
  withdraw(ids: readonly string[]): void {
    for (const id of ids) this.#withdrawn.add(id);
  }

  /** All events but the preamble, in batches. Can be called once. */
  async *batches(): AsyncGenerator<readonly LedgerEvent[]> {
    for await (const batch of this.#all()) {
      const kept = batch.filter(({ id }) => !this.#withdrawn.has(id));
      this.length -= batch.length - kept.length;
      yield kept;
    }
  }

  async *#all(): AsyncGenerator<readonly LedgerEvent[]> {
    try {
      if (this.#file !== null && this.#folder !== null) {
        this.#file.end();
        await once(this.#file, 'close');
        yield* batchesIn(join(this.#folder, 'events'));
      }
      yield this.#batch;
    } finally {
      await this.discard();
    }
  }

  /** All events in one list, if they are known to be few. */
  async all(): Promise<LedgerEvent[]> {
    const events = [...this.preamble];
    for await (const batch of this.batches()) for (const event of batch) events.push(event);
    return events;
  }

  /** Removes the file. */
  async discard(): Promise<void> {
    const folder = this.#folder;
    if (folder === null) return;
    this.#folder = null;
    if (this.#file !== null && !this.#file.closed) {
      this.#file.destroy();
      await once(this.#file, 'close');
    }
    rmSync(folder, { recursive: true, force: true });
  }

  async #spill(): Promise<void> {
    this.#folder ??= makeTemporaryFolder();
    this.#file ??= createWriteStream('', { fd: createFile(join(this.#folder, 'events')) });
    const batch = this.#batch;
    this.#batch = [];
    this.#text = 0;
    for (let at = 0; at < batch.length; at += WRITTEN) {
      const lines = batch.slice(at, at + WRITTEN).map((event) => `${JSON.stringify(event)}\n`);
      if (!this.#file.write(lines.join(''))) await once(this.#file, 'drain');
    }
  }
}

async function* batchesIn(path: string): AsyncGenerator<LedgerEvent[]> {
  let batch: LedgerEvent[] = [];
  let text = 0;
  for await (const block of blocksOf(createReadStream(path, 'utf8'), new LineBlocks(Infinity))) {
    for (const line of linesOf(block)) {
      batch.push(JSON.parse(line) as LedgerEvent);
      text += line.length;
      if (batch.length < BATCH && text < BATCH_TEXT) continue;
      yield batch;
      batch = [];
      text = 0;
    }
  }
  if (batch.length > 0) yield batch;
}

/** The number of characters of all texts in a value. */
function textIn(value: unknown): number {
  if (typeof value === 'string') return value.length;
  if (typeof value !== 'object' || value === null) return 0;
  let sum = 0;
  for (const inner of Object.values(value)) sum += textIn(inner);
  return sum;
}

/** A descriptor of a new file with mode 0600, whatever the umask. */
function createFile(path: string): number {
  const descriptor = openSync(path, 'wx', 0o600);
  // A umask can take the owner's own permissions away.
  fchmodSync(descriptor, 0o600);
  return descriptor;
}
