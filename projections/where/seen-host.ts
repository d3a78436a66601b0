/**
 * Hosts as they are seen through something: with a note of what was asked, or with what is known.
 *
 * @module
 */
import type { FileAt, HostAt } from '../../machines/host-at.ts';
import type { FileId, ProcessHolder } from '../../processes/process-table.ts';

/** A host that answers as another does. */
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

/** Notes which files it was asked about, and about whose holders. */
export class NotingHost extends SeenHost {
  readonly asked = new Set<FileId>();
  readonly #files: () => Iterable<FileAt>;

  /** `files` are all that matter of those that there are. */
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

/** A host at one moment: its processes are gone through once, not for every file. */
export class MomentaryHost extends SeenHost {
  #held: Map<FileId, ProcessHolder[]> | null = null;

  /** In no order. */
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
