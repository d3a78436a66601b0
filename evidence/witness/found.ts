/**
 * Files that were open before the evidence begins: which file a path shows, and the fact that tells it.
 *
 * @module
 */
import type { Fact } from '../../events/vocabulary.ts';
import type { Devices } from './devices.ts';
import { isUnnamedDevice, nodeOf } from './nodes.ts';
import type { Seen, Traced } from './traced.ts';

interface FoundFile {
  readonly seen: Seen;
  readonly cloexec: boolean;
  /** The event of an open at this point. */
  readonly fact: Fact;
  /** The group whose owner is unknown from here on, and why. */
  readonly doubt: { readonly group: string; readonly reason: string } | null;
}

/** The file behind a descriptor with this path; null if it is not a VFIO or iommufd file. */
export function foundAt(
  path: string,
  process: Traced,
  fd: number,
  devices: Devices,
): FoundFile | null {
  if (isUnnamedDevice(path)) return grantedTo(process, fd, devices);
  const node = nodeOf(path);
  const cloexec = false;
  const base = { pid: process.pid, fd, cloexec };
  const file = { group: null, device: null, path, pointer: null, isReleased: false, isFound: true };
  switch (node?.kind) {
    case 'container':
    case 'iommufd': {
      const fact: Fact = { type: `${node.kind}.opened`, data: base };
      return { seen: { ...file, kind: node.kind }, cloexec, fact, doubt: null };
    }
    case 'group': {
      const group = node.name;
      devices.meetGroup(group);
      const fact: Fact = { type: 'group.opened', data: { ...base, group } };
      const doubt = { group, reason: 'its file was open before anybody looked' };
      return { seen: { ...file, kind: 'group', group }, cloexec, fact, doubt };
    }
    case 'cdev': {
      const device = devices.behindCdev(node.name);
      const group = devices.groupOf(device);
      const fact: Fact = { type: 'device.opened', data: { ...base, device } };
      const reason = `${device} was open before anybody looked`;
      const doubt = group === null ? null : { group, reason };
      return { seen: { ...file, kind: 'device', group, device }, cloexec, fact, doubt };
    }
    default:
      return null;
  }
}

/** A device file without a node came from the only group of the process; null if it has several. */
function grantedTo({ pid, descriptors }: Traced, fd: number, devices: Devices): FoundFile | null {
  const [only, ...others] = [...descriptors].filter(([, { seen }]) => seen.kind === 'group');
  if (only === undefined || others.length > 0) return null;
  const [from, { seen: group }] = only;
  const device = group.group === null ? null : devices.onlyDeviceIn(group.group);
  const seen: Seen = { ...group, kind: 'device', device, path: null, pointer: null };
  const fact: Fact = { type: 'device.obtained', data: { pid, fd: from, device, as: fd } };
  return { seen, cloexec: true, fact, doubt: null };
}
