/**
 * What the evidence claims, taken at its word: who has which file of a group or a device, and for
 * which context, whether or not the rules would have let it come to that.
 *
 * The machines turn down what cannot be. An auditor asks about it all the same: two owners that were
 * claimed for one group are two owners until somebody shows that the evidence is wrong.
 *
 * @module
 */
import type { Fact, Placed } from '../events/vocabulary.ts';
import { kindOfDriver } from '../operations/driver.ts';
import { NAMELESS } from '../machines/unshown.ts';
import { fileOpenedBy, positionOf, ProcessTable, type FileId } from '../processes/process-table.ts';

/** A file as it is claimed to be. */
export interface ClaimedFile {
  readonly id: FileId;
  readonly kind: 'group' | 'device' | 'container' | 'iommufd';
  /** The group of a group's file or of a device's. */
  readonly group: string | null;
  /** Of a device's file. */
  readonly device: string | null;
  /** Of a device's file that was got from a group. */
  readonly isGranted: boolean;
  /** The context that a device's file is bound to, or the container that a group's file is in. */
  context: FileId | null;
  /** Whether the context is an iommufd. */
  isIommufd: boolean;
  /** Of a group's file: the last VFIO device has left the group since it was opened. */
  isDead: boolean;
  /** Files that it keeps alive. */
  readonly keeps: Set<FileId>;
}

interface ClaimedDevice {
  readonly group: string | null;
  driver: string | null;
  /** The driver, or none, that an unbind which waits goes on to. */
  leavesFor: { readonly next: string | null } | null;
}

export class Claims {
  readonly files = new Map<FileId, ClaimedFile>();
  readonly devices = new Map<string, ClaimedDevice>();
  readonly #processes = new ProcessTable();
  /** Whether nobody has seen the host boot, and so not all that happens on it either. */
  #isAssumed = false;

  take(event: Placed<Fact>): void {
    const opened = fileOpenedBy(event);
    // Looked up before descriptors move: the event saw them as they were.
    const change = this.#changeOf(event, opened);
    const unheld = this.#processes.take(event);
    change();
    if (event.type === 'host.booted') {
      this.#isAssumed = (event.data.evidence?.certainty ?? 'observed') !== 'observed';
    }
    const hasLeft = this.#isAssumed && this.#yieldTo(event, opened);
    if (unheld.length > 0 || hasLeft || event.type === 'container.unset') this.#release();
  }

  /**
   * Of a host of which not everything was seen: a call that nobody can stand in the way of shows that
   * those who had been there had gone. Gives whether there were any.
   */
  #yieldTo(event: Placed<Fact>, opened: FileId | null): boolean {
    const { type } = event;
    if (type !== 'group.opened' && type !== 'container.set' && type !== 'device.bound')
      return false;
    const own =
      opened === null ? this.#behind(event.data.pid, event.data.fd) : this.files.get(opened);
    if (own === undefined || own.group === null) return false;
    const gone = this.filesOf(own.group).filter((other) => {
      if (other === own || other.context === own.id || other.keeps.has(own.id)) return false;
      if (other.kind === 'group') return true;
      // What was got through an iommufd keeps no file of its group, nor that from another iommufd.
      if (type !== 'device.bound' && other.isGranted && other.isIommufd) {
        return type === 'container.set' && !own.isIommufd;
      }
      if (type !== 'device.bound') return other.context !== null || other.isGranted;
      // A context that is not shown may be the one that the others are bound to.
      const isOther =
        own.context !== null &&
        other.context !== own.context &&
        // One that nobody has seen may be the same, unless that was opened after it had been given.
        (other.context !== NAMELESS || positionOf(other.id) < positionOf(own.context));
      const isSame = other.device === own.device;
      const isNative = other.isGranted && !other.isIommufd;
      return isNative || (other.context !== null && (isSame || isOther));
    });
    for (const { id } of gone) this.#processes.evict(id);
    const isClaim = type === 'device.bound' || (type === 'container.set' && !own.isIommufd);
    if (isClaim) this.#unbindKernelDrivers(own.group);
    return gone.length > 0;
  }

  /** The files that are claimed of a group, its own and its devices'. */
  filesOf(group: string): ClaimedFile[] {
    return [...this.files.values()].filter((file) => file.group === group);
  }

  /** The contexts that own a group, if all that is claimed is so. */
  ownersOf(group: string): FileId[] {
    const owners = this.filesOf(group).flatMap((file): FileId[] => {
      if (file.context === null) return [];
      if (file.kind === 'device') return file.isIommufd ? [file.context] : [];
      // A group in a container is an owner by itself; an iommufd owns with the first device.
      return file.isIommufd ? [] : [file.id];
    });
    return [...new Set(owners)];
  }

  /** The kernel drivers in a group that do DMA. */
  kernelDriversIn(group: string): string[] {
    return [...this.devices.values()].flatMap(({ group: of, driver }) =>
      of === group && driver !== null && kindOfDriver(driver) === 'kernel' ? [driver] : [],
    );
  }

  /** User space has got a group: the drivers that had kept it out are gone. */
  #unbindKernelDrivers(group: string): void {
    for (const device of this.devices.values()) {
      if (device.group !== group || device.driver === null) continue;
      if (kindOfDriver(device.driver) === 'kernel') device.driver = null;
    }
  }

  /** The groups that there are devices or files of. */
  groups(): Set<string> {
    const known = [...this.devices.values(), ...this.files.values()];
    return new Set(known.flatMap(({ group }) => group ?? []));
  }

  #behind(pid: number, fd: number): ClaimedFile | undefined {
    return this.files.get(this.#processes.file(pid, fd) ?? '');
  }

  /** What an event changes besides descriptors; to be done once these have moved. */
  #changeOf(event: Placed<Fact>, opened: FileId | null): () => void {
    if (opened !== null) return this.#openingOf(event, opened);
    switch (event.type) {
      case 'host.booted':
        return () => {
          this.files.clear();
          this.devices.clear();
        };
      case 'device.added': {
        const { device, group, driver } = event.data;
        return () => void this.devices.set(device, { group, driver, leavesFor: null });
      }
      case 'device.removed':
        return () => {
          this.#bind(event.data.device, null);
          this.devices.delete(event.data.device);
        };
      case 'driver.bound':
      case 'driver.settled':
        return () => this.#bind(event.data.device, event.data.driver);
      case 'driver.unbound':
        return () => this.#bind(event.data.device, null);
      case 'driver.unbind-blocked': {
        const device = this.devices.get(event.data.device);
        return () => {
          if (device !== undefined) device.leavesFor = { next: event.data.next };
        };
      }
      case 'device.bound':
        return this.#given(event.data, event.data.iommufd);
      case 'container.set':
        return this.#given(event.data, event.data.container);
      case 'container.unset': {
        const file = this.#behind(event.data.pid, event.data.fd);
        return () => {
          if (file === undefined) return;
          file.context = null;
          file.isIommufd = false;
          file.keeps.clear();
        };
      }
      default:
        return () => {};
    }
  }

  #bind(address: string, driver: string | null): void {
    const device = this.devices.get(address);
    if (device === undefined) return;
    device.driver = driver;
    device.leavesFor = null;
    const { group } = device;
    if (group === null || this.#hasVfioDevice(group)) return;
    for (const file of this.filesOf(group)) {
      if (file.kind !== 'group') continue;
      file.isDead = true;
      if (file.isIommufd) continue;
      file.context = null;
      file.keeps.clear();
    }
  }

  #hasVfioDevice(group: string): boolean {
    return [...this.devices.values()].some(
      ({ group: of, driver }) => of === group && driver !== null && kindOfDriver(driver) === 'vfio',
    );
  }

  /** A context or a container is given to the file behind a descriptor. */
  #given({ pid, fd }: { pid: number; fd: number }, context: number | null): () => void {
    const file = this.#behind(pid, fd);
    const given = context === null ? undefined : this.#behind(pid, context);
    return () => {
      if (file === undefined) return;
      if (context === null && file.group !== null && file.kind === 'group') {
        // What nobody has seen is a container, unless it may as well be an iommufd.
        const owner = this.#iommufdOf(file.group);
        file.context = owner ?? NAMELESS;
        file.isIommufd = owner !== null || this.#hasIommufd(pid);
      }
      if (given === undefined) return;
      file.context = given.id;
      file.isIommufd = given.kind === 'iommufd';
      file.keeps.add(given.id);
    };
  }

  #hasIommufd(pid: number): boolean {
    const { descriptors } = this.#processes.process(pid) ?? {};
    return [...(descriptors?.values() ?? [])].some(
      ({ file }) => this.files.get(file)?.kind === 'iommufd',
    );
  }

  /** The iommufd that has a device of a group open. */
  #iommufdOf(group: string): FileId | null {
    const open = this.filesOf(group).find(
      ({ kind, context, isIommufd }) => kind === 'device' && context !== null && isIommufd,
    );
    return open?.context ?? null;
  }

  #openingOf(event: Placed<Fact>, id: FileId): () => void {
    const plain = {
      id,
      group: null,
      device: null,
      isGranted: false,
      isIommufd: false,
      isDead: false,
    };
    const file = (claimed: Partial<ClaimedFile> & Pick<ClaimedFile, 'kind'>) => () =>
      void this.files.set(id, { ...plain, context: null, keeps: new Set(), ...claimed });
    switch (event.type) {
      case 'container.opened':
        return file({ kind: 'container' });
      case 'iommufd.opened':
        return file({ kind: 'iommufd' });
      case 'group.opened':
        return file({ kind: 'group', group: event.data.group });
      case 'device.opened': {
        const { device } = event.data;
        return file({ kind: 'device', device, group: this.devices.get(device)?.group ?? null });
      }
      case 'device.obtained': {
        const { pid, fd, device } = event.data;
        const from = this.#behind(pid, fd);
        // A device that is open already stays with its context, whatever its group has by now.
        const open = [...this.files.values()].find(
          (other) => other.isGranted && other.device === device && device !== null,
        );
        const { context = null, isIommufd = false } = open ?? from ?? {};
        const group = from?.group ?? null;
        const kept = isIommufd ? context : from?.id;
        const keeps = new Set(kept == null ? [] : [kept]);
        return file({ kind: 'device', device, group, isGranted: true, context, isIommufd, keeps });
      }
      default:
        return () => {};
    }
  }

  /** Files that neither a process nor another file keeps are gone, and with them what they kept. */
  #release(): void {
    for (;;) {
      const kept = new Set([...this.files.values()].flatMap(({ keeps }) => [...keeps]));
      const gone = [...this.files.keys()].filter(
        (id) => !kept.has(id) && !this.#processes.isHeld(id),
      );
      if (gone.length === 0) break;
      for (const id of gone) this.files.delete(id);
    }
    this.#endUnbinds();
  }

  /** An unbind that waited ends with the last file of its device. */
  #endUnbinds(): void {
    for (const [address, { group, leavesFor }] of this.devices) {
      if (leavesFor === null) continue;
      if ([...this.files.values()].some(({ device }) => device === address)) continue;
      this.#bind(address, null);
      const { next } = leavesFor;
      const isRefused =
        next !== null &&
        kindOfDriver(next) === 'kernel' &&
        group !== null &&
        this.ownersOf(group).length > 0;
      if (!isRefused) this.#bind(address, next);
    }
  }
}
