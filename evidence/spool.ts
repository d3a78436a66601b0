/**
 * `Spool`: holds events until they are appended to a log, in memory or, if many, in a private file.
 *
 * @module
 */
import {
  createReadStream,
  createWriteStream,
  mkdtempSync,
  rmSync,
  type WriteStream,
} from 'node:fs';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LedgerEvent } from '../events/vocabulary.ts';

/** The number of events kept in memory, and in a batch. */
const BATCH = 1 << 16;

/** Events are added in order, and read once. The file is removed after that. */
export class Spool {
  /** Assumed events about the host, which come before the first line. */
  readonly preamble: LedgerEvent[] = [];
  /** The number of events; once they have been read, without the withdrawn ones. */
  length = 0;
  readonly #withdrawn = new Set<string>();
  #batch: LedgerEvent[] = [];
  #folder: string | null = null;
  #file: WriteStream | null = null;

  async add(event: LedgerEvent, isPreamble: boolean): Promise<void> {
    this.length++;
    if (isPreamble) {
      this.preamble.push(event);
      return;
    }
    this.#batch.push(event);
    if (this.#batch.length >= BATCH) await this.#spill();
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
        const { createInterface } = await import('node:readline');
        let batch: LedgerEvent[] = [];
        for await (const line of createInterface(createReadStream(join(this.#folder, 'events')))) {
          batch.push(JSON.parse(line) as LedgerEvent);
          if (batch.length < BATCH) continue;
          yield batch;
          batch = [];
        }
        if (batch.length > 0) yield batch;
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
    this.#folder ??= mkdtempSync(join(tmpdir(), 'vfio-ledger-'));
    this.#file ??= createWriteStream(join(this.#folder, 'events'), { mode: 0o600 });
    const text = this.#batch.map((event) => `${JSON.stringify(event)}\n`).join('');
    this.#batch = [];
    if (!this.#file.write(text)) await once(this.#file, 'drain');
  }
}
