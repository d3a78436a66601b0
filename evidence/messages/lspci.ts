/**
 * Listings of lspci with drivers (`-k`, `-v`, `-vmm`), and shell loops that print a group before each row of it.
 *
 * @module
 */
import type { ListedDevice } from '../sighting.ts';
import { driverOf, groupOf, type ListingReader } from './listed-device.ts';
import { BDF, SPELLED } from './names.ts';

/** A block of `lspci -vvv` has no more lines. */
const LONGEST_BLOCK = 256;

const SLOT = String.raw`(?<device>(?:${BDF}|[\da-f]{2}:[01][\da-f]\.[0-7]))`;
/** The first line of a block: the class follows, in words, by number, or quoted. */
const head = new RegExp(
  String.raw`^${SLOT} (?:"|[A-Z\d][^:]{2,80}: )|^Slot:\s+${SLOT.replace('device', 'slot')}$`,
);
/** `IOMMU Group 9 81:00.0 …`, `Group 9: [10de:2204] [R] 81:00.0 …`; a group alone is that of the next rows. */
const GROUP = String.raw`(?:IOMMU )?Group[ :#]{1,8}(?<group>\d{1,7})`;
const loopRow = new RegExp(
  String.raw`^${GROUP}\b[\s:|-]{1,16}(?:\[[\da-fA-F:]{4,9}\]\s{1,8}|\[R\]\s{1,8}){0,2}` +
    String.raw`(?<device>${SPELLED})(?=\s|$)`,
  'i',
);
const loopHead = new RegExp(String.raw`^[#=\s*-]{0,16}${GROUP}[\s:*#=-]{0,16}$`, 'i');
/** A row below such a group. */
const below = new RegExp(
  String.raw`^(?:[*•-] |\[[\da-fA-F:]{4,9}\]\s+|\[R\]\s+){0,3}(?<device>${SPELLED})(?=\s|$)`,
);

/** A further row of a script that prints the group in the first row only. */
const further = new RegExp(
  String.raw`^\[[\da-fA-F]{4}:[\da-fA-F]{4}\]\s+(?:\[R\]\s+)?(?<device>${SPELLED})(?=\s)`,
);

const driver = /^(?:Kernel driver in use: |Driver:\s+)(?<driver>[\w-]{1,64})\s*$/;
const group = /^(?:Flags: .*, )?(?:IOMMU group:? |IOMMUGroup:\s+)(?<group>\d{1,7})$/;

export class LspciReader implements ListingReader {
  readonly tool = 'lspci';
  /** The device of the block. */
  #device: string | null = null;
  #lines = 0;
  /** The group whose rows follow. */
  #group: string | null = null;
  /** The group of the row before, if the row named it. */
  #rowGroup: string | null = null;
  /** Whether the block has told its driver. */
  #isTold = false;
  /** A command picks single lines out: a driver may be that of another device than the one before. */
  #isPicked = false;

  get isOpen(): boolean {
    return this.#device !== null || this.#group !== null;
  }

  command(text: string): void {
    this.#close();
    this.#group = null;
    this.#rowGroup = null;
    this.#isPicked =
      /\|\s*[ef]?grep\b/.test(text) && !/\s-(?:[a-zA-Z]*[ABC]|-(?:after|context))/.test(text);
  }

  line(text: string): readonly ListedDevice[] {
    if (text === '' || text === '--') this.#close();
    const row = loopRow.exec(text)?.groups;
    if (row !== undefined) {
      this.#group = null;
      this.#rowGroup = row['group'] ?? null;
      return this.#inGroup(row['device'] ?? '', row['group'] ?? '');
    }
    const more = this.#rowGroup === null ? undefined : further.exec(text)?.groups?.['device'];
    if (more !== undefined) return this.#inGroup(more, this.#rowGroup ?? '');
    const found = loopHead.exec(text)?.groups?.['group'];
    // `lspci -vv` has the same words within a block.
    if (found !== undefined && (this.#device === null || this.#group !== null)) {
      this.#close();
      this.#group = found;
      this.#rowGroup = null;
      return [];
    }
    const begun = head.exec(text)?.groups;
    const device = begun?.['device'] ?? begun?.['slot'];
    if (device !== undefined && this.#group === null) {
      this.#open(device);
      return [];
    }
    const inGroup = this.#group === null ? undefined : below.exec(text)?.groups?.['device'];
    if (inGroup !== undefined) return this.#inGroup(inGroup, this.#group ?? '');
    return this.#inBlock(text);
  }

  #inBlock(text: string): readonly ListedDevice[] {
    const device = this.#device;
    if (device === null) {
      // What stands between is no row of a group.
      this.#group = null;
      return [];
    }
    if (++this.#lines > LONGEST_BLOCK) this.#close();
    const bound = driver.exec(text)?.groups?.['driver'];
    if (bound !== undefined) {
      // A second driver is that of a device whose row is missing.
      if (this.#isPicked || this.#isTold) return [];
      this.#isTold = true;
      return [driverOf(device, bound)];
    }
    const of = group.exec(text)?.groups?.['group'];
    return of === undefined ? [] : [groupOf(device, of)];
  }

  #inGroup(device: string, of: string): readonly ListedDevice[] {
    this.#open(device);
    return [groupOf(device, of)];
  }

  #open(device: string): void {
    this.#device = device;
    this.#isTold = false;
    this.#lines = 0;
  }

  #close(): void {
    this.#device = null;
  }
}
