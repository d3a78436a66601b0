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
import { Column } from './columns.ts';
import { changeKinds, changes } from './changes.ts';
import { columnsOfHands, handColumns } from './hand-columns.ts';
import { HandOvers, ownerColumns } from './hand-overs.ts';
import { Journal } from './journal.ts';
import type { SavedSources } from './known-sources.ts';
import type { SavedRefusals } from './open-refusals.ts';
import { postingKinds, Postings, type PostingLists } from './postings.ts';
import type { SegmentStart } from './builder.ts';
import { laidOut, layOut, SegmentError, type SegmentDirectory } from './segment-layout.ts';
import type { SegmentParts } from './segment-parts.ts';
import { CellRows, Standing } from './standing.ts';
import { Times } from './times.ts';

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

interface Header {
  readonly lastBoot: number;
  readonly codes: SavedCodes;
  readonly start: SavedStanding;
  readonly openRefusals: readonly number[];
  readonly claims: readonly Claimant[];
  readonly listed: readonly SegmentSummary[];
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
  readonly header: Header & Pick<SegmentDirectory, 'stamp' | 'timeBase'>;
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
  const { stamp, timeBase, ...header } = content.header;
  return layOut({ stamp, timeBase }, packing.deflate(JSON.stringify(header)), columns, packing);
}

function judgingOf({ kernel, refusals, sources }: SegmentParts, end: SegmentStart): Judging {
  const { texts, numbers } = end.codes;
  const standing = saveStanding(end.standing);
  const codes = { texts: texts.values, numbers: numbers.values };
  return { kernel, refusals, sources, end: { ...end, standing, codes, known: end.known.save() } };
}

/** Decodes bytes of `encodeSegment`; columns are views of them. Throws `SegmentError`. */
export function decodeSegment(given: Uint8Array, packing: Packing): Sealed {
  // A Float64Array must begin at a multiple of 8 bytes.
  const bytes = given.byteOffset % 8 === 0 ? given : new Uint8Array(given);
  const unpacked = (packed: Uint8Array): unknown => JSON.parse(packing.inflate(packed));
  try {
    const { directory, header, columns } = laidOut(bytes as Uint8Array<ArrayBuffer>, packing);
    return sealedOf(directory, unpacked(header) as Header, columns, unpacked);
  } catch (error) {
    if (error instanceof SegmentError) throw error;
    throw new SegmentError('damaged segment: it cannot be decoded', { cause: error });
  }
}

function sealedOf(
  { stamp, timeBase }: SegmentDirectory,
  header: Header,
  columns: readonly Column[],
  unpacked: (packed: Uint8Array) => unknown,
): Sealed {
  const { lastBoot, listed } = header;
  const codes = codesOf(header.codes);
  const start = standingFrom(header.start);
  // Large, and not needed to answer questions.
  const judging = () => unpacked(columns.at(-1)?.cells as Uint8Array) as Judging;
  return {
    stamp,
    listed,
    parts: {
      ...partsOf(columns, stamp.first, timeBase),
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

/** The columns of a segment, in the order in which they are written. */
export function columnsOf(parts: SegmentParts): Column[] {
  const { journal, handOvers, times, postings, hands } = parts;
  const lists = postings.columns();
  return [
    journal.types,
    journal.rows,
    journal.kinds,
    ...journal.changes.flat(),
    ...Object.values(handOvers.columns),
    ...(hands === null ? [] : columnsOfHands(hands)),
    ...times.columns,
    ...postingKinds.flatMap((kind) => [lists[kind].keys, lists[kind].ends, lists[kind].events]),
  ];
}

function partsOf(columns: readonly Column[], first: number, base: number) {
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
  const handOvers = new HandOvers(first, ownerColumns(next));
  const hands = handColumns(next);
  const times = new Times(next(), next(), base);
  const postings = Object.fromEntries(
    postingKinds.map((kind) => [kind, { keys: next(), ends: next(), events: next() }]),
  ) as PostingLists;
  const { ungrouped } = hands;
  return { journal, handOvers, hands, ungrouped, times, postings: new Postings(postings) };
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
