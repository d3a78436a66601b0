/**
 * Files of ours as they come, move from hand to hand, and go: what the log is told of it.
 *
 * @module
 */
import type { Fact } from '../../events/vocabulary.ts';
import type { ShownFd } from '../sighting.ts';
import type { Devices } from './devices.ts';
import type { Inference, Tell } from './inferences.ts';
import { foundAt } from './found.ts';
import { Kept } from './kept.ts';
import { isOf, isOurs } from './shown.ts';
import type { Hold, Seen, Traced, TracedProcesses } from './traced.ts';

/** Files sent that nobody has received; of more than these the oldest are forgotten. */
const MOST_ON_THEIR_WAY = 1024;

interface Sent {
  readonly from: Hold;
  readonly seen: Seen | null;
}

export class Files {
  readonly #processes: TracedProcesses;
  readonly #devices: Devices;
  readonly #tell: Tell;
  readonly #byPointer = new Map<string, Seen>();
  readonly #kept: Kept;
  readonly #sent: Sent[] = [];
  /** What a thread was seen to release in a call that has not come back yet. */
  #releasing: { readonly tid: number; readonly kind: Seen['kind'] } | null = null;
  /** What the kernel let go in calls that have not come back yet, though a process seems to have it. */
  readonly #gone = new Map<number, Seen[]>();
  /** Whether this evidence shows when the kernel lets a file go. */
  #showsReleases = false;

  constructor(processes: TracedProcesses, devices: Devices, tell: Tell) {
    this.#processes = processes;
    this.#devices = devices;
    this.#tell = tell;
    this.#kept = new Kept(tell);
  }

  /** Makes a process known to the log. */
  tellProcess(process: Traced): void {
    if (process.isTold) return;
    process.isTold = true;
    const { pid, comm, isWhole } = process;
    const type = isWhole ? 'process.started' : 'process.found';
    this.#tell({ type, data: { pid, comm, cgroup: null } });
  }

  /** A file has been opened, and `fact` tells of it. */
  open(
    process: Traced,
    fd: number,
    cloexec: boolean,
    seen: Seen,
    fact: Fact,
    rule?: Inference,
  ): void {
    this.tellProcess(process);
    this.#vacate(process, fd);
    if (seen.pointer !== null) this.#byPointer.set(seen.pointer, seen);
    process.descriptors.set(fd, { seen, cloexec });
    const { pointer } = seen;
    const isNamed = pointer !== null && seen.kind !== 'path';
    const named = isNamed ? { ...fact, data: { ...fact.data, pointer } } : fact;
    this.#tell(named as Fact, rule);
  }

  /** The file behind a descriptor; one that the evidence has not seen opened is found to be open. */
  behind(process: Traced, { fd, path }: ShownFd): Seen | null {
    const there = process.descriptors.get(fd);
    if (there !== undefined && (path === null || isOf(there.seen, path))) return there.seen;
    if (there !== undefined) this.close(process, fd, 'number-used-again');
    return path === null ? null : this.find(process, fd, path, 'found-open');
  }

  /** A descriptor of a path was open before it was seen; null where that is none of ours. */
  find(process: Traced, fd: number, path: string, rule: Inference): Seen | null {
    const found = foundAt(path, process, fd, this.#devices);
    if (found === null) return null;
    const { seen, cloexec, fact, doubt } = found;
    this.open(process, fd, cloexec, seen, fact, rule);
    if (doubt !== null) this.doubt(doubt.group, doubt.reason);
    return seen;
  }

  /**
   * A trace names the device behind a descriptor, which was opened by its node: it is taken to have
   * been opened under its name. Nothing hangs on the file yet, as it is not bound.
   */
  name(process: Traced, fd: number, device: string): void {
    const there = process.descriptors.get(fd);
    const node = there?.seen.device ?? null;
    if (there === undefined || node === null || node === device) return;
    if (!this.#devices.isNameless(node) || this.#processes.holds(there.seen).length > 1) return;
    const { pid } = process;
    this.#tell({ type: 'descriptor.closed', data: { pid, fd } }, 'named-by-the-trace');
    this.#devices.rename(node, device);
    process.descriptors.delete(fd);
    const { cloexec } = there;
    const seen: Seen = { ...there.seen, device, group: this.#devices.groupOf(device) };
    const data = { pid, fd, device, cloexec };
    this.open(process, fd, cloexec, seen, { type: 'device.opened', data }, 'named-by-the-trace');
  }

  /** Nothing is known of the owner of a group from here on. */
  doubt(group: string | null, reason: string): void {
    this.#tell({ type: 'gap.noticed', data: { reason, group } });
  }

  close(process: Traced, fd: number, rule?: Inference): void {
    const there = process.descriptors.get(fd);
    if (there === undefined) return;
    if (this.#releasing?.kind === there.seen.kind) there.seen.isReleased = true;
    this.#keepIfHeld(process, fd, there.seen, rule === undefined);
    process.descriptors.delete(fd);
    this.#tell({ type: 'descriptor.closed', data: { pid: process.pid, fd } }, rule);
  }

  duplicate(process: Traced, fd: number, as: number, cloexec: boolean, rule?: Inference): void {
    const there = process.descriptors.get(fd);
    if (fd === as) return;
    if (there === undefined) {
      this.#vacate(process, as);
      return;
    }
    process.descriptors.set(as, { seen: there.seen, cloexec });
    const data = { pid: process.pid, fd, as, ...(cloexec && { cloexec }) };
    this.#tell({ type: 'descriptor.duplicated', data }, rule);
  }

  /** A descriptor came to stand for a file that somebody has. */
  install(process: Traced, fd: number, pointer: string): void {
    const seen = this.#byPointer.get(pointer);
    // Of what is no node nobody shows the end: its name may be another file's by now.
    const isGone = seen?.kind === 'path' && !this.#processes.isHeld(seen);
    if (seen === undefined || seen.isReleased || isGone) {
      this.#vacate(process, fd);
      return;
    }
    const there = process.descriptors.get(fd);
    if (there?.seen === seen) return;
    const own = [...process.descriptors].find(([, descriptor]) => descriptor.seen === seen);
    if (own !== undefined) this.duplicate(process, own[0], fd, false, 'same-file');
    else this.#pass(seen, process, fd, false, 'same-file');
  }

  send(process: Traced, fds: readonly ShownFd[]): void {
    for (const shown of fds) {
      const seen = this.behind(process, shown);
      this.#sent.push({ from: { process, fd: shown.fd }, seen });
      if (this.#sent.length > MOST_ON_THEIR_WAY) this.#sent.shift();
    }
  }

  receive(process: Traced, fds: readonly ShownFd[], cloexec: boolean): void {
    for (const { fd, path } of fds) {
      const at = this.#sent.findIndex(({ seen }) =>
        path === null ? true : seen === null ? !isOurs(path) : isOf(seen, path),
      );
      const [sent] = at < 0 ? [] : this.#sent.splice(at, 1);
      this.#vacate(process, fd);
      const known = sent?.seen ?? (path === null ? null : this.#onlyOf(path));
      if (known != null) this.#pass(known, process, fd, cloexec, 'sent-and-received');
      else if (path !== null) this.find(process, fd, path, 'found-open');
    }
  }

  /**
   * The iommufd that a group's devices were seen to be bound to comes to a process, nobody saw how.
   * Gives false where nobody has a descriptor of it that it could have come from.
   */
  lend(group: string | null, to: Traced, as: number): boolean {
    const context = group === null ? undefined : this.#contextOf(group);
    if (context === undefined) return false;
    if (!this.#processes.isHeld(context) && this.#kept.placeOf(context) === undefined) return false;
    this.#pass(context, to, as, false, 'let-in-and-so-the-owner');
    return true;
  }

  #contextOf(group: string): Seen | undefined {
    for (const { descriptors } of this.#processes.all()) {
      for (const { seen } of descriptors.values()) {
        if (seen.group === group && seen.boundTo !== undefined) return seen.boundTo;
      }
    }
    return undefined;
  }

  /**
   * The kernel has let a file go: within the call that made it do so, which comes back later, or after
   * the process has ended. Without a name it is whatever that was.
   */
  release(tid: number, kind: Exclude<Seen['kind'], 'path'>, pointer: string): void {
    if (kind === 'container') return this.#forget(tid, pointer);
    this.#showsReleases = true;
    const seen =
      this.#byPointer.get(pointer) ??
      (kind === 'device' ? this.#kept.lastOf(tid, kind) : undefined);
    this.#byPointer.delete(pointer);
    if (seen === undefined) this.#releasing = { tid, kind };
    else {
      this.#letGo(tid, seen);
      this.#unmap(seen);
    }
    this.#tell({ type: 'file.released', data: { pid: tid, kind, pointer } });
  }

  /** A container's file is nobody's any more, as its descriptors have told. */
  #forget(tid: number, pointer: string): void {
    const seen = this.#byPointer.get(pointer);
    this.#byPointer.delete(pointer);
    if (seen !== undefined) this.#letGo(tid, seen);
  }

  #letGo(tid: number, seen: Seen): void {
    seen.isReleased = true;
    this.#kept.letGo(seen);
    const gone = this.#gone.get(tid);
    if (gone !== undefined) gone.push(seen);
    else if (this.#processes.isHeld(seen)) this.#gone.set(tid, [seen]);
  }

  /** Who had it mapped has unmapped it. */
  #unmap(seen: Seen): void {
    for (const { pid, mappings } of this.#processes.all()) {
      for (const [mapping, mapped] of mappings) {
        if (mapped.seen !== seen) continue;
        mappings.delete(mapping);
        const removed = { type: 'mapping.removed', data: { pid, mapping } } as const;
        this.#tell(removed, 'released-by-the-kernel', 'observed');
      }
    }
  }

  /** A call of a thread has come back: what it released has been said, or was closed unseen. */
  settle(tid: number): void {
    if (this.#releasing?.tid === tid) this.#releasing = null;
    const gone = this.#gone.get(tid);
    if (gone === undefined) return;
    this.#gone.delete(tid);
    for (const { process, fd } of gone.flatMap((seen) => this.#processes.holds(seen))) {
      this.close(process, fd, 'released-by-the-kernel');
    }
  }

  /** A thread has closed something that nobody has seen it open: of what it released, the only one. */
  closeUnknown(process: Traced): void {
    const [fd, ...rest] = [...process.descriptors.keys()].filter((number) => number < 0);
    const isOnly = fd !== undefined && rest.length === 0;
    if (isOnly) return this.close(process, fd, 'only-one-without-a-number');
    if (this.#releasing?.tid !== process.pid || this.#releasing.kind !== 'device') return;
    const { only } = this.#kept;
    if (only !== undefined) this.#kept.letGo(only);
  }

  /** A process has ended. What it alone held goes with it, or when the kernel is seen to let it go. */
  exit(process: Traced, signal: string | null): void {
    process.mappings.clear();
    for (const [fd, { seen }] of process.descriptors) this.#keepIfHeld(process, fd, seen, true);
    process.descriptors.clear();
    if (process.isTold) {
      this.#tell({ type: 'process.exited', data: { pid: process.pid, signal } });
    }
    this.#processes.end(process);
  }

  clear(): void {
    this.#byPointer.clear();
    this.#kept.clear();
    this.#sent.length = 0;
    this.#releasing = null;
    this.#gone.clear();
  }

  /** A number is given out anew: what it stood for had been closed. */
  #vacate(process: Traced, fd: number): void {
    if (process.descriptors.has(fd)) this.close(process, fd, 'number-used-again');
  }

  /** The only file that is open of a node; null where there are several, or none. */
  #onlyOf(path: string): Seen | null {
    const all = [...this.#processes.all()].flatMap(({ descriptors }) => [...descriptors.values()]);
    const found = new Set(all.map(({ seen }) => seen).filter((seen) => isOf(seen, path)));
    const [only, ...others] = found;
    return only === undefined || others.length > 0 ? null : only;
  }

  /** Where a file is held that moves on: by a process, or else by the kernel. */
  #pass(seen: Seen, to: Traced, as: number, cloexec: boolean, rule: Inference): void {
    const [hold] = this.#processes.holds(seen);
    const kept = this.#kept.placeOf(seen);
    this.tellProcess(to);
    to.descriptors.set(as, { seen, cloexec });
    const flag = cloexec ? { cloexec } : {};
    const from = hold === undefined ? kept : { pid: hold.process.pid, fd: hold.fd };
    if (from === undefined) return;
    this.#tell({ type: 'descriptor.passed', data: { ...from, to: to.pid, as, ...flag } }, rule);
    if (kept !== undefined) this.#kept.letGo(seen);
  }

  /**
   * A holder gives a file up. Where it is the last, and the file is on its way to somebody, or the
   * kernel was not seen to release it, it is kept.
   */
  #keepIfHeld(process: Traced, fd: number, seen: Seen, isSeen: boolean): void {
    if (this.#kept.placeOf(seen) !== undefined || seen.isReleased || this.#processes.isMapped(seen))
      return;
    const isSent = this.#sent.some((sent) => sent.seen === seen);
    const isKept = isSeen && seen.kind === 'device' && this.#showsReleases;
    if (!isSent && !isKept) return;
    if (this.#processes.holds(seen).some((hold) => hold.process !== process || hold.fd !== fd))
      return;
    this.#kept.keep(seen, { process, fd });
  }
}
