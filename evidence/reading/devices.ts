/**
 * Reads devices from `/sys`: their groups, drivers and nodes.
 *
 * @module
 */
import type { ReadDevice } from './reading.ts';
import { byNumber, nameIn, type Tree } from './tree.ts';

const GROUPS = '/sys/kernel/iommu_groups';
const PCI = '/sys/bus/pci/devices';
const CDEVS = '/sys/class/vfio-dev';

/** Reads the devices that have an IOMMU group or a VFIO driver. */
export function readDevices(tree: Tree): readonly ReadDevice[] {
  const places = new Map<string, { folder: string; group: string | null }>();
  for (const number of tree.list(GROUPS) ?? []) {
    const folder = `${GROUPS}/${number}/devices`;
    for (const device of tree.list(folder) ?? []) {
      places.set(device, { folder: `${folder}/${device}`, group: number });
    }
  }
  for (const device of tree.list(PCI) ?? []) {
    const folder = `${PCI}/${device}`;
    const group = tree.link(`${folder}/iommu_group`);
    const known = places.get(device)?.group ?? null;
    // Of a folder that cannot be read, it is not known that the device has no group.
    const isSeen = tree.list(folder) !== null;
    const hasNoGroup = isSeen && tree.whyUnreadable(`${folder}/iommu_group`) === null;
    if (group === null && known === null && hasNoGroup) continue;
    places.set(device, { folder, group: group === null ? known : nameIn(group) });
  }
  const cdevs = new Map<string, string>();
  for (const cdev of tree.list(CDEVS) ?? []) {
    // Links to .../0000:3b:00.0/vfio-dev/vfio2. Before Linux 6.6 it does not mean that a node exists.
    const device = /([^/]+)\/vfio-dev\/[^/]+$/.exec(tree.link(`${CDEVS}/${cdev}`) ?? '')?.[1];
    if (device === undefined) continue;
    if (hasNode(tree, CDEVS, cdev)) cdevs.set(device, cdev);
    if (!places.has(device)) {
      places.set(device, { folder: `${CDEVS}/${cdev}/device`, group: null });
    }
  }
  return [...places]
    .map(([device, { folder, group }]): ReadDevice => {
      const driver = tree.link(`${folder}/driver`);
      const own = tree
        .list(`${folder}/vfio-dev`)
        ?.find((name) => hasNode(tree, `${folder}/vfio-dev`, name));
      return {
        device,
        group: group === null ? null : groupName(tree, group),
        driver: driver === null ? null : nameIn(driver),
        cdev: own ?? cdevs.get(device) ?? null,
        isSeen: tree.list(folder) !== null && tree.whyUnreadable(`${folder}/driver`) === null,
      };
    })
    .sort((a, b) => byNumber(a.device, b.device));
}

function hasNode(tree: Tree, folder: string, cdev: string): boolean {
  return tree.has(`${folder}/${cdev}/dev`) || tree.has(`/dev/vfio/devices/${cdev}`);
}

/** The name of a group's node: `26`, or `noiommu-26`. */
function groupName(tree: Tree, number: string): string {
  const name = `noiommu-${number}`;
  const folders = ['/dev/vfio', '/sys/class/vfio'];
  return folders.some((folder) => tree.list(folder)?.includes(name)) ? name : number;
}
