/**
 * Which groups some processes may have had a hand on, read from the columns of the time index: the groups
 * which the files that they held concerned. It may name a group too many, and leaves none out.
 *
 * @module
 */
import type { SegmentHands } from './segment-hands.ts';

/** Processes by sets of them, which are bits. */
export interface Watched {
  /** The sets that each process of a segment may belong to, by the index of its span; 0 for none. */
  readonly setsIn: (hands: SegmentHands) => ArrayLike<number>;
  /** The sets of a process of which nothing is known. */
  readonly unknown: number;
  /** Files that were open before this position may have had holders that were not seen. */
  readonly unseenUntil: number;
}

/**
 * The sets that may have had a hand on each group, by its code, in the states up to `to`; none on the
 * others. `segments` are all of the log.
 */
export function touchedGroups(
  segments: Iterable<SegmentHands>,
  to: number,
  watched: Watched,
): ReadonlyMap<number, number> {
  const touched = new Map<number, number>();
  /** The sets that have had a descriptor of a file which was open after a segment. */
  const users = new Map<number, number>();
  const add = (map: Map<number, number>, key: number, sets: number): void => {
    if (sets !== 0) map.set(key, (map.get(key) ?? 0) | sets);
  };
  for (const hands of segments) {
    if (hands.first > to) break;
    const sets = watched.setsIn(hands);
    const setsOf = (cell: number) => (cell === 0 ? watched.unknown : sets[cell - 1]!);
    const { touches, carried, users: used } = hands.columns;
    for (let row = 0; row < touches.group.length; row++) {
      add(touched, touches.group.cells[row]!, setsOf(touches.span.cells[row]!));
    }
    for (let row = 0; row < carried.file.length; row++) {
      const file = carried.file.cells[row]!;
      const isUnseen = file < watched.unseenUntil && watched.unseenUntil <= hands.last;
      const sets = (users.get(file) ?? 0) | (isUnseen ? watched.unknown : 0);
      add(touched, carried.group.cells[row]!, sets);
    }
    if (hands.first < watched.unseenUntil && watched.unseenUntil <= hands.last) {
      for (const group of groupsOpenAt(hands, watched.unseenUntil)) {
        add(touched, group, watched.unknown);
      }
    }
    for (let row = 0; row < used.file.length; row++) {
      add(users, used.file.cells[row]!, setsOf(used.span.cells[row]!));
    }
  }
  return touched;
}

/** The groups that files concern which were opened before a position of the segment and not closed. */
function* groupsOpenAt(hands: SegmentHands, position: number): Generator<number> {
  for (const group of hands.groups) {
    for (const { of, to } of hands.handsOn(group)) {
      if (of < position && to > position) yield group;
    }
  }
}
