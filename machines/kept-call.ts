/**
 * A refused call that is tried again after later events, with the files that its caller had open.
 *
 * The caller's own files are taken as still open. While they are open on the host, the call is
 * judged on them, whatever has become of their descriptors. Once the host has released one of them,
 * the host is another than that on which the file is still open. Most such calls can be judged all
 * the same, as the file changes nothing that they depend on; the others are `unsure`.
 *
 * @module
 */
import type { Attempt, Fact, Placed } from '../events/vocabulary.ts';
import type { FileId } from '../processes/process-table.ts';
import type { ObservedCause } from './causes.ts';
import type { Check, Question } from './check.ts';
import type { Given } from './concerns.ts';
import { otherFile, type Device, type OpenFile } from './instances.ts';
import { firstFailing, holds } from './judge.ts';
import type { Kernel } from './kernel.ts';
import { isBeyondJudging } from './operations.ts';
import { isComplete } from './unshown-arguments.ts';

/**
 * What a call that fails depends on, by name. It cannot pass before the host changes one of these.
 * - `groups`: groups whose own state counts
 * - `members`: groups of which any device counts
 * - `files`: own files, and containers and iommufds
 * - `pid`: the process whose descriptors it names, if they are not kept
 * - `isOfHost`: whether driver changes, plugged devices and readings of the host count
 * - `isOfProcesses`: whether the names of processes count
 * - `isOfAnything`: whether every event counts
 */
export interface Dependence {
  readonly groups: readonly string[];
  readonly members: readonly string[];
  readonly devices: readonly string[];
  readonly files: readonly FileId[];
  readonly pid: number | null;
  readonly isOfHost: boolean;
  readonly isOfProcesses: boolean;
  readonly isOfAnything: boolean;
}

/**
 * The outcome of a call that is tried again: it passes, it never passes before the next boot, it
 * fails and depends on something, or it cannot be judged on this host from here on (`unsure`).
 */
export type Trial = 'passes' | 'never' | 'unsure' | Dependence;

/** One of the caller's own files. */
interface OwnFile {
  file: OpenFile;
  /** Whether the host has released it. */
  isGone: boolean;
}

/** An open file by its id; of one that is gone its kind, and of a device's file the device. */
type SavedFile =
  | FileId
  | { readonly kind: 'device'; readonly device: string }
  | { readonly kind: 'iommufd' | 'container' };

/** A `KeptCall` as plain data, fit for JSON. */
export interface SavedCall {
  readonly attempt: Attempt;
  readonly cause: ObservedCause;
  readonly on: SavedFile | null;
  readonly argument: SavedFile | null;
  readonly groups: readonly SavedFile[];
  readonly lacking: Lacking | null;
}

/** A device that is not in the group of a file, or a page table that is not in an iommufd. */
type Lacking =
  | { readonly device: string; readonly group: string }
  | { readonly table: number; readonly iommufd: FileId };

/** For a file that is gone. No file has this id, and no owner. */
const GONE: FileId = 'f-';

interface Kept {
  readonly on: OwnFile | null;
  readonly argument: OwnFile | null;
  readonly groups: readonly OwnFile[];
}

export class KeptCall {
  readonly #kernel: Kernel;
  readonly #attempt: Attempt;
  readonly #cause: ObservedCause;
  readonly #kept: Kept;
  /** Set if only this decides about the call any more. */
  #lacking: Lacking | null = null;
  #isTried = false;
  /** The container or iommufd, not the caller's own, that the failing check looked at. */
  #context: FileId | null = null;

  private constructor(kernel: Kernel, attempt: Attempt, cause: ObservedCause, kept: Kept) {
    this.#kernel = kernel;
    this.#attempt = attempt;
    this.#cause = cause;
    this.#kept = kept;
  }

  /** Keeps the call of a refusal after its event. */
  static of(kernel: Kernel, refused: Attempt, cause: ObservedCause): KeptCall {
    const {
      errno: _,
      cause: _cause,
      evidence: _evidence,
      cloexec: _cloexec,
      ...call
    } = refused as Attempt & Record<string, unknown>;
    const attempt = call as unknown as Attempt;
    const own = ownFiles(kernel, attempt);
    if (own !== null) return new KeptCall(kernel, withoutNumbers(attempt), cause, own);
    const nothing = { on: null, argument: null, groups: [] };
    return new KeptCall(kernel, withoutProcess(attempt), cause, nothing);
  }

  static restored(kernel: Kernel, saved: SavedCall): KeptCall {
    const { attempt, cause, on, argument, groups } = saved;
    const own = (file: SavedFile): OwnFile => restoredFile(kernel, file);
    const call = new KeptCall(kernel, attempt, cause, {
      on: on === null ? null : own(on),
      argument: argument === null ? null : own(argument),
      groups: groups.map(own),
    });
    call.#lacking = saved.lacking;
    return call;
  }

  save(): SavedCall {
    const { on, argument, groups } = this.#kept;
    return {
      attempt: this.#attempt,
      cause: this.#cause,
      on: on && savedFile(on),
      argument: argument && savedFile(argument),
      groups: groups.map(savedFile),
      lacking: this.#lacking,
    };
  }

  /** Equal for calls that are refused as long as each other. */
  get key(): string {
    const { cause, ...saved } = this.save();
    // The cause decides only among the arguments that a call may have had.
    return JSON.stringify(isComplete(this.#attempt) ? saved : { ...saved, cause });
  }

  /** Tries the call again. `event`: the one that the host took last; null if that is not known. */
  retry(event: Placed<Fact> | null): Trial {
    if (this.#lacking !== null) {
      return event !== null && derivesIds(event) ? 'unsure' : this.#lacks(this.#lacking);
    }
    const parted = this.#part();
    if (parted !== null) return parted;
    const { on } = this.#kept;
    if (on?.isGone !== true) return this.#judged();
    const isReading = event?.type === 'snapshot.taken';
    if (isReading || !isAsItWas(this.#kernel, on.file)) return 'unsure';
    const trial = this.#judged();
    // Nothing but the device of a file can change any more.
    return on.file.kind === 'device' || trial === 'passes' ? trial : 'never';
  }

  /**
   * Looks which of the caller's files the host has released by its last event. Null if the call is
   * to be judged on the host as before.
   */
  #part(): Trial | null {
    const { on, argument, groups } = this.#kept;
    const parting: OwnFile[] = [];
    for (const own of [on, argument, ...groups]) {
      if (own === null || own.isGone) continue;
      const { id } = own.file;
      // It must have been closed by everybody, the one who would keep it included.
      if (this.#kernel.touched.evicted.has(id)) return 'never';
      if (this.#kernel.file(id) !== undefined || !isTracked(own.file)) continue;
      own.isGone = true;
      parting.push(own);
    }
    if (parting.length === 0) return null;
    const question = this.#kernel.question(this.#attempt, this.#given());
    const settled = this.#ofItself(question);
    if (settled !== null) return settled;
    if (on?.isGone === true && this.#context !== null) {
      const context = this.#kernel.file(this.#context);
      // What only the gone file keeps alive stays as it is.
      if (context === undefined) return 'never';
      const { call } = question;
      if (call.operation === 'attach') return this.#lacks({ table: call.pt, iommufd: context.id });
    }
    if (parting.every(({ file }) => isInert(this.#kernel, file))) {
      for (const own of parting) own.file = placeholder(own.file);
      return groups.some(({ isGone }) => isGone) ? 'unsure' : null;
    }
    const { call, file } = question;
    if (call.operation !== 'get_device' || file?.kind !== 'group') return 'unsure';
    return this.#lacks({ device: call.device, group: file.group.group });
  }

  /** The outcome, if it follows from the caller's own files; otherwise null. */
  #ofItself(question: Question): 'passes' | 'never' | null {
    const { rules } = this.#kernel;
    if (!isComplete(this.#attempt) || isBeyondJudging(question, this.#attempt)) return null;
    const { checks } = rules.operations[question.call.operation];
    const alone = { ...question, device: undefined, group: undefined };
    const fails = (check: Check) => !holds(rules, check, alone);
    if (checks.some((check) => this.#isLasting(check, alone) && fails(check))) return 'never';
    const isOfOwn = ({ asks }: Check) => ofOwn.has(asks);
    return checks.every(isOfOwn) && !checks.some(fails) ? 'passes' : null;
  }

  /** Whether a check that fails on the caller's own files fails as long as they are open. */
  #isLasting({ asks }: Check, question: Question): boolean {
    const { on } = this.#kept;
    if (on === null) return false;
    const { file } = on;
    const context = question.iommufd ?? question.container;
    switch (asks) {
      case 'descriptor':
        return true;
      case 'deviceFile':
        return on.isGone || (file.kind === 'device' && file.state !== 'unbound');
      case 'groupFile':
        return on.isGone || (file.kind === 'group' && file.state === 'dead');
      case 'container':
      case 'iommufd':
        return on.isGone && context === file;
      case 'call':
        return context === undefined ? file.kind !== 'device' : on.isGone && context === file;
      default:
        return false;
    }
  }

  /** What the call asks for is not there: nothing else counts before it is. */
  #lacks(lacking: Lacking): Trial {
    this.#lacking = lacking;
    if ('table' in lacking) {
      const iommufd = this.#kernel.file(lacking.iommufd);
      if (iommufd?.kind !== 'iommufd') return 'never';
      const isThere = iommufd.record.objects.has(lacking.table);
      return isThere ? 'unsure' : { ...nothing, files: [lacking.iommufd] };
    }
    const device = this.#kernel.device(lacking.device);
    const isThere = device !== undefined && device.group?.group === lacking.group;
    return isThere ? 'unsure' : { ...nothing, devices: [lacking.device] };
  }

  #given(): Given {
    const { on, argument, groups } = this.#kept;
    if (on === null) return {};
    return {
      on: on.file,
      ...(argument && { argument: argument.file }),
      ...(groups.length > 0 && { groups: groups.map(({ file }) => file) }),
    };
  }

  #judged(): Trial {
    const given = this.#given();
    const attempt = this.#attempt;
    const question = this.#kernel.question(attempt, given);
    if (!isComplete(attempt)) {
      const refusal = this.#kernel.judgeAs(attempt, this.#cause, given);
      return refusal === null ? 'passes' : this.#onAll(question, true);
    }
    if (isBeyondJudging(question, attempt)) return 'passes';
    const failed = firstFailing(this.#kernel.rules, question);
    if (failed === undefined) return 'passes';
    this.#context = null;
    // That the files are of the wrong kind shows at once.
    const isFirst = !this.#isTried;
    this.#isTried = true;
    if (isFirst && this.#ofItself(question) === 'never') return 'never';
    return this.#on(question, failed);
  }

  /** What a failing check depends on. */
  #on(question: Question, { asks }: Check): Dependence {
    const own = this.#onOwn();
    const { group, device, call } = question;
    switch (asks) {
      case 'group':
        // What these tell the group follows from other objects as well.
        if (call.operation === 'attach' || call.operation === 'get_device') {
          return this.#onAll(question, true);
        }
        return { ...own, groups: group === undefined ? [] : [group.group] };
      case 'device':
      case 'deviceFile':
        return device === undefined ? own : { ...own, devices: [...own.devices, device.device] };
      case 'groupFile':
        return own;
      case 'descriptor':
        return this.#onAll(question, false);
      case 'host':
        return this.#onAll(question, true);
      default: {
        const all = this.#onAll(question, false);
        const context = contextOf(question);
        const { on, argument } = this.#kept;
        if (context !== on?.file.id && context !== argument?.file.id) this.#context = context;
        return all;
      }
    }
  }

  /**
   * What every check depends on: the caller's own files, or the process if they are not kept, and
   * the device that the call names.
   */
  #onOwn(): Dependence {
    const { on, argument, groups } = this.#kept;
    const attempt = this.#attempt;
    const files = [on, argument, ...groups].flatMap((own) =>
      own === null || own.isGone ? [] : [own.file.id],
    );
    const pid = on === null && 'pid' in attempt && attempt.pid >= 0 ? attempt.pid : null;
    const devices = named(attempt, 'device');
    if (on?.isGone !== true || on.file.kind !== 'device') {
      return { ...nothing, files, pid, devices };
    }
    return { ...nothing, files, devices: [...devices, on.file.device.device], isOfHost: true };
  }

  /** Everything that a question may look at. */
  #onAll(question: Question, isOfHost: boolean): Dependence {
    const { call, device, group } = question;
    const own = this.#onOwn();
    const context = contextOf(question);
    const groups = new Set(named(call, 'group'));
    if (group !== undefined) groups.add(group.group);
    if (device?.group != null) groups.add(device.group.group);
    return {
      ...own,
      groups: [...groups],
      members: [...groups],
      devices: device === undefined ? own.devices : [...own.devices, device.device],
      files: context === null ? own.files : [...own.files, context],
      isOfHost: own.isOfHost || isOfHost,
      isOfProcesses: 'comm' in call,
    };
  }
}

function contextOf({ iommufd, container }: Question): FileId | null {
  return (iommufd ?? container)?.id ?? null;
}

/** Whether the ids of iommufd objects that an event makes follow from those that there are. */
function derivesIds({ type, data }: Placed<Fact>): boolean {
  if (type === 'device.obtained' || type === 'container.set') return true;
  return ('id' in data && data.id === null) || ('hwpt' in data && data.hwpt === null);
}

/** Whether the host knows when the file is released. */
function isTracked(file: OpenFile): boolean {
  return file.kind !== 'other' || file.path !== file.id;
}

/** What checks ask that look only at the caller's own files. */
const ofOwn = new Set<Check['asks']>(['descriptor', 'deviceFile', 'groupFile']);

const nothing: Dependence = {
  groups: [],
  members: [],
  devices: [],
  files: [],
  pid: null,
  isOfHost: false,
  isOfProcesses: false,
  isOfAnything: false,
};

/** The dependence of a call that the rules do not refuse: the next event decides. */
export const ANYTHING: Dependence = { ...nothing, isOfAnything: true };

function named(call: object, key: 'group' | 'device'): string[] {
  const { [key]: name } = call as { readonly [k in typeof key]?: unknown };
  return typeof name === 'string' ? [name] : [];
}

/** The files of a call; null if it names none, or a descriptor that is not open. */
function ownFiles(kernel: Kernel, attempt: Attempt): Kept | null {
  if (!('fd' in attempt) || attempt.fd === null) return null;
  const { pid } = attempt;
  const own = (fd: number): OwnFile | null => {
    const file = kernel.behind(pid, fd);
    return file === undefined ? null : { file, isGone: false };
  };
  const given =
    'iommufd' in attempt ? attempt.iommufd : 'container' in attempt ? attempt.container : null;
  const on = own(attempt.fd);
  const argument = given === null ? null : own(given);
  const groups = 'groups' in attempt ? (attempt.groups ?? []).map(own) : [];
  if (on === null || (given !== null && argument === null)) return null;
  const open = groups.filter((file) => file !== null);
  return open.length < groups.length ? null : { on, argument, groups: open };
}

/** The call without its process and the numbers of descriptors, which its files stand for. */
function withoutNumbers(attempt: Attempt): Attempt {
  const zero = (value: unknown) => (Array.isArray(value) ? value.map(() => 0) : value && 0);
  const entries = Object.entries(attempt).map(([key, value]) => [
    key,
    descriptors.has(key) ? zero(value) : value,
  ]);
  return Object.fromEntries(entries) as Attempt;
}

const descriptors = new Set(['pid', 'fd', 'iommufd', 'container', 'groups']);

/** The call without its process, where it names no descriptor of it. */
function withoutProcess(attempt: Attempt): Attempt {
  const isOfIt = 'fd' in attempt || ('path' in attempt && attempt.path.startsWith('/proc/'));
  return isOfIt || !('pid' in attempt) ? attempt : { ...attempt, pid: -1 };
}

/** Whether a file that the host has released would change nothing if it were still open. */
function isInert(kernel: Kernel, file: OpenFile): boolean {
  if (file.kind === 'device') return file.state === 'unbound' && isAsItWas(kernel, file);
  return file.kind === 'iommufd' || file.kind === 'container' || file.kind === 'other';
}

/**
 * Whether an open file of a device, which is not bound, would have changed nothing so far: it
 * delays the unbind of the driver.
 */
function isAsItWas(kernel: Kernel, file: OpenFile): boolean {
  if (file.kind !== 'device') return true;
  const { device } = file;
  const isLeft = device.state === 'absent' || device.state === 'leaving';
  const { driverChange } = kernel;
  return kernel.device(device.device) === device && !isLeft && driverChange?.device !== device;
}

/** A file that stands for all files that are gone and as good. */
function placeholder(file: OpenFile): OpenFile {
  return { ...file, id: GONE, pins: new Set(), pinnedBy: new Set() };
}

function savedFile({ file, isGone }: OwnFile): SavedFile {
  if (!isGone) return file.id;
  if (file.kind === 'device') return { kind: file.kind, device: file.device.device };
  return { kind: file.kind as 'iommufd' | 'container' };
}

function restoredFile(kernel: Kernel, saved: SavedFile): OwnFile {
  if (typeof saved === 'string') {
    return { file: kernel.file(saved) ?? otherFile(saved, saved), isGone: false };
  }
  const base = { id: GONE, pins: new Set<FileId>(), pinnedBy: new Set<FileId>() };
  if (saved.kind !== 'device') {
    return {
      file: { ...base, kind: saved.kind, ...kernel.fresh(saved.kind) } as OpenFile,
      isGone: true,
    };
  }
  const device = kernel.device(saved.device) as Device;
  const file: OpenFile = { ...base, kind: 'device', device, ...kernel.fresh('deviceFile') };
  return { file, isGone: true };
}
