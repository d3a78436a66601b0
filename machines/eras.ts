/**
 * Eras: which release of Linux has the rules of which profile, and how that is known.
 *
 * @module
 */
import { isProfile, kernels, newestKernel, type Profile } from './profile.ts';

/**
 * `run`: recordings of that release are in `test/truth/`. `source`: its source was read.
 * `reported`: neither; the releases around it and the history of the kernel say so.
 */
type Knowledge = 'run' | 'source' | 'reported';

/** A release, and how it is known. */
interface Release {
  readonly release: string;
  readonly profile: Profile;
  /** Another profile, some of whose rules the release has. Null: none. */
  readonly beside: Profile | null;
  readonly by: Knowledge;
  /** The folder of the recordings, or the version and the files that were read; null if reported. */
  readonly how: string | null;
}

const releases: readonly Release[] = [
  ...reported('linux-5.10', '5.4', '5.5', '5.6', '5.7', '5.8', '5.9'),
  run('5.10', 'linux-5.10'),
  ...reported('linux-5.10', '5.11', '5.12', '5.13', '5.14'),
  read('5.15', 'linux-5.10', '5.15.85', 'vfio/vfio.c'),
  ...reported('linux-5.10', '5.16', '5.17', '5.18'),
  // The IOMMU core keeps an owner of each group's DMA.
  ...reported('linux-6.1', '5.19', '6.0'),
  run('6.1', 'linux-6.1'),
  // An iommufd can be a container. There are no cdevs yet.
  ...beside('linux-6.12', reported('linux-6.1', '6.2')),
  ...beside('linux-6.12', [read('6.3', 'linux-6.1', '6.3.2', 'vfio/group.c')]),
  ...beside('linux-6.12', reported('linux-6.1', '6.4', '6.5')),
  // Cdevs.
  ...reported('linux-6.12', '6.6', '6.7', '6.8', '6.9', '6.10', '6.11'),
  run('6.12', 'linux-6.12'),
  // Tokens and PASIDs have come in between.
  ...beside(
    'linux-7.3',
    reported('linux-6.12', '6.13', '6.14', '6.15', '6.16', '6.17', '6.18', '6.19'),
  ),
  ...reported('linux-7.3', '7.0', '7.1'),
  // The files differ from those of 7.3 only in no-IOMMU.
  read('7.2', 'linux-7.3', '7.2.13', 'vfio/group.c', 'vfio/vfio_main.c', 'vfio/device_cdev.c'),
  run('7.3', 'linux-7.3'),
];

function run(release: string, profile: Profile): Release {
  return { release, profile, beside: null, by: 'run', how: `test/truth/${profile}` };
}

function read(release: string, profile: Profile, of: string, ...files: string[]): Release {
  return { release, profile, beside: null, by: 'source', how: [of, ...files].join(' ') };
}

function reported(profile: Profile, ...names: readonly string[]): Release[] {
  const by = { profile, beside: null, by: 'reported', how: null } as const;
  return names.map((release) => ({ release, ...by }));
}

function beside(profile: Profile, those: readonly Release[]): Release[] {
  return those.map((release) => ({ ...release, beside: profile }));
}

/** Every release that is known, the oldest first. */
export function knownReleases(): readonly Release[] {
  return releases;
}

/**
 * Kernels of RHEL have VFIO and iommufd of later releases than their number says. Which of them is
 * not known, so none of their causes rests on the number.
 */
const rhel = /\.el\d+(?:_\d+)?(?:\W|$)/;
/** RHEL 9: ownership in the IOMMU core, and in its later updates cdevs. */
const rhel9 = /^5\.14\.0-.*\.el9(?:_\d+)?(?:\W|$)/;

/** The release that a kernel such as `6.12.107-amd64` is of, or the newest before it. */
function releaseOf(kernel: string): Release | null {
  const [, major, minor] = /^(\d+)\.(\d+)/.exec(kernel) ?? [];
  if (major === undefined || minor === undefined) return null;
  return releases.findLast(({ release }) => order(release) <= order(`${major}.${minor}`)) ?? null;
}

function order(release: string): number {
  const [major = 0, minor = 0] = release.split('.').map(Number);
  return major * 1000 + minor;
}

/** The profile for a kernel such as `6.12.107-amd64`; null for releases before 5.4. */
export function profileOfKernel(kernel: string): Profile | null {
  if (rhel9.test(kernel)) return 'linux-6.12';
  return releaseOf(kernel)?.profile ?? null;
}

/**
 * Whether the profile of a kernel was recorded of another release, so that the rules of a neighbour
 * judge it: 6.8 is judged as 6.12, and a kernel that a distribution has changed as the nearest one.
 */
export function isNeighbour(kernel: string): boolean {
  const profile = profileOfKernel(kernel);
  const [own] = /^\d+\.\d+/.exec(kernel) ?? [];
  return profile !== null && (profile !== `linux-${own}` || rhel.test(kernel));
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
  if (named !== null && isProfile(named) && !(isAssumed && named === newestKernel)) return [named];
  const release = releaseOf(kernel);
  if (release === null || rhel.test(kernel)) return kernels;
  return release.beside === null ? [release.profile] : [release.profile, release.beside];
}
