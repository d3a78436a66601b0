/**
 * `LiveIdentities`: reads what names the processes of this host while it is recorded: the control
 * group and the command line, which traces of the kernel do not show.
 *
 * @module
 */
import { hash } from 'node:crypto';
import type { LedgerEvent } from '../events/vocabulary.ts';
import { KERNEL_PID } from '../processes/process-table.ts';
import { microsOf } from '../events/iso-8601.ts';
import { identity, type ReadIdentity } from './reading/processes.ts';
import { Tree } from './reading/tree.ts';

/** `/proc/PID/stat` counts hundredths of a second (USER_HZ). */
const TICK_MICROS = 10_000;
/** The clocks of the trace and of `/proc` may differ by so much. */
const TOLERANCE_MICROS = 50_000;

/**
 * A process is read when the evidence first shows it, and after each exec. What is read then need not
 * be how the process was at the event: so the event that tells it is inferred, by
 * `read-from-the-host`.
 */
export class LiveIdentities {
  readonly #read: (pid: number) => ReadIdentity;
  readonly #booted: number;
  readonly #known = new Set<number>();

  /** `booted`: the boot of the host, in microseconds since 1970. `read` reads a process. */
  constructor(booted: number, read: (pid: number) => ReadIdentity = reader()) {
    this.#booted = booted;
    this.#read = read;
  }

  /** The events, each followed by what names the process that it is the first to show. */
  addTo(events: readonly LedgerEvent[]): readonly LedgerEvent[] {
    return events.flatMap((event) => [event, ...this.#after(event)]);
  }

  #after(event: LedgerEvent): LedgerEvent[] {
    switch (event.type) {
      case 'host.booted':
        this.#known.clear();
        return [];
      case 'process.exited':
        this.#known.delete(event.data.pid);
        return [];
      case 'process.forked':
        // The child has the control group and the command line of its parent.
        this.#known.add(event.data.child);
        return [];
      case 'process.started':
      case 'process.found':
        return this.#known.has(event.data.pid) ? [] : this.#identified(event, event.data.pid);
      case 'process.executed':
        return this.#identified(event, event.data.pid);
      default:
        return [];
    }
  }

  #identified({ id, time, data }: LedgerEvent, pid: number): LedgerEvent[] {
    this.#known.add(pid);
    if (pid >= KERNEL_PID || time === null) return [];
    const { cgroup, vm = null, startedAt: started } = this.#read(pid);
    if (started === null || this.#isLater(started, time)) return [];
    const { source = 'proc', line = null } = data.evidence ?? {};
    const rule = 'read-from-the-host';
    const evidence = { source, line, certainty: 'inferred', rule } as const;
    const named = { pid, comm: null, cgroup, ...(vm !== null && { vm }), started, evidence };
    const own = hash('sha256', `${id} identity`).slice(0, 24);
    return [{ id: own, time, type: 'process.found', data: named }];
  }

  /** Whether a process started after a time: then it is another one with the same pid. */
  #isLater(started: string, time: string): boolean {
    const at = microsOf(time);
    const start = this.#booted + Number(started) * TICK_MICROS;
    return at === null || start > at + TOLERANCE_MICROS;
  }
}

function reader(): (pid: number) => ReadIdentity {
  const tree = new Tree('/');
  return (pid) => identity(tree, pid);
}
