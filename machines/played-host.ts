/**
 * `PlayedHost`: the plain view (`PlayedHostAt`) of a `Kernel`, made when it is asked.
 *
 * @module
 */
import { TERMINAL, type FileId, type ProcessHolder } from '../processes/process-table.ts';
import type { OpenFile } from './instances.ts';
import type {
  PlayedChange,
  PlayedDevice,
  PlayedFile,
  PlayedGroup,
  PlayedHostAt,
  PlayedProcess,
} from './host-at.ts';
import { InspectedHost } from './inspected-host.ts';
import type { Kernel } from './kernel.ts';
import { deviceAt, fileAt, groupAt, processAt } from './plain.ts';
import { delaysUnbind } from './unbinding.ts';

export class PlayedHost extends InspectedHost implements PlayedHostAt {
  protected readonly kernel: Kernel;

  constructor(kernel: Kernel) {
    super();
    this.kernel = kernel;
  }

  get isKnown(): boolean {
    return this.kernel.isKnown;
  }

  get boot(): string | null {
    return this.kernel.boot;
  }

  get iommufd(): boolean {
    return this.kernel.iommufd;
  }

  get driverChange(): PlayedChange | null {
    const change = this.kernel.driverChange;
    if (change === null) return null;
    const { next, waiter, outcome } = change;
    const { device } = change.device;
    const isOfGone = this.kernel.device(device) !== change.device;
    const isFatal = outcome?.isFatal ?? false;
    return { device, next, waiter, isOver: outcome !== null, isFatal, isOfGone };
  }

  /** Whether the boot was not recorded, so that its state is assumed. */
  get isAssumed(): boolean {
    return this.kernel.isAssumed;
  }

  /** Whether the kernel has died; it answers nothing until it boots. */
  get isDead(): boolean {
    return this.kernel.isDead;
  }

  group(id: string): PlayedGroup | undefined {
    const group = this.kernel.group(id);
    return group && groupAt(group);
  }

  *groups(): Generator<PlayedGroup> {
    for (const group of this.kernel.groups()) yield groupAt(group);
  }

  device(id: string): PlayedDevice | undefined {
    const device = this.kernel.device(id);
    return device && deviceAt(device);
  }

  *devices(): Generator<PlayedDevice> {
    for (const device of this.kernel.devices()) yield deviceAt(device);
  }

  file(id: FileId): PlayedFile | undefined {
    const file = this.kernel.file(id);
    return file && this.#fileAt(file);
  }

  *files(): Generator<PlayedFile> {
    for (const file of this.kernel.files()) yield this.#fileAt(file);
  }

  process(pid: number): PlayedProcess | undefined {
    const process = this.kernel.processes.process(pid);
    return process && processAt(process);
  }

  *processes(): Generator<PlayedProcess> {
    for (const process of this.kernel.processes.processes()) yield processAt(process);
  }

  fileBehind(pid: number, fd: number): FileId | undefined {
    return ofTheLog(this.kernel.processes.file(pid, fd));
  }

  fileMapped(pid: number, address: number): FileId | undefined {
    return ofTheLog(this.kernel.processes.process(pid)?.mappings.get(address));
  }

  holders(file: FileId): ProcessHolder[] {
    return this.kernel.processes.holders(file);
  }

  /** Whether an unbind of the device's driver would wait, for an open file or for a container. */
  delaysUnbind(address: string): boolean {
    const device = this.kernel.device(address);
    return device !== undefined && delaysUnbind(this.kernel.profile, device);
  }

  /** The open iommufds that have noted the address space of a process. */
  iommufdsMappedBy(pid: number): FileId[] {
    return this.kernel.openFiles.mappedBy(pid);
  }

  isHeld(id: FileId): boolean {
    return this.kernel.isHeld(id);
  }

  #fileAt(file: OpenFile): PlayedFile {
    return fileAt(
      file,
      file.kind === 'device' ? this.kernel.device(file.device.device) : undefined,
    );
  }
}

function ofTheLog(file: FileId | undefined): FileId | undefined {
  return file === TERMINAL ? undefined : file;
}
