/**
 * `LiveHost`: a host that takes events, is judged by the rules, and is read as a `HostAt`. Code
 * outside of the machines uses it in the place of `Kernel`.
 *
 * @module
 */
import type { Attempt, Call, Certainty, DataOf, Fact, Placed } from '../events/vocabulary.ts';
import type { FileId, ProcessObserver, ProcessTable } from '../processes/process-table.ts';
import type { ObservedCause } from './causes.ts';
import type { Question } from './check.ts';
import { restoreKernel, saveKernel, type KernelCheckpoint } from './checkpoint.ts';
import { addressSpaceOf, type Observer, type OpenFile } from './instances.ts';
import type { AddressSpace, MappedRanges, PlayedGroup, SupposedHost } from './host-at.ts';
import type { Contradiction } from './contradiction.ts';
import { hasUnseenCheck, isFatal, judge, type Explanation, type Refusal } from './judge.ts';
import { KeptCall, type SavedCall } from './kept-call.ts';
import { Kernel } from './kernel.ts';
import type { MachineEngine, KernelRules } from './machines.ts';
import { pageTableIn } from './iommufd.ts';
import { isBeyondJudging } from './operations.ts';
import { isOfMemory, outsideCauses } from './outside-refusals.ts';
import { verdictsUnder, type AnsweredAttempt, type Verdict } from './other-profile.ts';
import type { Passed } from '../operations/row.ts';
import { groupAt } from './plain.ts';
import { PlayedHost } from './played-host.ts';
import type { Profile } from './profile.ts';
import { isFileShown } from './unshown-arguments.ts';

/** What an attempt concerns, by id; null where it concerns none, or one that is not known. */
export interface Concerned {
  /** The file that it operates on, and the file behind its descriptor argument. */
  readonly file: FileId | null;
  readonly argument: FileId | null;
  /** Both, and the groups given for a hot reset; only files of VFIO and iommufd. */
  readonly files: readonly FileId[];
  readonly device: string | null;
  readonly group: string | null;
}

/** The answer of the rules to a call: a refusal, or its results besides descriptors. */
export interface Answered extends Pick<Passed, 'id' | 'hwpt' | 'isFirstMap' | 'isFatal'> {
  readonly refusal: Refusal | null;
}

/** What the last event changed, by id, including what is gone by now. */
interface Touched {
  readonly groups: ReadonlySet<string>;
  readonly devices: readonly string[];
  readonly files: readonly FileId[];
  /** Files that must have been closed without a record: else the event could not have passed. */
  readonly evicted: ReadonlySet<FileId>;
  /** Devices whose kernel driver must have been unbound likewise. */
  readonly unbound: ReadonlySet<string>;
}

/** What the last event changed: the instances whose machine took an event, and evicted files. */
export interface MovedInstances {
  readonly groups: ReadonlySet<{ readonly group: string }>;
  readonly devices: ReadonlySet<{
    readonly device: string;
    readonly group: { readonly group: string } | null;
  }>;
  readonly files: ReadonlySet<{ readonly id: FileId }>;
  readonly contexts: ReadonlySet<FileId>;
  readonly evicted: ReadonlySet<FileId>;
}

export class LiveHost extends PlayedHost implements SupposedHost {
  constructor({
    isKnown = true,
    engine = 'table',
    kernel = new Kernel({ engine }),
  }: {
    /** False if the log's first events are missing; true from `host.booted` on. */
    readonly isKnown?: boolean;
    readonly engine?: MachineEngine;
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

  get profile(): Profile {
    return this.kernel.profile;
  }

  get rules(): KernelRules {
    return this.kernel.rules;
  }

  get contradictions(): readonly Contradiction[] {
    return this.kernel.contradictions;
  }

  /** Whether a file of the group or of its devices is open, or a container or iommufd owns it. */
  isInUse(id: string): boolean {
    const group = this.kernel.group(id);
    if (group === undefined) return false;
    const isOwned = group.state === 'container' || group.state === 'iommufd';
    return isOwned || this.kernel.openFiles.hasAnyOf(group);
  }

  isOpen(file: FileId): boolean {
    return this.kernel.file(file) !== undefined;
  }

  /** The processes, with the files that they hold by descriptors and mappings. */
  get processTable(): ProcessTable {
    return this.kernel.processes;
  }

  /** What the last event changed. */
  get touched(): Touched {
    const { groups, devices, files, evicted, unbound } = this.kernel.touched;
    // An evicted file may be pinned and so not be in `files`; an unbound device is always in
    // `devices`.
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

  /** What the last event changed, as the machines' own sets, which the next event changes. */
  get moved(): MovedInstances {
    return this.kernel.touched;
  }

  /** Keeps the call of a refusal that the host took last, to try it again after later events. */
  keep(refused: Attempt, cause: ObservedCause): KeptCall {
    return KeptCall.of(this.kernel, refused, cause);
  }

  keepAgain(saved: SavedCall): KeptCall {
    return KeptCall.restored(this.kernel, saved);
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

  /** Judges an attempt by another profile and by the host's own (`verdictsUnder`). */
  verdictsUnder(
    profile: Profile,
    attempt: AnsweredAttempt,
    configured: boolean,
  ): { readonly recorded: Verdict; readonly other: Verdict } | null {
    return verdictsUnder(this.kernel, profile, attempt, configured);
  }

  /** Answers a call by the rules in the current state. The state does not change. */
  answer(call: Call): Answered {
    const question = this.kernel.question(call);
    const refusal = judge(this.kernel.rules, question);
    if (refusal !== null) return { refusal };
    if (isFatal(this.kernel.rules, question)) return { refusal, isFatal: true };
    const told = question.events.iommufd;
    const id = question.found ?? (told !== undefined && 'id' in told ? told.id : undefined);
    const first = told?.type === 'mapper.noted' ? { isFirstMap: true } : {};
    return { refusal, id, hwpt: pageTableIn(told), ...first };
  }

  /** What an attempt concerns in the current state. */
  concerned(attempt: Attempt): Concerned {
    return concernedBy(this.kernel.question(attempt));
  }

  /** What the next event of the log concerns as an attempt; null if it is none. */
  concernedBy(event: Placed<Fact>): Concerned | null {
    const question = this.kernel.asked(event);
    return question === null ? null : concernedBy(question);
  }

  /**
   * Whether a refusal can contradict the rules: the evidence shows its file, enough is known of the
   * group and the file to judge it, and nothing can have refused it instead that is outside of the
   * rules or that the log does not hold.
   */
  canContradict(refused: DataOf<'operation.refused'>): boolean {
    const { operation, errno } = refused;
    if (!isFileShown(refused) || isOfMemory(refused)) return false;
    const isUnseen = errno !== null && hasUnseenCheck(this.rules, operation, errno);
    if (isUnseen && this.judge(refused) === null) return false;
    const question = this.kernel.question(refused);
    if (question.file?.isFound === true || question.argument?.isFound === true) return false;
    if (isBeyondJudging(question, refused)) return false;
    const isOpen = this.kernel.isAssumed || question.group?.isInDoubt === true;
    if (!isOpen) return true;
    const isFileKnown = !('fd' in refused) || question.file !== undefined;
    if (!isFileKnown || !this.kernel.knowsAll(question)) return false;
    // A driver is asked after all checks.
    const isOutside = outsideCauses(operation, errno).length > 0;
    return !isOutside || this.judge(refused) !== null;
  }

  /** The group that an attempt concerns, if its owner is unknown; otherwise null. */
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

  /** Sets the DMA mappings that checks look at; the log does not hold them. */
  set mappings(mappings: MappedRanges) {
    this.kernel.mappings = mappings;
  }

  /** The DMA address space of a descriptor's file; null if the descriptor is not open. */
  addressSpace(pid: number, fd: number, ioas: number | null): AddressSpace | null {
    const file = this.kernel.behind(pid, fd);
    return file === undefined ? null : addressSpaceOf(file, ioas);
  }

  /** Whether a DMA address space still exists. */
  hasAddressSpace({ file: id, ioas }: AddressSpace): boolean {
    const file = this.kernel.file(id);
    if (file?.kind === 'iommufd') return file.record.objects.has(ioas ?? 0);
    return file?.kind === 'container' && file.state === 'ready';
  }

  /** Calls the observer for every event that a machine takes; null ends it. */
  observe(observer: Observer | null): void {
    this.kernel.observer = observer;
  }

  /** Takes an event, and tells the observer which files processes come to hold and to drop. */
  takeObserved(event: Placed<Fact>, observer: ProcessObserver): void {
    this.kernel.processes.observer = observer;
    this.kernel.take(event);
    this.kernel.processes.observer = null;
  }

  /** The machines themselves, for tools that inspect them: `conformance/`, tests. */
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

function concernedBy({ file, argument, givenGroups, device, group }: Question): Concerned {
  const files: FileId[] = [];
  if (isOurs(file)) files.push(file.id);
  if (isOurs(argument)) files.push(argument.id);
  for (const one of givenGroups ?? []) if (isOurs(one)) files.push(one.id);
  return {
    file: file?.id ?? null,
    argument: argument?.id ?? null,
    files,
    device: device?.device ?? null,
    group: group?.group ?? null,
  };
}

function isOurs(file: OpenFile | undefined): file is OpenFile {
  return file !== undefined && file.kind !== 'other';
}
