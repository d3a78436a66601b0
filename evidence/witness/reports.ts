/**
 * `Reports`: turns messages into facts: those of the kernel, of programs that were refused, and of
 * managers that assign devices.
 *
 * @module
 */
import type { Attempt } from '../../events/vocabulary.ts';
import { tracedAttempt } from '../../operations/table.ts';
import type { Deed, ListedDevice, Report, Sighting } from '../sighting.ts';
import { ClaimBooks } from './claim-books.ts';
import type { Devices } from './devices.ts';
import type { Files } from './files.ts';
import type { Tell } from './inferences.ts';
import { tellListed } from './listed.ts';
import type { ListedFiles } from './listed-files.ts';
import { groupNamed, pathOf } from './nodes.ts';
import { refused } from './refusals.ts';
import type { Traced } from './traced.ts';

type Claim = Extract<Deed, { did: 'claim' }>;

export class Reports {
  readonly #files: Files;
  readonly #devices: Devices;
  readonly #tell: Tell;
  readonly #listed: ListedFiles;
  /** Whether a waiter with a name was reported. */
  #hasWaiter = false;
  /** The devices that somebody waits for whose name was not reported. */
  readonly #waitedFor = new Set<string>();
  readonly #claims: ClaimBooks;
  /** The process of each virtual machine that a manager has started, by UUID or name. */
  readonly #machines = new Map<string, number>();

  constructor(files: Files, devices: Devices, tell: Tell, listed: ListedFiles) {
    this.#listed = listed;
    this.#files = files;
    this.#devices = devices;
    this.#tell = tell;
    this.#claims = new ClaimBooks(devices, tell);
  }

  /** Tells of an assignment of a device; null: of all devices of the claimant. */
  claim(claim: Claim): void {
    this.#claims.take(claim);
    const { outcome, device, claimant } = claim;
    if (device !== null || claimant === null || outcome !== 'released') return;
    this.#stopVm(claimant.uuid ?? claimant.name);
  }

  /** Tells of the group or the driver of a device in a listing. */
  listed(listed: ListedDevice): void {
    tellListed(listed, this.#devices, this.#tell);
  }

  /** Tells whose process a manager has started for a virtual machine. */
  runVm(process: Traced, { name, uuid }: Extract<Deed, { did: 'run-vm' }>['vm']): void {
    const { pid } = process;
    this.#machines.set(uuid ?? name, pid);
    process.vm = name;
    process.isTold = true;
    this.#tell({ type: 'process.found', data: { pid, comm: null, cgroup: null, vm: name } });
  }

  /** From here on, the process of a virtual machine may be another one with its pid. */
  #stopVm(key: string): void {
    const pid = this.#machines.get(key);
    if (pid === undefined) return;
    this.#machines.delete(key);
    this.#tell({ type: 'process.found', data: { pid, comm: null, cgroup: null, vm: null } });
  }

  /** Tells that an unbind waits for a device. The message does not say who holds it. */
  wait({ device, waiter }: Extract<Deed, { did: 'wait' }>): void {
    this.#devices.meet(device, null, 'driver-in-the-message');
    // A waiter without a name does not replace one with a name.
    if (waiter === null && this.#hasWaiter) return;
    // The kernel tells again of an unbind that waits: first without its process, then with it.
    const isToldAgain = this.#devices.isLeaving(device);
    if (isToldAgain && (waiter === null || !this.#waitedFor.has(device))) return;
    if (waiter === null) this.#waitedFor.add(device);
    else {
      this.#waitedFor.delete(device);
      this.#hasWaiter = true;
    }
    this.#devices.setLeaving(device, true);
    const driver = this.#devices.get(device)?.driver ?? 'vfio-pci';
    const blocked = { device, driver, next: null };
    const who = waiter ?? { pid: null, comm: null };
    this.#tell({ type: 'driver.unbind-blocked', data: { ...blocked, waiter: who } });
  }

  /** Tells that an unbind has begun or ended. It blocks while the device is open. */
  unbind(
    process: Traced,
    { device, driver: said, done }: Extract<Deed, { did: 'unbind' }>,
    isOpen: (device: string) => boolean,
  ): void {
    const driver = this.#devices.get(device)?.driver ?? said;
    if (driver === null) return;
    if (!done) {
      if (!isOpen(device) || this.#devices.isLeaving(device)) return;
      this.#devices.setLeaving(device, true);
      const waiter = { pid: process.pid, comm: process.comm };
      const data = { device, driver, next: null, waiter };
      this.#tell({ type: 'driver.unbind-blocked', data });
      return;
    }
    const hasWaited = this.#devices.isLeaving(device);
    this.#waitedFor.delete(device);
    this.#devices.setLeaving(device, false);
    this.#devices.setDriver(device, null);
    if (hasWaited) this.#tell({ type: 'driver.settled', data: { device, driver: null } });
    else this.#tell({ type: 'driver.unbound', data: { device, driver } });
  }

  bindDriver({ device, driver, result }: Extract<Deed, { did: 'bind-driver' }>): void {
    if ('errno' in result) {
      this.#devices.mention(device, null, 'refused-by-the-program');
      this.#tell(refused({ operation: 'set_driver', device, driver }, result.errno));
      return;
    }
    if (this.#devices.get(device) === undefined) return this.#devices.plug(device, null, driver);
    this.#devices.setDriver(device, driver);
    const { cdev = null } = this.#devices.get(device) ?? {};
    this.#tell({ type: 'driver.bound', data: { device, driver, cdev } });
  }

  /** Tells of a file that a listing shows as open; its history is unknown. */
  find(process: Traced, found: Extract<Deed, { did: 'find' }> & Pick<Sighting, 'at'>): void {
    const { fd, kind, device, group } = found;
    const at = fd ?? process.nextUnnumbered--;
    // `device` may be the name of a node.
    const cdev = device !== null && /^vfio\d+$/.test(device) ? device : null;
    const path = pathOf({ kind, group, cdev });
    if (path !== null) {
      this.#listed.tell(process, at, path, { listing: found.listing, at: found.at });
      return;
    }
    if (device === null || process.descriptors.has(at)) return;
    this.#devices.meet(device, group, 'driver-in-the-message');
    const of = this.#devices.groupOf(device);
    const seen = { group: of, device, path: null, pointer: null, isReleased: false };
    const data = { pid: process.pid, fd: at, device, cloexec: false };
    const fact = { type: 'device.opened', data } as const;
    if (of !== null) this.#files.doubt(of, `${device} was open before anybody looked`);
    this.#files.open(process, at, false, { ...seen, kind: 'device' }, fact, 'found-open');
  }

  /**
   * Tells of a refusal that a program reports. The message does not show the file of the call, and no
   * file stands in for it. `process`: null if the message does not show its pid, but perhaps its name.
   */
  refusal(process: Traced | null, report: Report & Pick<Sighting, 'comm'>): void {
    const { operation, errno, cause, blocker, comm } = report;
    const group = report.group === null ? null : groupNamed(report.group);
    const pid = process?.pid ?? null;
    if (process !== null) this.#files.tellProcess(process);
    const device = this.#met(report, group);
    const attempt = ((): Attempt | null => {
      switch (operation) {
        case 'open_group':
          return group === null ? null : { operation, pid, group };
        case 'open_cdev':
          return device === null ? null : { operation, pid, device };
        case 'open_iommufd':
        case 'open_container':
          return { operation, pid };
        case 'set_driver':
          return device === null ? null : { operation, device, driver: report.driver ?? null };
        case 'group_status':
        case 'set_container':
        case 'set_iommu':
        case 'get_device':
        case 'bind':
        case 'attach':
        case 'map_dma':
        case 'ioas_map':
        case 'reset':
        case 'hot_reset': {
          const ioctl = tracedAttempt(operation, { pid: -1, fd: -1 }, {});
          return ioctl === null ? null : ({ ...ioctl, pid, fd: null } as Attempt);
        }
      }
    })();
    if (attempt === null) return;
    const isNamed = process === null && comm !== null && 'pid' in attempt;
    const fact = refused(attempt, errno, {
      ...(isNamed && { comm }),
      ...(group !== null && { group }),
      ...(device !== null && { device }),
      ...(blocker !== undefined && { blocker }),
      ...(cause !== null && { cause }),
    });
    if (errno !== null) this.#tell(fact);
    else this.#tell(fact, cause === null ? 'told-without-an-errno' : 'concluded-by-the-program');
  }

  /** Tells of the group and the device that a refusal names. Returns the device. */
  #met({ operation, device: named, errno, cause }: Report, group: string | null): string | null {
    const isCall = errno !== null || cause === null;
    const hasNode = isCall && (operation !== 'open_group' || errno !== 'ENOENT');
    if (group !== null && hasNode) this.#devices.meetGroup(group);
    if (named === null) return null;
    if (/^vfio\d+$/.test(named)) {
      return errno === 'ENOENT' ? this.#devices.named(named) : this.#devices.behindCdev(named);
    }
    const of = this.#devices.groupOf(named) === null ? group : null;
    if (isCall && onDevices.has(operation)) {
      this.#devices.meet(named, of, 'refused-by-the-program');
    } else this.#devices.mention(named, of, 'refused-by-the-program');
    return named;
  }
}

/** Operations on a device that is open, or that its group gives out: a VFIO driver has it. */
const onDevices = new Set<Report['operation']>([
  'get_device',
  'bind',
  'attach',
  'reset',
  'hot_reset',
]);
