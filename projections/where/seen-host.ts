/**
 * Wrappers of a host: one notes which files were asked about, one caches the holders of all files.
 *
 * @module
 */
import type { FileAt, HostAt } from '../../machines/host-at.ts';
import type { FileId, ProcessHolder } from '../../processes/process-table.ts';

/** Passes every question on to another host. */
class SeenHost implements HostAt {
  protected readonly host: HostAt;

  constructor(host: HostAt) {
    this.host = host;
  }

  get isKnown(): boolean {
    return this.host.isKnown;
  }

  get driverChange(): HostAt['driverChange'] {
    return this.host.driverChange;
  }

  group(group: string) {
    return this.host.group(group);
  }

  groups() {
    return this.host.groups();
  }

  device(device: string) {
    return this.host.device(device);
  }

  devices() {
    return this.host.devices();
  }

  file(id: FileId): FileAt | undefined {
    return this.host.file(id);
  }

  files(): Iterable<FileAt> {
    return this.host.files();
  }

  process(pid: number) {
    return this.host.process(pid);
  }

  processes() {
    return this.host.processes();
  }

  fileBehind(pid: number, fd: number) {
    return this.host.fileBehind(pid, fd);
  }

  holders(file: FileId): ProcessHolder[] {
    return this.host.holders(file);
  }

  isHeld(id: FileId): boolean {
    return this.host.isHeld(id);
  }
}

/** Notes the files that it was asked about, or whose holders it was asked for. */
export class NotingHost extends SeenHost {
  readonly asked = new Set<FileId>();
  readonly #files: () => Iterable<FileAt>;

  /** `files` limits which files `files()` returns. */
  constructor(host: HostAt, files: () => Iterable<FileAt> = () => host.files()) {
    super(host);
    this.#files = files;
  }

  override file(id: FileId): FileAt | undefined {
    this.asked.add(id);
    return super.file(id);
  }

  override files(): Iterable<FileAt> {
    return this.#files();
  }

  override isHeld(id: FileId): boolean {
    this.asked.add(id);
    return super.isHeld(id);
  }

  override holders(file: FileId): ProcessHolder[] {
    this.asked.add(file);
    return super.holders(file);
  }
}

/** A host that does not change: it scans the processes once for the holders of all files. */
export class MomentaryHost extends SeenHost {
  #held: Map<FileId, ProcessHolder[]> | null = null;

  /** The holders, in no order. */
  override holders(file: FileId): ProcessHolder[] {
    this.#held ??= this.#holdersByFile();
    return this.#held.get(file) ?? [];
  }

  #holdersByFile(): Map<FileId, ProcessHolder[]> {
    const held = new Map<FileId, ProcessHolder[]>();
    const add = (holder: ProcessHolder): void => {
      const known = held.get(holder.file);
      if (known === undefined) held.set(holder.file, [holder]);
      else known.push(holder);
    };
    for (const { pid, comm, cgroup, descriptors, mapped } of this.host.processes()) {
      const by = { pid, comm, cgroup };
      for (const [fd, { file }] of descriptors) add({ ...by, via: 'fd', fd, file });
      for (const file of mapped) add({ ...by, via: 'mapping', fd: null, file });
    }
    return held;
  }
}
