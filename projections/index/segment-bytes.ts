/**
 * Encodes a sealed segment as bytes, and decodes it.
 *
 * The bytes carry a stamp (stream, version of the rules, positions, and the hashes before and after
 * the segment) and a checksum over everything. Damaged bytes are refused with a `SegmentError`. The
 * reader compares the stamp with its log; a segment that does not fit is rebuilt from the events.
 *
 * @module
 */
import type { KernelCheckpoint } from '../../machines/checkpoint.ts';
import type { Claimant } from '../shapes.ts';
import { KnownDevices, type SavedDevices } from './known.ts';
import { codesOf, saveCodes, type SavedCodes } from './codes.ts';
import { cellTypeOf, cellTypes, Column, type CellType } from './columns.ts';
import { changeKinds, changes } from './changes.ts';
import { HandOvers, ownerColumns } from './hand-overs.ts';
import { Journal } from './journal.ts';
import type { SavedSources } from './known-sources.ts';
import type { SavedRefusals } from './open-refusals.ts';
import { postingKinds, Postings, type PostingLists } from './postings.ts';
import type { SegmentStart } from './builder.ts';
import type { SegmentParts } from './segment.ts';
import { CellRows, Standing } from './standing.ts';
import { Times } from './times.ts';

/** The bytes are not a segment, or are damaged. */
export class SegmentError extends Error {
  override readonly name = 'SegmentError';
}

/** Compression and checksums, which each platform supplies. */
export interface Packing {
  /** Raw DEFLATE (RFC 1951) of the text in UTF-8. */
  deflate(text: string): Uint8Array;
  inflate(bytes: Uint8Array): string;
  /** CRC-32 of the bytes, continued from the CRC `before`. */
  crc32(bytes: Uint8Array, before: number): number;
}

const MAGIC = new TextEncoder().encode('VFLSEG1\n');
/** Bytes: magic (8), length of the header (4, little-endian), checksum (4, little-endian). */
const PREFIX = MAGIC.length + 8;

/** The events and rules that a segment was made from. */
interface SegmentStamp {
  readonly stream: string;
  /** Version of the code that judged the events (`ledger/rules-version.ts`). */
  readonly rules: string;
  /** Position of the first event that the log had at that time; older ones had been removed. */
  readonly origin: number;
  /** Position of its first event. */
  readonly first: number;
  /** Number of its events. */
  readonly count: number;
  /** Hash of the event before the first one. */
  readonly before: string;
  /** Hash of the last event. */
  readonly after: string;
}

/** What is known of a segment without reading it. */
export interface SegmentSummary {
  /** Position of its first event. */
  readonly first: number;
  /** Number of its events. */
  readonly count: number;
  /** Earliest time of its events, in seconds since the year 0; null if none has a time. */
  readonly earliest: number | null;
  /** Position of the last boot before it; -1 if there is none. */
  readonly lastBoot: number;
  /** Number of holds made before it. */
  readonly held: number;
}

/** The content of a file: a segment, the start of the next one, and summaries of all before it. */
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
  readonly openRefusals: readonly number[];
  readonly claims: readonly Claimant[];
  readonly listed: readonly SegmentSummary[];
  readonly columns: readonly (readonly [type: CellType, length: number])[];
}

/** The host at both ends of a segment. Only a builder needs it, so it is unpacked on demand. */
interface Judging {
  readonly kernel: KernelCheckpoint;
  readonly refusals: SavedRefusals;
  readonly sources: SavedSources;
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

/** What a segment file holds, before it is compressed. */
export interface SegmentContent {
  readonly header: Omit<Header, 'columns'>;
  /** In the order in which they are written. */
  readonly columns: readonly Column[];
  readonly judging: Judging;
}

export function contentOf({ stamp, parts, end, listed }: Sealed): SegmentContent {
  const { lastBoot, times, openRefusals, claims } = parts;
  const codes = saveCodes(parts.codes);
  const start = saveStanding(parts.start);
  return {
    header: { stamp, lastBoot, codes, timeBase: times.base, start, openRefusals, claims, listed },
    columns: columnsOf(parts),
    judging: judgingOf(parts, end),
  };
}

/** The bytes of a segment file; FORMAT.md describes them. */
export function encodeSegment(sealed: Sealed, packing: Packing): Uint8Array {
  return encodeContent(contentOf(sealed), packing);
}

export function encodeContent(content: SegmentContent, packing: Packing): Uint8Array {
  const judging = packing.deflate(JSON.stringify(content.judging));
  const columns = [...content.columns, new Column(judging, judging.length)];
  const header: Header = {
    ...content.header,
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

function judgingOf({ kernel, refusals, sources }: SegmentParts, end: SegmentStart): Judging {
  const { texts, numbers } = end.codes;
  const standing = saveStanding(end.standing);
  const codes = { texts: texts.values, numbers: numbers.values };
  return { kernel, refusals, sources, end: { ...end, standing, codes, known: end.known.save() } };
}

/** CRC-32 of everything after the prefix, seeded with the length of the header. */
function checksumOf(bytes: Uint8Array, packing: Packing): number {
  return packing.crc32(bytes.subarray(PREFIX), numberAt(bytes, MAGIC.length));
}

function numberAt(bytes: Uint8Array, at: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(at, true);
}

/** Decodes bytes of `encodeSegment`; columns are views of them. Throws `SegmentError`. */
export function decodeSegment(given: Uint8Array, packing: Packing): Sealed {
  // A Float64Array must begin at a multiple of 8 bytes.
  const bytes = given.byteOffset % 8 === 0 ? given : new Uint8Array(given);
  if (bytes.length < PREFIX || MAGIC.some((byte, at) => bytes[at] !== byte)) {
    throw new SegmentError('not a segment: the magic is missing');
  }
  if (checksumOf(bytes, packing) !== numberAt(bytes, MAGIC.length + 4)) {
    throw new SegmentError('damaged segment: the checksum differs');
  }
  const length = numberAt(bytes, MAGIC.length);
  const unpacked = (packed: Uint8Array): unknown => JSON.parse(packing.inflate(packed));
  try {
    const header = unpacked(bytes.subarray(PREFIX, PREFIX + length)) as Header;
    return sealedOf(header, bytes as Uint8Array<ArrayBuffer>, length, unpacked);
  } catch (error) {
    throw new SegmentError('damaged segment: it cannot be decoded', { cause: error });
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
  if (places.at(-1) !== bytes.length) {
    throw new SegmentError(`expected ${places.at(-1)} bytes, not ${bytes.length}`);
  }
  const columns = header.columns.map(([type, count], index) => {
    return new Column(
      new cellTypes[type](bytes.buffer, bytes.byteOffset + (places[index] ?? 0), count),
      count,
    );
  });
  const codes = codesOf(header.codes);
  const start = standingFrom(header.start);
  // Large, and not needed to answer questions.
  const judging = () => unpacked(columns.at(-1)?.cells as Uint8Array) as Judging;
  return {
    stamp,
    listed,
    parts: {
      ...partsOf(columns, stamp.first, start, header.timeBase),
      codes,
      start,
      lastBoot,
      openRefusals: header.openRefusals,
      claims: header.claims,
      get kernel() {
        return judging().kernel;
      },
      get refusals() {
        return judging().refusals;
      },
      get sources() {
        return judging().sources;
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

/** The offset of each column in bytes, and at the end the total length. */
function placesOf({ columns }: Header, header: number): number[] {
  const aligned = (place: number) => Math.ceil(place / 8) * 8;
  const places = [aligned(PREFIX + header)];
  for (const [type, length] of columns) {
    places.push(aligned((places.at(-1) ?? 0) + cellTypes[type].BYTES_PER_ELEMENT * length));
  }
  return places;
}

/** The columns of a segment, in the order in which they are written. */
export function columnsOf({ journal, handOvers, times, postings }: SegmentParts): Column[] {
  const lists = postings.columns();
  return [
    journal.types,
    journal.rows,
    journal.kinds,
    ...journal.changes.flat(),
    ...Object.values(handOvers.columns),
    ...times.columns,
    ...postingKinds.flatMap((kind) => [lists[kind].keys, lists[kind].ends, lists[kind].events]),
  ];
}

function partsOf(columns: readonly Column[], first: number, start: Standing, base: number) {
  const left = columns[Symbol.iterator]();
  const next = (): Column => {
    const { value } = left.next();
    if (value === undefined) throw new SegmentError('the header lists too few columns');
    return value;
  };
  const journal = new Journal(first);
  journal.types = next();
  journal.rows = next();
  journal.kinds = next();
  journal.changes = changeKinds.map((kind) => changes[kind].columns.map(next));
  const handOvers = new HandOvers(first, start.groups, ownerColumns(next));
  const times = new Times(next(), next(), base);
  const postings = Object.fromEntries(
    postingKinds.map((kind) => [kind, { keys: next(), ends: next(), events: next() }]),
  ) as PostingLists;
  return { journal, handOvers, times, postings: new Postings(postings) };
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
