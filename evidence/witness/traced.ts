/**
 * Processes as a trace shows them: which threads they have, and what their descriptors stand for.
 *
 * The log's own process table follows from the events; this one is what the events are made with. It
 * knows of every process of a trace, also of those that never touch a file of ours.
 *
 * @module
 */

/** A file of ours that was seen to be open. */
export interface Seen {
  readonly kind: 'group' | 'container' | 'iommufd' | 'device' | 'path';
  /** The group of a group's file, the device of a device's; null where nobody has said. */
  readonly group: string | null;
  readonly device: string | null;
  /** The path that it was opened by, null for what was got from a group. */
  readonly path: string | null;
  /** The evidence's own name of the `struct file`. */
  pointer: string | null;
  /** Whether the kernel was seen to let it go. */
  isReleased: boolean;
  /** Whether it was open before anybody looked, and what was done to it then is not known. */
  isFound?: boolean;
  /** Of a container: whether a group was seen to be put into it. */
  isJoined?: boolean;
  /** Of a device's file: the iommufd that it was seen to be bound to. */
  boundTo?: Seen;
}

interface TracedDescriptor {
  readonly seen: Seen;
  readonly cloexec: boolean;
}

export interface Traced {
  readonly pid: number;
  comm: string;
  /** Whether it was seen to begin, and so everything that it has opened. */
  isWhole: boolean;
  /** Whether the log knows of it. */
  isTold: boolean;
  readonly threads: Set<number>;
  readonly descriptors: Map<number, TracedDescriptor>;
  /** Addresses of mappings of our files, and how long they are. */
  readonly mappings: Map<number, { readonly seen: Seen; readonly length: number }>;
  /** Where the next descriptor lies of which the evidence does not say the number. */
  nextUnnumbered: number;
}

/** Where a file is held. */
export interface Hold {
  readonly process: Traced;
  readonly fd: number;
}

/** The number of one descriptor that the evidence does not show; those below follow it. */
const FIRST_UNNUMBERED = -2;

export class TracedProcesses {
  readonly #processes = new Map<number, Traced>();
  /** The processes of threads that do not have the number of theirs. */
  readonly #threads = new Map<number, number>();

  /** The process of a thread, where it was seen before. */
  find(tid: number): Traced | undefined {
    return this.#processes.get(this.#threads.get(tid) ?? tid);
  }

  /** The process of a thread; one that was not seen before has been there already. */
  of(tid: number, pid: number | null, comm: string | null): Traced {
    if (pid !== null && pid !== tid && !this.#threads.has(tid)) this.#threads.set(tid, pid);
    const number = pid ?? this.#threads.get(tid) ?? tid;
    const process =
      this.#processes.get(number) ?? this.#add(number, comm ?? `pid ${number}`, false);
    process.threads.add(tid);
    return process;
  }

  /** A process that begins here, with copies of its parent's descriptors and mappings. */
  fork(parent: Traced, child: number, comm: string | null): Traced {
    const process = this.#add(child, comm ?? parent.comm, parent.isWhole);
    for (const [fd, descriptor] of parent.descriptors) process.descriptors.set(fd, descriptor);
    for (const [address, mapping] of parent.mappings) process.mappings.set(address, mapping);
    return process;
  }

  /** One more thread of a process. */
  addThread(process: Traced, tid: number): void {
    if (tid !== process.pid) this.#threads.set(tid, process.pid);
    process.threads.add(tid);
  }

  /** A thread has ended. Gives whether it was the last of its process. */
  endThread(process: Traced, tid: number): boolean {
    process.threads.delete(tid);
    this.#threads.delete(tid);
    return process.threads.size === 0;
  }

  end(process: Traced): void {
    for (const tid of process.threads) this.#threads.delete(tid);
    this.#processes.delete(process.pid);
  }

  all(): Iterable<Traced> {
    return this.#processes.values();
  }

  /** Every descriptor that stands for a file. */
  holds(seen: Seen): Hold[] {
    const found: Hold[] = [];
    for (const process of this.#processes.values()) {
      for (const [fd, descriptor] of process.descriptors) {
        if (descriptor.seen === seen) found.push({ process, fd });
      }
    }
    return found;
  }

  isHeld(seen: Seen): boolean {
    return this.holds(seen).length > 0 || this.isMapped(seen);
  }

  isMapped(seen: Seen): boolean {
    for (const { mappings } of this.#processes.values()) {
      for (const mapping of mappings.values()) if (mapping.seen === seen) return true;
    }
    return false;
  }

  /** Forgets everything: the host has booted. */
  clear(): void {
    this.#processes.clear();
    this.#threads.clear();
  }

  #add(pid: number, comm: string, isWhole: boolean): Traced {
    const process: Traced = {
      pid,
      comm,
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
