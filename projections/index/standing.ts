/**
 * How a host stands, in numbers: groups, devices, open files, what holds them and which processes.
 *
 * Rows lie one behind the other in a table; 0 in the first cell of a row means that it is free. Where
 * a cell names a row or a code that may be missing, it holds one more than that, and 0 for none.
 *
 * @module
 */

/** Rows of so many cells. */
export class CellRows {
  readonly width: number;
  cells: Uint32Array;
  /** Rows that were ever in use. */
  count: number;

  constructor(width: number, cells = new Uint32Array(width * 16), count = 0) {
    this.width = width;
    this.cells = cells;
    this.count = count;
  }

  /** Makes room up to a row, and gives where it begins. */
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

  copy(): CellRows {
    return new CellRows(this.width, this.cells.slice(0, this.count * this.width), this.count);
  }
}

/**
 * Owner, 1 and up in the order of `ownerKinds`; owning file by position + 1; claims; opener; how sure
 * that is, in the order of `certainties`; since when it has been in use without a break, as
 * position + 1; since when it has that owner, likewise.
 */
export const GROUP = {
  kind: 0,
  owner: 1,
  claims: 2,
  opener: 3,
  certainty: 4,
  busy: 5,
  since: 6,
} as const;
export const ownerKinds = ['none', 'kernel', 'container', 'iommufd', 'unknown'] as const;
/** Who owns it cannot be told. */
export const UNKNOWN = ownerKinds.indexOf('unknown') + 1;
/** In place of an owner: it was there before the host booted. */
export const GONE = ownerKinds.length + 1;

/** State, 1 and up in the order of `deviceStates`. */
export const DEVICE = { state: 0, group: 1, name: 2, driver: 3, cdev: 4 } as const;
export const deviceStates = ['absent', 'idle', 'open', 'bound', 'attached', 'leaving'] as const;

/**
 * Opened at position + 1; kind in the order of `fileKinds`; its group or device; whether that is gone;
 * a group file's container, or the group of a device that is gone; the file that it keeps alive.
 */
export const FILE = { opened: 0, kind: 1, subject: 2, isGone: 3, tie: 4, pins: 5 } as const;
export const fileKinds = ['group', 'device', 'container', 'iommufd', 'other'] as const;

/** File; process; descriptor, 0 for a mapping; since; the hold that it came from, by number; its own. */
export const HOLD = { file: 0, process: 1, fd: 2, since: 3, from: 4, number: 5 } as const;

export const PROCESS = { pid: 0, comm: 1, cgroup: 2 } as const;

/** The cells of a row. */
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
  /** The driver change that waits: its device, and who waits for it. */
  waiter = NO_WAITER;
  /** Holds that there have been since the first event. */
  held = 0;
  /** What a group is that nothing was heard of yet: owned by nobody, or by somebody unknown. */
  unheard = 1;

  constructor(
    groups = new CellRows(7),
    devices = new CellRows(5),
    files = new CellRows(6),
    holds = new CellRows(6),
    processes = new CellRows(3),
  ) {
    this.groups = groups;
    this.devices = devices;
    this.files = files;
    this.holds = holds;
    this.processes = processes;
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

  /** Who owns a group, as in `ownerKinds`, also where it is not there. */
  ownerKind(group: number): number {
    const kind = group < this.groups.count ? this.groups.cells[group * this.groups.width]! : 0;
    return kind === 0 ? this.unheard : kind === GONE ? 1 : kind;
  }

  /** A fresh boot at a position: nothing is plugged in, nothing open. Gives the groups that had an owner. */
  boot(position: number): number[] {
    const { cells, width, count } = this.groups;
    const lost: number[] = [];
    for (let group = 0; group < count; group++) {
      const at = group * width;
      const kind = cells[at + GROUP.kind]!;
      if (kind === 0) continue;
      if (kind > 1 && kind !== GONE) {
        cells[at + GROUP.since] = position + 1;
        lost.push(group);
      }
      cells[at + GROUP.kind] = GONE;
      cells[at + GROUP.owner] = 0;
      cells[at + GROUP.opener] = 0;
      cells[at + GROUP.busy] = 0;
    }
    for (const rows of [this.devices, this.files, this.holds, this.processes]) {
      rows.cells.fill(0);
    }
    this.waiter = NO_WAITER;
    return lost;
  }
}
