/**
 * Where things lie in a segment file: a directory, and pieces that can each be read without the rest.
 *
 * A piece is a run of columns with a checksum in the directory. Before the columns of a piece are their
 * types and lengths.
 *
 * @module
 */
import { BLOCK_COLUMNS } from './blocks.ts';
import { cellTypeOf, cellTypes, Column, type CellType } from './columns.ts';
import { handColumns, columnsOfHands, holdColumns } from './hand-columns.ts';
import { ownerColumns } from './hand-overs.ts';
import { postingKinds, type PostingKind } from './postings.ts';
import type { Packing, SegmentStamp } from './segment-bytes.ts';

/** The bytes are not a segment, or are damaged. */
export class SegmentError extends Error {
  override readonly name = 'SegmentError';
}

const MAGIC = new TextEncoder().encode('VFLSEG3\n');
/** Offsets of little-endian numbers of 4 bytes, and of the directory. */
const [LENGTH, CHECKSUM, DIRECTORY] = [8, 12, 16];
/** Most directories are shorter. */
const FIRST_READ = 8192;
/** Before the columns of a piece: for each its length times 4, plus the index of its type. */
const types = Object.keys(cellTypes) as CellType[];

const HOLDS = columnsOfHands(holdColumns()).length;
const NAMES = columnsOfHands(handColumns()).length - HOLDS;

/** The pieces that a segment has once, in order, and how many columns each has. */
const single: readonly (readonly [SinglePiece, number])[] = [
  ['header', 1],
  ['types', 1],
  ['refusals', 4],
  ['owners', Object.keys(ownerColumns()).length],
  ['names', NAMES],
  ['holds', HOLDS],
  ...postingKinds.map((kind) => [kind, 3] as const),
  ['judging', 1],
];
/** Those that it has for each block, after them. */
const ofBlocks: readonly (readonly [BlockPiece, number])[] = [
  ['times', 2],
  ['changes', BLOCK_COLUMNS],
];
type SinglePiece =
  | 'header'
  | 'types'
  | 'refusals'
  | 'owners'
  | 'names'
  | 'holds'
  | PostingKind
  | 'judging';
type BlockPiece = 'times' | 'changes';
export type PieceName = SinglePiece | BlockPiece;

/** The pieces of a segment with so many blocks, and how many columns each has. */
export function piecesOf(blocks: number): (readonly [PieceName, number])[] {
  return [...single, ...Array.from({ length: blocks }, () => ofBlocks).flat()];
}

/** What is in a file as JSON that is not compressed. */
export interface SegmentDirectory {
  readonly stamp: SegmentStamp;
  /** The second from which the times count, since the year 0. */
  readonly timeBase: number;
  /** Position of the last boot before the first event; -1 if there is none. */
  readonly lastBoot: number;
  /** Of each block its first event, counted from the first of the segment, and the holds made before. */
  readonly blocks: readonly (readonly [event: number, held: number])[];
  /** Of each piece its length in bytes, and its checksum. */
  readonly pieces: readonly (readonly [bytes: number, checksum: number])[];
}

/** The bytes of a file: the pieces in the order of `piecesOf`. */
export function layOut(
  content: Omit<SegmentDirectory, 'pieces'>,
  pieces: readonly (readonly Column[])[],
  packing: Packing,
): Uint8Array {
  const packed = pieces.map(bytesOfPiece);
  const listed = packed.map((bytes) => [bytes.length, packing.crc32(bytes, 0)] as const);
  const directory: SegmentDirectory = { ...content, pieces: listed };
  // The checksum is of all bytes before the pieces.
  const text = new TextEncoder().encode(padded(JSON.stringify(directory)));
  const places = placesOf(directory, DIRECTORY + text.length);
  const bytes = new Uint8Array(places.at(-1)!);
  const numbers = new DataView(bytes.buffer);
  bytes.set(MAGIC);
  numbers.setUint32(LENGTH, text.length, true);
  numbers.setUint32(CHECKSUM, packing.crc32(text, 0), true);
  bytes.set(text, DIRECTORY);
  for (const [index, piece] of packed.entries()) bytes.set(piece, places[index]);
  return bytes;
}

/** Reads bytes of a file, as far as there are any; they begin at a multiple of 8. Null if it cannot. */
type ReadBytes = (from: number, to: number) => Uint8Array<ArrayBuffer> | null;

/** The pieces of a file, none of which is read yet; null if it is missing or damaged. */
export function piecesIn(read: ReadBytes, packing: Packing): PieceReader | null {
  try {
    return new PieceReader(read, packing);
  } catch {
    // What is senseless under a right checksum is as good as missing.
    return null;
  }
}

export class PieceReader {
  readonly directory: SegmentDirectory;
  /** Bytes of the whole file. */
  readonly length: number;
  readonly #read: ReadBytes;
  readonly #packing: Packing;
  readonly #places: readonly number[];

  /** Throws `SegmentError`. */
  constructor(read: ReadBytes, packing: Packing) {
    const { directory, end } = directoryIn(read, packing);
    this.directory = directory;
    const { blocks, pieces } = directory;
    if (pieces.length !== piecesOf(blocks.length).length) {
      throw new SegmentError('the directory lists too few pieces');
    }
    this.#read = read;
    this.#packing = packing;
    this.#places = placesOf(directory, end);
    this.length = this.#places.at(-1)!;
    if (read(this.length, this.length + 1)?.length !== 0) {
      throw new SegmentError(`expected ${this.length} bytes`);
    }
  }

  /** Throws `SegmentError` if the checksum of any piece differs. */
  checkAll(): void {
    const { length } = this.directory.blocks;
    for (const [name] of single) this.columnsOf(name);
    for (let block = 0; block < length; block++) {
      for (const [name] of ofBlocks) this.columnsOf(name, block);
    }
  }

  /** The columns of a piece, of those of a block the one with an index. Throws `SegmentError`. */
  columnsOf(name: PieceName, block = 0): Column[] {
    const [index, columns] = placeOf(name, block);
    const [length, checksum] = this.directory.pieces[index] ?? [0, 0];
    const from = this.#places[index] ?? 0;
    const bytes = this.#read(from, from + length);
    if (bytes?.length !== length || this.#packing.crc32(bytes, 0) !== checksum) {
      throw new SegmentError(`damaged segment: the checksum of ${name} differs`);
    }
    return columnsIn(bytes, columns);
  }
}

function placeOf(name: PieceName, block: number): readonly [index: number, columns: number] {
  const index = single.findIndex(([other]) => other === name);
  if (index >= 0) return [index, single[index]![1]];
  const at = ofBlocks.findIndex(([other]) => other === name);
  return [single.length + block * ofBlocks.length + at, ofBlocks[at]![1]];
}

function directoryIn(read: ReadBytes, packing: Packing) {
  const head = read(0, FIRST_READ) ?? new Uint8Array();
  if (head.length < DIRECTORY || MAGIC.some((byte, at) => head[at] !== byte)) {
    throw new SegmentError('not a segment: the magic is missing');
  }
  const end = DIRECTORY + numberAt(head, LENGTH);
  const bytes = end > head.length ? (read(0, end) ?? head) : head;
  const text = bytes.subarray(DIRECTORY, end);
  if (text.length !== end - DIRECTORY || packing.crc32(text, 0) !== numberAt(bytes, CHECKSUM)) {
    throw new SegmentError('damaged segment: the checksum of its directory differs');
  }
  return { directory: JSON.parse(new TextDecoder().decode(text)) as SegmentDirectory, end };
}

/** The offset of each piece in bytes, and at the end the total length; `end`: of the directory. */
function placesOf({ pieces }: SegmentDirectory, end: number): number[] {
  const places = [aligned(end)];
  for (const [bytes] of pieces) places.push(aligned(places.at(-1)! + bytes));
  return places;
}

function bytesOfPiece(columns: readonly Column[]): Uint8Array {
  const places = [aligned(4 * columns.length)];
  for (const { cells, length } of columns) {
    places.push(aligned(places.at(-1)! + length * cells.BYTES_PER_ELEMENT));
  }
  const bytes = new Uint8Array(places.at(-1)!);
  const numbers = new DataView(bytes.buffer);
  for (const [index, column] of columns.entries()) {
    const { length, cells } = column;
    numbers.setUint32(4 * index, length * 4 + types.indexOf(cellTypeOf(column)), true);
    const raw = new Uint8Array(cells.buffer, cells.byteOffset, length * cells.BYTES_PER_ELEMENT);
    bytes.set(raw, places[index]);
  }
  return bytes;
}

/** The columns of a piece are views of its bytes. Throws `SegmentError`. */
function columnsIn(bytes: Uint8Array<ArrayBuffer>, count: number): Column[] {
  const columns: Column[] = [];
  let place = aligned(4 * count);
  for (let index = 0; index < count; index++) {
    const number = place > bytes.length ? 0 : numberAt(bytes, 4 * index);
    const [length, Cells] = [number >>> 2, cellTypes[types[number & 3]!]];
    const end = place + length * Cells.BYTES_PER_ELEMENT;
    if (end > bytes.length) throw new SegmentError('damaged segment: a column is cut off');
    columns.push(new Column(new Cells(bytes.buffer, bytes.byteOffset + place, length), length));
    place = aligned(end);
  }
  return columns;
}

/** With spaces after it, so that its bytes are a multiple of 8. */
function padded(json: string): string {
  const { length } = new TextEncoder().encode(json);
  return json + ' '.repeat(aligned(length) - length);
}

function aligned(place: number): number {
  return Math.ceil(place / 8) * 8;
}

function numberAt(bytes: Uint8Array, at: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(at, true);
}
