/**
 * The files that concern a group or keep a file alive, and their holds, decoded from the rows of a
 * standing. Unlike `view.ts` it makes no tables of all files: for questions about one group or file
 * at many moments.
 *
 * @module
 */
import type { ProcessAt } from '../../machines/host-at.ts';
import { positionOf, type FileId } from '../../processes/process-table.ts';
import { holdIn, processIn, type HoldAt } from './hold-at.ts';
import { rowOpenedAt, rowsHolding, rowsKeeping } from './keepers.ts';
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
function rowsConcerning(standing: Standing, group: number): Map<number, Reasons> {
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

interface OfFile extends Reasons {
  /** The file that is held. */
  readonly of: FileId;
}

/** A descriptor or mapping of a file that concerns a group. */
interface HoldOf extends OfFile {
  readonly hold: HoldAt;
}

/** Another file that keeps one that concerns a group alive, directly. */
interface PinOf extends OfFile {
  readonly pin: FileId;
}

/** The files that concern a group, and everything that holds them. */
interface Concerning {
  readonly files: readonly FileId[];
  readonly holds: readonly HoldOf[];
  readonly pins: readonly PinOf[];
}

/** The files that concern a group, and everything that holds them. */
export function concerning({ rows: { standing, codes } }: StandingView, group: string): Concerning {
  const code = codes.groups.find(group);
  const why = code === undefined ? new Map<number, Reasons>() : rowsConcerning(standing, code);
  const holds: HoldOf[] = [];
  const pins: PinOf[] = [];
  for (const row of rowsHolding(standing, why.keys())) {
    const file = standing.holds.cells[row * standing.holds.width + HOLD.file]! - 1;
    const of = fileIn(standing, file);
    holds.push({ ...why.get(file)!, of, hold: holdIn(standing, codes, row, of) });
  }
  const { cells, width, count } = standing.files;
  for (let row = 0; row < count; row++) {
    const kept = cells[row * width + FILE.pins]! - 1;
    if (kept < 0 || cells[row * width + FILE.opened] === 0) continue;
    const reasons = why.get(kept);
    if (reasons === undefined) continue;
    pins.push({ ...reasons, of: fileIn(standing, kept), pin: fileIn(standing, row) });
  }
  return { files: [...why.keys()].map((row) => fileIn(standing, row)), holds, pins };
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

/** A descriptor or mapping, and what the command line of its process names. */
interface HoldOfVm extends HoldAt, Pick<ProcessAt, 'vm'> {}

/** The descriptors and mappings of a file, in no order; null if it is closed. */
export function holdsOn(view: StandingView, file: FileId): HoldOfVm[] | null {
  const { standing, codes } = view.rows;
  const row = rowOpenedAt(standing, positionOf(file));
  if (row < 0) return null;
  const { cells, width } = standing.holds;
  return rowsHolding(standing, [row]).map((hold) => {
    const { vm } = processIn(standing, codes, cells[hold * width + HOLD.process]!);
    return { ...holdIn(standing, codes, hold, file), vm };
  });
}

function fileIn({ files: { cells, width } }: Standing, row: number): FileId {
  return `f${cells[row * width + FILE.opened]! - 1}`;
}
