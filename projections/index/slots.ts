/**
 * Allocates rows of a `Standing`. A freed row is reused from the next event on.
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

/** Row numbers that are not in use. */
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

  /** Makes the released rows available; to be called after each event. */
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

/** The rows of files or of processes. */
export class Slots<K> {
  readonly #rows = new Map<K, number>();
  readonly #free = new FreeRows();

  /** Gives `keys` the rows 0, 1, 2 … */
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

  /** Frees the row of a key and returns it. Throws `RangeError` if the key has no row. */
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

/** The rows of holds, by their place: the process, and the descriptor or mapping. */
export class HoldRows {
  readonly #places = new Map<Process, Record<HoldPlace['via'], Map<number, HoldRow>>>();
  readonly #free = new FreeRows();
  /** Number of holds that the event being written has made. */
  taken = 0;

  /** Gives the places of `processes` the rows 0, 1, 2 … in the order of `placesOf`. */
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

  /** Frees the row of a place and returns it; undefined if nothing is held there. */
  free(place: HoldPlace): HoldRow | undefined {
    const at = this.#at(place);
    const hold = at.get(place.number);
    if (hold === undefined) return undefined;
    at.delete(place.number);
    this.#free.release(hold.row);
    return hold;
  }

  /** Drops the empty tables of a process that has ended. */
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

/** Every place at which a file is held, in the order of the rows of a new segment. */
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
