/**
 * A process on a virtual host: the files that it opens, and its end.
 *
 * @module
 */
import type { Call } from '../events/vocabulary.ts';
import { deviceOfNode } from '../host/attempt.ts';
import type { Attempted } from '../ledger/what-if.ts';
import { openOf } from '../operations/open.ts';
import { bareCall } from '../operations/table.ts';
import {
  AnyDescriptor,
  ContainerDescriptor,
  DeviceDescriptor,
  GroupDescriptor,
  IommufdDescriptor,
  RegionMapping,
} from './descriptors.ts';
import { SystemCalls } from './system-calls.ts';
import type { VirtualHost } from './virtual-host.ts';

/** How a file is opened. */
export interface OpenHow {
  /** True for O_CLOEXEC: `exec` closes it. */
  readonly cloexec?: boolean | undefined;
}

/** A process. Its methods throw a `SystemError` if the kernel refuses the call. */
export class VirtualProcess {
  readonly host: VirtualHost;
  readonly pid: number;
  readonly comm: string;

  /** @internal */
  constructor(host: VirtualHost, pid: number, comm: string) {
    this.host = host;
    this.pid = pid;
    this.comm = comm;
  }

  /** Opens the node of a device, by topology name or PCI address. */
  openCdev(device: string, { cloexec = false }: OpenHow = {}): DeviceDescriptor {
    const named = this.host.deviceNamed(device);
    return this.device(
      this.#open({ operation: 'open_cdev', pid: this.pid, device: named, cloexec }),
    );
  }

  openIommufd({ cloexec = false }: OpenHow = {}): IommufdDescriptor {
    return this.iommufd(this.#open({ operation: 'open_iommufd', pid: this.pid, cloexec }));
  }

  openContainer({ cloexec = false }: OpenHow = {}): ContainerDescriptor {
    return this.container(this.#open({ operation: 'open_container', pid: this.pid, cloexec }));
  }

  /** Opens a group, by its number (`26`, `g26`) or by a device of the topology. */
  openGroup(group: string | number, { cloexec = false }: OpenHow = {}): GroupDescriptor {
    const named = this.host.groupNamed(String(group));
    return this.group(
      this.#open({ operation: 'open_group', pid: this.pid, group: named, cloexec }),
    );
  }

  /** Opens a path, such as `/dev/vfio/26`. */
  open(path: string, { cloexec = false }: OpenHow = {}): AnyDescriptor {
    const cdev = (node: string) => deviceOfNode(this.host.ledger.live, node) ?? node;
    const call = openOf(path, { pid: this.pid, cloexec, cdev });
    return this.descriptor(this.#open(call, path));
  }

  /** The descriptor of a number, open or not, with the calls that every file takes. */
  descriptor(fd: number): AnyDescriptor {
    return new AnyDescriptor(this, fd);
  }

  /** A number as a descriptor of a device; the kernel finds out whether it is one. */
  device(fd: number): DeviceDescriptor {
    return new DeviceDescriptor(this, fd);
  }

  /** A number as a descriptor of a group; the kernel finds out whether it is one. */
  group(fd: number): GroupDescriptor {
    return new GroupDescriptor(this, fd);
  }

  /** A number as a descriptor of a container; the kernel finds out whether it is one. */
  container(fd: number): ContainerDescriptor {
    return new ContainerDescriptor(this, fd);
  }

  /** A number as a descriptor of an iommufd; the kernel finds out whether it is one. */
  iommufd(fd: number): IommufdDescriptor {
    return new IommufdDescriptor(this, fd);
  }

  /** The mapping at an address; the kernel finds out whether one is there. */
  mapping(address: number): RegionMapping {
    return new RegionMapping(this, address);
  }

  /** The numbers of its open descriptors of VFIO and iommufd, ascending. */
  fds(): number[] {
    this.call({ operation: 'fds', pid: this.pid });
    const { descriptors } = this.host.ledger.live.process(this.pid) ?? {};
    return [...(descriptors?.keys() ?? [])].toSorted((one, other) => one - other);
  }

  /** Starts a child with the same descriptors and mappings. */
  fork(comm: string): VirtualProcess {
    const { pid = -1 } = this.call({ operation: 'fork', pid: this.pid, comm });
    return this.host.met(pid, comm);
  }

  /** Runs another program: closes what was opened with `cloexec`, and drops the mappings. */
  exec(): void {
    this.call({ operation: 'exec', pid: this.pid });
  }

  exit(): void {
    this.call({ operation: 'exit', pid: this.pid });
  }

  /** Ends it with SIGKILL. */
  kill(): void {
    this.call({ operation: 'kill', pid: this.pid });
  }

  /** Its system calls, with numbers and bytes, to be injected into the code under test. */
  get systemCalls(): SystemCalls {
    return new SystemCalls(this);
  }

  /** @internal */
  call(call: Call): Attempted {
    return this.host.call(call);
  }

  /** @internal */
  bareIoctl(fd: number, request: number): Attempted {
    const place = { pid: this.pid, fd };
    return this.call(bareCall(request, place) ?? { operation: 'ioctl', ...place, request });
  }

  #open(call: Call, path?: string): number {
    return this.host.call(call, path).fd ?? -1;
  }
}
