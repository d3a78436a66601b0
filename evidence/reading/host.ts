/**
 * Reads the VFIO state of the host that this runs on, or of a copy of its /proc, /sys and /dev.
 *
 * @module
 */
import { isWritable } from '../../events/iso-8601.ts';
import { EvidenceError } from '../importer.ts';
import { readDevices } from './devices.ts';
import { tellApart } from './files.ts';
import { kcmp, type Compare } from './kcmp.ts';
import { readNodes } from './nodes.ts';
import { readProcesses, type SeenMapping } from './processes.ts';
import type { HostReading, ReadDescriptor, ReadDevice, ReadProcess } from './reading.ts';
import { Tree } from './tree.ts';

export interface ReadingOptions {
  /** Compares open files; null: not at all. Default: kcmp(2), if `root` is the running host. */
  readonly compare?: Compare | null;
}

/**
 * Reads the host below `root`: `/`, or a folder with a copy. `unseen` says what could not be read.
 * Throws `EvidenceError` if there is no such folder, or neither `proc` nor `sys` in it.
 */
export function readHost(root: string, options: ReadingOptions = {}): HostReading {
  const tree = treeAt(root);
  const { compare = tree.isLive ? kcmp : null } = options;
  const devices = readDevices(tree);
  const { nodes, numbers } = readNodes(tree);
  const seen = readProcesses(tree, numbers, devices);
  const descriptors = seen.processes.flatMap((process) => process.descriptors);
  const { files, isProven, unseen } = tellApart(descriptors, compare);

  let next = 0;
  const processes = seen.processes.flatMap((process): ReadProcess[] => {
    const held = process.descriptors.flatMap((descriptor): ReadDescriptor[] => {
      const { pid: _, inode: _inode, mount: _mount, ...rest } = descriptor;
      const file = files[next] ?? null;
      const isProvenFile = isProven[next++] ?? false;
      return file === null ? [] : [{ ...rest, file, isProvenFile }];
    });
    const mappings = process.mappings.map((mapping) => ({ ...mapping, ...behind(mapping, held) }));
    if (held.length === 0 && mappings.length === 0) return [];
    return [{ ...process, descriptors: held, mappings }];
  });
  const iommufd =
    tree.has('/dev/iommu') || tree.list('/sys/class/misc')?.includes('iommu') === true;
  const missing = missingParts(tree, devices);
  const unreadable = {
    sys: unreadableIn(tree, '/sys'),
    dev: unreadableIn(tree, '/dev'),
  };
  const boot = tree.text('/proc/sys/kernel/random/boot_id');
  const kernel = tree.text('/proc/sys/kernel/osrelease');
  const bootedAt = bootTime(tree);
  return {
    boot,
    kernel,
    bootedAt,
    iommufd,
    devices,
    nodes,
    processes,
    unseen: [
      ...(boot === null ? ['which boot it is (/proc/sys/kernel/random/boot_id)'] : []),
      ...(kernel === null ? ["the kernel's release (/proc/sys/kernel/osrelease)"] : []),
      ...(bootedAt === null ? ['when it was booted (/proc/stat)'] : []),
      ...missing,
      ...unreadable.sys,
      ...unreadable.dev,
      ...seen.unseen,
      ...unseen,
      ...withoutFlags(processes),
    ],
    isComplete: [...seen.unseen, ...unreadable.sys, ...unreadable.dev].length === 0,
    // What a folder lists that cannot be read is not known to be gone.
    hasDevices: hasDevices(tree) && unreadable.sys.length === 0,
    listed: seen.listed,
  };
}

function treeAt(root: string): Tree {
  let tree: Tree;
  try {
    tree = new Tree(root);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new EvidenceError(`${root}: ${code === 'ENOENT' ? 'there is no such folder' : message}`);
  }
  if (!tree.has('/proc') && !tree.has('/sys')) {
    const why = tree.whyUnreadable('/proc') ?? 'it has neither proc nor sys';
    throw new EvidenceError(`${root}: ${why}`);
  }
  return tree;
}

/** The line of interrupts in `/proc/stat` is long on large hosts. */
const LONGEST_STAT = 1 << 22;

function bootTime(tree: Tree): string | null {
  const stat = tree.text('/proc/stat', LONGEST_STAT) ?? '';
  const millis = Number(/^btime (\d+)$/m.exec(stat)?.[1] ?? NaN) * 1000;
  return isWritable(millis) ? new Date(millis).toISOString() : null;
}

function hasDevices(tree: Tree): boolean {
  return ['/sys/kernel/iommu_groups', '/sys/bus/pci/devices'].some((path) => tree.list(path));
}

function missingParts(tree: Tree, devices: readonly ReadDevice[]): readonly string[] {
  const unseen: string[] = [];
  const isIn = (folder: string) => unreadableIn(tree, folder).length === 0;
  if (!hasDevices(tree) && isIn('/sys')) unseen.push('devices and groups (neither is in /sys)');
  const blank = devices.filter(({ isSeen }) => !isSeen);
  if (blank.length > 0)
    unseen.push(`drivers of ${blank.map(({ device }) => device).join(', ')} (not in /sys)`);
  if (tree.list('/dev') === null && isIn('/dev')) {
    unseen.push('nodes of /dev/vfio (there is no /dev)');
  }
  return unseen;
}

const MOST_NAMED = 8;

/** A sentence for each reason why something in a folder cannot be read, with the paths. */
function unreadableIn(tree: Tree, folder: string): readonly string[] {
  const found = [...tree.unreadable].filter(
    ([path]) => path === folder || path.startsWith(`${folder}/`),
  );
  return [...Map.groupBy(found, ([, why]) => why)].map(([why, all]) => {
    const paths = all.slice(0, MOST_NAMED).map(([path]) => path);
    const more = all.length - paths.length;
    return `${paths.join(', ')}${more === 0 ? '' : ` and ${more} more`} (${why})`;
  });
}

function withoutFlags(processes: readonly ReadProcess[]): readonly string[] {
  const descriptors = processes.flatMap((process) => process.descriptors);
  const count = descriptors.filter(({ cloexec }) => cloexec === null).length;
  return count === 0 ? [] : [`whether descriptors are closed by exec (no fdinfo of ${count})`];
}

/** The file, device and group of a mapping, if its process has only one that it can be of. */
function behind(mapping: SeenMapping, descriptors: readonly ReadDescriptor[]) {
  const candidates = descriptors.filter(
    ({ kind, cdev }) => kind === mapping.kind && cdev === mapping.cdev,
  );
  const [first] = candidates;
  const isOneFile = candidates.every(({ file }) => file === first?.file);
  const isOneDevice = candidates.every(({ device }) => device === first?.device);
  return {
    file: (isOneFile ? first?.file : null) ?? null,
    device: mapping.device ?? (isOneDevice ? first?.device : null) ?? null,
    group: mapping.group ?? (isOneDevice ? first?.group : null) ?? null,
  };
}
