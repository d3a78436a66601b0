/**
 * Serializes tables, diffs and histories for the snapshots of vitest and Jest.
 *
 * @module
 */
import type { Interval } from '../projections/interval-shapes.ts';
import type { Diff, Table } from '../projections/shapes.ts';
import { stableDiff, stableHistory, stableTable, type ShownInSnapshots } from '../words/stable.ts';

/** What `expect.addSnapshotSerializer` takes. */
export interface SnapshotSerializer {
  /** Whether a value is a table, a diff or a history; a history has an interval. */
  test(this: void, value: unknown): boolean;
  /** The value in lines. */
  serialize(this: void, value: unknown): string;
  /** A serializer that also shows pids, descriptors or times, which differ from run to run. */
  showing(this: void, shown: ShownInSnapshots): SnapshotSerializer;
}

function serializerWith(shown: ShownInSnapshots): SnapshotSerializer {
  return {
    test: (value) => isTable(value) || isDiff(value) || isIntervals(value),
    serialize(value) {
      if (isTable(value)) return stableTable(value, shown);
      return isDiff(value) ? stableDiff(value, shown) : stableHistory(value as Interval[], shown);
    },
    showing: serializerWith,
  };
}

/** Shows no pids, descriptors and times: `expect.addSnapshotSerializer(serializer)`. */
export const serializer: SnapshotSerializer = serializerWith({});

function isTable(value: unknown): value is Table {
  const { at, groups, devices, files } = keysOf(value);
  return at !== undefined && [groups, devices, files].every((list) => Array.isArray(list));
}

function isDiff(value: unknown): value is Diff {
  const { changes, from, to } = keysOf(value);
  return Array.isArray(changes) && from !== undefined && to !== undefined;
}

function isIntervals(value: unknown): value is readonly Interval[] {
  if (!Array.isArray(value) || value.length === 0) return false;
  return value.every((each) => 'endedBy' in keysOf(each) && 'owner' in keysOf(each));
}

function keysOf(value: unknown): Readonly<Record<string, unknown>> {
  const isObject = typeof value === 'object' && value !== null;
  return isObject ? (value as Readonly<Record<string, unknown>>) : {};
}
