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
import { decodeSegment, encodeSegment, type SegmentSummary, type Sealed } from './segment-bytes.ts';
import type { SegmentHands } from './segment-hands.ts';
import { sectionsIn, SegmentError, type SectionReader } from './segment-layout.ts';
import { handsIn, ownersIn } from './sections.ts';
import type { SegmentName, Shelf } from './shelf.ts';
import { ReadOnlyShelf } from './read-only-shelf.ts';
import { RecentlyUsed } from './recently-used.ts';
import type { SegmentParts } from './segment-parts.ts';
import { Segment } from './segment.ts';
import { differenceOf, type ReplacedDifference } from './segment-difference.ts';
import { makesSense } from './segment-sense.ts';

/** Bytes of segments (columns, copies of the standing) kept in memory if they can be read again. */
const SEGMENTS_MAX = 96 * 2 ** 20;
/** Bytes of hand-overs kept in memory beyond those of these segments. */
const HAND_OVERS_MAX = 2 ** 25;
/** Bytes of names, and of hands on groups that were asked about, kept in memory. */
const HANDS_MAX = 2 ** 26;

/** Reads the events from one position to another, both included. */
export type EventsBetween = (first: number, last: number) => Iterable<Placed>;

/** A segment, by which what is in memory of it is found. A log and its forks share it. */
interface SegmentEntry {
  listed: SegmentSummary;
  /** False for a segment of a fork: the log may have another one of that name on the shelf. */
  isOnShelf: boolean;
}

/** What a log and its forks share. */
interface Shared {
  readonly segments: RecentlyUsed<SegmentEntry, Segment>;
  readonly handOvers: RecentlyUsed<SegmentEntry, HandOvers>;
  readonly hands: RecentlyUsed<SegmentEntry, SegmentHands>;
  /** Names of segments on the shelf that differ from the events and could not be replaced. */
  readonly irreplaceable: Set<string>;
}

export class SealedSegments {
  readonly #first: number;
  readonly #events: EventsBetween;
  readonly #shelf: Shelf | null;
  readonly #entries: SegmentEntry[];
  readonly #shared: Shared;

  constructor(
    first: number,
    events: EventsBetween,
    shelf: Shelf | null,
    entries: readonly SegmentEntry[] = [],
    shared: Shared | null = null,
  ) {
    this.#first = first;
    this.#events = events;
    this.#shelf = shelf;
    this.#entries = [...entries];
    this.#shared = shared ?? {
      // Without a shelf, nothing can be read again.
      segments: new RecentlyUsed(shelf === null ? Infinity : SEGMENTS_MAX),
      handOvers: new RecentlyUsed(HAND_OVERS_MAX),
      hands: new RecentlyUsed(HANDS_MAX),
      irreplaceable: new Set(),
    };
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
    const segment = new Segment((this.#kept(entry) ?? this.#mend(index)).parts);
    segments.set(entry, segment);
    return segment;
  }

  /** The hand-overs of the segment at an index. Throws `RangeError`. */
  handOversOf(index: number): HandOvers {
    const entry = this.#entryAt(index);
    const loaded = this.#shared.handOvers.get(entry);
    if (loaded !== undefined) return loaded;
    const handOvers = ownersIn(this.#sectionsOf(entry)) ?? this.load(index).parts.handOvers.apart();
    this.#shared.handOvers.set(entry, handOvers);
    return handOvers;
  }

  /** The hands of the segment at an index, read without the rest of it. Throws `RangeError`. */
  handsOf(index: number): SegmentHands {
    const entry = this.#entryAt(index);
    const read = this.#shared.hands.get(entry);
    if (read !== undefined) return read;
    const whole = () => this.load(index).parts;
    const hands = handsIn(this.#sectionsOf(entry), whole) ?? this.load(index).hands;
    this.#shared.hands.set(entry, hands);
    return hands;
  }

  /** The segments before an index, for a fork: nothing is written to the shelf. */
  before(index: number): SealedSegments {
    const shelf = this.#shelf === null ? null : new ReadOnlyShelf(this.#shelf);
    const entries = this.#entries.slice(0, index);
    return new SealedSegments(this.#first, this.#events, shelf, entries, this.#shared);
  }

  /** Adds a segment and writes it to the shelf. */
  push({ parts, end }: Built): void {
    const isOnShelf = this.#write({ listed: this.listed, parts, end });
    const entry = { listed: listedOf(parts), isOnShelf };
    // A build of millions of events is followed by questions about few: read them back on demand.
    if (!isOnShelf) this.#shared.segments.set(entry, new Segment(parts));
    this.#shared.handOvers.set(entry, parts.handOvers);
    this.#entries.push(entry);
  }

  /**
   * Puts a segment that was built from its events again in the place of the one at an index.
   * Returns where that one differed; null if it did not, or was missing.
   */
  replace(index: number, { parts, end }: Built): ReplacedDifference | null {
    const entry = this.#entryAt(index);
    const { segments, handOvers, hands, irreplaceable } = this.#shared;
    const name = listedOf(parts);
    entry.listed = name;
    handOvers.set(entry, parts.handOvers);
    hands.delete(entry);
    const built = { stamp: this.#stamp(name), listed: this.listed.slice(0, index), parts, end };
    const loaded = segments.get(entry);
    const inMemory = loaded ? differenceOf({ ...built, parts: loaded.parts }, built) : null;
    const shelf = this.#shelf;
    if (shelf === null || isSame(shelf.read(name), encodeSegment(built, shelf.packing))) {
      entry.isOnShelf = shelf !== null;
      if (inMemory !== null) segments.set(entry, new Segment(parts));
      return inMemory && { ...inMemory, isReplaced: true };
    }
    const stored = this.#stored(name);
    const difference = (stored && differenceOf(stored, built)) ?? inMemory;
    const isReplaced = this.#write(built);
    entry.isOnShelf ||= isReplaced;
    if (difference !== null && !isReplaced) irreplaceable.add(keyOf(name));
    if (isReplaced) segments.delete(entry);
    else segments.set(entry, new Segment(parts));
    return difference && { ...difference, isReplaced };
  }

  /** Removes segments from the shelf that are not in use, of events up to `head`. */
  removeUnused(head: number): void {
    const used = new Set(this.listed.map(keyOf));
    for (const name of this.#shelf?.list() ?? []) {
      const isLater = name.first + name.count > head + 1;
      if (!isLater && !used.has(keyOf(name))) this.#shelf?.remove(name);
    }
  }

  /**
   * Takes over the segments on the shelf that fit the log. Returns the start of the segment after
   * them; null if none is taken over. Short segments at the end are dropped once they have `whole`
   * events together: they are rebuilt as whole ones.
   */
  resume(whole: number): SegmentStart | null {
    const last = this.#lastOnShelf();
    if (last === null) return null;
    const all = [...last.listed, listedOf(last.parts)];
    const short = all.findLastIndex(({ count }) => count >= whole) + 1;
    const isWorn = sum(all.slice(short).map(({ count }) => count)) >= whole;
    const kept = isWorn ? all.slice(0, short) : all;
    for (const listed of kept) this.#entries.push({ listed, isOnShelf: true });
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

  /** The segment of an entry, as `#read`; null if it is not on the shelf. */
  #kept({ listed, isOnShelf }: SegmentEntry): Sealed | null {
    return isOnShelf ? this.#read(listed) : null;
  }

  /** As `#stored`, but null if it makes no sense; then it is removed as well. */
  #read(name: SegmentName): Sealed | null {
    const stored = this.#stored(name);
    if (stored === null || makesSense(stored)) return stored;
    this.#shelf?.remove(name);
    return null;
  }

  /**
   * The segment on the shelf; null if it is missing, damaged or of other events or rules. Of the
   * last three it is removed.
   */
  #stored(name: SegmentName): Sealed | null {
    const shelf = this.#shelf;
    const bytes = this.#shared.irreplaceable.has(keyOf(name)) ? null : (shelf?.read(name) ?? null);
    if (shelf === null || bytes === null) return null;
    try {
      const sealed = decodeSegment(bytes, shelf.packing);
      const { stamp } = sealed;
      const isOurs = JSON.stringify(stamp) === JSON.stringify(this.#stamp(name));
      if (isOurs) return sealed;
    } catch (error) {
      if (!(error instanceof SegmentError)) throw error;
    }
    shelf.remove(name);
    return null;
  }

  /** The sections of a segment on the shelf; null if it is missing, damaged or of other events or rules. */
  #sectionsOf({ listed: name, isOnShelf }: SegmentEntry): SectionReader | null {
    const shelf = this.#shelf;
    if (shelf === null || !isOnShelf || this.#shared.irreplaceable.has(keyOf(name))) return null;
    const sections = sectionsIn((from, to) => shelf.readBytes(name, from, to), shelf.packing);
    const isOurs = JSON.stringify(sections?.directory.stamp) === JSON.stringify(this.#stamp(name));
    return isOurs ? sections : null;
  }

  #stamp({ first, count }: SegmentName): Sealed['stamp'] {
    const { stream = '', rules = '' } = this.#shelf ?? {};
    const before = this.#shelf?.hashAt(first - 1) ?? '';
    const after = this.#shelf?.hashAt(first + count - 1) ?? '';
    return { stream, rules, origin: this.#first, first, count, before, after };
  }

  #write({ listed, parts, end }: Omit<Sealed, 'stamp'>): boolean {
    const shelf = this.#shelf;
    if (shelf === null) return false;
    const name = listedOf(parts);
    const stamp = this.#stamp(name);
    return shelf.write(name, encodeSegment({ stamp, listed, parts, end }, shelf.packing));
  }

  /** Rebuilds a segment from its events and writes it to the shelf. */
  #mend(index: number): Built {
    const entry = this.#entryAt(index);
    const { first, count } = entry.listed;
    const start = index === 0 ? firstStart(first) : this.#endOf(index - 1);
    const builder = new SegmentBuilder(start);
    for (const event of this.#events(first, first + count - 1)) builder.take(event);
    const built = builder.finish();
    entry.isOnShelf = this.#write({ listed: this.listed.slice(0, index), ...built });
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

function listedOf({ journal, times, lastBoot, start }: SegmentParts): SegmentSummary {
  const { first, length: count } = journal;
  return { first, count, earliest: times.earliest(), lastBoot, held: start.held };
}

function keyOf({ first, count }: SegmentName): string {
  return `${first}-${count}`;
}

function isSame(stored: Uint8Array | null, built: Uint8Array): boolean {
  return stored?.length === built.length && built.every((byte, at) => stored[at] === byte);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
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
