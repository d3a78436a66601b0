/**
 * A read-only `HostAt` over a `Standing`; decodes rows on demand.
 *
 * @module
 */
import type { DeviceAt, FileAt, GroupAt, HostAt, ProcessAt } from '../../machines/host-at.ts';
import { InspectedHost } from '../../machines/inspected-host.ts';
import { UNNAMED } from '../../machines/unshown.ts';
import type { FileId, ProcessHolder } from '../../processes/process-table.ts';
import type { Codes } from './codes.ts';
import { ownerOfCells } from './hand-overs.ts';
import { FileRows } from './file-rows.ts';
import { chained } from './hold-chains.ts';
import { byPlace, holderIn, holdIn, processIn, type HoldAt } from './hold-at.ts';
import { RowFinder } from './row-finder.ts';
import { StaleViewError } from './stale-view.ts';
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

export class StandingView extends InspectedHost implements HostAt {
  readonly isKnown = true;
  readonly #rows: Standing;
  readonly #codes: Codes;
  readonly #rowFinder: RowFinder;
  readonly #groups = new Map<number, GroupAt>();
  readonly #devices = new Map<number, DeviceAt>();
  readonly #files = new Map<number, FileAt>();
  readonly #fileTables: FileRows;
  #isStale = false;

  /** `finder` is that of the standing, if it has one. */
  constructor(standing: Standing, codes: Codes, finder = new RowFinder(standing)) {
    super();
    this.#rows = standing;
    this.#codes = codes;
    this.#rowFinder = finder;
    this.#fileTables = new FileRows(standing, finder);
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

  get #finder(): RowFinder {
    if (!this.#isStale) return this.#rowFinder;
    throw new StaleViewError();
  }

  get #fileRows(): FileRows {
    if (!this.#isStale) return this.#fileTables;
    throw new StaleViewError();
  }

  holders(file: FileId): ProcessHolder[] {
    return this.#holdsOf(file).map((row) => holderIn(this.#rows, this.#codes, row, file));
  }

  get driverChange(): HostAt['driverChange'] {
    const { device, pid, comm } = this.#standing.waiter;
    if (device === 0) return null;
    const waiter = {
      pid: pid === 0 ? null : this.#codes.numbers.at(pid - 1),
      comm: comm === 0 ? null : this.#codes.texts.at(comm - 1),
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
    const row = this.#fileRows.rowOf(id);
    return row === undefined ? undefined : this.#file(row);
  }

  /** Open files, in the order of their opens. */
  *files(): Generator<FileAt> {
    for (const row of this.#fileRows.all().values()) yield this.#file(row);
  }

  isOpen(id: FileId): boolean {
    return this.#fileRows.rowOf(id) !== undefined;
  }

  isHeld(id: FileId): boolean {
    const row = this.#fileRows.rowOf(id);
    return row !== undefined && this.#fileRows.chains().ofFile[row] !== 0;
  }

  /** The descriptors and mappings of a file, ordered by pid and descriptor. */
  holdsOf(id: FileId): HoldAt[] {
    return this.#holdsOf(id).map((row) => this.holdAt(row, id));
  }

  fileBehind(pid: number, fd: number): FileId | undefined {
    return this.process(pid)?.descriptors.get(fd)?.file;
  }

  process(pid: number): ProcessAt | undefined {
    const row = this.#processRow(pid);
    return row === undefined ? undefined : this.#process(row, this.#holdsBy(row));
  }

  *processes(): Generator<ProcessAt> {
    const { cells, width, count } = this.#standing.processes;
    for (let row = 0; row < count; row++) {
      if (cells[row * width + PROCESS.pid] === 0) continue;
      const { ofProcess, nextOfProcess } = this.#fileRows.chains();
      yield this.#process(row, chained(ofProcess[row]!, nextOfProcess));
    }
  }

  /** Whether a process has a descriptor or mapping of any open file. */
  holdsAny(pid: number): boolean {
    const row = this.#processRow(pid);
    return row !== undefined && this.#holdsBy(row).length > 0;
  }

  /** Position since which a group has been in use without a break; null while it is not in use. */
  busySince(name: string): number | null {
    return this.#positionIn(name, GROUP.busy);
  }

  /** Position since which a group has the owner that it has; null: from the start of the log. */
  since(name: string): number | null {
    return this.#positionIn(name, GROUP.since);
  }

  /** The rows of this moment, for questions about few files (`concerning.ts`). */
  get rows(): { readonly standing: Standing; readonly codes: Codes } {
    return { standing: this.#standing, codes: this.#codes };
  }

  #positionIn(name: string, cell: number): number | null {
    const index = this.#codes.groups.find(name) ?? Infinity;
    const { cells, width, count } = this.#standing.groups;
    const value = index < count ? cells[index * width + cell]! : 0;
    return value === 0 ? null : value - 1;
  }

  /** The hold in a row. */
  holdAt(
    row: number,
    file = this.#fileRows.idOf(rowOf(this.#standing.holds, row)[HOLD.file]! - 1),
  ): HoldAt {
    return holdIn(this.#standing, this.#codes, row, file);
  }

  #processRow(pid: number): number | undefined {
    const code = this.#codes.numbers.find(pid);
    return code === undefined ? undefined : this.#finder.rowsWith('processByPid', code + 1)[0];
  }

  /** Rows of the holds of the process in a row. */
  #holdsBy(row: number): number[] {
    return this.#finder.rowsWith('holdsByProcess', row);
  }

  /** The process in a row, which made the holds in the given rows. */
  #process(row: number, holds: readonly number[]): ProcessAt {
    const { cells, width } = this.#standing.holds;
    const descriptors = new Map<number, { readonly file: FileId }>();
    const mapped: FileId[] = [];
    for (const hold of holds) {
      const file = this.#fileRows.idOf(cells[hold * width]! - 1);
      const fd = cells[hold * width + HOLD.fd]!;
      if (fd === 0) mapped.push(file);
      else descriptors.set(this.#codes.numbers.at(fd - 1), { file });
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
      opener: opener === 0 ? null : this.#fileRows.idOf(opener - 1),
      claims: this.#codes.numbers.at(row[GROUP.claims]!),
      unclaimed: this.#codes.numbers.at(row[GROUP.unclaimed]!),
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
      isUnknown: row[DEVICE.isUnknown] !== 0,
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
    const { cells, width } = this.#standing.files;
    const at = row * width;
    const kind = fileKinds[cells[at + FILE.kind]!] ?? 'other';
    const subject = cells[at + FILE.subject]!;
    const tie = cells[at + FILE.tie]!;
    const kept = cells[at + FILE.pins]!;
    const isGone = cells[at + FILE.isGone] !== 0;
    const of = kind === 'device' ? this.#deviceOfFile(subject, isGone, tie) : null;
    return {
      id: this.#fileRows.idOf(row),
      kind,
      group: kind === 'group' ? this.#codes.groups.at(subject) : (of?.group ?? null),
      device: of?.device ?? null,
      isGone: of?.isGone ?? isGone,
      container: kind === 'group' && tie !== 0 ? this.#fileRows.idOf(tie - 1) : null,
      pins: kept === 0 ? none : [this.#fileRows.idOf(kept - 1)],
      pinnedBy: this.#fileRows.pinnedBy(row),
    };
  }

  /** The device of a device's file, by the cells `subject`, `isGone` and `tie` of the file. */
  #deviceOfFile(
    subject: number,
    isGone: boolean,
    tie: number,
  ): Pick<FileAt, 'device' | 'group' | 'isGone'> {
    const device = this.#codes.devices.at(subject);
    const there = isGone ? undefined : this.#device(subject);
    if (there !== undefined) return { device, group: there.group, isGone };
    const group = tie === 0 ? null : (this.#group(tie - 1)?.group ?? null);
    return device === UNNAMED
      ? { device: null, group, isGone: false }
      : { device, group, isGone: true };
  }

  /** Rows of the holds of a file, ordered by pid and descriptor. */
  #holdsOf(id: FileId): number[] {
    const row = this.#fileRows.rowOf(id);
    if (row === undefined) return [];
    const holds = this.#fileRows.holdsOf(row);
    return holds.length < 2 ? holds : holds.sort(byPlace(this.#rows, this.#codes));
  }
}
