/**
 * What `strace -f -y -ttt` writes of a VMM: threads that run a guest, others that poll, and now and
 * then a call that has to do with VFIO.
 *
 * @module
 */
import { Random } from './host/random.ts';

const FIRST = 4000;
const VCPUS = 4;
/** One in so many calls is of VFIO, unless told otherwise. */
const RARE = 400;

type Pick = (below: number) => number;

/** The process and its threads. */
const beginning = [
  'execve("/usr/bin/vmm", ["vmm"], 0x7ffd774f7f20 /* 5 vars */) = 0',
  ...Array.from({ length: VCPUS + 1 }, (_, index) => {
    const flags = 'CLONE_VM|CLONE_FS|CLONE_FILES|CLONE_SIGHAND|CLONE_THREAD';
    const child = FIRST + 1 + index;
    return `clone3({flags=${flags}, exit_signal=0, stack_size=0x7fff00}, 88) = ${child}`;
  }),
];

/** Calls by how many of a hundred are such. */
const usual: readonly (readonly [weight: number, call: (pick: Pick, thread: number) => string])[] =
  [
    [45, (_pick, thread) => `ioctl(${30 + thread}<anon_inode:kvm-vcpu:${thread}>, KVM_RUN, 0) = 0`],
    [
      18,
      (pick) =>
        `futex(0x55d0c0ffe${pick(10)}40, FUTEX_WAIT_PRIVATE, ${pick(9)}, NULL) = -1 EAGAIN (Resource temporarily unavailable)`,
    ],
    [
      12,
      (pick) =>
        String.raw`read(${40 + pick(6)}<anon_inode:[eventfd]>, "\1\0\0\0\0\0\0\0", 512) = 8`,
    ],
    [
      12,
      (pick) =>
        `ppoll([{fd=4<anon_inode:[signalfd]>, events=POLLIN}, {fd=${40 + pick(6)}<anon_inode:[eventfd]>, events=POLLIN}, {fd=15<UNIX-STREAM:[31337->31338]>, events=POLLIN}], 3, {tv_sec=0, tv_nsec=${pick(999_999)}}, NULL, 8) = 1 ([{fd=${40 + pick(6)}, revents=POLLIN}], left {tv_sec=0, tv_nsec=${pick(999)}})`,
    ],
    [
      6,
      (pick) => String.raw`write(${40 + pick(6)}<anon_inode:[eventfd]>, "\1\0\0\0\0\0\0\0", 8) = 8`,
    ],
    [3, (pick) => `pread64(22</var/lib/images/guest.raw>, "\\0\\0"..., 4096, ${pick(1e9)}) = 4096`],
    [2, () => 'openat(AT_FDCWD</>, "/etc/localtime", O_RDONLY|O_CLOEXEC) = 60</etc/localtime>'],
    [2, () => 'close(60</etc/localtime>) = 0'],
  ];
const choices = usual.flatMap(([weight, call]) => Array.from({ length: weight }, () => call));

/** A device from its open to its close, at whatever pace. */
const life = [
  'openat(AT_FDCWD</>, "/dev/vfio/vfio", O_RDWR|O_CLOEXEC) = 50</dev/vfio/vfio>',
  'openat(AT_FDCWD</>, "/dev/vfio/33", O_RDWR|O_CLOEXEC) = 51</dev/vfio/33>',
  'ioctl(51</dev/vfio/33>, VFIO_GROUP_GET_STATUS, 0x7ffd774f7f20) = 0',
  'ioctl(51</dev/vfio/33>, VFIO_GROUP_SET_CONTAINER, 0x7ffd774f7f20) = 0',
  'ioctl(50</dev/vfio/vfio>, VFIO_SET_IOMMU, 0x1) = 0',
  'ioctl(50</dev/vfio/vfio>, VFIO_DEVICE_PCI_HOT_RESET or VFIO_IOMMU_MAP_DMA, 0x7ffd774f7f20) = 0',
  'ioctl(51</dev/vfio/33>, VFIO_GROUP_GET_DEVICE_FD, 0x7ffd2b38abf0) = 52',
  'ioctl(52<anon_inode:[vfio-device]>, VFIO_DEVICE_GET_INFO, 0x7ffd2b38abf0) = 0',
  'ioctl(52<anon_inode:[vfio-device]>, VFIO_DEVICE_SET_IRQS, 0x7ffd2b38abf0) = 0',
  'mmap(NULL, 4096, PROT_READ|PROT_WRITE, MAP_SHARED, 52<anon_inode:[vfio-device]>, 0) = 0x7fb80f600000',
  'munmap(0x7fb80f600000, 4096) = 0',
  'close(52<anon_inode:[vfio-device]>) = 0',
  'ioctl(51</dev/vfio/33>, VFIO_GROUP_UNSET_CONTAINER) = 0',
  'close(51</dev/vfio/33>) = 0',
  'close(50</dev/vfio/vfio>) = 0',
];

/** So many lines, each with its line feed, one in `rare` of VFIO; the same every time. */
export function* straceLines(count: number, rare = RARE): Generator<string> {
  const random = new Random(7);
  const pick: Pick = (below) => random.below(below);
  /** What a thread has begun that another's line came in between. */
  const begun = new Map<number, string>();
  let micros = 0;
  const line = (thread: number, text: string) => {
    micros += 1 + pick(40);
    const at = `${1_772_600_767 + Math.floor(micros / 1e6)}.${`${micros % 1e6}`.padStart(6, '0')}`;
    return `${FIRST + thread}  ${at} ${text}\n`;
  };
  for (const text of beginning) yield line(0, text);
  for (let done = beginning.length, lived = 0; done < count; done++) {
    const thread = pick(VCPUS + 2);
    const rest = begun.get(thread);
    if (rest !== undefined) {
      begun.delete(thread);
      yield line(thread, rest);
    } else if (pick(rare) === 0) yield line(thread, life[lived++ % life.length] ?? '');
    else {
      const call = choices[pick(choices.length)]?.(pick, thread) ?? '';
      const cut = call.lastIndexOf(')');
      if (pick(6) > 0 || cut < 0) yield line(thread, call);
      else {
        const name = call.slice(0, call.indexOf('('));
        begun.set(thread, `<... ${name} resumed>${call.slice(call.lastIndexOf(') = '))}`);
        yield line(thread, `${call.slice(0, call.lastIndexOf(') = '))} <unfinished ...>`);
      }
    }
  }
}
