/**
 * Encodes a sealed segment as bytes, and decodes it.
 *
 * The bytes carry a stamp (stream, version of the rules, positions, and the hashes before and after
 * the segment) and checksums over everything. Damaged bytes are refused with a `SegmentError`. The
 * reader compares the stamp with its log; a segment that does not fit is rebuilt from the events.
 *
 * @module
 */
import type { KernelCheckpoint } from '../../machines/checkpoint.ts';
import type { Claimant } from '../shapes.ts';
import { KnownDevices, type SavedDevices } from './known.ts';
import { cut } from './blocks.ts';
import { codesOf, saveCodes, type SavedCodes } from './codes.ts';
import { Column } from './columns.ts';
import { columnsOfHands } from './hand-columns.ts';
import type { SavedSources } from './known-sources.ts';
import type { SavedRefusals } from './open-refusals.ts';
import { postingKinds } from './postings.ts';
import type { SegmentStart } from './builder.ts';
import {
  layOut,
  piecesOf,
  PieceReader,
  SegmentError,
  type SegmentDirectory,
} from './segment-layout.ts';
import type { SegmentParts } from './segment-parts.ts';
import { CellRows, Standing } from './standing.ts';
import { StoredParts } from './stored-parts.ts';

/** Compression and checksums, which each platform supplies. */
export interface Packing {
  /** Raw DEFLATE (RFC 1951) of the text in UTF-8. */
  deflate(text: string): Uint8Array;
  inflate(bytes: Uint8Array): string;
  /** CRC-32 of the bytes, continued from the CRC `before`. */
  crc32(bytes: Uint8Array, before: number): number;
}

/** The events and rules that a segment was made from. */
export interface SegmentStamp {
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

/** What most answers need of a segment. */
export interface SegmentHeader {
  readonly codes: SavedCodes;
  readonly claims: readonly Claimant[];
}

/** The host at both ends of a segment, and the segments before. Only a builder needs it. */
export interface Judging {
  readonly kernel: KernelCheckpoint;
  readonly refusals: SavedRefusals;
  readonly sources: SavedSources;
  readonly listed: readonly SegmentSummary[];
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

/** What a segment file holds, before it is packed. */
export interface SegmentContent {
  readonly header: Omit<SegmentDirectory, 'pieces'> & SegmentHeader;
  /** In the order in which they are written, without those that are JSON. */
  readonly columns: readonly Column[];
  readonly judging: Judging;
}

export function contentOf({ stamp, parts, end, listed }: Sealed): SegmentContent {
  const { lastBoot, times, blocks, claims } = parts;
  const codes = saveCodes(parts.codes);
  const begins = Array.from({ length: blocks.length }, (_, index) => {
    return [blocks.eventAt(index), blocks.heldAt(index)] as const;
  });
  return {
    header: { stamp, timeBase: times.base, lastBoot, blocks: begins, codes, claims },
    columns: columnsOf(parts),
    judging: judgingOf(parts, end, listed),
  };
}

/** The bytes of a segment file; FORMAT.md describes them. */
export function encodeSegment(sealed: Sealed, packing: Packing): Uint8Array {
  return encodeContent(contentOf(sealed), packing);
}

export function encodeContent(content: SegmentContent, packing: Packing): Uint8Array {
  const { codes, claims, ...directory } = content.header;
  const header: SegmentHeader = { codes, claims };
  const columns = content.columns.values();
  const packed = { header, judging: content.judging };
  const pieces = piecesOf(blocksIn(content.columns)).map(([name, count]) => {
    if (name !== 'header' && name !== 'judging') {
      return Array.from({ length: count }, () => columns.next().value!);
    }
    const bytes = packing.deflate(JSON.stringify(packed[name]));
    return [new Column(bytes, bytes.length)];
  });
  return layOut(directory, pieces, packing);
}

/** How many blocks have columns in this list. */
function blocksIn({ length }: readonly Column[]): number {
  const count = (blocks: number) => sum(piecesOf(blocks).map(([, columns]) => columns));
  const json = 2;
  return (length + json - count(0)) / (count(1) - count(0));
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

function judgingOf(
  { kernel, refusals, sources }: SegmentParts,
  end: SegmentStart,
  listed: readonly SegmentSummary[],
): Judging {
  const { texts, numbers } = end.codes;
  const standing = saveStanding(end.standing);
  const codes = { texts: texts.values, numbers: numbers.values };
  const known = end.known.save();
  return { kernel, refusals, sources, listed, end: { ...end, standing, codes, known } };
}

/** Decodes bytes of `encodeSegment`; columns are views of them. Throws `SegmentError`. */
export function decodeSegment(given: Uint8Array, packing: Packing): Sealed {
  // A Float64Array must begin at a multiple of 8 bytes.
  const bytes = (
    given.byteOffset % 8 === 0 ? given : new Uint8Array(given)
  ) as Uint8Array<ArrayBuffer>;
  try {
    const pieces = new PieceReader((from, to) => bytes.subarray(from, to), packing);
    if (pieces.length !== bytes.length) {
      throw new SegmentError(`expected ${pieces.length} bytes, not ${bytes.length}`);
    }
    pieces.checkAll();
    return sealedOf(partsIn(pieces, packing), pieces.directory);
  } catch (error) {
    if (error instanceof SegmentError) throw error;
    throw new SegmentError('damaged segment: it cannot be decoded', { cause: error });
  }
}

/** Parts of which nothing is checked but that they can be read. */
function partsIn(pieces: PieceReader, packing: Packing): StoredParts {
  const rebuilt = (error: unknown): never => {
    throw error;
  };
  return new StoredParts({ pieces, packing, kept: new Map(), isSensible: () => true, rebuilt });
}

function sealedOf(parts: StoredParts, { stamp }: SegmentDirectory): Sealed {
  const { listed, end } = parts.judging();
  return {
    stamp,
    listed,
    parts,
    get end() {
      const { texts, numbers } = codesOf(end.codes);
      const known = new KnownDevices(end.known);
      return {
        ...end,
        standing: standingFrom(end.standing),
        codes: { ...parts.codes, texts, numbers },
        known,
      };
    },
  };
}

/** The columns of a segment, in the order in which they are written. */
export function columnsOf(parts: SegmentParts): Column[] {
  const { types, openRefusals, settled, handOvers, hands, times, postings, blocks } = parts;
  const lists = postings.columns();
  const open = new Column();
  for (const number of openRefusals) open.push(number);
  return [
    types,
    open.sealed(),
    ...Object.values(settled),
    ...Object.values(handOvers.columns),
    ...(hands === null ? [] : columnsOfHands(hands)),
    ...postingKinds.flatMap((kind) => [lists[kind].keys, lists[kind].ends, lists[kind].events]),
    ...Array.from({ length: blocks.length }, (_, index) => {
      const from = blocks.eventAt(index);
      const to = index + 1 < blocks.length ? blocks.eventAt(index + 1) : parts.length;
      return [...times.columns.map((column) => cut(column, from, to)), ...blocks.columnsAt(index)];
    }).flat(),
  ];
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
