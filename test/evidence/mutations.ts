/**
 * Evidence of every format, and how it is spoiled: the same for the same number.
 *
 * @module
 */
import { readFileSync } from 'node:fs';
import { wordings } from '../../evidence/messages/wordings.ts';
import { textOf } from '../support/truth.ts';

const guest = (name: string) =>
  readFileSync(new URL(`guest/${name}`, import.meta.url), 'utf8').split('\n');

const UUID = '9c1f6f0e-54d7-4d6e-9a5b-0b1c2d3e4f50';
const AUDIT = `bus=pci device="0000:41:00.0" exe="/usr/sbin/libvirtd" res=success'`;
const audit = (reason: string) =>
  `type=VIRT_RESOURCE msg=audit(1772600767.123:77): pid=9 uid=0 msg='virt=kvm resrc=dev ` +
  `reason=${reason} vm="win" uuid=${UUID} ${AUDIT}`;

const STRACE = `
900 1772600767.000001 execve("/usr/bin/vmm", ["vmm"], 0x7ffd /* 5 vars */) = 0
900 1772600767.000100 openat(AT_FDCWD</>, "/dev/vfio/vfio", O_RDWR|O_CLOEXEC) = 9</dev/vfio/vfio>
900 1772600767.000200 openat(AT_FDCWD</>, "/dev/vfio/33", O_RDWR) = 10</dev/vfio/33>
900 1772600767.000300 ioctl(10</dev/vfio/33>, VFIO_GROUP_SET_CONTAINER, 0x7ffd) = 0
900 1772600767.000400 ioctl(10</dev/vfio/33>, VFIO_GROUP_GET_DEVICE_FD, 0x7ffd) = 11
900 1772600767.000500 clone3({flags=CLONE_VM|CLONE_FS|CLONE_FILES|CLONE_THREAD}, 88) = 901
901 1772600767.000600 ioctl(9</dev/vfio/vfio>, _IOC(_IOC_NONE, 0x3b, 0x71, 0), 0x7f <unfinished ...>
900 1772600767.000700 fcntl(11<anon_inode:[vfio-device]>, F_DUPFD_CLOEXEC, 20) = 20
901 1772600767.000800 <... ioctl resumed>) = -1 ENOMEM (Cannot allocate memory)
900 1772600767.000900 mmap(NULL, 4096, PROT_READ, MAP_SHARED, 11<anon_inode:[vfio-device]>, 0) = 0x7f00
900 1772600767.001000 close_range(9, 11, 0) = 0
901 1772600767.001100 +++ killed by SIGKILL +++
900 1772600767.001200 +++ exited with 0 +++`;

const QEMU = `
4000@1772600767.000001:vfio_attach_device  (0000:41:00.0) group 33
4000@1772600767.000002:iommufd_cdev_getfd  /dev/vfio/devices/vfio3 (fd=26)
4000@1772600767.000003:iommufd_backend_connect fd=15 owned=1 users=1
4000@1772600767.000004:iommufd_cdev_connect_and_bind  [iommufd=15] Successfully bound device 0000:41:00.0 (fd=26): output devid=1
4000@1772600767.000005:iommufd_backend_alloc_ioas  iommufd=15 ioas=2
4000@1772600767.000006:iommufd_cdev_attach_ioas_hwpt  [iommufd=15] Successfully attached device 0000:41:00.0 (26) to id=2
4000@1772600767.000007:iommufd_cdev_detach_ioas_hwpt  [iommufd=15] Successfully detached 0000:41:00.0
4000@1772600767.000008:iommufd_backend_free_id  iommufd=15 id=2 (0)
4000@1772600767.000009:iommufd_backend_disconnect fd=-1 users=0`;

const DMESG = `
[    0.000000] Linux version 6.12.57+deb13-amd64 (builder@lab) (gcc-14) #1 SMP
[    1.100000] pci 0000:41:00.0: Adding to iommu group 33
[   20.500000] vfio-pci 0000:41:00.0: enabling device (0400 -> 0402)
[   30.000001] vfio-pci 0000:41:00.0: Relaying device request to user (#0)
[   30.100000] vfio-pci 0000:41:00.0: Device is currently in use, task "tee" (812) blocked until device is released
[   31.148989] vfio-pci 0000:42:00.0: vfio-noiommu device opened by user (dpdk:1053)
[   32.000000] vfio-pci 0000:41:00.0: probe with driver vfio-pci failed with error -16
[   50.000000] pci 0000:41:00.0: Removing from iommu group 33`;

const FDINFO = `
==> /proc/900/fdinfo/41 <==
pos:	0
vfio-device-syspath: /sys/devices/pci0000:40/0000:40:01.1/0000:41:00.0
/proc/900/fd:
lrwx------ 1 root root 64 Mar  4 05:06 13 -> /dev/vfio/33
lrwx------ 1 root root 64 Mar  4 05:06 14 -> 'anon_inode:[vfio-device]'
lrwx------ 1 root root 64 Mar  4 05:06 16 -> /dev/iommu
dpdk-app 77 root 12u CHR 511,1 0t0 600 /dev/vfio/33`;

const TEXT = `
EAL: Cannot open /dev/vfio/33: Device or resource busy
EAL: 0000:42:00.0 VFIO group is not viable! Not all devices in IOMMU group bound to VFIO or unbound
qemu-kvm: -device vfio-pci,host=0000:41:00.0: vfio 0000:41:00.0: group 33 used in multiple address spaces
error: Failed to start domain 'beta'
error: Requested operation is not valid: PCI device 0000:41:00.0 is in use by driver QEMU, domain alpha
OSError: [Errno 16] Device or resource busy: '/dev/vfio/33'
Cannot create lock on device /var/tmp/spdk_pci_lock_0000:41:00.0, probably process 4242 has claimed it`;

const CHANGES = `
root@lab:~# echo 0000:41:00.0 | tee /sys/bus/pci/drivers/vfio-pci/bind
0000:41:00.0
tee: /sys/bus/pci/drivers/vfio-pci/bind: Device or resource busy
root@lab:~# echo 0000:41:00.0 > /sys/bus/pci/drivers/nvme/unbind
bash: echo: write error: No such device
+ echo vfio-pci > /sys/bus/pci/devices/0000:41:00.0/driver_override
./bind.sh: line 9: echo: Schreibfehler: Das Argument ist ungültig.
$ sudo driverctl set-override 0000:41:00.0 vfio-pci
/usr/sbin/driverctl: line 40: echo: write error: No such device
driverctl: failed to bind device 0000:41:00.0 to driver vfio-pci
[  300.000000] vfio-pci 0000:41:00.0: Relaying device request to user (#0)
[  363.000001] INFO: task driverctl:2718 blocked for more than 120 seconds.
[  363.000008]  vfio_unregister_group_dev+0x1a5/0x1d0 [vfio]
p4242
ckvm
f30
n/dev/vfio/33`;

const EVENTS = [
  { type: 'process.started', data: { pid: 1000, comm: 'P1', cgroup: null } },
  { type: 'group.opened', data: { pid: 1000, fd: 3, group: '3', cloexec: false } },
  { type: 'descriptor.closed', data: { pid: 1000, fd: 3 } },
].map((event, position) =>
  JSON.stringify({ position, time: null, id: `e${position}`, schema: 3, ...event }),
);

const linesOf = (text: string) => text.trimStart().split('\n');

/** Lines of each format, those of a story of their own. */
export const stories: readonly (readonly [format: string, lines: readonly string[]])[] = [
  ['strace', guest('strace-7.3.txt')],
  ['strace', guest('strace-6.1.txt')],
  ['strace', linesOf(STRACE)],
  ['ftrace', guest('ftrace-7.3.txt').slice(11)],
  ['ftrace', guest('ftrace-6.1.txt').slice(11)],
  ['bpftrace', guest('bpftrace-7.3.jsonl')],
  ['qemu-trace', linesOf(QEMU)],
  ['libvirt-audit', ['start', 'attach', 'detach'].map(audit)],
  ['dmesg', linesOf(DMESG)],
  ['fdinfo', linesOf(FDINFO)],
  ['text', linesOf(TEXT)],
  ['text', linesOf(CHANGES)],
  ['text', wordings.map(({ sample }) => sample)],
  ['events', [...EVENTS, '{"end":{"events":3}}']],
  ['truth', textOf('linux-7.3', 'questions').split('\n').slice(0, 80)],
];

/** Numbers below a bound, the same for the same seed (mulberry32). */
function randomFrom(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

const JUNK = [
  '\0',
  '\u{1F980}',
  '\ud800',
  '\u001b[31m',
  '\u2028',
  '"',
  '\\',
  ' <unfinished ...>',
  '<... ioctl resumed>',
  '99999999999999999999999',
  '-1',
  '0xffffffffffffffff',
  '1e309',
  '4294967296',
  '/dev/vfio/33',
  '/proc/self/fd/10',
  '__proto__',
  '',
  '}',
  '= ?',
];

type Random = (below: number) => number;

const pick = <T>(random: Random, all: readonly T[]): T => all[random(all.length)] as T;

function spoiled(random: Random, line: string): string {
  const at = random(line.length + 1);
  switch (random(6)) {
    case 0: {
      const code = (line.charCodeAt(at) || 0) ^ (1 << random(8));
      return line.slice(0, at) + String.fromCharCode(code) + line.slice(at + 1);
    }
    case 1:
      return line.slice(0, at);
    case 2:
      return line.slice(0, at) + pick(random, JUNK) + line.slice(at);
    case 3:
      return line.slice(0, at) + pick(random, JUNK) + line.slice(at + random(12));
    case 4:
      // Another number in the place of one.
      return line.replace(/\d+/g, (digits) =>
        random(4) > 0 ? digits : random(2) > 0 ? `${random(12)}` : pick(random, JUNK),
      );
    default:
      return line.slice(0, at) + line.slice(Math.max(0, at - random(20)));
  }
}

interface Mutated {
  readonly format: string;
  readonly text: string;
}

/** A piece of evidence, spoiled in the way that its number says. */
export function mutated(seed: number): Mutated {
  const random = randomFrom(seed);
  const [format, story] = pick(random, stories);
  const count = Math.min(story.length, 1 + random(16));
  const from = random(story.length - count + 1);
  const lines = story.slice(from, from + count);
  for (let times = random(6); times >= 0; times--) {
    const [at, other] = [random(lines.length), random(lines.length)];
    const line = lines[at] ?? '';
    switch (random(10)) {
      case 4:
        lines.splice(at, 0, ...Array.from({ length: 1 + random(40) }, () => line));
        break;
      case 5: {
        const [, another] = pick(random, stories);
        const begin = random(another.length);
        lines.splice(at, 0, ...another.slice(begin, begin + 1 + random(8)));
        break;
      }
      case 0:
        lines.splice(at, 0, line);
        break;
      case 1:
        [lines[at], lines[other]] = [lines[other] ?? '', line];
        break;
      case 2:
        lines.splice(at, 0, pick(random, pick(random, stories)[1]));
        break;
      case 3:
        lines[at] = line.slice(0, random(line.length)) + (lines[other] ?? '').slice(random(40));
        break;
      default:
        lines[at] = spoiled(random, line);
    }
  }
  return { format, text: lines.join(random(4) > 0 ? '\n' : '\r\n') };
}
