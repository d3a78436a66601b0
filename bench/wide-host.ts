/**
 * Hosts of any width: many groups, devices or processes, of which a few at a time do something.
 *
 * @module
 */
import type { Fact, LedgerEvent, Placed } from '../events/vocabulary.ts';

/** How many of each a host has: devices and processes at least as many as groups. */
export interface Width {
  readonly groups: number;
  readonly devices: number;
  readonly processes: number;
}

const FIRST_PID = 1000;
const FIRST_HELPER = 1_000_000;
/** The groups that something happens to; the others stand by. */
const ACTIVE = 64;
const [IOMMUFD, DEVICE] = [3, 4];

/** A PCI address for each number below 2^21. */
export function address(device: number): string {
  const hex = (value: number, digits: number) => value.toString(16).padStart(digits, '0');
  return `${hex(device >> 13, 4)}:${hex((device >> 5) & 0xff, 2)}:${hex(device & 31, 2)}.0`;
}

/** The boot, and every group owned by an iommufd of a process of its own. */
export function wideHost({ groups, devices, processes }: Width): Fact[] {
  const facts: Fact[] = [boot];
  for (let device = 0; device < devices; device++) facts.push(added(device, device % groups));
  for (let at = 0; at < processes; at++) {
    const pid = FIRST_PID + at;
    facts.push({ type: 'process.started', data: { pid, comm: 'qemu', cgroup: null } });
    if (at >= groups) continue;
    facts.push({ type: 'iommufd.opened', data: { pid, fd: IOMMUFD, cloexec: true } });
    facts.push({ type: 'ioas.allocated', data: { pid, fd: IOMMUFD, id: 1 } });
    facts.push(...taken(pid, at));
  }
  return facts;
}

/** The processes that own the groups of a wide host. */
export function ownersOf(groups: number): number[] {
  return Array.from({ length: groups }, (_, group) => FIRST_PID + group);
}

/** So many rounds: one of the first groups is let go, tried by another process, and taken again. */
export function roundsOf(rounds: number, groups = ACTIVE): Fact[] {
  return Array.from({ length: rounds }, (_, round) => {
    const group = round % groups;
    const pid = FIRST_PID + group;
    return [
      ...triedBy(FIRST_HELPER + round, pid, group + 1),
      { type: 'descriptor.closed', data: { pid, fd: DEVICE } },
      ...taken(pid, group),
    ] as Fact[];
  }).flat();
}

/** A process forks another, which is refused a group, and exits. */
export function triedBy(child: number, pid: number, group: number): Fact[] {
  const refused = { operation: 'open_group', pid: child, group: String(group) } as const;
  return [
    { type: 'process.forked', data: { pid, child, comm: 'helper' } },
    { type: 'operation.refused', data: { ...refused, cloexec: true, errno: 'EBUSY' } },
    { type: 'process.exited', data: { pid: child, signal: null } },
  ];
}

export function placed(facts: readonly Fact[]): Placed<LedgerEvent>[] {
  return facts.map((fact, position) => {
    return { ...fact, id: `e${position}`, time: null, position } as Placed<LedgerEvent>;
  });
}

const boot: Fact = {
  type: 'host.booted',
  data: { boot: 'wide', kernel: '7.3.4', profile: null, iommufd: true, simulated: true },
};

function added(device: number, group: number): Fact {
  const data = { device: address(device), name: null, group: String(group + 1), model: null };
  const driver = { driver: 'vfio-pci', cdev: `vfio${device}` };
  return { type: 'device.added', data: { ...data, ...driver } };
}

/** A process opens the first device of a group, binds and attaches it. */
function taken(pid: number, group: number): Fact[] {
  return [
    { type: 'device.opened', data: { pid, fd: DEVICE, device: address(group), cloexec: true } },
    { type: 'device.bound', data: { pid, fd: DEVICE, iommufd: IOMMUFD, id: 2 } },
    { type: 'device.attached', data: { pid, fd: DEVICE, pt: 1, hwpt: 3 } },
  ];
}
