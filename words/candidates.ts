/**
 * Commands for a host: the output of each tells whether a refusal had a cause.
 *
 * @module
 */
import type { Cause } from '../machines/causes.ts';
import type { RefusedAt } from '../projections/why/candidates.ts';

const openGroups = ({ group }: RefusedAt) => `fuser -v /dev/vfio/${group ?? '*'}`;
const openDevices = () => "lsof -n | grep -F -e /dev/vfio -e '[vfio-device]'";
const openCdevs = () => 'fuser -v /dev/vfio/devices/*';
const openIommufds = () => 'fuser -v /dev/iommu';
const nodes = ({ group }: RefusedAt) =>
  `ls -l /dev/vfio /dev/vfio/devices /dev/iommu /sys/kernel/iommu_groups/${group ?? '*'}/devices`;
const kernelMessages = ({ device }: RefusedAt) =>
  `dmesg | grep -i -e vfio -e iommu -e dmar${device === null ? '' : ` -e ${device}`}`;
const kernel = () => 'uname -r';
const capabilities = ({ pid }: RefusedAt) => `grep CapEff /proc/${pid ?? 'PID'}/status`;
const calls = ({ pid }: RefusedAt) =>
  `strace -f -yy -e trace=openat,close,dup,ioctl -p ${pid ?? 'PID'}`;
const mappers = ({ pid }: RefusedAt) =>
  `strace -f -yy -e trace=ioctl,execve,exit_group -p ${pid ?? 'PID'}`;

function drivers({ group, device }: RefusedAt): string {
  if (group !== null) return `ls -l /sys/kernel/iommu_groups/${group}/devices/*/driver`;
  const one = device ?? '*';
  return `ls -l /sys/bus/pci/devices/${one}/iommu_group/devices/*/driver`;
}

const commands: Readonly<Record<Cause, (at: RefusedAt) => string>> = {
  'already-attached': calls,
  'bad-descriptor': calls,
  'cdev-bound-in-group': openCdevs,
  'container-already-set': calls,
  'container-empty': calls,
  'container-in-use': openDevices,
  'device-leaving': kernelMessages,
  'device-open-elsewhere': openDevices,
  'driver-change-pending': kernelMessages,
  'file-already-bound': calls,
  'group-already-open': openGroups,
  'group-dead': nodes,
  'group-file-open': openGroups,
  'group-not-viable': drivers,
  'group-pinned-by-device-file': openDevices,
  'iommu-already-set': calls,
  'malformed-argument': calls,
  'mapper-gone': mappers,
  'needs-cap-sys-rawio': capabilities,
  'no-compat-ioas': calls,
  'no-container': calls,
  'no-driver-change': kernelMessages,
  'no-iommu-driver': calls,
  'no-such-device': nodes,
  'no-such-node': nodes,
  'no-such-object': calls,
  'not-an-iommufd': calls,
  'not-bound-yet': calls,
  'not-ownership': kernelMessages,
  'object-in-use': calls,
  'opened-through-group': calls,
  'owned-by-container': openGroups,
  'owned-by-kernel-driver': drivers,
  'owned-by-other-iommufd': openIommufds,
  'owned-by-user': openDevices,
  'process-exists': calls,
  'reset-not-owned': openDevices,
  'sibling-attached-elsewhere': calls,
  unsupported: kernel,
  'wrong-file-kind': calls,
};

const nowhere: RefusedAt = { group: null, device: null, pid: null };

/** The command that tells whether a refusal had a cause. */
export function commandFor(cause: Cause, at: RefusedAt | null): string {
  return commands[cause](at === null ? nowhere : safe(at));
}

/** Only what is a number of a group or an address: evidence may hold any text, and a shell reads it. */
function safe({ group, device, pid }: RefusedAt): RefusedAt {
  return {
    group: /^(?:noiommu-)?\d+$/.test(group ?? '') ? group : null,
    device: /^[\da-f]{4,8}:[\da-f]{2}:[\da-f]{2}\.[0-7]$/i.test(device ?? '') ? device : null,
    pid,
  };
}
