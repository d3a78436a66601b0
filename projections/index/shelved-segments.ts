/**
 * The segments on a shelf that fit the log: read whole or piece by piece, and written.
 *
 * @module
 */
import type { Built } from './builder.ts';
import { decodeSegment, encodeSegment, type Sealed, type SegmentSummary } from './segment-bytes.ts';
import { piecesIn, SegmentError, type PieceReader } from './segment-layout.ts';
import type { SegmentParts } from './segment-parts.ts';
import { makesSense } from './segment-sense.ts';
import type { SegmentName, Shelf } from './shelf.ts';

export class ShelvedSegments {
  readonly shelf: Shelf;
  /** Position of the first event of the log. */
  readonly #first: number;
  /** Names of segments that differ from the events and could not be replaced. */
  readonly #irreplaceable: ReadonlySet<string>;

  constructor(shelf: Shelf, first: number, irreplaceable: ReadonlySet<string>) {
    this.shelf = shelf;
    this.#first = first;
    this.#irreplaceable = irreplaceable;
  }

  /** The last segment before which there is no gap; null if there is none. */
  last(): Sealed | null {
    const names = this.shelf.list().toSorted((a, b) => b.first - a.first || b.count - a.count);
    for (const name of names) {
      const sealed = this.read(name);
      if (sealed !== null && isWithoutGap(sealed)) return sealed;
    }
    return null;
  }

  /** As `stored`, but null if it makes no sense; then it is removed as well. */
  read(name: SegmentName): Sealed | null {
    const stored = this.stored(name);
    if (stored === null || makesSense(stored)) return stored;
    this.shelf.remove(name);
    return null;
  }

  /** A segment; null if it is missing, damaged or of other events or rules. Of the last three it is removed. */
  stored(name: SegmentName): Sealed | null {
    const { shelf } = this;
    const bytes = this.#irreplaceable.has(keyOf(name)) ? null : shelf.read(name);
    if (bytes === null) return null;
    try {
      const sealed = decodeSegment(bytes, shelf.packing);
      if (this.#isOurs(sealed.stamp, name)) return sealed;
    } catch (error) {
      if (!(error instanceof SegmentError)) throw error;
    }
    shelf.remove(name);
    return null;
  }

  /** The pieces of a segment; null if it is missing, damaged or of other events or rules. */
  pieces(name: SegmentName): PieceReader | null {
    const { shelf } = this;
    if (this.#irreplaceable.has(keyOf(name))) return null;
    const pieces = piecesIn((from, to) => shelf.readBytes(name, from, to), shelf.packing);
    return pieces !== null && this.#isOurs(pieces.directory.stamp, name) ? pieces : null;
  }

  /** False if it was not written. */
  write({ listed, parts, end }: Omit<Sealed, 'stamp'>): boolean {
    const name = summaryOf(parts);
    const sealed = { stamp: this.stamp(name), listed, parts, end };
    return this.shelf.write(name, encodeSegment(sealed, this.shelf.packing));
  }

  /** The stamp of a segment that fits the log. */
  stamp({ first, count }: SegmentName): Sealed['stamp'] {
    const { stream, rules } = this.shelf;
    const before = this.shelf.hashAt(first - 1) ?? '';
    const after = this.shelf.hashAt(first + count - 1) ?? '';
    return { stream, rules, origin: this.#first, first, count, before, after };
  }

  #isOurs(stamp: Sealed['stamp'], name: SegmentName): boolean {
    return JSON.stringify(stamp) === JSON.stringify(this.stamp(name));
  }
}

export function summaryOf({
  first,
  length: count,
  times,
  lastBoot,
  start,
}: SegmentParts): SegmentSummary {
  return { first, count, earliest: times.earliest(), lastBoot, held: start.held };
}

/** A segment as if it were sealed on no shelf, to be compared. */
export function unshelved({ parts, end }: Built): Sealed {
  const { first, length: count } = parts;
  const stamp = { stream: '', rules: '', origin: 0, first, count, before: '', after: '' };
  return { stamp, listed: [], parts, end };
}

export function keyOf({ first, count }: SegmentName): string {
  return `${first}-${count}`;
}

/**
 * Whether the segments before it follow each other without a gap from the first event of the log.
 */
function isWithoutGap({ listed, stamp }: Sealed): boolean {
  let next = stamp.origin;
  for (const { first, count } of listed) {
    if (first !== next || !Number.isSafeInteger(count) || count < 1) return false;
    next += count;
  }
  return stamp.first === next;
}
