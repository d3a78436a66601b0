/**
 * A read-only `HostAt` over a `Standing`; decodes rows on demand.
 *
 * @module
 */
import { LedgerError } from '../../events/ledger-error.ts';
import type { DeviceAt, FileAt, GroupAt, HostAt, ProcessAt } from '../../machines/host-at.ts';
import { UNNAMED } from '../../machines/unshown.ts';
import { positionOf, type FileId, type ProcessHolder } from '../../processes/process-table.ts';
import type { Codes } from './codes.ts';
import { ownerOfCells } from './hand-overs.ts';
import { byPlace, holderOf, holdIn, processIn, type HoldAt } from './hold-at.ts';
import {
  DEVICE,
  deviceStates,
  FILE,
  fileKinds,
  GROUP,
  HOLD,
  PROCESS,
  rowOf,
  type Standing,
} from './standing.ts';

const none: readonly FileId[] = [];

/** A view of the time index was used after the index had moved to another moment (`stale-view`). */
export class StaleViewError extends LedgerError {
  override readonly name = 'StaleViewError';

  constructor() {
    super('stale-view', 'this view has expired: the ledger moved to another moment; ask again');
  }
}

export class StandingView implements HostAt {
  readonly isKnown = true;
  readonly #rows: Standing;
  readonly #codes: Codes;
  readonly #groups = new Map<number, GroupAt>();
  readonly #devices = new Map<number, DeviceAt>();
  readonly #files = new Map<number, FileAt>();
  #rowOf: Map<number, number> | null = null;
  #holds: Map<number, number[]> | null = null;
  #pinned: ReadonlyMap<number, readonly FileId[]> | null = null;
  #isStale = false;

  constructor(standing: Standing, codes: Codes) {
    this.#rows = standing;
    this.#codes = codes;
  }

  /**
   * From now on every question throws `StaleViewError`: the standing has moved to another moment.
   */
  expire(): void {
    this.#isStale = true;
  }

  get #standing(): Standing {
    if (!this.#isStale) return this.#rows;
    throw new StaleViewError();
  }

  holders(file: FileId): ProcessHolder[] {
    return this.holdsOf(file).map(holderOf);
  }

  get driverChange(): HostAt['driverChange'] {
    const { device, pid, comm } = this.#standing.waiter;
    if (device === 0) return null;
    const waiter = {
      pid: pid === 0 ? null : this.#codes.numbers.at(pid - 1),
      comm: this.#codes.texts.at(comm),
    };
    return { device: this.#codes.devices.at(device - 1), waiter, isOver: false };
  }

  group(name: string): GroupAt | undefined {
    const index = this.#codes.groups.find(name);
    return index === undefined ? undefined : this.#group(index);
  }

  *groups(): Generator<GroupAt> {
    for (let index = 0; index < this.#standing.groups.count; index++) {
      const group = this.#group(index);
      if (group !== undefined) yield group;
    }
  }

  device(name: string): DeviceAt | undefined {
    const index = this.#codes.devices.find(name);
    return index === undefined ? undefined : this.#device(index);
  }

  *devices(): Generator<DeviceAt> {
    for (let index = 0; index < this.#standing.devices.count; index++) {
      const device = this.#device(index);
      if (device !== undefined) yield device;
    }
  }

  file(id: FileId): FileAt | undefined {
    const row = this.#fileRow(id);
    return row === undefined ? undefined : this.#file(row);
  }

  /** Open files, in the order of their opens. */
  *files(): Generator<FileAt> {
    for (const row of this.#fileRows().values()) yield this.#file(row);
  }

  isOpen(id: FileId): boolean {
    return this.#fileRow(id) !== undefined;
  }

  isHeld(id: FileId): boolean {
    const row = this.#fileRow(id);
    return row !== undefined && this.#heldBy().has(row);
  }

  /** The descriptors and mappings of a file, ordered by pid and descriptor. */
  holdsOf(id: FileId): HoldAt[] {
    const row = this.#fileRow(id);
    const holds = row === undefined ? [] : (this.#heldBy().get(row) ?? []);
    return holds.map((hold) => this.holdAt(hold, id)).toSorted(byPlace);
  }

  fileBehind(pid: number, fd: number): FileId | undefined {
    return this.process(pid)?.descriptors.get(fd)?.file;
  }

  process(pid: number): ProcessAt | undefined {
    const row = this.#processRow(pid);
    return row === undefined ? undefined : this.#process(row);
  }

  *processes(): Generator<ProcessAt> {
    for (let row = 0; row < this.#standing.processes.count; row++) {
      if (rowOf(this.#standing.processes, row)[PROCESS.pid] !== 0) yield this.#process(row);
    }
  }

  /** Whether a process has a descriptor or mapping of any open file. */
  holdsAny(pid: number): boolean {
    const { cells, width, count } = this.#standing.holds;
    const process = this.#processRow(pid);
    for (let at = 0; at < count * width; at += width) {
      if (cells[at] !== 0 && cells[at + HOLD.process] === process) return true;
    }
    return false;
  }

  /** Position since which a group has been in use without a break; null while it is not in use. */
  busySince(name: string): number | null {
    const index = this.#codes.groups.find(name) ?? Infinity;
    const { groups } = this.#standing;
    const busy = index < groups.count ? groups.cells[index * groups.width + GROUP.busy]! : 0;
    return busy === 0 ? null : busy - 1;
  }

  /** The hold in a row. */
  holdAt(row: number, file = this.#idOf(rowOf(this.#standing.holds, row)[HOLD.file]! - 1)): HoldAt {
    return holdIn(this.#standing, this.#codes, row, file);
  }

  #processRow(pid: number): number | undefined {
    const { cells, width, count } = this.#standing.processes;
    const code = this.#codes.numbers.find(pid);
    if (code === undefined) return undefined;
    for (let row = 0; row < count; row++) if (cells[row * width] === code + 1) return row;
    return undefined;
  }

  #process(row: number): ProcessAt {
    const { holds } = this.#standing;
    const descriptors = new Map<number, { readonly file: FileId }>();
    const mapped: FileId[] = [];
    for (let at = 0; at < holds.count * holds.width; at += holds.width) {
      const file = holds.cells[at]!;
      if (file === 0 || holds.cells[at + HOLD.process] !== row) continue;
      const fd = holds.cells[at + HOLD.fd]!;
      if (fd === 0) mapped.push(this.#idOf(file - 1));
      else descriptors.set(this.#codes.numbers.at(fd - 1), { file: this.#idOf(file - 1) });
    }
    return { ...processIn(this.#standing, this.#codes, row), descriptors, mapped };
  }

  #group(index: number): GroupAt | undefined {
    const { groups } = this.#standing;
    const known = this.#groups.get(index);
    if (known !== undefined) return known;
    const row = index < groups.count ? rowOf(groups, index) : new Uint32Array(groups.width);
    const owner = ownerOfCells(row[GROUP.kind]!, row[GROUP.owner]!, row[GROUP.certainty]!);
    if (owner === null) return undefined;
    const opener = row[GROUP.opener]!;
    const group: GroupAt = {
      ...owner,
      group: this.#codes.groups.at(index),
      opener: opener === 0 ? null : this.#idOf(opener - 1),
      claims: this.#codes.numbers.at(row[GROUP.claims]!),
    };
    this.#groups.set(index, group);
    return group;
  }

  #device(index: number): DeviceAt | undefined {
    const { devices } = this.#standing;
    const known = this.#devices.get(index);
    if (known !== undefined) return known;
    if (index >= devices.count) return undefined;
    const row = rowOf(devices, index);
    const state = deviceStates[row[DEVICE.state]! - 1];
    if (state === undefined) return undefined;
    const group = row[DEVICE.group]!;
    const text = (code: number) => (code === 0 ? null : this.#codes.texts.at(code - 1));
    const device: DeviceAt = {
      device: this.#codes.devices.at(index),
      name: text(row[DEVICE.name]!),
      group: group === 0 ? null : (this.#group(group - 1)?.group ?? null),
      driver: text(row[DEVICE.driver]!),
      cdev: text(row[DEVICE.cdev]!),
      state,
    };
    this.#devices.set(index, device);
    return device;
  }

  #file(row: number): FileAt {
    const known = this.#files.get(row);
    if (known !== undefined) return known;
    const file = this.#fileOf(row);
    this.#files.set(row, file);
    return file;
  }

  #fileOf(row: number): FileAt {
    const cells = rowOf(this.#standing.files, row);
    const kind = fileKinds[cells[FILE.kind]!] ?? 'other';
    const kept = cells[FILE.pins]!;
    const file = {
      id: this.#idOf(row),
      kind,
      group: null,
      device: null,
      isGone: cells[FILE.isGone] !== 0,
      container: null,
      pins: kept === 0 ? none : [this.#idOf(kept - 1)],
      pinnedBy: this.#pinnedBy().get(row) ?? none,
    };
    const tie = cells[FILE.tie]!;
    const subject = cells[FILE.subject]!;
    if (kind === 'group') {
      const container = tie === 0 ? null : this.#idOf(tie - 1);
      return { ...file, group: this.#codes.groups.at(subject), container };
    }
    if (kind !== 'device') return file;
    const device = this.#codes.devices.at(subject);
    const there = file.isGone ? undefined : this.#device(subject);
    if (there !== undefined) return { ...file, device, group: there.group };
    const group = tie === 0 ? null : (this.#group(tie - 1)?.group ?? null);
    if (device === UNNAMED) return { ...file, isGone: false, group };
    return { ...file, device, isGone: true, group };
  }

  /** For each row of a file: the files that keep it alive, in the order of their opens. */
  #pinnedBy(): ReadonlyMap<number, readonly FileId[]> {
    if (this.#pinned !== null) return this.#pinned;
    const pinned = new Map<number, FileId[]>();
    const { cells, width } = this.#standing.files;
    for (const row of this.#fileRows().values()) {
      const kept = cells[row * width + FILE.pins]! - 1;
      if (kept < 0) continue;
      const by = pinned.get(kept);
      if (by === undefined) pinned.set(kept, [this.#idOf(row)]);
      else by.push(this.#idOf(row));
    }
    this.#pinned = pinned;
    return pinned;
  }

  #idOf(row: number): FileId {
    return `f${rowOf(this.#standing.files, row)[FILE.opened]! - 1}`;
  }

  #fileRow(id: FileId): number | undefined {
    return this.#fileRows().get(positionOf(id));
  }

  /** Rows of open files, by the position of their open, ascending. */
  #fileRows(): ReadonlyMap<number, number> {
    const { cells, width, count } = this.#standing.files;
    if (this.#rowOf !== null) return this.#rowOf;
    const rows: [number, number][] = [];
    for (let row = 0; row < count; row++) {
      const opened = cells[row * width]!;
      if (opened !== 0) rows.push([opened - 1, row]);
    }
    this.#rowOf = new Map(rows.toSorted(([a], [b]) => a - b));
    return this.#rowOf;
  }

  /** Rows of holds, by the row of the file that they hold. */
  #heldBy(): ReadonlyMap<number, number[]> {
    const { cells, width, count } = this.#standing.holds;
    if (this.#holds !== null) return this.#holds;
    this.#holds = new Map();
    for (let row = 0; row < count; row++) {
      const file = cells[row * width]!;
      if (file === 0) continue;
      const holds = this.#holds.get(file - 1);
      if (holds === undefined) this.#holds.set(file - 1, [row]);
      else holds.push(row);
    }
    return this.#holds;
  }
}
