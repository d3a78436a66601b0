/**
 * The host that the evidence claims: which process has which file of a group or device, and with
 * which context. The rules are not applied.
 *
 * The machines refuse an impossible event, so they never show two owners of a group. A claimed host does:
 * two owners that the evidence claims stay two owners, until the evidence is found to be wrong. Only
 * one thing comes from the machines: on a host whose boot was not recorded, what must have been
 * released or unbound before a call could pass (`Gone`).
 *
 * @module
 */
import type { CallEvent, DataOf, EventType, Fact, Placed } from '../../events/vocabulary.ts';
import { kindOfDriver } from '../../operations/driver.ts';
import { ClaimedDevices } from './claimed-devices.ts';
import { ClaimedFiles } from './claimed-files.ts';
import {
  claimedFile,
  claimsNothing,
  type ClaimedDevice,
  type ClaimedFile,
  type ClaimingCall,
  type Gone,
} from './claimed.ts';
import { bootProfile } from '../../machines/eras.ts';
import { groupsDie } from '../../machines/profile.ts';
import { NAMELESS } from '../../machines/unshown.ts';
import { fileOpenedBy, ProcessTable, type FileId } from '../../processes/process-table.ts';

/** Applies an event to the claims; `id` is the file that the event opens, or `NAMELESS`. */
type Handler<T extends EventType> = (claims: ClaimedHost, data: DataOf<T>, id: FileId) => void;

export class ClaimedHost {
  readonly processes = new ProcessTable();
  /** The groups whose files, owners or drivers the last event may have changed. */
  readonly touched = new Set<string>();
  /** The files that the last event released. */
  readonly released = new Set<FileId>();
  readonly #files = new ClaimedFiles();
  readonly #devices = new ClaimedDevices();
  /** As of the profile of the boot. */
  #groupsDie = true;

  /** By address, in the order in which they came. */
  get devices(): ReadonlyMap<string, ClaimedDevice> {
    return this.#devices.all;
  }

  /** In the order of their opening. */
  get files(): ReadonlyMap<FileId, ClaimedFile> {
    return this.#files.all;
  }

  /** Removes what must be `gone` before the event, then takes the event. */
  take(event: Placed<Fact>, gone: Gone): void {
    this.touched.clear();
    this.released.clear();
    this.processes.event = event;
    this.#leave(gone);
    // Before `processes` takes the event, whose descriptors mean the files before it.
    this.#change(event);
    const unheld = this.processes.take(event);
    if (unheld.length > 0) this.#release(unheld);
  }

  #leave({ evicted, unbound }: Gone): void {
    for (const address of unbound) {
      const device = this.devices.get(address);
      if (device !== undefined) this.#drive(device, null);
    }
    for (const id of evicted) this.processes.evict(id);
    if (evicted.size > 0) this.#release(evicted);
  }

  /** The claimed files of a group and of its devices. */
  filesOf(group: string): ClaimedFile[] {
    return this.#files.ofGroup(group);
  }

  /** The owners of a group if every claim is true: iommufds, and group files with a container. */
  ownersOf(group: string): FileId[] {
    const owners = this.filesOf(group).flatMap((file): FileId[] => {
      if (file.context === null) return [];
      if (file.kind === 'device') return file.isIommufd ? [file.context] : [];
      // A group file with a container is the owner itself; an iommufd owns through its devices.
      return file.isIommufd ? [] : [file.id];
    });
    return [...new Set(owners)];
  }

  /** The kernel drivers of a group that do DMA. */
  kernelDriversIn(group: string): string[] {
    return this.#devices.driversIn(group, 'kernel');
  }

  /** Whether there are devices or files of a group. */
  hasGroup(group: string): boolean {
    return this.#devices.hasGroup(group) || this.#files.hasGroup(group);
  }

  /** The groups that have claimed devices or files. */
  groups(): Set<string> {
    const known = [...this.devices.values(), ...this.files.values()];
    return new Set(known.flatMap(({ group }) => group ?? []));
  }

  #touch({ group }: { readonly group: string | null }): void {
    if (group !== null) this.touched.add(group);
  }

  #behind(pid: number, fd: number): ClaimedFile | undefined {
    return this.files.get(this.processes.file(pid, fd) ?? '');
  }

  static readonly #changes: {
    readonly [T in Exclude<EventType, CallEvent> | ClaimingCall]: Handler<T> | null;
  } = {
    'host.booted': (claims, { kernel, profile }) => {
      claims.#groupsDie = groupsDie(bootProfile(kernel, profile));
      for (const group of claims.groups()) claims.touched.add(group);
      claims.#files.clear();
      claims.#devices.clear();
    },
    'device.added': (claims, { device, group, driver }) => claims.#add(device, group, driver),
    'device.removed': (claims, { device }) => {
      claims.#bind(device, null);
      claims.#devices.remove(device);
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
      claims.#release([]);
      if (file?.group != null) claims.#endUnbinds(file.group);
    },
    ...claimsNothing,
  };

  /** Whether events of a type can change the owner of a group. */
  static hears(type: EventType): boolean {
    return (this.#changes as { readonly [T in EventType]?: unknown })[type] != null;
  }

  #change(event: Placed<Fact>): void {
    type Any = (claims: ClaimedHost, data: Fact['data'], id: FileId) => void;
    const changes: { readonly [T in EventType]?: unknown } = ClaimedHost.#changes;
    const change = (changes[event.type] ?? null) as Any | null;
    change?.(this, event.data, fileOpenedBy(event) ?? NAMELESS);
  }

  #add(address: string, group: string | null, driver: string | null): void {
    const there = this.devices.get(address);
    if (there?.group === group) {
      there.leavesFor = null;
      return this.#drive(there, driver);
    }
    const device = { group, driver, leavesFor: null };
    this.#devices.add(address, device);
    this.#touch(device);
    if (there !== undefined) this.#touch(there);
  }

  #drive(device: ClaimedDevice, driver: string | null): void {
    this.#devices.drive(device, driver);
    this.#touch(device);
  }

  #bind(address: string, driver: string | null): void {
    const device = this.devices.get(address);
    if (device === undefined) return;
    this.#drive(device, driver);
    device.leavesFor = null;
    const { group } = device;
    if (group === null || !this.#groupsDie) return;
    if (this.#devices.countOf(group, 'vfio') > 0) return;
    for (const file of this.filesOf(group)) {
      if (file.kind !== 'group') continue;
      file.isDead = true;
      if (!file.isIommufd) this.#takeContext(file);
    }
  }

  /** Gives a file a context; `fd` and `context` are descriptors, the latter null if not shown. */
  #give(pid: number, fd: number, context: number | null): void {
    const file = this.#behind(pid, fd);
    if (file === undefined) return;
    this.#touch(file);
    if (context === null) {
      if (file.group === null || file.kind !== 'group') return;
      // A context that was not shown counts as a container, unless it may be an iommufd.
      const owner = this.#iommufdOf(file.group);
      file.context = owner ?? NAMELESS;
      file.isIommufd = owner !== null || this.#hasIommufd(pid);
      return;
    }
    const given = this.#behind(pid, context);
    if (given === undefined) return;
    file.context = given.id;
    file.isIommufd = given.kind === 'iommufd';
    this.#files.keep(file, given.id);
  }

  #takeContext(file: ClaimedFile): void {
    this.#touch(file);
    file.context = null;
    file.isIommufd = false;
    this.#files.letGo(file);
  }

  #hasIommufd(pid: number): boolean {
    const descriptors = this.processes.process(pid)?.descriptors.values() ?? [];
    return [...descriptors].some(({ file }) => this.files.get(file)?.kind === 'iommufd');
  }

  /** The iommufd that a device of a group is bound to. */
  #iommufdOf(group: string): FileId | null {
    const open = this.filesOf(group).find(
      ({ kind, context, isIommufd }) => kind === 'device' && context !== null && isIommufd,
    );
    return open?.context ?? null;
  }

  #open(opened: Parameters<typeof claimedFile>[0]): void {
    const file = claimedFile(opened);
    this.#files.add(file);
    this.#touch(file);
  }

  #obtain({ pid, fd, device }: DataOf<'device.obtained'>, id: FileId): void {
    const from = this.#behind(pid, fd);
    // Another file of the same device has the same context, even if the group has another by now.
    const others = device === null ? [] : this.#files.ofDevice(device);
    const open = others.find(({ isGranted }) => isGranted);
    const { context = null, isIommufd = false } = open ?? from ?? {};
    const group = from?.group ?? null;
    const kept = isIommufd ? context : from?.id;
    const keeps = new Set(kept == null ? [] : [kept]);
    this.#open({ id, kind: 'device', device, group, isGranted: true, context, isIommufd, keeps });
  }

  /** Removes the files that nothing keeps alive, then the files that only these kept alive. */
  #release(unheld: Iterable<FileId>): void {
    for (const id of unheld) this.#files.loosen(id);
    const { processes } = this;
    const gone = this.#files.release((id) => processes.isHeld(id) || processes.keep(id));
    for (const file of gone) {
      this.#touch(file);
      this.released.add(file.id);
    }
    for (const address of new Set(gone.flatMap(({ device }) => device ?? []))) {
      this.#endUnbind(address);
    }
    for (const group of new Set(gone.flatMap((file) => file.group ?? []))) this.#endUnbinds(group);
  }

  /** Where a container keeps the last device of its group: ends the unbinds that waited for it. */
  #endUnbinds(group: string): void {
    if (this.#groupsDie) return;
    for (const [address, device] of this.devices) {
      if (device.group === group) this.#endUnbind(address);
    }
  }

  #isHeldByContainer(group: string): boolean {
    if (this.#groupsDie) return false;
    return this.#devices.countOf(group, 'vfio') === 1 && this.ownersOf(group).length > 0;
  }

  /** Ends a recorded unbind that waits, if the last file of its device is gone. */
  #endUnbind(address: string): void {
    const { group = null, leavesFor = null } = this.devices.get(address) ?? {};
    if (leavesFor === null) return;
    if (this.#files.hasDevice(address)) return;
    if (group !== null && this.#isHeldByContainer(group)) return;
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
