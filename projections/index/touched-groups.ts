/**
 * Which groups some processes may have had a hand on, read from the journals of the time index
 * without a look at the host: the groups of the files that they held, and of the files which these
 * kept alive. It may name a group too many, and leaves none out.
 *
 * @module
 */
import { changeCodes, changeKinds, changes, type ChangeKind } from './changes.ts';
import { codesOf, type Codes } from './codes.ts';
import type { Cells } from './columns.ts';
import type { Segment } from './segment.ts';
import { DEVICE, FILE, fileKinds, GROUP, HOLD, PROCESS, Standing } from './standing.ts';

/** Processes by sets of them, which are bits. */
export interface Watched {
  /** The sets that the process with a pid may belong to. */
  readonly setsOf: (pid: number) => number;
  /** The sets of a process of which nothing is known. */
  readonly unknown: number;
  /** Files that were open before this position may have had holders that were not seen. */
  readonly unseenUntil: number;
}

const [GROUP_FILE, DEVICE_FILE] = [fileKinds.indexOf('group'), fileKinds.indexOf('device')];

/**
 * The sets that may have had a hand on each group in the states up to `to`; none on the others.
 * `segments` are all of the log.
 */
export function touchedGroups(
  segments: Iterable<Segment>,
  to: number,
  watched: Watched,
): ReadonlyMap<string, number> {
  const touched = new Touched(watched);
  for (const segment of segments) {
    if (segment.first > to) break;
    touched.read(segment, to);
  }
  return touched.groups;
}

/** The kinds of change whose rows are applied; the others are passed over. */
const applied: ReadonlySet<ChangeKind> = new Set([
  'booted',
  'deviceSet',
  'groupSet',
  'fileOpened',
  'fileSet',
  'fileClosed',
  'processStarted',
] as const);
const takes = changeKinds.map((kind) => (applied.has(kind) ? changes[kind].take : null));

/** What an event did: its rows may tell of a hold before they tell of the file. */
interface Noted {
  readonly held: { readonly file: number; readonly process: number; readonly isFd: boolean }[];
  readonly opened: number[];
  readonly set: number[];
  readonly groups: number[];
  readonly devices: number[];
  isDropped: boolean;
}

function nothing(): Noted {
  return { held: [], opened: [], set: [], groups: [], devices: [], isDropped: false };
}

class Touched {
  readonly groups = new Map<string, number>();
  /** The sets that have held a file of a device at any time, by its code. */
  readonly #devices: number[] = [];
  readonly #watched: Watched;
  /** The sets that have held a file at any time, by the cell `FILE.opened`. */
  readonly #holders = new Map<number, number>();
  #standing = new Standing();
  #codes: Codes = codesOf();
  /** The sets of the process in each row. */
  #sets: number[] = [];
  #noted = nothing();

  constructor(watched: Watched) {
    this.#watched = watched;
  }

  read({ first, length, parts: { start, journal, codes } }: Segment, to: number): void {
    this.#standing = start.copy();
    this.#codes = codes;
    this.#begin();
    const [rows, kinds] = [journal.rows.cells, journal.kinds.cells];
    const columns = changeKinds.map((kind) => journal.cellsOf(kind));
    const read = new Uint32Array(changeKinds.length);
    const end = Math.min(length, to - first + 1);
    let row = 0;
    for (let event = 0; event < end; event++) {
      const position = first + event;
      if (position === this.#watched.unseenUntil) this.#lost();
      for (let left = rows[event]!; left > 0; left--) {
        const kind = kinds[row++]!;
        const at = read[kind]!++;
        takes[kind]?.(this.#standing, columns[kind]!, at, position, null);
        this.#note(kind, columns[kind]!, at);
      }
      if (rows[event] !== 0) this.#settle();
    }
  }

  /** Takes over the processes and holds from before a segment. */
  #begin(): void {
    const { processes, holds, files, groups, devices } = this.#standing;
    this.#sets = [];
    for (let row = 0; row < processes.count; row++) {
      const pid = processes.cells[row * processes.width + PROCESS.pid]!;
      if (pid !== 0) this.#started(row, pid);
    }
    for (let at = 0; at < holds.count * holds.width; at += holds.width) {
      const file = holds.cells[at + HOLD.file]!;
      if (file !== 0) this.#touch(file - 1, this.#sets[holds.cells[at + HOLD.process]!] ?? 0);
    }
    for (let row = 0; row < files.count; row++) this.#spread(row);
    for (let group = 0; group < groups.count; group++) this.#owned(group);
    for (let device = 0; device < devices.count; device++) this.#moved(device);
  }

  /** Notes what a row of the journal tells of. */
  #note(kind: number, columns: readonly Cells[], at: number): void {
    const { fileOpened, fileSet, groupSet, deviceSet, processStarted, held, dropped } = changeCodes;
    const row = columns[0]?.[at] ?? 0;
    const noted = this.#noted;
    if (kind === held) {
      const [, files, processes, fds] = columns;
      noted.held.push({ file: files![at]!, process: processes![at]!, isFd: fds![at] !== 0 });
    } else if (kind === fileOpened) noted.opened.push(row);
    else if (kind === fileSet) noted.set.push(row);
    else if (kind === groupSet) noted.groups.push(row);
    else if (kind === deviceSet) noted.devices.push(row);
    else if (kind === processStarted) this.#started(row, columns[1]![at]!);
    else if (kind === dropped) noted.isDropped = true;
  }

  /** After an event, what was noted of it. */
  #settle(): void {
    const { opened, held, set, groups, devices, isDropped } = this.#noted;
    for (const file of opened) {
      const isHeld = held.some((hold) => hold.isFd && hold.file === file);
      if (isDropped || !isHeld) this.#touch(file, this.#watched.unknown);
    }
    for (const { file, process } of held) this.#touch(file, this.#sets[process] ?? 0);
    for (const file of set) this.#spread(file);
    for (const group of groups) this.#owned(group);
    for (const device of devices) this.#moved(device);
    this.#noted = nothing();
  }

  #started(row: number, pid: number): void {
    this.#sets[row] = this.#watched.setsOf(this.#codes.numbers.at(pid - 1));
  }

  /** Open files may have had holders that were not seen. */
  #lost(): void {
    for (let row = 0; row < this.#standing.files.count; row++) {
      this.#touch(row, this.#watched.unknown);
    }
  }

  /** Some sets hold the file in a row, or have held it. */
  #touch(row: number, sets: number): void {
    const { cells, width } = this.#standing.files;
    const opened = cells[row * width + FILE.opened]!;
    if (opened === 0) return;
    const before = this.#holders.get(opened) ?? 0;
    if ((before | sets) === before) return;
    this.#holders.set(opened, before | sets);
    this.#spread(row);
  }

  /** What holds the file in a row also holds what this keeps alive. */
  #spread(row: number): void {
    const { files, groups } = this.#standing;
    const { cells, width } = files;
    const at = row * width;
    const opened = cells[at + FILE.opened]!;
    const sets = this.#holders.get(opened) ?? 0;
    if (opened === 0 || sets === 0) return;
    const [kind, subject] = [cells[at + FILE.kind], cells[at + FILE.subject]!];
    if (kind === GROUP_FILE) this.#add(subject, sets);
    else if (kind === DEVICE_FILE) {
      this.#devices[subject] = (this.#devices[subject] ?? 0) | sets;
      this.#moved(subject);
      const group = cells[at + FILE.tie]!;
      if (group !== 0) this.#add(group - 1, sets);
    }
    for (let group = 0; group < groups.count; group++) {
      const cell = group * groups.width;
      const isOpener = groups.cells[cell + GROUP.opener] === row + 1;
      if (isOpener || groups.cells[cell + GROUP.owner] === opened) this.#add(group, sets);
    }
    const kept = cells[at + FILE.pins]!;
    if (kept !== 0) this.#touch(kept - 1, sets);
  }

  /** What holds the owner or the opener of a group touches it. */
  #owned(group: number): void {
    const { groups, files } = this.#standing;
    const at = group * groups.width;
    const opener = groups.cells[at + GROUP.opener]! - 1;
    this.#add(group, this.#holders.get(groups.cells[at + GROUP.owner]!) ?? 0);
    if (opener < 0) return;
    this.#add(group, this.#holders.get(files.cells[opener * files.width + FILE.opened]!) ?? 0);
  }

  /** What has held a file of a device touches the group that it is in. */
  #moved(device: number): void {
    const { cells, width, count } = this.#standing.devices;
    const group = device < count ? cells[device * width + DEVICE.group]! : 0;
    if (group !== 0) this.#add(group - 1, this.#devices[device] ?? 0);
  }

  #add(code: number, sets: number): void {
    if (sets === 0) return;
    const group = this.#codes.groups.at(code);
    this.groups.set(group, (this.groups.get(group) ?? 0) | sets);
  }
}
