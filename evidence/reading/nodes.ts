/**
 * Reads the nodes of VFIO and iommufd: their names, and the device numbers that identify them under any
 * path.
 *
 * @module
 */
import type { ReadNode } from './reading.ts';
import { nameIn, type Tree } from './tree.ts';

/** A node: the group `26`, the cdev `vfio2`, the container `vfio`, or the iommufd `iommu`. */
export interface NodeName {
  readonly kind: 'group' | 'container' | 'cdev' | 'iommufd';
  readonly name: string;
}

/** Nodes by device number. */
export type Numbers = ReadonlyMap<string, NodeName>;

const CLASSES = [
  { folder: '/sys/class/vfio', kind: 'group', names: /^(?:noiommu-)?\d+$/ },
  { folder: '/sys/class/vfio-dev', kind: 'cdev', names: /^vfio\d+$/ },
  { folder: '/sys/class/misc', kind: 'container', names: /^vfio$/ },
  { folder: '/sys/class/misc', kind: 'iommufd', names: /^iommu$/ },
] as const;

/** Reads the nodes in `/dev/vfio`, and all device numbers in `/sys` and `/dev`. */
export function readNodes(tree: Tree): { nodes: readonly ReadNode[]; numbers: Numbers } {
  const numbers = new Map<string, NodeName>();
  const byName = new Map<string, string>();
  for (const { folder, kind, names } of CLASSES) {
    for (const name of tree.list(folder) ?? []) {
      const devnum = names.test(name) ? tree.text(`${folder}/${name}/dev`) : null;
      if (devnum === null) continue;
      numbers.set(devnum, { kind, name });
      byName.set(`${kind} ${name}`, devnum);
    }
  }
  const folders = ['/dev/vfio', '/dev/vfio/devices'];
  const paths = folders.flatMap((folder) =>
    (tree.list(folder) ?? []).map((name) => `${folder}/${name}`),
  );
  const nodes = ['/dev/iommu', ...paths].flatMap((path): ReadNode[] => {
    const node = nodeAt(path);
    if (node === null) return [];
    const devnum = tree.devnum(path) ?? byName.get(`${node.kind} ${node.name}`) ?? null;
    if (devnum !== null && !numbers.has(devnum)) numbers.set(devnum, node);
    return node.kind === 'iommufd' ? [] : [{ path, kind: node.kind, devnum }];
  });
  return { nodes, numbers };
}

/** The node that a path names, in any mount namespace; null if it is not VFIO's or iommufd's. */
export function nodeAt(path: string): NodeName | null {
  const place = path.replace(/ \(deleted\)$/, '');
  if (/(?:\/dev|^)\/iommu$/.test(place)) return { kind: 'iommufd', name: 'iommu' };
  const tail = /(?:\/dev|^)\/vfio\/(vfio|(?:noiommu-)?\d+|devices\/vfio\d+)$/.exec(place)?.[1];
  if (tail === undefined) return null;
  if (tail === 'vfio') return { kind: 'container', name: tail };
  return { kind: tail.startsWith('devices/') ? 'cdev' : 'group', name: nameIn(tail) };
}
