/**
 * The invariants of a history: what must hold at every moment. `words/invariants.ts` says each in a
 * sentence.
 *
 * An invariant is judged on the claims of the evidence; some compare these claims with the
 * machines. A history that the rules allow violates none. A violation means a gap in the evidence,
 * a wrong rule, or a kernel that broke its own rules.
 *
 * @module
 */
import { textGiven } from '../../events/given.ts';
import { RequestError } from '../../events/ledger-error.ts';
import { meantClause } from '../../events/nearest.ts';
import type { GroupAt, HostAt } from '../../machines/host-at.ts';
import { isSince, type Profile } from '../../machines/profile.ts';
import type { FileId } from '../../processes/process-table.ts';
import type { ClaimedFile } from './claimed.ts';
import type { ClaimedHost } from './claimed-host.ts';

/** A group after an event: in the claims, and in the machines. */
interface GroupMoment {
  readonly group: string;
  readonly claims: Pick<ClaimedHost, 'files' | 'filesOf' | 'ownersOf' | 'kernelDriversIn'>;
  readonly host: Pick<HostAt, 'group'>;
}

/** The data of a violation of each invariant; files by id. */
interface Violations {
  'one-context-per-group': { readonly owners: readonly FileId[] };
  'no-user-owner-beside-kernel-driver': { readonly owner: FileId; readonly driver: string };
  'no-group-file-beside-bound-cdev': {
    /** The group's files. */
    readonly open: readonly FileId[];
    /** Bound files of its devices. */
    readonly bound: readonly FileId[];
  };
  'one-open-file-per-group': { readonly open: readonly FileId[] };
  'one-bound-file-per-device': { readonly device: string; readonly open: readonly FileId[] };
  /** `open` is a device's file. */
  'container-device-keeps-group-open': { readonly open: FileId };
  'release-ends-ownership': { readonly owner: FileId };
  'owner-is-claimed': {
    /** The owner in the machines; null for none. */
    readonly owner: FileId | null;
    readonly claimed: readonly FileId[];
  };
}

export type InvariantName = keyof Violations;

/** A violation of an invariant in a group. */
export interface Violation<N extends InvariantName = InvariantName> {
  readonly invariant: N;
  readonly group: string;
  readonly by: Violations[N];
}

export interface Invariant<N extends InvariantName = InvariantName> {
  /** The kernel function that ensures it (file:function), and a mail that states it. */
  readonly source: string;
  /** The first profile that has it; absent if all profiles do. */
  readonly since?: Profile;
  /** What violates it in a group at a moment; null if it holds. */
  readonly violation: (moment: GroupMoment) => Violations[N] | null;
}

const idsOf = (files: readonly ClaimedFile[]): FileId[] => files.map(({ id }) => id);

const boundFiles = ({ claims, group }: GroupMoment): ClaimedFile[] =>
  claims
    .filesOf(group)
    .filter(({ kind, isGranted, context }) => kind === 'device' && !isGranted && context !== null);

const liveGroupFiles = ({ claims, group }: GroupMoment): ClaimedFile[] =>
  claims.filesOf(group).filter(({ kind, isDead }) => kind === 'group' && !isDead);

/** The group in the machines; undefined if its owner is unknown there. */
function known({ host, group }: GroupMoment): GroupAt | undefined {
  const found = host.group(group);
  return found?.isUnknown === false ? found : undefined;
}

export const invariants: { readonly [N in InvariantName]: Invariant<N> } = {
  'one-context-per-group': {
    source: 'iommu/iommu.c:iommu_group_claim_dma_owner; RFC 08/20 of September 2021',
    violation: ({ claims, group }) => {
      const owners = claims.ownersOf(group);
      return owners.length < 2 ? null : { owners };
    },
  },
  'no-user-owner-beside-kernel-driver': {
    source: 'iommu/iommu.c:iommu_device_use_default_domain',
    since: 'linux-6.1',
    violation: ({ claims, group }) => {
      const [driver] = claims.kernelDriversIn(group);
      const [owner] = driver === undefined ? [] : claims.ownersOf(group);
      return owner === undefined || driver === undefined ? null : { owner, driver };
    },
  },
  'no-group-file-beside-bound-cdev': {
    source: 'vfio/group.c:vfio_device_block_group',
    since: 'linux-6.12',
    violation: (moment) => {
      const [bound, open] = [boundFiles(moment), liveGroupFiles(moment)];
      if (bound.length === 0 || open.length === 0) return null;
      return { open: idsOf(open), bound: idsOf(bound) };
    },
  },
  'one-open-file-per-group': {
    source: 'vfio/group.c:vfio_group_fops_open',
    violation: (moment) => {
      const open = liveGroupFiles(moment);
      return open.length < 2 ? null : { open: idsOf(open) };
    },
  },
  'one-bound-file-per-device': {
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
        return { device, open: idsOf(open) };
      }
      return null;
    },
  },
  'container-device-keeps-group-open': {
    source: 'vfio/container.c:vfio_group_use_container',
    violation: (moment) => {
      const files = moment.claims.filesOf(moment.group);
      const device = files.find(({ isGranted, isIommufd }) => isGranted && !isIommufd);
      if (device === undefined || known(moment)?.opener !== null) return null;
      return { open: device.id };
    },
  },
  'release-ends-ownership': {
    source: 'fs/file_table.c:__fput, vfio/vfio_main.c:vfio_device_fops_release',
    violation: (moment) => {
      const { owner } = known(moment) ?? {};
      if (owner == null || moment.claims.files.has(owner)) return null;
      return { owner };
    },
  },
  'owner-is-claimed': {
    source: 'iommu/iommu.c:iommu_group_dma_owner_claimed',
    violation: (moment) => {
      const group = known(moment);
      if (group === undefined) return null;
      const claimed = moment.claims.ownersOf(moment.group);
      const { owner } = group;
      if (claimed.length < 2 && (claimed[0] ?? null) === owner) return null;
      return { owner, claimed };
    },
  },
};

export const invariantNames = Object.keys(invariants) as InvariantName[];

/** The violation of an invariant in a group at a moment; null if it holds. */
export function violationOf<N extends InvariantName>(
  invariant: N,
  moment: GroupMoment,
): Violation<N> | null {
  const by = invariants[invariant].violation(moment);
  return by === null ? null : { invariant, group: moment.group, by };
}

/** An invariant by its name. Throws `bad-request`, which lists the names, for an unknown one. */
export function invariantNamed(given: string): InvariantName {
  const name = textGiven(given);
  if (Object.hasOwn(invariants, name)) return name as InvariantName;
  const known = invariantNames.join(', ');
  const meant = meantClause(name, invariantNames);
  throw new RequestError(`no invariant '${name}'; known are ${known}${meant}`);
}

/** Whether a profile has an invariant. */
export function holdsFor(name: InvariantName, profile: Profile): boolean {
  const { since } = invariants[name];
  return since === undefined || isSince(profile, since);
}
