/**
 * Which row of a standing belongs to what: rows are used again, but not within one event.
 *
 * @module
 */
import {
  TERMINAL,
  type FileId,
  type HoldPlace,
  type Process,
  type ProcessTable,
} from '../../processes/process-table.ts';

/** Numbers of rows, handed out and taken back. */
class FreeRows {
  #free: number[] = [];
  #freed: number[] = [];
  #next = 0;

  take(): number {
    return this.#free.pop() ?? this.#next++;
  }

  release(row: number): void {
    this.#freed.push(row);
  }

  /** Has rows that were released be used again. */
  reuse(): void {
    if (this.#freed.length === 0) return;
    for (const row of this.#freed) this.#free.push(row);
    this.#freed = [];
  }

  clear(): void {
    this.#free = [];
    this.#freed = [];
    this.#next = 0;
  }
}

/** The rows of files or processes. */
export class Slots<K> {
  readonly #rows = new Map<K, number>();
  readonly #free = new FreeRows();

  /** Rows 0 and up are those of `keys`. */
  constructor(keys: Iterable<K>) {
    for (const key of keys) this.take(key);
  }

  find(key: K): number | undefined {
    return this.#rows.get(key);
  }

  take(key: K): number {
    const row = this.#free.take();
    this.#rows.set(key, row);
    return row;
  }

  /** The row that a key had. Throws `RangeError` where it had none. */
  free(key: K): number {
    const row = this.#rows.get(key);
    if (row === undefined) throw new RangeError(`no row belongs to ${JSON.stringify(key)}`);
    this.#rows.delete(key);
    this.#free.release(row);
    return row;
  }

  reuse(): void {
    this.#free.reuse();
  }

  clear(): void {
    this.#rows.clear();
    this.#free.clear();
  }
}

interface HoldRow {
  readonly row: number;
  /** Its number among all holds since the first event. */
  readonly number: number;
}

/** The rows of holds, by the place that they are at. */
export class HoldRows {
  readonly #places = new Map<Process, Record<HoldPlace['via'], Map<number, HoldRow>>>();
  readonly #free = new FreeRows();
  /** Holds that were taken in the event that is being written. */
  taken = 0;

  /** Rows 0 and up are those of the places of `processes`. */
  constructor(processes: ProcessTable, numberOf: (row: number) => number) {
    for (const place of placesOf(processes)) {
      const row = this.#free.take();
      this.#at(place).set(place.number, { row, number: numberOf(row) });
    }
  }

  find(place: HoldPlace): HoldRow | undefined {
    return this.#at(place).get(place.number);
  }

  take(place: HoldPlace, number: number): number {
    this.taken++;
    const row = this.#free.take();
    this.#at(place).set(place.number, { row, number });
    return row;
  }

  free(place: HoldPlace): number | undefined {
    const at = this.#at(place);
    const row = at.get(place.number)?.row;
    if (row === undefined) return undefined;
    at.delete(place.number);
    this.#free.release(row);
    return row;
  }

  /** A process has ended, and holds nothing any more. */
  forget(process: Process): void {
    this.#places.delete(process);
  }

  reuse(): void {
    this.#free.reuse();
  }

  clear(): void {
    this.#places.clear();
    this.#free.clear();
  }

  #at({ process, via }: HoldPlace): Map<number, HoldRow> {
    let places = this.#places.get(process);
    if (places === undefined) {
      places = { fd: new Map(), mapping: new Map() };
      this.#places.set(process, places);
    }
    return places[via];
  }
}

/** Every place that a file is held at, in the order in which rows are numbered anew. */
export function* placesOf(
  processes: ProcessTable,
): Generator<HoldPlace & { readonly file: FileId }> {
  for (const process of processes.processes()) {
    for (const [number, { file }] of process.descriptors) {
      if (file !== TERMINAL) yield { process, via: 'fd', number, file };
    }
    for (const [number, file] of process.mappings) {
      if (file !== TERMINAL) yield { process, via: 'mapping', number, file };
    }
  }
}
