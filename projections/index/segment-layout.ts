/**
 * Where things lie in a segment file, and the sections of it that can be read without the rest.
 *
 * A section is a run of columns with a checksum of its own: questions about tenants read a few of them
 * from every segment.
 *
 * @module
 */
import { changeKinds, changes } from './changes.ts';
import { cellTypeOf, cellTypes, Column, type CellType } from './columns.ts';
import { handColumns, columnsOfHands, holdColumns } from './hand-columns.ts';
import { ownerColumns } from './hand-overs.ts';
import type { Packing, SegmentStamp } from './segment-bytes.ts';

/** The bytes are not a segment, or are damaged. */
export class SegmentError extends Error {
  override readonly name = 'SegmentError';
}

const MAGIC = new TextEncoder().encode('VFLSEG2\n');
/** Before what the checksum is of: magic (8), then four numbers as in `NUMBERS`. */
const PREFIX = 24;
/** Offsets of little-endian numbers of 4 bytes. */
const NUMBERS = {
  header: 8,
  checksum: 12,
  directory: 16,
  directoryChecksum: 20,
  sections: 24,
} as const;

const JOURNAL = 3 + changeKinds.reduce((sum, kind) => sum + changes[kind].columns.length, 0);
const OWNERS = Object.keys(ownerColumns()).length;
const HOLDS = columnsOfHands(holdColumns()).length;
const NAMES = columnsOfHands(handColumns()).length - HOLDS;
/** The sections, one after the other, and how many columns each has. They follow the journal. */
const sections = [
  ['owners', OWNERS],
  ['names', NAMES],
  ['holds', HOLDS],
  ['times', 2],
] as const;
export type SectionName = (typeof sections)[number][0];

/** Offset of the directory: the checksums of the sections are before it. */
const DIRECTORY = NUMBERS.sections + 4 * sections.length;
/** Most directories are shorter. */
const FIRST_READ = 8192;

/** What is in the file as JSON that is not compressed. */
export interface SegmentDirectory {
  readonly stamp: SegmentStamp;
  /** The second from which the times count, since the year 0. */
  readonly timeBase: number;
  readonly columns: readonly (readonly [type: CellType, length: number])[];
}

/** The bytes of a file; `header` is compressed. */
export function layOut(
  content: Omit<SegmentDirectory, 'columns'>,
  header: Uint8Array,
  columns: readonly Column[],
  packing: Packing,
): Uint8Array {
  const { stamp, timeBase } = content;
  const listed = columns.map((column) => [cellTypeOf(column), column.length] as const);
  const directory: SegmentDirectory = { stamp, timeBase, columns: listed };
  const text = new TextEncoder().encode(JSON.stringify(directory));
  const places = placesOf(directory, DIRECTORY + text.length + header.length);
  const bytes = new Uint8Array(places.at(-1) ?? 0);
  const numbers = new DataView(bytes.buffer);
  bytes.set(MAGIC);
  bytes.set(text, DIRECTORY);
  bytes.set(header, DIRECTORY + text.length);
  for (const [index, { cells, length }] of columns.entries()) {
    const { buffer, byteOffset, BYTES_PER_ELEMENT } = cells;
    bytes.set(new Uint8Array(buffer, byteOffset, length * BYTES_PER_ELEMENT), places[index]);
  }
  for (const [index, [name]] of sections.entries()) {
    const [from, to] = rangeOf(name, places);
    const checksum = packing.crc32(bytes.subarray(from, to), 0);
    numbers.setUint32(NUMBERS.sections + 4 * index, checksum, true);
  }
  numbers.setUint32(NUMBERS.header, header.length, true);
  numbers.setUint32(NUMBERS.directory, text.length, true);
  numbers.setUint32(NUMBERS.directoryChecksum, directoryChecksum(bytes, packing), true);
  numbers.setUint32(NUMBERS.checksum, checksumOf(bytes, packing), true);
  return bytes;
}

/** The parts of a file of which all bytes are given. Throws `SegmentError`. */
export function laidOut(
  bytes: Uint8Array<ArrayBuffer>,
  packing: Packing,
): {
  readonly directory: SegmentDirectory;
  readonly header: Uint8Array;
  readonly columns: Column[];
} {
  checkMagic(bytes);
  if (checksumOf(bytes, packing) !== numberAt(bytes, NUMBERS.checksum)) {
    throw new SegmentError('damaged segment: the checksum differs');
  }
  const { directory, end, places } = directoryOf(bytes, packing);
  if (places.at(-1) !== bytes.length) {
    throw new SegmentError(`expected ${places.at(-1)} bytes, not ${bytes.length}`);
  }
  const header = bytes.subarray(end, end + numberAt(bytes, NUMBERS.header));
  const columns = directory.columns.map((_, index) => columnIn(directory, index, bytes, places));
  return { directory, header, columns };
}

/** Reads bytes of a file, as far as there are any; they begin at a multiple of 8. Null if it cannot. */
type ReadBytes = (from: number, to: number) => Uint8Array<ArrayBuffer> | null;

/** The sections of a file, none of which is read yet; null if it is missing or damaged. */
export function sectionsIn(read: ReadBytes, packing: Packing): SectionReader | null {
  try {
    let bytes = read(0, FIRST_READ);
    if (bytes === null) return null;
    checkMagic(bytes);
    const end = DIRECTORY + numberAt(bytes, NUMBERS.directory);
    if (end > bytes.length) bytes = read(0, end);
    return bytes === null ? null : new SectionReader(bytes, read, packing);
  } catch {
    // What is senseless under a right checksum is as good as missing.
    return null;
  }
}

export class SectionReader {
  readonly directory: SegmentDirectory;
  readonly #read: ReadBytes;
  readonly #packing: Packing;
  readonly #places: readonly number[];
  readonly #checksums: readonly number[];

  /** `bytes` are those up to the end of the directory, at least. Throws `SegmentError`. */
  constructor(bytes: Uint8Array<ArrayBuffer>, read: ReadBytes, packing: Packing) {
    const { directory, places } = directoryOf(bytes, packing);
    this.directory = directory;
    this.#read = read;
    this.#packing = packing;
    this.#places = places;
    this.#checksums = sections.map((_, index) => numberAt(bytes, NUMBERS.sections + 4 * index));
  }

  /** The columns of a section; null if they cannot be read, or are damaged. */
  columnsOf(name: SectionName): Column[] | null {
    const [from, to] = rangeOf(name, this.#places);
    const bytes = this.#read(from, to);
    if (bytes?.length !== to - from) return null;
    const index = sections.findIndex(([other]) => other === name);
    if (this.#packing.crc32(bytes, 0) !== this.#checksums[index]) return null;
    const [first, end] = columnsIn(name);
    const places = this.#places.map((place) => place - from);
    return Array.from({ length: end - first }, (_, at) =>
      columnIn(this.directory, first + at, bytes, places),
    );
  }
}

function columnIn(
  { columns }: SegmentDirectory,
  index: number,
  bytes: Uint8Array<ArrayBuffer>,
  places: readonly number[],
): Column {
  const [type, length] = columns[index] ?? ['u8', 0];
  const offset = bytes.byteOffset + (places[index] ?? 0);
  return new Column(new cellTypes[type](bytes.buffer, offset, length), length);
}

/** Indexes of the first column of a section, and of the one after its last. */
function columnsIn(name: SectionName): readonly [number, number] {
  let first = JOURNAL;
  for (const [other, count] of sections) {
    if (other === name) return [first, first + count];
    first += count;
  }
  throw new RangeError(`there is no section ${name}`);
}

function rangeOf(name: SectionName, places: readonly number[]): readonly [number, number] {
  const [first, end] = columnsIn(name);
  return [places[first] ?? 0, places[end] ?? 0];
}

function directoryOf(bytes: Uint8Array<ArrayBuffer>, packing: Packing) {
  if (directoryChecksum(bytes, packing) !== numberAt(bytes, NUMBERS.directoryChecksum)) {
    throw new SegmentError('damaged segment: the checksum of its directory differs');
  }
  const end = DIRECTORY + numberAt(bytes, NUMBERS.directory);
  if (end > bytes.length) throw new SegmentError('damaged segment: its directory is cut off');
  const text = new TextDecoder().decode(bytes.subarray(DIRECTORY, end));
  const directory = JSON.parse(text) as SegmentDirectory;
  return { directory, end, places: placesOf(directory, end + numberAt(bytes, NUMBERS.header)) };
}

/** The offset of each column in bytes, and at the end the total length. */
function placesOf({ columns }: Pick<SegmentDirectory, 'columns'>, before: number): number[] {
  const aligned = (place: number) => Math.ceil(place / 8) * 8;
  const places = [aligned(before)];
  for (const [type, length] of columns) {
    places.push(aligned((places.at(-1) ?? 0) + cellTypes[type].BYTES_PER_ELEMENT * length));
  }
  return places;
}

function checkMagic(bytes: Uint8Array): void {
  if (bytes.length < DIRECTORY || MAGIC.some((byte, at) => bytes[at] !== byte)) {
    throw new SegmentError('not a segment: the magic is missing');
  }
}

/** CRC-32 of everything after the prefix, seeded with the length of the header. */
function checksumOf(bytes: Uint8Array, packing: Packing): number {
  return packing.crc32(bytes.subarray(PREFIX), numberAt(bytes, NUMBERS.header));
}

/** CRC-32 of the checksums of the sections and of the directory, seeded with the length of the header. */
function directoryChecksum(bytes: Uint8Array, packing: Packing): number {
  const end = DIRECTORY + numberAt(bytes, NUMBERS.directory);
  return packing.crc32(bytes.subarray(NUMBERS.sections, end), numberAt(bytes, NUMBERS.header));
}

function numberAt(bytes: Uint8Array, at: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(at, true);
}
