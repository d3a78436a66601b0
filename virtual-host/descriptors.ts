/**
 * The descriptors of a process on a virtual host, with the calls that each kind of file takes.
 *
 * A descriptor is only a number: it can be closed, and another file can get its number later. The
 * methods throw a `SystemError` if the kernel refuses the call.
 *
 * @module
 */
import type { GroupStatus } from '../host/attempt.ts';
import type { VirtualProcess } from './process.ts';

/** A descriptor, or its number. */
export type DescriptorGiven = number | { readonly fd: number };

/** `argsz` and `flags` of a structure, if they are not the usual ones. */
export interface StructureHead {
  readonly argsz?: number | undefined;
  readonly flags?: number | undefined;
}

/** Of an attach or a detach: with the PASID that it is for. */
interface PasidHead extends StructureHead {
  readonly pasid?: number | undefined;
}

/** A range of DMA addresses, in bytes. */
export interface DmaRange {
  readonly iova: number;
  readonly size: number;
}

/** The device configuration space, VFIO_PCI_CONFIG_REGION_INDEX. */
const CONFIG_REGION = 7;
const TYPE1V2 = 3;

function numberOf(given: DescriptorGiven): number {
  return typeof given === 'number' ? given : given.fd;
}

/** The keys of a head that are given, and no others. */
function givenOf({ argsz, flags, pasid }: PasidHead) {
  return {
    ...(argsz !== undefined && { argsz }),
    ...(flags !== undefined && { flags }),
    ...(pasid !== undefined && { pasid }),
  };
}

/** A mapping of a device's region. */
export class RegionMapping {
  readonly process: VirtualProcess;
  readonly address: number;

  /** @internal */
  constructor(process: VirtualProcess, address: number) {
    this.process = process;
    this.address = address;
  }

  unmap(): void {
    this.process.call({ operation: 'munmap', pid: this.process.pid, mapping: this.address });
  }
}

/** A descriptor of any file: what can be done with it whatever its kind. */
export class AnyDescriptor {
  readonly process: VirtualProcess;
  readonly fd: number;

  /** @internal */
  constructor(process: VirtualProcess, fd: number) {
    this.process = process;
    this.fd = fd;
  }

  close(): void {
    this.process.call({ operation: 'close', ...this.place });
  }

  dup(): this {
    return this.#same(this.process.call({ operation: 'dup', ...this.place }).fd);
  }

  /** Makes `to` a descriptor of the same file; what it was before is closed. */
  dup2(to: DescriptorGiven): this {
    const call = { operation: 'dup2', ...this.place, to: numberOf(to) } as const;
    return this.#same(this.process.call(call).fd);
  }

  /** Passes the file to another process (SCM_RIGHTS), and returns the descriptor there. */
  send(to: VirtualProcess): this {
    return this.#same(this.process.call({ operation: 'send', ...this.place, to: to.pid }).fd, to);
  }

  /** Maps 4096 bytes of a region. */
  mmap(region: number): RegionMapping {
    const { id = 0 } = this.process.call({ operation: 'mmap', ...this.place, region });
    return new RegionMapping(this.process, id);
  }

  /** Reads 4 bytes of a region; what they are is not simulated. */
  read(region = CONFIG_REGION): void {
    this.process.call({ operation: 'read', ...this.place, region });
  }

  /** Makes an ioctl by its number, with a null argument. */
  ioctl(request: number): void {
    this.process.bareIoctl(this.fd, request);
  }

  /** @internal */
  protected get place(): { readonly pid: number; readonly fd: number } {
    return { pid: this.process.pid, fd: this.fd };
  }

  #same(fd = -1, process = this.process): this {
    const Kind = this.constructor as new (process: VirtualProcess, fd: number) => this;
    return new Kind(process, fd);
  }
}

/** A descriptor of a device. */
export class DeviceDescriptor extends AnyDescriptor {
  /** Binds to an iommufd (VFIO_DEVICE_BIND_IOMMUFD). Returns the id of the device there. */
  bind(iommufd: DescriptorGiven, head: StructureHead = {}): number {
    const given = { iommufd: numberOf(iommufd), ...givenOf(head) };
    return this.process.call({ operation: 'bind', ...this.place, ...given }).id ?? 0;
  }

  /** Attaches to an IOAS or a page table. Returns the id of the page table that it is on. */
  attach(pt: number, head: PasidHead = {}): number {
    const given = { pt, ...givenOf(head) };
    return this.process.call({ operation: 'attach', ...this.place, ...given }).id ?? pt;
  }

  detach(head: PasidHead = {}): void {
    this.process.call({ operation: 'detach', ...this.place, ...givenOf(head) });
  }

  info(): void {
    this.process.call({ operation: 'device_info', ...this.place });
  }

  regionInfo(region: number): void {
    this.process.call({ operation: 'region_info', ...this.place, region });
  }

  reset(): void {
    this.process.call({ operation: 'reset', ...this.place });
  }

  hotResetInfo(): void {
    this.process.call({ operation: 'hot_reset_info', ...this.place });
  }

  /** Resets the bus; `groups` are the groups that the caller shows, none with an iommufd. */
  hotReset(groups: readonly DescriptorGiven[] = []): void {
    this.process.call({ operation: 'hot_reset', ...this.place, groups: groups.map(numberOf) });
  }
}

/** A descriptor of a group. */
export class GroupDescriptor extends AnyDescriptor {
  status(): GroupStatus {
    const { status } = this.process.call({ operation: 'group_status', ...this.place });
    if (status === undefined) throw new TypeError(`fd ${this.fd} has no status of a group`);
    return status;
  }

  setContainer(container: DescriptorGiven): void {
    const given = numberOf(container);
    this.process.call({ operation: 'set_container', ...this.place, container: given });
  }

  unsetContainer(): void {
    this.process.call({ operation: 'unset_container', ...this.place });
  }

  /** Opens a device of the group, by topology name or PCI address. */
  getDevice(device: string): DeviceDescriptor {
    const named = this.process.host.deviceNamed(device);
    const { fd } = this.process.call({ operation: 'get_device', ...this.place, device: named });
    return this.process.device(fd ?? -1);
  }
}

/** A descriptor of a container. */
export class ContainerDescriptor extends AnyDescriptor {
  apiVersion(): void {
    this.process.call({ operation: 'api_version', ...this.place });
  }

  checkExtension(extension: number): void {
    this.process.call({ operation: 'check_extension', ...this.place, extension });
  }

  /** Sets the IOMMU driver (VFIO_SET_IOMMU). */
  setIommu(iommu = TYPE1V2): void {
    this.process.call({ operation: 'set_iommu', ...this.place, iommu });
  }

  mapDma({ iova, size }: DmaRange): void {
    this.process.call({ operation: 'map_dma', ...this.place, iova, size });
  }
}

/** A descriptor of an iommufd. It also takes the calls of a container. */
export class IommufdDescriptor extends ContainerDescriptor {
  /** Returns the id of a new IOAS. */
  allocIoas(): number {
    return this.process.call({ operation: 'alloc_ioas', ...this.place }).id ?? 0;
  }

  /** Returns the id of a new page table, for a device (the id that `bind` returned). */
  allocHwpt(device: number, pt: number, { flags }: Pick<StructureHead, 'flags'> = {}): number {
    const given = { device, pt, ...givenOf({ flags }) };
    return this.process.call({ operation: 'alloc_hwpt', ...this.place, ...given }).id ?? 0;
  }

  destroy(object: number): void {
    this.process.call({ operation: 'destroy', ...this.place, object });
  }

  map(ioas: number, { iova, size }: DmaRange): void {
    this.process.call({ operation: 'ioas_map', ...this.place, ioas, iova, size });
  }

  /** The id of the IOAS that the calls of a container use. */
  compatIoas(): number {
    return this.#compat('get').id ?? 0;
  }

  setCompatIoas(ioas: number): void {
    this.#compat('set', ioas);
  }

  clearCompatIoas(): void {
    this.#compat('clear');
  }

  #compat(action: 'get' | 'set' | 'clear', ioas = -1) {
    return this.process.call({ operation: 'compat_ioas', ...this.place, action, ioas });
  }
}
