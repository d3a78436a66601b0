/**
 * A shelf in memory, whose files a test can look at, lose and spoil.
 *
 * @module
 */
import { hash } from 'node:crypto';
import type { Placed } from '../../events/vocabulary.ts';
import { packing } from '../../log/packing.ts';
import type { EventReader } from '../../projections/event-tail.ts';
import { decodeSegment } from '../../projections/index/segment-bytes.ts';
import type { SegmentName, Shelf } from '../../projections/index/shelf.ts';

export class MapShelf implements Shelf {
  readonly stream: string = 'host';
  rules = 'rules-1';
  readonly packing = packing;
  /** By the position of the first event, and how many there are. */
  readonly files = new Map<string, Uint8Array>();
  /** Names of what was written, and of what was taken away. */
  readonly written: string[] = [];
  readonly removed: string[] = [];
  hashes: Hashes;

  constructor(hashes: Hashes) {
    this.hashes = hashes;
  }

  hashAt(position: number): string | undefined {
    return this.hashes[position + 1];
  }

  list(): SegmentName[] {
    return [...this.files.keys()].map((name) => {
      const [first, count] = name.split('-').map(Number);
      return { first: first ?? 0, count: count ?? 0 };
    });
  }

  read(name: SegmentName): Uint8Array | null {
    return this.files.get(keyOf(name)) ?? null;
  }

  readBytes(name: SegmentName, from: number, to: number): Uint8Array<ArrayBuffer> | null {
    const bytes = this.read(name);
    return bytes === null ? null : new Uint8Array(bytes).slice(from, to);
  }

  write(name: SegmentName, bytes: Uint8Array): boolean {
    this.files.set(keyOf(name), bytes);
    this.written.push(keyOf(name));
    return true;
  }

  remove(name: SegmentName): void {
    this.files.delete(keyOf(name));
    this.removed.push(keyOf(name));
  }
}

/** The hash before the first event, and of each event. */
export type Hashes = readonly string[];

/** Chains events, from the one of the first position on; those before it are not here. */
export function hashesOf(events: readonly Placed[], before = 'genesis'): Hashes {
  const hashes = [before];
  for (const event of events) {
    hashes.push(hash('sha256', `${hashes.at(-1)}\n${JSON.stringify(event)}`).slice(0, 16));
  }
  return hashes;
}

/** Gives events by their position; the first has position 0. */
export function readerOf<E extends Placed>(events: readonly E[]): EventReader<E> {
  const at = (position: number) => {
    const event = events[position];
    if (event === undefined) throw new RangeError(`there is no event at position ${position}`);
    return event;
  };
  return {
    at,
    many: (positions) => positions.map(at),
    between: (first, last) => events.slice(first, last + 1),
  };
}

/** The first position and the number of events of each file, in order, after it has been read. */
export function spansOf({ files }: MapShelf): (readonly [first: number, count: number])[] {
  const stamps = [...files.values()].map((bytes) => decodeSegment(bytes, packing).stamp);
  return stamps.map(({ first, count }) => [first, count] as const).toSorted(([a], [b]) => a - b);
}

function keyOf({ first, count }: SegmentName): string {
  return `${first}-${count}`;
}
