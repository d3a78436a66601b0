/**
 * A host as its kernel sees it: every machine where the events have brought it.
 *
 * Facts are taken in the order of the log; what they imply (the release of a file that nobody holds
 * any more, the end of an unbind that waited for it) is worked out here and stands nowhere else.
 *
 * @module
 */
import type { Call, DataOf, Fact, Placed } from '../events/vocabulary.ts';
import { ProcessTable, fileOpenedBy, type FileId } from '../processes/process-table.ts';
import { kindOfDriver } from './driver.ts';
import type { MachineName } from './admission.ts';
import type { MachineEvents, Question } from './check.ts';
import type { Device, DriverChange, Group, Instance, OpenFile } from './host.ts';
import { explain, judge, type Refusal } from './judge.ts';
import { kernelRules, type KernelRules } from './machines.ts';
import type { ObservedCause } from './causes.ts';
import { isProfile, profileOfKernel, type Profile } from './profile.ts';
import { callOf } from './calls.ts';
import { contextOf, questionOf, type Directory, type Outcome } from './question.ts';

/** An event that the rules say could not have happened. */
export interface Contradiction {
  readonly position: number;
  readonly detail: string;
}

/** Judges by these rules until a boot says which kernel it is. */
const FALLBACK: Profile = 'linux-7.3';

export class Kernel implements Directory {
  readonly processes = new ProcessTable();
  readonly contradictions: Contradiction[] = [];
  profile: Profile = FALLBACK;
  boot: string | null = null;
  iommufd = false;
  driverChange: DriverChange | null = null;
  /** Asked before a mapping is admitted; only a live host knows what is mapped. */
  mappedRanges: Pick<Directory, 'isFree'> | null = null;
  #rules: KernelRules = kernelRules(FALLBACK);
  readonly #devices = new Map<string, Device>();
  readonly #groups = new Map<string, Group>();
  readonly #files = new Map<FileId, OpenFile>();
  readonly #drivers = new Set(['vfio-pci']);
  #position = -1;

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
    return this.#files.get(id);
  }

  files(): IterableIterator<OpenFile> {
    return this.#files.values();
  }

  behind(pid: number, fd: number): OpenFile | undefined {
    const id = this.processes.file(pid, fd);
    return id === undefined ? undefined : (this.#files.get(id) ?? otherFile(id, id));
  }

  isHeld(id: FileId): boolean {
    return this.processes.isHeld(id);
  }

  isFree(...[file, ioas, range]: Parameters<Directory['isFree']>): boolean {
    return this.mappedRanges?.isFree(file, ioas, range) ?? true;
  }

  hasProcessNamed(comm: string): boolean {
    return [...this.processes.processes()].some((process) => process.comm === comm);
  }

  knowsDriver(driver: string): boolean {
    return this.#drivers.has(driver);
  }

  /** What the rules say of a call now: the refusal, or null where it is admitted. */
  judge(call: Call): Refusal | null {
    return judge(this.#rules, questionOf(this, call));
  }

  /** What explains an errno that a call was seen to get. */
  explain(call: Call, errno: string): { cause: ObservedCause; refusal: Refusal | null } {
    const question = questionOf(this, call);
    if (question.group?.unknownSince != null) return { cause: 'unknown', refusal: null };
    return explain(this.#rules, question, errno);
  }

  /** The ids that the kernel would hand out for a call that it admits. */
  question(call: Call): Question {
    return questionOf(this, call);
  }

  /** Takes the next event of the log. */
  take(event: Placed<Fact>): void {
    this.#position = event.position;
    if (event.type === 'host.booted') this.#boot(event.data);
    const called = callOf(event);
    // Asked before descriptors move: the call saw them as they were.
    const question = called && questionOf(this, called.call, this.#outcome(event, called.outcome));
    const unheld = this.processes.take(event);
    if (question !== null) this.#happen(event, question);
    else this.#change(event);
    for (const file of unheld) this.#release(file);
  }

  #outcome(event: Placed<Fact>, outcome: Outcome): Outcome {
    return { ...outcome, file: fileOpenedBy(event) ?? undefined };
  }

  #boot(data: DataOf<'host.booted'>): void {
    const profile = data.profile ?? profileOfKernel(data.kernel);
    this.profile = profile !== null && isProfile(profile) ? profile : FALLBACK;
    this.#rules = kernelRules(this.profile);
    this.boot = data.boot;
    this.iommufd = data.iommufd;
    this.driverChange = null;
    this.#devices.clear();
    this.#groups.clear();
    this.#files.clear();
  }

  /** What happens to the host itself: devices, drivers. Processes have taken theirs already. */
  #change(event: Placed<Fact>): void {
    switch (event.type) {
      case 'device.added':
        return this.#add(event.data);
      case 'device.removed':
        return this.#remove(event.data.device);
      case 'driver.bound': {
        const device = this.#devices.get(event.data.device);
        if (device !== undefined) this.#bindDriver(device, event.data.driver, event.data.cdev);
        return;
      }
      case 'driver.unbound': {
        const device = this.#devices.get(event.data.device);
        if (device !== undefined) this.#unbindDriver(device);
        return;
      }
      case 'driver.unbind-blocked': {
        const device = this.#devices.get(event.data.device);
        if (device === undefined) return;
        this.#put('device', device, { type: 'driver.unbind-blocked' });
        const { next, waiter } = event.data;
        this.driverChange = { device, next, waiter, outcome: null };
        return;
      }
      case 'driver.settled':
        return this.#settle(event.data.device, event.data.driver);
      case 'operation.refused':
        if (event.data.operation === 'bg_wait' && event.data.errno !== 'ECHILD') {
          this.driverChange = null;
        }
        return;
      default:
    }
  }

  /** A call succeeded: every machine that it concerns takes the event. */
  #happen(event: Placed<Fact>, question: Question): void {
    const { events } = question;
    const file = fileOpenedBy(event);
    if (file !== null) this.#open(event, file, question);
    for (const name of Object.keys(events) as MachineName[]) {
      const instance = question[name];
      if (instance !== undefined) this.#put(name, instance, events[name]);
    }
    const { iommufd, groupFile, deviceFile, container } = question;
    switch (event.type) {
      case 'device.bound':
        if (deviceFile && iommufd) this.#pin(deviceFile, iommufd);
        return;
      case 'container.set':
        if (groupFile && container) this.#pin(groupFile, container);
        if (groupFile && iommufd) this.#pin(groupFile, iommufd);
        return;
      case 'container.unset':
        if (groupFile) this.#unpin(groupFile);
        return;
      default:
    }
  }

  #open(event: Placed<Fact>, id: FileId, question: Question): void {
    const fresh = { id, pins: new Set<FileId>(), pinnedBy: new Set<FileId>() };
    const start = <M extends MachineName>(name: M) => {
      const { machine, table } = this.#rules.machines[name];
      return { state: table.initial, record: machine.config.context };
    };
    const { device, group } = question;
    switch (event.type) {
      case 'group.opened':
        if (group === undefined) break;
        this.#file({ ...fresh, kind: 'group', group, ...start('groupFile') });
        return;
      case 'container.opened':
        this.#file({ ...fresh, kind: 'container', ...start('container') });
        return;
      case 'iommufd.opened':
        this.#file({ ...fresh, kind: 'iommufd', ...start('iommufd') });
        return;
      case 'device.opened':
      case 'device.obtained': {
        if (device === undefined) break;
        const file = { ...fresh, kind: 'device', device, ...start('deviceFile') } as const;
        this.#file(file as OpenFile);
        if (event.type === 'device.obtained') this.#obtain(this.#files.get(id), question);
        return;
      }
      case 'path.opened':
        this.#file({ ...otherFile(id, event.data.path) });
        return;
      default:
    }
    this.#contradict(`${event.type}: nothing of that name is there`);
    this.#file(otherFile(id, event.type));
  }

  #file(file: unknown): void {
    const opened = file as OpenFile;
    this.#files.set(opened.id, opened);
  }

  /** A file got from a group holds the group's file in a container, and the iommufd otherwise. */
  #obtain(file: OpenFile | undefined, { groupFile, device, events }: Question): void {
    if (file?.kind !== 'device' || device === undefined || groupFile === undefined) return;
    this.#put('deviceFile', file, { type: 'file.granted' });
    const claimed = events.device?.type === 'device.obtained' ? events.device.iommufd : null;
    const context = claimed ?? device.record.iommufd;
    const kept = context === null ? groupFile : this.#files.get(context);
    if (kept !== undefined) this.#pin(file, kept);
  }

  #put<M extends MachineName>(
    name: M,
    instance: Instance<string, unknown>,
    event: MachineEvents[M],
  ): void {
    const { table, record } = this.#rules.machines[name];
    const next = table.next(instance.state, instance.record as object, event as { type: string });
    if (next === null) {
      this.#contradict(`${name} in state '${instance.state}' does not admit '${event?.type}'`);
      this.#lose(instance);
      return;
    }
    instance.record = record(instance.record, event);
    instance.state = next;
  }

  #contradict(detail: string): void {
    this.contradictions.push({ position: this.#position, detail });
  }

  /** From a contradiction on, who owns the group is not known. */
  #lose(instance: Instance<string, unknown>): void {
    const group =
      'devices' in instance
        ? (instance as unknown as Group)
        : 'group' in instance
          ? (instance as unknown as Device).group
          : 'device' in instance
            ? (instance as unknown as { device: Device }).device.group
            : null;
    if (group !== null) group.unknownSince ??= this.#position;
  }

  #pin(holder: OpenFile, kept: OpenFile): void {
    holder.pins.add(kept.id);
    kept.pinnedBy.add(holder.id);
  }

  #unpin(holder: OpenFile): void {
    const pins = [...holder.pins];
    holder.pins.clear();
    for (const id of pins) {
      this.#files.get(id)?.pinnedBy.delete(holder.id);
      this.#release(id);
    }
  }

  /** Releases a file if nobody holds it any more, and what it alone kept alive. */
  #release(id: FileId): void {
    const file = this.#files.get(id);
    if (file === undefined || file.pinnedBy.size > 0 || this.isHeld(id)) return;
    this.#files.delete(id);
    if (file.kind === 'device') this.#releaseDevice(file);
    if (file.kind === 'group') this.#releaseGroup(file);
    this.#unpin(file);
    if (file.kind === 'device') this.#leave(file.device);
  }

  #releaseDevice(file: Extract<OpenFile, { kind: 'device' }>): void {
    const type = 'device.released';
    const { device } = file;
    const { opens, attached, id } = device.record;
    const granted = file.state !== 'unbound';
    const last = granted && opens === 1;
    const iommufd = last ? contextOf(this, device) : undefined;
    const hwpt = attached ? (device.group?.record.hwpt ?? null) : null;
    const groupFile = [...file.pins].map((pin) => this.#files.get(pin)).find((f) => f?.kind === 'group');
    this.#put('device', device, { type, file: file.id, granted });
    if (!last) return;
    if (iommufd !== undefined) this.#put('iommufd', iommufd, { type, id: id ?? 0, hwpt });
    if (groupFile !== undefined) this.#put('groupFile', groupFile, { type });
    if (device.group === null) return;
    const claim = iommufd !== undefined;
    this.#put('group', device.group, { type, claim, cdev: file.state === 'bound', attached });
  }

  #releaseGroup(file: Extract<OpenFile, { kind: 'group' }>): void {
    if (file.state === 'container') this.#leaveContainer(file);
    if (file.state !== 'dead') this.#put('group', file.group, { type: 'group.released' });
  }

  #leaveContainer(file: Extract<OpenFile, { kind: 'group' }>): void {
    const container = this.#files.get(file.record.container ?? '');
    if (container?.kind === 'container') {
      this.#put('container', container, { type: 'container.left' });
    }
  }

  #add(data: DataOf<'device.added'>): void {
    const group = data.group === null ? null : this.#groupOf(data.group);
    const { table, machine } = this.#rules.machines.device;
    const device: Device = {
      device: data.device,
      name: data.name,
      group,
      model: data.model,
      driver: null,
      cdev: null,
      state: table.initial as Device['state'],
      record: machine.config.context as Device['record'],
    };
    this.#devices.set(data.device, device);
    group?.devices.set(data.device, device);
    if (data.driver !== null) this.#bindDriver(device, data.driver, data.cdev);
    if (data.model === 'e1000') this.#drivers.add('e1000');
  }

  #groupOf(id: string): Group {
    let group = this.#groups.get(id);
    if (group === undefined) {
      const { table, machine } = this.#rules.machines.group;
      group = {
        group: id,
        devices: new Map(),
        unknownSince: null,
        state: table.initial as Group['state'],
        record: machine.config.context as Group['record'],
      };
      this.#groups.set(id, group);
    }
    return group;
  }

  #remove(id: string): void {
    const device = this.#devices.get(id);
    if (device === undefined) return;
    if (device.driver !== null) this.#unbindDriver(device);
    this.#devices.delete(id);
    device.group?.devices.delete(id);
  }

  #bindDriver(device: Device, driver: string, cdev: string | null): void {
    const event = { type: 'driver.bound', kind: kindOfDriver(driver) } as const;
    this.#drivers.add(driver);
    this.#put('device', device, event);
    if (device.group !== null) this.#put('group', device.group, event);
    device.driver = driver;
    device.cdev = cdev;
  }

  #unbindDriver(device: Device): void {
    const { driver, group } = device;
    if (driver === null) return;
    const event = { type: 'driver.unbound', kind: kindOfDriver(driver) } as const;
    this.#put('device', device, event);
    device.driver = null;
    device.cdev = null;
    if (group === null) return;
    const opener = group.record.opener;
    const dies = event.kind === 'vfio' && group.record.members === 1;
    this.#put('group', group, event);
    const file = opener === null ? undefined : this.#files.get(opener);
    if (dies && file?.kind === 'group') this.#die(file);
  }

  /** The last VFIO device has left: the incarnation that this file was opened for is gone. */
  #die(file: Extract<OpenFile, { kind: 'group' }>): void {
    const native = file.state === 'container';
    if (native) this.#leaveContainer(file);
    this.#put('groupFile', file, { type: 'group.died', native });
    if (native) this.#unpin(file);
  }

  /** The last file of a leaving device is gone: its unbind ends, and the change goes on. */
  #leave(device: Device): void {
    if (device.state !== 'leaving' || device.record.files > 0) return;
    this.#unbindDriver(device);
    const change = this.driverChange;
    if (change?.device !== device) return;
    // The change itself is not in its own way.
    this.driverChange = null;
    const refused =
      change.next === null
        ? null
        : this.judge({ operation: 'set_driver', device: device.device, driver: change.next });
    this.driverChange = change;
    if (change.next !== null && refused === null) {
      this.#bindDriver(device, change.next, this.nextCdev(change.next));
    }
    change.outcome = { errno: refused?.errno ?? null };
  }

  /** A blocked change was seen to be over. */
  #settle(id: string, driver: string | null): void {
    const device = this.#devices.get(id);
    if (device === undefined) return;
    if (this.driverChange?.device === device) this.driverChange = null;
    if (device.driver === driver) return;
    this.#contradict(`${id} was seen with driver ${driver}, and should have ${device.driver}`);
    this.#lose(device);
  }

  /** The node that a device gets when its driver is VFIO's: the lowest number that is free. */
  nextCdev(driver: string): string | null {
    if (kindOfDriver(driver) !== 'vfio' || !this.iommufd || this.profile === 'linux-6.1') return null;
    const taken = new Set([...this.#devices.values()].map(({ cdev }) => cdev));
    let number = 0;
    while (taken.has(`vfio${number}`)) number++;
    return `vfio${number}`;
  }
}

function otherFile(id: FileId, path: string): OpenFile {
  return { kind: 'other', id, path, pins: new Set(), pinnedBy: new Set() };
}
