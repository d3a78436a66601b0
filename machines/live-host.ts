/**
 * A host that goes on, for everybody outside of the machines: it takes events, is asked what the rules
 * say, and tells by id and in plain values how it stands.
 *
 * @module
 */
import type { Attempt, Call, Certainty, DataOf, Fact, Placed } from '../events/vocabulary.ts';
import type { FileId, ProcessObserver, ProcessTable } from '../processes/process-table.ts';
import type { ObservedCause } from './causes.ts';
import { restoreKernel, saveKernel, type KernelCheckpoint } from './checkpoint.ts';
import { addressSpaceOf, type OpenFile } from './host.ts';
import type { AddressSpace, MappedRanges, PlayedGroup, SupposedHost } from './host-at.ts';
import type { Contradiction } from './contradiction.ts';
import type { Observer } from './host-state.ts';
import { judge, type Refusal } from './judge.ts';
import { Kernel, type Explanation } from './kernel.ts';
import type { Engine, KernelRules } from './machines.ts';
import { verdictsUnder, type AnsweredAttempt, type Verdict } from './other-profile.ts';
import { groupAt } from './plain.ts';
import { PlayedHost } from './played-host.ts';
import type { Profile } from './profile.ts';

/** What a call concerns, as far as it is known of. */
export interface Concerned {
  /** The file that it operates on, and the one behind the descriptor that is its argument. */
  readonly file: FileId | null;
  readonly argument: FileId | null;
  /** These and the others that it was given, where they are VFIO's. */
  readonly files: readonly FileId[];
  readonly device: string | null;
  readonly group: string | null;
}

/** What the rules answer to a call: a refusal, or what comes of it. */
export interface Answered {
  readonly refusal: Refusal | null;
  readonly id?: number;
  readonly hwpt?: number;
}

/** What the last event touched, by id; what is gone by now too. */
interface Touched {
  readonly groups: ReadonlySet<string>;
  readonly devices: readonly string[];
  readonly files: readonly FileId[];
  /** Files that nobody holds any more: they had gone, or the event could not have passed. */
  readonly evicted: ReadonlySet<FileId>;
  /** Devices whose kernel driver had been unbound, for the same reason. */
  readonly unbound: ReadonlySet<string>;
}

export class LiveHost extends PlayedHost implements SupposedHost {
  constructor({
    isKnown = true,
    engine = 'table',
    kernel = new Kernel({ engine }),
  }: {
    /** False where the events before the first are not at hand, until the host boots. */
    readonly isKnown?: boolean;
    readonly engine?: Engine;
    readonly kernel?: Kernel;
  } = {}) {
    super(kernel);
    if (!isKnown) kernel.isKnown = false;
  }

  /** The host of a checkpoint. */
  static restored(saved: KernelCheckpoint): LiveHost {
    return new LiveHost({ kernel: restoreKernel(saved) });
  }

  save(): KernelCheckpoint {
    return saveKernel(this.kernel);
  }

  copy(): LiveHost {
    return LiveHost.restored(this.save());
  }

  /** Takes the next event of the log. */
  take(event: Placed<Fact>): void {
    this.kernel.take(event);
  }

  suppose({ type, data }: Fact, certainty: Certainty): void {
    const position = this.kernel.position + 1;
    const evidence = { source: 'supposed', line: null, certainty };
    this.take({ type, data: { ...data, evidence }, position } as Placed<Fact>);
  }

  /** Whether nobody has seen the host boot. */
  get isAssumed(): boolean {
    return this.kernel.isAssumed;
  }

  get profile(): Profile {
    return this.kernel.profile;
  }

  get rules(): KernelRules {
    return this.kernel.rules;
  }

  get contradictions(): readonly Contradiction[] {
    return this.kernel.contradictions;
  }

  /** Whether a file of a group or of a device of it is open, or anybody but the kernel owns it. */
  isInUse(id: string): boolean {
    const group = this.kernel.group(id);
    if (group === undefined) return false;
    if (group.state === 'container' || group.state === 'iommufd') return true;
    for (const file of this.kernel.files()) {
      if (file.kind === 'group' && file.group === group) return true;
      if (file.kind === 'device' && file.device.group === group) return true;
    }
    return false;
  }

  isOpen(file: FileId): boolean {
    return this.kernel.file(file) !== undefined;
  }

  /** Who holds which file: descriptors and mappings. */
  get processTable(): ProcessTable {
    return this.kernel.processes;
  }

  /** What the last event touched. */
  get touched(): Touched {
    const { groups, devices, files, evicted, unbound } = this.kernel.touched;
    // A file that is evicted may be kept alive, and so not touched; a device that is unbound is.
    if (groups.size + devices.size + files.size + evicted.size === 0) return NOTHING;
    const names = new Set<string>();
    const addresses: string[] = [];
    const ids: FileId[] = [];
    for (const { group } of groups) names.add(group);
    for (const { device, group } of devices) {
      addresses.push(device);
      if (group !== null) names.add(group.group);
    }
    for (const file of files) {
      ids.push(file.id);
      if (file.kind === 'group') names.add(file.group.group);
    }
    return {
      groups: names,
      devices: addresses,
      files: ids,
      evicted: evicted.size === 0 ? NONE : new Set(evicted),
      unbound: unbound.size === 0 ? NONE : new Set(unbound),
    };
  }

  /** See `Kernel.judge`. */
  judge(attempt: Attempt): Refusal | null {
    return this.kernel.judge(attempt);
  }

  /** See `Kernel.judgeAs`. */
  judgeAs(attempt: Attempt, cause: ObservedCause): Refusal | null {
    return this.kernel.judgeAs(attempt, cause);
  }

  /** See `Kernel.objection`. */
  objection(attempt: Attempt): Refusal | null {
    return this.kernel.objection(attempt);
  }

  /** See `Kernel.explain`. */
  explain(refused: DataOf<'operation.refused'>): Explanation {
    return this.kernel.explain(refused);
  }

  /** What the rules of another profile say of an attempt, beside those of the host's own kernel. */
  verdictsUnder(
    profile: Profile,
    attempt: AnsweredAttempt,
    configured: boolean,
  ): { readonly recorded: Verdict; readonly other: Verdict } | null {
    return verdictsUnder(this.kernel, profile, attempt, configured);
  }

  /** What the rules answer to a call as things stand. Nothing happens. */
  answer(call: Call): Answered {
    const question = this.kernel.question(call);
    const refusal = judge(this.kernel.rules, question);
    if (refusal !== null) return { refusal };
    const told = question.events.iommufd;
    const id = question.found ?? (told !== undefined && 'id' in told ? told.id : undefined);
    const hwpt = told?.type === 'device.attached' ? { hwpt: told.attachment.hwpt } : {};
    return { refusal, ...(id !== undefined && { id }), ...hwpt };
  }

  /** What an attempt concerns as things stand. */
  concerned(attempt: Attempt): Concerned {
    const { file, argument, givenGroups, device, group } = this.kernel.question(attempt);
    const files: FileId[] = [];
    for (const one of [file, argument]) if (isOurs(one)) files.push(one.id);
    for (const one of givenGroups ?? []) if (isOurs(one)) files.push(one.id);
    return {
      file: file?.id ?? null,
      argument: argument?.id ?? null,
      files,
      device: device?.device ?? null,
      group: group?.group ?? null,
    };
  }

  /** Whether everything is known of what an attempt is about. */
  knowsAll(attempt: Attempt): boolean {
    return this.kernel.knowsAll(this.kernel.question(attempt));
  }

  /** The group that an attempt is about, where nobody can say who owns it. */
  unknownGroup(attempt: Attempt): PlayedGroup | null {
    const question = this.kernel.question(attempt);
    const group = question.group ?? question.device?.group ?? undefined;
    if (group === undefined || this.kernel.knows({ ...question, group })) return null;
    return groupAt(group);
  }

  /** See `HostState.nextCdev`. */
  nextCdev(driver: string): string | null {
    return this.kernel.nextCdev(driver);
  }

  /** Has what is mapped for DMA be asked for; the log does not say. */
  set mappings(mappings: MappedRanges) {
    this.kernel.mappings = mappings;
  }

  /** The address space that a mapping of a descriptor's file goes to; null where it has none. */
  addressSpace(pid: number, fd: number, ioas: number | null): AddressSpace | null {
    const file = this.kernel.behind(pid, fd);
    return file === undefined ? null : addressSpaceOf(file, ioas);
  }

  /** Whether an address space is there still. */
  hasAddressSpace({ file: id, ioas }: AddressSpace): boolean {
    const file = this.kernel.file(id);
    if (file?.kind === 'iommufd') return file.record.objects.has(ioas ?? 0);
    return file?.kind === 'container' && file.state === 'ready';
  }

  /** Has somebody be told of every event that a machine takes; null ends it. */
  observe(observer: Observer | null): void {
    this.kernel.observer = observer;
  }

  /** Has somebody be told of what processes hold, while an event is taken. */
  takeObserved(event: Placed<Fact>, observer: ProcessObserver): void {
    this.kernel.processes.observer = observer;
    this.kernel.take(event);
    this.kernel.processes.observer = null;
  }

  /** The machines themselves, for tools that look into them: `conformance/`, tests. */
  static machinesOf(host: LiveHost): Kernel {
    return host.kernel;
  }
}

const NONE: ReadonlySet<string> = new Set();
const NOTHING: Touched = {
  groups: NONE,
  devices: [],
  files: [],
  evicted: NONE,
  unbound: NONE,
};

function isOurs(file: OpenFile | undefined): file is OpenFile {
  return file !== undefined && file.kind !== 'other';
}
