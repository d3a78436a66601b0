/**
 * Reads from `/proc` the processes that hold VFIO files, by descriptors or by mappings.
 *
 * On the running host, a node is recognized by its device number if its path contains `/dev/`, `vfio`
 * or `iommu`. Other files are not touched: stat on a file of a dead network server would block.
 *
 * @module
 */
import type { NamedVm } from '../../processes/process-table.ts';
import { vmNamed } from '../vm-name.ts';
import { nodeAt, type NodeName, type Numbers } from './nodes.ts';
import type { Listed, ReadDescriptor, ReadDevice, ReadMapping, ReadProcess } from './reading.ts';
import { nameIn, type Tree } from './tree.ts';
import { unitOf } from './unit.ts';

/** A descriptor before its file is told apart from others. */
export interface SeenDescriptor extends Omit<ReadDescriptor, 'file' | 'isProvenFile'> {
  readonly pid: number;
  /** Inode and mount of the file, from `fdinfo`. */
  readonly inode: string | null;
  readonly mount: string | null;
}

export type SeenMapping = Omit<ReadMapping, 'file'>;

interface SeenProcess extends Omit<ReadProcess, 'descriptors' | 'mappings'> {
  readonly descriptors: readonly SeenDescriptor[];
  readonly mappings: readonly SeenMapping[];
}

/** The processes that hold VFIO files, all processes, and sentences about what is missing. */
export interface SeenProcesses {
  readonly processes: readonly SeenProcess[];
  readonly listed: Listed;
  readonly unseen: readonly string[];
}

/** The most bytes of a command line, and of `maps`: some hundred thousand mappings. */
const LONGEST_COMMAND = 1 << 20;
const LONGEST_MAPS = 1 << 25;
const ANONYMOUS = 'anon_inode:[vfio-device]';
const CLOEXEC = 0o2000000;
/** `PF_EXITING` and `PF_KTHREAD`: such a task has no descriptors. */
const WITHOUT_FILES = 0x4 | 0x200000;
/** The initial pid namespace (include/linux/proc_ns.h:PROC_PID_INIT_INO). */
const ALL_PIDS = 'pid:[4026531836]';

/** Reads all processes. `processes` has those that hold VFIO files; `unseen` says what is missing. */
export function readProcesses(
  tree: Tree,
  numbers: Numbers,
  devices: readonly ReadDevice[],
): SeenProcesses {
  const pids = (tree.list('/proc') ?? []).filter((name) => /^\d+$/.test(name)).map(Number);
  if (pids.length === 0) {
    const listed = { pids, hidden: [], isWhole: false };
    const why = tree.whyUnreadable('/proc') ?? 'there are none in /proc';
    return { processes: [], listed, unseen: [`processes (${why})`] };
  }
  const unseen: string[] = [];
  if (!pids.includes(1)) unseen.push('processes that /proc does not show: not even 1 is there');
  const namespace = tree.link('/proc/self/ns/pid') ?? ALL_PIDS;
  if (namespace !== ALL_PIDS) unseen.push('processes outside of this container');
  const isWhole = unseen.length === 0;

  const missing = { fd: new Missing('descriptors'), maps: new Missing('mappings') };
  const processes = pids.flatMap((pid): SeenProcess[] => {
    const folder = `/proc/${pid}`;
    const fds = tree.list(`${folder}/fd`);
    const links = (fds ?? []).map((fd) => ({ fd, path: tree.link(`${folder}/fd/${fd}`) }));
    // The descriptors of some processes can be listed, but their links cannot be read.
    const veiled = links.find(({ fd }) => tree.whyUnreadable(`${folder}/fd/${fd}`) !== null);
    if (veiled !== undefined) missing.fd.note(tree, pid, `fd/${veiled.fd}`);
    if (fds === null && !hasNoFiles(tree, folder)) missing.fd.note(tree, pid, 'fd');
    const maps = tree.bytes(`${folder}/maps`, LONGEST_MAPS);
    if (maps === null && !hasNoFiles(tree, folder)) missing.maps.note(tree, pid, 'maps');
    const descriptors = links.flatMap(({ fd, path }) =>
      path === null ? [] : (descriptor(tree, { pid, fd, path }, { numbers, devices }) ?? []),
    );
    const mappings = mappingsIn(maps, devices);
    if (descriptors.length === 0 && mappings.length === 0) return [];
    return [{ ...identity(tree, pid), descriptors, mappings }];
  });
  const hidden = [...new Set([...missing.fd.pids, ...missing.maps.pids])];
  return {
    processes,
    listed: { pids, hidden, isWhole },
    unseen: [...unseen, ...missing.fd.lines(), ...missing.maps.lines()],
  };
}

/** Counts the processes whose descriptors, or mappings, could not be read. */
class Missing {
  readonly pids: number[] = [];
  readonly #what: string;
  /** The number of processes by the reason. */
  readonly #counts = new Map<string, number>();

  constructor(what: string) {
    this.#what = what;
  }

  /** Counts a process, unless it has ended meanwhile. */
  note(tree: Tree, pid: number, file: string): void {
    const absent = tree.isLive ? null : 'not in the copy';
    const why = tree.whyUnreadable(`/proc/${pid}/${file}`) ?? absent;
    if (why === null) return;
    this.#counts.set(why, (this.#counts.get(why) ?? 0) + 1);
    this.pids.push(pid);
  }

  lines(): readonly string[] {
    return [...this.#counts].map(([why, count]) => {
      return `${this.#what} of ${count} ${count === 1 ? 'process' : 'processes'} (${why})`;
    });
  }
}

/** The fields of `/proc/PID/stat` from the third on; `comm`, before them, may contain anything. */
function statFields(tree: Tree, folder: string): readonly string[] {
  const stat = tree.text(`${folder}/stat`) ?? '';
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}

function hasNoFiles(tree: Tree, folder: string): boolean {
  const fields = statFields(tree, folder);
  return /^[ZX]$/.test(fields[0] ?? '') || (Number(fields[6]) & WITHOUT_FILES) !== 0;
}

/** What names a process, without what it holds. */
export type ReadIdentity = Omit<ReadProcess, 'descriptors' | 'mappings'>;

/** What names a process as it is now. All is null if there is no such process. */
export function identity(tree: Tree, pid: number): ReadIdentity {
  const folder = `/proc/${pid}`;
  const cgroup = cgroupIn(tree.text(`${folder}/cgroup`) ?? '');
  return {
    pid,
    comm: tree.text(`${folder}/comm`),
    cgroup,
    unit: cgroup === null ? null : unitOf(cgroup),
    vm: vmIn(tree.text(`${folder}/cmdline`, LONGEST_COMMAND)),
    startedAt: statFields(tree, folder)[19] ?? null,
  };
}

/** The VM that a command line names, whose arguments end in NUL; null without one. */
function vmIn(commandLine: string | null): NamedVm {
  if (commandLine === null) return null;
  const [program = '', ...args] = commandLine.replace(/\0$/, '').split('\0');
  const shown = args.map((text) => ({ text, isCut: false }));
  return vmNamed({ program: nameIn(program), args: shown, isWhole: true });
}

/** The path in cgroup v2. If that is the root: systemd's path in v1, or any other one. */
export function cgroupIn(text: string): string | null {
  const lines = text.split('\n').flatMap((line) => {
    const [, hierarchy, controllers, path] = /^(\d+):([^:]*):(\/.*)$/.exec(line) ?? [];
    return path === undefined ? [] : [{ hierarchy, controllers, path }];
  });
  const within = lines.filter(({ path }) => path !== '/');
  const best =
    within.find(({ hierarchy }) => hierarchy === '0') ??
    within.find(({ controllers }) => controllers === 'name=systemd') ??
    within[0] ??
    lines[0];
  return best?.path ?? null;
}

/** The nodes and devices of the host. */
interface HostNodes {
  readonly numbers: Numbers;
  readonly devices: readonly ReadDevice[];
}

function descriptor(
  tree: Tree,
  { pid, fd, path }: { readonly pid: number; readonly fd: string; readonly path: string },
  { numbers, devices }: HostNodes,
): SeenDescriptor | null {
  const node = path === ANONYMOUS ? null : nodeBehind(tree, `/proc/${pid}/fd/${fd}`, path, numbers);
  if (path !== ANONYMOUS && node === null) return null;
  const info = tree.text(`/proc/${pid}/fdinfo/${fd}`) ?? '';
  const entry = (key: string) => new RegExp(`^${key}:\\s*(.+)$`, 'm').exec(info)?.[1] ?? null;
  const syspath = entry('vfio-device-syspath');
  const cdev = node?.kind === 'cdev' ? node.name : null;
  const plugged = devices.find((known) => cdev !== null && known.cdev === cdev);
  const device = syspath === null ? (plugged?.device ?? null) : nameIn(syspath);
  const flags = entry('flags');
  return {
    pid,
    fd: Number(fd),
    kind: node === null || node.kind === 'cdev' ? 'device' : node.kind,
    path,
    group: node?.kind === 'group' ? node.name : groupOf(device, devices),
    device,
    cdev,
    cloexec: flags === null ? null : (Number.parseInt(flags, 8) & CLOEXEC) !== 0,
    inode: entry('ino'),
    mount: entry('mnt_id'),
  };
}

function nodeBehind(tree: Tree, link: string, path: string, numbers: Numbers): NodeName | null {
  if (!path.startsWith('/') || !/\/dev\/|vfio|iommu/.test(path)) return null;
  // The number of a deleted node may be another node's by now.
  if (!tree.isLive || path.endsWith(' (deleted)')) return nodeAt(path);
  const devnum = tree.devnumBehind(link);
  return devnum === null ? null : (numbers.get(devnum) ?? nodeAt(path));
}

function groupOf(device: string | null, devices: readonly ReadDevice[]): string | null {
  return devices.find((known) => known.device === device)?.group ?? null;
}

/** The mappings of device and iommufd files in `/proc/PID/maps`; most are BARs. */
export function mappingsIn(
  maps: Buffer | null,
  devices: readonly ReadDevice[],
): readonly SeenMapping[] {
  if (maps === null || !(maps.includes('vfio') || maps.includes('/iommu'))) return [];
  return maps
    .toString()
    .split('\n')
    .flatMap((line): SeenMapping[] => {
      const [, from, to, path] = /^([\da-f]+)-([\da-f]+) (?:\S+ +){4}(.+)$/.exec(line) ?? [];
      if (from === undefined || to === undefined || path === undefined) return [];
      const node = path === ANONYMOUS ? null : nodeAt(path);
      if (path !== ANONYMOUS && node?.kind !== 'cdev' && node?.kind !== 'iommufd') return [];
      const cdev = node?.kind === 'cdev' ? node.name : null;
      const device = devices.find((known) => cdev !== null && known.cdev === cdev)?.device ?? null;
      const address = Number.parseInt(from, 16);
      return [
        {
          kind: node?.kind === 'iommufd' ? 'iommufd' : 'device',
          address: Number.isSafeInteger(address) ? address : `0x${from}`,
          length: Number(BigInt(`0x${to}`) - BigInt(`0x${from}`)),
          path,
          device,
          group: groupOf(device, devices),
          cdev,
        },
      ];
    });
}
