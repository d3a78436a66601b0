/**
 * `TracedProcesses`: the processes of a trace, with their threads, descriptors and mappings.
 *
 * The log's process table is made from events; this one is used to make the events. It has every
 * process of a trace, also those that never open a VFIO file.
 *
 * @module
 */
import type { Fact } from '../../events/vocabulary.ts';
import { KERNEL_PID, type NamedVm } from '../../processes/process-table.ts';
import type { ListingMoment } from './listed-files.ts';
import { isOf } from './shown.ts';

/** An open file that the trace shows. */
export interface Seen {
  readonly kind: 'group' | 'container' | 'iommufd' | 'device' | 'path';
  /** The group of a group file or of a device; null if unknown. */
  readonly group: string | null;
  readonly device: string | null;
  /** The path that it was opened by; null for a device that was obtained from a group. */
  readonly path: string | null;
  /** The kernel address of the `struct file`, if shown. */
  pointer: string | null;
  /** Whether its release by the kernel was seen. */
  isReleased: boolean;
  /** Whether it was open before the evidence begins, so that its earlier calls are unknown. */
  isFound?: boolean;
  /** The last listing that shows it. */
  listed?: ListingMoment;
  /** Of a container: whether a group was seen to be put into it. */
  isJoined?: boolean;
  /** Of a device file: the iommufd that it was seen to be bound to. */
  boundTo?: Seen;
  /** The descriptor that was closed last; left out where a mapping came after it. */
  last?: { readonly pid: number; readonly fd: number } | undefined;
  /** Of a device file: whether it is bound, to whichever iommufd. */
  isBound?: boolean;
}

interface TracedDescriptor {
  readonly seen: Seen;
  readonly cloexec: boolean;
}

/** A process of a trace. */
export interface Traced {
  readonly pid: number;
  comm: string;
  vm: NamedVm;
  /** Whether its start was seen, and so every open of it. */
  isWhole: boolean;
  /** Whether an event has told of it. */
  isTold: boolean;
  readonly threads: Set<number>;
  readonly descriptors: Map<number, TracedDescriptor>;
  /** Mappings of VFIO files by address; `length` in bytes. */
  readonly mappings: Map<number, { readonly seen: Seen; readonly length: number }>;
  /** The negative number for the next descriptor whose real number is not shown. */
  nextUnnumbered: number;
}

/** The name of a process whose name no line shows. */
function standIn(pid: number): string {
  return `pid ${pid}`;
}

/** A process in a sentence: `pid 7`, unless no line shows its pid. */
export function wordsFor({ pid }: Pick<Traced, 'pid'>): string {
  return pid > KERNEL_PID ? 'a process whose pid is not shown' : standIn(pid);
}

/** The fact that a process was started, or was running. */
export function factOf(process: Traced): Fact {
  const { pid, vm, isWhole } = process;
  const type = isWhole ? 'process.started' : 'process.found';
  const comm = isUnnamed(process) && !isWhole ? null : process.comm;
  const data = { pid, comm, cgroup: null, ...(vm !== null && { vm }) };
  return { type, data } as Fact;
}

/** Whether no line shows the pid of a process, nor its name: the pid only tells it from others. */
function isUnnamed({ pid, comm }: Traced): boolean {
  return pid > KERNEL_PID && comm === standIn(pid);
}

/** A descriptor that holds a file. */
export interface Hold {
  readonly process: Traced;
  readonly fd: number;
}

/** The number of the first descriptor whose real number is not shown; the next ones are below it. */
const FIRST_UNNUMBERED = -2;

export class TracedProcesses {
  readonly #processes = new Map<number, Traced>();
  /** The pid by thread, for threads whose tid is not the pid. */
  readonly #threads = new Map<number, number>();

  /** The process of a thread; undefined if the thread is new. */
  find(tid: number): Traced | undefined {
    return this.#processes.get(this.#threads.get(tid) ?? tid);
  }

  /** The process of a thread. Added if it is new; it was running before the evidence begins. */
  of(tid: number, pid: number | null, comm: string | null): Traced {
    if (pid !== null && pid !== tid && !this.#threads.has(tid)) this.#threads.set(tid, pid);
    const number = pid ?? this.#threads.get(tid) ?? tid;
    const process =
      this.#processes.get(number) ?? this.#add(number, comm ?? standIn(number), false);
    process.threads.add(tid);
    return process;
  }

  /** Adds a child with copies of its parent's descriptors and mappings. */
  fork(parent: Traced, child: number, comm: string | null): Traced {
    const inherited = parent.comm === standIn(parent.pid) ? standIn(child) : parent.comm;
    const process = this.#add(child, comm ?? inherited, parent.isWhole);
    process.vm = parent.vm;
    for (const [fd, descriptor] of parent.descriptors) process.descriptors.set(fd, descriptor);
    for (const [address, mapping] of parent.mappings) process.mappings.set(address, mapping);
    return process;
  }

  /** Adds a thread to a process. */
  addThread(process: Traced, tid: number): void {
    if (tid !== process.pid) this.#threads.set(tid, process.pid);
    process.threads.add(tid);
  }

  /** Removes a thread. True if it was the last one of its process. */
  endThread(process: Traced, tid: number): boolean {
    process.threads.delete(tid);
    this.#threads.delete(tid);
    return process.threads.size === 0;
  }

  /** Removes a process. */
  end(process: Traced): void {
    for (const tid of process.threads) this.#threads.delete(tid);
    this.#processes.delete(process.pid);
  }

  all(): Iterable<Traced> {
    return this.#processes.values();
  }

  /** The file behind a descriptor. */
  seenAt(pid: number, fd: number): Seen | undefined {
    return this.#processes.get(pid)?.descriptors.get(fd)?.seen;
  }

  /** All descriptors of a file. */
  holds(seen: Seen): Hold[] {
    const found: Hold[] = [];
    for (const process of this.#processes.values()) {
      for (const [fd, descriptor] of process.descriptors) {
        if (descriptor.seen === seen) found.push({ process, fd });
      }
    }
    return found;
  }

  /** Whether any process has a descriptor or mapping of a file. */
  isHeld(seen: Seen): boolean {
    return this.holds(seen).length > 0 || this.isMapped(seen);
  }

  isMapped(seen: Seen): boolean {
    for (const { mappings } of this.#processes.values()) {
      for (const mapping of mappings.values()) if (mapping.seen === seen) return true;
    }
    return false;
  }

  /** The iommufd that a device file of a group was seen to be bound to; undefined if none was. */
  contextOf(group: string): Seen | undefined {
    for (const { descriptors } of this.#processes.values()) {
      for (const { seen } of descriptors.values()) {
        if (seen.group === group && seen.boundTo !== undefined) return seen.boundTo;
      }
    }
    return undefined;
  }

  /** The only open file of a node; null if there are several, or none. */
  onlyOf(path: string): Seen | null {
    const all = [...this.#processes.values()].flatMap(({ descriptors }) => [
      ...descriptors.values(),
    ]);
    const found = new Set(all.map(({ seen }) => seen).filter((seen) => isOf(seen, path)));
    const [only, ...others] = found;
    return only === undefined || others.length > 0 ? null : only;
  }

  /** The last descriptor of a file, which was closed; undefined if its number has been used again. */
  lastOf({ last }: Seen): Seen['last'] {
    if (last === undefined) return undefined;
    const isUsed = this.#processes.get(last.pid)?.descriptors.has(last.fd) === true;
    return isUsed ? undefined : last;
  }

  /** Whether any process has a descriptor of a device. */
  hasOpen(device: string): boolean {
    for (const { descriptors } of this.#processes.values()) {
      for (const { seen } of descriptors.values()) {
        if (seen.kind === 'device' && seen.device === device) return true;
      }
    }
    return false;
  }

  /** Forgets all processes: the host has booted. */
  clear(): void {
    this.#processes.clear();
    this.#threads.clear();
  }

  #add(pid: number, comm: string, isWhole: boolean): Traced {
    const process: Traced = {
      pid,
      comm,
      vm: null,
      isWhole,
      isTold: false,
      threads: new Set([pid]),
      descriptors: new Map(),
      mappings: new Map(),
      nextUnnumbered: FIRST_UNNUMBERED,
    };
    this.#processes.set(pid, process);
    return process;
  }
}
