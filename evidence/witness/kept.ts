/**
 * `Kept`: files that the kernel keeps although no process holds them. They are in a socket's queue, or
 * something that the evidence does not show keeps them alive.
 *
 * @module
 */
import { KERNEL_PID } from '../../processes/process-table.ts';
import type { Tell } from './inferences.ts';
import type { Hold, Seen, TracedProcesses } from './traced.ts';

interface KeptFile {
  /** Its descriptor number in the process `KERNEL_PID`. */
  readonly as: number;
  /** The process that held it last. */
  readonly pid: number;
}

/** Each kept file is a descriptor of the process `KERNEL_PID`, which stands for the kernel. */
export class Kept {
  readonly #files = new Map<Seen, KeptFile>();
  readonly #processes: TracedProcesses;
  readonly #tell: Tell;
  #next = 3;

  constructor(processes: TracedProcesses, tell: Tell) {
    this.#processes = processes;
    this.#tell = tell;
  }

  /** The descriptor of a kept file in the process `KERNEL_PID`; undefined if it is not kept. */
  placeOf(seen: Seen): { readonly pid: number; readonly fd: number } | undefined {
    const place = this.#files.get(seen);
    return place && { pid: KERNEL_PID, fd: place.as };
  }

  get isEmpty(): boolean {
    return this.#files.size === 0;
  }

  files(): Iterable<Seen> {
    return this.#files.keys();
  }

  /** The first kept file of a kind whose last holder was this process. */
  lastOf(pid: number, kind: Seen['kind']): Seen | undefined {
    return [...this.#files].find(([seen, place]) => seen.kind === kind && place.pid === pid)?.[0];
  }

  /** The only kept file; undefined if there are several, or none. */
  get only(): Seen | undefined {
    const [only, ...others] = this.#files.keys();
    return others.length === 0 ? only : undefined;
  }

  /** Tells that a file passed to the kernel from a holder, if that is its last one. */
  keepUnlessHeld(seen: Seen, { process, fd }: Hold): void {
    if (this.#files.has(seen) || seen.isReleased || this.#processes.isMapped(seen)) return;
    const isLast = (hold: Hold) => hold.process === process && hold.fd === fd;
    if (!this.#processes.holds(seen).every(isLast)) return;
    const { pid } = process;
    const as = this.#next++;
    this.#files.set(seen, { as, pid });
    if (as === 3) {
      const data = { pid: KERNEL_PID, comm: 'kernel', cgroup: null };
      this.#tell({ type: 'process.found', data }, 'kept-by-the-kernel');
    }
    const passed = { type: 'descriptor.passed', data: { pid, fd, to: KERNEL_PID, as } } as const;
    this.#tell(passed, 'kept-by-the-kernel');
  }

  /** Tells that the kernel no longer keeps a file. */
  letGo(seen: Seen): void {
    const place = this.placeOf(seen);
    if (place === undefined) return;
    this.#files.delete(seen);
    this.#tell({ type: 'descriptor.closed', data: place }, 'released-by-the-kernel', 'observed');
  }

  clear(): void {
    this.#files.clear();
  }
}
