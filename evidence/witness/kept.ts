/**
 * Files that the kernel keeps although no process has a descriptor of them: on their way through a
 * socket, or held by something that nobody has seen.
 *
 * @module
 */
import { QUEUE } from '../../processes/process-table.ts';
import type { Tell } from './inferences.ts';
import type { Hold, Seen } from './traced.ts';

interface KeptFile {
  /** The number that stands for the file there. */
  readonly as: number;
  /** Who had it last. */
  readonly pid: number;
}

export class Kept {
  readonly #files = new Map<Seen, KeptFile>();
  readonly #tell: Tell;
  #next = 3;

  constructor(tell: Tell) {
    this.#tell = tell;
  }

  /** Where the kernel has a file; undefined where it does not. */
  placeOf(seen: Seen): { readonly pid: number; readonly fd: number } | undefined {
    const place = this.#files.get(seen);
    return place && { pid: QUEUE, fd: place.as };
  }

  /** The first of a kind that a process had last. */
  lastOf(pid: number, kind: Seen['kind']): Seen | undefined {
    return [...this.#files].find(([seen, place]) => seen.kind === kind && place.pid === pid)?.[0];
  }

  /** The only one, where there is only one. */
  get only(): Seen | undefined {
    const [only, ...others] = this.#files.keys();
    return others.length === 0 ? only : undefined;
  }

  /** Takes a file over from its last holder, who is about to let it go. */
  keep(seen: Seen, { process: { pid }, fd }: Hold): void {
    const as = this.#next++;
    this.#files.set(seen, { as, pid });
    if (as === 3) {
      const data = { pid: QUEUE, comm: 'kernel', cgroup: null };
      this.#tell({ type: 'process.found', data }, 'kept-by-the-kernel');
    }
    const passed = { type: 'descriptor.passed', data: { pid, fd, to: QUEUE, as } } as const;
    this.#tell(passed, 'kept-by-the-kernel');
  }

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
