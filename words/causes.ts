/**
 * Causes of refusals, each in a sentence without its full stop.
 *
 * @module
 */
import type { ObservedCause } from '../machines/causes.ts';

const sentences: Readonly<Record<ObservedCause, string>> = {
  'already-attached': 'the device is attached already, and would have to be detached first',
  'bad-descriptor': 'a descriptor in the call is not open in that process',
  'cdev-bound-in-group':
    'a device of the group is bound through its cdev, which keeps group files out',
  'container-already-set': 'the group has a container already',
  'container-empty': 'no group is in the container yet',
  'container-in-use': 'a device of the group is open, and holds the container',
  'device-leaving': 'the driver of the device is being unbound',
  'device-open-elsewhere': 'another file of the device has it open',
  'driver-change-pending': 'an earlier driver change has not been seen to its end',
  'file-already-bound': 'this file of the device is bound already; only its last close unbinds it',
  'group-already-open': 'another file of the group is open; a group has one at a time',
  'group-dead': 'the last VFIO device has left the group that this file was opened for',
  'group-file-open': 'a file of the group is open, which keeps every device of it from being bound',
  'group-pinned-by-device-file':
    'no descriptor of the group file is left, but an open device still keeps it',
  'iommu-already-set': 'the container has its IOMMU driver already',
  'malformed-argument': 'an argument is out of bounds, whoever owns what',
  'needs-cap-sys-rawio': 'the caller lacks CAP_SYS_RAWIO, which a group without IOMMU asks for',
  'no-compat-ioas': 'the iommufd has no IOAS that could serve as a container',
  'no-container': 'the group has no container',
  'no-driver-change': 'there is no driver change to wait for',
  'no-iommu-driver': 'the container has no IOMMU driver: VFIO_SET_IOMMU has not been called',
  'no-such-device': 'no VFIO device of that name is in reach',
  'no-such-node': 'the node does not exist',
  'no-such-object': 'the iommufd has no object of that id and kind',
  'not-an-iommufd': 'the descriptor given is not an iommufd',
  'not-bound-yet': 'the file has to be bound to an iommufd first',
  'not-ownership': "the device's or driver's own refusal; nobody stands in the way",
  'object-in-use': 'something still uses the object',
  'opened-through-group': 'the device was opened through its group, and stays with the group',
  'owned-by-container': 'the group is owned through a container',
  'owned-by-kernel-driver': 'a kernel driver uses the DMA of the group',
  'owned-by-other-iommufd': 'another iommufd owns the group',
  'owned-by-user': 'user space owns the DMA of the group, so a kernel driver may not start',
  'process-exists': 'the process is there already',
  'reset-not-owned': 'the reset would hit devices that the caller has not shown to own',
  'sibling-attached-elsewhere': 'a device of the same group is attached to another page table',
  unsupported: 'this kernel or device does not know it',
  'wrong-file-kind': 'the descriptor is of a kind that does not take this operation',
  unknown: 'the rules do not explain it',
};

/** What a cause means: the `summary` of an answer. */
export function causeWords(cause: ObservedCause): string {
  return sentences[cause];
}
