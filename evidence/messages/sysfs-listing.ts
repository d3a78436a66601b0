/**
 * Listings of /sys: the devices of IOMMU groups and of drivers, and the links of a device to its group and
 * its driver.
 *
 * @module
 */
import type { ListedDevice } from '../sighting.ts';
import { driverOf, groupOf, type ListingReader } from './listed-device.ts';
import { DEVICE } from './names.ts';

const GROUP_DIR = String.raw`\/sys\/kernel\/iommu_groups\/(?<group>\d{1,7})\/devices`;
const DRIVER_DIR = String.raw`\/sys\/bus\/(?:pci|mdev|platform)\/drivers\/(?<driver>[\w-]{1,64})`;
const DEVICE_DIR = String.raw`\/sys\/(?:bus\/\w{1,16}\/devices|devices\/[\w/.:-]{1,256})\/(?<device>${DEVICE})`;

/** A path of a device in a group, alone or as a link. */
const member = new RegExp(String.raw`(?:^|\s)${GROUP_DIR}\/(?<device>${DEVICE})(?: -> \S+)?$`);
/** A path of a device below its driver, alone or as a link. */
const bound = new RegExp(
  String.raw`^(?:l[rwx-]{9}.{0,64} )?${DRIVER_DIR}\/(?<device>${DEVICE})(?: -> \S+)?$`,
);
/** A link of a device, with its whole path or below the name of its directory. */
const link = new RegExp(
  String.raw`(?:^|\s)(?:${DEVICE_DIR}\/)?(?<what>iommu_group|driver) -> \S*?` +
    String.raw`(?:iommu_groups\/(?<group>\d{1,7})|drivers\/(?<driver>[\w-]{1,64}))$`,
);
/** What `readlink` of such a link prints. */
const target = new RegExp(
  String.raw`^[\w./-]{0,64}(?:kernel\/iommu_groups\/(?<group>\d{1,7})|\/drivers\/(?<driver>[\w-]{1,64}))$`,
);
/** A directory whose entries follow: in a command, or as its header. */
const directory = new RegExp(
  String.raw`(?:^|\s)['"]?(?:${GROUP_DIR}|${DRIVER_DIR}|${DEVICE_DIR})\/?['"]?:?$`,
);
const asked = new RegExp(
  String.raw`\breadlink\b.*\s['"]?${DEVICE_DIR}\/(?:iommu_group|driver)\/?['"]?$`,
);
const lsRow = /^l[rwx-]{9}.*? (?<name>\S+) -> \S+$/;
const isDevice = new RegExp(`^${DEVICE}$`);

/** What the lines that follow are about. */
interface SysDirectory {
  readonly group?: string | undefined;
  readonly driver?: string | undefined;
  readonly device?: string | undefined;
}

export class SysfsReader implements ListingReader {
  readonly tool = 'sysfs';
  #directory: SysDirectory | null = null;
  /** The device whose link a command reads. */
  #asked: string | null = null;

  get isOpen(): boolean {
    return this.#directory !== null || this.#asked !== null;
  }

  command(text: string): void {
    const isList = /(?:^|[#$] |\bsudo )ls\b/.test(text);
    this.#directory = isList ? (directory.exec(text)?.groups ?? null) : null;
    this.#asked = asked.exec(text)?.groups?.['device'] ?? null;
  }

  line(text: string): readonly ListedDevice[] {
    const { device: of, group: within } = member.exec(text)?.groups ?? {};
    if (of !== undefined && within !== undefined) return [groupOf(of, within)];
    const { device: to, driver } = bound.exec(text)?.groups ?? {};
    if (to !== undefined && driver !== undefined) return [driverOf(to, driver)];
    const linked = link.exec(text)?.groups;
    if (linked !== undefined)
      return this.#link(linked['device'] ?? this.#directory?.device, linked);
    const device = this.#asked ?? undefined;
    this.#asked = null;
    const read = device === undefined ? undefined : target.exec(text)?.groups;
    if (read !== undefined) return this.#link(device, read);
    const header = text.endsWith(':') ? directory.exec(text)?.groups : undefined;
    if (header !== undefined) {
      this.#directory = header;
      return [];
    }
    return this.#entries(text);
  }

  #link(device: string | undefined, { group, driver }: SysDirectory): readonly ListedDevice[] {
    if (device === undefined) return [];
    if (group !== undefined) return [groupOf(device, group)];
    return driver === undefined ? [] : [driverOf(device, driver)];
  }

  /** The entries of a directory: a row of `ls -l`, or several names in a line of `ls`. */
  #entries(text: string): readonly ListedDevice[] {
    const { group, driver } = this.#directory ?? {};
    if (group === undefined && driver === undefined) return [];
    const row = lsRow.exec(text)?.groups?.['name'];
    const names = (row === undefined ? text.split(/\s+/) : [row]).filter((name) => name !== '');
    const devices = names.filter((name) => isDevice.test(name));
    const isRow = names.every((name) => isDevice.test(name) || besides.has(name));
    if (!isRow && row === undefined && !/^(?:total \d|[-dl][rwx-]{9})/.test(text)) {
      this.#directory = null;
      return [];
    }
    if (!isRow) return [];
    return devices.flatMap((device) => {
      if (group !== undefined) return [groupOf(device, group)];
      return driver === undefined ? [] : [driverOf(device, driver)];
    });
  }
}

/** Entries of a driver's directory that are no devices. */
const besides = new Set(['bind', 'unbind', 'new_id', 'remove_id', 'module', 'uevent']);
