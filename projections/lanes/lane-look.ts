/**
 * How a group or a device looks on its lane at one moment: its state, and the owner of its DMA.
 *
 * @module
 */
import type { DeviceAt, GroupAt, HostAt } from '../../machines/host-at.ts';
import { UNNAMED } from '../../machines/unshown.ts';
import { devicesFiles, deviceState } from '../device-state.ts';
import type { DeviceView, Owner } from '../shapes.ts';
import { bareOwnerOfDevice, ownerWithoutHolders } from '../views.ts';

/**
 * The state of a device is the one in the table. A group is `idle` while nobody owns it and its file is
 * closed, `open` while nobody owns it and its file is open, and `bound` while it has an owner. Both are
 * `absent` while they are not on the host.
 */
export type LaneState = DeviceView['state'];

/** Who owns the DMA of the group, as `OWNER` says it; never `none`. */
export interface LaneOwner {
  readonly kind: Exclude<Owner['kind'], 'none'>;
  readonly file: Owner['file'];
}

export interface LaneLook {
  readonly state: LaneState;
  /** Null if nobody is the owner. */
  readonly owner: LaneOwner | null;
}

export const absent: LaneLook = { state: 'absent', owner: null };
export const unknownLook: LaneLook = { state: 'unknown', owner: { kind: 'unknown', file: null } };

export function isSameLook(one: LaneLook | null, other: LaneLook | null): boolean {
  if (one === null || other === null) return one === other;
  const [a, b] = [one.owner, other.owner];
  return one.state === other.state && a?.kind === b?.kind && a?.file === b?.file;
}

export function laneOwner({ kind, file }: Owner): LaneOwner | null {
  return kind === 'none' ? null : { kind, file };
}

/** The looks of groups and devices on one host; null for what is not on it. */
export class Looks {
  readonly #host: HostAt;
  readonly #hasUnnamed: boolean;
  #files: ReturnType<typeof devicesFiles> | null = null;

  /** `hasUnnamed` says whether any device of the log has no name. */
  constructor(host: HostAt, hasUnnamed: boolean) {
    this.#host = host;
    this.#hasUnnamed = hasUnnamed;
  }

  group(id: string): LaneLook | null {
    const group = this.#host.group(id);
    if (group === undefined) return null;
    const owner = laneOwner(ownerWithoutHolders(group));
    return { state: groupState(group, owner), owner };
  }

  device(id: string): LaneLook | null {
    const device = this.#host.device(id);
    if (device === undefined) return null;
    const owner = bareOwnerOfDevice(this.#host, device, this.#filesOf(device));
    const unnamed = this.#hasUnnamed ? this.#allFiles.unnamed : none;
    return { state: deviceState(this.#host, device, owner, unnamed), owner: laneOwner(owner) };
  }

  /** The owner of a device depends on its files only if its group is not known. */
  #filesOf({ device, group }: DeviceAt) {
    return group === null ? (this.#allFiles.of.get(device) ?? []) : [];
  }

  get #allFiles(): ReturnType<typeof devicesFiles> {
    return (this.#files ??= devicesFiles(this.#host));
  }
}

const none: ReadonlySet<string> = new Set();

function groupState({ opener }: GroupAt, owner: LaneOwner | null): LaneState {
  if (owner !== null) return owner.kind === 'unknown' ? 'unknown' : 'bound';
  return opener === null ? 'idle' : 'open';
}

/** Whether any of the devices stands for one that the evidence does not name. */
export function hasUnnamed(devices: readonly string[]): boolean {
  return devices.includes(UNNAMED);
}
