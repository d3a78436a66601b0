/**
 * Kernel profiles: whose rules judge a log.
 *
 * @module
 */

/**
 * Every profile, and the one whose rules it goes on from. `rfc-2021` is no kernel: it is what the
 * series "Introduce /dev/iommu" of September 2021 proposed, on everything else of `linux-7.3`.
 */
const origins = {
  'linux-6.1': null,
  'linux-6.12': 'linux-6.1',
  'linux-7.3': 'linux-6.12',
  'rfc-2021': 'linux-7.3',
} as const;

export type Profile = keyof typeof origins;
export const profiles = Object.keys(origins) as Profile[];

/** The newest kernel: whose rules hold where nobody has said whose. */
export const newestKernel: Profile = 'linux-7.3';

export function isProfile(name: string): name is Profile {
  return Object.hasOwn(origins, name);
}

/** The profile whose rules a profile goes on from; null for the first. */
export function originOf(profile: Profile): Profile | null {
  return origins[profile];
}

/** Whether a profile has what came with another: it is that one, or goes on from it. */
export function isSince(profile: Profile, other: Profile): boolean {
  if (profile === other) return true;
  const origin = originOf(profile);
  return origin !== null && isSince(origin, other);
}

/**
 * Whether there are /dev/iommu and cdevs on a host that is configured to have them: 6.1 has neither,
 * whatever its configuration says.
 */
export function hasIommufd(profile: Profile, configured: boolean): boolean {
  return configured && isSince(profile, 'linux-6.12');
}

/**
 * From which release on a profile stands for the kernels that follow: DMA ownership in the IOMMU
 * core, then cdevs, then tokens and PASIDs. 7.2 was asked, and answers as 7.3.
 */
const eras: readonly { readonly since: readonly [number, number]; readonly profile: Profile }[] = [
  { since: [5, 19], profile: 'linux-6.1' },
  { since: [6, 6], profile: 'linux-6.12' },
  { since: [7, 0], profile: 'linux-7.3' },
];

/** The profile that stands for a kernel release such as `6.12.107-amd64`; null for older ones. */
export function profileOfKernel(release: string): Profile | null {
  const [, major, minor] = /^(\d+)\.(\d+)/.exec(release) ?? [];
  if (major === undefined || minor === undefined) return null;
  const version = Number(major) * 1000 + Number(minor);
  return eras.findLast(({ since: [x, y] }) => x * 1000 + y <= version)?.profile ?? null;
}
