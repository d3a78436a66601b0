/**
 * Kernel profiles: named sets of rules. One of them judges each boot of a log.
 *
 * @module
 */
import type { DriverKind } from '../operations/driver.ts';

/**
 * Each profile and the profile that it extends. `rfc-2021` is not a kernel: it is what the series
 * "Introduce /dev/iommu" of September 2021 proposed, with everything else from `linux-7.3`.
 */
const origins = {
  'linux-5.10': null,
  'linux-6.1': 'linux-5.10',
  'linux-6.12': 'linux-6.1',
  'linux-7.3': 'linux-6.12',
  'rfc-2021': 'linux-7.3',
} as const;

export type Profile = keyof typeof origins;
export const profiles = Object.keys(origins) as Profile[];

/** The profiles of kernels. */
export const kernels: readonly Profile[] = profiles.filter((profile) => profile !== 'rfc-2021');

/** The newest kernel profile; it judges where neither profile nor kernel release names another. */
export const newestKernel: Profile = 'linux-7.3';

export function isProfile(name: string): name is Profile {
  return Object.hasOwn(origins, name);
}

/** The profile that a profile extends; null for the first one. */
export function originOf(profile: Profile): Profile | null {
  return origins[profile];
}

/** Whether a profile is the other one, or extends it directly or indirectly. */
export function isSince(profile: Profile, other: Profile): boolean {
  if (profile === other) return true;
  const origin = originOf(profile);
  return origin !== null && isSince(origin, other);
}

/**
 * Whether the IOMMU core keeps an owner of each group's DMA (5.19). It is claimed by kernel drivers
 * when they probe, and by users. Before, VFIO asked every member's driver whenever it had to know.
 */
export function hasDmaOwner(profile: Profile): boolean {
  return isSince(profile, 'linux-6.1');
}

/** Whether a driver claims the DMA of its device's group when it probes. */
export function claimsDma(profile: Profile, kind: DriverKind): boolean {
  return kind === 'kernel' && hasDmaOwner(profile);
}

/**
 * Whether VFIO's group ends with its last device, even if its file is open. Before, it lived as long
 * as its file, and a container kept the last device of its group from being unbound.
 */
export function groupsDie(profile: Profile): boolean {
  return isSince(profile, 'linux-6.1');
}

/**
 * Whether a host has /dev/iommu and cdevs. `configured` is what the kernel's configuration says;
 * `linux-6.1` and older kernels have neither in any case.
 */
export function hasIommufd(profile: Profile, configured: boolean): boolean {
  return configured && isSince(profile, 'linux-6.12');
}
