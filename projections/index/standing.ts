/**
 * A standing: the state of a host at a moment, in rows of numbers. It has tables of groups,
 * devices, open files, holds and processes.
 *
 * 0 in the first cell of a row means that the row is free. A cell for a row, a code or a position
 * that may be missing contains one more than that, and 0 for none.
 *
 * @module
 */

/** A growing table: rows of `width` cells. */
export class CellRows {
  readonly width: number;
  cells: Uint32Array;
  /** Number of rows that were ever in use. */
  count: number;

  constructor(width: number, cells = new Uint32Array(width * 16), count = 0) {
    this.width = width;
    this.cells = cells;
    this.count = count;
  }

  /** Makes room for a row, and returns the index of its first cell. */
  reach(row: number): number {
    if (row >= this.count) {
      this.count = row + 1;
      if (this.count * this.width > this.cells.length) {
        const more = new Uint32Array(Math.max(this.cells.length * 2, this.count * this.width));
        more.set(this.cells);
        this.cells = more;
      }
    }
    return row * this.width;
  }

  /** Frees all rows. */
  clear(): void {
    this.cells.fill(0, 0, this.count * this.width);
    this.count = 0;
  }

  copy(): CellRows {
    return new CellRows(this.width, this.cells.slice(0, this.count * this.width), this.count);
  }
}

/**
 * Cells of a group.
 * - `kind`: of its owner, 1 and up in the order of `ownerKinds`, or `GONE`
 * - `owner`: the owning file, by position + 1
 * - `claims`: code of `owner_cnt` (iommu/iommu.c:struct iommu_group)
 * - `unclaimed`: code of the number of devices on kernel drivers that claim nothing
 * - `opener`: row + 1 of the file that has it open
 * - `certainty`: of the owner, in the order of `certainties`
 * - `busy`: position + 1 since which it has been in use without a break
 * - `since`: position + 1 since which it has this owner
 */
export const GROUP = {
  kind: 0,
  owner: 1,
  claims: 2,
  unclaimed: 3,
  opener: 4,
  certainty: 5,
  busy: 6,
  since: 7,
} as const;
export const ownerKinds = ['none', 'kernel', 'container', 'iommufd', 'unknown'] as const;
/** `GROUP.kind` of a group whose owner is unknown. */
export const UNKNOWN = ownerKinds.indexOf('unknown') + 1;
/** `GROUP.kind` of a group that existed before the last boot, and not since. */
export const GONE = ownerKinds.length + 1;

/**
 * Cells of a device: its state, 1 and up in the order of `deviceStates`; codes + 1 of its group,
 * name, driver and node; `isUnknown`: 1 if evidence was lost of a device without a known group.
 */
export const DEVICE = { state: 0, group: 1, name: 2, driver: 3, cdev: 4, isUnknown: 5 } as const;
export const deviceStates = ['absent', 'idle', 'open', 'bound', 'attached', 'leaving'] as const;

/**
 * Cells of a file.
 * - `opened`: position + 1 of its open
 * - `kind`: in the order of `fileKinds`
 * - `subject`: code of its group or device
 * - `isGone`: 1 if that group or device has gone
 * - `tie`: row + 1 of a group file's container; or code + 1 of the group of a device that is gone or
 *   was never named
 * - `pins`: row + 1 of the file that it keeps alive
 */
export const FILE = { opened: 0, kind: 1, subject: 2, isGone: 3, tie: 4, pins: 5 } as const;
export const fileKinds = ['group', 'device', 'container', 'iommufd', 'other'] as const;

/**
 * Cells of a hold.
 * - `file`: row + 1
 * - `process`: row
 * - `fd`: code + 1 of the descriptor; 0 for a mapping
 * - `since`: position of the event that made it
 * - `from`: number + 1 of the hold that it was copied from
 * - `number`: among all holds since the first event, from 0
 */
export const HOLD = { file: 0, process: 1, fd: 2, since: 3, from: 4, number: 5 } as const;

/**
 * Cells of a process: codes of its pid (+ 1), its name, its control group (+ 1), and the VM that its
 * command line names (+ 2; 1: none, 0: not shown).
 */
export const PROCESS = { pid: 0, comm: 1, cgroup: 2, vm: 3 } as const;

/** A view of the cells of a row. */
export function rowOf({ cells, width }: CellRows, row: number): Uint32Array {
  return cells.subarray(row * width, (row + 1) * width);
}

const NO_WAITER = { device: 0, pid: 0, comm: 0 };

export class Standing {
  readonly groups: CellRows;
  readonly devices: CellRows;
  readonly files: CellRows;
  readonly holds: CellRows;
  readonly processes: CellRows;
  /** The driver change that waits: codes of its device, the waiter's pid and name, each + 1. */
  waiter = NO_WAITER;
  /** Number of holds made since the first event. */
  held = 0;
  /** `GROUP.kind` of a group without any event so far: 1 (`none`), or `UNKNOWN`. */
  unheard = 1;

  constructor(
    groups = new CellRows(8),
    devices = new CellRows(6),
    files = new CellRows(6),
    holds = new CellRows(6),
    processes = new CellRows(4),
  ) {
    this.groups = groups;
    this.devices = devices;
    this.files = files;
    this.holds = holds;
    this.processes = processes;
  }

  get tables(): readonly CellRows[] {
    return [this.groups, this.devices, this.files, this.holds, this.processes];
  }

  copy(): Standing {
    const copy = new Standing(
      this.groups.copy(),
      this.devices.copy(),
      this.files.copy(),
      this.holds.copy(),
      this.processes.copy(),
    );
    copy.waiter = this.waiter;
    copy.held = this.held;
    copy.unheard = this.unheard;
    return copy;
  }

  /**
   * The kind of a group's owner, 1 and up in the order of `ownerKinds`; also of a missing group.
   */
  ownerKind(group: number): number {
    const kind = group < this.groups.count ? this.groups.cells[group * this.groups.width]! : 0;
    return kind === 0 ? this.unheard : kind === GONE ? 1 : kind;
  }

  /** Clears the standing at a boot. Returns the codes of the groups that existed until then. */
  boot(position: number): number[] {
    const { cells, width, count } = this.groups;
    const gone: number[] = [];
    for (let group = 0; group < count; group++) {
      const at = group * width;
      const kind = cells[at + GROUP.kind]!;
      if (kind === 0 || kind === GONE) continue;
      gone.push(group);
      if (kind > 1) cells[at + GROUP.since] = position + 1;
      cells[at + GROUP.kind] = GONE;
      cells[at + GROUP.owner] = 0;
      cells[at + GROUP.opener] = 0;
      cells[at + GROUP.busy] = 0;
    }
    for (const rows of this.tables) if (rows !== this.groups) rows.clear();
    this.waiter = NO_WAITER;
    return gone;
  }
}
