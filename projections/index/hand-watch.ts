/**
 * Reads from the journal of a segment who held which file, which files concerned which group, and which
 * files kept others alive: each as a stretch of events.
 *
 * @module
 */
import { changeCodes, changeKinds, changes, type ChangeKind } from './changes.ts';
import type { Cells } from './columns.ts';
import { Concerning } from './concerning.ts';
import type { SegmentParts } from './segment-parts.ts';
import { FILE, HOLD, PROCESS, rowOf, type Standing } from './standing.ts';
import {
  BEFORE,
  bitsOf,
  type ConcernStretch,
  type HoldStretch,
  type NameStretch,
  type PinStretch,
  type WatchedFile,
} from './stretches.ts';

/** The kinds of change that can change which files concern a group: only these are applied. */
const applied: ReadonlySet<ChangeKind> = new Set([
  'booted',
  'deviceSet',
  'deviceMoved',
  'groupSet',
  'fileOpened',
  'fileSet',
  'fileClosed',
] as const);
const takes = changeKinds.map((kind) => (applied.has(kind) ? changes[kind].take : null));

/** What an event did: its rows may tell of a hold before they tell of the file. */
class NotedRows {
  readonly held: { readonly file: number; readonly hold: HoldStretch; readonly isFd: boolean }[] =
    [];
  readonly opened: number[] = [];
  readonly closed: number[] = [];
  readonly devices: number[] = [];
  /** Rows of files that were opened, set or closed. */
  readonly files = new Set<number>();
  readonly groups = new Set<number>();
  isDropped = false;

  /** Whether nothing can have changed what concerns a group or keeps a file alive. */
  get isOfHolds(): boolean {
    return this.devices.length + this.files.size + this.groups.size === 0;
  }

  /** Forgets all. It is called for every event, and most note few things. */
  clear(): void {
    const { held, opened, closed, devices, files, groups } = this;
    for (const list of [held, opened, closed, devices]) if (list.length > 0) list.length = 0;
    for (const set of [files, groups]) if (set.size > 0) set.clear();
    this.isDropped = false;
  }
}

export class HandWatch {
  /** By their begin. */
  readonly names: NameStretch[] = [];
  readonly files: WatchedFile[] = [];
  /** The concerns of each group, by its code; each list ascends. */
  readonly concerns = new Map<number, ConcernStretch[]>();
  readonly #parts: Pick<SegmentParts, 'start' | 'journal' | 'codes'>;
  readonly #standing: Standing;
  readonly #concerning: Concerning;
  /** By row: the names of the process, the hold, the file, and the file that it keeps alive. */
  #processes: (NameStretch[] | undefined)[] = [];
  #holds: (HoldStretch | undefined)[] = [];
  #files: (WatchedFile | undefined)[] = [];
  #pins: ({ readonly of: WatchedFile; readonly pin: PinStretch } | undefined)[] = [];
  /** The concerns that last, by the code of the group and the row of the file. */
  readonly #lasting = new Map<number, Map<number, ConcernStretch>>();
  readonly #noted = new NotedRows();

  constructor(parts: Pick<SegmentParts, 'start' | 'journal' | 'codes'>) {
    this.#parts = parts;
    this.#standing = parts.start.copy();
    this.#concerning = new Concerning(this.#standing);
    this.#begin();
    this.#read();
  }

  /** Takes over what is there before the first event. */
  #begin(): void {
    const { processes, holds, files, groups } = this.#parts.start;
    for (let row = 0; row < processes.count; row++) {
      const cells = rowOf(processes, row);
      if (cells[PROCESS.pid] !== 0) this.#named(row, cells, BEFORE);
    }
    for (let row = 0; row < files.count; row++) {
      const opened = files.cells[row * files.width + FILE.opened]!;
      if (opened !== 0) this.#opened(row, opened - 1, true);
    }
    for (let row = 0; row < holds.count; row++) {
      const cells = rowOf(holds, row);
      const file = cells[HOLD.file]!;
      if (file === 0) continue;
      const [process, fd, number] = [cells[HOLD.process]!, cells[HOLD.fd]!, cells[HOLD.number]!];
      const hold = this.#hold(row, { process, fd, number, from: BEFORE });
      this.#files[file - 1]?.holds.push(hold);
    }
    for (let row = 0; row < files.count; row++) this.#pin(row, BEFORE);
    for (let group = 0; group < groups.count; group++) this.#concern(group, BEFORE);
  }

  #read(): void {
    const { journal, start } = this.#parts;
    const { first, length } = journal;
    const [rows, kinds] = [journal.rows.cells, journal.kinds.cells];
    const columns = changeKinds.map((kind) => journal.cellsOf(kind));
    const read = new Uint32Array(changeKinds.length);
    let row = 0;
    for (let event = 0; event < length; event++) {
      if (rows[event] === 0) continue;
      for (let left = rows[event]!; left > 0; left--) {
        const kind = kinds[row++]!;
        const at = read[kind]!++;
        takes[kind]?.(this.#standing, columns[kind]!, at, first + event, null);
        if (kind === changeCodes.held) this.#noteHeld(columns[kind]!, at, event, start.held + at);
        else this.#note(kind, columns[kind]!, at, event);
      }
      this.#settle(event);
    }
  }

  /** Notes what a row of the journal tells of. */
  #note(kind: number, columns: readonly Cells[], at: number, event: number): void {
    const row = columns[0]?.[at] ?? 0;
    const noted = this.#noted;
    switch (kind) {
      case changeCodes.dropped: {
        const hold = this.#holds[row];
        if (hold !== undefined) hold.to = event;
        this.#holds[row] = undefined;
        noted.isDropped = true;
        return;
      }
      case changeCodes.processStarted: {
        const cells = columns.slice(1).map((column) => column[at]!);
        return this.#named(row, cells, event);
      }
      case changeCodes.processEnded:
        endLast(this.#processes[row], event);
        this.#processes[row] = undefined;
        return;
      case changeCodes.fileOpened:
        this.#opened(row, this.#parts.journal.first + event, false);
        noted.opened.push(row);
        noted.files.add(row);
        return;
      case changeCodes.fileClosed:
        noted.closed.push(row);
        noted.files.add(row);
        return;
      case changeCodes.fileSet:
        noted.files.add(row);
        return;
      case changeCodes.groupSet:
        noted.groups.add(row);
        return;
      case changeCodes.deviceSet:
      case changeCodes.deviceMoved:
        noted.devices.push(row);
        return;
      case changeCodes.booted:
        this.#boot(event);
    }
  }

  /** A hold: its row may come before that of the file that it holds. */
  #noteHeld(columns: readonly Cells[], at: number, event: number, number: number): void {
    const [rows, files, processes, fds] = columns;
    const fd = fds![at]!;
    const hold = this.#hold(rows![at]!, { process: processes![at]!, fd, number, from: event });
    this.#noted.held.push({ file: files![at]!, hold, isFd: fd !== 0 });
  }

  /** After an event, what was noted of it. */
  #settle(event: number): void {
    const noted = this.#noted;
    const { opened, closed, held, files, groups, devices, isDropped } = noted;
    for (const row of opened) {
      const isHeld = held.some(({ file, isFd }) => isFd && file === row);
      if (isDropped || !isHeld) this.#files[row]!.isUnseen = true;
    }
    for (const { file, hold } of held) this.#files[file]?.holds.push(hold);
    if (noted.isOfHolds) {
      held.length = 0;
      noted.isDropped = false;
      return;
    }
    for (const device of devices) {
      for (const row of this.#concerning.rowsOfDevice(device)) files.add(row);
    }
    for (const row of files) this.#concerning.setFile(row);
    for (const group of groups) this.#concerning.setGroup(group);
    for (const row of files) {
      this.#pin(row, event);
      for (const group of this.#files[row]?.concerns ?? []) groups.add(group);
      for (const group of this.#concerning.groupsOf(row)) groups.add(group);
    }
    for (const group of groups) this.#concern(group, event);
    for (const row of closed) {
      const file = this.#files[row];
      if (file !== undefined) file.isOpen = false;
      this.#files[row] = undefined;
    }
    noted.clear();
  }

  /** The process in a row gets a name; it may have another one already. */
  #named(
    row: number,
    [pid = 0, comm = 0, cgroup = 0, vm = 0]: Iterable<number>,
    from: number,
  ): void {
    const number = this.#parts.codes.numbers.at(pid - 1);
    const before = this.#processes[row];
    const last = before?.at(-1);
    const isLater = last?.pid === number;
    endLast(before, from);
    const name: NameStretch = {
      index: this.names.length,
      pid: number,
      comm,
      cgroup,
      vm,
      from,
      to: Infinity,
      isLater,
    };
    this.names.push(name);
    if (isLater) before!.push(name);
    else this.#processes[row] = [name];
  }

  #opened(row: number, opened: number, wasOpen: boolean): void {
    const file: WatchedFile = {
      opened,
      wasOpen,
      isOpen: true,
      isUnseen: false,
      holds: [],
      pins: [],
      concerns: new Set(),
    };
    this.#files[row] = file;
    this.files.push(file);
  }

  #hold(
    row: number,
    held: { process: number; fd: number; number: number; from: number },
  ): HoldStretch {
    const { process, fd: code, number, from } = held;
    const fd = code === 0 ? -1 : this.#parts.codes.numbers.at(code - 1);
    const names = this.#processes[process] ?? [];
    const hold = { names, isMapping: code === 0, fd: fd < 0 ? null : fd, number };
    return (this.#holds[row] = { ...hold, from, to: Infinity });
  }

  /** The file in a row keeps the one alive that its cells name now. */
  #pin(row: number, event: number): void {
    const { cells, width } = this.#standing.files;
    const isOpen = cells[row * width + FILE.opened] !== 0;
    const of = this.#files[(isOpen ? cells[row * width + FILE.pins]! : 0) - 1];
    const before = this.#pins[row];
    const by = this.#files[row];
    if (before?.of === of && before?.pin.by === by) return;
    if (before !== undefined) before.pin.to = event;
    this.#pins[row] = undefined;
    if (of === undefined || by === undefined) return;
    const pin = { by, from: event, to: Infinity };
    of.pins.push(pin);
    this.#pins[row] = { of, pin };
  }

  /** The files that concern a group now. */
  #concern(group: number, event: number): void {
    const now = this.#concerning.rowsOf(group);
    const lasting = this.#lasting.get(group) ?? new Map<number, ConcernStretch>();
    if (lasting.size === 0 && now.size === 0) return;
    this.#lasting.set(group, lasting);
    for (const [row, concern] of lasting) {
      const reasons = now.get(row);
      const isSame = reasons !== undefined && bitsOf(reasons) === concern.reasons;
      if (isSame && this.#files[row] === concern.file) continue;
      concern.to = event;
      concern.file.concerns.delete(group);
      lasting.delete(row);
    }
    for (const [row, reasons] of now) {
      const file = this.#files[row];
      if (lasting.has(row) || file === undefined) continue;
      const concern = { file, reasons: bitsOf(reasons), from: event, to: Infinity };
      file.concerns.add(group);
      lasting.set(row, concern);
      const all = this.concerns.get(group);
      if (all === undefined) this.concerns.set(group, [concern]);
      else all.push(concern);
    }
  }

  /** Everything ends at a boot. */
  #boot(event: number): void {
    for (const names of this.#processes) endLast(names, event);
    for (const hold of this.#holds) if (hold !== undefined) hold.to = event;
    for (const pinned of this.#pins) if (pinned !== undefined) pinned.pin.to = event;
    for (const file of this.#files) if (file !== undefined) file.isOpen = false;
    for (const concerns of this.#lasting.values()) {
      for (const concern of concerns.values()) concern.to = event;
    }
    [this.#processes, this.#holds, this.#files, this.#pins] = [[], [], [], []];
    this.#lasting.clear();
    this.#concerning.clear();
    this.#noted.clear();
  }
}

function endLast(names: readonly NameStretch[] | undefined, event: number): void {
  const last = names?.at(-1);
  if (last !== undefined) last.to = event;
}
