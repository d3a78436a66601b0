/**
 * Segments that somebody has changed and given the right checksum.
 *
 * @module
 */
import { packing } from '../../log/packing.ts';
import { changeCodes, changes, type ChangeKind } from '../../projections/index/changes.ts';
import { Column } from '../../projections/index/columns.ts';
import {
  contentOf,
  decodeSegment,
  encodeContent,
  type SegmentContent,
} from '../../projections/index/segment-bytes.ts';

/** The keys that lead to a value in the JSON of a segment. */
export type JsonPath = readonly (string | number)[];

/** Every value in the JSON of a segment but its stamp: with another, it is of another log. */
export function jsonPlacesOf(bytes: Uint8Array): JsonPath[] {
  const { header, judging } = jsonOf(bytes);
  const { stamp: _stamp, ...rest } = header;
  return [...pathsIn({ header: rest, judging })];
}

/** The length of every column of a segment. */
export function columnsIn(bytes: Uint8Array): number[] {
  return contentOf(decodeSegment(bytes, packing)).columns.map(({ length }) => length);
}

/** The segment with another value at a place; a number has `by` more. */
export function forged(
  bytes: Uint8Array,
  place: JsonPath | { readonly column: number; readonly cell: number },
  by = 1,
): Uint8Array {
  const { columns, ...plain } = jsonOf(bytes);
  if (!('column' in place)) {
    let parent = plain as unknown as Record<string | number, unknown>;
    for (const key of place.slice(0, -1)) parent = parent[key] as typeof parent;
    const last = place.at(-1) ?? '';
    parent[last] = otherThan(parent[last], by);
    return encodeContent({ ...plain, columns }, packing);
  }
  const { length, cells } = columns[place.column]!;
  const values = Float64Array.from(cells.subarray(0, length));
  values[place.cell]! += by;
  const changed = columns.with(place.column, new Column(values, length).sealed());
  return encodeContent({ ...plain, columns: changed }, packing);
}

function jsonOf(bytes: Uint8Array): SegmentContent {
  const { header, judging, columns } = contentOf(decodeSegment(bytes, packing));
  const plain: unknown = JSON.parse(JSON.stringify({ header, judging }));
  return { ...(plain as Omit<SegmentContent, 'columns'>), columns };
}

function* pathsIn(value: unknown, path: JsonPath = []): Generator<JsonPath> {
  if (Array.isArray(value)) {
    for (const [index, each] of value.entries()) yield* pathsIn(each, [...path, index]);
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, each] of Object.entries(value)) yield* pathsIn(each, [...path, key]);
  } else yield path;
}

function otherThan(value: unknown, by: number): unknown {
  if (typeof value === 'number') return value + by;
  if (typeof value === 'boolean') return !value;
  if (typeof value !== 'string') return by;
  return /^f\d+$/.test(value) ? `f${Number(value.slice(1)) + by}` : `${value}~`;
}

/** The place of a cell in the column of a kind of change; a negative row counts from the end. */
export function cellOf(bytes: Uint8Array, kind: ChangeKind, column: string, row: number) {
  const sealed = decodeSegment(bytes, packing);
  const index = changes[kind].columns.indexOf(column);
  const found = sealed.parts.journal.changes[changeCodes[kind]]?.[index];
  const cell = row < 0 ? (found?.length ?? 0) + row : row;
  if (found === undefined || cell >= found.length) {
    throw new RangeError(`the segment has no row ${row} of ${kind} ${column}`);
  }
  return { column: contentOf(sealed).columns.indexOf(found), cell };
}
