/**
 * The owners of groups in a segment: a row for each change, in columns. The owner of a group at a
 * moment is a binary search in the rows of the group, or the owner before the first event.
 *
 * A row is a hand-over if the group has had its owner since the event of the row. The other rows
 * say that a group came or went, or how surely its owner is known.
 *
 * @module
 */
import { certainties } from '../../events/vocabulary.ts';
import type { GroupAt } from '../../machines/host-at.ts';
import { Column } from './columns.ts';
import { GONE, GROUP, ownerKinds, type Standing } from './standing.ts';

/** The owner of a group, as its cells in a standing tell it. */
export type OwnerAt = Pick<GroupAt, 'state' | 'owner' | 'isUnknown' | 'certainty'>;

/** The owner of a group at a moment. */
export interface GroupOwner {
  /** Null if the group does not exist at the moment. */
  readonly owner: OwnerAt | null;
  /** Position since which it has this owner; null: from the start of the log. */
  readonly since: number | null;
}

/** A change of a group's owner to another one; `G` is how the group is named. */
export interface HandOver<G = string> extends GroupOwner {
  readonly position: number;
  readonly group: G;
}

const none: readonly number[] = [];
/** Cells of a group in a standing. */
const GROUP_WIDTH = Object.keys(GROUP).length;

/**
 * `event` is counted from the first of the segment; `group` is a code; the others are the cells of
 * a group in a standing (`GROUP`) after the event. `before` has all cells of the groups before the first
 * event.
 */
const names = ['event', 'group', 'kind', 'owner', 'certainty', 'since', 'before'] as const;
export type OwnerColumns = Readonly<Record<(typeof names)[number], Column>>;

/** Columns of the given cells, or growing ones. */
export function ownerColumns(next: () => Column = () => new Column()): OwnerColumns {
  return Object.fromEntries(names.map((name) => [name, next()])) as OwnerColumns;
}

export class HandOvers {
  /** Position of the first event of the segment. */
  readonly first: number;
  readonly columns: OwnerColumns;
  /** The rows of each group, ascending, by its code; of the first `#listed` rows. */
  readonly #rowsOf = new Map<number, number[]>();
  #listed = 0;

  constructor(first: number, columns: OwnerColumns) {
    this.first = first;
    this.columns = columns;
  }

  /** Without a row; `start` is the standing before the first event. */
  static from(first: number, { groups: { cells, width, count } }: Standing): HandOvers {
    const before = new Column(cells.slice(0, count * width), count * width);
    return new HandOvers(first, { ...ownerColumns(), before });
  }

  /** Adds a row: the owner of a group after the event at a position. */
  push(position: number, group: number, { groups: { cells, width } }: Standing): void {
    const { columns } = this;
    const at = group * width;
    columns.event.push(position - this.first);
    columns.group.push(group);
    columns.kind.push(cells[at + GROUP.kind]!);
    columns.owner.push(cells[at + GROUP.owner]!);
    columns.certainty.push(cells[at + GROUP.certainty]!);
    columns.since.push(cells[at + GROUP.since]!);
  }

  /** The owner of the group with a code after the event at a position, or before the first. */
  ownerAt(group: number, position: number): GroupOwner {
    const row = this.#lastRow(group, position - this.first);
    return row === undefined ? this.#ownerBefore(group) : this.#ownerIn(row);
  }

  /** The hand-overs of the group with a code, or with null of any group, ascending. */
  *of(group: number | null): Generator<HandOver<number>> {
    const { event, group: groups, since } = this.columns;
    const rows = group === null ? null : this.#rows(group);
    const count = rows === null ? event.length : rows.length;
    for (let index = 0; index < count; index++) {
      const row = rows === null ? index : rows[index]!;
      const position = this.first + event.cells[row]!;
      if (since.cells[row] !== position + 1) continue;
      yield { position, group: groups.cells[row]!, ...this.#ownerIn(row) };
    }
  }

  /** A copy in the narrowest columns. */
  sealed(): HandOvers {
    const left = names.values();
    const columns = ownerColumns(() => this.columns[left.next().value!].sealed());
    return new HandOvers(this.first, columns);
  }

  /** The last row of a group up to an event; undefined if there is none. */
  #lastRow(group: number, event: number): number | undefined {
    const rows = this.#rows(group);
    const { cells } = this.columns.event;
    let [low, high] = [0, rows.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (cells[rows[middle]!]! <= event) low = middle + 1;
      else high = middle;
    }
    return rows[low - 1];
  }

  #rows(group: number): readonly number[] {
    const { cells, length } = this.columns.group;
    for (; this.#listed < length; this.#listed++) {
      const of = cells[this.#listed]!;
      const rows = this.#rowsOf.get(of);
      if (rows === undefined) this.#rowsOf.set(of, [this.#listed]);
      else rows.push(this.#listed);
    }
    return this.#rowsOf.get(group) ?? none;
  }

  #ownerIn(row: number): GroupOwner {
    const { kind, owner, certainty, since } = this.columns;
    const [of, known] = [owner.cells[row]!, certainty.cells[row]!];
    return groupOwner(kind.cells[row]!, of, known, since.cells[row]!);
  }

  #ownerBefore(group: number): GroupOwner {
    const { cells, length } = this.columns.before;
    const at = group * GROUP_WIDTH;
    if (at >= length) return groupOwner(0, 0, 0, 0);
    const row = cells.subarray(at, at + GROUP_WIDTH);
    const { kind, owner, certainty, since } = GROUP;
    return groupOwner(row[kind]!, row[owner]!, row[certainty]!, row[since]!);
  }
}

function groupOwner(kind: number, owner: number, certainty: number, since: number): GroupOwner {
  return {
    owner: ownerOfCells(kind, owner, certainty),
    since: since === 0 ? null : since - 1,
  };
}

/** The owner by the cells of a group; null if the group does not exist. */
export function ownerOfCells(kind: number, owner: number, certainty: number): OwnerAt | null {
  if (kind === 0 || kind === GONE) return null;
  const name = ownerKinds[kind - 1] ?? 'none';
  return {
    state: name === 'none' || name === 'unknown' ? 'unowned' : name,
    owner: owner === 0 ? null : `f${owner - 1}`,
    isUnknown: name === 'unknown',
    certainty: certainties[certainty] ?? 'observed',
  };
}
