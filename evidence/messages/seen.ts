/**
 * `SeenCounts`: the number of statements of each kind that were read in messages and listings.
 *
 * @module
 */

/** The tool that printed a driver; groups are `iommu_groups`, whoever printed them. */
export type DeviceListingKind =
  | 'lspci'
  | 'dpdk-devbind'
  | 'setup.sh'
  | 'driverctl'
  | 'sysfs'
  | 'virsh'
  | 'iommu_groups';

/**
 * A refusal or a claim that a program tells of, a message of the kernel, or in a listing, a holder, the
 * driver or the group of a device, or (`ls -l`) a node.
 */
export type SeenKind =
  | 'refusal'
  | 'claim'
  | 'kernel'
  | 'lsof'
  | 'fuser'
  | 'ls'
  | 'ls -l'
  | 'fdinfo'
  | DeviceListingKind;

export type SeenCounts = Readonly<Partial<Record<SeenKind, number>>>;
