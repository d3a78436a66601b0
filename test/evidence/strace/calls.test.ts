import { describe, expect, test } from 'vitest';
import type { Deed, Sighting } from '../../../evidence/sighting.ts';
import { straceParser } from '../../../evidence/strace/parser.ts';
import { EvidenceError } from '../../../evidence/importer.ts';

const sightings = (...lines: readonly string[]): readonly Sighting[] => {
  const parser = straceParser();
  return [...lines.flatMap((line) => parser.line(line)), ...parser.end()];
};

const deeds = (...lines: readonly string[]): readonly object[] =>
  sightings(...lines).map((sighting) => {
    const { tid, pid, comm, at, ...deed } = sighting;
    expect([tid, pid, comm, at]).toEqual([null, null, null, null]);
    return deed;
  });

const on = (fd: number, path: string | null = null) => ({ fd, path });
const ok = { rc: 0 };

const cases: readonly (readonly [line: string, ...deeds: Deed[]])[] = [
  // open
  [
    'openat(AT_FDCWD, "/dev/vfio/26", O_RDWR|O_CLOEXEC) = 14',
    { did: 'open', path: '/dev/vfio/26', cloexec: true, result: { rc: 14 }, file: null },
  ],
  [
    'open("/dev/iommu", O_RDWR) = 9</dev/iommu> <0.000023>',
    { did: 'open', path: '/dev/iommu', cloexec: false, result: { rc: 9 }, file: null },
  ],
  [
    'openat2(AT_FDCWD</srv>, "/dev/vfio/vfio", {flags=O_RDWR|O_CLOEXEC, resolve=RESOLVE_BENEATH}, 24) = 5',
    { did: 'open', path: '/dev/vfio/vfio', cloexec: true, result: { rc: 5 }, file: null },
  ],
  [
    'openat(-100, "/dev/vfio/7", 0x80002) = -1 EBUSY (Device or resource busy)',
    { did: 'open', path: '/dev/vfio/7', cloexec: true, result: { errno: 'EBUSY' }, file: null },
  ],
  [
    String.raw`openat(-100 /* AT_FDCWD */</>, "\x2f\x64\x65\x76\x2f\x69\x6f\x6d\x6d\x75", 0x2 /* O_RDWR */) = 3<\x2f\x64\x65\x76\x2f\x69\x6f\x6d\x6d\x75>`,
    { did: 'open', path: '/dev/iommu', cloexec: false, result: { rc: 3 }, file: null },
  ],
  [
    'openat(AT_FDCWD, "/host/dev/vfio/devices/vfio3", O_RDWR) = 8',
    { did: 'open', path: '/dev/vfio/devices/vfio3', cloexec: false, result: { rc: 8 }, file: null },
  ],
  [
    'openat(6</dev/vfio>, "11", O_RDWR) = -1 EPERM (Operation not permitted)',
    { did: 'open', path: '/dev/vfio/11', cloexec: false, result: { errno: 'EPERM' }, file: null },
  ],
  [
    'openat(AT_FDCWD, "/run/nic0", O_RDWR) = 6</dev/vfio/4<char 244:4>>',
    { did: 'open', path: '/dev/vfio/4', cloexec: false, result: { rc: 6 }, file: null },
  ],
  [
    'open("/proc/self/fd/12", O_RDWR) = 13',
    { did: 'open', path: '/proc/self/fd/12', cloexec: false, result: { rc: 13 }, file: null },
  ],
  ['openat(AT_FDCWD, "/dev/vfio", O_RDONLY|O_NONBLOCK|O_CLOEXEC|O_DIRECTORY) = 3'],
  ['openat(AT_FDCWD, "/dev/vfio/3", O_RDONLY|O_PATH) = 3</dev/vfio/3>'],
  ['openat(AT_FDCWD, "/lib/modules/6.12.9/kernel/drivers/vfio/vfio.ko", O_RDONLY) = 3'],
  [
    'openat(AT_FDCWD, "/dev/vfio/3", O_RDWR) = ? ERESTARTSYS (To be restarted if SA_RESTART is set)',
  ],
  // close, dup and their like
  ['close(7)          = 0', { did: 'close', on: on(7), result: ok }],
  [
    'close(-1)         = -1 EBADF (Bad file descriptor)',
    { did: 'close', on: on(-1), result: { errno: 'EBADF' } },
  ],
  ['close(7</dev/vfio/3 (deleted)>) = 0', { did: 'close', on: on(7, '/dev/vfio/3'), result: ok }],
  ['close(7</dev/vfio/3>(deleted)) = 0', { did: 'close', on: on(7, '/dev/vfio/3'), result: ok }],
  ['close(7</tmp/a->) = 0', { did: 'close', on: on(7, '/tmp/a-'), result: ok }],
  [
    'close(5<TCP:[10.0.0.1:22->10.0.0.9:51830]>) = 0',
    { did: 'close', on: on(5, 'TCP:[10.0.0.1:22->10.0.0.9:51830]'), result: ok },
  ],
  ['close_range(3, 4294967295, 0) = 0', { did: 'close-range', first: 3, last: 4294967295 }],
  ['close_range(3, 4294967295, CLOSE_RANGE_CLOEXEC) = 0'],
  ['close_range(9, 3, 0) = -1 EINVAL (Invalid argument)'],
  [
    'dup(4</dev/vfio/vfio<char 10:196>>) = 6</dev/vfio/vfio<char 10:196>>',
    { did: 'dup', on: on(4, '/dev/vfio/vfio'), to: null, cloexec: false, result: { rc: 6 } },
  ],
  ['dup2(4, 200) = 200', { did: 'dup', on: on(4), to: 200, cloexec: false, result: { rc: 200 } }],
  [
    'dup3(4, 10, O_CLOEXEC) = 10',
    { did: 'dup', on: on(4), to: 10, cloexec: true, result: { rc: 10 } },
  ],
  ['dup3(4, 10, 0) = 10', { did: 'dup', on: on(4), to: 10, cloexec: false, result: { rc: 10 } }],
  [
    'fcntl(4, F_DUPFD, 100) = 100',
    { did: 'dup', on: on(4), to: null, cloexec: false, result: { rc: 100 } },
  ],
  [
    'fcntl(4, F_DUPFD_CLOEXEC, 0) = 5',
    { did: 'dup', on: on(4), to: null, cloexec: true, result: { rc: 5 } },
  ],
  [
    'fcntl(4, 0x406 /* F_DUPFD_CLOEXEC */, 0) = -1 EMFILE (Too many open files)',
    { did: 'dup', on: on(4), to: null, cloexec: true, result: { errno: 'EMFILE' } },
  ],
  ['fcntl64(4, F_SETFD, FD_CLOEXEC) = 0', { did: 'cloexec', on: on(4), cloexec: true }],
  ['fcntl(4, 0x2, 0x1) = 0', { did: 'cloexec', on: on(4), cloexec: true }],
  ['fcntl(4, F_SETFD, 0) = 0', { did: 'cloexec', on: on(4), cloexec: false }],
  ['fcntl(4, F_GETFD) = 0x1 (flags FD_CLOEXEC)'],
  ['ioctl(4, FIOCLEX) = 0', { did: 'cloexec', on: on(4), cloexec: true }],
  ['ioctl(4, FIONCLEX) = 0', { did: 'cloexec', on: on(4), cloexec: false }],
  // mappings
  [
    'mmap(NULL, 16384, PROT_READ|PROT_WRITE, MAP_SHARED, 21<anon_inode:[vfio-device]>, 0x20000000000) = 0x7f2b1c000000',
    {
      did: 'mmap',
      on: on(21, 'anon_inode:[vfio-device]'),
      address: 0x7f2b1c000000,
      length: 16384,
      result: ok,
    },
  ],
  [
    'mmap2(0x10000, 4096, PROT_READ, MAP_SHARED|MAP_FIXED, 21, 0) = -1 EINVAL (Invalid argument)',
    { did: 'mmap', on: on(21), address: 0x10000, length: 4096, result: { errno: 'EINVAL' } },
  ],
  ['mmap(NULL, 4096, PROT_READ, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0) = 0x7f2b1c000000'],
  ['munmap(0x7f2b1c000000, 16384) = 0', { did: 'munmap', address: 0x7f2b1c000000, length: 16384 }],
  // descriptors that travel
  [
    'sendmsg(5<socket:[77]>, {msg_name=NULL, msg_iov=[{iov_base="cmsg_data=[9]", iov_len=13}], msg_control=[{cmsg_len=24, cmsg_level=SOL_SOCKET, cmsg_type=SCM_RIGHTS, cmsg_data=[3</dev/iommu>, 4]}], msg_flags=0}, 0) = 13',
    { did: 'send', fds: [on(3, '/dev/iommu'), on(4)], socket: 'socket:[77]', result: { rc: 13 } },
  ],
  [
    'sendmsg(5<UNIX-STREAM:[8->9,"/run/a.sock"]>, {msg_control=[{cmsg_level=0x1, cmsg_type=0x1, cmsg_data=[3]}]}, 0) = -1 EPIPE (Broken pipe)',
    { did: 'send', fds: [on(3)], socket: '/run/a.sock', result: { errno: 'EPIPE' } },
  ],
  [
    'sendmsg(5, {msg_name(0)=NULL, msg_iov(1)=[{"x", 1}], msg_controllen=20, {cmsg_len=20, cmsg_level=SOL_SOCKET, cmsg_type=SCM_RIGHTS, {6}}, msg_flags=0}, 0) = 1',
    { did: 'send', fds: [on(6)], socket: null, result: { rc: 1 } },
  ],
  [
    'sendmmsg(5, [{msg_hdr={msg_control=[{cmsg_level=SOL_SOCKET, cmsg_type=SCM_RIGHTS, cmsg_data=[6]}]}, msg_len=1}, {msg_hdr={msg_control=[{cmsg_level=SOL_SOCKET, cmsg_type=SCM_RIGHTS, cmsg_data=[7]}]}}], 2, 0) = 1',
    { did: 'send', fds: [on(6)], socket: null, result: { rc: 1 } },
  ],
  [
    'recvmsg(6, {msg_name=0x7ffc, msg_namelen=110 => 0, msg_control=[{cmsg_len=28, cmsg_level=SOL_SOCKET, cmsg_type=SCM_CREDENTIALS, cmsg_data={pid=7, uid=0, gid=0}}, {cmsg_len=20, cmsg_level=SOL_SOCKET, cmsg_type=SCM_RIGHTS, cmsg_data=[8</dev/vfio/2>]}], msg_flags=MSG_CMSG_CLOEXEC}, MSG_DONTWAIT|MSG_CMSG_CLOEXEC) = 1',
    { did: 'receive', fds: [on(8, '/dev/vfio/2')], socket: null, cloexec: true },
  ],
  [
    'recvmsg(6, {msg_control=[{cmsg_level=0x1 /* SOL_SOCKET */, cmsg_type=0x1 /* SCM_RIGHTS */, cmsg_data=[8]}]}, 0x40 /* MSG_DONTWAIT */) = 1',
    { did: 'receive', fds: [on(8)], socket: null, cloexec: false },
  ],
  [
    'recvmmsg(6, [{msg_hdr={msg_control=[{cmsg_level=SOL_SOCKET, cmsg_type=SCM_RIGHTS, cmsg_data=[8, 9]}]}, msg_len=1}], 4, MSG_CMSG_CLOEXEC, NULL) = 1 (left NULL)',
    { did: 'receive', fds: [on(8), on(9)], socket: null, cloexec: true },
  ],
  [
    'recvmsg(6, {msg_name=NULL, msg_iov=[{iov_base="SCM_RIGHTS", iov_len=10}], msg_controllen=0}, 0) = 10',
  ],
  [
    'pidfd_getfd(9<pid:812>, 3, 0) = 10</dev/iommu>',
    { did: 'receive', fds: [on(10, '/dev/iommu')], socket: null, cloexec: true },
  ],
  // processes
  [
    'clone(child_stack=NULL, flags=CLONE_CHILD_CLEARTID|CLONE_CHILD_SETTID|SIGCHLD, child_tidptr=0x7f0a) = 812',
    { did: 'fork', child: 812, childComm: null, shares: false },
  ],
  [
    'clone(child_stack=0x7f0a, flags=0x3d0f00 /* CLONE_VM|CLONE_FS|CLONE_FILES|CLONE_THREAD */, parent_tid=[813]) = 813',
    { did: 'fork', child: 813, childComm: null, shares: true },
  ],
  [
    'clone3({flags=CLONE_VM|CLONE_FILES, exit_signal=SIGCHLD} => {parent_tid=[814]}, 88) = 814<worker>',
    { did: 'fork', child: 814, childComm: 'worker', shares: true },
  ],
  ['clone3({flags=0x400}, 88) = 5', { did: 'fork', child: 5, childComm: null, shares: true }],
  ['vfork() = 815', { did: 'fork', child: 815, childComm: null, shares: false }],
  [
    "fork() = 3 /* 90017 in strace's PID NS */",
    { did: 'fork', child: 90017, childComm: null, shares: false },
  ],
  ['fork() = -1 EAGAIN (Resource temporarily unavailable)'],
  [
    'execve("/usr/bin/qemu-system-x86_64", ["qemu-system-x86_64", "-device", "vfio-pci"], 0x7ffd /* 31 vars */) = 0',
    { did: 'exec', program: 'qemu-system-x86', vm: false },
  ],
  [
    'execve("/usr/bin/qemu-system-x86_64", ["qemu-system-x86_64", "-name", "guest=vm1,debug-threads=on", "-S", ...], 0x7ffd /* 31 vars */) = 0',
    { did: 'exec', program: 'qemu-system-x86', vm: 'vm1' },
  ],
  [
    'execve("/usr/bin/qemu-system-x86_64", ["qemu-system-x86_64", "-name", "guest=a-very-long-name-of-a-virt"..., "-S"], 0x7ffd /* 31 vars */) = 0',
    { did: 'exec', program: 'qemu-system-x86' },
  ],
  [
    'execve("/nix/store/0123456789abcdef01234567"..., ["kvm", "-id", "100", ...], 0x7ffd /* 31 vars */) = 0',
    { did: 'exec', program: null, vm: '100' },
  ],
  [
    'execve("/usr/bin/qemu-system-x86_64", 0x55d0 /* 12 vars */, 0x7ffd /* 31 vars */) = 0',
    { did: 'exec', program: 'qemu-system-x86' },
  ],
  [
    'execveat(AT_FDCWD, "dpdk-testpmd", ["a"], NULL, 0) = 0',
    { did: 'exec', program: 'dpdk-testpmd', vm: false },
  ],
  ['execveat(3, "", ["a"], NULL, AT_EMPTY_PATH) = 0', { did: 'exec', program: null, vm: false }],
  ['execve("/bin/no", ["no"], NULL) = -1 ENOENT (No such file or directory)'],
  [String.raw`prctl(PR_SET_NAME, "CPU 0/KVM\"\303\251") = 0`, { did: 'name', name: 'CPU 0/KVM"é' }],
  ['prctl(0xf, "io") = 0', { did: 'name', name: 'io' }],
  ['prctl(PR_SET_PDEATHSIG, SIGKILL) = 0'],
  // drivers
  [
    String.raw`write(1</sys/bus/pci/drivers/vfio-pci/unbind>, "0000:06:0D.0\n", 13) = 13`,
    { did: 'unbind', device: '0000:06:0d.0', driver: 'vfio-pci', done: true },
  ],
  [
    'pwrite64(4</sys/bus/pci/devices/0000:06:0d.0/driver/unbind>, "0000:06:0d.0", 12, 0) = 12',
    { did: 'unbind', device: '0000:06:0d.0', driver: null, done: true },
  ],
  [
    'writev(4</sys/bus/pci/drivers/e1000/bind>, [{iov_base="0000:06:0d.0", iov_len=12}], 1) = -1 EBUSY (Device or resource busy)',
    { did: 'bind-driver', device: '0000:06:0d.0', driver: 'e1000', result: { errno: 'EBUSY' } },
  ],
  ['write(1</sys/bus/pci/drivers/e1000/unbind>, "0000:06:0d.0", 12) = -1 ENODEV (No such device)'],
  ['write(1</sys/bus/pci/drivers/e1000/new_id>, "8086 10d3", 9) = 9'],
  ['write(1, "0000:06:0d.0", 12) = 12'],
  // what does not come back
  ['close(3 <detached ...>', { did: 'detach' }],
  ['close(3) = ? <unavailable>'],
  ['ioctl(3, VFIO_DEVICE_RESET <ptrace(SYSCALL):No such process>'],
  // nothing of ours
  ['read(3, "close(4) = 0", 64) = 12'],
  ['syscall_0x1f4(0x1, 0x2, 0, 0, 0, 0) = -1 ENOSYS (Function not implemented)'],
  ['???( <unfinished ...>'],
];

test.each(cases.map(([line, ...expected]) => ({ line, expected })))(
  '$line',
  ({ line, expected }) => {
    expect(deeds(line)).toEqual(expected);
  },
);

describe('ioctl', () => {
  const requests: readonly (readonly [request: string, ...numbers: readonly number[]])[] = [
    ['0x3b76', 0x3b76],
    ['15222', 0x3b76],
    ['0x3b81 /* _IOC(_IOC_NONE, 0x3b, 0x81, 0) */', 0x3b81],
    ['0x3b71 /* VFIO_DEVICE_PCI_HOT_RESET or VFIO_IOMMU_MAP_DMA */', 0x3b71],
    ['_IOC(_IOC_NONE, 0x3b, 0x81, 0)', 0x3b81],
    ['_IOC(0, 0x3b, 0x80, 0x00)', 0x3b80],
    ["_IOC(_IOC_NONE, ';', 0x71, 0)", 0x3b71],
    ["_IO(';', 118)", 0x3b76],
    ['_IO(0x3b, 0x76)', 0x3b76],
    ['VFIO_IOMMU_SPAPR_UNREGISTER_MEMORY', 0x3b76],
    ['VFIO_DEVICE_BIND_IOMMUFD or VFIO_IOMMU_SPAPR_UNREGISTER_MEMORY', 0x3b76],
    ['VFIO_DEVICE_RESET or VFIO_IOMMU_MAP_DMA', 0x3b6f, 0x3b71],
    ['IOMMU_IOAS_ALLOC', 0x3b81],
    ['IOMMU_HWPT_ALLOC', 0x3b89],
  ];
  test.each(requests)('%s', (request, ...numbers) => {
    expect(deeds(`ioctl(4</dev/vfio/2>, ${request}, 0x7ffc0fa0eaf0) = 0`)).toEqual([
      {
        did: 'ioctl',
        on: on(4, '/dev/vfio/2'),
        requests: numbers,
        words: { value: 0x7ffc0fa0eaf0 },
        result: ok,
        file: null,
      },
    ]);
  });

  test.each([
    'KVM_RUN',
    'TCGETS',
    '0xae80',
    '0x5401',
    '0x80003b76',
    'VFIO_OF_THE_FUTURE',
    '_IOC(_IOC_READ, 0x3b, 0x76, 0x10)',
    '_IOC(_IOC_NONE, 0x3c, 0x76, 0)',
    'VHOST_SET_OWNER',
  ])('%s is none of ours', (request) => {
    expect(deeds(`ioctl(4, ${request}, 0) = 0`)).toEqual([]);
  });

  const words: readonly (readonly [args: string, words: object])[] = [
    ['VFIO_DEVICE_RESET', {}],
    ['VFIO_SET_IOMMU, 0x3', { value: 3 }],
    ['VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU', { value: 3 }],
    ['VFIO_SET_IOMMU, 0x1 /* VFIO_TYPE1_IOMMU */', { value: 1 }],
    ['VFIO_GET_API_VERSION, NULL', { value: 0 }],
    ['VFIO_GROUP_SET_CONTAINER, [3</dev/vfio/vfio>]', { container: 3 }],
    ['VFIO_GROUP_GET_DEVICE_FD, "0000:00:04.0"', { device: '0000:00:04.0' }],
    ['VFIO_GROUP_GET_DEVICE_FD, "0000:00"...', {}],
    [
      '0x3b76, {argsz=16, flags=0, iommufd=3</dev/iommu>, out_devid=1}',
      { argsz: 16, flags: 0, iommufd: 3, id: 1 },
    ],
    [
      'VFIO_DEVICE_ATTACH_IOMMUFD_PT, {argsz=12, flags=0, pt_id=2} => {pt_id=5}',
      { argsz: 12, flags: 0, pt: 2, id: 5 },
    ],
    [
      'VFIO_DEVICE_ATTACH_IOMMUFD_PT, {argsz=12, flags=0, pt_id=2 => 5}',
      { argsz: 12, flags: 0, pt: 2, id: 5 },
    ],
    ['IOMMU_IOAS_ALLOC, {size=12, flags=0} => {out_ioas_id=4}', { flags: 0, id: 4 }],
    ['IOMMU_DESTROY, {size=8, id=4}', { object: 4 }],
  ];
  test.each(words)('%s', (args, expected) => {
    expect(deeds(`ioctl(4, ${args}) = 0`)).toMatchObject([{ did: 'ioctl', words: expected }]);
    expect(deeds(`ioctl(4, ${args}) = 0`)).toHaveProperty([0, 'words'], expected);
  });
});

describe('results', () => {
  const results: readonly (readonly [result: string, is: object])[] = [
    ['0', { rc: 0 }],
    ['0x10', { rc: 16 }],
    ['7</dev/null> <0.000019>', { rc: 7 }],
    ['0 (INJECTED)', { rc: 0 }],
    ['-1 EBADFD (File descriptor in bad state) <0.000019>', { errno: 'EBADFD' }],
    ['-1 (errno 22)', { errno: 'EINVAL' }],
    ['-16 (errno 16)', { errno: 'EBUSY' }],
    ['-77', { errno: 'EBADFD' }],
    ['-1 (errno 524)', { errno: 'E524' }],
  ];
  test.each(results)('%s', (written, result) => {
    expect(deeds(`close(3) = ${written}`)).toMatchObject([{ result }]);
  });
});

test.each([
  'vfio-pci 0000:06:0d.0: cannot reset',
  'Segmentation fault',
  '{"close": 3}',
  'qemu-system-x86_64: -device vfio-pci,host=06:0d.0: vfio 0000:06:0d.0: group 26 is not viable',
  '4711 went to sleep',
  '--help',
  '+++',
  '<... is',
  'close(3',
  'close(3)',
  'close(3) = ',
  'close(three) = 0',
  'close() = 0',
  'close(99999999999) = 0',
  'dup2(3) = 3',
  'openat(AT_FDCWD, "/dev/vfio/3, O_RDWR) = 3',
  'ioctl(3</dev/vfio/3, VFIO_DEVICE_RESET) = 0',
  '<... close resumed>) = 0',
])('%s cannot be read', (line) => {
  expect(() => sightings(line)).toThrow(EvidenceError);
});

test.each([
  [
    'openat(dirfd=AT_FDCWD, pathname="/dev/vfio/26", flags=0x80002) = 14',
    'openat(AT_FDCWD, "/dev/vfio/26", 0x80002) = 14',
  ],
  [
    'ioctl(fd=5</dev/vfio/26>, cmd=VFIO_GROUP_SET_CONTAINER, arg=[3]) = -1 EINVAL (Invalid argument)',
    'ioctl(5</dev/vfio/26>, VFIO_GROUP_SET_CONTAINER, [3]) = -1 EINVAL (Invalid argument)',
  ],
  ['dup3(oldfd=3</dev/iommu>, newfd=9, flags=0x80000) = 9', 'dup3(3</dev/iommu>, 9, 0x80000) = 9'],
  [
    'clone3(cl_args={flags=CLONE_VM|CLONE_FILES|CLONE_THREAD, exit_signal=0}, size=88) = 901',
    'clone3({flags=CLONE_VM|CLONE_FILES|CLONE_THREAD, exit_signal=0}, 88) = 901',
  ],
  [
    'write(fd=4</sys/bus/pci/drivers/vfio-pci/bind>, buf="0000:06:0d.0", count=12) = -1 EBUSY (Device or resource busy)',
    'write(4</sys/bus/pci/drivers/vfio-pci/bind>, "0000:06:0d.0", 12) = -1 EBUSY (Device or resource busy)',
  ],
  ['close(fd=9</dev/iommu>) = 0', 'close(9</dev/iommu>) = 0'],
])('arguments with names are those without: %s', (named, bare) => {
  expect(deeds(bare)).toHaveLength(1);
  expect(deeds(named)).toEqual(deeds(bare));
});
