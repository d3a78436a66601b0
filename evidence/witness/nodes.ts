/**
 * What a path or a request number says: which kind of file it is, and which operation.
 *
 * @module
 */
import type { Operation } from '../../events/vocabulary.ts';
import type { Seen } from './traced.ts';

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

/** A group by its number, which is that of its node also where there is no IOMMU. */
export function groupNamed(name: string): string {
  return name.replace(/^noiommu-/, '');
}

/** Whether a path is that of a device's file without a node (vfio/group.c:vfio_device_open_file). */
export function isUnnamedDevice(path: string): boolean {
  return path === 'anon_inode:[vfio-device]' || path === '/[vfio-device]';
}

/** Operations by the number of the request, for each kind of file that takes it. */
const requests: Readonly<Record<Seen['kind'], Readonly<Record<number, Operation>>>> = {
  container: {
    0x3b64: 'api_version',
    0x3b65: 'check_extension',
    0x3b66: 'set_iommu',
    0x3b71: 'map_dma',
  },
  group: {
    0x3b67: 'group_status',
    0x3b68: 'set_container',
    0x3b69: 'unset_container',
    0x3b6a: 'get_device',
  },
  device: {
    0x3b6b: 'device_info',
    0x3b6c: 'region_info',
    0x3b6f: 'reset',
    0x3b70: 'hot_reset_info',
    0x3b71: 'hot_reset',
    0x3b76: 'bind',
    0x3b77: 'attach',
    0x3b78: 'detach',
  },
  iommufd: {
    0x3b64: 'api_version',
    0x3b65: 'check_extension',
    0x3b66: 'set_iommu',
    0x3b71: 'map_dma',
    0x3b80: 'destroy',
    0x3b81: 'alloc_ioas',
    0x3b85: 'ioas_map',
    0x3b88: 'compat_ioas',
    0x3b89: 'alloc_hwpt',
  },
  path: {},
};

/** Every operation that there is a number of, and that number. */
const numbers = new Map(
  Object.values(requests).flatMap((known) =>
    Object.entries(known).map(([number, operation]) => [operation, Number(number)] as const),
  ),
);

/** What a request asks of a kind of file, of all numbers that it may have; null where nothing of ours. */
export function operationOf(
  kind: Seen['kind'],
  numbersShown: readonly number[],
): { readonly operation: Operation; readonly request: number } | null {
  for (const request of numbersShown) {
    const operation = requests[kind][request];
    if (operation !== undefined) return { operation, request };
  }
  // The right request on the wrong file is refused, and is an attempt all the same.
  for (const request of numbersShown) {
    for (const known of Object.values(requests)) {
      const operation = known[request];
      if (operation !== undefined && operation !== 'map_dma') return { operation, request };
    }
  }
  return null;
}

/** Whether a request wants a structure: a null pointer is then all that is wrong with it. */
export function wantsPointer(operation: Operation): boolean {
  return numbers.has(operation) && !byValue.has(operation);
}

const byValue = new Set<Operation>([
  'api_version',
  'check_extension',
  'set_iommu',
  'unset_container',
  'reset',
]);
