/**
 * Kernel profiles: named sets of rules. One of them judges each boot of a log.
 *
 * @module
 */

/**
 * Each profile and the profile that it extends. `rfc-2021` is not a kernel: it is what the series
 * "Introduce /dev/iommu" of September 2021 proposed, with everything else from `linux-7.3`.
 */
const origins = {
  'linux-6.1': null,
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
 * Whether a host has /dev/iommu and cdevs. `configured` is what the kernel's configuration says;
 * `linux-6.1` has neither in any case.
 */
export function hasIommufd(profile: Profile, configured: boolean): boolean {
  return configured && isSince(profile, 'linux-6.12');
}

/**
 * The first release that each profile stands for. They brought DMA ownership in the IOMMU core,
 * then cdevs, then tokens and PASIDs. Linux 7.2 was tested and answers as 7.3.
 */
const eras: readonly { readonly since: readonly [number, number]; readonly profile: Profile }[] = [
  { since: [5, 19], profile: 'linux-6.1' },
  { since: [6, 6], profile: 'linux-6.12' },
  { since: [7, 0], profile: 'linux-7.3' },
];

/** Kernels of RHEL have VFIO and iommufd of later releases. */
const rhel = /\.el\d+(?:_\d+)?(?:\W|$)/;
/** RHEL 9: ownership in the IOMMU core, and in its later updates cdevs. */
const rhel9 = /^5\.14\.0-.*\.el9(?:_\d+)?(?:\W|$)/;

/**
 * The profile for a kernel release such as `6.12.107-amd64`; null for releases before 5.19 other than
 * those of RHEL 9.
 */
export function profileOfKernel(release: string): Profile | null {
  if (rhel9.test(release)) return 'linux-6.12';
  const [, major, minor] = /^(\d+)\.(\d+)/.exec(release) ?? [];
  if (major === undefined || minor === undefined) return null;
  const version = Number(major) * 1000 + Number(minor);
  return eras.findLast(({ since: [x, y] }) => x * 1000 + y <= version)?.profile ?? null;
}

/**
 * Whether the profile of a kernel release was recorded of another one, so that the rules of a neighbour
 * judge it: 6.8 is judged as 6.12, and a kernel that a distribution has changed as the nearest one.
 */
export function isNeighbour(release: string): boolean {
  const profile = profileOfKernel(release);
  const [own] = /^\d+\.\d+/.exec(release) ?? [];
  return profile !== null && (profile !== `linux-${own}` || rhel.test(release));
}

/** The profile that judges a boot: the one that was `named`, or that of the kernel release. */
export function bootProfile(kernel: string, named: string | null): Profile {
  const profile = named ?? profileOfKernel(kernel);
  return profile !== null && isProfile(profile) ? profile : newestKernel;
}

/**
 * The profiles that a boot may have run by: all kernels' if neither a kernel release nor a profile
 * is known. `named`: the profile of the boot, or null; `isAssumed`: the boot was not recorded, and
 * the newest profile only stands in for an unknown one.
 */
export function bootProfiles(
  kernel: string,
  named: string | null,
  isAssumed: boolean,
): readonly Profile[] {
  const known = profileOfKernel(kernel);
  if (named !== null && isProfile(named) && !(isAssumed && named === newestKernel)) return [named];
  return known === null ? kernels : [known];
}
