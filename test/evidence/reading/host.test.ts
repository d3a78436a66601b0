import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, openSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { release } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { EvidenceError } from '../../../evidence/importer.ts';
import { readHost } from '../../../evidence/reading/host.ts';
import type { HostReading } from '../../../evidence/reading/reading.ts';
import type { Compare, Comparison, ProcessDescriptor } from '../../../evidence/reading/kcmp.ts';
import { nodeAt } from '../../../evidence/reading/nodes.ts';
import { cgroupIn, mappingsIn, readProcesses } from '../../../evidence/reading/processes.ts';
import { devnumOf, Tree } from '../../../evidence/reading/tree.ts';
import { asAnybody } from '../../support/as-anybody.ts';
import { copiedHost, link, write, type CopiedHost } from '../../support/copied-host.ts';
import { temporaryFolder } from '../../log/folder.ts';

const reader = new URL('../../../evidence/reading/host.ts', import.meta.url).href;

/** A reading by a process that may not read everything. */
function readByAnybody(root: string): HostReading {
  const program = `import { readHost } from '${reader}';
    console.log(JSON.stringify(readHost(process.argv[1])));`;
  const args = ['--input-type=module', '--eval', program, root];
  const { stdout } = spawnSync(...asAnybody(process.execPath, args), { encoding: 'utf8' });
  return JSON.parse(stdout) as HostReading;
}

const folder = temporaryFolder();
const copy = (host: CopiedHost = {}) => copiedHost(mkdtempSync(join(folder, 'host-')), host);
const read = (host: CopiedHost, compare: Compare | null = null) =>
  readHost(copy(host), { compare });
const bar = (address: string, path = 'anon_inode:[vfio-device]') =>
  `${address} rw-s e0000000 00:0e 1057                       ${path}`;

describe('a copied host', () => {
  const gpu = { device: '0000:3b:00.0', group: '26', driver: 'vfio-pci', cdev: 'vfio2' };

  test('is read with everything in it', () => {
    const reading = read({
      devices: [
        gpu,
        { device: '0000:3b:00.1', group: '26', driver: 'snd_hda_intel' },
        { device: '0000:00:01.0', group: '26' },
        { device: '0000:00:02.0', driver: 'i915' },
      ],
      processes: [
        { pid: 4000, comm: 'bash', descriptors: { 0: '/dev/pts/0', 3: '/srv/vfio/notes' } },
        {
          pid: 4711,
          comm: 'qemu) x',
          cgroup: '/machine.slice/machine-qemu\\x2d1\\x2dguest.scope',
          commandLine: ['/usr/bin/qemu-system-x86_64', '-name', 'guest=guest,debug-threads=on'],
          startedAt: 98765,
          descriptors: {
            0: '/dev/null',
            7: 'anon_inode:[eventfd]',
            9: { path: '/dev/vfio/devices/vfio2', cloexec: true },
            10: '/dev/iommu',
          },
          maps: [
            '55d0c0000000-55d0c0001000 r--p 00000000 08:01 77       /usr/bin/qemu',
            bar('7f0000000000-7f0000010000', '/dev/vfio/devices/vfio2'),
          ],
        },
      ],
    });
    expect(reading).toEqual({
      boot: '6c1c3a0e-7d0c-4a0c-9a55-3c1b6f0e1d2a',
      kernel: '6.12.9-amd64',
      bootedAt: '2026-05-28T20:26:40.000Z',
      iommufd: true,
      devices: [
        { device: '0000:00:01.0', group: '26', driver: null, cdev: null, isSeen: true },
        { ...gpu, isSeen: true },
        { device: '0000:3b:00.1', group: '26', driver: 'snd_hda_intel', cdev: null, isSeen: true },
      ],
      nodes: [
        { path: '/dev/vfio/26', kind: 'group', devnum: null },
        { path: '/dev/vfio/vfio', kind: 'container', devnum: '10:196' },
        { path: '/dev/vfio/devices/vfio2', kind: 'cdev', devnum: '243:2' },
      ],
      processes: [
        {
          pid: 4711,
          comm: 'qemu) x',
          cgroup: '/machine.slice/machine-qemu\\x2d1\\x2dguest.scope',
          unit: 'VM guest',
          vm: 'guest',
          startedAt: '98765',
          descriptors: [
            {
              fd: 9,
              kind: 'device',
              path: '/dev/vfio/devices/vfio2',
              group: '26',
              device: '0000:3b:00.0',
              cdev: 'vfio2',
              cloexec: true,
              file: 0,
              isProvenFile: true,
            },
            {
              fd: 10,
              kind: 'iommufd',
              path: '/dev/iommu',
              group: null,
              device: null,
              cdev: null,
              cloexec: false,
              file: 1,
              isProvenFile: true,
            },
          ],
          mappings: [
            {
              kind: 'device',
              address: 0x7f0000000000,
              length: 0x10000,
              path: '/dev/vfio/devices/vfio2',
              device: '0000:3b:00.0',
              group: '26',
              cdev: 'vfio2',
              file: 0,
            },
          ],
        },
      ],
      unseen: [],
      isComplete: true,
      hasDevices: true,
      listed: { pids: [1, 4000, 4711], hidden: [], isWhole: true },
    });
  });

  test('without VFIO has nothing, and that is all of it', () => {
    const root = copy({ iommufd: false, processes: [{ pid: 2, comm: 'kthreadd' }] });
    rmSync(join(root, 'dev/vfio'), { recursive: true });
    expect(readHost(root)).toMatchObject({
      iommufd: false,
      devices: [],
      nodes: [],
      processes: [],
      unseen: [],
      isComplete: true,
    });
  });

  test('has mediated devices, and groups without an IOMMU', () => {
    const mdev = 'c0b26072-dd1b-4340-84fe-bf338c510818';
    const { devices, nodes, processes } = read({
      devices: [
        { device: mdev, group: '40', driver: 'vfio_mdev', cdev: 'vfio11' },
        { device: '0000:05:00.0', group: 'noiommu-0', driver: 'vfio-pci', cdev: 'vfio1' },
        { device: '0000:06:00.0', driver: 'vfio-pci', cdev: 'vfio3' },
      ],
      processes: [
        { pid: 20, descriptors: { 5: '/dev/vfio/noiommu-0', 6: '/dev/vfio/devices/vfio11' } },
      ],
    });
    expect(devices).toMatchObject([
      { device: '0000:05:00.0', group: 'noiommu-0', cdev: 'vfio1' },
      { device: '0000:06:00.0', group: null, cdev: 'vfio3', driver: 'vfio-pci' },
      { device: mdev, group: '40', driver: 'vfio_mdev', cdev: 'vfio11' },
    ]);
    expect(nodes.map(({ path }) => path)).toEqual([
      '/dev/vfio/40',
      '/dev/vfio/noiommu-0',
      '/dev/vfio/vfio',
      '/dev/vfio/devices/vfio1',
      '/dev/vfio/devices/vfio3',
      '/dev/vfio/devices/vfio11',
    ]);
    expect(processes[0]?.descriptors).toMatchObject([
      { fd: 5, kind: 'group', group: 'noiommu-0' },
      { fd: 6, kind: 'device', device: mdev, group: '40' },
    ]);
  });

  test('of a kernel without device nodes has no cdevs', () => {
    const root = copy({ devices: [gpu] });
    rmSync(join(root, 'dev/vfio/devices'), { recursive: true });
    rmSync(join(root, `sys/devices/pci0000:00/${gpu.device}/vfio-dev/vfio2/dev`));
    expect(readHost(root).devices).toEqual([{ ...gpu, cdev: null, isSeen: true }]);
  });

  test('says which parts it lacks', () => {
    const root = mkdtempSync(join(folder, 'part-'));
    write(root, '/proc/4711/fd/none', '');
    rmSync(join(root, 'proc/4711/fd/none'));
    symlinkSync('/dev/vfio/26', join(root, 'proc/4711/fd/12'));
    write(root, '/proc/4712/comm', 'qemu\n');
    const reading = readHost(root);
    expect(reading).toMatchObject({ boot: null, kernel: null, bootedAt: null, isComplete: false });
    expect(reading.processes).toMatchObject([
      {
        pid: 4711,
        comm: null,
        cgroup: null,
        unit: null,
        startedAt: null,
        descriptors: [{ fd: 12, kind: 'group', group: '26', cloexec: null }],
      },
    ]);
    expect(reading.unseen).toEqual([
      'which boot it is (/proc/sys/kernel/random/boot_id)',
      "the kernel's release (/proc/sys/kernel/osrelease)",
      'when it was booted (/proc/stat)',
      'devices and groups (neither is in /sys)',
      'nodes of /dev/vfio (there is no /dev)',
      'processes that /proc does not show: not even 1 is there',
      'descriptors of 1 process (not in the copy)',
      'mappings of 2 processes (not in the copy)',
      'whether descriptors are closed by exec (no fdinfo of 1)',
    ]);
  });

  test('without the folders of its devices knows their groups and no drivers', () => {
    const root = copy({ devices: [gpu] });
    rmSync(join(root, 'sys/devices'), { recursive: true });
    const { devices, iommufd, unseen } = readHost(root);
    expect(devices).toEqual([{ ...gpu, driver: null, isSeen: false }]);
    expect(iommufd).toBe(true);
    expect(unseen).toEqual(['drivers of 0000:3b:00.0 (not in /sys)']);
  });

  test('with links out of it is not left by them', () => {
    const outside = mkdtempSync(join(folder, 'outside-'));
    write(outside, '/4711/comm', 'secret\n');
    write(outside, '/release', 'secret\n');
    const root = copy({
      processes: [{ pid: 4711, comm: 'qemu', descriptors: { 3: '/dev/iommu' } }],
    });
    for (const path of ['proc/sys/kernel/osrelease', 'proc/4711/comm']) rmSync(join(root, path));
    symlinkSync(join(outside, 'release'), join(root, 'proc/sys/kernel/osrelease'));
    symlinkSync(`${'../'.repeat(20)}${outside}/4711/comm`, join(root, 'proc/4711/comm'));
    link(root, '/proc/4712', '/proc/4712');
    const { kernel, processes } = readHost(root);
    expect(kernel).toBeNull();
    expect(processes).toMatchObject([{ pid: 4711, comm: null }]);
  });

  test('follows absolute links from its own root', () => {
    const root = copy();
    rmSync(join(root, 'proc/sys/kernel/osrelease'));
    write(root, '/etc/release', '6.6.1\n');
    symlinkSync('/etc/release', join(root, 'proc/sys/kernel/osrelease'));
    expect(readHost(root).kernel).toBe('6.6.1');
  });

  test('is an error only where nothing of a host is there', () => {
    const nowhere = join(folder, 'nowhere');
    expect(() => readHost(nowhere)).toThrow(
      new EvidenceError(`${nowhere}: there is no such folder`),
    );
    const empty = mkdtempSync(join(folder, 'empty-'));
    expect(() => readHost(empty)).toThrow(
      new EvidenceError(`${empty}: it has neither proc nor sys`),
    );
  });

  test('counts what may not be read', () => {
    const root = copy({ processes: [{ pid: 7 }, { pid: 8, descriptors: { 3: '/dev/iommu' } }] });
    chmodSync(join(root, 'proc/7/fd'), 0);
    chmodSync(join(root, 'proc/7/maps'), 0);
    const { unseen, isComplete } = readByAnybody(root);
    chmodSync(join(root, 'proc/7/fd'), 0o700);
    expect(unseen).toEqual([
      'descriptors of 1 process (permission denied)',
      'mappings of 1 process (permission denied)',
    ]);
    expect(isComplete).toBe(false);
  });

  test('with a folder that is no list of descriptors says so', () => {
    const root = copy({ processes: [{ pid: 7 }] });
    rmSync(join(root, 'proc/7/fd'), { recursive: true });
    writeFileSync(join(root, 'proc/7/fd'), '');
    expect(readHost(root).unseen).toEqual(['descriptors of 1 process (not a folder)']);
  });

  test('has threads of the kernel and the dead without descriptors', () => {
    const root = copy({ processes: [{ pid: 7 }, { pid: 8 }] });
    for (const pid of [7, 8]) rmSync(join(root, `proc/${pid}/fd`), { recursive: true });
    write(root, '/proc/7/stat', '7 (kworker/0:1) I 2 0 0 0 -1 69238880 0 0\n');
    write(root, '/proc/8/stat', '8 (a (b) Z 1 8 8 0 -1 4227084 0 0\n');
    expect(readHost(root)).toMatchObject({ unseen: [], isComplete: true });
  });
});

describe('which file a descriptor stands for', () => {
  /** As the kernel would: of each descriptor, `PID/FD`, which file it has. */
  const kernel =
    (files: Readonly<Record<string, string>>): Compare =>
    (pairs) =>
      pairs.map(([a, b]): Comparison => {
        const [one, other] = [a, b].map(({ pid, fd }: ProcessDescriptor) => files[`${pid}/${fd}`]);
        const failed = [one, other].find((file) => file === undefined || /^E[A-Z]+$/.test(file));
        if (one === undefined || other === undefined) return { failed: 'EBADF' };
        if (failed !== undefined) return { failed };
        return one === other ? 'same' : 'different';
      });
  const container = '/dev/vfio/vfio';
  const three = [
    { pid: 11, descriptors: { 3: container, 4: container } },
    { pid: 12, descriptors: { 3: container } },
  ];
  const filesOf = (host: CopiedHost, compare: Compare | null) => {
    const { processes, unseen } = read(host, compare);
    const files = processes.flatMap(({ pid, descriptors }) =>
      descriptors.map((held) => [`${pid}/${held.fd}`, held.file, held.isProvenFile]),
    );
    return { files, unseen };
  };

  test('is what the kernel says', () => {
    const compare = kernel({ '11/3': 'a', '11/4': 'b', '12/3': 'a' });
    expect(filesOf({ processes: three }, compare)).toEqual({
      files: [
        ['11/3', 0, true],
        ['11/4', 1, true],
        ['12/3', 0, true],
      ],
      unseen: [],
    });
  });

  test('is open where the kernel does not say', () => {
    const compare = kernel({ '11/3': 'a', '11/4': 'a', '12/3': 'EPERM' });
    expect(filesOf({ processes: three }, compare)).toEqual({
      files: [
        ['11/3', 0, false],
        ['11/4', 0, false],
        ['12/3', 2, false],
      ],
      unseen: [
        'whether descriptors 3 of 11, 4 of 11 and 3 of 12 (/dev/vfio/vfio) are one open file: EPERM',
      ],
    });
  });

  test('is open in a copy, said in one line', () => {
    const processes = Array.from({ length: 12 }, (_, index) => ({
      pid: 20 + index,
      descriptors: { 3: container },
    }));
    const { files, unseen } = filesOf({ processes }, null);
    expect(new Set(files.map(([, file]) => file)).size).toBe(12);
    expect(unseen).toEqual([
      'whether descriptors 3 of 20, 3 of 21, 3 of 22, 3 of 23, 3 of 24, 3 of 25, 3 of 26 and 5 more' +
        ' (/dev/vfio/vfio) are one open file: a copy does not show it',
    ]);
  });

  test('that was closed meanwhile is left out, and its process with it', () => {
    const compare = kernel({ '11/3': 'a', '11/4': 'a' });
    expect(filesOf({ processes: three }, compare)).toEqual({
      files: [
        ['11/3', 0, true],
        ['11/4', 0, true],
      ],
      unseen: [],
    });
  });

  test('is the same for one group, which is never open twice', () => {
    const processes = [
      { pid: 11, descriptors: { 3: '/dev/vfio/26', 4: '/dev/vfio/27' } },
      { pid: 12, descriptors: { 5: '/dev/vfio/26' } },
    ];
    expect(filesOf({ processes }, null)).toEqual({
      files: [
        ['11/3', 0, true],
        ['11/4', 1, true],
        ['12/5', 0, true],
      ],
      unseen: [],
    });
  });

  test('differs where its device, inode or mount does', () => {
    const device = 'anon_inode:[vfio-device]';
    const processes = [
      {
        pid: 11,
        descriptors: {
          3: { path: device, device: '0000:3b:00.0' },
          4: { path: device, device: '0000:3b:00.1' },
          5: { path: '/dev/iommu', mount: 26 },
          6: { path: '/dev/iommu', mount: 900 },
          7: { path: container, inode: 5 },
          8: { path: container, inode: 6 },
        },
      },
    ];
    const { files, unseen } = filesOf({ processes }, null);
    expect(files.map(([, file, isProven]) => [file, isProven])).toEqual(
      [0, 1, 2, 3, 4, 5].map((file) => [file, true]),
    );
    expect(unseen).toEqual([]);
  });
});

describe('mappings', () => {
  const device = 'anon_inode:[vfio-device]';
  const maps = [bar('7f0000000000-7f0000001000')];
  const mapped = (descriptors: NonNullable<CopiedHost['processes']>[number]['descriptors']) =>
    read({
      devices: [{ device: '0000:3b:00.0', group: '26', driver: 'vfio-pci' }],
      processes: [{ pid: 11, maps, descriptors: descriptors ?? {} }],
    }).processes[0]?.mappings[0];

  test('are of the only device that is open', () => {
    expect(mapped({ 9: { path: device, device: '0000:3b:00.0' } })).toMatchObject({
      device: '0000:3b:00.0',
      group: '26',
      file: 0,
    });
  });

  test('are of an unknown one of several, or where none is open', () => {
    const several = {
      8: { path: device, device: '0000:3b:00.0' },
      9: { path: device, device: '0000:3b:00.1' },
    };
    for (const descriptors of [several, {}]) {
      expect(mapped(descriptors)).toMatchObject({ device: null, group: null, file: null });
    }
  });

  test('may lie where no number is exact', () => {
    const text = Buffer.from(`${bar('ff20000000000001-ff20000000002001', '/dev/iommu')}\n`);
    expect(mappingsIn(text, [])).toMatchObject([
      { kind: 'iommufd', address: '0xff20000000000001', length: 0x2000 },
    ]);
  });
});

test.each([
  ['/dev/vfio/vfio', 'container', 'vfio'],
  ['/dev/vfio/26', 'group', '26'],
  ['/dev/vfio/26 (deleted)', 'group', '26'],
  ['/dev/vfio/noiommu-0', 'group', 'noiommu-0'],
  ['/var/lib/machines/box/dev/vfio/devices/vfio2', 'cdev', 'vfio2'],
  ['/vfio/26', 'group', '26'],
  ['/dev/iommu', 'iommufd', 'iommu'],
  ['/rootfs/dev/iommu (deleted)', 'iommufd', 'iommu'],
])('%s is the node of a %s, %s', (path, kind, name) => {
  expect(nodeAt(path)).toEqual({ kind, name });
});

test.each(['/dev/vfio', '/dev/vfio/devices', '/srv/vfio/26', '/dev/vfio/26/x', '/dev/iommu2'])(
  '%s is no node',
  (path) => {
    expect(nodeAt(path)).toBeNull();
  },
);

test.each([
  ['0::/system.slice/a.service\n', '/system.slice/a.service'],
  ['12:devices:/docker/1\n1:name=systemd:/docker/2\n0::/docker/3\n', '/docker/3'],
  ['12:devices:/docker/1\n1:name=systemd:/docker/2\n0::/\n', '/docker/2'],
  ['4:memory:/jail:1\n1:name=systemd:/\n0::/\n', '/jail:1'],
  ['0::/\n', '/'],
  ['', null],
])('of %j the control group is %s', (text, path) => {
  expect(cgroupIn(text)).toBe(path);
});

test('device numbers are taken apart as the kernel puts them together', () => {
  expect([0x103, 0xf403, 0x12300456, 0xfff_fff_ff].map(devnumOf)).toEqual([
    '1:3',
    '244:3',
    '4:74582',
    '4095:1048575',
  ]);
});

describe('this host', () => {
  const held = openSync('/dev/null', 'r+');
  const child = spawn('sleep', ['60'], { stdio: ['ignore', 'ignore', 'ignore', held] });
  afterAll(() => child.kill());

  test('can be read, whatever it has', () => {
    const reading = readHost('/');
    expect(reading.kernel).toBe(release());
    expect(reading.boot).toMatch(/^[\da-f-]{36}$/);
    expect(Date.parse(reading.bootedAt ?? '')).toBeLessThan(Date.now());
    expect(reading.isComplete || reading.unseen.length > 0).toBe(true);
  });

  test('shows nodes by their numbers, under whatever name', () => {
    const tree = new Tree('/');
    expect(tree.devnum('/dev/null')).toBe('1:3');
    const numbers = new Map([['1:3', { kind: 'group', name: '26' } as const]]);
    const { processes } = readProcesses(tree, numbers, []);
    const found = processes.find(({ pid }) => pid === child.pid);
    expect(found).toMatchObject({ comm: 'sleep', startedAt: expect.stringMatching(/^\d+$/) });
    expect(found?.descriptors.find(({ fd }) => fd === 3)).toMatchObject({
      kind: 'group',
      group: '26',
      path: '/dev/null',
      cloexec: false,
      inode: expect.stringMatching(/^\d+$/),
    });
  });
});
