/**
 * Hosts as they are seen through something: with a note of what was asked, or with what is known.
 *
 * @module
 */
import type { Kernel } from '../../machines/kernel.ts';
import { TERMINAL, type FileId, type Holder } from '../../processes/process-table.ts';
import type { FileAt, HostSnapshot } from '../snapshot.ts';

/** A host that answers as another does. */
class SeenHost implements HostSnapshot {
  protected readonly host: HostSnapshot;

  constructor(host: HostSnapshot) {
    this.host = host;
  }

  readonly processes: HostSnapshot['processes'] = { holders: (file) => this.holders(file) };

  get isKnown(): boolean {
    return this.host.isKnown;
  }

  get driverChange(): HostSnapshot['driverChange'] {
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

  isHeld(id: FileId): boolean {
    return this.host.isHeld(id);
  }

  protected holders(file: FileId): Holder[] {
    return this.host.processes.holders(file);
  }
}

/** Notes which files it was asked about, and about whose holders. */
export class NotingHost extends SeenHost {
  readonly asked = new Set<FileId>();
  readonly #files: () => Iterable<FileAt>;

  /** `files` are all that matter of those that there are. */
  constructor(host: HostSnapshot, files: () => Iterable<FileAt> = () => host.files()) {
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

  protected override holders(file: FileId): Holder[] {
    this.asked.add(file);
    return super.holders(file);
  }
}

/** A host at one moment: its processes are gone through once, not for every file. */
export class MomentaryHost extends SeenHost {
  readonly #processes: Kernel['processes'];
  #held: Map<FileId, Holder[]> | null = null;

  constructor(kernel: Kernel) {
    super(kernel);
    this.#processes = kernel.processes;
  }

  /** In no order. */
  protected override holders(file: FileId): Holder[] {
    this.#held ??= this.#holdersByFile();
    return this.#held.get(file) ?? [];
  }

  #holdersByFile(): Map<FileId, Holder[]> {
    const held = new Map<FileId, Holder[]>();
    const add = (holder: Holder): void => {
      const known = held.get(holder.file);
      if (known === undefined) held.set(holder.file, [holder]);
      else known.push(holder);
    };
    for (const { pid, comm, cgroup, descriptors, mappings } of this.#processes.processes()) {
      const by = { pid, comm, cgroup };
      for (const [fd, { file }] of descriptors) {
        if (file !== TERMINAL) add({ ...by, via: 'fd', fd, file });
      }
      for (const file of mappings.values()) add({ ...by, via: 'mapping', fd: null, file });
    }
    return held;
  }
}
