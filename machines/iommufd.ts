/**
 * The machine of an iommufd context: its objects, and whether it can serve as a container.
 *
 * It models the kernel's `struct iommufd_ctx`; each open of /dev/iommu makes one
 * (iommu/iommufd/main.c).
 *
 * @module
 */
import type { Targets } from './admission.ts';
import { flatMachine, type GuardArgs, type Draft } from './flat-machine.ts';
import {
  attach,
  attachPasid,
  detachPasids,
  isInUse,
  leave,
  without,
  type Attachment,
  type IommufdObject,
  type PasidOfDevice,
  type PasidTable,
} from './page-tables.ts';

/** `compat` while an IOAS serves as a container's address space (iommu/iommufd/vfio_compat.c). */
export type IommufdState = 'plain' | 'compat';

export interface IommufdRecord {
  readonly objects: ReadonlyMap<number, IommufdObject>;
  readonly compatIoas: number | null;
  readonly pasids: readonly PasidTable[];
  /** The ids of the devices that were attached with the flag for a PASID, and PASID 0. */
  readonly attachedAsZero: readonly number[];
}

export type IommufdEvent =
  | { readonly type: 'ioas.allocated'; readonly id: number }
  | {
      readonly type: 'hwpt.allocated';
      readonly id: number;
      readonly ioas: number;
      readonly isForPasids: boolean;
    }
  | { readonly type: 'object.destroyed'; readonly object: number }
  /** The IOAS notes the address space of a process, whose pages it maps. */
  | { readonly type: 'mapper.noted'; readonly ioas: number; readonly pid: number }
  | { readonly type: 'mapper.gone'; readonly pid: number }
  | { readonly type: 'compat-ioas.set'; readonly ioas: number }
  | { readonly type: 'compat-ioas.cleared' }
  /** Given to a group as its container; creates the compat IOAS `ioas` if there is none. */
  | { readonly type: 'container.set'; readonly ioas: number }
  | { readonly type: 'device.bound'; readonly id: number }
  | { readonly type: 'device.obtained'; readonly id: number; readonly attachment: Attachment }
  /** `asZero`: the id of the device, if the call had the flag for a PASID. */
  | { readonly type: 'device.attached'; readonly attachment: Attachment; readonly asZero?: number }
  | { readonly type: 'device.detached'; readonly hwpt: number | null; readonly asZero?: number }
  | ({ readonly type: 'pasid.attached' } & PasidOfDevice & { readonly hwpt: number })
  | ({ readonly type: 'pasid.detached' } & PasidOfDevice)
  | { readonly type: 'device.released'; readonly id: number; readonly hwpt: number | null };

const fresh: IommufdRecord = {
  objects: new Map(),
  compatIoas: null,
  pasids: [],
  attachedAsZero: [],
};

type Args = GuardArgs<IommufdRecord, IommufdEvent>;

const guards = {
  objectExists: ({ context, event }: Args) =>
    event.type === 'object.destroyed' && context.objects.has(event.object),
  objectUnused: ({ context, event }: Args) =>
    event.type === 'object.destroyed' && isUnused(context, event.object),
  ioasExists: ({ context, event }: Args) =>
    (event.type === 'compat-ioas.set' || event.type === 'hwpt.allocated') &&
    context.objects.get(event.ioas)?.kind === 'ioas',
  destroysCompatIoas: ({ context, event }: Args) =>
    event.type === 'object.destroyed' && event.object === context.compatIoas,
};

type Guard = keyof typeof guards;

/** The lowest free object id, as the kernel's allocator hands them out: from 1. */
export function lowestFreeId({ objects }: IommufdRecord, besides: readonly number[] = []): number {
  let id = 1;
  while (objects.has(id) || besides.includes(id)) id++;
  return id;
}

/** The page table that an attach to an IOAS shares: the first that an attach made; null if none. */
export function autoPageTable({ objects }: IommufdRecord, ioas: number): number | null {
  for (const [id, object] of objects) {
    if (object.kind === 'hwpt' && object.auto && object.ioas === ioas) return id;
  }
  return null;
}

/** Whether an IOAS has noted the address space of a process. */
export function hasMapper({ objects }: IommufdRecord, ioas: number, pid: number): boolean {
  const object = objects.get(ioas);
  return object?.kind === 'ioas' && object.mappers.includes(pid);
}

/** The pids of all processes whose address space an IOAS of the iommufd has noted. */
export function mappersOf({ objects }: IommufdRecord): Set<number> {
  const all = [...objects.values()];
  return new Set(all.flatMap((object) => (object.kind === 'ioas' ? object.mappers : [])));
}

/**
 * Whether a page table of the IOAS can be filled. The first one pins the pages, which needs the
 * address spaces that they were mapped from; the pages stay pinned while the IOAS has a page table
 * (iommu/iommufd/pages.c:pfn_reader_user_pin).
 */
export function canFill({ objects }: IommufdRecord, ioas: number): boolean {
  const object = objects.get(ioas);
  if (object?.kind !== 'ioas' || !object.isMapperGone) return true;
  return isInUse(objects, ioas);
}

/** The page table that an attach ends on; undefined for every other event. */
export function pageTableIn(told: IommufdEvent | undefined): number | undefined {
  if (told?.type === 'device.attached') return told.attachment.hwpt;
  return told?.type === 'pasid.attached' ? told.hwpt : undefined;
}

/** Whether IOMMU_DESTROY succeeds on the object (iommu/iommufd/main.c:iommufd_object_remove). */
function isUnused({ objects }: IommufdRecord, id: number): boolean {
  const object = objects.get(id);
  if (object?.kind === 'device') return false;
  if (object?.kind === 'hwpt') return object.users === 0;
  return !isInUse(objects, id);
}

const targets: Targets<IommufdState, IommufdEvent['type'], Guard> = {
  plain: {
    'ioas.allocated': 'plain',
    'hwpt.allocated': 'plain',
    'object.destroyed': 'plain',
    'mapper.noted': 'plain',
    'mapper.gone': 'plain',
    'compat-ioas.set': 'compat',
    'compat-ioas.cleared': 'plain',
    'container.set': 'compat',
    'device.bound': 'plain',
    'device.attached': 'plain',
    'device.detached': 'plain',
    'pasid.attached': 'plain',
    'pasid.detached': 'plain',
    'device.released': 'plain',
  },
  compat: {
    'ioas.allocated': 'compat',
    'hwpt.allocated': 'compat',
    'object.destroyed': [['plain', 'destroysCompatIoas'], 'compat'],
    'mapper.noted': 'compat',
    'mapper.gone': 'compat',
    'compat-ioas.set': 'compat',
    'compat-ioas.cleared': 'plain',
    'container.set': 'compat',
    'device.bound': 'compat',
    'device.obtained': 'compat',
    'device.attached': 'compat',
    'device.detached': 'compat',
    'pasid.attached': 'compat',
    'pasid.detached': 'compat',
    'device.released': 'compat',
  },
};

interface IommufdDraft extends Draft<IommufdRecord> {
  objects: Map<number, IommufdObject>;
}

function remember(context: Draft<IommufdRecord>, event: IommufdEvent): void {
  const { objects } = context as IommufdDraft;
  switch (event.type) {
    case 'ioas.allocated':
      objects.set(event.id, newIoas);
      return;
    case 'hwpt.allocated': {
      const { id, ioas, isForPasids } = event;
      objects.set(id, { kind: 'hwpt', ioas, auto: false, users: 0, isForPasids });
      return;
    }
    case 'object.destroyed':
      objects.delete(event.object);
      if (context.compatIoas === event.object) context.compatIoas = null;
      return;
    case 'mapper.noted':
      note(objects, event);
      return;
    case 'mapper.gone':
      loseMapper(objects, event.pid);
      return;
    case 'compat-ioas.set':
      context.compatIoas = event.ioas;
      return;
    case 'compat-ioas.cleared':
      context.compatIoas = null;
      return;
    case 'container.set':
      if (context.compatIoas !== null) return;
      objects.set(event.ioas, newIoas);
      context.compatIoas = event.ioas;
      return;
    case 'device.bound':
      objects.set(event.id, { kind: 'device' });
      return;
    case 'device.obtained':
      objects.set(event.id, { kind: 'device' });
      attach(objects, event.attachment);
      return;
    case 'device.attached':
      attach(objects, event.attachment);
      if (event.asZero === undefined || context.attachedAsZero.includes(event.asZero)) return;
      context.attachedAsZero = [...context.attachedAsZero, event.asZero];
      return;
    case 'device.detached':
      if (event.hwpt !== null) leave(objects, event.hwpt, 1);
      context.attachedAsZero = without(context.attachedAsZero, event.asZero);
      return;
    case 'pasid.attached':
      context.pasids = attachPasid(objects, context.pasids, event);
      return;
    case 'pasid.detached':
      context.pasids = detachPasids(objects, context.pasids, event);
      return;
    case 'device.released':
      context.pasids = detachPasids(objects, context.pasids, { device: event.id });
      context.attachedAsZero = without(context.attachedAsZero, event.id);
      objects.delete(event.id);
      if (event.hwpt !== null) leave(objects, event.hwpt, 1);
      return;
    default:
      event satisfies never;
  }
}

const newIoas: IommufdObject = { kind: 'ioas', mappers: [], isMapperGone: false };

function note(
  objects: Map<number, IommufdObject>,
  { ioas, pid }: { readonly ioas: number; readonly pid: number },
): void {
  const object = objects.get(ioas);
  if (object?.kind !== 'ioas' || object.mappers.includes(pid)) return;
  objects.set(ioas, { ...object, mappers: [...object.mappers, pid] });
}

function loseMapper(objects: Map<number, IommufdObject>, pid: number): void {
  for (const [id, object] of objects) {
    if (object.kind !== 'ioas' || !object.mappers.includes(pid)) continue;
    const mappers = object.mappers.filter((other) => other !== pid);
    objects.set(id, { ...object, mappers, isMapperGone: true });
  }
}

export const iommufdMachine = flatMachine({
  id: 'iommufd',
  fresh,
  guards,
  targets,
  remember,
  copy: ({ objects, ...rest }) => ({ objects: new Map(objects), ...rest }),
});
