/**
 * What a path says: which kind of file it is.
 *
 * @module
 */
/** What is opened by a path of ours. */
export interface Node {
  readonly kind: 'group' | 'container' | 'iommufd' | 'cdev' | 'reopened' | 'other';
  /** Group number, name of the cdev, or descriptor that is opened anew. */
  readonly name: string;
}

/**
 * The node behind a path; null where it is none of ours. A container sees the host's nodes wherever
 * they were mounted: what counts is the end of the path.
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

/** The path of the node that a file was opened by; null where it has none. */
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

/** A group by its number, which is that of its node also where there is no IOMMU. */
export function groupNamed(name: string): string {
  return name.replace(/^noiommu-/, '');
}

/** Whether a path is that of a device's file without a node (vfio/group.c:vfio_device_open_file). */
export function isUnnamedDevice(path: string): boolean {
  return path === 'anon_inode:[vfio-device]' || path === '/[vfio-device]';
}
