import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { looksLikeFtrace } from '../../../evidence/ftrace/line.ts';
import { ftraceParser } from '../../../evidence/ftrace/parser.ts';
import { EvidenceError } from '../../../evidence/importer.ts';
import type { Deed, Sighting } from '../../../evidence/sighting.ts';

const at = (number: number) =>
  `         P1-110     [000] .....     1.${String(number).padStart(6, '0')}: `;

function sightings(lines: readonly string[]): readonly Sighting[] {
  const parser = ftraceParser();
  return [...lines.flatMap((line) => parser.line(line)), ...parser.end()];
}

function deed({ tid: _tid, pid: _pid, comm: _comm, at: _at, ...rest }: Sighting): Deed {
  return rest as Deed;
}

/** What events of one thread show. */
function deeds(...events: readonly string[]): readonly Deed[] {
  return sightings(events.map((event, index) => at(index) + event)).map(deed);
}

const on = (fd: number) => ({ fd, path: null });
const install = (fd: number, file = '0xff11') =>
  `fd_install: (fd_install+0x4/0x80) fd=${fd} file=${file}`;
const path = (name: string) => `open_path: (do_sys_openat2+0x0/0x170) path="${name}"`;
const file = '0xff11';

const opened = {
  did: 'open',
  path: '/dev/vfio/3',
  cloexec: false,
  result: { rc: 3 },
  file,
} as const;

const unbind = { did: 'unbind', device: '0000:00:02.0', driver: null } as const;
const unbindPath = '/sys/bus/pci/devices/0000:00:02.0/driver/unbind';

describe('what the events of a thread show', () => {
  const open = 'sys_openat(dfd: ffffff9c, filename: 49b0bd, flags: 2, mode: 0)';
  const bind =
    'bind: (vfio_df_ioctl_bind_iommufd+0x4/0x310 [vfio]) df=0xff01 device=0xff02 argsz=16 flags=0x0 iommufd=3';
  const cases: Readonly<Record<string, readonly [events: readonly string[], deeds: unknown[]]>> = {
    'an open whose path a probe shows': [
      [open, path('/dev/vfio/3'), install(3), 'sys_openat -> 0x3'],
      [opened],
    ],
    'an open whose path the system call shows': [
      [
        'sys_openat(dfd: 4294967196, filename: 4829373 "/dev/vfio/3", flags: O_RDWR|O_CLOEXEC)',
        install(3),
        'sys_openat -> 0x3',
      ],
      [{ ...opened, cloexec: true }],
    ],
    'a path that looks like more arguments': [
      [
        'sys_openat(dfd: 4294967196, filename: 48 "/x", flags: O_CLOEXEC", flags: O_RDWR)',
        'sys_openat -> 0xfffffffffffffffe',
      ],
      [{ ...opened, path: '/x", flags: O_CLOEXEC', result: { errno: 'ENOENT' }, file: null }],
    ],
    'flags in hexadecimal': [
      [
        'sys_openat(dfd: ffffff9c, filename: 7ffd, flags: 80002, mode: 0)',
        path('/dev/vfio/3'),
        'sys_openat -> 0x12',
      ],
      [{ ...opened, cloexec: true, result: { rc: 18 }, file: null }],
    ],
    'open(2)': [
      [
        'sys_open(filename: 7ffd, flags: 2, mode: 0)',
        path('/dev/vfio/3'),
        install(3),
        'sys_open -> 0x3',
      ],
      [opened],
    ],
    'openat2(2), whose flags only the probe shows': [
      [
        'sys_openat2(dfd: ffffff9c, filename: 7ffd, how: 7ffe, usize: 18)',
        'open_path: (do_sys_openat2+0x0/0x170) flags=0x80002 path="/dev/vfio/3"',
        install(3),
        'sys_openat2 -> 0x3',
      ],
      [{ ...opened, cloexec: true }],
    ],
    'an open of nobody knows what': [
      [open, install(24), 'sys_openat -> 0x18'],
      [{ did: 'install', fd: 24, file }],
    ],
    'an open by probes alone': [
      [
        path('/dev/vfio/3'),
        'group_open: (vfio_group_fops_open+0x0/0x90 [vfio]) inode=0xff1 file=0xff11',
        'group_open_ret: (chrdev_open+0xc0/0x250 <- vfio_group_fops_open) ret=0',
        install(3),
      ],
      [opened],
    ],
    'an open whose path was not there at first': [
      [
        'open_name: (do_filp_open+0x4/0x130) path="/dev/iommu"',
        'iommufd_open: (iommufd_fops_open+0x4/0x50 [iommufd]) file=0xff11',
        'iommufd_open_ret: (misc_open+0x1/0x2 <- iommufd_fops_open) ret=0',
        install(3),
        'open_path: (do_sys_openat2+0x0/0x170) flags=0x80002 path="/dev/vfio/3"',
        'open_name: (do_filp_open+0x4/0x130) path="/dev/vfio/3"',
        'open_ret: (__x64_sys_openat+0x4c/0xa0 <- do_sys_openat2) ret=-2',
        'open_ret: (__x64_sys_openat+0x4c/0xa0 <- do_sys_openat2) ret=-2',
      ],
      [
        { ...opened, path: '/dev/iommu' },
        { ...opened, cloexec: true, result: { errno: 'ENOENT' }, file: null },
      ],
    ],
    'a refused open by probes alone': [
      [
        path('/dev/vfio/3'),
        'group_open: (vfio_group_fops_open+0x0/0x90 [vfio]) inode=0xff1 file=0xff11',
        'group_open_ret: (chrdev_open+0xc0/0x250 <- vfio_group_fops_open) ret=-16',
        'open_ret: (__x64_sys_openat+0x4c/0xa0 <- do_sys_openat2) ret=-16',
      ],
      [{ ...opened, result: { errno: 'EBUSY' }, file: null }],
    ],
    'a descriptor after an open that may have failed': [
      [path('/dev/iommu'), install(3)],
      [{ did: 'install', fd: 3, file }],
    ],
    'an open of which the probes show only what came back': [
      [
        path('/dev/vfio/3'),
        install(3),
        'open_ret: (__x64_sys_openat+0x4c/0xa0 <- do_sys_openat2) ret=3',
      ],
      [{ did: 'install', fd: 3, file }, opened],
    ],
    'a bind': [
      ['sys_ioctl(fd: 12, cmd: 3b76, arg: 7ffd)', bind, 'sys_ioctl -> 0xfffffffffffffff0'],
      [
        {
          did: 'ioctl',
          on: on(0x12),
          requests: [0x3b76],
          words: { iommufd: 3, argsz: 16, flags: 0 },
          result: { errno: 'EBUSY' },
          file: null,
        },
      ],
    ],
    'an attach, and an errno that only the kernel knows': [
      [
        'sys_ioctl(fd: 4, cmd: 0x3b77, arg: 0x7ffe)',
        'attach: (vfio_df_ioctl_attach_pt+0x4/0x170 [vfio]) df=0xff pt_id=2',
        'cdev_ioctl_ret: (__x64_sys_ioctl+0x96/0xe0 <- vfio_device_fops_unl_ioctl) ret=-515',
        'sys_ioctl -> 0xffffffffffffffe7',
      ],
      [
        {
          did: 'ioctl',
          on: on(4),
          requests: [0x3b77],
          words: { pt: 2 },
          result: { errno: 'ENOTTY' },
          file: null,
        },
      ],
    ],
    'a device out of a group, told of by the driver alone': [
      [
        'sys_ioctl(fd: 4, cmd: 3b6a, arg: 7ffd)',
        'group_ioctl: (vfio_group_fops_unl_ioctl+0x0/0x5e0 [vfio]) file=0xff10 cmd=0x3b6a word=808464432 name="0000:00:04.0"',
        install(5),
        'group_ioctl_ret: (__x64_sys_ioctl+0x8d/0xd0 <- vfio_group_fops_unl_ioctl) ret=5',
      ],
      [
        {
          did: 'ioctl',
          on: on(4),
          requests: [0x3b6a],
          words: { device: '0000:00:04.0' },
          result: { rc: 5 },
          file,
        },
      ],
    ],
    'a container, and a type': [
      [
        'sys_ioctl(fd: 4, cmd: 3b68, arg: 7ffd)',
        'group_ioctl: (vfio_group_fops_unl_ioctl+0x0/0x5e0 [vfio]) file=0xff10 cmd=0x3b68 word=3 name=(fault)',
        'sys_ioctl -> 0x0',
        'sys_ioctl(fd: 3, cmd: 3b66, arg: 3)',
        'sys_ioctl -> 0x0',
      ],
      [
        {
          did: 'ioctl',
          on: on(4),
          requests: [0x3b68],
          words: { container: 3 },
          result: { rc: 0 },
          file: null,
        },
        {
          did: 'ioctl',
          on: on(3),
          requests: [0x3b66],
          words: { value: 3 },
          result: { rc: 0 },
          file: null,
        },
      ],
    ],
    'an object destroyed': [
      [
        'sys_ioctl(fd: 3, cmd: 3b80, arg: 7ffd)',
        'iommufd_destroy: (iommufd_destroy+0x4/0x50 [iommufd]) id=2',
        'sys_ioctl -> 0x0',
      ],
      [
        {
          did: 'ioctl',
          on: on(3),
          requests: [0x3b80],
          words: { object: 2 },
          result: { rc: 0 },
          file: null,
        },
      ],
    ],
    'ioctls of others': [
      [
        'sys_ioctl(fd: 3, cmd: ae01, arg: 0)',
        install(9),
        'sys_ioctl -> 0x9',
        'sys_ioctl(fd: 9, cmd: 5451, arg: 0)',
        'sys_ioctl -> 0x0',
      ],
      [
        { did: 'install', fd: 9, file },
        { did: 'cloexec', on: on(9), cloexec: true },
      ],
    ],
    closes: [
      [
        'sys_close(fd: 18)',
        'sys_close -> 0x0',
        'sys_close(fd: ffffffff)',
        'sys_close -> 0xfffffffffffffff7',
        'sys_close_range(fd: 3, max_fd: ffffffff, flags: 0)',
        'sys_close_range -> 0x0',
        'sys_close_range(fd: 3, max_fd: ffffffff, flags: 4)',
        'sys_close_range -> 0x0',
      ],
      [
        { did: 'close', on: on(24), result: { rc: 0 } },
        { did: 'close', on: on(-1), result: { errno: 'EBADF' } },
        { did: 'close-range', first: 3, last: 0xffff_ffff },
      ],
    ],
    duplicates: [
      [
        'sys_dup(fildes: 4)',
        install(5),
        'sys_dup -> 0x5',
        'sys_dup2(oldfd: 4, newfd: 1)',
        'sys_dup2 -> 0x1',
        'sys_dup2(oldfd: 4, newfd: 4)',
        'sys_dup2 -> 0x4',
        'sys_dup3(oldfd: 4, newfd: b, flags: 80000)',
        'sys_dup3 -> 0xb',
        'sys_fcntl(fd: 4, cmd: 406, arg: a)',
        install(12),
        'dupfd_ret: (do_fcntl+0x1/0x2 <- f_dupfd) ret=12',
        'sys_fcntl(fd: 4, cmd: 2, arg: 1)',
        'sys_fcntl -> 0x0',
        'sys_fcntl(fd: 4, cmd: 3, arg: 0)',
        'sys_fcntl -> 0x2',
        'close_on_exec: (set_close_on_exec+0x4/0x50) fd=4 flag=0',
      ],
      [
        { did: 'dup', on: on(4), to: null, cloexec: false, result: { rc: 5 } },
        { did: 'dup', on: on(4), to: 1, cloexec: false, result: { rc: 1 } },
        { did: 'dup', on: on(4), to: 11, cloexec: true, result: { rc: 11 } },
        { did: 'dup', on: on(4), to: null, cloexec: true, result: { rc: 12 } },
        { did: 'cloexec', on: on(4), cloexec: true },
        { did: 'cloexec', on: on(4), cloexec: false },
      ],
    ],
    'a descriptor that was passed': [
      [
        'sys_recvmsg(fd: 0xf1, msg: 0x7ffe, flags: 0x40)',
        install(5),
        'sys_recvmsg -> 0x1',
        install(6),
      ],
      [
        { did: 'install', fd: 5, file },
        { did: 'install', fd: 6, file },
      ],
    ],
    mappings: [
      [
        'sys_mmap(addr: 0, len: 4000, prot: 3, flags: 1, fd: 4, off: 0)',
        'sys_mmap -> 0x7f1200000000',
        'sys_mmap(addr: 0, len: 1000, prot: 3, flags: 22, fd: ffffffff, off: 0)',
        'sys_mmap -> 0x7f1200008000',
        'sys_mmap(addr: 0, len: 4000, prot: 3, flags: 1, fd: 4, off: 0)',
        'device_mmap: (vfio_device_fops_mmap+0x4/0x40 [vfio]) start=0x7f1300000000 end=0x7f1300004000',
        'device_mmap_ret: (mmap_region+0x1/0x2 <- vfio_device_fops_mmap) ret=0',
        'sys_munmap(addr: 7f1200000000, len: 4000)',
        'sys_munmap -> 0x0',
      ],
      [
        {
          did: 'mmap',
          on: on(4),
          address: 0x7f12_0000_0000,
          length: 0x4000,
          result: { rc: 0x7f12_0000_0000 },
        },
        {
          did: 'mmap',
          on: on(4),
          address: 0x7f13_0000_0000,
          length: 0x4000,
          result: { rc: 0x7f13_0000_0000 },
        },
        { did: 'munmap', address: 0x7f12_0000_0000, length: 0x4000 },
      ],
    ],
    forks: [
      [
        'sched_process_fork: comm=a b pid=110 child_comm=a b child_pid=111',
        'sys_clone -> 0x6f',
        'sys_clone(clone_flags: 3d0f00, newsp: 7f, parent_tidptr: 0, child_tidptr: 0, tls: 0)',
        'sched_process_fork: comm=a pid=110 child_comm=a child_pid=112',
        'sys_clone -> 0x70',
        'task_newtask: pid=113 comm=a clone_flags=1200000 oom_score_adj=0',
        'sched_process_fork: comm=a pid=110 child_comm=a child_pid=113',
        'task_newtask: pid=114 comm=a clone_flags=400 oom_score_adj=0',
      ],
      [
        { did: 'fork', child: 111, childComm: 'a b', shares: null },
        { did: 'fork', child: 112, childComm: 'a', shares: true },
        { did: 'fork', child: 113, childComm: 'a', shares: false },
        { did: 'fork', child: 114, childComm: 'a', shares: true },
      ],
    ],
    'what becomes of a process': [
      [
        'sched_process_exec: filename=/usr/bin/qemu-system-x86_64 pid=110 old_pid=110',
        'task_rename: pid=110 oldcomm=a newcomm=CPU 0/KVM oom_score_adj=0',
        'task_rename: pid=111 oldcomm=a newcomm=other oom_score_adj=0',
        'sched_process_exit: comm=P1 pid=110 prio=120',
        'sched_process_exit: comm=P1 pid=110 prio=120 group_dead=false',
        'sched_process_exit: comm=P1 pid=110 prio=120 group_dead=true',
      ],
      [
        { did: 'exec', program: 'qemu-system-x86' },
        { did: 'name', name: 'CPU 0/KVM' },
        { did: 'exit', whole: false, signal: null },
        { did: 'exit', whole: false, signal: null },
        { did: 'exit', whole: true, signal: null },
      ],
    ],
    'files that are let go': [
      ['device', 'group', 'iommufd', 'container'].map(
        (kind) => `${kind}_release: (vfio_${kind}_release+0x4/0x50 [vfio]) file=0xff11`,
      ),
      ['device', 'group', 'iommufd', 'container'].map((kind) => ({ did: 'release', kind, file })),
    ],
    'nodes that devices get': [
      [
        'cdev_add: (cdev_device_add+0x4/0xa0) node="vfio0" device="0000:00:03.0"',
        'cdev_add: (cdev_device_add+0x4/0xa0) node="vfio1" device="83b8f4f2-509f-382f"',
        'cdev_add: (cdev_device_add+0x4/0xa0) node=(fault) device=(fault)',
      ],
      [{ did: 'node', device: '0000:00:03.0', cdev: 'vfio0' }],
    ],
    'an unbind that waits': [
      [
        path(unbindPath),
        'unregister: (vfio_unregister_group_dev+0x4/0xc0 [vfio]) device=0xff02',
        'unregister_ret: (vfio_pci_core_unregister_device+0x1d/0xb0 <- vfio_unregister_group_dev)',
      ],
      [
        { ...unbind, done: false },
        { ...unbind, done: true },
      ],
    ],
    'an unbind and a bind that the driver core tells of': [
      [
        path(unbindPath),
        'unbind_store: (unbind_store+0x4/0x80) driver="vfio-pci" device="0000:00:02.0"',
        'unregister: (vfio_unregister_group_dev+0x4/0xc0 [vfio]) device=0xff02',
        'unregister_ret: (vfio_pci_core_unregister_device+0x1d/0xb0 <- vfio_unregister_group_dev)',
        'unbind_store_ret: (kernfs_fop_write_iter+0x1/0x2 <- unbind_store) ret=12',
        'bind_store: (bind_store+0x4/0x80) driver="e1000e" device="0000:00:02.0',
        'bind_store_ret: (kernfs_fop_write_iter+0x1/0x2 <- bind_store) ret=-16',
        'unbind_store: (unbind_store+0x4/0x80) driver="usb" device="1-1:1.0"',
        'unbind_store_ret: (kernfs_fop_write_iter+0x1/0x2 <- unbind_store) ret=7',
        'unbind_store: (unbind_store+0x4/0x80) driver="vfio-pci" device="0000:00:03.0"',
        'unbind_store_ret: (kernfs_fop_write_iter+0x1/0x2 <- unbind_store) ret=-19',
      ],
      [
        { ...unbind, driver: 'vfio-pci', done: false },
        { ...unbind, driver: 'vfio-pci', done: true },
        {
          did: 'bind-driver',
          device: '0000:00:02.0',
          driver: 'e1000e',
          result: { errno: 'EBUSY' },
        },
        { ...unbind, device: '0000:00:03.0', driver: 'vfio-pci', done: false },
      ],
    ],
    'an unbind of a device that does not show': [
      [
        path(unbindPath),
        path('/sys/bus/pci/drivers/vfio-pci/unbind'),
        'unregister: (vfio_unregister_group_dev+0x4/0xc0 [vfio]) device=0xff02',
        'unregister_ret: (vfio_pci_core_unregister_device+0x1d/0xb0 <- vfio_unregister_group_dev)',
      ],
      [],
    ],
    'steps that the kernel takes by itself, and what is of others': [
      [
        'claim_device: (iommu_device_claim_dma_owner+0x4/0xa0) dev=0xff owner=0xff',
        'df_open_ret: (vfio_df_ioctl_bind_iommufd+0x22c/0x310 [vfio] <- vfio_df_open) ret=0',
        'sched_switch: prev_comm=a prev_pid=1 prev_prio=120 prev_state=S ==> next_comm=b next_pid=2 next_prio=120',
        'sys_enter: NR 257 (ffffff9c, 7f, 80000, 0, 0, 0)',
        'tracing_mark_write: hello',
        'vfs_read <-ksys_read',
      ],
      [],
    ],
    'ends without a beginning, and beginnings without an end': [
      ['sys_openat -> 0x3', 'sys_ioctl -> 0x0', open, path('/dev/vfio/3'), 'sys_close(fd: 3)'],
      [],
    ],
    'an end that is of another call': [
      [open, path('/dev/vfio/3'), install(3), 'sys_dup -> 0x3'],
      [{ did: 'install', fd: 3, file }],
    ],
  };
  for (const [name, [events, expected]] of Object.entries(cases)) {
    it(name, () => expect(deeds(...events)).toEqual(expected));
  }
});

describe('lines', () => {
  it('says who and when', () => {
    const event = 'sched_process_exit: comm=P1 pid=110 prio=120';
    const lines = [
      `          <...>-113     [000]  8.978199: ${event}`,
      `   my-1 [a] b-113   (    110) [001] d..1.     8.978199: ${event}`,
      `P1-113 (-------) [127] ....  1700000000.9781995: ${event}`,
      `P1-113     [000] ..... 123456789: ${event}`,
    ];
    const exit = { did: 'exit', whole: false, signal: null, tid: 113, pid: null };
    expect(sightings(lines)).toEqual([
      { ...exit, comm: null, at: 8_978_199 },
      { ...exit, comm: 'my-1 [a] b', pid: 110, at: 8_978_199 },
      { ...exit, comm: 'P1', at: 1_700_000_000_978_199 },
      { ...exit, comm: 'P1', at: null },
    ]);
  });

  it('finds the clock', () => {
    const parser = ftraceParser();
    expect(parser.clock).toBe('none');
    parser.line('P1-113     [000] ..... 123456789: x: y');
    expect(parser.clock).toBe('none');
    parser.line(`${at(1)}x: y`);
    expect(parser.clock).toBe('uptime');
    const tai = ftraceParser();
    tai.line('P1-113     [000] ..... 1700000000.000001: x: y');
    expect(tai.clock).toBe('wall');
  });

  it('reads what trace-cmd makes of it', () => {
    const leader = '           <...>-113   [000]     8.978199: ';
    const lines = [
      'cpus=2',
      'CPU 1 is empty',
      `${leader}sys_enter_openat:     dfd: 0xffffff9c, filename: 0x7ffd29a62540, flags: 0x00080002, mode: 0x00000000`,
      `${leader}open_path:            (ffffffff8135f0a0) path="/dev/vfio/3"`,
      `${leader}fd_install:           (ffffffff8138a2c0) fd=3 file=0xff11`,
      `${leader}sys_exit_openat:      0x3`,
      `${leader}sys_enter_close:      fd: 0x00000003`,
      `${leader}sys_exit_close:       0x0`,
    ];
    expect(sightings(lines).map(deed)).toEqual([
      { ...opened, cloexec: true },
      { did: 'close', on: on(3), result: { rc: 0 } },
    ]);
  });

  it('tells of holes, and pairs nothing across them', () => {
    const hole = { did: 'lose', tid: null, pid: null, comm: null, at: null };
    const lines = [
      '# entries-in-buffer/entries-written: 209/309   #P:1',
      '# entries-in-buffer/entries-written: 209/209   #P:1',
      `${at(1)}sys_close(fd: 3)`,
      'CPU:1 [LOST 12 EVENTS]',
      `${at(2)}sys_close -> 0x0`,
      'CPU:1 [LOST EVENTS]',
      'CPU:0 [7 EVENTS DROPPED]',
    ];
    expect(sightings(lines)).toEqual([100, 12, null, 7].map((count) => ({ ...hole, count })));
  });

  it('leaves out headers, probes that could not be set, and stacks', () => {
    expect(
      sightings([
        '# tracer: nop',
        '##### CPU 1 buffer started ####',
        '# no probe: bind vfio_df_ioctl_bind_iommufd',
        `${at(1)}<stack trace>`,
        ' => do_sys_openat2',
        '"',
        '',
      ]),
    ).toEqual([]);
  });

  it.each([
    'hello',
    '12345 openat(AT_FDCWD, "/dev/iommu", O_RDWR) = 3',
    `${at(1)}sys_openat(dfd: ffffff9c, file`,
    `${at(1)}fd_install: (fd_install+0x4/0x80) fd=3`,
    `${at(1)}fd_install: (fd_install+0x4/0x80) fd=(fault) file=0xff`,
    `${at(1)}device_release: (vfio_device_fops_release+0x4/0x50 [vfio]) fi`,
    `${at(1)}sched_process_fork: comm=P1 pid=1`,
    `${at(1)}sched_process_exec: filena`,
    `${at(1)}task_newtask: pid=`,
  ])('rejects %j', (line) => {
    expect(() => ftraceParser().line(line)).toThrow(EvidenceError);
  });

  it('rejects calls without a descriptor or a result', () => {
    const after = (first: string, second: string) => () => deeds(first, second);
    expect(after('sys_close()', 'sys_close -> 0x0')).toThrow(EvidenceError);
    expect(after('sys_close(fd: 3)', 'sys_close -> ?')).toThrow(EvidenceError);
  });

  it.each([
    ['# tracer: nop', true],
    ['# entries-in-buffer/entries-written: 209/209   #P:1', true],
    ['#           TASK-PID     CPU#  |||||  TIMESTAMP  FUNCTION', true],
    ['cpus=2', true],
    ['CPU:1 [LOST 12 EVENTS]', true],
    ['# no probe: bind', true],
    [`${at(1)}x: y`, true],
    ['# a comment', false],
    ['[    1.234567] vfio-pci 0000:00:02.0: x', false],
    ['{"type": "attached_probes", "data": {"probes": 13}}', false],
    ['123 1700000000.123456 openat(AT_FDCWD, "x", O_RDONLY) = 3', false],
  ])('recognizes %j: %j', (line, is) => expect(looksLikeFtrace(line)).toBe(is));

  it('takes long lines without ado', () => {
    for (const part of [' ', 'a', '-1 ', '(', '"', ', flags: ', ' => ', '[000] ', '=']) {
      const long = part.repeat(1_000_000 / part.length);
      for (const line of [
        long,
        at(1) + long,
        `${at(1)}sys_openat(${long})`,
        `${at(2)}open_path: ${long}`,
      ]) {
        try {
          ftraceParser().line(line);
        } catch (error) {
          expect(error).toBeInstanceOf(EvidenceError);
        }
      }
    }
  });

  it('forgets what was begun long ago', () => {
    const line = (tid: number, event: string) => `P1-${tid} [000] ..... 1.000000: ${event}`;
    const begins = Array.from({ length: 70_000 }, (_, tid) => line(tid, 'sys_close(fd: 3)'));
    const ends = Array.from({ length: 70_000 }, (_, tid) => line(tid, 'sys_close -> 0x0'));
    expect(sightings([...begins, ...ends])).toHaveLength(65_536);
  });
});

const sample = (kernel: string) =>
  readFileSync(new URL(`../guest/ftrace-${kernel}.txt`, import.meta.url), 'utf8').split('\n');

describe('traces of real kernels', () => {
  const counts = (kernel: string) => {
    const kinds = Map.groupBy(sightings(sample(kernel)), ({ did }) => did);
    return Object.fromEntries([...kinds].map(([kind, all]) => [kind, all.length]));
  };

  it('6.1, without iommufd and without the paths of unbinds', () => {
    expect(counts('6.1')).toEqual({
      fork: 10,
      open: 21,
      ioctl: 20,
      close: 13,
      dup: 1,
      exit: 10,
      release: 6,
    });
  });

  it('6.12, without the paths of unbinds', () => {
    expect(counts('6.12')).toEqual({
      fork: 10,
      open: 21,
      ioctl: 20,
      close: 13,
      dup: 1,
      install: 1,
      exit: 10,
      release: 19,
    });
  });

  it('7.3', () => {
    expect(counts('7.3')).toEqual({
      fork: 10,
      open: 25,
      ioctl: 20,
      close: 13,
      dup: 1,
      install: 1,
      exit: 10,
      release: 19,
      unbind: 2,
    });
  });

  it('tells of one process from its beginning to its end', () => {
    const iommufd = '0xff11000005cf9240';
    const device = '0xff11000005cf9f00';
    const open = { did: 'open', cloexec: false } as const;
    const ioctl = { did: 'ioctl', result: { rc: 0 }, file: null } as const;
    const done = { rc: 0 };
    const bind = { iommufd: 3, argsz: 16, flags: 0, claimed: '0xff110000056a00d0' };
    const first = sightings(sample('7.3')).slice(0, 12);
    expect(first.map(deed)).toEqual([
      { did: 'fork', child: 114, childComm: 'runner', shares: null },
      { ...open, path: '/dev/iommu', result: { rc: 3 }, file: iommufd },
      { ...open, path: '/dev/vfio/devices/vfio2', result: { rc: 4 }, file: device },
      { ...ioctl, on: on(4), requests: [0x3b76], words: bind },
      { ...ioctl, on: on(3), requests: [0x3b81], words: {} },
      { ...ioctl, on: on(4), requests: [0x3b77], words: { pt: 2 } },
      { ...ioctl, on: on(4), requests: [0x3b6b], words: {} },
      { did: 'release', kind: 'device', file: device },
      { did: 'close', on: on(4), result: done },
      { did: 'release', kind: 'iommufd', file: iommufd },
      { did: 'close', on: on(3), result: done },
      { did: 'exit', whole: true, signal: null },
    ]);
    expect(first.at(-1)).toMatchObject({ tid: 114, pid: null, comm: 'P1', at: 9_060_500 });
  });

  it('takes whatever becomes of its lines', () => {
    const lines = ['6.1', '7.3'].flatMap(sample);
    const mutated = fc
      .tuple(fc.constantFrom(...lines), fc.nat(200), fc.nat(20), fc.string({ maxLength: 8 }))
      .map(([line, from, length, text]) => line.slice(0, from) + text + line.slice(from + length));
    fc.assert(
      fc.property(fc.array(mutated, { maxLength: 12 }), (some) => {
        const parser = ftraceParser();
        for (const line of some) {
          try {
            for (const { did } of parser.line(line)) expect(typeof did).toBe('string');
          } catch (error) {
            expect(error).toBeInstanceOf(EvidenceError);
          }
        }
        parser.end();
      }),
    );
  });
});
