/**
 * A bare fold over typed arrays to the same table: who owns, opens and holds what.
 *
 * Every change has been found out before and lies in four arrays of one type; the fold keeps no time,
 * no lineage and no count, and nothing is looked up or grows.
 *
 * @module
 */
import { changeCodes, changeKinds } from '../../projections/index/changes.ts';
import type { Segment } from '../../projections/index/segment.ts';

export interface Changes {
  readonly kind: Uint8Array;
  readonly subject: Uint32Array;
  readonly first: Uint32Array;
  readonly second: Uint32Array;
}

const { held, dropped, groupSet, deviceMoved, deviceSet, fileOpened, fileClosed } = changeCodes;

/** The changes of segments, in order. */
export function changesOf(segments: readonly Segment[]): Changes {
  const length = segments.reduce((sum, { parts }) => sum + parts.journal.kinds.length, 0);
  const changes = {
    kind: new Uint8Array(length),
    subject: new Uint32Array(length),
    first: new Uint32Array(length),
    second: new Uint32Array(length),
  };
  let row = 0;
  for (const { parts } of segments) {
    const read = changeKinds.map(() => 0);
    for (const kind of parts.journal.kinds.cells.subarray(0, parts.journal.kinds.length)) {
      const at = read[kind] ?? 0;
      read[kind] = at + 1;
      const [subject, first, second] = parts.journal.changes[kind] ?? [];
      changes.kind[row] = kind;
      changes.subject[row] = subject?.cells[at] ?? 0;
      changes.first[row] = first?.cells[at] ?? 0;
      changes.second[row++] = second?.cells[at] ?? 0;
    }
  }
  return changes;
}

/** Rows of each kind, at most. */
const ROWS = 4096;

/** Owner and owning file of groups, states of devices, open files, and who holds them. */
export function foldChanges({ kind, subject, first, second }: Changes) {
  const [owner, owningFile, state] = [ROWS, ROWS, ROWS].map((rows) => new Uint32Array(rows));
  const [fileKind, fileOf, heldFile, heldBy] = [0, 1, 2, 3].map(() => new Uint32Array(ROWS));
  for (let row = 0; row < kind.length; row++) {
    const at = subject[row]!;
    switch (kind[row]) {
      case held:
        heldFile![at] = first[row]! + 1;
        heldBy![at] = second[row]!;
        break;
      case dropped:
        heldFile![at] = 0;
        break;
      case groupSet:
        owner![at] = first[row]!;
        owningFile![at] = second[row]!;
        break;
      case deviceMoved:
      case deviceSet:
        state![at] = first[row]!;
        break;
      case fileOpened:
        fileKind![at] = first[row]! + 1;
        fileOf![at] = second[row]!;
        break;
      case fileClosed:
        fileKind![at] = 0;
        break;
      default:
    }
  }
  return { owner, owningFile, state, fileKind, fileOf, heldFile, heldBy };
}
