/**
 * Listings of devices with their drivers and IOMMU groups: lspci, dpdk-devbind, driverctl, SPDK's setup.sh,
 * directories of /sys, virsh nodedev-dumpxml. They show a state, not a history.
 *
 * @module
 */
import type { ListedDevice, Parser, Sighting } from '../sighting.ts';
import { unwrapped } from '../wrappers/unwrap.ts';
import { isPrompt } from './fdinfo.ts';
import { driverOf, type ListingReader } from './listed-device.ts';
import { LspciReader } from './lspci.ts';
import { BDF, LONGEST } from './names.ts';
import { NodedevReader } from './nodedev.ts';
import type { DeviceListingKind } from './seen.ts';
import { SysfsReader } from './sysfs-listing.ts';

/** A row that says all by itself. */
interface ListingRow {
  readonly tool: DeviceListingKind;
  readonly pattern: RegExp;
}

const rows: readonly ListingRow[] = [
  {
    // 0000:81:00.0 'Ethernet Controller X710 1572' if=eth1 drv=i40e unused=vfio-pci *Active*
    tool: 'dpdk-devbind',
    pattern: new RegExp(
      String.raw`^(?<device>${BDF}) '.{0,256}' (?:[\w-]{1,32}=\S{0,256} )*?` +
        String.raw`(?:drv=(?<driver>[\w-]{1,64})\b|unused=)`,
    ),
  },
  {
    // NVMe  0000:81:00.0  8086  0a54  0  vfio-pci  -  -
    tool: 'setup.sh',
    pattern: new RegExp(
      String.raw`^[\w/]{2,16} +(?<device>${BDF}) +[\da-f]{4} +[\da-f]{4} +(?:\d{1,3}|-1|unknown) +` +
        String.raw`(?:(?<driver>[\w-]{2,64})|-) +\S`,
    ),
  },
  {
    // Notice: 0000:81:00.0 already bound to driver vfio-pci, skipping
    tool: 'dpdk-devbind',
    pattern: new RegExp(
      String.raw`^Notice: (?<device>${BDF}) already bound to driver (?<driver>[\w-]{1,64})\b`,
    ),
  },
  {
    // 0000:81:00.0 (144d a80a): Already using the vfio-pci driver
    tool: 'setup.sh',
    pattern: new RegExp(
      String.raw`^(?<device>${BDF}) \([\da-f]{4} [\da-f]{4}\): Already using the ` +
        String.raw`(?<driver>[\w-]{1,64}) driver$`,
    ),
  },
];

/** Reads the lines of listings of devices, in order. */
export class DeviceListing {
  /** The kind of the last line that shows a device. */
  kind: DeviceListingKind = 'iommu_groups';
  readonly #readers: readonly ListingReader[] = [
    new LspciReader(),
    new SysfsReader(),
    new NodedevReader(),
    new DriverctlReader(),
  ];

  /** Whether the lines that follow may be about what a line has named. */
  get isOpen(): boolean {
    return this.#readers.some(({ isOpen }) => isOpen);
  }

  /** The drivers and groups that a line shows. */
  line(text: string): readonly Sighting[] {
    if (isCommand(text)) {
      for (const reader of this.#readers) reader.command(text);
      return [];
    }
    for (const { tool, pattern } of rows) {
      const { device, driver = null } = pattern.exec(text)?.groups ?? {};
      if (device !== undefined) return this.#shown(tool, [driverOf(device, driver)]);
    }
    for (const reader of this.#readers) {
      const listed = reader.line(text);
      if (listed.length > 0) return this.#shown(reader.tool, listed);
    }
    return [];
  }

  #shown(tool: DeviceListingKind, listed: readonly ListedDevice[]): readonly Sighting[] {
    this.kind = listed[0]?.did === 'list-group' ? 'iommu_groups' : tool;
    const nobody = { tid: null, pid: null, comm: null, at: null, isListed: true } as const;
    return listed.map((one) => ({ ...one, ...nobody }));
  }
}

/** driverctl list-devices; `list-overrides` prints the same rows of what is to be bound. */
class DriverctlReader implements ListingReader {
  readonly tool = 'driverctl';
  isOpen = false;

  command(text: string): void {
    this.isOpen = /\bdriverctl\b.*\blist-devices\b/.test(text);
  }

  line(text: string): readonly ListedDevice[] {
    if (!this.isOpen) return [];
    const { device, driver } = driverctlRow.exec(text)?.groups ?? {};
    if (device === undefined) return [];
    return [driverOf(device, driver === '(none)' ? null : (driver ?? null))];
  }
}

const driverctlRow = new RegExp(
  String.raw`^(?<device>${BDF}) (?<driver>[\w-]{1,64}|\(none\))(?: \[\*\])?(?: \(.*\))?$`,
);

/** Whether a line is a command: behind a prompt, or by itself, as it is quoted. */
function isCommand(text: string): boolean {
  return (
    isPrompt(text) ||
    /^(?:\+ )?(?:sudo )?(?:lspci|ls|find|readlink|driverctl|virsh|dpdk-devbind(?:\.py)?)\b(?!:)/.test(
      text,
    )
  );
}

export function devicesParser(): Parser {
  const listing = new DeviceListing();
  return {
    clock: 'none',
    line: (text) => listing.line(unwrapped(text.slice(0, LONGEST)).message),
    end: () => [],
  };
}

/** Whether a line alone shows that it belongs to such a listing. */
export function looksLikeDevices(line: string): boolean {
  const { message } = unwrapped(line.slice(0, 4096));
  return (
    /^Kernel driver in use: \S|^<iommuGroup number=/.test(message) ||
    new DeviceListing().line(message).length > 0
  );
}
