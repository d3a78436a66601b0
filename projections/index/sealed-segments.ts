/**
 * The sealed segments of a stream: on a shelf, where there is one, and in memory while they are used.
 *
 * What the shelf has lost, or gives back otherwise than it was written, is made anew from the events.
 *
 * @module
 */
import type { Placed } from '../../events/vocabulary.ts';
import { firstStart, SegmentBuilder, type Built, type SegmentStart } from './builder.ts';
import {
  decodeSegment,
  encodeSegment,
  SegmentError,
  type SegmentSummary,
  type Packing,
  type Sealed,
} from './seal.ts';
import { Segment, type SegmentParts } from './segment.ts';

/** Events of segments that are kept in memory although they could be read again. */
const LOADED_MAX = 12_000_000;

/** Where segments of one stream are kept. Nothing on it is the truth. */
export interface Shelf {
  readonly stream: string;
  /** Version of whatever has a part in the judging. */
  readonly rules: string;
  readonly packing: Packing;
  /** The hash at a position of the stream, also before its first event; undefined behind its end. */
  hashAt(position: number): string | undefined;
  /** The names of what is there, in no order. */
  list(): readonly SegmentName[];
  read(name: SegmentName): Uint8Array | null;
  /** May fail without a word, and then keeps what was there. */
  write(name: SegmentName, bytes: Uint8Array): boolean;
  remove(name: SegmentName): void;
}

/** A shelf of somebody else's. */
class ReadOnlyShelf implements Shelf {
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

  write(): boolean {
    return false;
  }

  remove(): void {}
}

export interface SegmentName {
  readonly first: number;
  readonly count: number;
}

/** Gives the events from one position to another, both included. */
export type EventsBetween = (first: number, last: number) => Iterable<Placed>;

/** A segment in its place; null while it is not in memory. */
interface CachedSegment {
  readonly listed: SegmentSummary;
  segment: Segment | null;
}

export class SealedSegments {
  readonly #first: number;
  readonly #events: EventsBetween;
  readonly #shelf: Shelf | null;
  readonly #entries: CachedSegment[];
  /** Those in memory that could be read again, the one used last at the end. */
  readonly #loaded = new Set<CachedSegment>();
  /** Their events. */
  #inMemory = 0;

  constructor(
    first: number,
    events: EventsBetween,
    shelf: Shelf | null,
    entries: readonly CachedSegment[] = [],
  ) {
    this.#first = first;
    this.#events = events;
    this.#shelf = shelf;
    this.#entries = [...entries];
  }

  get listed(): readonly SegmentSummary[] {
    return this.#entries.map(({ listed }) => listed);
  }

  get length(): number {
    return this.#entries.length;
  }

  /** The number of the segment that a position lies in; -1 where it lies in none. */
  indexAt(position: number): number {
    let [low, high] = [0, this.#entries.length - 1];
    while (low <= high) {
      const middle = (low + high) >>> 1;
      const { first, count } = this.listedAt(middle);
      if (position < first) high = middle - 1;
      else if (position >= first + count) low = middle + 1;
      else return middle;
    }
    return -1;
  }

  /** The segment of that number. */
  load(index: number): Segment {
    const entry = this.#entries[index];
    if (entry === undefined) throw new RangeError(`there is no segment ${index}`);
    entry.segment ??= new Segment((this.#read(entry.listed) ?? this.#mend(index)).parts);
    this.#keep(entry);
    return entry.segment;
  }

  /** Those before the segment of that number, to go on from otherwise: nothing is put on the shelf. */
  before(index: number): SealedSegments {
    const shelf = this.#shelf === null ? null : new ReadOnlyShelf(this.#shelf);
    return new SealedSegments(this.#first, this.#events, shelf, this.#entries.slice(0, index));
  }

  /** Adds a segment, and puts it on the shelf. */
  push({ parts, end }: Built): void {
    const isKept = this.#write({ listed: this.listed, parts, end });
    // Whoever builds millions of events asks about few of them: what is kept is read when it is asked for.
    this.#entries.push({ listed: listedOf(parts), segment: isKept ? null : new Segment(parts) });
  }

  /**
   * Takes over what lies on the shelf and still holds; gives the last of it, null where nothing does.
   * Short segments at the end that would fill a whole one are left to be made anew.
   */
  resume(whole: number): SegmentStart | null {
    const last = this.#lastOnShelf();
    if (last === null) return null;
    const all = [...last.listed, listedOf(last.parts)];
    const short = all.findLastIndex(({ count }) => count >= whole) + 1;
    const isWorn = sum(all.slice(short).map(({ count }) => count)) >= whole;
    const kept = isWorn ? all.slice(0, short) : all;
    for (const listed of kept) this.#entries.push({ listed, segment: null });
    if (!isWorn) return last.end;
    for (const listed of all.slice(short)) this.#shelf?.remove(listed);
    return short === 0 ? null : this.#endOf(short - 1);
  }

  #lastOnShelf(): Sealed | null {
    const names = this.#shelf?.list().toSorted((a, b) => b.first - a.first || b.count - a.count);
    for (const name of names ?? []) {
      const sealed = this.#read(name);
      if (sealed !== null && isWithoutGap(sealed)) return sealed;
    }
    return null;
  }

  /** What the shelf has under a name, if it is of these events and by these rules. */
  #read(name: SegmentName): Sealed | null {
    const shelf = this.#shelf;
    const bytes = shelf?.read(name) ?? null;
    if (shelf === null || bytes === null) return null;
    try {
      const sealed = decodeSegment(bytes, shelf.packing);
      const { stamp } = sealed;
      const isOurs = JSON.stringify(stamp) === JSON.stringify(this.#stamp(shelf, name));
      if (isOurs) return sealed;
    } catch (error) {
      if (!(error instanceof SegmentError)) throw error;
    }
    shelf.remove(name);
    return null;
  }

  #stamp(shelf: Shelf, { first, count }: SegmentName): Sealed['stamp'] {
    const { stream, rules } = shelf;
    const before = shelf.hashAt(first - 1) ?? '';
    const after = shelf.hashAt(first + count - 1) ?? '';
    return { stream, rules, origin: this.#first, first, count, before, after };
  }

  #write({ listed, parts, end }: Omit<Sealed, 'stamp'>): boolean {
    const shelf = this.#shelf;
    if (shelf === null) return false;
    const name = listedOf(parts);
    const stamp = this.#stamp(shelf, name);
    return shelf.write(name, encodeSegment({ stamp, listed, parts, end }, shelf.packing));
  }

  /** Judges the events of a segment again, and puts it back on the shelf. */
  #mend(index: number): Built {
    const { first, count } = this.listedAt(index);
    const start = index === 0 ? firstStart(first) : this.#endOf(index - 1);
    const builder = new SegmentBuilder(start);
    for (const event of this.#events(first, first + count - 1)) builder.take(event);
    const built = builder.finish();
    this.#write({ listed: this.listed.slice(0, index), ...built });
    return built;
  }

  /** Where the segment behind that of a number begins. */
  #endOf(index: number): SegmentStart {
    return (this.#read(this.listedAt(index)) ?? this.#mend(index)).end;
  }

  listedAt(index: number): SegmentSummary {
    const entry = this.#entries[index];
    if (entry === undefined) throw new RangeError(`there is no segment ${index}`);
    return entry.listed;
  }

  /** Lets go of those in memory that have not been used for long. */
  #keep(entry: CachedSegment): void {
    if (this.#shelf === null) return;
    if (!this.#loaded.delete(entry)) this.#inMemory += entry.listed.count;
    this.#loaded.add(entry);
    for (const oldest of this.#loaded) {
      if (this.#inMemory <= LOADED_MAX || oldest === entry) break;
      oldest.segment = null;
      this.#loaded.delete(oldest);
      this.#inMemory -= oldest.listed.count;
    }
  }
}

function listedOf({ journal, times, lastBoot, start }: SegmentParts): SegmentSummary {
  const { first, length: count } = journal;
  return { first, count, earliest: times.earliest(), lastBoot, held: start.held };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

/** Whether the segments before follow on each other from where the stream begins. */
function isWithoutGap({ listed, stamp }: Sealed): boolean {
  let next = stamp.origin;
  for (const { first, count } of listed) {
    if (first !== next) return false;
    next += count;
  }
  return stamp.first === next;
}
