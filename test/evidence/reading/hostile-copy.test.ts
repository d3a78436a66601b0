/**
 * Copies of a host that somebody made to harm, or that were made badly: links out and in circles, pipes,
 * devices, files without end. What they do not show is unknown, never "nobody".
 */
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readHost } from '../../../evidence/reading/host.ts';
import { Tree } from '../../../evidence/reading/tree.ts';
import { openLedger } from '../../../ledger.ts';
import { run } from '../../cli/program.ts';
import { temporaryFolder } from '../../log/folder.ts';
import { asAnybody } from '../../support/as-anybody.ts';
import { copiedHost, write, type CopiedHost } from '../../support/copied-host.ts';

const folder = temporaryFolder();
const gpu = { device: '0000:3b:00.0', group: '26', driver: 'vfio-pci' };
const disk = { device: '0000:01:00.0', group: '7', driver: 'nvme' };
const copy = (host: CopiedHost = { devices: [gpu, disk] }) =>
  copiedHost(mkdtempSync(join(folder, 'host-')), host);
const emptyTree = () => mkdtempSync(join(folder, 'tree-'));

/** Puts something in the place of what a copy has there. */
function replace(root: string, path: string, make: (place: string) => void): void {
  const place = join(root, path);
  rmSync(place, { recursive: true, force: true });
  make(place);
}

const pipe = (place: string) => void spawnSync('mkfifo', [place]);
const loop = (place: string) => symlinkSync(place.slice(place.lastIndexOf('/') + 1), place);
const endless = (place: string) => {
  writeFileSync(place, '');
  truncateSync(place, 2 ** 36);
};

const place = '/sys/devices/pci0000:00';
const driverOf = ({ device }: typeof gpu) => `${place}/${device}/driver`;

/** Who owns the groups after the reading of a copy. */
async function ownersOf(root: string) {
  const ledger = await openLedger(':memory:');
  const time = '2026-03-04T05:06:07Z';
  const { complete, unseen } = await ledger.snapshot(readHost(root), { time });
  const { groups } = ledger.at('end').table();
  const owners = Object.fromEntries(groups.map(({ group, owner }) => [group, owner.kind]));
  return { owners, complete, unseen };
}

test('as it is, nobody owns the one group, and the kernel the other', async () => {
  expect(await ownersOf(copy())).toEqual({
    owners: { 7: 'kernel', 26: 'none' },
    complete: true,
    unseen: [],
  });
});

describe('a link', () => {
  test('leads nowhere but into the copy, however it is written', () => {
    const tree = emptyTree();
    const outside = join(folder, 'secret');
    writeFileSync(outside, 'secret');
    write(tree, '/in/side', 'inside\n');
    write(tree, '/deep/er/file', 'deep\n');
    const targets: Readonly<Record<string, string | null>> = {
      [outside]: null,
      [`${'../'.repeat(30)}${outside.slice(1)}`]: null,
      [`/in/../..${outside}`]: null,
      '/in/side': 'inside',
      '../../../in/side': 'inside',
      './in/./side': 'inside',
      'to-deeper/../er/file': 'deep',
      'to-deeper/../../deep/er/file': 'deep',
      'to-deeper/file': 'deep',
    };
    symlinkSync('/deep/er', join(tree, 'to-deeper'));
    const root = new Tree(tree);
    for (const [index, [target, text]] of Object.entries(targets).entries()) {
      symlinkSync(target, join(tree, `link-${index}`));
      expect(root.text(`/link-${index}`), target).toBe(text);
    }
    // As the kernel resolves it from the root of the copy: `..` after a link is the parent of its target.
    symlinkSync('to-deeper/..', join(tree, 'parent'));
    expect(root.list('/parent')).toEqual(['er']);
  });

  test('in a circle is not readable, however long the way around is', () => {
    const tree = emptyTree();
    symlinkSync('/a/b', join(tree, 'a'));
    symlinkSync('c/c/c', join(tree, 'c'));
    mkdirSync(join(tree, 'd'));
    for (let index = 0; index < 100; index++) {
      symlinkSync(`../d/${index + 1}`, join(tree, `d/${index}`));
    }
    writeFileSync(join(tree, 'd/100'), 'end');
    const root = new Tree(tree);
    for (const path of ['/a', '/a/x', '/c', '/c/x', '/d/0']) {
      expect([root.has(path), root.text(path), root.list(path)], path).toEqual([false, null, null]);
      expect(root.whyUnreadable(path), path).toBe('too many symbolic links');
    }
    expect(root.text('/d/70')).toBe('end');
  });
});

describe('what is no file', () => {
  test('is not opened: a pipe, a socket of a name, a folder, a file without end', () => {
    const tree = emptyTree();
    pipe(join(tree, 'pipe'));
    endless(join(tree, 'endless'));
    symlinkSync('pipe', join(tree, 'to-pipe'));
    mkdirSync(join(tree, 'folder'));
    writeFileSync(join(tree, 'file'), 'text');
    const root = new Tree(tree);
    for (const path of ['/pipe', '/to-pipe', '/folder', '/endless']) {
      expect(root.bytes(path), path).toBeNull();
    }
    expect([...root.unreadable.values()]).toEqual([
      'not a file',
      'not a file',
      'not a file',
      'larger than 65536 bytes',
    ]);
    expect([root.list('/file'), root.link('/file'), root.list('/pipe')]).toEqual([
      null,
      null,
      null,
    ]);
    expect([root.whyUnreadable('/file'), root.whyUnreadable('/pipe')]).toEqual([
      'not a link',
      'not a folder',
    ]);
    expect(root.bytes('/file', 4)?.toString()).toBe('text');
    expect(root.bytes('/file', 3)).toBeNull();
    expect([root.text('/none'), root.whyUnreadable('/none')]).toEqual([null, null]);
  });

  test.each([
    ['a pipe', pipe, 'not a file'],
    ['a file without end', endless, 'larger than 33554432 bytes'],
    ['a circle', loop, 'too many symbolic links'],
  ])('in the place of mappings, %s: the process is not seen', async (_what, make, why) => {
    const root = copy({ devices: [gpu, disk], processes: [{ pid: 7 }] });
    replace(root, 'proc/7/maps', make);
    expect(await ownersOf(root)).toEqual({
      owners: { 7: 'kernel', 26: 'unknown' },
      complete: false,
      unseen: [`mappings of 1 process (${why})`],
    });
  });

  test('has no process, and no host', () => {
    const root = copy();
    replace(root, 'proc', pipe);
    const reading = readHost(root);
    expect(reading).toMatchObject({ isComplete: false, listed: { pids: [] } });
    expect(reading.unseen).toContain('processes (not a folder)');
    const file = join(folder, 'a-file');
    writeFileSync(file, '');
    expect(() => readHost(file)).toThrow(`${file}: not a folder`);
  });

  test('names and times without end are not shown', () => {
    const descriptors = { 3: '/dev/vfio/26' };
    const root = copy({ devices: [gpu], processes: [{ pid: 7, descriptors }] });
    const hidden = ['comm', 'cgroup', 'cmdline', 'stat', 'fdinfo/3'].map(
      (name) => `proc/7/${name}`,
    );
    for (const path of [...hidden, 'proc/stat']) replace(root, path, endless);
    expect(readHost(root).processes).toMatchObject([
      { pid: 7, comm: null, cgroup: null, vm: null, startedAt: null },
    ]);
    write(root, '/proc/stat', `btime ${'9'.repeat(30)}\n`);
    expect(readHost(root)).toMatchObject({ bootedAt: null });
  });
});

describe('what cannot be read in /sys leaves its groups unknown', () => {
  test.each([
    ['a driver that was copied as a folder', driverOf(disk), mkdirSync, 'not a link'],
    ['a driver that is a pipe', driverOf(disk), pipe, 'not a link'],
  ])('%s', async (_what, path, make, why) => {
    const root = copy();
    replace(root, path, make);
    const { owners, complete, unseen } = await ownersOf(root);
    expect({ owners, complete }).toEqual({
      owners: { 7: 'unknown', 26: 'unknown' },
      complete: false,
    });
    expect(unseen).toEqual([
      'drivers of 0000:01:00.0 (not in /sys)',
      `/sys/bus/pci/devices/0000:01:00.0/driver (${why})`,
    ]);
  });

  test.each([
    ['the members of a group', '/sys/kernel/iommu_groups/7/devices'],
    ['all groups', '/sys/kernel/iommu_groups'],
    ['all devices', '/sys/bus/pci/devices'],
    ['the folder of a device', `${place}/${disk.device}`],
    ['the nodes', '/dev/vfio'],
  ])('%s', async (_what, path) => {
    for (const make of [loop, pipe]) {
      const root = copy();
      replace(root, path, make);
      const { owners, complete, unseen } = await ownersOf(root);
      expect({ complete, 26: owners['26'] }).toEqual({ complete: false, 26: 'unknown' });
      expect(owners['7'], path).not.toBe('none');
      expect(unseen.some((what) => what.includes('/') && what.includes('('))).toBe(true);
    }
  });

  test('a device whose folder is not in the copy is not known to have no driver', async () => {
    const root = copy();
    rmSync(join(root, place, disk.device), { recursive: true });
    const { owners, complete, unseen } = await ownersOf(root);
    expect({ owners, complete }).toEqual({ owners: { 7: 'unknown', 26: 'none' }, complete: false });
    expect(unseen).toEqual(['drivers of 0000:01:00.0 (not in /sys)']);
  });

  test('a device that is no longer shown there has not gone', async () => {
    const root = copy();
    const ledger = await openLedger(':memory:');
    await ledger.snapshot(readHost(root), { time: '2026-03-04T05:06:07Z' });
    for (const path of ['/sys/kernel/iommu_groups', '/sys/bus/pci/devices']) {
      replace(root, path, loop);
    }
    const { changed } = await ledger.snapshot(readHost(root), { time: '2026-03-04T05:06:08Z' });
    expect(changed).toEqual([]);
    expect(ledger.at('end').group('7').owner.kind).toBe('kernel');
  });

  test('what may not be read, as if it were broken', () => {
    const root = copy();
    const hidden = join(root, 'sys/kernel/iommu_groups/7/devices');
    chmodSync(hidden, 0);
    const args = ['snapshot', '--json', '--root', root, '--log', join(folder, 'hidden.ledger')];
    const main = new URL('../../../cli/main.ts', import.meta.url).pathname;
    const { stdout } = spawnSync(...asAnybody(process.execPath, [main, ...args]), {
      encoding: 'utf8',
    });
    chmodSync(hidden, 0o700);
    expect(JSON.parse(stdout)).toMatchObject({
      complete: false,
      unseen: ['/sys/kernel/iommu_groups/7/devices (permission denied)'],
    });
  });
});

test('the program ends soon, and changes nothing in the copy', async () => {
  const root = copy({ devices: [gpu, disk], processes: [{ pid: 7 }, { pid: 8 }] });
  for (const path of ['proc/7/maps', 'proc/7/comm', 'dev/vfio/26', 'sys/class/misc/vfio']) {
    replace(root, path, pipe);
  }
  replace(root, 'proc/8/maps', endless);
  replace(root, 'proc/8/fd', loop);
  renameSync(join(root, 'sys/class'), join(root, 'sys/other'));
  symlinkSync('../../../../../../../../../../sys/class', join(root, 'sys/class'));
  const list = () => spawnSync('find', [root], { encoding: 'utf8' }).stdout;
  const before = list();
  const { code, out } = await run(['who', '26', '--now', '--json', '--root', root]);
  expect({ code, owner: JSON.parse(out) as unknown }).toMatchObject({
    code: 0,
    owner: { owner: { kind: 'unknown' } },
  });
  expect(list()).toEqual(before);
});
