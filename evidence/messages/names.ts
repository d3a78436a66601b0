/**
 * Names in messages: patterns for devices and nodes, and the kind of file that a node is.
 *
 * @module
 */
import type { Deed } from '../sighting.ts';

/** The number of characters of a line that are read. Useful messages are far shorter. */
export const LONGEST = 65_536;

export const BDF = String.raw`[\da-fA-F]{4,8}:[\da-fA-F]{2}:[01][\da-fA-F]\.[0-7]`;
export const UUID = String.raw`[\da-fA-F]{8}(?:-[\da-fA-F]{4}){3}-[\da-fA-F]{12}`;
/** A PCI address, or the UUID of a mediated device. */
export const DEVICE = `(?:${BDF}|${UUID})`;
/** A PCI address without its domain, which is 0000. */
const SHORT = String.raw`[\da-fA-F]{2}:[01][\da-fA-F]\.[0-7]`;
/** A device by the name that libvirt gives it: `pci_0000_81_00_0`, `mdev_` and the UUID. */
const NODEDEV =
  String.raw`pci_[\da-f]{4,8}_[\da-f]{2}_[01][\da-f]_[0-7]|` +
  String.raw`mdev_[\da-f]{8}(?:_[\da-f]{4}){3}_[\da-f]{12}(?:_[\da-f_]{1,32})?`;
/** A device in each of the spellings that `deviceNamed` understands; a path of /sys ends with it. */
export const SPELLED = String.raw`(?:\/sys\/[\w/.:-]{1,256}\/)?(?:${BDF}|${SHORT}|${UUID}|${NODEDEV})(?![\w-])`;
const BELOW = String.raw`devices\/(?:noiommu-)?vfio\d{1,6}|(?:noiommu-)?\d{1,7}|vfio`;
export const NODE = String.raw`\/dev\/(?:vfio\/(?:${BELOW})|iommu)(?![\w/-])`;

const node = new RegExp(`^${NODE}$`);

/** The address or the UUID of a device that a message spells as `SPELLED`. */
export function deviceNamed(spelled: string): string {
  const name = (spelled.split('/').at(-1) ?? '').toLowerCase();
  const [bus, ...parts] = name.split('_');
  if (bus === 'mdev') return parts.slice(0, 5).join('-');
  if (bus === 'pci') return deviceNamed(`${parts.slice(0, 3).join(':')}.${parts[3]}`);
  if (!name.includes(':')) return name;
  const [domain = '', ...rest] = name.split(':');
  return rest.length < 2
    ? `0000:${name}`
    : [domain.replace(/^0+(?=[\da-f]{4})/, ''), ...rest].join(':');
}

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
