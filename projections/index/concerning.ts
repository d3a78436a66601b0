/**
 * The files that concern a group or keep a file alive, found in the rows of a standing. Unlike `view.ts` it makes no tables of all files: for questions about one group or file
 * at many moments.
 *
 * @module
 */
import { positionOf, type FileId } from '../../processes/process-table.ts';
import { holdIn, type HoldAt } from './hold-at.ts';
import { rowsHolding, rowsKeeping } from './keepers.ts';
import { DEVICE, FILE, fileKinds, GONE, GROUP, HOLD, UNKNOWN, type Standing } from './standing.ts';
import type { StandingView } from './view.ts';

/** Why a file concerns a group; at least one of them is true. */
export interface Reasons {
  /** It has the group open. */
  readonly opens: boolean;
  /** It is a device's file that is bound in the group or was obtained from it. */
  readonly bound: boolean;
  /** It owns the group, or keeps the file that does alive. */
  readonly keepsOwner: boolean;
}

const DEVICE_FILE = fileKinds.indexOf('device');
const unconcerned: Reasons = { opens: false, bound: false, keepsOwner: false };

/** The rows of the files that concern the group with a code, and why they do. */
export function rowsConcerning(standing: Standing, group: number): Map<number, Reasons> {
  const rows = new Map<number, Reasons>();
  const { groups, files } = standing;
  const at = group * groups.width;
  const kind = group < groups.count ? groups.cells[at + GROUP.kind]! : 0;
  if (kind === 0 || kind === GONE) return rows;
  const add = (row: number, reason: keyof Reasons): void => {
    rows.set(row, { ...(rows.get(row) ?? unconcerned), [reason]: true });
  };
  const opener = groups.cells[at + GROUP.opener]!;
  if (opener !== 0) add(opener - 1, 'opens');
  for (let row = 0; row < files.count; row++) {
    if (isBoundIn(standing, row, group)) add(row, 'bound');
  }
  const owner = kind === UNKNOWN ? 0 : groups.cells[at + GROUP.owner]!;
  if (owner !== 0) for (const row of rowsKeeping(standing, owner - 1)) add(row, 'keepsOwner');
  return rows;
}

/** Whether a device's file is bound in a group, or was obtained from it: then it keeps a context. */
function isBoundIn({ files, devices }: Standing, row: number, group: number): boolean {
  const at = row * files.width;
  const { cells } = files;
  if (cells[at + FILE.opened] === 0 || cells[at + FILE.kind] !== DEVICE_FILE) return false;
  if (cells[at + FILE.pins] === 0) return false;
  const device = cells[at + FILE.subject]! * devices.width;
  const isThere =
    cells[at + FILE.isGone] === 0 &&
    device < devices.count * devices.width &&
    devices.cells[device + DEVICE.state] !== 0;
  const of = isThere ? devices.cells[device + DEVICE.group]! : cells[at + FILE.tie]!;
  return of === group + 1;
}

/** The rows of the open files of the device with a code. */
export function rowsOfDevice({ files }: Standing, device: number): number[] {
  const { cells, width, count } = files;
  const rows: number[] = [];
  for (let row = 0; row < count; row++) {
    const at = row * width;
    if (cells[at] === 0 || cells[at + FILE.kind] !== DEVICE_FILE) continue;
    if (cells[at + FILE.subject] === device) rows.push(row);
  }
  return rows;
}

/**
 * The codes of the groups that the file in a row can concern without having a group open: those of
 * its device, and those whose owner it is or keeps alive. It may be one too many.
 */
export function groupsOfRow({ files, devices, groups }: Standing, row: number): number[] {
  const { cells, width } = files;
  const at = row * width;
  const found: number[] = [];
  if (cells[at + FILE.kind] === DEVICE_FILE) {
    const device = cells[at + FILE.subject]!;
    const its = device < devices.count ? devices.cells[device * devices.width + DEVICE.group]! : 0;
    for (const group of [its, cells[at + FILE.tie]!]) if (group !== 0) found.push(group - 1);
  }
  for (let kept = row; kept >= 0; kept = cells[kept * width + FILE.pins]! - 1) {
    const opened = cells[kept * width + FILE.opened]!;
    for (let group = 0; opened !== 0 && group < groups.count; group++) {
      if (groups.cells[group * groups.width + GROUP.owner] === opened) found.push(group);
    }
  }
  return found;
}

/** Files, and all descriptors and mappings of them. */
interface Held {
  readonly files: readonly FileId[];
  readonly holds: readonly HoldAt[];
}

/** A file and those that keep it alive; none if it is closed. */
export function keepersOf({ rows: { standing, codes } }: StandingView, file: FileId): Held {
  const rows = rowsKeeping(standing, positionOf(file));
  const holds = rowsHolding(standing, rows).map((row) => {
    const of = standing.holds.cells[row * standing.holds.width + HOLD.file]! - 1;
    return holdIn(standing, codes, row, fileIn(standing, of));
  });
  return { files: rows.map((row) => fileIn(standing, row)), holds };
}

function fileIn({ files: { cells, width } }: Standing, row: number): FileId {
  return `f${cells[row * width + FILE.opened]! - 1}`;
}
