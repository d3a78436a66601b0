/**
 * The witness turns the sightings of any trace format into facts.
 *
 * It follows the descriptors of every process, so it knows which file a call was made on. Arguments
 * that a trace does not show stay null. A fact that must have happened although no line shows it names
 * the rule that infers it.
 *
 * @module
 */
import type { DataOf, Fact } from '../../events/vocabulary.ts';
import type { PlayedHostAt } from '../../machines/host-at.ts';
import { FirstMaps } from '../../processes/first-maps.ts';
import type { Topology } from '../../scenario/topology.ts';
import type { Deed, ReleasedKind, Sighting } from '../sighting.ts';
import { Devices } from './devices.ts';
import { Files } from './files.ts';
import { goOnFrom } from './host-before.ts';
import type { Tell, Told } from './inferences.ts';
import { Ioctls } from './ioctls.ts';
import { ListedFiles } from './listed-files.ts';
import { Opens } from './opens.ts';
import { Reports } from './reports.ts';
import { TracedProcesses, type Seen, type Traced } from './traced.ts';
import type { TellTentatively } from './unseen-holders.ts';

export interface WitnessOptions {
  readonly topology: Topology | null;
  /** The profile for a boot that the evidence does not show. */
  readonly profile: string | null;
  /** The profile for every boot, whatever kernel the evidence names; null: the kernel decides. */
  readonly asked: string | null;
  /** The host before the evidence; null if nothing is known of it. */
  readonly before: PlayedHostAt | null;
  /** The name for a boot that the evidence does not show. */
  readonly boot: string;
  /** The pid for a process whose pid no line shows. */
  readonly nameless: number;
  /** Whether the evidence shows every release of files of a kind. */
  readonly showsReleases: (kind: ReleasedKind) => boolean;
  /** Whether the evidence shows every process that holds a file. */
  readonly showsHolders: boolean;
}

/** Calls that release files: the trace may show the release before the return of the call. */
const letting = new Set<Deed['did']>(['close', 'close-range', 'dup', 'exec', 'exit', 'name']);

export class Witness {
  readonly #options: WitnessOptions;
  readonly #processes = new TracedProcesses();
  readonly #maps = new FirstMaps<Seen>();
  readonly #devices: Devices;
  readonly #files: Files;
  readonly #opens: Opens;
  readonly #ioctls: Ioctls;
  readonly #reports: Reports;
  readonly #tell: Tell;
  #told: Told[] = [];
  #hasBegun = false;
  #boots = 0;
  #isFirst = true;
  /** The number of calls on descriptors whose file is unknown. */
  unplaced = 0;

  constructor(options: WitnessOptions) {
    this.#options = options;
    this.#tell = (fact, rule, certainty = rule === undefined ? 'observed' : 'inferred') => {
      this.#begin();
      this.#maps.take(fact, (pid, fd) => this.#processes.seenAt(pid, fd));
      this.#told.push({ fact, certainty, rule: rule ?? null });
    };
    this.#devices = new Devices(this.#tell);
    const { showsReleases } = options;
    const tentatively: TellTentatively = (fact, tentative) => {
      this.#told.push({ fact, certainty: 'inferred', rule: 'only-unseen-holders', tentative });
    };
    this.#files = new Files(this.#processes, this.#devices, this.#tell, tentatively, showsReleases);
    this.#opens = new Opens(this.#files, this.#devices, this.#tell);
    this.#ioctls = new Ioctls(this.#files, this.#devices, this.#maps, this.#tell);
    const listed = new ListedFiles(this.#processes, this.#files);
    this.#reports = new Reports(this.#files, this.#devices, this.#tell, listed);
    if (options.before !== null) goOnFrom(options.before, this.#processes, this.#devices);
    else if (options.topology !== null) this.#devices.describe(options.topology);
  }

  /** The facts that follow from a sighting. */
  take(sighting: Sighting): readonly Told[] {
    this.#told = [];
    this.#take(sighting);
    this.#isFirst = false;
    return this.#told;
  }

  #take(sighting: Sighting): void {
    switch (sighting.did) {
      case 'boot':
        return this.#boot(sighting.kernel, sighting.boot);
      case 'lose':
        return this.#lose(sighting.count);
      case 'node':
        return this.#devices.setNode(sighting.device, sighting.cdev);
      case 'plug':
        return this.#devices.plug(sighting.device, sighting.group, sighting.driver);
      case 'unplug':
        return this.#devices.unplug(sighting.device);
      case 'list-group':
      case 'list-driver':
        return this.#reports.listed(sighting);
      case 'list-node':
        return this.#devices.meetNode(sighting.kind, sighting.name);
      case 'claim':
        return this.#reports.claim(sighting);
      case 'wait':
        return this.#reports.wait(sighting);
      case 'release':
        // It may come after the end of its process, so it must not add a process.
        return this.#files.release(this.#pidOf(sighting), sighting.kind, sighting.file);
      default: {
        const isOfAnybody = sighting.tid === null && sighting.pid === null;
        if (sighting.did === 'report' && isOfAnybody) return this.#reports.refusal(null, sighting);
        const process = this.#processOf(sighting);
        if (!letting.has(sighting.did)) this.#files.settle(process.pid);
        this.#do(process, sighting);
        this.#files.settle(process.pid);
        if (!this.#options.showsHolders) this.#files.unseen.settle();
      }
    }
  }

  #do(process: Traced, sighting: Sighting): void {
    const { tid } = sighting;
    switch (sighting.did) {
      case 'open':
        return this.#opens.take(process, sighting);
      case 'ioctl':
        if (!this.#ioctls.take(process, sighting)) this.unplaced++;
        return;
      case 'close':
        return this.#close(process, sighting);
      case 'close-range':
        for (const fd of [...process.descriptors.keys()].toSorted((a, b) => a - b)) {
          if (fd >= sighting.first && fd <= sighting.last) this.#files.close(process, fd);
        }
        return;
      case 'dup':
        return this.#duplicate(process, sighting);
      case 'cloexec':
        return this.#flag(process, sighting.on.fd, sighting.cloexec);
      case 'fork':
        return this.#fork(process, sighting);
      case 'exec':
        return this.#execute(process, sighting);
      case 'name':
        // A thread's own name is not that of the process.
        if (tid !== null && tid !== process.pid) return;
        if (process.comm !== sighting.name) this.#rename(process, sighting.name);
        return;
      case 'exit':
        if (this.#processes.endThread(process, tid ?? process.pid) || sighting.whole) {
          this.#files.exit(process, sighting.signal);
        }
        return;
      case 'detach':
        if (this.#processes.endThread(process, tid ?? process.pid))
          this.#files.unseen.left(process);
        return;
      case 'send':
        if (!('errno' in sighting.result)) this.#files.send(process, sighting.fds);
        return;
      case 'receive':
        return this.#files.receive(process, sighting.fds, sighting.cloexec);
      case 'install':
        return this.#files.install(process, sighting.fd, sighting.file);
      case 'mmap':
        return this.#map(process, sighting);
      case 'munmap':
        return this.#unmap(process, sighting.address, sighting.length);
      case 'unbind':
        return this.#reports.unbind(process, sighting, (device) => this.#processes.hasOpen(device));
      case 'bind-driver':
        return this.#reports.bindDriver(sighting);
      case 'find':
        return this.#reports.find(process, sighting);
      case 'report':
        return this.#reports.refusal(process, sighting);
      case 'run-vm':
        return this.#reports.runVm(process, sighting.vm);
      default:
    }
  }

  #pidOf({ tid, pid }: Sighting): number {
    const number = tid ?? pid ?? this.#options.nameless;
    return pid ?? this.#processes.find(number)?.pid ?? number;
  }

  #processOf({ tid, pid, comm }: Sighting): Traced {
    const number = tid ?? pid ?? this.#options.nameless;
    const process = this.#processes.of(number, pid, comm);
    this.#files.unseen.shown(process);
    if (comm !== null && comm !== process.comm && (pid ?? number) === process.pid) {
      if (tid === null || tid === process.pid) this.#rename(process, comm);
    }
    return process;
  }

  #rename(process: Traced, comm: string): void {
    process.comm = comm;
    const { pid, isTold } = process;
    if (isTold) this.#tell({ type: 'process.found', data: { pid, comm, cgroup: null } });
  }

  #close(process: Traced, { on, result }: Extract<Deed, { did: 'close' }>): void {
    if ('errno' in result) {
      // It was closed before, unseen.
      if (result.errno === 'EBADF') this.#files.close(process, on.fd, 'number-used-again');
      return;
    }
    if (this.#files.behind(process, on) === null) this.#files.closeUnknown(process);
    else this.#files.close(process, on.fd);
  }

  #duplicate(process: Traced, { on, to, cloexec, result }: Extract<Deed, { did: 'dup' }>): void {
    if ('errno' in result) return;
    this.#files.behind(process, on);
    this.#files.duplicate(process, on.fd, to ?? result.rc, cloexec);
  }

  #flag(process: Traced, fd: number, cloexec: boolean): void {
    const there = process.descriptors.get(fd);
    if (there === undefined || there.cloexec === cloexec) return;
    process.descriptors.set(fd, { ...there, cloexec });
    this.#tell({ type: 'descriptor.flagged', data: { pid: process.pid, fd, cloexec } });
  }

  #fork(parent: Traced, { child, childComm, shares }: Extract<Deed, { did: 'fork' }>): void {
    if (shares === true) return this.#processes.addThread(parent, child);
    const old = this.#processes.find(child);
    if (old !== undefined) {
      const { pid } = old;
      if (old.isTold)
        this.#tell({ type: 'process.exited', data: { pid, signal: null } }, 'pid-used-again');
      this.#processes.end(old);
    }
    const process = this.#processes.fork(parent, child, childComm);
    if (!parent.isTold || parent.descriptors.size + parent.mappings.size === 0) return;
    process.isTold = true;
    this.#files.unseen.born(process);
    const data = { pid: parent.pid, child, comm: process.comm };
    this.#tell({ type: 'process.forked', data });
  }

  #execute(process: Traced, { program, vm }: Extract<Deed, { did: 'exec' }>): void {
    // A trace whose first line is an exec has started the process itself.
    if (this.#isFirst) process.isWhole = true;
    process.comm = program ?? process.comm;
    process.vm = vm ?? null;
    this.#files.execute(process);
    const { pid } = process;
    if (!process.isTold) return;
    this.#tell({
      type: 'process.executed',
      data: { pid, ...(program !== null && { comm: program }), ...(vm !== undefined && { vm }) },
    });
  }

  #map(process: Traced, { on, address, length, result }: Extract<Deed, { did: 'mmap' }>): void {
    const seen = 'errno' in result ? null : this.#files.behind(process, on);
    if (seen?.kind !== 'device' || !Number.isSafeInteger(address)) return;
    process.mappings.set(address, { seen, length });
    this.#files.unseen.moved(seen);
    const data = { pid: process.pid, fd: on.fd, mapping: address, region: null };
    this.#tell({ type: 'mapping.created', data });
  }

  #unmap(process: Traced, address: number, length: number): void {
    for (const [mapping, { seen, length: mapped }] of process.mappings) {
      if (mapping < address || mapping + mapped > address + length) continue;
      process.mappings.delete(mapping);
      this.#files.unseen.moved(seen);
      this.#tell({ type: 'mapping.removed', data: { pid: process.pid, mapping } });
    }
  }

  /** Tells of a gap: lines of the trace are missing. */
  #lose(count: Extract<Deed, { did: 'lose' }>['count']): void {
    for (const process of this.#processes.all()) process.isWhole = false;
    const lost = count === null ? 'some events' : `${count} events`;
    const isLine = count === 'line';
    const what = isLine ? 'a line of the trace cannot be read' : `${lost} of the trace were lost`;
    this.#files.doubt(null, what);
  }

  /** Tells of a boot before the first line, if the evidence shows none. */
  #begin(): void {
    if (this.#hasBegun) return;
    this.#hasBegun = true;
    const { topology, profile, boot, before } = this.#options;
    if (before !== null) return;
    const { kernel = 'unknown', iommufd = true } = topology ?? {};
    this.#tell(booted({ boot, kernel, profile, iommufd }), 'no-boot-seen', 'assumed');
    this.#devices.tellDescribed();
  }

  #boot(kernel: string, boot: string | null): void {
    this.#hasBegun = true;
    this.#processes.clear();
    this.#devices.clear();
    this.#files.clear();
    const name = boot ?? `${this.#options.boot}-${++this.#boots}`;
    const { asked } = this.#options;
    this.#tell(booted({ boot: name, kernel, profile: asked, iommufd: true }));
  }
}

function booted(data: Omit<DataOf<'host.booted'>, 'simulated'>): Fact {
  return { type: 'host.booted', data: { ...data, simulated: false } };
}
