/**
 * What must hold at every moment of a history, by name.
 *
 * An invariant is judged on what the evidence claims, and, where it says how the two go together, on
 * what the machines made of it. In a history that the rules allow none is ever violated; a violation
 * is a gap in the evidence, a rule that is wrong, or a kernel that broke its own.
 *
 * @module
 */
import { RequestError } from '../../events/ledger-error.ts';
import type { GroupAt, HostAt } from '../../machines/host-at.ts';
import { isSince, type Profile } from '../../machines/profile.ts';
import type { ClaimedFile } from './claimed.ts';
import type { Claims } from './claims.ts';

/** A group after an event: as it is claimed to be, and as the machines have it. */
interface GroupMoment {
  readonly group: string;
  readonly claims: Claims;
  readonly host: Pick<HostAt, 'group'>;
}

export interface Invariant {
  /** What it says, in a sentence. */
  readonly summary: string;
  /** Where the kernel sees to it, or who said so. */
  readonly source: string;
  /** The first profile that it holds for; every one when left out. */
  readonly since?: Profile;
  /** How it is violated in a group at a moment; null where it holds. */
  readonly violation: (moment: GroupMoment) => string | null;
}

const named = (files: readonly ClaimedFile[]): string => files.map(({ id }) => id).join(', ');

const boundFiles = ({ claims, group }: GroupMoment): ClaimedFile[] =>
  claims
    .filesOf(group)
    .filter(({ kind, isGranted, context }) => kind === 'device' && !isGranted && context !== null);

const liveGroupFiles = ({ claims, group }: GroupMoment): ClaimedFile[] =>
  claims.filesOf(group).filter(({ kind, isDead }) => kind === 'group' && !isDead);

/** The group as the machines have it, where they know who owns it. */
function known({ host, group }: GroupMoment): GroupAt | undefined {
  const found = host.group(group);
  return found?.isUnknown === false ? found : undefined;
}

export const invariants = {
  'one-context-per-group': {
    summary: 'all that owns a group at a time is one context: one iommufd, or one container',
    source: 'iommu/iommu.c:iommu_group_claim_dma_owner; RFC 08/20 of September 2021',
    violation: ({ claims, group }) => {
      const owners = claims.ownersOf(group);
      return owners.length < 2 ? null : `group ${group} is claimed by ${owners.join(' and ')}`;
    },
  },
  'no-user-owner-beside-kernel-driver': {
    summary: 'user space owns no group in which a kernel driver does DMA',
    source: 'iommu/iommu.c:iommu_device_use_default_domain',
    violation: ({ claims, group }) => {
      const [owner] = claims.ownersOf(group);
      const [driver] = claims.kernelDriversIn(group);
      if (owner === undefined || driver === undefined) return null;
      return `group ${group} is claimed by ${owner} while ${driver} does DMA in it`;
    },
  },
  'no-group-file-beside-bound-cdev': {
    summary: 'while a device of a group is bound through its cdev, no file of the group is open',
    source: 'vfio/group.c:vfio_device_block_group',
    since: 'linux-6.12',
    violation: (moment) => {
      const [bound, open] = [boundFiles(moment), liveGroupFiles(moment)];
      if (bound.length === 0 || open.length === 0) return null;
      return `group ${moment.group} is open as ${named(open)} while ${named(bound)} is bound`;
    },
  },
  'one-open-file-per-group': {
    summary: 'a group has one open file at a time',
    source: 'vfio/group.c:vfio_group_fops_open',
    violation: (moment) => {
      const open = liveGroupFiles(moment);
      return open.length < 2 ? null : `group ${moment.group} is open as ${named(open)}`;
    },
  },
  'one-bound-file-per-device': {
    summary: 'a device that is bound through its cdev is open through that one file alone',
    source: 'vfio/vfio_main.c:vfio_df_open',
    since: 'linux-6.12',
    violation: ({ claims, group }) => {
      const files = claims.filesOf(group).filter(({ context, isGranted }) => {
        return isGranted || context !== null;
      });
      const devices = Map.groupBy(files, ({ device }) => device);
      for (const [device, open] of devices) {
        const bound = open.filter(({ isGranted }) => !isGranted);
        if (device === null || bound.length === 0 || open.length < 2) continue;
        return `device ${device} is open through ${named(open)}`;
      }
      return null;
    },
  },
  'container-device-keeps-group-open': {
    summary: 'while a device that was got through a container is open, so is the file of its group',
    source: 'vfio/container.c:vfio_group_use_container',
    violation: (moment) => {
      const files = moment.claims.filesOf(moment.group);
      const device = files.find(({ isGranted, isIommufd }) => isGranted && !isIommufd);
      if (device === undefined || known(moment)?.opener !== null) return null;
      return `${device.id} is open, and no file of group ${moment.group} is`;
    },
  },
  'release-ends-ownership': {
    summary: 'who owns a group has a file that is alive; with its last release the ownership ends',
    source: 'fs/file_table.c:__fput, vfio/vfio_main.c:vfio_device_fops_release',
    violation: (moment) => {
      const { owner } = known(moment) ?? {};
      if (owner == null || moment.claims.files.has(owner)) return null;
      return `group ${moment.group} is owned by ${owner}, which nobody keeps alive`;
    },
  },
  'owner-is-claimed': {
    summary: 'the owner that the machines name is the one whose files are there, and nobody else',
    source: 'iommu/iommu.c:iommu_group_dma_owner_claimed',
    violation: (moment) => {
      const group = known(moment);
      if (group === undefined) return null;
      const owners = moment.claims.ownersOf(moment.group);
      const { owner } = group;
      if (owners.length < 2 && (owners[0] ?? null) === owner) return null;
      return `group ${moment.group} is owned by ${owner ?? 'nobody'}, claimed by ${owners.join(' and ') || 'nobody'}`;
    },
  },
} as const satisfies Record<string, Invariant>;

export type InvariantName = keyof typeof invariants;
export const invariantNames = Object.keys(invariants) as InvariantName[];

/** An invariant by its name. Throws `RequestError`, which lists them. */
export function invariantNamed(name: string): InvariantName {
  if (Object.hasOwn(invariants, name)) return name as InvariantName;
  const known = invariantNames.join(', ');
  throw new RequestError(`no invariant '${name}'; there are ${known}`);
}

/** Whether an invariant is one of the rules of a profile. */
export function holdsFor(name: InvariantName, profile: Profile): boolean {
  const { since }: Invariant = invariants[name];
  return since === undefined || isSince(profile, since);
}
