/**
 * Stores the sealed segments of a stream: on a shelf if there is one, and in memory while in use.
 *
 * A segment that is missing on the shelf, damaged, or of other events or rules is rebuilt from the
 * events.
 *
 * @module
 */
import type { Placed } from '../../events/vocabulary.ts';
import { firstStart, SegmentBuilder, type Built, type SegmentStart } from './builder.ts';
import type { HandOvers } from './hand-overs.ts';
import { encodeSegment, type SegmentSummary, type Sealed } from './segment-bytes.ts';
import type { SegmentHands } from './segment-hands.ts';
import type { Shelf } from './shelf.ts';
import { ReadOnlyShelf } from './read-only-shelf.ts';
import { RecentlyUsed } from './recently-used.ts';
import { Segment } from './segment.ts';
import { differenceOf, type ReplacedDifference } from './segment-difference.ts';
import { areBlocks, isSensible } from './segment-sense.ts';
import { keyOf, ShelvedSegments, summaryOf, unshelved } from './shelved-segments.ts';
import { handsIn, StoredParts, type ReadPart } from './stored-parts.ts';

/** Bytes of whole segments kept in memory, if they can be built again. */
const SEGMENTS_MAX = 2 ** 25;
/** Bytes of parts that were read from files. */
const PARTS_MAX = 2 ** 26;
/** Bytes of names, and of hands on groups that were asked about, kept in memory. */
const HANDS_MAX = 2 ** 26;

/** Reads the events from one position to another, both included. */
export type EventsBetween = (first: number, last: number) => Iterable<Placed>;

/** A segment, by which what is in memory of it is found. A log and its forks share it. */
interface SegmentEntry {
  /** Its key among the parts that were read. */
  key: number;
  listed: SegmentSummary;
  /** False for a segment of a fork: the log may have another one of that name on the shelf. */
  isOnShelf: boolean;
}

/** What a log and its forks share. */
interface Shared {
  readonly segments: RecentlyUsed<SegmentEntry, Segment>;
  readonly parts: RecentlyUsed<string, ReadPart>;
  readonly hands: RecentlyUsed<SegmentEntry, SegmentHands>;
  /** Names of segments on the shelf that differ from the events and could not be replaced. */
  readonly irreplaceable: Set<string>;
}

/** The log that is cut into segments. */
interface SegmentedLog {
  /** Position of its first event. */
  readonly first: number;
  readonly events: EventsBetween;
  readonly shelf: Shelf | null;
  /** Events of a whole segment. */
  readonly whole: number;
}

let keys = 0;

export class SealedSegments {
  readonly whole: number;
  readonly #log: SegmentedLog;
  readonly #shelved: ShelvedSegments | null;
  readonly #entries: SegmentEntry[];
  readonly #shared: Shared;

  constructor(
    log: SegmentedLog,
    entries: readonly SegmentEntry[] = [],
    shared: Shared | null = null,
  ) {
    const { first, shelf, whole } = log;
    this.whole = whole;
    this.#log = log;
    this.#entries = [...entries];
    this.#shared = shared ?? {
      // Without a shelf, nothing can be read again.
      segments: new RecentlyUsed(shelf === null ? Infinity : SEGMENTS_MAX),
      parts: new RecentlyUsed(PARTS_MAX),
      hands: new RecentlyUsed(HANDS_MAX),
      irreplaceable: new Set(),
    };
    const { irreplaceable } = this.#shared;
    this.#shelved = shelf && new ShelvedSegments(shelf, first, irreplaceable);
  }

  get listed(): readonly SegmentSummary[] {
    return this.#entries.map(({ listed }) => listed);
  }

  get length(): number {
    return this.#entries.length;
  }

  /** The index of the segment with the event at a position; -1 if no segment has it. */
  indexAt(position: number): number {
    let [low, high] = [0, this.length - 1];
    while (low <= high) {
      const middle = (low + high) >>> 1;
      const { first, count } = this.listedAt(middle);
      if (position < first) high = middle - 1;
      else if (position >= first + count) low = middle + 1;
      else return middle;
    }
    return -1;
  }

  /** The segment at an index, read from the shelf or rebuilt. Throws `RangeError`. */
  load(index: number): Segment {
    const entry = this.#entryAt(index);
    const { segments } = this.#shared;
    const loaded = segments.get(entry);
    if (loaded !== undefined) return loaded;
    const segment = new Segment(this.#storedParts(index) ?? this.#mend(index).parts);
    segments.set(entry, segment);
    return segment;
  }

  /** The hand-overs of the segment at an index. Throws `RangeError`. */
  handOversOf(index: number): HandOvers {
    return this.load(index).parts.handOvers;
  }

  /** The hands of the segment at an index, read without the rest of it. Throws `RangeError`. */
  handsOf(index: number): SegmentHands {
    const entry = this.#entryAt(index);
    const read = this.#shared.hands.get(entry);
    if (read !== undefined) return read;
    const segment = this.load(index);
    const { parts } = segment;
    const hands = parts instanceof StoredParts ? handsIn(parts) : segment.hands;
    this.#shared.hands.set(entry, hands);
    return hands;
  }

  /** The segments before an index, for a fork: nothing is written to the shelf. */
  before(index: number): SealedSegments {
    const shelf = this.#log.shelf && new ReadOnlyShelf(this.#log.shelf);
    const entries = this.#entries.slice(0, index);
    return new SealedSegments({ ...this.#log, shelf }, entries, this.#shared);
  }

  /** Adds a segment and writes it to the shelf. */
  push({ parts, end }: Built): void {
    const isOnShelf = this.#shelved?.write({ listed: this.listed, parts, end }) ?? false;
    const entry = { key: keys++, listed: summaryOf(parts), isOnShelf };
    // A build of millions of events is followed by questions about few: read them back on demand.
    if (!isOnShelf) this.#shared.segments.set(entry, new Segment(parts));
    this.#entries.push(entry);
  }

  /**
   * Puts a segment that was built from its events again in the place of the one at an index.
   * Returns where that one differed; null if it did not, or was missing.
   */
  replace(index: number, { parts, end }: Built): ReplacedDifference | null {
    const entry = this.#entryAt(index);
    const { segments, irreplaceable } = this.#shared;
    const name = summaryOf(parts);
    entry.listed = name;
    const inMemory = segments.get(entry)?.parts;
    this.#forget(entry);
    const listed = this.listed.slice(0, index);
    const shelved = this.#shelved;
    if (shelved === null) {
      segments.set(entry, new Segment(parts));
      const built = unshelved({ parts, end });
      const difference = inMemory ? differenceOf({ ...built, parts: inMemory }, built) : null;
      return difference && { ...difference, isReplaced: true };
    }
    const built = { stamp: shelved.stamp(name), listed, parts, end };
    const isKept = inMemory !== undefined && !inMemory.isRead;
    const inUse = isKept ? differenceOf({ ...built, parts: inMemory }, built) : null;
    const { shelf } = shelved;
    if (isSame(shelf.read(name), encodeSegment(built, shelf.packing))) {
      entry.isOnShelf = true;
      return inUse && { ...inUse, isReplaced: true };
    }
    const stored = shelved.stored(name);
    const difference = (stored && differenceOf(stored, built)) ?? inUse;
    const isReplaced = shelved.write(built);
    entry.isOnShelf ||= isReplaced;
    if (difference !== null && !isReplaced) irreplaceable.add(keyOf(name));
    if (!isReplaced) segments.set(entry, new Segment(parts));
    return difference && { ...difference, isReplaced };
  }

  /** Removes segments from the shelf that are not in use, of events up to `head`. */
  removeUnused(head: number): void {
    const used = new Set(this.listed.map(keyOf));
    for (const name of this.#log.shelf?.list() ?? []) {
      const isLater = name.first + name.count > head + 1;
      if (!isLater && !used.has(keyOf(name))) this.#log.shelf?.remove(name);
    }
  }

  /**
   * Takes over the segments on the shelf that fit the log. Returns the start of the segment after
   * them; null if none is taken over. Short segments at the end are dropped once they have `whole`
   * events together: they are rebuilt as whole ones.
   */
  resume(whole: number): SegmentStart | null {
    const last = this.#shelved?.last() ?? null;
    if (last === null) return null;
    const all = [...last.listed, summaryOf(last.parts)];
    const short = all.findLastIndex(({ count }) => count >= whole) + 1;
    const isWorn = sum(all.slice(short).map(({ count }) => count)) >= whole;
    const kept = isWorn ? all.slice(0, short) : all;
    for (const listed of kept) this.#entries.push({ key: keys++, listed, isOnShelf: true });
    if (!isWorn) return last.end;
    for (const listed of all.slice(short)) this.#log.shelf?.remove(listed);
    return short === 0 ? null : this.#endOf(short - 1);
  }

  /** The whole segment of an entry; null if it is not on the shelf. */
  #kept({ listed, isOnShelf }: SegmentEntry): Sealed | null {
    return isOnShelf ? (this.#shelved?.read(listed) ?? null) : null;
  }

  /**
   * The parts of a segment on the shelf; null if it is missing, damaged or of other events or
   * rules. A piece is checked when it is read.
   */
  #storedParts(index: number): StoredParts | null {
    const entry = this.#entryAt(index);
    const shelved = entry.isOnShelf ? this.#shelved : null;
    const pieces = shelved?.pieces(entry.listed) ?? null;
    if (shelved === null || pieces === null) return null;
    const { shelf } = shelved;
    const { parts } = this.#shared;
    const { key } = entry;
    const kept = {
      get: (piece: string) => parts.get(`${key} ${piece}`),
      set: (piece: string, part: ReadPart) => parts.set(`${key} ${piece}`, part),
    };
    const rebuilt = () => {
      shelf.remove(entry.listed);
      this.#forget(entry);
      return this.#mend(index).parts;
    };
    const read = new StoredParts({ pieces, packing: shelf.packing, kept, isSensible, rebuilt });
    return areBlocks(read) ? read : null;
  }

  /** Forgets what was read of a segment. */
  #forget(entry: SegmentEntry): void {
    this.#shared.segments.delete(entry);
    this.#shared.hands.delete(entry);
    // What was read has the old key, and is dropped when it is the least recently used.
    entry.key = keys++;
  }

  /** Rebuilds a segment from its events and writes it to the shelf. */
  #mend(index: number): Built {
    const entry = this.#entryAt(index);
    const { first, count } = entry.listed;
    const start = index === 0 ? firstStart(first) : this.#endOf(index - 1);
    const builder = new SegmentBuilder(start, this.whole);
    for (const event of this.#log.events(first, first + count - 1)) builder.take(event);
    const built = builder.finish();
    entry.isOnShelf =
      this.#shelved?.write({ listed: this.listed.slice(0, index), ...built }) ?? false;
    return built;
  }

  /** The start of the segment after the one at an index. */
  #endOf(index: number): SegmentStart {
    return (this.#kept(this.#entryAt(index)) ?? this.#mend(index)).end;
  }

  /** The summary of the segment at an index, without reading it. Throws `RangeError`. */
  listedAt(index: number): SegmentSummary {
    return this.#entryAt(index).listed;
  }

  #entryAt(index: number): SegmentEntry {
    const entry = this.#entries[index];
    if (entry === undefined) throw new RangeError(`no segment ${index} of ${this.length}`);
    return entry;
  }
}

function isSame(stored: Uint8Array | null, built: Uint8Array): boolean {
  return stored?.length === built.length && built.every((byte, at) => stored[at] === byte);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
