/**
 * Who else there is on the host: who tries what is in use, who forgets to let go, and the
 * operator, who plugs devices and gives them other drivers.
 *
 * @module
 */
import type { Device } from '../../machines/instances.ts';
import { passedThrough } from './hardware.ts';
import type { JudgedHost, Work } from './judged-host.ts';
import { endProcess, usedGroup } from './passthrough.ts';

/** The name of processes that forget to let go. */
export const LEAKING = 'qemu-helper';

/** Tries to get at a group or a device that somebody has already. */
export function* probe(host: JudgedHost, number: number): Work {
  const pid = host.start('vfio-probe', `user.slice/user-1000.slice/session-${number}.scope`);
  yield;
  const group = usedGroup(host);
  const [device] = host.vfioDevices(group);
  if (host.random.chance(0.5) || device === undefined) {
    host.call({ operation: 'open_group', pid, group, cloexec: false });
  } else {
    yield* probeDevice(host, pid, device);
  }
  yield* endProcess(host, pid);
}

function* probeDevice(host: JudgedHost, pid: number, { device }: Device): Work {
  const iommufd = host.call({ operation: 'open_iommufd', pid, cloexec: false });
  yield;
  const fd = host.call({ operation: 'open_cdev', pid, device, cloexec: false });
  yield;
  if (iommufd === null || fd === null) return;
  // Nothing but a bind is answered before there was one.
  if (host.random.chance(0.2)) host.call({ operation: 'mmap', pid, fd, region: 0 });
  yield;
  host.call({ operation: 'bind', pid, fd, iommufd });
}

/** A child of a process that has files open, which executes nothing and lives on for long. */
export function* leak(host: JudgedHost): Work {
  const { kernel, random } = host;
  // One that leaks a leak would keep a file for ever.
  const parents = [...kernel.processes.processes()].filter(
    ({ comm, mappings }) => comm !== LEAKING && mappings.size > 0,
  );
  if (parents.length === 0) return;
  const child = host.fork(random.pick(parents).pid, LEAKING);
  for (let wait = random.between(100, 2000); wait > 0; wait--) yield;
  host.surely({ operation: 'exit', pid: child });
}

/** Takes a device out or gives it another driver, and after a while sets it right again. */
export function* operate(host: JudgedHost): Work {
  const { kernel, random } = host;
  const free = passedThrough.filter(({ group }) => host.isFree(group));
  const isCareful = free.length > 0 && random.chance(0.85);
  const known = random.pick(isCareful ? free : passedThrough);
  const device = kernel.device(known.device);
  if (device?.driver !== 'vfio-pci') return;
  if (random.chance(0.4)) yield* replug(host, device);
  else yield* lend(host, device, random.chance(0.7) ? known.native : null);
}

/** A device is pulled, if nobody has it open, and plugged in again. */
function* replug(host: JudgedHost, { device, record, name, group, model }: Device): Work {
  if (record.files > 0) return;
  host.happened({ type: 'device.removed', data: { device } });
  yield* aWhile(host);
  const driver = 'vfio-pci';
  const cdev = host.kernel.nextCdev(driver);
  const found = { device, name, group: group?.group ?? null, driver, model, cdev };
  host.happened({ type: 'device.added', data: found });
}

/** A device goes to the kernel's driver, where the rules let it, and comes back to VFIO's. */
function* lend(host: JudgedHost, device: Device, next: string | null): Work {
  yield* unbind(host, device, next);
  if (device.driver === null && next !== null) bind(host, device, next);
  yield* aWhile(host);
  if (device.driver !== null) yield* unbind(host, device, null);
  while (!bind(host, device, 'vfio-pci')) yield* aWhile(host);
}

/** Unbinds the driver; where files of the device are open that waits, and goes on to `next`. */
function* unbind(host: JudgedHost, device: Device, next: string | null): Work {
  const { driver } = device;
  if (driver === null) return;
  if (device.record.files === 0) {
    host.happened({ type: 'driver.unbound', data: { device: device.device, driver } });
    return yield;
  }
  const waiter = { pid: null, comm: 'driverctl' };
  const data = { device: device.device, driver, next, waiter };
  host.happened({ type: 'driver.unbind-blocked', data });
  while (host.kernel.driverChange?.outcome === null) yield;
  // Where the driver that was to follow was turned down, the wait is told so.
  if (host.call({ operation: 'bg_wait' }) === null) return yield;
  host.happened({
    type: 'driver.settled',
    data: { device: device.device, driver: device.driver },
  });
  yield;
}

/** Whether the driver took the device. */
function bind(host: JudgedHost, { device }: Device, driver: string): boolean {
  return host.call({ operation: 'set_driver', device, driver }) !== null;
}

function* aWhile(host: JudgedHost): Work {
  for (let wait = host.random.between(20, 150); wait > 0; wait--) yield;
}
