/**
 * The files that concern each group, and why, while a standing changes. The rows that belong together are
 * linked, so that an event costs no search of all rows.
 *
 * @module
 */
import { Multimap } from '../multimap.ts';
import { DEVICE, FILE, fileKinds, GONE, GROUP, UNKNOWN, type Standing } from './standing.ts';

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

/** The keys under which the row of an open file is found. */
interface FileLinks {
  /** `FILE.opened`. */
  readonly opened: number;
  /** The code of its device; null if it is another kind of file. */
  readonly device: number | null;
  /** The code of the group in which it is bound, or from which it was obtained. */
  readonly boundIn: number | null;
  /** The row of the file that it keeps alive. */
  readonly pins: number | null;
}

export class Concerning {
  readonly #standing: Standing;
  /** The row of each open file, by `FILE.opened`. */
  readonly #rows = new Map<number, number>();
  /** Rows of files by the code of their device, by that of the group, and by the row that they keep alive. */
  readonly #ofDevice = new Multimap<number, number>();
  readonly #boundIn = new Multimap<number, number>();
  readonly #keeping = new Multimap<number, number>();
  /** The codes of the groups that a file owns, by its `FILE.opened`. */
  readonly #owned = new Multimap<number, number>();
  /** By row of a file. */
  readonly #files: (FileLinks | undefined)[] = [];
  /** `GROUP.owner` by the code of a group. */
  readonly #owners: number[] = [];

  constructor(standing: Standing) {
    this.#standing = standing;
    for (let row = 0; row < standing.files.count; row++) this.setFile(row);
    for (let group = 0; group < standing.groups.count; group++) this.setGroup(group);
  }

  /** At a boot no file is open, and no group has an owner. */
  clear(): void {
    for (const links of [this.#ofDevice, this.#boundIn, this.#keeping, this.#owned]) links.clear();
    this.#rows.clear();
    this.#files.length = 0;
    this.#owners.length = 0;
  }

  /** The row of a file, or that of its device, has changed. */
  setFile(row: number): void {
    const before = this.#files[row];
    const now = linksOf(this.#standing, row);
    if (before !== undefined) {
      if (this.#rows.get(before.opened) === row) this.#rows.delete(before.opened);
      this.#ofDevice.delete(before.device, row);
      this.#boundIn.delete(before.boundIn, row);
      this.#keeping.delete(before.pins, row);
    }
    this.#files[row] = now;
    if (now === undefined) return;
    this.#rows.set(now.opened, row);
    this.#ofDevice.add(now.device, row);
    this.#boundIn.add(now.boundIn, row);
    this.#keeping.add(now.pins, row);
  }

  /** The row of a group has changed. */
  setGroup(group: number): void {
    const { cells, width } = this.#standing.groups;
    const owner = cells[group * width + GROUP.owner]!;
    const before = this.#owners[group] ?? 0;
    if (before === owner) return;
    if (before !== 0) this.#owned.delete(before, group);
    if (owner !== 0) this.#owned.add(owner, group);
    this.#owners[group] = owner;
  }

  /** The rows of the files that concern the group with a code, and why they do. */
  rowsOf(group: number): Map<number, Reasons> {
    const rows = new Map<number, Reasons>();
    const { groups } = this.#standing;
    const at = group * groups.width;
    const kind = group < groups.count ? groups.cells[at + GROUP.kind]! : 0;
    if (kind === 0 || kind === GONE) return rows;
    const add = (row: number, reason: keyof Reasons): void => {
      rows.set(row, { ...(rows.get(row) ?? unconcerned), [reason]: true });
    };
    const opener = groups.cells[at + GROUP.opener]!;
    if (opener !== 0) add(opener - 1, 'opens');
    for (const row of ascending(this.#boundIn.of(group))) add(row, 'bound');
    const owner = kind === UNKNOWN ? 0 : groups.cells[at + GROUP.owner]!;
    for (const row of this.#rowsKeeping(owner)) add(row, 'keepsOwner');
    return rows;
  }

  /** The rows of the open files of the device with a code. */
  rowsOfDevice(device: number): number[] {
    return ascending(this.#ofDevice.of(device));
  }

  /**
   * The codes of the groups that the file in a row can concern without having a group open: those of
   * its device, and those whose owner it is or keeps alive. It may be one too many.
   */
  groupsOf(row: number): number[] {
    const { files, devices } = this.#standing;
    const { cells, width } = files;
    const at = row * width;
    const found: number[] = [];
    if (cells[at + FILE.kind] === DEVICE_FILE) {
      const device = cells[at + FILE.subject]!;
      const its =
        device < devices.count ? devices.cells[device * devices.width + DEVICE.group]! : 0;
      for (const group of [its, cells[at + FILE.tie]!]) if (group !== 0) found.push(group - 1);
    }
    for (let kept = row; kept >= 0; kept = cells[kept * width + FILE.pins]! - 1) {
      found.push(...ascending(this.#owned.of(cells[kept * width + FILE.opened]!)));
    }
    return found;
  }

  /** The rows of a file, by its `FILE.opened`, and of those that keep it alive, directly or through others. */
  #rowsKeeping(opened: number): number[] {
    const own = this.#rows.get(opened);
    const rows = own === undefined ? [] : [own];
    // The list grows while it is read.
    for (const kept of rows) {
      if (rows.length > this.#rows.size) {
        throw new RangeError('files keep each other alive in a circle');
      }
      rows.push(...ascending(this.#keeping.of(kept)));
    }
    return rows;
  }
}

/** The keys of the file in a row; undefined if it is closed. */
function linksOf({ files, devices }: Standing, row: number): FileLinks | undefined {
  const { cells, width } = files;
  const at = row * width;
  const opened = cells[at + FILE.opened]!;
  if (opened === 0) return undefined;
  const kept = cells[at + FILE.pins]!;
  const pins = kept === 0 ? null : kept - 1;
  if (cells[at + FILE.kind] !== DEVICE_FILE) return { opened, device: null, boundIn: null, pins };
  const device = cells[at + FILE.subject]!;
  const cell = device * devices.width;
  const isThere =
    cells[at + FILE.isGone] === 0 &&
    device < devices.count &&
    devices.cells[cell + DEVICE.state] !== 0;
  const group = isThere ? devices.cells[cell + DEVICE.group]! : cells[at + FILE.tie]!;
  // A device's file that keeps a context is bound in a group, or was obtained from it.
  return { opened, device, boundIn: pins === null || group === 0 ? null : group - 1, pins };
}

function ascending(rows: number[]): number[] {
  return rows.length < 2 ? rows : rows.sort((a, b) => a - b);
}
