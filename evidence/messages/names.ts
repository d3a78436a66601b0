/**
 * Names in messages: patterns for devices and nodes, and the kind of file that a node is.
 *
 * @module
 */
import type { Deed } from '../sighting.ts';

/** The number of characters of a line that are read. Useful messages are far shorter. */
export const LONGEST = 65_536;

export const BDF = String.raw`[\da-fA-F]{4,8}:[\da-fA-F]{2}:[01][\da-fA-F]\.[0-7]`;
const UUID = String.raw`[\da-fA-F]{8}(?:-[\da-fA-F]{4}){3}-[\da-fA-F]{12}`;
/** A PCI address, or the UUID of a mediated device. */
export const DEVICE = `(?:${BDF}|${UUID})`;
const BELOW = String.raw`devices\/(?:noiommu-)?vfio\d{1,6}|(?:noiommu-)?\d{1,7}|vfio`;
export const NODE = String.raw`\/dev\/(?:vfio\/(?:${BELOW})|iommu)(?![\w/-])`;

const node = new RegExp(`^${NODE}$`);

/** The file that a node of `/dev` opens; null if it is neither VFIO's nor iommufd's. */
export function kindOfNode(path: string): Extract<Deed, { did: 'find' }> | null {
  if (!node.test(path)) return null;
  const name = path.slice(path.lastIndexOf('/') + 1);
  const found = { did: 'find', fd: null, device: null, group: null } as const;
  if (path === '/dev/iommu') return { ...found, kind: 'iommufd' };
  if (path === '/dev/vfio/vfio') return { ...found, kind: 'container' };
  if (path.startsWith('/dev/vfio/devices/')) return { ...found, kind: 'device', device: name };
  return { ...found, kind: 'group', group: name };
}

/** Sets a key of a map. Beyond `most` keys, the one that was set first is removed. */
export function remember<K, V>(map: Map<K, V>, key: K, value: V, most = 4096): void {
  map.delete(key);
  map.set(key, value);
  if (map.size <= most) return;
  for (const first of map.keys()) {
    map.delete(first);
    return;
  }
}
