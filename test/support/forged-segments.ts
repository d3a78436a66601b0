/**
 * Segments that somebody has changed and given the right checksum.
 *
 * @module
 */
import { packing } from '../../log/packing.ts';
import { changeKinds, changes, type ChangeKind } from '../../projections/index/changes.ts';
import { Column } from '../../projections/index/columns.ts';
import {
  contentOf,
  decodeSegment,
  encodeContent,
  type SegmentContent,
} from '../../projections/index/segment-bytes.ts';
import { piecesOf } from '../../projections/index/segment-layout.ts';

/** The keys that lead to a value in the JSON of a segment. */
export type JsonPath = readonly (string | number)[];

/** A cell of a column, by the index of the column. */
interface CellPlace {
  readonly column: number;
  readonly cell: number;
}

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

/**
 * What each column of a segment is called, in their order: its piece and its index there, or in a
 * block what it tells, such as `fileSet.pins`.
 */
export function columnKindsOf(bytes: Uint8Array): string[] {
  const { blocks } = decodeSegment(bytes, packing).parts;
  return piecesOf(blocks.length).flatMap(([name, count]) => {
    if (name === 'header' || name === 'judging') return [];
    if (name === 'changes') return blockColumns;
    return Array.from({ length: count }, (_, index) => `${name}.${index}`);
  });
}

const standing = ['begin', 'groups', 'devices', 'files', 'holds', 'processes'];
const blockColumns = [
  ...standing,
  'rows',
  'kinds',
  ...changeKinds.flatMap((kind) => changes[kind].columns.map((column) => `${kind}.${column}`)),
];

/** What a place in the JSON is called: its path without indexes, such as `judging.kernel.files.*.id`. */
export function jsonKindOf(path: JsonPath): string {
  return path.map((key) => (typeof key === 'number' ? '*' : key)).join('.');
}

/** The segment with another value at a place; a number has `by` more. */
export function forged(bytes: Uint8Array, place: JsonPath | CellPlace, by = 1): Uint8Array {
  if ('column' in place) {
    return withColumn(bytes, place.column, (cells) =>
      cells.map((value, index) => (index === place.cell ? value + by : value)),
    );
  }
  return withJson(bytes, place, (value) => otherThan(value, by));
}

/** The segment with another value at a place in its JSON; undefined leaves the value out. */
export function withJson(
  bytes: Uint8Array,
  path: JsonPath,
  change: (value: unknown) => unknown,
): Uint8Array {
  const { columns, ...plain } = jsonOf(bytes);
  let parent = plain as unknown as Record<string | number, unknown>;
  for (const key of path.slice(0, -1)) parent = parent[key] as typeof parent;
  const last = path.at(-1) ?? '';
  parent[last] = change(parent[last]);
  return encodeContent({ ...plain, columns }, packing);
}

/** The segment with other cells in a column, as many as there may be. */
export function withColumn(
  bytes: Uint8Array,
  column: number,
  change: (cells: readonly number[]) => readonly number[],
): Uint8Array {
  const { columns, ...plain } = jsonOf(bytes);
  const { length, cells } = columns[column]!;
  const values = Float64Array.from(change([...cells.subarray(0, length)]));
  const wide = new Column(values, values.length);
  // Narrower cells cannot have any of the others.
  const other = values.every(Number.isInteger) ? wide.sealed() : wide;
  return encodeContent({ ...plain, columns: columns.with(column, other) }, packing);
}

/** Ways to forge a column; `at` chooses the cells, and `by` how far off they are. */
export const columnForgeries: Readonly<
  Record<string, (cells: readonly number[], at: number, by: number) => readonly number[]>
> = {
  'another value': (cells, at, by) => cells.with(at, cells[at]! + by),
  'the value of another row': (cells, at, by) => cells.with(at, cells[(at + by) % cells.length]!),
  'two rows in the place of each other': (cells, at, by) => {
    const other = (at + by) % cells.length;
    return cells.with(at, cells[other]!).with(other, cells[at]!);
  },
  nothing: (cells, at) => cells.with(at, 0),
  'all the same': (cells, at) => cells.map(() => cells[at]!),
  'a row less': (cells, at) => cells.toSpliced(at, 1),
  'a row more': (cells, at, by) => cells.toSpliced(at, 0, by),
  'no rows': () => [],
  'a huge value': (cells, at) => cells.with(at, 0xffff_fffe),
  'a value beyond all': (cells, at) => cells.with(at, 1e300),
  'a negative value': (cells, at, by) => cells.with(at, -by),
  'no whole number': (cells, at) => cells.with(at, 0.5),
  'no number': (cells, at) => cells.with(at, NaN),
};

/** Ways to forge a value in the JSON. */
export const jsonForgeries: Readonly<Record<string, (value: unknown, by: number) => unknown>> = {
  'another value': otherThan,
  nothing: () => null,
  'left out': () => undefined,
  'a huge value': () => 0xffff_fffe,
  'a negative value': (_, by) => -by,
  'a text': () => 'f7',
  'a list': () => [1, 'f2', null],
  'an object': () => ({ id: 'f2', pid: 1 }),
};

function jsonOf(bytes: Uint8Array): SegmentContent {
  const { header, judging, columns } = contentOf(decodeSegment(bytes, packing));
  const plain: unknown = JSON.parse(JSON.stringify({ header, judging }));
  return { ...(plain as Omit<SegmentContent, 'columns'>), columns };
}

/** The paths of all values; an empty list or object is a value. */
function* pathsIn(value: unknown, path: JsonPath = []): Generator<JsonPath> {
  const entries = Array.isArray(value)
    ? [...value.entries()]
    : typeof value === 'object' && value !== null
      ? Object.entries(value)
      : [];
  for (const [key, each] of entries) yield* pathsIn(each, [...path, key]);
  if (entries.length === 0) yield path;
}

function otherThan(value: unknown, by: number): unknown {
  if (typeof value === 'number') return value + by;
  if (typeof value === 'boolean') return !value;
  if (Array.isArray(value)) return [by];
  if (typeof value === 'object' && value !== null) return { by };
  if (typeof value !== 'string') return by;
  return /^f\d+$/.test(value) ? `f${Number(value.slice(1)) + by}` : `${value}~`;
}

/** The place of a cell in the column of a kind of change; a negative row counts from the end. */
export function cellOf(
  bytes: Uint8Array,
  kind: ChangeKind,
  column: string,
  row: number,
): CellPlace {
  const lengths = columnsIn(bytes);
  const cells = columnKindsOf(bytes).flatMap((name, index) => {
    if (name !== `${kind}.${column}`) return [];
    return Array.from({ length: lengths[index]! }, (_, cell) => ({ column: index, cell }));
  });
  const found = cells.at(row);
  if (found === undefined)
    throw new RangeError(`the segment has no row ${row} of ${kind} ${column}`);
  return found;
}
