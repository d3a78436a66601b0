/**
 * The claims of `projections/audit/claimed-host.ts` without its indexes: every question goes through all
 * files and devices, and every release sweeps all files.
 *
 * @module
 */
import type { DataOf, EventType, Fact, Placed } from '../../events/vocabulary.ts';
import { kindOfDriver } from '../../operations/driver.ts';
import type { ClaimedDevice, ClaimedFile, Gone } from '../../projections/audit/claimed.ts';
import { bootProfile } from '../../machines/eras.ts';
import { NAMELESS } from '../../machines/unshown.ts';
import { fileOpenedBy, ProcessTable, type FileId } from '../../processes/process-table.ts';

/** What an event claims; `id` is that of the file that it opens, `NAMELESS` where it opens none. */
type Handler<T extends EventType> = (claims: SweptClaims, data: DataOf<T>, id: FileId) => void;

export class SweptClaims {
  readonly files = new Map<FileId, ClaimedFile>();
  readonly devices = new Map<string, ClaimedDevice>();
  readonly processes = new ProcessTable();
  /** Whether the kernel is older than 5.19, so that groups live as long as their files. */
  #isOld = false;

  /** Takes the next event, and before it that those who are `gone` have left. */
  take(event: Placed<Fact>, gone: Gone): void {
    this.processes.event = event;
    this.#leave(gone);
    // Before descriptors move: the event saw them as they were.
    this.#change(event);
    const unheld = this.processes.take(event);
    if (unheld.length > 0) this.#release();
  }

  #leave({ evicted, unbound }: Gone): void {
    for (const address of unbound) {
      const device = this.devices.get(address);
      if (device !== undefined) device.driver = null;
    }
    for (const id of evicted) this.processes.evict(id);
    if (evicted.size > 0) this.#release();
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

  /** The groups that there are devices or files of. */
  groups(): Set<string> {
    const known = [...this.devices.values(), ...this.files.values()];
    return new Set(known.flatMap(({ group }) => group ?? []));
  }

  #behind(pid: number, fd: number): ClaimedFile | undefined {
    return this.files.get(this.processes.file(pid, fd) ?? '');
  }

  static readonly #changes: { readonly [T in EventType]?: Handler<T> } = {
    'host.booted': (claims, { kernel, profile }) => {
      claims.#isOld = bootProfile(kernel, profile) === 'linux-5.10';
      claims.files.clear();
      claims.devices.clear();
    },
    'device.added': (claims, { device, group, driver }) => claims.#add(device, group, driver),
    'device.removed': (claims, { device }) => {
      claims.#bind(device, null);
      claims.devices.delete(device);
    },
    'driver.bound': (claims, { device, driver }) => claims.#bind(device, driver),
    'driver.settled': (claims, { device, driver }) => claims.#bind(device, driver),
    'driver.unbound': (claims, { device }) => claims.#bind(device, null),
    'driver.unbind-blocked': (claims, { device: address, next }) => {
      const device = claims.devices.get(address);
      if (device !== undefined) device.leavesFor = { next };
    },
    'container.opened': (claims, _data, id) => claims.#open({ id, kind: 'container' }),
    'iommufd.opened': (claims, _data, id) => claims.#open({ id, kind: 'iommufd' }),
    'group.opened': (claims, { group }, id) => claims.#open({ id, kind: 'group', group }),
    'device.opened': (claims, { device }, id) => {
      const group = claims.devices.get(device)?.group ?? null;
      claims.#open({ id, kind: 'device', device, group });
    },
    'device.obtained': (claims, data, id) => claims.#obtain(data, id),
    'device.bound': (claims, { pid, fd, iommufd }) => claims.#give(pid, fd, iommufd),
    'container.set': (claims, { pid, fd, container }) => claims.#give(pid, fd, container),
    'container.unset': (claims, { pid, fd }) => {
      const file = claims.#behind(pid, fd);
      if (file !== undefined) claims.#takeContext(file);
      claims.#release();
      if (claims.#isOld) claims.#endUnbinds();
    },
  };

  #change(event: Placed<Fact>): void {
    type Any = (claims: SweptClaims, data: Fact['data'], id: FileId) => void;
    const changes: { readonly [T in EventType]?: unknown } = SweptClaims.#changes;
    const change = changes[event.type] as Any | undefined;
    change?.(this, event.data, fileOpenedBy(event) ?? NAMELESS);
  }

  #add(address: string, group: string | null, driver: string | null): void {
    this.devices.set(address, { group, driver, leavesFor: null });
  }

  #bind(address: string, driver: string | null): void {
    const device = this.devices.get(address);
    if (device === undefined) return;
    device.driver = driver;
    device.leavesFor = null;
    const { group } = device;
    if (group === null || this.#isOld || this.#hasVfioDevice(group)) return;
    for (const file of this.filesOf(group)) {
      if (file.kind !== 'group') continue;
      file.isDead = true;
      if (!file.isIommufd) this.#takeContext(file);
    }
  }

  #hasVfioDevice(group: string): boolean {
    return [...this.devices.values()].some(
      ({ group: of, driver }) => of === group && driver !== null && kindOfDriver(driver) === 'vfio',
    );
  }

  /** A context or a container is given to the file behind a descriptor. */
  #give(pid: number, fd: number, context: number | null): void {
    const file = this.#behind(pid, fd);
    if (file === undefined) return;
    if (context === null) {
      if (file.group === null || file.kind !== 'group') return;
      // What nobody has seen is a container, unless it may as well be an iommufd.
      const owner = this.#iommufdOf(file.group);
      file.context = owner ?? NAMELESS;
      file.isIommufd = owner !== null || this.#hasIommufd(pid);
      return;
    }
    const given = this.#behind(pid, context);
    if (given === undefined) return;
    file.context = given.id;
    file.isIommufd = given.kind === 'iommufd';
    file.keeps.add(given.id);
  }

  #takeContext(file: ClaimedFile): void {
    file.context = null;
    file.isIommufd = false;
    file.keeps.clear();
  }

  #hasIommufd(pid: number): boolean {
    const { descriptors } = this.processes.process(pid) ?? {};
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

  #open(opened: Pick<ClaimedFile, 'id' | 'kind'> & Partial<ClaimedFile>): void {
    const file = {
      group: null,
      device: null,
      isGranted: false,
      context: null,
      isIommufd: false,
      isDead: false,
      keeps: new Set<FileId>(),
      ...opened,
    };
    this.files.set(file.id, file);
  }

  #obtain({ pid, fd, device }: DataOf<'device.obtained'>, id: FileId): void {
    const from = this.#behind(pid, fd);
    // A device that is open already stays with its context, whatever its group has by now.
    const open = [...this.files.values()].find(
      (other) => other.isGranted && other.device === device && device !== null,
    );
    const { context = null, isIommufd = false } = open ?? from ?? {};
    const group = from?.group ?? null;
    const kept = isIommufd ? context : from?.id;
    const keeps = new Set(kept == null ? [] : [kept]);
    this.#open({ id, kind: 'device', device, group, isGranted: true, context, isIommufd, keeps });
  }

  /** Files that neither a process nor another file keeps are gone, and with them what they kept. */
  #release(): void {
    const released = new Set<string>();
    for (;;) {
      const kept = new Set([...this.files.values()].flatMap(({ keeps }) => [...keeps]));
      const gone = [...this.files.values()].filter(
        ({ id }) => !kept.has(id) && !this.processes.isHeld(id) && !this.processes.keep(id),
      );
      if (gone.length === 0) break;
      for (const file of gone) {
        this.files.delete(file.id);
        if (file.device !== null) released.add(file.device);
      }
    }
    for (const address of released) this.#endUnbind(address);
    if (this.#isOld) this.#endUnbinds();
  }

  #endUnbinds(): void {
    for (const [address, { group, leavesFor }] of this.devices) {
      if (group !== null && leavesFor !== null) this.#endUnbind(address);
    }
  }

  /** The last VFIO device of an old kernel's group waits until the group has no container. */
  #waitsForContainer(group: string): boolean {
    const members = [...this.devices.values()].filter(
      ({ group: of, driver }) => of === group && driver !== null && kindOfDriver(driver) === 'vfio',
    );
    return this.#isOld && members.length === 1 && this.ownersOf(group).length > 0;
  }

  /** An unbind that waited ends with the last file of its device; one that nobody has seen, when it is said to. */
  #endUnbind(address: string): void {
    const { group = null, leavesFor = null } = this.devices.get(address) ?? {};
    if (leavesFor === null) return;
    if ([...this.files.values()].some(({ device }) => device === address)) return;
    if (group !== null && this.#waitsForContainer(group)) return;
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
