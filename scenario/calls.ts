/**
 * From a statement to the call that a process makes with it.
 *
 * @module
 */
import type { Call } from '../events/vocabulary.ts';
import { parseNumber, type OperationStatement } from './language.ts';
import type { Names } from './names.ts';

/** What a statement's words stand for on the host that it runs on. */
export interface Place {
  readonly pid: number;
  readonly names: Names;
  /** PCI address of a device by its name; the word itself where there is none. */
  readonly device: (word: string) => string;
  /** Group of a device's name, of `gN` or of a number. */
  readonly group: (word: string) => string;
  /** The receiver of a passed descriptor. */
  readonly receiver: (word: string) => number;
  /** The device whose cdev has this name below /dev/vfio/devices. */
  readonly cdev: (node: string) => string;
}

const TYPE1V2 = 3;
const CONFIG_REGION = 7;

/** Structures hold 32 bits. */
const u32 = (value: number): number => Number(BigInt.asUintN(32, BigInt(Math.trunc(value))));

/** The call, resolved to numbers. */
// oxlint-disable-next-line max-lines-per-function -- one line or two for each word of the language
export function callOfStatement(statement: OperationStatement, place: Place): Call {
  const { operation, operands, options } = statement;
  const { pid, names } = place;
  const [first = '', second = '', third = ''] = operands;
  const fd = names.descriptor(first);
  const fd2 = names.descriptor(second);
  const cloexec = (options['cloexec'] ?? 0) !== 0;
  const shape = {
    ...(options['argsz'] !== undefined && { argsz: u32(options['argsz']) }),
    ...(options['flags'] !== undefined && { flags: u32(options['flags']) }),
  };
  const range = { iova: u32(options['iova'] ?? 0x100000), size: u32(options['size'] ?? 4096) };
  switch (operation) {
    case 'open_cdev':
      return { operation, pid, device: place.device(second), cloexec };
    case 'open_iommufd':
    case 'open_container':
      return { operation, pid, cloexec };
    case 'open_group':
      return { operation, pid, group: place.group(second), cloexec };
    case 'open_path':
      return openPath(pid, second, cloexec, place);
    case 'bind':
      return { operation, pid, fd, iommufd: fd2, ...shape };
    case 'attach': {
      const pasid = options['pasid'] === undefined ? {} : { pasid: u32(options['pasid']) };
      return { operation, pid, fd, pt: objectId(names.value(second)), ...shape, ...pasid };
    }
    case 'detach':
      return { operation, pid, fd, ...shape };
    case 'alloc_ioas':
    case 'unset_container':
    case 'api_version':
    case 'group_status':
    case 'device_info':
    case 'reset':
    case 'hot_reset_info':
    case 'close':
      return { operation, pid, fd };
    case 'alloc_hwpt':
      return { operation, pid, fd, device: idOf(second, names), pt: objectId(names.value(third)) };
    case 'destroy':
      return { operation, pid, fd, object: objectId(names.value(second)) };
    case 'ioas_map':
      return { operation, pid, fd, ioas: objectId(names.value(second)), ...range };
    case 'compat_ioas':
      return {
        operation,
        pid,
        fd,
        action: second as 'get' | 'set' | 'clear',
        ioas: second === 'set' ? objectId(names.value(third)) : -1,
      };
    case 'set_container':
      return { operation, pid, fd, container: fd2 };
    case 'set_iommu':
      return { operation, pid, fd, iommu: second === '' ? TYPE1V2 : u32(parseNumber(second)) };
    case 'check_extension':
      return { operation, pid, fd, extension: parseNumber(second) };
    case 'map_dma':
      return { operation, pid, fd, ...range };
    case 'get_device':
      return { operation, pid, fd: fd2, device: place.device(third) };
    case 'region_info':
      return { operation, pid, fd, region: parseNumber(second) };
    case 'hot_reset':
      return { operation, pid, fd, groups: operands.slice(1).map((n) => names.descriptor(n)) };
    case 'read':
      return { operation, pid, fd, region: second === '' ? CONFIG_REGION : parseNumber(second) };
    case 'ioctl':
      return bareIoctl(pid, fd, parseNumber(second));
    case 'mmap':
      return { operation, pid, fd: fd2, region: parseNumber(third) };
    case 'munmap':
      return { operation, pid, mapping: names.value(first) };
    case 'dup':
      return { operation, pid, fd: fd2 };
    case 'dup2':
      return { operation, pid, fd: fd2, to: fd };
    case 'send':
      return { operation, pid, fd, to: place.receiver(second) };
    case 'fds':
    case 'exec':
    case 'exit':
      return { operation, pid };
    case 'fork':
      return { operation, pid, comm: first };
    case 'spawn':
      return { operation, comm: first };
    case 'kill':
      return { operation, pid: place.receiver(first) };
    case 'set_driver':
      return { operation, device: place.device(first), driver: second === 'none' ? null : second };
    case 'bg_wait':
      return { operation };
  }
}

/** Ids have 32 bits; -1 stays what it says, that the name stands for nothing. */
const objectId = (value: number): number => (value === -1 ? value : u32(value));

/** The object id of a bound device; a number stands for itself. */
function idOf(name: string, names: Names): number {
  return objectId(names.value(name.startsWith(':') ? name : `${name}.id`));
}

/**
 * What a successful call has opened: a descriptor's file that was opened anew through /proc counts
 * as what it is. `reopen` gives the call that would open it by its own name.
 */
export function openedBy(call: Call, reopen: (fd: number) => Call | null): Call {
  if (call.operation !== 'open_path') return call;
  const [, fd] = /^\/proc\/self\/fd\/(\d+)$/.exec(call.path) ?? [];
  const opened = fd === undefined ? null : reopen(Number(fd));
  return opened === null ? call : ({ ...opened, cloexec: call.cloexec ?? false } as Call);
}

/** A node of VFIO's is what it is, whichever word opened it. */
function openPath(pid: number, path: string, cloexec: boolean, place: Place): Call {
  const [, group, node] = /^\/dev\/vfio\/(?:(\d+)|devices\/(vfio\d+))$/.exec(path) ?? [];
  if (path === '/dev/iommu') return { operation: 'open_iommufd', pid, cloexec };
  if (path === '/dev/vfio/vfio') return { operation: 'open_container', pid, cloexec };
  if (group !== undefined) return { operation: 'open_group', pid, group, cloexec };
  if (node !== undefined) {
    return { operation: 'open_cdev', pid, device: place.cdev(node), cloexec };
  }
  return { operation: 'open_path', pid, path, cloexec };
}

/** A request that takes no argument is the operation of that name; null is as good as any. */
function bareIoctl(pid: number, fd: number, request: number): Call {
  switch (request) {
    case 0x3b64:
      return { operation: 'api_version', pid, fd };
    case 0x3b65:
      return { operation: 'check_extension', pid, fd, extension: 0 };
    case 0x3b66:
      return { operation: 'set_iommu', pid, fd, iommu: 0 };
    case 0x3b69:
      return { operation: 'unset_container', pid, fd };
    case 0x3b6f:
      return { operation: 'reset', pid, fd };
    default:
      return { operation: 'ioctl', pid, fd, request };
  }
}
