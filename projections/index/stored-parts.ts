/**
 * The parts of a segment in a file: each is read when it is asked for.
 *
 * @module
 */
import type { KernelCheckpoint } from '../../machines/checkpoint.ts';
import type { Claimant } from '../shapes.ts';
import { blockOf, blockOfEvent, join, joined, type Block, type Blocks } from './blocks.ts';
import { codesOf, type Codes } from './codes.ts';
import { Column } from './columns.ts';
import {
  columnsOfHands,
  holdColumns,
  nameColumns,
  type HandColumns,
  type HoldColumns,
  type NameColumns,
} from './hand-columns.ts';
import { HandOvers, ownerColumns } from './hand-overs.ts';
import type { Journal } from './journal.ts';
import type { SavedSources } from './known-sources.ts';
import type { SavedRefusals } from './open-refusals.ts';
import { postingKinds, Postings, type PostingKind, type PostingLists } from './postings.ts';
import type { Judging, Packing, SegmentHeader } from './segment-bytes.ts';
import { SegmentHands } from './segment-hands.ts';
import { SegmentError, type PieceName, type PieceReader } from './segment-layout.ts';
import type { SegmentParts } from './segment-parts.ts';
import { settledColumns, type SettledColumns } from './settled-refusals.ts';
import type { Standing } from './standing.ts';
import { Times } from './times.ts';

/** A part that was read, and its bytes of memory. */
export interface ReadPart {
  readonly value: unknown;
  readonly bytes: number;
}

/** Where parts come from, and what becomes of those that cannot be used. */
export interface PartSource {
  readonly pieces: PieceReader;
  readonly packing: Packing;
  /** Keeps parts that were read; the keys are names of pieces, with the index of the block. */
  readonly kept: Pick<Map<string, ReadPart>, 'get'> & { set(key: string, part: ReadPart): void };
  /** Whether what was made of a piece makes sense. */
  readonly isSensible: (
    name: PieceName,
    value: unknown,
    parts: SegmentParts,
    block: number,
  ) => boolean;
  /** All parts, built again: for a piece that is missing, damaged or senseless. May throw. */
  readonly rebuilt: (error: unknown) => SegmentParts;
}

/** What is made of a piece. Throws any error if the piece makes no sense. */
type Decode<T> = (columns: readonly Column[]) => T;

type RefusalParts = Pick<SegmentParts, 'openRefusals' | 'settled'>;
type HeaderParts = Pick<SegmentParts, 'codes' | 'claims'>;

/** The key of the journal that is joined from all blocks. */
const JOURNAL = 'journal';
/** JSON takes more memory than its compressed bytes, about so many times. */
const JSON_RATIO = 8;

export class StoredParts implements SegmentParts {
  readonly isRead = true;
  readonly first: number;
  readonly length: number;
  readonly lastBoot: number;
  readonly blocks: Blocks;
  readonly postings: Postings;
  readonly timeAt: (event: number) => string | null;
  readonly #source: PartSource;
  #rebuilt: SegmentParts | null = null;

  constructor(source: PartSource) {
    const { stamp, lastBoot, blocks } = source.pieces.directory;
    this.first = stamp.first;
    this.length = stamp.count;
    this.lastBoot = lastBoot;
    this.#source = source;
    this.blocks = {
      length: blocks.length,
      eventAt: (index) => blocks[index]![0],
      heldAt: (index) => blocks[index]![1],
      at: (index) => this.#blockAt(index),
      columnsAt: (index) => source.pieces.columnsOf('changes', index),
    };
    this.postings = new Postings(this.#postings());
    this.timeAt = (event) => {
      const index = blockOfEvent(this.blocks, event);
      const from = this.blocks.eventAt(index);
      return this.#orRebuilt(
        () => this.#timesAt(index).at(event - from),
        (parts) => parts.timeAt(event),
      );
    };
  }

  get journal(): Journal {
    return this.#orRebuilt(
      () => this.#readJournal(),
      ({ journal }) => journal,
    );
  }

  get start(): Standing {
    return this.blocks.at(0).begin().standing;
  }

  get types(): Column {
    return this.#part(
      'types',
      ([types]) => types!,
      (parts) => parts.types,
    );
  }

  get handOvers(): HandOvers {
    return this.#part(
      'owners',
      (columns) => new HandOvers(this.first, ownerColumns(nextOf(columns))),
      (parts) => parts.handOvers,
    );
  }

  get settled(): SettledColumns {
    return this.#refusals.settled;
  }

  get openRefusals(): readonly number[] {
    return this.#refusals.openRefusals;
  }

  get #refusals(): RefusalParts {
    return this.#part(
      'refusals',
      ([open, ...settled]): RefusalParts => {
        const openRefusals = [...open!.cells.subarray(0, open!.length)];
        return { openRefusals, settled: settledColumns(nextOf(settled)) };
      },
      (parts) => parts,
    );
  }

  get hands(): HandColumns {
    return { ...this.names, ...this.holds };
  }

  get names(): NameColumns {
    return this.#orRebuilt(
      () => this.#read('names', (columns) => nameColumns(nextOf(columns))),
      ({ hands }) => hands!,
    );
  }

  get holds(): HoldColumns {
    return this.#orRebuilt(
      () => this.#read('holds', (columns) => holdColumns(nextOf(columns))),
      ({ hands }) => hands!,
    );
  }

  get ungrouped(): HandColumns['ungrouped'] {
    return this.names.ungrouped;
  }

  get times(): Times {
    return this.#orRebuilt(
      () => {
        const { length } = this.blocks;
        const all = Array.from({ length }, (_, index) => this.#timesAt(index).columns);
        const [seconds, micros] = [0, 1].map((at) => join(all.map((columns) => columns[at]!)));
        return new Times(seconds, micros, this.#source.pieces.directory.timeBase);
      },
      ({ times }) => times,
    );
  }

  get codes(): Codes {
    return this.#header.codes;
  }

  get claims(): readonly Claimant[] {
    return this.#header.claims;
  }

  get #header(): HeaderParts {
    return this.#part(
      'header',
      (columns): HeaderParts => {
        const { codes, claims } = this.#json(columns) as SegmentHeader;
        return { codes: codesOf(codes), claims };
      },
      (parts) => parts,
    );
  }

  get kernel(): KernelCheckpoint {
    return this.#judged(({ kernel }) => kernel);
  }

  get refusals(): SavedRefusals {
    return this.#judged(({ refusals }) => refusals);
  }

  get sources(): SavedSources {
    return this.#judged(({ sources }) => sources);
  }

  #judged<T>(part: (parts: Pick<SegmentParts, 'kernel' | 'refusals' | 'sources'>) => T): T {
    return this.#orRebuilt(() => part(this.judging()), part);
  }

  /** Large, and not needed to answer questions: it is not kept. Throws any error. */
  judging(): Judging {
    return this.#json(this.#source.pieces.columnsOf('judging')) as Judging;
  }

  #blockAt(index: number): Block {
    return this.#orRebuilt(
      () => this.#readBlock(index),
      ({ blocks }) => blocks.at(blockOfEvent(blocks, this.blocks.eventAt(index))),
    );
  }

  #readJournal(): Journal {
    const { kept } = this.#source;
    const known = kept.get(JOURNAL);
    if (known !== undefined) return known.value as Journal;
    const { length } = this.blocks;
    const blocks = Array.from({ length }, (_, index) => this.#readBlock(index));
    const value = joined(this.first, blocks);
    const columns = [value.rows, value.kinds, ...value.changes.flat()];
    const bytes = columns.reduce((sum, { cells }) => sum + cells.byteLength, 0);
    kept.set(JOURNAL, { value, bytes });
    return value;
  }

  #readBlock(index: number): Block {
    const first = this.first + this.blocks.eventAt(index);
    return this.#kept('changes', (columns) => blockOf(columns, first), index);
  }

  #timesAt(index: number): Times {
    const { timeBase } = this.#source.pieces.directory;
    return this.#kept('times', ([seconds, micros]) => new Times(seconds, micros, timeBase), index);
  }

  /** The lists of each kind are a piece. */
  #postings(): PostingLists {
    const read = (kind: PostingKind) =>
      this.#part(
        kind,
        ([keys, ends, events]) => ({ keys: keys!, ends: ends!, events: events! }),
        ({ postings }) => postings.columns()[kind],
      );
    const kinds = postingKinds.map((kind) => [kind, { get: () => read(kind), enumerable: true }]);
    return Object.defineProperties({}, Object.fromEntries(kinds)) as PostingLists;
  }

  #json([column]: readonly Column[]): unknown {
    return JSON.parse(this.#source.packing.inflate(column!.cells as Uint8Array));
  }

  #part<T>(name: PieceName, decode: Decode<T>, inRebuilt: (parts: SegmentParts) => T): T {
    return this.#orRebuilt(() => this.#kept(name, decode), inRebuilt);
  }

  #orRebuilt<T>(read: () => T, inRebuilt: (parts: SegmentParts) => T): T {
    if (this.#rebuilt !== null) return inRebuilt(this.#rebuilt);
    try {
      return read();
    } catch (error) {
      this.#rebuilt = this.#source.rebuilt(error);
      return inRebuilt(this.#rebuilt);
    }
  }

  /** What is made of a piece; it is kept. Throws any error. */
  #kept<T>(name: PieceName, decode: Decode<T>, block = 0): T {
    const { kept } = this.#source;
    const key = `${name} ${block}`;
    const known = kept.get(key);
    if (known !== undefined) return known.value as T;
    let bytes = 0;
    const noted: Decode<T> = (columns) => {
      bytes = columns[0]!.cells.buffer.byteLength;
      return decode(columns);
    };
    const value = this.#read(name, noted, block);
    kept.set(key, { value, bytes: bytes * (name === 'header' ? JSON_RATIO : 1) });
    return value;
  }

  #read<T>(name: PieceName, decode: Decode<T>, block = 0): T {
    const { pieces, isSensible } = this.#source;
    const value = decode(pieces.columnsOf(name, block));
    if (!isSensible(name, value, this, block)) throw new SegmentError(`${name} makes no sense`);
    return value;
  }
}

function nextOf(columns: readonly Column[]): () => Column {
  const left = columns.values();
  return () => left.next().value!;
}

/** The hands of a segment in a file. */
export function handsIn(parts: StoredParts): SegmentHands {
  const { first, length, names, timeAt } = parts;
  const left = columnsOfHands(names).values();
  const own = nameColumns(() => apart(left.next().value!));
  return new SegmentHands({ first, length, names: own, holds: () => parts.holds, timeAt });
}

/** A copy in memory of its own: a column of a file is a view of its piece. */
function apart({ cells, length }: Column): Column {
  return new Column(cells.slice(0, length), length);
}
