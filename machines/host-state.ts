/**
 * The state of a host: its devices, groups, open files and processes, with the machines' instances.
 *
 * @module
 */
import type { Certainty } from '../events/vocabulary.ts';
import { ProcessTable, type FileId } from '../processes/process-table.ts';
import type { MachineName } from './admission.ts';
import type { MachineEvents } from './check.ts';
import { kindOfDriver } from '../operations/driver.ts';
import type { MappedRanges } from './host-at.ts';
import {
  addressSpaceOf,
  groupBehind,
  idOf,
  otherFile,
  withoutDoubt,
  type Device,
  type DriverChange,
  type Group,
  type Instance,
  type Instances,
  type Observer,
  type OpenFile,
} from './instances.ts';
import { kernelRules, type MachineEngine, type KernelRules } from './machines.ts';
import { OpenFiles } from './open-files.ts';
import { bootProfile, bootProfiles } from './eras.ts';
import { hasIommufd, newestKernel, type Profile } from './profile.ts';
import type { Directory } from './concerns.ts';
import type { Contradiction, ContradictionReason } from './contradiction.ts';

/** Events that show who has a device, whatever was lost before. */
const showsOwner = new Set(['device.bound', 'driver.bound']);

export class HostState implements Directory {
  readonly processes = new ProcessTable();
  readonly openFiles = new OpenFiles();
  readonly contradictions: Contradiction[] = [];
  /** What the last event changed. */
  readonly touched = {
    groups: new Set<Group>(),
    devices: new Set<Device>(),
    files: new Set<OpenFile>(),
    /** Containers and iommufds whose machine has taken an event. */
    contexts: new Set<FileId>(),
    /** Files that must have been closed without a record: else the event could not have passed. */
    evicted: new Set<FileId>(),
    /** PCI addresses of devices whose kernel driver must have been unbound likewise. */
    unbound: new Set<string>(),
  };
  readonly #touchedSets = Object.values(this.touched);
  /** The profile of the boot; the newest kernel's before the first boot. */
  profile: Profile = newestKernel;
  /** The profiles that the boot may have run by. */
  possibleProfiles: readonly Profile[] = [newestKernel];
  rules: KernelRules;
  boot: string | null = null;
  /** Whether the host has /dev/iommu and cdevs. */
  iommufd = false;
  driverChange: DriverChange | null = null;
  /** False from the start of a log whose first events are missing, until `host.booted`. */
  isKnown = true;
  /** Whether the boot was not recorded: its state is assumed. */
  isAssumed = false;
  /** Whether the kernel has died: until it boots it answers nothing. */
  isDead = false;
  /** Certainty of the event that is being taken. */
  certainty: Certainty = 'observed';
  /** Position of the event that is being taken; -1 before the first. */
  position = -1;
  /** DMA mappings of a live host; null on replay, as the log does not hold them. */
  mappings: MappedRanges | null = null;
  observer: Observer | null = null;
  readonly #devices = new Map<string, Device>();
  readonly #groups = new Map<string, Group>();
  readonly #drivers = new Set<string>();
  protected readonly engine: MachineEngine;

  constructor({ engine = 'table' }: { readonly engine?: MachineEngine } = {}) {
    this.engine = engine;
    this.rules = kernelRules(newestKernel, { engine });
  }

  device(device: string): Device | undefined {
    return this.#devices.get(device);
  }

  devices(): IterableIterator<Device> {
    return this.#devices.values();
  }

  group(group: string): Group | undefined {
    return this.#groups.get(group);
  }

  groups(): IterableIterator<Group> {
    return this.#groups.values();
  }

  file(id: FileId): OpenFile | undefined {
    return this.openFiles.get(id);
  }

  files(): IterableIterator<OpenFile> {
    return this.openFiles.values();
  }

  hasOpen(pid: number, kind: OpenFile['kind']): boolean {
    for (const { file } of this.processes.process(pid)?.descriptors.values() ?? []) {
      if (this.file(file)?.kind === kind) return true;
    }
    return false;
  }

  filesOf(pid: number): OpenFile[] {
    const descriptors = this.processes.process(pid)?.descriptors.values() ?? [];
    const ids = new Set([...descriptors].map(({ file }) => file));
    return [...ids].map((id) => this.openFiles.get(id) ?? otherFile(id, id));
  }

  behind(pid: number, fd: number): OpenFile | undefined {
    const id = this.processes.file(pid, fd);
    return id === undefined ? undefined : (this.openFiles.get(id) ?? otherFile(id, id));
  }

  isHeld(id: FileId): boolean {
    return this.processes.isHeld(id);
  }

  isFree(...[file, ioas, range]: Parameters<Directory['isFree']>): boolean {
    return this.mappings?.isFree(addressSpaceOf(file, ioas), range) ?? true;
  }

  hasProcessNamed(comm: string): boolean {
    return [...this.processes.processes()].some((process) => process.comm === comm);
  }

  knowsDriver(driver: string): boolean {
    return this.#drivers.has(driver);
  }

  drivers(): string[] {
    return [...this.#drivers];
  }

  /**
   * Starts a fresh boot: no devices, no open files, and the rules of the profile that was `named`,
   * or of the kernel release if null.
   */
  reset(boot: string, kernel: string, named: string | null, iommufd: boolean): void {
    this.profile = bootProfile(kernel, named);
    this.rules = kernelRules(this.profile, { engine: this.engine });
    this.boot = boot;
    this.iommufd = hasIommufd(this.profile, iommufd);
    this.driverChange = null;
    this.isKnown = true;
    this.isDead = false;
    this.isAssumed = this.certainty !== 'observed';
    this.possibleProfiles = bootProfiles(kernel, named, this.isAssumed);
    for (const group of this.#groups.values()) this.touched.groups.add(group);
    this.#devices.clear();
    this.#groups.clear();
    this.openFiles.clear();
    this.#drivers.clear();
    this.learnDriver('vfio-pci');
  }

  /** The initial state and memory of a machine. */
  fresh<M extends MachineName>(name: M): Instances[M] {
    const { machine, table } = this.rules.machines[name];
    return { state: table.initial, record: machine.config.context } as Instances[M];
  }

  addDevice(device: Device): void {
    // Evidence may add a device again without its removal, and to another group.
    this.#devices.get(device.device)?.group?.devices.delete(device.device);
    this.touched.devices.add(device);
    // Last among all devices as in its group: a restored host has its groups' devices in this order.
    this.#devices.delete(device.device);
    this.#devices.set(device.device, device);
    device.group?.devices.set(device.device, device);
  }

  removeDevice(device: Device): void {
    this.touched.devices.add(device);
    for (const file of this.openFiles.values()) {
      if (file.kind === 'device' && file.device === device) this.touched.files.add(file);
    }
    this.#devices.delete(device.device);
    device.group?.devices.delete(device.device);
  }

  /** The group of that number; it is created with its first device. */
  groupOf(id: string): Group {
    let group = this.#groups.get(id);
    if (group === undefined) {
      group = {
        group: id,
        devices: new Map(),
        ...withoutDoubt,
        certainty: this.certainty,
        ...this.fresh('group'),
      };
      this.#groups.set(id, group);
    }
    return group;
  }

  learnDriver(driver: string): void {
    this.#drivers.add(driver);
  }

  addFile(file: OpenFile): void {
    this.touched.files.add(file);
    this.openFiles.add(file);
  }

  removeFile(file: OpenFile): void {
    this.touched.files.add(file);
    this.openFiles.remove(file.id);
  }

  /** Makes `holder` keep `kept` alive. */
  pin(holder: OpenFile, kept: OpenFile): void {
    this.touched.files.add(holder);
    holder.pins.add(kept.id);
    kept.pinnedBy.add(holder.id);
  }

  /** Makes `holder` keep nothing alive, and returns the ids of what it kept. */
  unpin(holder: OpenFile): FileId[] {
    this.touched.files.add(holder);
    const kept = [...holder.pins];
    holder.pins.clear();
    for (const id of kept) this.openFiles.get(id)?.pinnedBy.delete(holder.id);
    return kept;
  }

  protected forgetTouched(): void {
    for (const touched of this.#touchedSets) if (touched.size > 0) touched.clear();
  }

  /** Whether the machine admits the event in its current state. */
  admits<M extends MachineName>(
    name: M,
    { state, record }: Instance<string, object>,
    event: MachineEvents[M],
  ): boolean {
    const { table } = this.rules.machines[name];
    return table.next(state, record, event as { type: string }) !== null;
  }

  /** The instance after an event; null if the event is not admitted. */
  protected step<M extends MachineName>(
    name: M,
    { state, record }: Instance<string, object>,
    event: NonNullable<MachineEvents[M]>,
  ): Instance<string, object> | null {
    const { table } = this.rules.machines[name];
    const next = table.next(state, record, event);
    return next === null ? null : { state: next, record: table.record(record, event) };
  }

  /** Makes a machine take an event; one that is not admitted is a contradiction without effect. */
  put<M extends MachineName>(
    name: M,
    instance: Instance<string, object>,
    event: NonNullable<MachineEvents[M]>,
  ): void {
    const next = this.step(name, instance, event);
    this.#touch(name, instance);
    if (next === null) {
      const { state } = instance;
      const reason = { kind: 'not-admitted', machine: name, state, event: event.type } as const;
      return this.contradict(reason, groupBehind(instance));
    }
    const before = { state: instance.state, record: instance.record };
    instance.record = next.record;
    instance.state = next.state;
    if (name === 'group') this.#handOver(instance as Group, before as Group);
    if (showsOwner.has(event.type) && name === 'device') (instance as Device).isInDoubt = false;
    this.observer?.(name, before, event, next, idOf(instance));
  }

  /**
   * Updates certainty and doubt where the owner of a group may have changed. A container owns a
   * group alone, which ends the doubt. A group in doubt without a recorded owner is unknown.
   */
  #handOver(group: Group, { state, record }: Pick<Group, 'state' | 'record'>): void {
    if (group.state === state && group.record.owner === record.owner) return;
    group.certainty = this.certainty;
    if (!group.isInDoubt) return;
    if (group.state === 'container') group.isInDoubt = false;
    group.unknownSince = group.state === 'unowned' ? this.position : null;
  }

  /** From the current position on, the owner of the group is unknown. */
  doubt(group: Group): void {
    group.isInDoubt = true;
    group.unknownSince ??= this.position;
    this.touched.groups.add(group);
  }

  #touch(name: MachineName, instance: object): void {
    if (name === 'group') this.touched.groups.add(instance as Group);
    else if (name === 'device') this.touched.devices.add(instance as Device);
    else if (name === 'groupFile') this.touched.files.add(instance as OpenFile);
    else if (name !== 'deviceFile') this.touched.contexts.add((instance as OpenFile).id);
  }

  /** Notes a contradiction. From the current position on, the owner of the group is unknown. */
  contradict(reason: ContradictionReason, group: Group | null = null): void {
    this.contradictions.push({ position: this.position, reason });
    if (group === null) return;
    group.unknownSince ??= this.position;
    this.touched.groups.add(group);
  }

  /** The cdev node that a VFIO driver gives a device: the lowest free number. Null if it gives none. */
  nextCdev(driver: string): string | null {
    if (kindOfDriver(driver) !== 'vfio' || !this.iommufd) return null;
    const taken = new Set([...this.#devices.values()].map(({ cdev }) => cdev));
    let number = 0;
    while (taken.has(`vfio${number}`)) number++;
    return `vfio${number}`;
  }
}
