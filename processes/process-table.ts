/**
 * The process table: the descriptors and mappings of every process, kept current through fork, exec,
 * dup, SCM_RIGHTS and exit.
 *
 * A file is the kernel's `struct file`, named by the position of the event that opened it. The table
 * counts its holders among processes; references by other files in the kernel are not counted.
 *
 * @module
 */
import type { DataOf, EventType, Fact, Placed } from '../events/vocabulary.ts';
import type { OfNoProcess, OpeningEvent } from './effects.ts';
import { byPlace, childOf, fileOpenedBy, keptAs, KERNEL_PID, TERMINAL } from './process.ts';
import type {
  Descriptor,
  FileId,
  HoldPlace,
  NamedVm,
  Process,
  ProcessHolder,
  ProcessObserver,
} from './process.ts';
import { ShownReleases } from './shown-releases.ts';

export { fileOpenedBy, KERNEL_PID, positionOf, TERMINAL } from './process.ts';
export type { FileId, HoldPlace, NamedVm, Process } from './process.ts';
export type { ProcessHolder, ProcessObserver } from './process.ts';

/** What names a process and its tenant. */
type Identity = Pick<Process, 'comm' | 'cgroup' | 'vm'>;
type Shown<T> = { readonly [K in keyof T]?: T[K] | undefined };

/** The event types that change a process in another way than by opening a file. */
type Changing = Exclude<EventType, OfNoProcess | OpeningEvent>;
type Handler<T extends EventType> = (table: ProcessTable, data: DataOf<T>) => unknown;

/** All living processes of a host. `take` applies an event to them. */
export class ProcessTable {
  readonly #processes = new Map<number, Process>();
  readonly #references = new Map<FileId, number>();
  readonly releases = new ShownReleases();
  /** The event that follows or is being taken, as its player sets it. */
  event: Fact | null = null;
  observer: ProcessObserver | null = null;
  #unheld: FileId[] = [];

  static readonly #changes: { readonly [T in Changing]: Handler<T> } = {
    'host.booted': (table) => {
      table.#processes.clear();
      table.#references.clear();
      table.releases.clear();
    },
    'process.started': (table, data) => table.#start(data.pid, data.comm, data),
    'process.found': (table, data) => table.#find(data),
    'process.forked': (table, { pid, child, comm }) => table.#fork(pid, child, comm),
    'process.executed': (table, { pid, comm, vm = null }) =>
      table.#execute(table.#at(pid), comm, vm),
    'process.exited': (table, { pid }) => table.#exit(pid),
    'descriptor.duplicated': (table, data) => {
      // A dup2 onto the same number changes nothing, not even FD_CLOEXEC (fs/file.c:ksys_dup3).
      if (data.as !== data.fd) table.#share(data, data.pid);
    },
    'descriptor.passed': (table, data) => table.#share(data, data.to),
    'descriptor.flagged': (table, { pid, fd, cloexec }) => table.#flag(pid, fd, cloexec),
    'descriptor.closed': (table, { pid, fd }) => table.#close(table.#at(pid), fd),
    'mapping.created': (table, { pid, fd, mapping }) => table.#map(pid, fd, mapping),
    'mapping.removed': (table, { pid, mapping }) => table.#unmap(table.#at(pid), mapping),
  };

  /** The living process with that pid. */
  process(pid: number): Process | undefined {
    return this.#processes.get(pid);
  }

  processes(): IterableIterator<Process> {
    return this.#processes.values();
  }

  /** The file behind a descriptor. */
  file(pid: number, fd: number): FileId | undefined {
    return this.#processes.get(pid)?.descriptors.get(fd)?.file;
  }

  /** The number of the next descriptor of a process: the lowest free one. 3 for an unknown process. */
  lowestFree(pid: number): number {
    const process = this.#processes.get(pid);
    if (process === undefined) return 3;
    let fd = 0;
    while (process.descriptors.has(fd)) fd++;
    return fd;
  }

  /** Loads processes from a checkpoint. The table must be empty. */
  restore(processes: Iterable<Process>): void {
    for (const process of processes) {
      this.#processes.set(process.pid, process);
      const files = [...process.descriptors.values()].map(({ file }) => file);
      for (const file of [...files, ...process.mappings.values()]) {
        if (file === TERMINAL) continue;
        this.#references.set(file, (this.#references.get(file) ?? 0) + 1);
      }
    }
  }

  /** Whether any process has a descriptor or mapping of a file. */
  isHeld(file: FileId): boolean {
    return this.#references.has(file);
  }

  /** The descriptors and mappings of a file, ordered by pid, then by descriptor, mappings last. */
  holders(file: FileId): ProcessHolder[] {
    if (!this.isHeld(file)) return [];
    const found: ProcessHolder[] = [];
    for (const process of this.#processes.values()) {
      const { pid, comm, cgroup } = process;
      for (const [fd, descriptor] of process.descriptors) {
        if (descriptor.file !== file) continue;
        found.push({ pid, comm, cgroup, via: 'fd', fd, file });
      }
      for (const mapped of process.mappings.values()) {
        if (mapped === file) found.push({ pid, comm, cgroup, via: 'mapping', fd: null, file });
      }
    }
    return found.toSorted(byPlace);
  }

  /** Applies an event. Returns the files that lost their last holder by it. */
  take(event: Placed<Fact>): FileId[] {
    this.#unheld = [];
    const ended = this.releases.endedBy(event);
    this.#apply(event);
    const kernel = ended.length === 0 ? undefined : this.#processes.get(KERNEL_PID);
    if (kernel !== undefined) for (const file of ended) this.#close(kernel, keptAs(file));
    this.releases.take(event);
    return this.#unheld.filter((file) => !this.isHeld(file));
  }

  /**
   * Makes the kernel hold a file that nothing else holds any more, if its release is still to be
   * shown. Returns whether it does.
   */
  keep(file: FileId): boolean {
    if (this.event === null || !this.releases.awaits(file, this.event)) return false;
    const kernel = this.#processes.get(KERNEL_PID) ?? this.#start(KERNEL_PID, 'kernel');
    this.#install(kernel, keptAs(file), { file, cloexec: false }, null);
    return true;
  }

  /** Removes every descriptor and mapping of a file that was released without a recorded event. */
  evict(file: FileId): void {
    this.releases.forget(file);
    for (const process of this.#processes.values()) {
      for (const [fd, descriptor] of process.descriptors) {
        if (descriptor.file === file) this.#close(process, fd);
      }
      for (const [mapping, mapped] of process.mappings) {
        if (mapped === file) this.#unmap(process, mapping);
      }
    }
  }

  #apply(event: Placed<Fact>): void {
    const opened = fileOpenedBy(event);
    if (opened !== null) return this.#open(event, opened);
    const changes: { readonly [T in EventType]?: unknown } = ProcessTable.#changes;
    const change = changes[event.type] as Handler<EventType> | undefined;
    change?.(this, event.data);
  }

  #start(pid: number, comm: string, { cgroup = null, vm = null }: Shown<Identity> = {}): Process {
    this.#exit(pid);
    const descriptors = new Map(
      [0, 1, 2].map((fd): [number, Descriptor] => [fd, { file: TERMINAL, cloexec: false }]),
    );
    const process = { pid, comm, cgroup, vm, started: null, descriptors, mappings: new Map() };
    this.#processes.set(pid, process);
    this.observer?.started(process);
    return process;
  }

  /** Adds a process, or what is newly known of one that is in the table. */
  #find({ pid, comm, cgroup, vm, started }: DataOf<'process.found'>): void {
    const known = this.#processes.get(pid);
    // Nothing shows any more who a process is that is not there.
    if (known === undefined && (comm ?? cgroup ?? vm) == null) return;
    const identity = {
      comm: comm ?? known?.comm ?? `pid ${pid}`,
      cgroup: cgroup ?? known?.cgroup ?? null,
      vm: vm === undefined ? (known?.vm ?? null) : vm,
    };
    const process = known ?? this.#start(pid, identity.comm, identity);
    this.#rename(process, identity);
    process.started = started ?? process.started;
  }

  #rename(process: Process, identity: Identity): void {
    const { comm, cgroup, vm } = identity;
    if (process.comm === comm && process.cgroup === cgroup && process.vm === vm) return;
    Object.assign(process, identity);
    this.observer?.renamed(process);
  }

  /** The process with that pid. Added if it is unknown: evidence may begin after its start. */
  #at(pid: number): Process {
    return this.#processes.get(pid) ?? this.#start(pid, `pid ${pid}`);
  }

  #fork(pid: number, child: number, comm: string): void {
    const parent = this.#at(pid);
    this.#exit(child);
    const forked = childOf(parent, child, comm);
    this.#processes.set(child, forked);
    this.observer?.started(forked);
    const inherit = (file: FileId, via: HoldPlace['via'], number: number): void => {
      const place = { via, number };
      this.#hold(file, { process: forked, ...place }, { process: parent, ...place });
    };
    for (const [fd, { file }] of parent.descriptors) inherit(file, 'fd', fd);
    for (const [mapping, file] of parent.mappings) inherit(file, 'mapping', mapping);
  }

  #execute(process: Process, comm = process.comm, vm: NamedVm = null): void {
    this.#rename(process, { comm, cgroup: process.cgroup, vm });
    for (const mapping of process.mappings.keys()) this.#unmap(process, mapping);
    for (const [fd, { cloexec }] of process.descriptors) {
      if (cloexec) this.#close(process, fd);
    }
  }

  #exit(pid: number): void {
    const process = this.#processes.get(pid);
    if (process === undefined) return;
    for (const [mapping, file] of process.mappings) {
      this.#drop(file, { process, via: 'mapping', number: mapping });
    }
    for (const [fd, { file }] of process.descriptors) {
      this.#drop(file, { process, via: 'fd', number: fd });
    }
    this.#processes.delete(pid);
    this.observer?.ended(process);
  }

  #open(event: Placed<Fact>, file: FileId): void {
    const data = event.data as { pid: number; fd: number; as?: number; cloexec?: boolean };
    const process = this.#at(data.pid);
    // What GET_DEVICE_FD hands out is always close-on-exec (vfio/group.c:vfio_device_open_file).
    const cloexec = data.as === undefined ? data.cloexec === true : true;
    this.#install(process, data.as ?? data.fd, { file, cloexec }, null);
  }

  #share({ pid, fd, as, cloexec = false }: DataOf<'descriptor.duplicated'>, to: number): void {
    const kept = this.keptBehind(pid, fd);
    const number = kept === null ? fd : keptAs(kept);
    const process = this.#processes.get(kept === null ? pid : KERNEL_PID);
    const file = process?.descriptors.get(number)?.file;
    if (process === undefined || file === undefined) return;
    const from: HoldPlace = { process, via: 'fd', number };
    this.#install(this.#at(to), as, { file, cloexec }, from);
    // The kernel kept it for a holder that was not known until now.
    if (kept !== null) this.#close(process, number);
  }

  /**
   * The file that the kernel keeps for want of a known holder, by its last descriptor, which was closed:
   * it had been passed on before. Null if the descriptor is open, or no such file had it.
   */
  keptBehind(pid: number, fd: number): FileId | null {
    if (this.#processes.get(pid)?.descriptors.has(fd) === true) return null;
    const file = this.releases.lastAt(pid, fd)?.file ?? null;
    const kept = this.#processes.get(KERNEL_PID)?.descriptors;
    return file !== null && kept?.has(keptAs(file)) === true ? file : null;
  }

  #install(process: Process, fd: number, descriptor: Descriptor, from: HoldPlace | null): void {
    this.#close(process, fd);
    this.#hold(descriptor.file, { process, via: 'fd', number: fd }, from);
    process.descriptors.set(fd, descriptor);
  }

  #flag(pid: number, fd: number, cloexec: boolean): void {
    const descriptors = this.#processes.get(pid)?.descriptors;
    const descriptor = descriptors?.get(fd);
    if (descriptor !== undefined) descriptors?.set(fd, { ...descriptor, cloexec });
  }

  #close(process: Process, fd: number): void {
    const descriptor = process.descriptors.get(fd);
    if (descriptor === undefined) return;
    process.descriptors.delete(fd);
    this.#drop(descriptor.file, { process, via: 'fd', number: fd });
  }

  #map(pid: number, fd: number, mapping: number): void {
    const process = this.#processes.get(pid);
    const file = process?.descriptors.get(fd)?.file;
    if (process === undefined || file === undefined) return;
    // A new mapping replaces the one at its address (mm/mmap.c:do_mmap with MAP_FIXED).
    this.#unmap(process, mapping);
    const from: HoldPlace = { process, via: 'fd', number: fd };
    this.#hold(file, { process, via: 'mapping', number: mapping }, from);
    process.mappings.set(mapping, file);
  }

  #unmap(process: Process, mapping: number): void {
    const file = process.mappings.get(mapping);
    if (file === undefined) return;
    process.mappings.delete(mapping);
    this.#drop(file, { process, via: 'mapping', number: mapping });
  }

  #hold(file: FileId, at: HoldPlace, from: HoldPlace | null): void {
    if (file === TERMINAL) return;
    this.#references.set(file, (this.#references.get(file) ?? 0) + 1);
    this.observer?.held(file, at, from);
  }

  #drop(file: FileId, at: HoldPlace): void {
    if (file === TERMINAL) return;
    this.observer?.dropped(file, at);
    const { pid } = at.process;
    if (at.via === 'fd' && pid !== KERNEL_PID) this.releases.closed(file, [pid, at.number]);
    const left = (this.#references.get(file) ?? 0) - 1;
    if (left > 0) {
      this.#references.set(file, left);
      return;
    }
    this.#references.delete(file);
    this.#unheld.push(file);
  }
}
