/**
 * Why a rule that no recorded answer has confirmed cannot be, on the kernels and hosts that we ask.
 *
 * @module
 */
import { applies } from '../machines/operations.ts';
import type { Profile } from '../machines/profile.ts';
import type { Item } from './coverage.ts';

interface Reason {
  readonly why: string;
  /** As of a check: which profiles it is about. */
  readonly since?: Profile;
  readonly until?: Profile;
  /** The items that it is about; see `coverage.ts` for how they are spelled. */
  readonly about: RegExp;
}

const masked = 'an earlier check of the same operation always meets this owner first: ';

const reasons: readonly Reason[] = [
  {
    until: 'linux-6.1',
    about: /^group: (unowned .*--> kernel|kernel .*)$/,
    why: 'before Linux 5.19 a kernel driver claims nothing, so it owns no group',
  },
  {
    until: 'linux-6.1',
    about: /group\.died|\[lastMember\]/,
    why: 'before Linux 5.19 a group lives as long as its file',
  },
  {
    since: 'linux-6.1',
    about: /^device: idle --driver\.unbind-blocked \[forContainer\]/,
    why: 'since Linux 5.19 no device waits for the container of its group',
  },
  {
    until: 'linux-6.12',
    about: /^iommufd: |^groupFile: .*iommufd|^group: .*iommufd|^groupFile: dead /,
    why: 'Linux 6.1 and older have no iommufd that could be a container or an owner',
  },
  {
    until: 'linux-6.12',
    about: /^group: (unowned|kernel) --container\.(set|unset).*--> (unowned|kernel)$/,
    why: 'a container that claims nothing is an iommufd, and Linux 6.1 and older have none',
  },
  {
    since: 'linux-6.12',
    until: 'linux-7.3',
    about: /^iommufd: .*--pasid\./,
    why: 'Linux 6.12 refuses the flag for a PASID',
  },
  {
    about: /^open_group: EPERM needs-cap-sys-rawio/,
    why: 'needs a device without an IOMMU, and CONFIG_VFIO_NOIOMMU: not modelled so far',
  },
  {
    about: /^open_iommufd: ENOENT/,
    since: 'linux-6.12',
    why: 'the kernels that were asked have iommufd; one that is built without has no such node',
  },
  {
    about: /^bind: EPERM owned-by-container/,
    why: `${masked}its group file is open, or pinned`,
  },
  {
    about: /^get_device: EPERM owned-by-container/,
    why: `${masked}the file that is asked has another container, or is dead`,
  },
  {
    about: /^set_container: EPERM owned-by-container/,
    why: `${masked}a group has one live file, and that one has a container already`,
  },
  {
    until: 'linux-6.12',
    about: /^get_device: EPERM owned-by-kernel-driver/,
    why: `${masked}set_container was refused, and without a container nothing is got`,
  },
];

/** Why an item is not confirmed; null where nobody has said. */
export function reasonFor(profile: Profile, item: Item): string | null {
  const reason = reasons.find((reason) => applies(reason, profile) && reason.about.test(item));
  return reason?.why ?? null;
}
