/**
 * Encodes a live host as a `Standing`, with rows in the order of the host.
 *
 * @module
 */
import { certainties } from '../../events/vocabulary.ts';
import type { DeviceAt, FileAt, GroupAt, HostAt, ProcessAt } from '../../machines/host-at.ts';
import type { LiveHost } from '../../machines/live-host.ts';
import { NAMELESS, UNNAMED } from '../../machines/unshown.ts';
import { positionOf, type FileId, type HoldPlace } from '../../processes/process-table.ts';
import type { Codes } from './codes.ts';
import { placesOf } from './slots.ts';
import {
  deviceStates,
  fileKinds,
  GONE,
  GROUP,
  ownerKinds,
  Standing,
  type CellRows,
} from './standing.ts';

/** Cells that the machines do not know: since when, and copied from which hold. */
export interface Remembered {
  /** The standing that the journal has led to, with the same codes of groups. */
  readonly before: Standing;
  /** Cells of the hold at a place: its position, the hold that it was copied from, its number. */
  hold(place: HoldPlace): readonly [since: number, from: number, number: number];
}

export function standingOf(host: LiveHost, codes: Codes, past: Remembered): Standing {
  const { before } = past;
  const standing = new Standing();
  standing.held = before.held;
  standing.unheard = before.unheard;
  const { groups, devices, files, processes, holds } = standing;
  const rowOf = new Map<FileId, number>();
  for (const { id } of host.files()) rowOf.set(id, rowOf.size);
  const link = (id: FileId | null | undefined) => (id == null ? 0 : (rowOf.get(id) ?? -1) + 1);
  const old = before.groups;
  for (let group = 0; group < old.count; group++) {
    const at = group * old.width;
    const row = Array.from({ length: old.width }, () => 0);
    row[GROUP.kind] = old.cells[at] === 0 ? 0 : GONE;
    row[GROUP.since] = old.cells[at + GROUP.since] ?? 0;
    put(groups, group, row);
  }
  for (const group of host.groups()) {
    const index = codes.groups.codeOf(group.group);
    const since = groups.cells[groups.reach(index) + GROUP.since] ?? 0;
    const busy = old.cells[index * old.width + GROUP.busy] ?? 0;
    put(groups, index, [...groupCells(group, codes, link(group.opener)), busy, since]);
  }
  for (const device of host.devices()) {
    put(devices, codes.devices.codeOf(device.device), deviceCells(device, codes));
  }
  for (const file of host.files()) {
    const [kind, subject] = fileCells(file, codes);
    const ties = tiesOf(file, codes, link);
    put(files, link(file.id) - 1, [positionOf(file.id) + 1, kind, subject, ...ties]);
  }
  const processRows = new Map<number, number>();
  for (const process of host.processTable.processes()) {
    processRows.set(process.pid, processRows.size);
    put(processes, processRows.size - 1, processCells(process, codes));
  }
  let row = 0;
  for (const place of placesOf(host.processTable)) {
    const process = processRows.get(place.process.pid) ?? 0;
    put(holds, row++, [link(place.file), process, fdCell(place, codes), ...past.hold(place)]);
  }
  standing.waiter = waiterOf(host, codes);
  return standing;
}

function put(rows: CellRows, row: number, cells: readonly number[]): void {
  const at = rows.reach(row);
  rows.cells.set(cells, at);
}

/** The cells of a group except the last two (`busy`, `since`), which the machines do not know. */
export function groupCells(group: GroupAt, { numbers }: Codes, opener: number) {
  const { owner, isUnknown } = group;
  const isUser = group.state === 'container' || group.state === 'iommufd';
  const state = isUnknown ? 'unknown' : group.state === 'unowned' ? 'none' : group.state;
  const file = isUser && owner !== NAMELESS ? fileCell(owner) : 0;
  const certainty = certainties.indexOf(group.certainty);
  return [
    ownerKinds.indexOf(state) + 1,
    file,
    numbers.codeOf(group.claims),
    numbers.codeOf(group.unclaimed),
    opener,
    certainty,
  ] as const;
}

export function deviceCells(device: DeviceAt, { groups, texts }: Codes) {
  const text = (word: string | null) => orNone(word, (known) => texts.codeOf(known));
  return [
    deviceStates.indexOf(device.state) + 1,
    orNone(device.group, (group) => groups.codeOf(group)),
    text(device.name),
    text(device.driver),
    text(device.cdev),
    device.isUnknown ? 1 : 0,
  ] as const;
}

/** The cells `kind` and `subject` of a file. */
export function fileCells(file: FileAt, { groups, devices }: Codes): readonly [number, number] {
  const { kind, group, device } = file;
  const code = fileKinds.indexOf(kind);
  if (kind === 'device') return [code, devices.codeOf(device ?? UNNAMED)];
  return [code, group === null ? 0 : groups.codeOf(group)];
}

/**
 * The cells `isGone`, `tie` and `pins` of a file; see `FILE`. Throws `RangeError` if it keeps two
 * files alive: a row has room for one.
 */
export function tiesOf(
  { id, kind, group, device, isGone, container, pins }: FileAt,
  { groups }: Codes,
  link: (id: FileId | null | undefined) => number,
): readonly [isGone: number, of: number, pins: number] {
  const [first, second] = pins;
  if (second !== undefined)
    throw new RangeError(`${id} keeps ${pins.join(' and ')} alive: one is expected`);
  const kept = link(first);
  if (kind === 'group') return [isGone ? 1 : 0, link(container), kept];
  const isThere = kind !== 'device' || (device !== null && !isGone);
  return isThere ? [0, 0, kept] : [1, orNone(group, (of) => groups.codeOf(of)), kept];
}

export function processCells(
  { pid, comm, cgroup, vm }: Pick<ProcessAt, 'pid' | 'comm' | 'cgroup' | 'vm'>,
  { numbers, texts }: Codes,
) {
  return [
    numbers.codeOf(pid) + 1,
    texts.codeOf(comm),
    orNone(cgroup, (known) => texts.codeOf(known)),
    orNone(vm, (known) => (known === false ? 0 : texts.codeOf(known) + 1)),
  ] as const;
}

export function fdCell({ via, number }: HoldPlace, { numbers }: Codes): number {
  return via === 'mapping' ? 0 : numbers.codeOf(number) + 1;
}

/** Cells of the driver change that waits: its device, and the process that waits; 0 for none. */
export function waiterOf({ driverChange }: HostAt, { devices, numbers, texts }: Codes) {
  if (driverChange === null || driverChange.isOver) return { device: 0, pid: 0, comm: 0 };
  const { device, waiter } = driverChange;
  return {
    device: devices.codeOf(device) + 1,
    pid: orNone(waiter.pid, (pid) => numbers.codeOf(pid)),
    comm: orNone(waiter.comm, (comm) => texts.codeOf(comm)),
  };
}

/** 0 for null, else one more than the code of the value. */
export function orNone<T>(value: T | null, code: (value: T) => number): number {
  return value === null ? 0 : code(value) + 1;
}

/** One more than the position of a file's open; 0 for null, or for a file that was never opened. */
export function fileCell(file: FileId | null): number {
  return file === null || Number.isNaN(positionOf(file)) ? 0 : positionOf(file) + 1;
}
