/**
 * Reads messages of the kernel about devices, their groups and drivers, and about waiters.
 *
 * @module
 */
import { EvidenceError } from '../importer.ts';
import type { Deed, Sighting } from '../sighting.ts';
import { errnoOf } from './errnos.ts';
import { HungTasks } from './hung-tasks.ts';
import { BDF, DEVICE, remember } from './names.ts';

/** A deed that a message reports, and the process, if it names one. */
export type MessageDeed = Deed & Pick<Sighting, 'pid' | 'comm'>;

const NOBODY = { pid: null, comm: null } as const;

/** `DRIVER DEVICE: TEXT` (dev_info). Without a driver, the name of the bus stands in its place. */
const ofDevice = /^(?<driver>[\w-]{1,64}) (?<device>[\w:.-]{1,128}): (?<text>.*)/s;
const bus = /^(?:pci|mdev|platform|amba|fsl_mc|cdx|ap|ccw|acpi|usb|vfio-dev)$/;
const isDevice = new RegExp(`^${DEVICE}$`);

/** The form of these messages before Linux 5.1. */
const olderGroup = new RegExp(
  String.raw`^iommu: (?<what>Adding|Removing) device (?<device>\S{1,128}) ` +
    String.raw`(?:to|from) group (?<group>\d{1,7})$`,
);
const group = /^(?<what>Adding to|Removing from) iommu group (?<group>\d{1,7})\s*$/;
/** The group of a mediated device, until Linux 5.9. */
const mdevGroup = /^MDEV: (?:(?<what>group_id) = (?<group>\d{1,7})|detaching iommu)\s*$/;
const olderProbe = new RegExp(
  String.raw`^(?<driver>[\w-]{1,64}): probe of (?<device>${BDF}) ` +
    String.raw`failed with error -(?<errno>\d{1,3})\b`,
);
const probe = /^probe with driver (?<driver>[\w-]{1,64}) failed with error -(?<errno>\d{1,3})\b/;
const version = /^Linux version (?<kernel>\S{1,128}) /;
/** Since Linux 4.10 with the process. */
const memlock =
  /^vfio_\w+: (?:Task (?<comm>.{1,64}) \((?<pid>\d{1,10})\) )?RLIMIT_MEMLOCK \(-?\d+\) exceeded/;
/** The driver of NVIDIA is loaded, and finds another one bound to a device. */
const taken = new RegExp(
  String.raw`^NVRM: GPU (?<device>${BDF}) is already bound to (?<driver>[\w-]{1,64})\b`,
  'i',
);
const unsafe = /^vfio_iommu_type1_attach_group: No interrupt remapping support/;

const OPENED = 'vfio-noiommu device opened by user';
const opened = /^ \((?<comm>.{0,256}):(?<pid>\d{1,10})\)\s*$/s;
const IN_USE = 'Device is currently in use, task';
const inUse = /^ "(?<comm>.{0,256})" \((?<pid>\d{1,10})\) blocked until device is released/s;
const waits = /^(?:Relaying device request to user|No device request channel registered)/;

const DIRECT = 'Firmware has requested this device have a 1:1 IOMMU mapping';
const RESERVED = 'Device is ineligible for IOMMU domain attach due to platform RMRR requirement';

/**
 * Reads a message; other lines give nothing. `isQuoted`: a program printed it. `line`: its number. Throws
 * `EvidenceError` for a message that is cut off.
 */
type ReadKernel = (
  message: string,
  boot: string | null,
  isQuoted?: boolean,
  line?: number,
) => readonly MessageDeed[];

/** Creates a reader for the messages of one kernel, in order. */
export function kernelReader(): ReadKernel {
  const drivers = new Map<string, string>();
  const groups = new Map<string, string>();
  const hungTasks = new HungTasks();

  function ours(
    driver: string,
    device: string,
    text: string,
    isQuoted: boolean,
  ): readonly MessageDeed[] {
    const moved = group.exec(text)?.groups;
    if (moved !== undefined) return membership(driver, device, moved);
    if (/^(?:Adding to|Removing from) iommu group/.test(text)) throw cutOff('group');
    const mediated = mdevGroup.exec(text)?.groups;
    if (mediated !== undefined) {
      const what = mediated['what'] === undefined ? 'Removing' : 'Adding';
      return membership(driver, device, { ...mediated, what });
    }
    const failed = probe.exec(text)?.groups;
    if (failed !== undefined) return refusedBind(device, failed);
    // `NAME DEVICE: TEXT` in the words of a program may be anything.
    const said = spoken(device, text);
    for (const one of said) {
      if (one.did === 'wait') hungTasks.wait(device, one.waiter !== null);
    }
    const bound = isQuoted && !driver.includes('vfio') ? [] : speaker(driver, device);
    return [...bound, ...said];
  }

  function membership(
    driver: string,
    device: string,
    { what, group: name = '' }: Readonly<Record<string, string>>,
  ): readonly MessageDeed[] {
    const bound = bus.test(driver) ? null : driver;
    if (what?.startsWith('Adding') === true) {
      remember(groups, device, name);
      if (bound !== null) remember(drivers, device, bound);
      return [{ did: 'plug', device, group: name, driver: bound, ...NOBODY }];
    }
    groups.delete(device);
    drivers.delete(device);
    // A no-IOMMU group is VFIO's own: it is removed while the device keeps its driver.
    if (bound !== null && bound !== 'vfio_mdev') return [];
    return [{ did: 'unplug', device, ...NOBODY }];
  }

  /** A driver that writes a message for a device is bound to it. Ignored until VFIO's has had it. */
  function speaker(driver: string, device: string): readonly MessageDeed[] {
    const last = drivers.get(device);
    if (bus.test(driver) || driver === last) return [];
    if (last === undefined && !driver.includes('vfio')) return [];
    remember(drivers, device, driver);
    return [{ did: 'plug', device, group: null, driver, ...NOBODY }];
  }

  function spoken(device: string, text: string): readonly MessageDeed[] {
    const requirement = text.startsWith(DIRECT) || text.startsWith(RESERVED);
    if (!requirement) return saidOf(device, text);
    const refused = text.startsWith(DIRECT)
      ? ({ operation: 'set_container', errno: 'EINVAL' } as const)
      : ({ operation: 'set_iommu', errno: 'EPERM' } as const);
    const name = groups.get(device) ?? null;
    return [{ did: 'report', ...refused, group: name, device, cause: 'not-ownership', ...NOBODY }];
  }

  return (message, boot, isQuoted = false, line = 0) => {
    const own = ofDevice.exec(message)?.groups;
    if (own !== undefined) {
      const { driver = '', device = '', text = '' } = own;
      // These are QEMU's messages.
      if (driver === 'vfio') return [];
      return isDevice.test(device) ? ours(driver, device.toLowerCase(), text, isQuoted) : [];
    }
    const older = olderGroup.exec(message)?.groups;
    if (older !== undefined) {
      const { what = '', device = '', group: name = '' } = older;
      const moved = { what: `${what} to`, group: name };
      return isDevice.test(device) ? membership('pci', device.toLowerCase(), moved) : [];
    }
    const failed = olderProbe.exec(message)?.groups;
    if (failed !== undefined) return refusedBind((failed['device'] ?? '').toLowerCase(), failed);
    const blocked = hungTasks.waiterIn(message, line);
    if (blocked !== null) return [{ did: 'wait', ...blocked, ...NOBODY }];
    const other = taken.exec(message)?.groups;
    if (other !== undefined && !isQuoted) {
      const { device = '', driver = '' } = other;
      return speaker(driver, device.toLowerCase());
    }
    // A console that a program shows may be that of a guest.
    const said = isQuoted && version.test(message) ? [] : general(message, boot);
    if (said[0]?.did === 'boot') {
      drivers.clear();
      groups.clear();
      hungTasks.forget();
    }
    return said;
  };
}

function general(message: string, boot: string | null): readonly MessageDeed[] {
  const kernel = version.exec(message)?.groups?.['kernel'];
  if (kernel !== undefined) return [{ did: 'boot', kernel, boot, ...NOBODY }];
  const refused = { did: 'report', group: null, device: null, cause: 'not-ownership' } as const;
  const limited = memlock.exec(message)?.groups;
  if (limited !== undefined) {
    const { pid, comm = null } = limited;
    const who = { pid: pid === undefined ? null : Number(pid), comm };
    return [{ ...refused, operation: 'map_dma', errno: 'ENOMEM', ...who }];
  }
  if (unsafe.test(message)) {
    return [{ ...refused, operation: 'set_iommu', errno: 'EPERM', ...NOBODY }];
  }
  return [];
}

/** A failed probe of a VFIO driver. Those of other drivers have nothing to do with VFIO. */
function refusedBind(
  device: string,
  { driver = '', errno: number }: Readonly<Record<string, string>>,
): readonly MessageDeed[] {
  const errno = errnoOf(Number(number));
  if (!driver.includes('vfio') || errno === null) return [];
  return [{ did: 'bind-driver', device, driver, result: { errno }, ...NOBODY }];
}

/** Who opened a device or waits for it, by the text after its name. Throws `EvidenceError`. */
function saidOf(device: string, text: string): readonly MessageDeed[] {
  if (text.startsWith(OPENED)) {
    const by = opened.exec(text.slice(OPENED.length))?.groups;
    if (by === undefined) throw cutOff('who opened it');
    const found = { did: 'find', fd: null, kind: 'device', device, group: null } as const;
    return [{ ...found, pid: Number(by['pid']), comm: by['comm'] ?? null }];
  }
  if (text.startsWith(IN_USE)) {
    const by = inUse.exec(text.slice(IN_USE.length))?.groups;
    if (by === undefined) throw cutOff('who waits');
    const waiter = { pid: Number(by['pid']), comm: by['comm'] ?? '' };
    return [{ did: 'wait', device, waiter, ...NOBODY }];
  }
  return waits.test(text) ? [{ did: 'wait', device, waiter: null, ...NOBODY }] : [];
}

const embedded = new RegExp(
  String.raw`(?<device>${DEVICE}): ` +
    String.raw`(?<text>(?:${OPENED} \(.{1,256}?:\d{1,10}\)|${IN_USE} .{1,300}))`,
);

/** As `saidOf`, for a message of the kernel that a program quotes. */
export function quotedKernel(text: string): readonly MessageDeed[] {
  if (!text.includes(OPENED) && !text.includes(IN_USE)) return [];
  const found = embedded.exec(text)?.groups;
  if (found === undefined) return [];
  return saidOf((found['device'] ?? '').toLowerCase(), found['text'] ?? '');
}

function cutOff(what: string): EvidenceError {
  return new EvidenceError(`a message of the kernel breaks off before it says ${what}`);
}
