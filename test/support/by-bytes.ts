import type { GivenAnswer } from '../../conformance/agreement.ts';
import type { Call } from '../../events/vocabulary.ts';
import { LedgerError } from '../../ledger.ts';
import type { VirtualHost } from '../../virtual-host/virtual-host.ts';
import { byMethod, type ByPid } from './by-method.ts';

/** Numbers of ioctls, as drivers have them from the kernel's headers. */
const requests: Readonly<Record<string, number>> = {
  api_version: 0x3b64,
  check_extension: 0x3b65,
  set_iommu: 0x3b66,
  group_status: 0x3b67,
  set_container: 0x3b68,
  unset_container: 0x3b69,
  get_device: 0x3b6a,
  device_info: 0x3b6b,
  region_info: 0x3b6c,
  reset: 0x3b6f,
  hot_reset_info: 0x3b70,
  hot_reset: 0x3b71,
  map_dma: 0x3b71,
  bind: 0x3b76,
  attach: 0x3b77,
  detach: 0x3b78,
  destroy: 0x3b80,
  alloc_ioas: 0x3b81,
  ioas_map: 0x3b85,
  compat_ioas: 0x3b88,
  alloc_hwpt: 0x3b89,
};

/** How many calls were made by bytes. */
export const told = { calls: 0 };

/** Fields one after another: numbers are 32 bits, bigints 64, and pairs 16 bits each. */
function packed(...fields: readonly (number | bigint | readonly [number, number])[]): Uint8Array {
  const size = fields.reduce<number>((sum, field) => sum + (typeof field === 'bigint' ? 8 : 4), 0);
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const field of fields) {
    if (typeof field === 'bigint') view.setBigUint64(at, field, true);
    else if (typeof field === 'number') view.setUint32(at, field >>> 0, true);
    else {
      view.setUint16(at, field[0], true);
      view.setUint16(at + 2, field[1], true);
    }
    at += typeof field === 'bigint' ? 8 : 4;
  }
  return bytes;
}

const big = (value: number): bigint => BigInt.asUintN(64, BigInt(value));

/** The argument of an ioctl as a driver encodes it; undefined if the call is none. */
function argumentOf(call: Call): Uint8Array | number | null | undefined {
  switch (call.operation) {
    case 'bind':
      return packed(call.argsz ?? 16, call.flags ?? 0, call.iommufd, 0, 0n);
    case 'attach':
      return packed(call.argsz ?? 12, call.flags ?? 0, call.pt, call.pasid ?? 0);
    case 'detach':
      return packed(call.argsz ?? 8, call.flags ?? 0, call.pasid ?? 0);
    case 'device_info':
      return packed(20, 0, 0, 0, 0);
    case 'region_info':
      return packed(32, 0, call.region, 0, 0n, 0n);
    case 'hot_reset_info':
      return packed(12, 0, 0);
    case 'hot_reset':
      return packed(12 + 4 * call.groups.length, 0, call.groups.length, ...call.groups);
    case 'group_status':
      return packed(8, 0);
    case 'set_container':
      return packed(call.container);
    case 'get_device':
      return new TextEncoder().encode(`${call.device}\0`);
    case 'map_dma':
      return packed(32, 3, 0x1000n, big(call.iova), big(call.size));
    case 'alloc_ioas':
      return packed(12, 0, 0);
    case 'destroy':
      return packed(8, call.object);
    case 'ioas_map':
      return packed(40, 7, call.ioas, 0, 0x1000n, big(call.size), big(call.iova));
    case 'alloc_hwpt':
      return packed(40, call.flags ?? 0, call.device, call.pt, 0, 0, 0, 0, 0n);
    case 'compat_ioas':
      return packed(12, call.ioas, [['get', 'set', 'clear'].indexOf(call.action), 0]);
    case 'set_iommu':
      return call.iommu;
    case 'check_extension':
      return call.extension;
    case 'reset':
    case 'unset_container':
    case 'api_version':
    case 'ioctl':
      return null;
    default:
      return undefined;
  }
}

/** The path that an open names; undefined if the device has no node. */
function pathOf(host: VirtualHost, call: Call): string | undefined {
  if (call.operation === 'open_iommufd') return '/dev/iommu';
  if (call.operation === 'open_container') return '/dev/vfio/vfio';
  if (call.operation === 'open_group') return `/dev/vfio/${call.group}`;
  if (call.operation === 'open_path') return call.path;
  if (call.operation !== 'open_cdev') return undefined;
  const cdev = host.ledger.live.device(call.device)?.cdev;
  return cdev == null ? undefined : `/dev/vfio/devices/${cdev}`;
}

/** Makes a call by the system call of its name with bytes, if it is one; else by its method. */
export function byBytes(host: VirtualHost, call: Call, by: ByPid): ReturnType<typeof byMethod> {
  if (!('pid' in call)) return byMethod(host, call, by);
  const system = by(call.pid).systemCalls;
  told.calls++;
  const path = pathOf(host, call);
  if (path !== undefined) {
    return { rc: system.open(path, 'cloexec' in call && call.cloexec === true ? 0o2000000 : 0) };
  }
  if (call.operation === 'mmap') {
    return { id: system.mmap(call.fd, 4096, call.region * 2 ** 40) };
  }
  if (call.operation === 'munmap') return answered(() => system.munmap(call.mapping));
  if (call.operation === 'close') return answered(() => system.close(call.fd));
  const argument = argumentOf(call);
  if (argument === undefined || !('fd' in call)) {
    told.calls--;
    return byMethod(host, call, by);
  }
  const request = call.operation === 'ioctl' ? call.request : (requests[call.operation] ?? 0);
  try {
    const rc = system.ioctl(call.fd, request, argument);
    return { rc, ...resultIn(call, argument) };
  } catch (error) {
    // Neither regions nor the answers of extensions follow from the rules: such a call has passed.
    const isTold = ['region_info', 'hot_reset_info', 'check_extension'].includes(call.operation);
    if (isTold && error instanceof LedgerError && error.code === 'unsupported') return {};
    throw error;
  }
}

function answered(make: () => void): Partial<GivenAnswer> {
  make();
  return {};
}

/** What the kernel has written into a structure, as a recording says it. */
function resultIn(call: Call, argument: Uint8Array | number | null) {
  if (!(argument instanceof Uint8Array)) return {};
  const view = new DataView(argument.buffer);
  if (call.operation === 'group_status') {
    const flags = view.getUint32(4, true);
    return { viable: (flags & 1) !== 0, container_set: (flags & 2) !== 0 };
  }
  if (call.operation === 'device_info') {
    const [flags, regions, irqs] = [4, 8, 12].map((at) => view.getUint32(at, true));
    return { flags, regions, irqs };
  }
  const at: Readonly<Record<string, number>> = { bind: 12, attach: 8 };
  const offset = at[call.operation];
  if (offset === undefined) return {};
  const id = view.getUint32(offset, true);
  return call.operation === 'bind' ? { devid: id } : { pt_id: id };
}
