/**
 * `bisect --where`: finds the first event after which an expression over the ownership table holds.
 *
 * It steps through the time index once, and evaluates the expression again only after an event that
 * has changed a row which the expression read.
 *
 * @module
 */
import type { Placed } from '../events/vocabulary.ts';
import { stepsOf } from './index/steps.ts';
import { foundAt } from './found-groups.ts';
import { ownerSince } from './owner-at.ts';
import { resolveOfKind } from './resolve.ts';
import type { Bisection, Position } from './shapes.ts';
import type { Timeline } from './timeline.ts';
import { fewestEvents } from './where/fewest-events.ts';
import { hostRows, type DeviceNames } from './where/host-rows.ts';
import type { KeyPath, TableRow, RowKind } from './where/keys.ts';
import { LiveRows } from './where/live-rows.ts';
import { contextOf, type RowName } from './where/trial.ts';
import { parseWhere, rowsOf, type TableRows, type Where } from './where/where.ts';

/** A row that an expression reads, with its values at the event where the expression holds. */
export interface SeenRow {
  readonly kind: RowKind;
  readonly id: string;
  /**
   * The paths that the expression reads (`owner.kind`), and their values; null if the row is
   * missing.
   */
  readonly paths: readonly { readonly path: string; readonly values: readonly unknown[] }[] | null;
}

/** A `Bisection` that has the rows as data; `words/answers.ts` turns them into `detail`. */
export type FoundWhere<E> = Omit<Bisection<E>, 'detail' | 'coverage'> & {
  readonly rows: readonly SeenRow[];
};

/**
 * The first event after which an expression holds, and the fewest events after which it still
 * begins to hold there; null if it never holds. An expression that holds from the start is found at
 * the first event. A name or node of a device means the device that has it at the end of the log.
 *
 * Throws `WhereError` for an expression that cannot be parsed, and `unknown-subject` for a row that
 * never existed.
 */
export function bisectWhere<E extends Placed>(
  timeline: Timeline<E>,
  text: string,
): FoundWhere<E> | null {
  const where = parseWhere(text);
  const names = namesIn(where, timeline);
  const position = firstAt(where, timeline, names);
  if (position === null) return null;
  const before = looksOf(where, rowsAt(timeline, position - 1, names)).map(nameOf);
  const there = rowsAt(timeline, position, names);
  const looks = looksOf(where, there);
  const named = looks.map((look) => ({ ...nameOf(look), context: contextOf(there, nameOf(look)) }));
  const event = timeline.at(position);
  return {
    invariant: null,
    where: text,
    position,
    time: event.time,
    event,
    rows: looks.map(seenRow),
    cause: null,
    prefix: fewestEvents(timeline, { where, names, position, rows: named, before }),
  };
}

function rowsAt(timeline: Timeline, position: number, names: DeviceNames): TableRows {
  const since = (group: string) => ownerSince(timeline, group, position).since;
  return hostRows(timeline.hostAt(position), since, names);
}

/**
 * Addresses of the devices in the expression. Throws `unknown-subject` for a row that never
 * existed.
 */
function namesIn({ scopes }: Where, timeline: Timeline): DeviceNames {
  const names = new Map<string, string>();
  for (const { kind, id } of scopes) {
    if (id === null) continue;
    const subject = resolveOfKind(timeline, kind, id, timeline.head);
    if (kind === 'device') names.set(id, subject.id);
  }
  return names;
}

function firstAt(where: Where, timeline: Timeline, names: DeviceNames): number | null {
  const { first, head } = timeline;
  if (head < first) return null;
  if (where.holds(rowsAt(timeline, first, names))) return first;
  const found = new Map<string, Position>();
  const foundOnce = (group: string): Position => {
    const known = found.get(group);
    if (known !== undefined) return known;
    const at = foundAt(timeline, group);
    found.set(group, at);
    return at;
  };
  for (const { parts } of timeline.segments()) {
    const standing = parts.start.copy();
    const rows = new LiveRows(standing, parts.codes, names, foundOnce);
    for (const position of stepsOf(parts.journal, standing, rows.touch)) {
      if (!rows.isStale) continue;
      rows.renew();
      if (where.holds(rows)) return position;
    }
  }
  return null;
}

/** A row that a clause looks at: the one that it names, or the first that meets its conditions. */
interface Look {
  readonly kind: RowKind;
  readonly id: string;
  /** Undefined if there is no such row. */
  readonly row: TableRow | undefined;
  readonly paths: readonly KeyPath[];
}

function looksOf({ clauses }: Where, rows: TableRows): Look[] {
  return clauses.flatMap((clause): Look[] => {
    const { kind, id, paths, meets } = clause;
    const all = [...rowsOf(rows, clause)];
    const row = id === null ? all.find(meets) : all[0];
    if (id !== null) return [{ kind, id, row, paths }];
    return row === undefined ? [] : [{ kind, id: idOf(row), row, paths }];
  });
}

function nameOf({ kind, id, row }: Look): RowName {
  return { kind, id: row === undefined ? id : idOf(row) };
}

function idOf(row: TableRow): string {
  if ('device' in row) return row.device;
  return 'group' in row ? row.group : row.file;
}

function seenRow({ kind, id, row, paths }: Look): SeenRow {
  if (row === undefined) return { kind, id, paths: null };
  return {
    kind,
    id,
    paths: paths.map(({ text, values }) => ({ path: text, values: values(row) })),
  };
}
