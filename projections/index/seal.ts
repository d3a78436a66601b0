/**
 * A sealed segment as bytes, and back.
 *
 * What is written is stamped with whose events it was made of, by which rules, and the hashes that
 * it lies between; a checksum covers all of it. Whatever is not as it was written, or not of this
 * log and these rules, is refused with a `SegmentError`: then it is made anew.
 *
 * @module
 */
import type { KernelCheckpoint } from '../../machines/checkpoint.ts';
import { KnownDevices, type SavedDevices } from './known.ts';
import { codesOf, saveCodes, type SavedCodes } from './codes.ts';
import { cellTypeOf, cellTypes, Column, type CellType } from './columns.ts';
import { changeKinds, changes } from './changes.ts';
import { Journal } from './journal.ts';
import { postingKinds, Postings, type PostingLists } from './postings.ts';
import type { SegmentStart } from './builder.ts';
import type { SegmentParts } from './segment.ts';
import { CellRows, Standing } from './standing.ts';
import { Times } from './times.ts';

/** The bytes are no segment of this log by these rules. */
export class SegmentError extends Error {
  override readonly name = 'SegmentError';
}

/** What packs text and sums bytes; a platform's own. */
export interface Packing {
  /** Raw DEFLATE of text in UTF-8. */
  deflate(text: string): Uint8Array;
  inflate(bytes: Uint8Array): string;
  /** CRC-32, going on from another. */
  crc32(bytes: Uint8Array, before: number): number;
}

const MAGIC = new TextEncoder().encode('VFLSEG1\n');
/** Magic, length of the header, checksum. */
const PREFIX = MAGIC.length + 8;

/** Whose events a segment holds, and between which hashes they lie. */
interface SegmentStamp {
  readonly stream: string;
  /** Version of whatever has a part in the judging. */
  readonly rules: string;
  /** Where the stream began when they were judged: what had been before was not known. */
  readonly origin: number;
  readonly first: number;
  readonly count: number;
  /** Hash of the event before the first, and of the last. */
  readonly before: string;
  readonly after: string;
}

/** What is known of a segment without reading it. */
export interface SegmentSummary {
  readonly first: number;
  readonly count: number;
  /** The earliest second of its events, since the year 0. */
  readonly earliest: number | null;
  readonly lastBoot: number;
  /** Holds that there had been before it. */
  readonly held: number;
}

/** A segment as it is written: it, where the next begins, and those before it. */
export interface Sealed {
  readonly stamp: SegmentStamp;
  readonly parts: SegmentParts;
  readonly end: SegmentStart;
  readonly listed: readonly SegmentSummary[];
}

interface Header {
  readonly stamp: SegmentStamp;
  readonly lastBoot: number;
  readonly codes: SavedCodes;
  readonly timeBase: number;
  readonly start: SavedStanding;
  readonly listed: readonly SegmentSummary[];
  readonly columns: readonly (readonly [type: CellType, length: number])[];
}

/** Where judging begins and goes on from: read only by who judges. */
interface Judging {
  readonly kernel: KernelCheckpoint;
  readonly end: Omit<SegmentStart, 'standing' | 'codes' | 'known'> & {
    readonly standing: SavedStanding;
    readonly codes: Pick<SavedCodes, 'texts' | 'numbers'>;
    readonly known: SavedDevices;
  };
}

const tables = ['groups', 'devices', 'files', 'holds', 'processes'] as const;

interface SavedStanding extends Pick<Standing, 'waiter' | 'held' | 'unheard'> {
  readonly tables: readonly (readonly number[])[];
}

export function encodeSegment({ stamp, parts, end, listed }: Sealed, packing: Packing): Uint8Array {
  const { lastBoot, times } = parts;
  const judging = packing.deflate(JSON.stringify(judgingOf(parts, end)));
  const columns = [...columnsOf(parts), new Column(judging, judging.length)];
  const header: Header = {
    stamp,
    lastBoot,
    codes: saveCodes(parts.codes),
    timeBase: times.base,
    start: saveStanding(parts.start),
    listed,
    columns: columns.map((column) => [cellTypeOf(column), column.length]),
  };
  const text = packing.deflate(JSON.stringify(header));
  const places = placesOf(header, text.length);
  const bytes = new Uint8Array(places.at(-1) ?? 0);
  const prefix = new DataView(bytes.buffer);
  bytes.set(MAGIC);
  prefix.setUint32(MAGIC.length, text.length, true);
  bytes.set(text, PREFIX);
  for (const [index, { cells, length }] of columns.entries()) {
    const { buffer, byteOffset, BYTES_PER_ELEMENT } = cells;
    bytes.set(new Uint8Array(buffer, byteOffset, length * BYTES_PER_ELEMENT), places[index]);
  }
  prefix.setUint32(MAGIC.length + 4, checksumOf(bytes, packing), true);
  return bytes;
}

function judgingOf({ kernel }: SegmentParts, end: SegmentStart): Judging {
  const { texts, numbers } = end.codes;
  const standing = saveStanding(end.standing);
  const codes = { texts: texts.values, numbers: numbers.values };
  return { kernel, end: { ...end, standing, codes, known: end.known.save() } };
}

/** Of the length of the header, and of all behind these. */
function checksumOf(bytes: Uint8Array, packing: Packing): number {
  return packing.crc32(bytes.subarray(PREFIX), numberAt(bytes, MAGIC.length));
}

function numberAt(bytes: Uint8Array, at: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(at, true);
}

/** Throws `SegmentError`. */
export function decodeSegment(given: Uint8Array, packing: Packing): Sealed {
  // Cells of eight bytes must lie at a multiple of eight.
  const bytes = given.byteOffset % 8 === 0 ? given : new Uint8Array(given);
  if (bytes.length < PREFIX || MAGIC.some((byte, at) => bytes[at] !== byte)) {
    throw new SegmentError('no segment');
  }
  if (checksumOf(bytes, packing) !== numberAt(bytes, MAGIC.length + 4)) {
    throw new SegmentError('the checksum does not fit');
  }
  const length = numberAt(bytes, MAGIC.length);
  const unpacked = (packed: Uint8Array): unknown => JSON.parse(packing.inflate(packed));
  try {
    const header = unpacked(bytes.subarray(PREFIX, PREFIX + length)) as Header;
    return sealedOf(header, bytes as Uint8Array<ArrayBuffer>, length, unpacked);
  } catch (error) {
    throw new SegmentError('it cannot be read', { cause: error });
  }
}

function sealedOf(
  header: Header,
  bytes: Uint8Array<ArrayBuffer>,
  length: number,
  unpacked: (packed: Uint8Array) => unknown,
): Sealed {
  const { stamp, lastBoot, listed } = header;
  const places = placesOf(header, length);
  if (places.at(-1) !== bytes.length) throw new SegmentError('it has another length');
  const columns = header.columns.map(([type, count], index) => {
    return new Column(
      new cellTypes[type](bytes.buffer, bytes.byteOffset + (places[index] ?? 0), count),
      count,
    );
  });
  const codes = codesOf(header.codes);
  // Large, and not needed by who only asks.
  const judging = () => unpacked(columns.at(-1)?.cells as Uint8Array) as Judging;
  return {
    stamp,
    listed,
    parts: {
      ...partsOf(columns, stamp.first, header.timeBase),
      codes,
      start: standingFrom(header.start),
      lastBoot,
      get kernel() {
        return judging().kernel;
      },
    },
    get end() {
      const { end } = judging();
      const { texts, numbers } = codesOf(end.codes);
      const known = new KnownDevices(end.known);
      return {
        ...end,
        standing: standingFrom(end.standing),
        codes: { ...codes, texts, numbers },
        known,
      };
    },
  };
}

/** Where each column begins, and where the last one ends. */
function placesOf({ columns }: Header, header: number): number[] {
  const aligned = (place: number) => Math.ceil(place / 8) * 8;
  const places = [aligned(PREFIX + header)];
  for (const [type, length] of columns) {
    places.push(aligned((places.at(-1) ?? 0) + cellTypes[type].BYTES_PER_ELEMENT * length));
  }
  return places;
}

/** The columns in the order in which they are written. */
function columnsOf({ journal, times, postings }: SegmentParts): Column[] {
  const lists = postings.columns();
  return [
    journal.types,
    journal.rows,
    journal.kinds,
    ...journal.changes.flat(),
    ...times.columns,
    ...postingKinds.flatMap((kind) => [lists[kind].keys, lists[kind].ends, lists[kind].events]),
  ];
}

function partsOf(columns: readonly Column[], first: number, base: number) {
  const left = columns[Symbol.iterator]();
  const next = (): Column => {
    const { value } = left.next();
    if (value === undefined) throw new SegmentError('a column is missing');
    return value;
  };
  const journal = new Journal(first);
  journal.types = next();
  journal.rows = next();
  journal.kinds = next();
  journal.changes = changeKinds.map((kind) => changes[kind].columns.map(next));
  const times = new Times(next(), next(), base);
  const postings = Object.fromEntries(
    postingKinds.map((kind) => [kind, { keys: next(), ends: next(), events: next() }]),
  ) as PostingLists;
  return { journal, times, postings: new Postings(postings) };
}

function saveStanding(standing: Standing): SavedStanding {
  const { waiter, held, unheard } = standing;
  const rows = tables.map((name) => {
    const { cells, count, width } = standing[name];
    return [...cells.subarray(0, count * width)];
  });
  return { waiter, held, unheard, tables: rows };
}

function standingFrom({ waiter, held, unheard, tables: rows }: SavedStanding): Standing {
  const standing = new Standing();
  for (const [index, name] of tables.entries()) {
    const cells = Uint32Array.from(rows[index] ?? []);
    const { width } = standing[name];
    Object.assign(standing[name], new CellRows(width, cells, cells.length / width));
  }
  return Object.assign(standing, { waiter, held, unheard });
}
