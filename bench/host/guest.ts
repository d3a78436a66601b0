/**
 * A guest whose QEMU uses iommufd: started, run, and stopped again, at once or file by file.
 *
 * @module
 */
import type { Call } from '../../events/vocabulary.ts';
import type { Device } from '../../machines/instances.ts';
import type { JudgedHost, Work } from './judged-host.ts';
import {
  duplicate,
  endProcess,
  mapBars,
  type Passthrough,
  rebootGuest,
  runHelper,
  someGroup,
  unmapBars,
} from './passthrough.ts';

interface Guest {
  readonly pid: number;
  /** The launcher that opens its files and passes them; null where QEMU does so itself. */
  readonly launcher: number | null;
  readonly iommufd: number;
  /** Of the address space that devices are attached to. */
  ioas: number;
  devices: Passthrough[];
}

type OpenCall = Extract<Call, { operation: 'open_iommufd' | 'open_cdev' }>;
/** What distributes over the operations, but for who makes the call. */
type Wanted<C = OpenCall> = C extends OpenCall ? Omit<C, 'pid'> : never;

/** How often a guest does something, by what it does. */
const DEEDS = [
  ...Array<GuestAct>(6).fill(reboot),
  ...Array<GuestAct>(3).fill(help),
  ...Array<GuestAct>(2).fill(migrate),
  plug,
  unplug,
  nest,
  blunder,
];
type GuestAct = (host: JudgedHost, guest: Guest) => Work;

export function* runGuest(host: JudgedHost, number: number, launcher: number): Work {
  const { random } = host;
  const pid = host.start('qemu-system-x86', `machine-qemu\\x2d${number}\\x2dvm${number}.scope`);
  yield;
  const passing = random.chance(0.3) ? launcher : null;
  const iommufd = yield* open(host, pid, passing, { operation: 'open_iommufd' });
  if (iommufd === null) return yield* endProcess(host, pid);
  const guest: Guest = { pid, launcher: passing, iommufd, ioas: 0, devices: [] };
  for (let groups = random.between(1, 2); groups > 0; groups--) yield* takeGroup(host, guest);
  if (guest.devices.length === 0) return yield* endProcess(host, pid);
  for (let deeds = random.between(1, 12); deeds > 0; deeds--) {
    yield* random.pick(DEEDS)(host, guest);
    yield;
  }
  if (random.chance(0.3)) yield* letGo(host, guest);
  yield* endProcess(host, pid);
}

/** Opens a file, or is handed it by the launcher, which keeps no descriptor of it. */
function* open(
  host: JudgedHost,
  pid: number,
  launcher: number | null,
  wanted: Wanted,
): Generator<undefined, number | null, undefined> {
  const fd = host.call({ ...wanted, pid: launcher ?? pid, cloexec: true });
  yield;
  if (launcher === null || fd === null) return fd;
  const passed = host.surely({ operation: 'send', pid: launcher, fd, to: pid });
  yield;
  host.surely({ operation: 'close', pid: launcher, fd });
  yield;
  return passed;
}

/** All devices of a group, as libvirt has a guest take them. */
function* takeGroup(host: JudgedHost, guest: Guest): Work {
  for (const device of host.vfioDevices(someGroup(host))) yield* take(host, guest, device);
}

function* take(host: JudgedHost, guest: Guest, device: Device): Work {
  const { pid, launcher, iommufd } = guest;
  const wanted = { operation: 'open_cdev', device: device.device } as const;
  const fd = yield* open(host, pid, launcher, wanted);
  if (fd === null) return;
  const id = host.call({ operation: 'bind', pid, fd, iommufd });
  yield;
  if (id === null) {
    host.surely({ operation: 'close', pid, fd });
    return yield;
  }
  const taken: Passthrough = { device, pid, fd, id, mapped: [] };
  guest.devices.push(taken);
  if (guest.ioas === 0) {
    guest.ioas = host.call({ operation: 'alloc_ioas', pid, fd: iommufd }) ?? 0;
    yield;
  }
  host.call({ operation: 'attach', pid, fd, pt: guest.ioas });
  yield;
  yield* mapBars(host, taken);
}

function* reboot(host: JudgedHost, guest: Guest): Work {
  yield* rebootGuest(host, guest.devices);
}

function* help(host: JudgedHost, { pid }: Guest): Work {
  yield* runHelper(host, pid);
}

function* migrate(host: JudgedHost, { pid, iommufd }: Guest): Work {
  yield* duplicate(host, pid, iommufd);
}

/** Hot plug into the guest. */
function* plug(host: JudgedHost, guest: Guest): Work {
  if (guest.devices.length < 4) yield* takeGroup(host, guest);
}

/** Hot unplug from the guest. */
function* unplug(host: JudgedHost, guest: Guest): Work {
  const last = guest.devices.length > 1 ? guest.devices.pop() : undefined;
  if (last !== undefined) yield* giveUp(host, last);
}

/** Devices move to a page table that the guest has a say in, and back. */
function* nest(host: JudgedHost, { pid, iommufd, ioas, devices }: Guest): Work {
  const { id: device, fd } = host.random.pick(devices);
  const hwpt = host.callIfAdmitted({ operation: 'alloc_hwpt', pid, fd: iommufd, device, pt: ioas });
  yield;
  if (hwpt === null) return;
  host.callIfAdmitted({ operation: 'attach', pid, fd, pt: hwpt });
  yield;
  host.callIfAdmitted({ operation: 'attach', pid, fd, pt: ioas });
  yield;
  host.call({ operation: 'destroy', pid, fd: iommufd, object: hwpt });
}

/** What a program tries that does not know what it has done already. */
function* blunder(host: JudgedHost, { pid, iommufd, ioas, devices }: Guest): Work {
  const { device, fd, id } = host.random.pick(devices);
  const tries: readonly Call[] = [
    { operation: 'bind', pid, fd, iommufd },
    { operation: 'attach', pid, fd, pt: id },
    { operation: 'attach', pid, fd, pt: 99 },
    { operation: 'destroy', pid, fd: iommufd, object: ioas },
    { operation: 'open_group', pid, group: device.group?.group ?? '0', cloexec: true },
    { operation: 'mmap', pid, fd: iommufd, region: 0 },
  ];
  host.call(host.random.pick(tries));
  yield;
}

function* giveUp(host: JudgedHost, device: Passthrough): Work {
  const { pid, fd } = device;
  yield* unmapBars(host, device);
  host.callIfAdmitted({ operation: 'detach', pid, fd });
  yield;
  host.surely({ operation: 'close', pid, fd });
  yield;
}

/** Everything in the order in which it came to be, backwards. */
function* letGo(host: JudgedHost, { pid, iommufd, ioas, devices }: Guest): Work {
  for (const device of devices.toReversed()) yield* giveUp(host, device);
  host.call({ operation: 'destroy', pid, fd: iommufd, object: ioas });
  yield;
  host.surely({ operation: 'close', pid, fd: iommufd });
}
