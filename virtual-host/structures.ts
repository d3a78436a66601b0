/**
 * The structures of the ioctls of VFIO and iommufd, as bytes (include/uapi/linux/vfio.h, iommufd.h).
 *
 * @module
 */
import { LedgerError, RequestError } from '../events/ledger-error.ts';
import type { Operation } from '../events/vocabulary.ts';
import type { Attempted } from '../ledger/what-if.ts';

/** The memory that an argument points to; numbers are little-endian. */
export class Memory {
  readonly #view: DataView;

  constructor(bytes: Uint8Array) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get length(): number {
    return this.#view.byteLength;
  }

  u16(at: number): number {
    return this.#view.getUint16(at, true);
  }

  u32(at: number): number {
    return this.#view.getUint32(at, true);
  }

  s32(at: number): number {
    return this.#view.getInt32(at, true);
  }

  u64(at: number): number {
    return Number(this.#view.getBigUint64(at, true));
  }

  setU32(at: number, value: number): void {
    this.#view.setUint32(at, value, true);
  }

  /** The text up to the first zero byte. */
  text(): string {
    const bytes = Array.from({ length: this.length }, (_, at) => this.#view.getUint8(at));
    const end = bytes.indexOf(0);
    return String.fromCharCode(...(end < 0 ? bytes : bytes.slice(0, end)));
  }
}

/** The structure of an operation. */
interface Structure {
  /** As the kernel's headers call it. */
  readonly name: string;
  /** The bytes that the kernel reads at least. */
  readonly least: number;
  /** The arguments of the call that its fields stand for. */
  readonly read: (memory: Memory) => object;
  /** What is wrong with fields that the rules do not judge, or null; left out if they judge all. */
  readonly wrong?: (memory: Memory) => string | null;
  /** Writes the results of a call that passed; left out if it has none. */
  readonly write?: (memory: Memory, passed: Attempted) => void;
}

/** The first field: `argsz` in VFIO, `size` in iommufd. */
const LENGTH = 0;
const FLAGS = 4;
/** IOMMU_IOAS_MAP_FIXED_IOVA. */
const FIXED_IOVA = 1;
const VIABLE = 1;
const CONTAINER_SET = 2;
const actions = ['get', 'set', 'clear'] as const;

/** A structure whose length the rules do not judge: it has to be long enough. */
function longEnough(least: number): (memory: Memory) => string | null {
  return (memory) => {
    const length = memory.u32(LENGTH);
    return length >= least ? null : `its first field is ${length}, and has to be ${least} or more`;
  };
}

/** As `longEnough`, with flags of which only some are known to the rules. */
function flagged(least: number, isKnown: (flags: number) => boolean) {
  return (memory: Memory): string | null => {
    const flags = memory.u32(FLAGS);
    return longEnough(least)(memory) ?? (isKnown(flags) ? null : `its flags are ${flags}`);
  };
}

/** `argsz` and `flags`, if they are not the usual ones. */
function headOf(memory: Memory, usual: number) {
  const [argsz, flags] = [memory.u32(LENGTH), memory.u32(FLAGS)];
  return { ...(argsz !== usual && { argsz }), ...(flags !== 0 && { flags }) };
}

/** The PASID that stands behind a structure with VFIO_DEVICE_*_PASID in its flags. */
function pasidAt(memory: Memory, at: number) {
  const isGiven = (memory.u32(FLAGS) & 1) !== 0 && memory.length >= at + 4;
  return isGiven ? { pasid: memory.u32(at) } : {};
}

const structures: Partial<Record<Operation, Structure>> = {
  bind: {
    name: 'vfio_device_bind_iommufd',
    least: 16,
    read: (memory) => ({ iommufd: memory.s32(8), ...headOf(memory, 16) }),
    write: (memory, { id = 0 }) => memory.setU32(12, id),
  },
  attach: {
    name: 'vfio_device_attach_iommufd_pt',
    least: 12,
    read: (memory) => ({
      pt: memory.u32(8),
      ...headOf(memory, 12),
      ...pasidAt(memory, 12),
    }),
    write: (memory, { id }) => {
      if (id !== undefined) memory.setU32(8, id);
    },
  },
  detach: {
    name: 'vfio_device_detach_iommufd_pt',
    least: 8,
    read: (memory) => ({ ...headOf(memory, 8), ...pasidAt(memory, 8) }),
  },
  device_info: {
    name: 'vfio_device_info',
    least: 16,
    read: () => ({}),
    wrong: longEnough(16),
  },
  region_info: {
    name: 'vfio_region_info',
    least: 32,
    read: (memory) => ({ region: memory.u32(8) }),
    wrong: longEnough(32),
  },
  hot_reset_info: {
    name: 'vfio_pci_hot_reset_info',
    least: 12,
    read: () => ({}),
    wrong: longEnough(12),
  },
  hot_reset: {
    name: 'vfio_pci_hot_reset',
    least: 12,
    read: (memory) => {
      const count = Math.min(memory.u32(8), Math.floor((memory.length - 12) / 4));
      return { groups: Array.from({ length: count }, (_, index) => memory.s32(12 + 4 * index)) };
    },
    wrong: (memory) =>
      flagged(12, (flags) => flags === 0)(memory) ??
      (memory.length >= 12 + 4 * memory.u32(8) ? null : 'it has fewer groups than its count'),
  },
  group_status: {
    name: 'vfio_group_status',
    least: 8,
    read: () => ({}),
    wrong: longEnough(8),
    write: (memory, { status }) => {
      const viable = status?.viable === true ? VIABLE : 0;
      memory.setU32(FLAGS, viable | (status?.container_set === true ? CONTAINER_SET : 0));
    },
  },
  set_container: {
    name: '__s32',
    least: 4,
    read: (memory) => ({ container: memory.s32(0) }),
  },
  get_device: {
    name: 'char[]',
    least: 1,
    read: (memory) => ({ device: memory.text() }),
  },
  map_dma: {
    name: 'vfio_iommu_type1_dma_map',
    least: 32,
    read: (memory) => ({ iova: memory.u64(16), size: memory.u64(24) }),
    wrong: flagged(32, (flags) => flags >= 1 && flags <= 3),
  },
  alloc_ioas: {
    name: 'iommu_ioas_alloc',
    least: 12,
    read: () => ({}),
    wrong: flagged(12, (flags) => flags === 0),
    write: (memory, { id = 0 }) => memory.setU32(8, id),
  },
  destroy: {
    name: 'iommu_destroy',
    least: 8,
    read: (memory) => ({ object: memory.u32(4) }),
    wrong: longEnough(8),
  },
  ioas_map: {
    name: 'iommu_ioas_map',
    least: 40,
    read: (memory) => ({ ioas: memory.u32(8), size: memory.u64(24), iova: memory.u64(32) }),
    wrong: flagged(40, (flags) => flags < 8 && (flags & FIXED_IOVA) !== 0),
  },
  alloc_hwpt: {
    name: 'iommu_hwpt_alloc',
    least: 24,
    read: (memory) => {
      const flags = memory.u32(FLAGS);
      return { device: memory.u32(8), pt: memory.u32(12), ...(flags !== 0 && { flags }) };
    },
    wrong: (memory) =>
      longEnough(24)(memory) ??
      (memory.length < 28 || memory.u32(24) === 0 ? null : `its data_type is ${memory.u32(24)}`),
    write: (memory, { id = 0 }) => memory.setU32(16, id),
  },
  compat_ioas: {
    name: 'iommu_vfio_ioas',
    least: 12,
    read: (memory) => {
      const action = actions[memory.u16(8)] ?? null;
      return { action, ioas: action === 'set' ? memory.u32(4) : -1 };
    },
    wrong: (memory) =>
      longEnough(12)(memory) ??
      (memory.u16(8) < actions.length ? null : `its op is ${memory.u16(8)}`),
    write: (memory, { id }) => {
      if (id !== undefined) memory.setU32(4, id);
    },
  },
};

/** A structure in memory: the arguments that it holds, and how its results are written. */
interface Found {
  readonly operation: Operation;
  readonly structure: Structure;
  readonly memory: Memory;
}

/**
 * The structure that an argument holds for an ioctl. The operations have its number; the first of
 * them is that of the file, if `isTaken`. A structure that is none of the first may be one of another
 * operation, which the file then refuses.
 *
 * Throws `bad-request` for an argument that is too short, and `unsupported` for fields that the rules
 * do not judge.
 */
export function structureAt(
  operations: readonly Operation[],
  argument: Uint8Array,
  isTaken: boolean,
): Found {
  const [first] = operations;
  const fitting = operations.find((operation) => wrongIn(operation, argument) === null);
  // The kernel does not read an argument of an ioctl that the file does not take.
  const operation = fitting ?? (isTaken ? undefined : first);
  if (operation === undefined) throw wrongIn(first, argument) ?? new RangeError('no operation');
  const structure = structures[operation];
  if (structure === undefined) throw new RangeError(`${operation} has no structure`);
  const { least } = structure;
  if (argument.length >= least) return { operation, structure, memory: new Memory(argument) };
  const padded = new Uint8Array(least);
  padded.set(argument);
  return { operation, structure, memory: new Memory(padded) };
}

/** Why an argument is no structure of an operation that the rules judge; null if it is one. */
function wrongIn(operation: Operation | undefined, argument: Uint8Array): LedgerError | null {
  const structure = operation === undefined ? undefined : structures[operation];
  if (structure === undefined) return null;
  const { name, least } = structure;
  if (argument.length < least) {
    return new RequestError(`${name} has at least ${least} bytes, not ${argument.length}`);
  }
  const wrong = structure.wrong?.(new Memory(argument)) ?? null;
  if (wrong === null) return null;
  return new LedgerError('unsupported', `the rules do not know such a ${name}: ${wrong}`);
}
