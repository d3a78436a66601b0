/**
 * Reads the VFIO state of the host that this runs on, or of a copy of its /proc, /sys and /dev.
 *
 * @module
 */
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
  const boot = tree.text('/proc/sys/kernel/random/boot_id');
  const kernel = tree.text('/proc/sys/kernel/osrelease');
  const bootedAt = bootTime(tree);
  return {
    boot,
    kernel,
    bootedAt,
    iommufd: tree.has('/dev/iommu') || tree.list('/sys/class/misc')?.includes('iommu') === true,
    devices,
    nodes,
    processes,
    unseen: [
      ...(boot === null ? ['which boot it is (/proc/sys/kernel/random/boot_id)'] : []),
      ...(kernel === null ? ["the kernel's release (/proc/sys/kernel/osrelease)"] : []),
      ...(bootedAt === null ? ['when it was booted (/proc/stat)'] : []),
      ...missingParts(tree, devices),
      ...seen.unseen,
      ...unseen,
      ...withoutFlags(processes),
    ],
    isComplete: seen.unseen.length === 0,
    hasDevices: hasDevices(tree),
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
    throw new EvidenceError(`${root}: it has neither proc nor sys`);
  }
  return tree;
}

function bootTime(tree: Tree): string | null {
  const seconds = /^btime (\d+)$/m.exec(tree.text('/proc/stat') ?? '')?.[1];
  return seconds === undefined ? null : new Date(Number(seconds) * 1000).toISOString();
}

function hasDevices(tree: Tree): boolean {
  return ['/sys/kernel/iommu_groups', '/sys/bus/pci/devices'].some((path) => tree.list(path));
}

function missingParts(tree: Tree, devices: readonly ReadDevice[]): readonly string[] {
  const unseen: string[] = [];
  if (!hasDevices(tree)) unseen.push('devices and groups (neither is in /sys)');
  const blank = devices.filter(({ isSeen }) => !isSeen);
  if (blank.length > 0)
    unseen.push(`drivers of ${blank.map(({ device }) => device).join(', ')} (not in /sys)`);
  if (tree.list('/dev') === null) unseen.push('nodes of /dev/vfio (there is no /dev)');
  return unseen;
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
