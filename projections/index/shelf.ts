/**
 * The shelf: a cache for segments, which each platform supplies.
 *
 * @module
 */
import type { Packing } from './segment-bytes.ts';

/** A cache for the segments of one stream. Everything on it can be rebuilt from the events. */
export interface Shelf {
  readonly stream: string;
  /** Version of the code that judges the events (`ledger/rules-version.ts`). */
  readonly rules: string;
  readonly packing: Packing;
  /** The hash of the event at a position, or right before the first; undefined after the last. */
  hashAt(position: number): string | undefined;
  /** The names of all stored segments, in no order. */
  list(): readonly SegmentName[];
  /** Null if there is no such segment. */
  read(name: SegmentName): Uint8Array | null;
  /** The bytes of a segment from one offset to another, as far as there are any; null if it has none. */
  readBytes(name: SegmentName, from: number, to: number): Uint8Array<ArrayBuffer> | null;
  /** False if it was not written; then an older segment of this name stays. */
  write(name: SegmentName, bytes: Uint8Array): boolean;
  remove(name: SegmentName): void;
}

/** A segment by the position of its first event and the number of its events. */
export interface SegmentName {
  readonly first: number;
  readonly count: number;
}
