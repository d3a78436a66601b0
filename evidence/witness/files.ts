/**
 * `Files`: follows VFIO and iommufd files from open to release, through dup, fork, SCM_RIGHTS and mmap.
 * Each step becomes a fact.
 *
 * @module
 */
import type { Fact } from '../../events/vocabulary.ts';
import type { ReleasedKind, ShownFd } from '../sighting.ts';
import type { Devices } from './devices.ts';
import type { Inference, Tell } from './inferences.ts';
import { foundAt } from './found.ts';
import { Kept } from './kept.ts';
import { OnTheirWay } from './on-their-way.ts';
import { isOf } from './shown.ts';
import { factOf, type Seen, type Traced, type TracedProcesses } from './traced.ts';
import { UnseenHolders, type TellTentatively } from './unseen-holders.ts';

export class Files {
  readonly #processes: TracedProcesses;
  readonly #devices: Devices;
  readonly #tell: Tell;
  readonly #byPointer = new Map<string, Seen>();
  readonly #kept: Kept;
  readonly #sent = new OnTheirWay();
  /** Holders that no line shows. */
  readonly unseen: UnseenHolders;
  /** The release that a thread was seen to do in a call that has not returned yet. */
  #releasing: { readonly tid: number; readonly kind: Seen['kind'] } | null = null;
  /** By thread: files released in a call that has not returned, though a process seems to hold them. */
  readonly #gone = new Map<number, Seen[]>();
  readonly #showsReleases: (kind: ReleasedKind) => boolean;
  #hasShownRelease = false;

  constructor(
    processes: TracedProcesses,
    devices: Devices,
    tell: Tell,
    tellTentatively: TellTentatively,
    showsReleases: (kind: ReleasedKind) => boolean,
  ) {
    this.#showsReleases = showsReleases;
    this.#processes = processes;
    this.#devices = devices;
    this.#tell = tell;
    this.#kept = new Kept(processes, tell);
    this.unseen = new UnseenHolders(processes, devices, this.#kept, tellTentatively);
  }

  /** Tells of a process, once. */
  tellProcess(process: Traced): void {
    if (process.isTold) return;
    process.isTold = true;
    this.#tell(factOf(process));
  }

  /** Notes a file that was opened at `fd`, and tells `fact`. */
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
    this.unseen.opened(seen, rule === undefined);
    const { kind, pointer } = seen;
    const shown = this.#isShown(seen) ? { pointer, releaseShown: true } : { pointer };
    const isNamed = pointer !== null && kind !== 'path';
    this.#tell((isNamed ? { ...fact, data: { ...fact.data, ...shown } } : fact) as Fact, rule);
  }

  /** The file behind a descriptor. If its open was not seen, it is found by its path, if shown. */
  behind(process: Traced, { fd, path }: ShownFd): Seen | null {
    const there = process.descriptors.get(fd);
    if (there !== undefined && (path === null || isOf(there.seen, path))) return there.seen;
    if (there !== undefined) this.close(process, fd, 'number-used-again');
    return path === null ? null : this.find(process, fd, path, 'found-open');
  }

  /** Tells of a file that was open before the evidence begins. Null if the path is not VFIO's. */
  find(process: Traced, fd: number, path: string, rule: Inference): Seen | null {
    const found = foundAt(path, process, fd, this.#devices);
    if (found === null) return null;
    const { seen, cloexec, fact, doubt } = found;
    if (doubt !== null) this.doubt(doubt.group, doubt.reason);
    this.open(process, fd, cloexec, seen, fact, rule);
    return seen;
  }

  /**
   * Gives the nameless device behind a descriptor its address: the file is told as closed and opened
   * again. That changes nothing else, because the file is not bound yet.
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

  /** Tells of a gap: the owner of a group, or of all groups, is unknown from here on. */
  doubt(group: string | null, reason: string): void {
    this.#tell({ type: 'gap.noticed', data: { reason, group } });
  }

  close(process: Traced, fd: number, rule?: Inference): void {
    const there = process.descriptors.get(fd);
    if (there === undefined) return;
    if (this.#releasing?.kind === there.seen.kind) there.seen.isReleased = true;
    this.#leave(process, fd, there.seen, rule === undefined);
    process.descriptors.delete(fd);
    this.#tell({ type: 'descriptor.closed', data: { pid: process.pid, fd } }, rule);
  }

  /** Tells of a dup. If the file of `fd` is unknown, `as` is only vacated. */
  duplicate(process: Traced, fd: number, as: number, cloexec: boolean, rule?: Inference): void {
    const there = process.descriptors.get(fd);
    if (fd === as) return;
    if (there === undefined) {
      this.#vacate(process, as);
      return;
    }
    const replaced = process.descriptors.get(as);
    if (replaced !== undefined) this.#leave(process, as, replaced.seen, rule === undefined);
    process.descriptors.set(as, { seen: there.seen, cloexec });
    const data = { pid: process.pid, fd, as, ...(cloexec && { cloexec }) };
    this.#tell({ type: 'descriptor.duplicated', data }, rule);
  }

  /** Notes that the kernel installed a known file at a descriptor (fs/file.c:fd_install). */
  install(process: Traced, fd: number, pointer: string): void {
    const seen = this.#byPointer.get(pointer);
    // The release of other files is not traced: the address may be another file's by now.
    const isGone = seen?.kind === 'path' && !this.#processes.isHeld(seen);
    if (seen === undefined || seen.isReleased || isGone) {
      this.#vacate(process, fd);
      return;
    }
    if (process.descriptors.get(fd)?.seen !== seen) this.share(seen, process, fd, 'same-file');
  }

  /** Tells of another descriptor of a known file: a dup in its process, or from another process. */
  share(seen: Seen, process: Traced, fd: number, rule: Inference): void {
    const own = [...process.descriptors].find(([, descriptor]) => descriptor.seen === seen);
    if (own !== undefined) this.duplicate(process, own[0], fd, false, rule);
    else this.#pass(seen, process, fd, false, rule);
  }

  /** Notes descriptors sent over a socket. */
  send(process: Traced, fds: readonly ShownFd[]): void {
    for (const shown of fds) this.#sent.add(this.behind(process, shown));
  }

  /** Matches received descriptors with sent ones, oldest first, and tells who passed which file. */
  receive(process: Traced, fds: readonly ShownFd[], cloexec: boolean): void {
    for (const { fd, path } of fds) {
      const sent = this.#sent.receive(path);
      this.#vacate(process, fd);
      const known = sent ?? (path === null ? null : this.#processes.onlyOf(path));
      if (known !== null) this.#pass(known, process, fd, cloexec, 'sent-and-received');
      else if (path !== null) this.find(process, fd, path, 'found-open');
    }
  }

  /**
   * Passes the iommufd that a group's devices are bound to on to a process, although no line shows it.
   * False if no process and no queue holds it.
   */
  lend(group: string | null, to: Traced, as: number): boolean {
    const context = group === null ? undefined : this.#processes.contextOf(group);
    if (context === undefined) return false;
    if (!this.#processes.isHeld(context) && this.#kept.placeOf(context) === undefined) return false;
    this.#pass(context, to, as, false, 'let-in-and-so-the-owner');
    return true;
  }

  /**
   * Tells that the kernel released a file. That is during a call that has not returned yet, or after
   * the end of the process. A file with an unknown address is the one that the call closes.
   */
  release(tid: number, kind: Exclude<Seen['kind'], 'path'>, pointer: string): void {
    if (kind === 'container') return this.#forget(tid, pointer);
    this.#hasShownRelease = true;
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

  /** Forgets the file of a container. Its descriptors have told of its end already. */
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

  /** Tells that all mappings of a released file are gone. */
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

  /** Notes the return of a thread's call. Files that it released, but that seem held, are closed. */
  settle(tid: number): void {
    if (this.#releasing?.tid === tid) this.#releasing = null;
    const gone = this.#gone.get(tid);
    if (gone === undefined) return;
    this.#gone.delete(tid);
    for (const { process, fd } of gone.flatMap((seen) => this.#processes.holds(seen))) {
      this.close(process, fd, 'released-by-the-kernel');
    }
  }

  /** Notes the close of an unknown descriptor. If just one has no number, it is that one. */
  closeUnknown(process: Traced): void {
    const [fd, ...rest] = [...process.descriptors.keys()].filter((number) => number < 0);
    const isOnly = fd !== undefined && rest.length === 0;
    if (isOnly) return this.close(process, fd, 'only-one-without-a-number');
    if (this.#releasing?.tid !== process.pid || this.#releasing.kind !== 'device') return;
    const { only } = this.#kept;
    if (only !== undefined) this.#kept.letGo(only);
  }

  /** Notes an exec, which drops all mappings and closes what is close-on-exec. */
  execute(process: Traced): void {
    this.#unmapAll(process);
    for (const [fd, { seen, cloexec }] of process.descriptors) {
      if (!cloexec) continue;
      this.#leave(process, fd, seen, true);
      process.descriptors.delete(fd);
    }
  }

  /** Tells of the end of a process. Files that it alone held are released now, or when that is seen. */
  exit(process: Traced, signal: string | null): void {
    this.#unmapAll(process);
    const isSeen = this.#hasShownRelease;
    for (const [fd, { seen }] of process.descriptors) this.#leave(process, fd, seen, isSeen);
    process.descriptors.clear();
    if (process.isTold) {
      const shown = this.#hasShownRelease ? ({ releaseShown: true } as const) : {};
      this.#tell({ type: 'process.exited', data: { pid: process.pid, signal, ...shown } });
    }
    this.#processes.end(process);
  }

  #unmapAll({ mappings }: Traced): void {
    for (const { seen } of mappings.values()) this.unseen.moved(seen);
    mappings.clear();
  }

  clear(): void {
    this.unseen.clear();
    this.#byPointer.clear();
    this.#kept.clear();
    this.#sent.clear();
    this.#releasing = null;
    this.#gone.clear();
  }

  /** Closes a descriptor whose number is used again. */
  #vacate(process: Traced, fd: number): void {
    if (process.descriptors.has(fd)) this.close(process, fd, 'number-used-again');
  }

  /** Tells that a file was passed to a process, from another process or from the kernel. */
  #pass(seen: Seen, to: Traced, as: number, cloexec: boolean, rule: Inference): void {
    const [hold] = this.#processes.holds(seen);
    const kept = this.#kept.placeOf(seen);
    this.tellProcess(to);
    to.descriptors.set(as, { seen, cloexec });
    this.unseen.moved(seen);
    const flag = cloexec ? { cloexec } : {};
    const held = hold && { pid: hold.process.pid, fd: hold.fd };
    const from = held ?? kept ?? this.#processes.lastOf(seen);
    if (from === undefined) return;
    this.#tell({ type: 'descriptor.passed', data: { ...from, to: to.pid, as, ...flag } }, rule);
    if (kept !== undefined) this.#kept.letGo(seen);
    this.unseen.received(seen);
  }

  /** Lets the kernel keep the file of a descriptor that ends, if something else must hold it. */
  #leave(process: Traced, fd: number, seen: Seen, isSeen: boolean): void {
    this.unseen.moved(seen);
    seen.last = { pid: process.pid, fd };
    const isAwaited = isSeen && seen.kind === 'device' && this.#showsReleases(seen.kind);
    const isUntold = isAwaited && !this.#isShown(seen);
    if (isUntold || this.#sent.has(seen)) this.#kept.keepUnlessHeld(seen, { process, fd });
  }

  /** Whether the event of a file's open can say that its release is shown. */
  #isShown({ kind, pointer, device }: Seen): boolean {
    if (pointer === null || kind === 'path' || kind === 'container') return false;
    // The file of a nameless device is told as closed and opened again once the device has a name.
    const isNameless = device !== null && this.#devices.isNameless(device);
    return !isNameless && this.#showsReleases(kind);
  }
}
