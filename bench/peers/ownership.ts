/**
 * Ownership folded the plain way, as somebody would who has only the events: descriptors and
 * mappings hold files, some files claim a group, and a claim ends with its file. No machines, no
 * checks, no causes; every peer that replays does it with this fold.
 *
 * @module
 */
import type { LedgerEvent, Placed } from '../../events/vocabulary.ts';
import { fileOpenedBy, type FileId, ProcessTable } from '../../processes/process-table.ts';

/** Told of every group that changes hands; the owner is null where nobody has it any more. */
type Changed = (group: string, owner: FileId | null) => void;

export class Ownership {
  /** By group, the iommufd that owns it, or the group file whose container does. */
  readonly owners = new Map<string, FileId>();
  readonly #changed: Changed | null;
  readonly #processes = new ProcessTable();
  readonly #groupOfDevice = new Map<string, string>();
  /** The group that a file of a device or of a group is about. */
  readonly #groupOfFile = new Map<FileId, string>();
  readonly #iommufds = new Set<FileId>();
  /** By group file, the iommufd that it was given as its container. */
  readonly #given = new Map<FileId, FileId>();
  /** By file, the group that it claims. */
  readonly #claims = new Map<FileId, string>();

  constructor(changed: Changed | null = null) {
    this.#changed = changed;
  }

  take(event: Placed<LedgerEvent>): void {
    const { type } = event;
    if (type === 'host.booted') this.#reset();
    if (type === 'device.added') {
      const { device, group } = event.data;
      if (group !== null) this.#groupOfDevice.set(device, group);
    }
    const opened = fileOpenedBy(event);
    if (opened !== null) this.#open(event, opened);
    if (type === 'device.bound') {
      const { pid, fd, iommufd } = event.data;
      this.#claim(this.#processes.file(pid, fd), this.#processes.file(pid, iommufd ?? -1));
    }
    if (type === 'container.set') {
      const { pid, fd, container } = event.data;
      this.#give(this.#processes.file(pid, fd), this.#processes.file(pid, container ?? -1));
    }
    if (type === 'container.unset') {
      this.#forget(this.#processes.file(event.data.pid, event.data.fd));
    }
    for (const file of this.#processes.take(event)) this.#release(file);
  }

  #reset(): void {
    for (const group of this.owners.keys()) this.#changed?.(group, null);
    for (const map of [this.owners, this.#groupOfDevice, this.#groupOfFile]) map.clear();
    for (const map of [this.#given, this.#claims, this.#iommufds]) map.clear();
  }

  #open(event: Placed<LedgerEvent>, file: FileId): void {
    if (event.type === 'iommufd.opened') this.#iommufds.add(file);
    if (event.type === 'group.opened') this.#groupOfFile.set(file, event.data.group);
    if (event.type !== 'device.opened' && event.type !== 'device.obtained') return;
    const group = this.#groupOfDevice.get(event.data.device ?? '');
    if (group !== undefined) this.#groupOfFile.set(file, group);
    if (event.type !== 'device.obtained') return;
    const through = this.#processes.file(event.data.pid, event.data.fd);
    const iommufd = through === undefined ? undefined : this.#given.get(through);
    if (iommufd !== undefined) this.#claim(file, iommufd);
  }

  #give(groupFile: FileId | undefined, container: FileId | undefined): void {
    if (groupFile === undefined || container === undefined) return;
    if (this.#iommufds.has(container)) this.#given.set(groupFile, container);
    else this.#claim(groupFile, groupFile);
  }

  #claim(file: FileId | undefined, owner: FileId | undefined): void {
    const group = file === undefined ? undefined : this.#groupOfFile.get(file);
    if (file === undefined || owner === undefined || group === undefined) return;
    this.#claims.set(file, group);
    if (this.owners.get(group) === owner) return;
    this.owners.set(group, owner);
    this.#changed?.(group, owner);
  }

  #release(file: FileId): void {
    this.#forget(file);
    this.#groupOfFile.delete(file);
    this.#iommufds.delete(file);
  }

  /** Ends what a file claims; its group is nobody's with the last claim. */
  #forget(file: FileId | undefined): void {
    if (file === undefined) return;
    this.#given.delete(file);
    const group = this.#claims.get(file);
    if (group === undefined) return;
    this.#claims.delete(file);
    for (const other of this.#claims.values()) if (other === group) return;
    this.owners.delete(group);
    this.#changed?.(group, null);
  }
}
