/**
 * A standing as answers look at it: what is asked for is put into words, and nothing else.
 *
 * @module
 */
import { certainties } from '../../events/vocabulary.ts';
import type { GroupState } from '../../machines/group.ts';
import { positionOf, type FileId, type Holder } from '../../processes/process-table.ts';
import type { DeviceAt, FileAt, GroupAt, HostSnapshot } from '../snapshot.ts';
import type { Codes } from './codes.ts';
import {
  DEVICE,
  deviceStates,
  FILE,
  fileKinds,
  GONE,
  GROUP,
  HOLD,
  ownerKinds,
  PROCESS,
  type Rows,
  type Standing,
} from './standing.ts';

/** A hold, with what leads to how it came about. */
export interface HoldAt extends Holder {
  readonly since: number;
  /** The hold that it was taken over from, by number; null for the open itself. */
  readonly from: number | null;
  readonly number: number;
}

const none: ReadonlySet<FileId> = new Set();

export class StandingView implements HostSnapshot {
  readonly isKnown = true;
  readonly #standing: Standing;
  readonly #codes: Codes;
  readonly #groups = new Map<number, GroupAt>();
  readonly #devices = new Map<number, DeviceAt>();
  readonly #files = new Map<number, FileAt>();
  #rowOf: Map<number, number> | null = null;
  #holds: Map<number, number[]> | null = null;
  #pinned: ReadonlyMap<number, ReadonlySet<FileId>> | null = null;

  constructor(standing: Standing, codes: Codes) {
    this.#standing = standing;
    this.#codes = codes;
  }

  readonly processes = {
    holders: (file: FileId): Holder[] => this.holdsOf(file).map(holderOf),
  };

  get driverChange(): HostSnapshot['driverChange'] {
    const { device, pid, comm } = this.#standing.waiter;
    if (device === 0) return null;
    const waiter = {
      pid: pid === 0 ? null : this.#codes.numbers.at(pid - 1),
      comm: this.#codes.texts.at(comm),
    };
    return { device: { device: this.#codes.devices.at(device - 1) }, waiter, outcome: null };
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

  /** In the order in which they were opened. */
  *files(): Generator<FileAt> {
    for (const row of this.#fileRows().values()) yield this.#file(row);
  }

  isHeld(id: FileId): boolean {
    const row = this.#fileRow(id);
    return row !== undefined && this.#heldBy().has(row);
  }

  /** What holds a file, by process and number. */
  holdsOf(id: FileId): HoldAt[] {
    const row = this.#fileRow(id);
    const holds = row === undefined ? [] : (this.#heldBy().get(row) ?? []);
    return holds.map((hold) => this.holdAt(hold, id)).toSorted(byPlace);
  }

  /** The file behind a descriptor of a process. */
  fileBehind(pid: number, fd: number): FileId | undefined {
    return this.descriptorsOf(pid).find((held) => held.fd === fd)?.file;
  }

  /** Whether a process has any descriptor or mapping of the log's files. */
  holdsAny(pid: number): boolean {
    const { holds, processes } = this.#standing;
    const code = this.#codes.numbers.find(pid) ?? -1;
    for (let at = 0; at < holds.count * holds.width; at += holds.width) {
      const process = holds.cells[at + HOLD.process]!;
      if (holds.cells[at] !== 0 && processes.cells[process * processes.width] === code + 1) {
        return true;
      }
    }
    return false;
  }

  /** The descriptors of a process that are files of the log's. */
  descriptorsOf(pid: number): { readonly fd: number; readonly file: FileId }[] {
    const { holds, processes } = this.#standing;
    const { numbers } = this.#codes;
    const code = numbers.find(pid);
    if (code === undefined) return [];
    const found: { fd: number; file: FileId }[] = [];
    for (let at = 0; at < holds.count * holds.width; at += holds.width) {
      const file = holds.cells[at]!;
      const fd = holds.cells[at + HOLD.fd]!;
      if (file === 0 || fd === 0) continue;
      const process = holds.cells[at + HOLD.process]!;
      if (processes.cells[process * processes.width] !== code + 1) continue;
      found.push({ fd: numbers.at(fd - 1), file: this.#idOf(file - 1) });
    }
    return found;
  }

  /** Since when a group has been in use without a break; null while it is not. */
  busySince(name: string): number | null {
    const index = this.#codes.groups.find(name) ?? Infinity;
    const { groups } = this.#standing;
    const busy = index < groups.count ? groups.cells[index * groups.width + GROUP.busy]! : 0;
    return busy === 0 ? null : busy - 1;
  }

  /** The hold of a row. */
  holdAt(row: number, file = this.#idOf(rowOf(this.#standing.holds, row)[HOLD.file]! - 1)): HoldAt {
    const { texts, numbers } = this.#codes;
    const hold = rowOf(this.#standing.holds, row);
    const process = rowOf(this.#standing.processes, hold[HOLD.process]!);
    const fd = hold[HOLD.fd]!;
    const cgroup = process[PROCESS.cgroup]!;
    const from = hold[HOLD.from]!;
    return {
      pid: numbers.at(process[PROCESS.pid]! - 1),
      comm: texts.at(process[PROCESS.comm]!),
      cgroup: cgroup === 0 ? null : texts.at(cgroup - 1),
      via: fd === 0 ? 'mapping' : 'fd',
      fd: fd === 0 ? null : numbers.at(fd - 1),
      file,
      since: hold[HOLD.since]!,
      from: from === 0 ? null : from - 1,
      number: hold[HOLD.number]!,
    };
  }

  #group(index: number): GroupAt | undefined {
    const known = this.#groups.get(index);
    if (known !== undefined) return known;
    const { groups } = this.#standing;
    const row = index < groups.count ? rowOf(groups, index) : new Uint32Array(groups.width);
    const kind = row[GROUP.kind]!;
    if (kind === 0 || kind === GONE) return undefined;
    const owner = ownerKinds[kind - 1] ?? 'none';
    const file = row[GROUP.owner]!;
    const opener = row[GROUP.opener]!;
    const group: GroupAt = {
      group: this.#codes.groups.at(index),
      state: (owner === 'none' || owner === 'unknown' ? 'unowned' : owner) satisfies GroupState,
      record: {
        owner: file === 0 ? null : `f${file - 1}`,
        opener: opener === 0 ? null : this.#idOf(opener - 1),
        claims: this.#codes.numbers.at(row[GROUP.claims]!),
      },
      unknownSince: owner === 'unknown' ? 0 : null,
      certainty: certainties[row[GROUP.certainty]!] ?? 'observed',
    };
    this.#groups.set(index, group);
    return group;
  }

  #device(index: number): DeviceAt | undefined {
    const known = this.#devices.get(index);
    if (known !== undefined) return known;
    const { devices } = this.#standing;
    if (index >= devices.count) return undefined;
    const row = rowOf(devices, index);
    const state = deviceStates[row[DEVICE.state]! - 1];
    if (state === undefined) return undefined;
    const group = row[DEVICE.group]!;
    const text = (code: number) => (code === 0 ? null : this.#codes.texts.at(code - 1));
    const device: DeviceAt = {
      device: this.#codes.devices.at(index),
      name: text(row[DEVICE.name]!),
      group: group === 0 ? null : (this.#group(group - 1) ?? null),
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
    const pins = kept === 0 ? none : new Set([this.#idOf(kept - 1)]);
    const opened = { id: this.#idOf(row), pins, pinnedBy: this.#pinnedBy().get(row) ?? none };
    const isGone = cells[FILE.isGone] !== 0;
    const tie = cells[FILE.tie]!;
    const subject = cells[FILE.subject]!;
    if (kind === 'group') {
      const group = this.#group(subject);
      if (group === undefined) throw new RangeError(`${opened.id} is of no group`);
      const container = tie === 0 ? null : this.#idOf(tie - 1);
      const state = isGone ? 'dead' : 'unset';
      return { ...opened, kind, group, state, record: { container } };
    }
    if (kind !== 'device') return { ...opened, kind };
    const device = isGone ? undefined : this.#device(subject);
    if (device !== undefined) return { ...opened, kind, device };
    const group = tie === 0 ? null : (this.#group(tie - 1) ?? null);
    const gone = { device: this.#codes.devices.at(subject), group, state: 'absent' } as const;
    return { ...opened, kind, device: { ...gone, name: null, driver: null, cdev: null } };
  }

  /** Files that keep each file alive, in the order in which they were opened. */
  #pinnedBy(): ReadonlyMap<number, ReadonlySet<FileId>> {
    if (this.#pinned !== null) return this.#pinned;
    const pinned = new Map<number, Set<FileId>>();
    const { cells, width } = this.#standing.files;
    for (const row of this.#fileRows().values()) {
      const kept = cells[row * width + FILE.pins]! - 1;
      if (kept < 0) continue;
      const by = pinned.get(kept);
      if (by === undefined) pinned.set(kept, new Set([this.#idOf(row)]));
      else by.add(this.#idOf(row));
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

  /** Rows of open files by the position of their open, ascending. */
  #fileRows(): ReadonlyMap<number, number> {
    if (this.#rowOf !== null) return this.#rowOf;
    const { cells, width, count } = this.#standing.files;
    const rows: [number, number][] = [];
    for (let row = 0; row < count; row++) {
      const opened = cells[row * width]!;
      if (opened !== 0) rows.push([opened - 1, row]);
    }
    this.#rowOf = new Map(rows.toSorted(([a], [b]) => a - b));
    return this.#rowOf;
  }

  /** Rows of holds by the row of the file that they hold. */
  #heldBy(): ReadonlyMap<number, number[]> {
    if (this.#holds !== null) return this.#holds;
    const { cells, width, count } = this.#standing.holds;
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

function rowOf({ cells, width }: Rows, row: number): Uint32Array {
  return cells.subarray(row * width, (row + 1) * width);
}

export function holderOf({ pid, comm, cgroup, via, fd, file }: HoldAt): Holder {
  return { pid, comm, cgroup, via, fd, file };
}

function byPlace(a: HoldAt, b: HoldAt): number {
  return a.pid - b.pid || (a.fd ?? Infinity) - (b.fd ?? Infinity) || a.number - b.number;
}
