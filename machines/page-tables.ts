/**
 * The objects of an iommufd, and which devices use its page tables: one for the requests of a group
 * that carry no PASID, and one for each PASID that a device of the group is attached with
 * (iommu/iommufd/device.c: `pasid_attach` of struct iommufd_group).
 *
 * @module
 */

export type IommufdObject =
  | {
      readonly kind: 'ioas';
      /** The pids of the living processes whose address space has been mapped into it. */
      readonly mappers: readonly number[];
      /** Whether the address space of any mapper is gone, by an exec or the end of its process. */
      readonly isMapperGone: boolean;
    }
  | { readonly kind: 'device' }
  | {
      readonly kind: 'hwpt';
      readonly ioas: number;
      /** Made by an attach to an IOAS, and destroyed with its last user. */
      readonly auto: boolean;
      /** Number of attached devices; a device counts once more for each of its PASIDs. */
      readonly users: number;
      /** Allocated with IOMMU_HWPT_ALLOC_PASID. */
      readonly isForPasids: boolean;
    };

/** The page table of a PASID, which the devices of a group share (struct iommufd_attach). */
export interface PasidTable {
  readonly group: string;
  /** From 1 on. PASID 0 stands for requests without one, whose page table the group has. */
  readonly pasid: number;
  readonly hwpt: number;
  /** The ids of the devices that are attached with that PASID. */
  readonly devices: readonly number[];
}

/** Devices that move to a page table: `users` of them, away from `from` if they had another. */
export interface Attachment {
  readonly hwpt: number;
  /** The IOAS behind it. */
  readonly ioas: number;
  /** Whether the kernel makes the page table itself, if it does not exist yet. */
  readonly auto: boolean;
  readonly users: number;
  readonly from: number | null;
}

/** A PASID of a device, which has that id and is in that group. */
export interface PasidOfDevice {
  readonly group: string;
  readonly pasid: number;
  readonly device: number;
}

/** Whether an IOAS has a page table. */
export function isInUse(objects: ReadonlyMap<number, IommufdObject>, ioas: number): boolean {
  for (const object of objects.values()) {
    if (object.kind === 'hwpt' && object.ioas === ioas) return true;
  }
  return false;
}

/** Moves devices to a page table; makes it if it does not exist. */
export function attach(
  objects: Map<number, IommufdObject>,
  { hwpt, ioas, auto, users, from }: Attachment,
) {
  if (from === hwpt) return;
  const known = objects.get(hwpt);
  objects.set(
    hwpt,
    known?.kind === 'hwpt'
      ? { ...known, users: known.users + users }
      : { kind: 'hwpt', ioas, auto, users, isForPasids: false },
  );
  if (from !== null) leave(objects, from, users);
}

/** The page table of a PASID of a group; undefined if no device of the group is attached with it. */
export function pasidTable(
  pasids: readonly PasidTable[],
  group: string,
  pasid: number,
): PasidTable | undefined {
  return pasids.find((table) => table.group === group && table.pasid === pasid);
}

/**
 * Attaches a PASID of a device to a page table, and returns the page tables of all PASIDs. A device
 * that is attached with the PASID takes along those that share its page table.
 */
export function attachPasid(
  objects: Map<number, IommufdObject>,
  pasids: readonly PasidTable[],
  { group, pasid, device, hwpt }: PasidOfDevice & { readonly hwpt: number },
): readonly PasidTable[] {
  const there = pasidTable(pasids, group, pasid);
  const { devices = [], hwpt: from = null } = there ?? {};
  const isReplaced = devices.includes(device);
  const users = isReplaced ? devices.length : 1;
  if (from !== hwpt || !isReplaced) join(objects, hwpt, users);
  if (from !== null && from !== hwpt && isReplaced) leave(objects, from, users);
  const attached = { group, pasid, hwpt, devices: isReplaced ? devices : [...devices, device] };
  return [...pasids.filter((table) => table !== there), attached];
}

/** Detaches a device from one PASID, or from all; returns the page tables that are left. */
export function detachPasids(
  objects: Map<number, IommufdObject>,
  pasids: readonly PasidTable[],
  { device, group, pasid }: Pick<PasidOfDevice, 'device'> & Partial<PasidOfDevice>,
): readonly PasidTable[] {
  return pasids.flatMap((table) => {
    const isMeant = pasid === undefined || (table.group === group && table.pasid === pasid);
    if (!isMeant || !table.devices.includes(device)) return [table];
    leave(objects, table.hwpt, 1);
    const devices = without(table.devices, device);
    return devices.length === 0 ? [] : [{ ...table, devices }];
  });
}

/** The ids without one of them. */
export function without(ids: readonly number[], id: number | undefined): readonly number[] {
  return id === undefined || !ids.includes(id) ? ids : ids.filter((other) => other !== id);
}

/** More devices use a page table. */
function join(objects: Map<number, IommufdObject>, id: number, users: number): void {
  const hwpt = objects.get(id);
  if (hwpt?.kind === 'hwpt') objects.set(id, { ...hwpt, users: hwpt.users + users });
}

/** Fewer devices use a page table. One that an attach made is destroyed with its last user. */
export function leave(objects: Map<number, IommufdObject>, id: number, users: number): void {
  const hwpt = objects.get(id);
  if (hwpt?.kind !== 'hwpt') return;
  if (hwpt.auto && hwpt.users === users) objects.delete(id);
  else objects.set(id, { ...hwpt, users: hwpt.users - users });
}
