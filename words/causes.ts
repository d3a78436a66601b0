/**
 * A sentence for each cause of a refusal, without a full stop.
 *
 * @module
 */
import type { ObservedCause } from '../machines/causes.ts';

const sentences: Readonly<Record<ObservedCause, string>> = {
  'already-attached': 'the device is already attached; it has to be detached first',
  'bad-descriptor': 'a descriptor in the call is not open in that process',
  'cdev-bound-in-group':
    'a device of the group is bound through its cdev, so the group cannot be opened',
  'container-already-set': 'the group already has a container',
  'container-empty': 'no group is in the container yet',
  'container-in-use': 'a device of the group is open and uses the container',
  'device-leaving': 'the driver of the device is being unbound',
  'device-open-elsewhere': 'another file has the device open',
  'driver-change-pending': 'an earlier driver change is pending: bg_wait has not collected it',
  'file-already-bound': 'this device file is already bound; only its last close unbinds it',
  'group-already-open': 'another file of the group is open; only one can be open at a time',
  'group-dead': 'the last VFIO device has left the group that this file was opened for',
  'group-file-open':
    'a file of the group is open, so no device of the group can be bound through its cdev',
  'group-not-viable': 'a device of the group is on a kernel driver, so the group is not viable',
  'group-pinned-by-device-file':
    'no descriptor of the group file is left, but an open device file keeps it alive',
  'iommu-already-set': 'the container already has an IOMMU driver',
  'malformed-argument': 'an argument is invalid, regardless of ownership',
  'mapper-gone':
    'a process mapped its memory into the IOAS and is gone or has executed another program, so the pages cannot be pinned',
  'needs-cap-sys-rawio': 'the caller lacks CAP_SYS_RAWIO, which a group without an IOMMU requires',
  'no-compat-ioas': 'the iommufd has no compatible IOAS that could act as a container',
  'no-container': 'the group has no container',
  'no-driver-change': 'there is no driver change to wait for',
  'no-iommu-driver': 'the container has no IOMMU driver: VFIO_SET_IOMMU has not been called',
  'no-such-device': 'no device of that name exists in the group or on the host',
  'no-such-node': 'the device node does not exist',
  'no-such-object': 'the iommufd has no object of that id and kind',
  'not-an-iommufd': 'the descriptor given is not an iommufd',
  'not-bound-yet': 'the file has to be bound to an iommufd first',
  'not-ownership': 'the device or its driver refused, for a reason other than ownership',
  'object-in-use': 'the object is still in use',
  'opened-through-group':
    'the device file came from its group; this operation needs one opened through the cdev',
  'owned-by-container': 'a container owns the DMA of the group',
  'owned-by-kernel-driver': 'a kernel driver owns the DMA of the group',
  'owned-by-other-iommufd': 'another iommufd owns the DMA of the group',
  'owned-by-user': 'user space owns the DMA of the group, so a kernel driver cannot be bound',
  'process-exists': 'the process already exists',
  'reset-not-owned': 'the reset affects devices that the caller has not proved to own',
  'sibling-attached-elsewhere': 'a device of the same group is attached to another page table',
  unsupported: 'this kernel or device does not support the operation',
  'wrong-file-kind': 'a file of this kind does not support the operation',
  unknown: 'the rules do not explain it',
};

/** What a missing node usually means, by the operation that opens it. */
const usually: Readonly<Record<string, string>> = {
  open_cdev: 'no VFIO driver has the device, or the node was not passed into the container',
  open_container: 'the module vfio is not loaded, or the node was not passed into the container',
  open_group:
    'no device of the group has a VFIO driver, or the node was not passed into the container',
  open_iommufd: 'the kernel has no iommufd, or the node was not passed into the container',
};

/** The sentence of a cause: the `summary` of an answer about a refusal of `operation`. */
export function causeWords(cause: ObservedCause, operation: string | null = null): string {
  const often = cause === 'no-such-node' ? usually[operation ?? ''] : undefined;
  return often === undefined ? sentences[cause] : `${sentences[cause]}; usually ${often}`;
}
