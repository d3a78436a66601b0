/**
 * The shelf of a fork: it reads the segments of the log, and writes and removes none.
 *
 * @module
 */
import type { Packing } from './segment-bytes.ts';
import type { SegmentName, Shelf } from './shelf.ts';

export class ReadOnlyShelf implements Shelf {
  readonly #shelf: Shelf;

  constructor(shelf: Shelf) {
    this.#shelf = shelf;
  }

  get stream(): string {
    return this.#shelf.stream;
  }

  get rules(): string {
    return this.#shelf.rules;
  }

  get packing(): Packing {
    return this.#shelf.packing;
  }

  hashAt(position: number): string | undefined {
    return this.#shelf.hashAt(position);
  }

  list(): readonly SegmentName[] {
    return this.#shelf.list();
  }

  read(name: SegmentName): Uint8Array | null {
    return this.#shelf.read(name);
  }

  readBytes(name: SegmentName, from: number, to: number): Uint8Array<ArrayBuffer> | null {
    return this.#shelf.readBytes(name, from, to);
  }

  write(): boolean {
    return false;
  }

  remove(): void {}
}
