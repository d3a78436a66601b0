/**
 * The nodes that VFIO is opened by: names, and the device numbers that tell them under any name.
 *
 * @module
 */
import type { ReadNode } from './reading.ts';
import { nameIn, type Tree } from './tree.ts';

/** What a node is for: the group `26`, the cdev `vfio2`; `vfio` and `iommu` are the only ones. */
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

/** The node that a path names, whatever the mount namespace that it is seen from. */
export function nodeAt(path: string): NodeName | null {
  const place = path.replace(/ \(deleted\)$/, '');
  if (/(?:\/dev|^)\/iommu$/.test(place)) return { kind: 'iommufd', name: 'iommu' };
  const tail = /(?:\/dev|^)\/vfio\/(vfio|(?:noiommu-)?\d+|devices\/vfio\d+)$/.exec(place)?.[1];
  if (tail === undefined) return null;
  if (tail === 'vfio') return { kind: 'container', name: tail };
  return { kind: tail.startsWith('devices/') ? 'cdev' : 'group', name: nameIn(tail) };
}
