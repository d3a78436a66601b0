/**
 * The system calls of a process on a virtual host, with numbers and bytes as the kernel takes them, to be
 * injected into code that encodes its own structures.
 *
 * @module
 */
import { LedgerError, RequestError } from '../events/ledger-error.ts';
import type { Call, Operation } from '../events/vocabulary.ts';
import { fileKinds, type FileKind } from '../operations/row.ts';
import { operationNames, requestedOf, rowOf, structuredRequest } from '../operations/table.ts';
import type { VirtualProcess } from './process.ts';
import { structureAt, type Memory } from './structures.ts';

/** O_CLOEXEC of Linux on x86 and Arm. */
const CLOEXEC = 0o2000000;
/** The index of a region stands in the upper bits of an offset (VFIO_PCI_OFFSET_SHIFT). */
const REGION = 2 ** 40;
const PAGE = 4096;

/** VFIO_DEVICE_FLAGS_RESET and _PCI; what vfio-pci counts. */
const [RESET, PCI, REGIONS, IRQS] = [1, 2, 9, 5];

/** What VFIO_CHECK_EXTENSION says of the extensions that do not depend on the host. */
const extensions: ReadonlyMap<number, number> = new Map([
  [1, 1],
  [3, 1],
]);

/** The calls of one process. They throw a `SystemError` if the kernel refuses. */
export class SystemCalls {
  readonly process: VirtualProcess;

  /** @internal */
  constructor(process: VirtualProcess) {
    this.process = process;
  }

  /** Opens a path; of the flags only O_CLOEXEC counts. Returns the descriptor. */
  open(path: string, flags = 0): number {
    return this.process.open(path, { cloexec: (flags & CLOEXEC) !== 0 }).fd;
  }

  /**
   * Makes an ioctl by its number, with a structure as bytes, a number, or nothing. Results are written
   * into the bytes. Returns what the call returns.
   *
   * Throws `bad-request` if the bytes are fewer than the structure has, and `unsupported` for what the
   * rules do not judge or do not know the answer to, such as the size of a region.
   */
  ioctl(fd: number, request: number, argument: Uint8Array | number | null = null): number {
    const kind = this.#kindOf(fd);
    const found = requestedOf(kind, [request]);
    const isPointer = argument instanceof Uint8Array;
    if (found === null) return this.#unmodelled(kind, fd, request, isPointer);
    const { operation } = found;
    const known = rowOf(operation).request;
    if (known?.argument !== 'pointer' || !isPointer) {
      if (isPointer && known?.argument === 'value') {
        throw new RequestError(`ioctl 0x${request.toString(16)} takes a number, not bytes`);
      }
      const value = typeof argument === 'number' ? argument : 0;
      return this.#byValue(operation, { fd, request, value });
    }
    const isTaken = kind !== null && known.on.includes(kind);
    const all = operationNames.filter((name) => rowOf(name).request?.number === request);
    const ordered = [operation, ...all.filter((name) => name !== operation)];
    const held = structureAt(ordered, argument, isTaken);
    const { structure, memory } = held;
    const place = { pid: this.process.pid, fd };
    const call = { operation: held.operation, ...place, ...structure.read(memory) } as Call;
    const passed = this.process.call(call);
    structure.write?.(memory, passed);
    this.#tell(call, memory);
    return passed.fd ?? 0;
  }

  /** Maps a page of a region, which the offset names. Returns the address. */
  mmap(fd: number, length: number, offset: number): number {
    if (length !== PAGE) {
      throw new LedgerError('unsupported', `a mapping has ${PAGE} bytes here, not ${length}`);
    }
    return this.process.descriptor(fd).mmap(Math.floor(offset / REGION)).address;
  }

  munmap(address: number): void {
    this.process.mapping(address).unmap();
  }

  close(fd: number): void {
    this.process.descriptor(fd).close();
  }

  /** Starts a child with the same descriptors. Returns its system calls. */
  fork(comm: string): SystemCalls {
    return new SystemCalls(this.process.fork(comm));
  }

  #kindOf(fd: number): FileKind | null {
    const { live } = this.process.host.ledger;
    const { kind } = live.file(live.fileBehind(this.process.pid, fd) ?? '') ?? {};
    return fileKinds.find((known) => known === kind) ?? null;
  }

  /** An ioctl that is no operation: the kernel refuses it unless it is one that nothing models. */
  #unmodelled(kind: FileKind | null, fd: number, request: number, isPointer: boolean): number {
    if (isPointer && kind !== null && structuredRequest(kind, request) !== null) {
      throw new LedgerError('unsupported', `the rules do not know ioctl 0x${request.toString(16)}`);
    }
    this.process.bareIoctl(fd, request);
    return 0;
  }

  /** An ioctl whose argument is a number, or with a null pointer. */
  #byValue(
    operation: Operation,
    {
      fd,
      request,
      value,
    }: { readonly fd: number; readonly request: number; readonly value: number },
  ): number {
    const place = { pid: this.process.pid, fd };
    if (operation === 'set_iommu') {
      this.process.call({ operation, ...place, iommu: value });
      return 0;
    }
    if (operation === 'check_extension') {
      this.process.call({ operation, ...place, extension: value });
      const answer = extensions.get(value);
      if (answer !== undefined) return answer;
      throw new LedgerError(
        'unsupported',
        `the rules do not know whether extension ${value} is there`,
      );
    }
    if (value !== 0 && rowOf(operation).request?.argument === 'pointer') {
      throw new RequestError(`ioctl 0x${request.toString(16)} takes a structure, as bytes`);
    }
    this.process.bareIoctl(fd, request);
    return 0;
  }

  /** Writes what a call tells of a device. Throws `unsupported` for what the rules do not know. */
  #tell(call: Call, memory: Memory): void {
    if (call.operation === 'device_info') {
      const { live } = this.process.host.ledger;
      const { refusal } = live.answer({ operation: 'reset', pid: call.pid, fd: call.fd });
      memory.setU32(4, PCI | (refusal?.cause === 'not-ownership' ? 0 : RESET));
      memory.setU32(8, REGIONS);
      memory.setU32(12, IRQS);
    }
    if (call.operation !== 'region_info' && call.operation !== 'hot_reset_info') return;
    throw new LedgerError('unsupported', `the rules do not know what ${call.operation} tells`);
  }
}
