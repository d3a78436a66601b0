/**
 * Kernel profiles: whose rules judge a log.
 *
 * @module
 */

/** The kernels whose rules are known, oldest first. */
export const profiles = ['linux-6.1', 'linux-6.12', 'linux-7.3'] as const;
export type Profile = (typeof profiles)[number];

export function isProfile(name: string): name is Profile {
  return (profiles as readonly string[]).includes(name);
}

/**
 * The profile that stands for a kernel release such as `6.12.107-amd64`: the newest one that is not
 * newer than the release. Null for releases before the first profile and for what is no release.
 */
export function profileOfKernel(release: string): Profile | null {
  const [, major, minor] = /^(\d+)\.(\d+)/.exec(release) ?? [];
  if (major === undefined || minor === undefined) return null;
  const known = profiles.filter((profile) => {
    const [, ours = '', sub = ''] = /^linux-(\d+)\.(\d+)$/.exec(profile) ?? [];
    return Number(ours) < Number(major) || (ours === major && Number(sub) <= Number(minor));
  });
  return known.at(-1) ?? null;
}
