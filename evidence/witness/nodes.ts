/**
 * Reads paths: which VFIO or iommufd node a path names.
 *
 * @module
 */
/** A node that a path names. `reopened`: a path of /proc that opens a descriptor's node again. */
export interface Node {
  readonly kind: 'group' | 'container' | 'iommufd' | 'cdev' | 'reopened' | 'other';
  /** The group number, the name of the cdev, or the number of the descriptor. */
  readonly name: string;
}

/**
 * The node that a path names; null if it is neither VFIO's nor iommufd's. Only the end of the path
 * counts: inside a container, the host's nodes may be mounted elsewhere.
 */
export function nodeOf(path: string): Node | null {
  const [, reopened] = /^\/proc\/(?:self|thread-self|\d+)\/fd\/(\d+)$/.exec(path) ?? [];
  if (reopened !== undefined) return { kind: 'reopened', name: reopened };
  if (/(?:^|\/)dev\/iommu$/.test(path)) return { kind: 'iommufd', name: '' };
  const [, name] = /(?:^|\/)dev\/vfio\/(.+)$/.exec(path) ?? [];
  if (name === undefined) return null;
  if (name === 'vfio') return { kind: 'container', name: '' };
  const [, group] = /^(?:noiommu-)?(\d+)$/.exec(name) ?? [];
  if (group !== undefined) return { kind: 'group', name: group };
  const [, cdev] = /^devices\/(vfio\d+)$/.exec(name) ?? [];
  return cdev === undefined ? { kind: 'other', name } : { kind: 'cdev', name: cdev };
}

/** The path of a file's node; null if it has none. */
export function pathOf(file: {
  readonly kind: 'group' | 'container' | 'iommufd' | 'device';
  readonly group: string | null;
  readonly cdev: string | null;
}): string | null {
  const { kind, group, cdev } = file;
  switch (kind) {
    case 'container':
      return '/dev/vfio/vfio';
    case 'iommufd':
      return '/dev/iommu';
    case 'group':
      return group === null ? null : `/dev/vfio/${groupNamed(group)}`;
    case 'device':
      return cdev === null ? null : `/dev/vfio/devices/${cdev}`;
  }
}

/** The number of a group by the name of its node: `noiommu-5` is group 5. */
export function groupNamed(name: string): string {
  return name.replace(/^noiommu-/, '');
}

/** Whether a path is that of a device file without a node (vfio/group.c:vfio_device_open_file). */
export function isUnnamedDevice(path: string): boolean {
  return path === 'anon_inode:[vfio-device]' || path === '/[vfio-device]';
}
