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
import { contextOf, Dependence } from './dependence.ts';
import { firstFailing, holds } from './judge.ts';
import type { Kernel } from './kernel.ts';
import { plainCall, wordsOf } from './plain-call.ts';
import { isBeyondJudging } from './operations.ts';
import {
  allOf,
  isAsItWas,
  isInert,
  isTracked,
  mayHaveChanged,
  namesOf,
  NO_FILES,
  ownFiles,
  placeholder,
  restoreFiles,
  saveFiles,
  type OwnFile,
  type OwnFiles,
  type SavedFiles,
} from './own-files.ts';
import { hypotheses, isComplete } from './unshown-arguments.ts';

/**
 * The outcome of a call that is tried again: it passes, it never passes before the next boot, it
 * fails and depends on something, or it cannot be judged on this host from here on (`unsure`).
 */
export type Retried = 'passes' | 'never' | 'unsure' | Dependence;

/** A `KeptCall` as plain data, fit for JSON. */
export interface SavedCall {
  readonly attempt: Attempt;
  readonly cause: ObservedCause;
  readonly files: SavedFiles;
  readonly lacking: Lacking | null;
}

/**
 * A device that is not in the group of a file, a page table that is not in an iommufd, or the
 * caller's own files, which could not be restored.
 */
type Lacking =
  | 'files'
  | { readonly device: string; readonly group: string }
  | { readonly table: number; readonly iommufd: FileId };

export class KeptCall {
  readonly #kernel: Kernel;
  #refused: Attempt;
  readonly #cause: ObservedCause;
  #files: OwnFiles;
  /** The call without the numbers of descriptors, which its files stand for; made when needed. */
  #attempt: Attempt | null = null;
  /** Set if only this decides about the call any more. */
  #lacking: Lacking | null = null;
  #isTried = false;
  /** Null if it has to be made anew. */
  #key: string | null = null;
  /** The container or iommufd, not the caller's own, that the failing check looked at. */
  #context: FileId | null = null;

  private constructor(kernel: Kernel, refused: Attempt, cause: ObservedCause, files: OwnFiles) {
    this.#kernel = kernel;
    this.#refused = refused;
    this.#cause = cause;
    this.#files = files;
  }

  /** Keeps the call of a refusal after its event. */
  static of(kernel: Kernel, refused: Attempt, cause: ObservedCause): KeptCall {
    return new KeptCall(kernel, refused, cause, ownFiles(kernel, refused) ?? NO_FILES);
  }

  static restored(kernel: Kernel, { attempt, cause, files, lacking }: SavedCall): KeptCall {
    const own = restoreFiles(kernel, files);
    const call = new KeptCall(kernel, attempt, cause, own ?? NO_FILES);
    call.#attempt = attempt;
    call.#lacking = own === null ? 'files' : lacking;
    return call;
  }

  save(): SavedCall {
    const files = saveFiles(this.#files);
    return { attempt: this.attempt, cause: this.#cause, files, lacking: this.#lacking };
  }

  private get attempt(): Attempt {
    this.#attempt ??= plainCall(this.#refused, this.#files.on !== null);
    return this.#attempt;
  }

  /** Equal for calls that are refused as long as each other. */
  get key(): string {
    this.#key ??= this.#words();
    return this.#key;
  }

  #words(): string {
    const words = wordsOf(this.#refused, this.#files.on !== null);
    // The cause decides only among the arguments that a call may have had.
    const cause = isComplete(this.#refused) ? '' : this.#cause;
    const lacking = this.#lacking === null ? '' : JSON.stringify(this.#lacking);
    return `${words}${namesOf(this.#files)} ${cause}${lacking}`;
  }

  /** Tries the call again. `event`: the one that the host took last; null if that is not known. */
  retry(event: Placed<Fact> | null): Retried {
    if (this.#lacking !== null) {
      return event !== null && derivesIds(event) ? 'unsure' : this.#lacks(this.#lacking);
    }
    const parted = this.#part();
    if (parted !== null) return parted;
    const { on } = this.#files;
    const isChanged = ({ file, isGone }: OwnFile) => isGone && !isAsItWas(this.#kernel, file);
    if (allOf(this.#files).some(isChanged)) return 'unsure';
    if (on?.isGone !== true) return this.#judged();
    if (event?.type === 'snapshot.taken') return 'unsure';
    const trial = this.#judged();
    // Nothing but the device of a file can change any more.
    return on.file.kind === 'device' || trial === 'passes' ? trial : 'never';
  }

  /**
   * Looks which of the caller's files the host has released by its last event. Null if the call is
   * to be judged on the host as before.
   */
  #part(): Retried | null {
    const { on, groups } = this.#files;
    const parting: OwnFile[] = [];
    for (const own of allOf(this.#files)) {
      if (own.isGone) continue;
      const { id } = own.file;
      // It must have been closed by everybody, the one who would keep it included.
      if (this.#kernel.touched.evicted.has(id)) return 'never';
      if (this.#kernel.file(id) !== undefined || !isTracked(own.file)) continue;
      own.isGone = true;
      this.#key = null;
      parting.push(own);
    }
    if (parting.length === 0) return null;
    if (parting.some(({ file }) => mayHaveChanged(this.#kernel, file))) return 'unsure';
    const question = this.#kernel.question(this.attempt, this.#given());
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
    if (!isComplete(this.attempt) || isBeyondJudging(question, this.attempt)) return null;
    const { checks } = rules.operations[question.call.operation];
    const alone = { ...question, device: undefined, group: undefined };
    const fails = (check: Check) => !holds(rules, check, alone);
    if (checks.some((check) => this.#isLasting(check, alone) && fails(check))) return 'never';
    const isOfOwn = ({ asks }: Check) => ofOwn.has(asks);
    return checks.every(isOfOwn) && !checks.some(fails) ? 'passes' : null;
  }

  /** Whether a check that fails on the caller's own files fails as long as they are open. */
  #isLasting({ asks }: Check, question: Question): boolean {
    const { on } = this.#files;
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

  /** What the call asks for is not there: nothing else counts before it is, not even its files. */
  #lacks(lacking: Lacking): Retried {
    this.#refused = this.attempt;
    this.#files = NO_FILES;
    this.#lacking = lacking;
    this.#key = null;
    if (lacking === 'files') return 'unsure';
    const on = new Dependence();
    if ('table' in lacking) {
      const iommufd = this.#kernel.file(lacking.iommufd);
      if (iommufd?.kind !== 'iommufd') return 'never';
      const isThere = iommufd.record.objects.has(lacking.table);
      on.files.push(lacking.iommufd);
      return isThere ? 'unsure' : on;
    }
    const device = this.#kernel.device(lacking.device);
    const isThere = device !== undefined && device.group?.group === lacking.group;
    on.devices.push(lacking.device);
    return isThere ? 'unsure' : on;
  }

  #given(): Given {
    const { on, argument, groups } = this.#files;
    if (on === null) return {};
    return {
      on: on.file,
      ...(argument && { argument: argument.file }),
      ...(groups.length > 0 && { groups: groups.map(({ file }) => file) }),
    };
  }

  #judged(): Retried {
    const given = this.#given();
    const { attempt } = this;
    const question = this.#kernel.question(attempt, given);
    if (!isComplete(attempt)) {
      const refusal = this.#kernel.judgeAs(attempt, this.#cause, given);
      return refusal === null ? 'passes' : this.#onHypotheses(given);
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
    const { group, device, call } = question;
    switch (asks) {
      case 'group': {
        // What these tell the group follows from other objects as well.
        if (call.operation === 'attach' || call.operation === 'get_device') break;
        const own = this.#onOwn();
        if (group !== undefined) own.groups.push(group.group);
        return own;
      }
      case 'device':
      case 'deviceFile': {
        const own = this.#onOwn();
        if (device !== undefined) own.devices.push(device.device);
        return own;
      }
      case 'groupFile':
        return this.#onOwn();
      case 'descriptor':
        return this.#onOwn().addAll(question);
      case 'call':
      case 'container':
      case 'iommufd': {
        const context = contextOf(question);
        const { on, argument } = this.#files;
        if (context !== on?.file.id && context !== argument?.file.id) this.#context = context;
        return this.#onOwn().addAll(question);
      }
      default:
    }
    return this.#onAll(question);
  }

  #onOwn(): Dependence {
    return Dependence.onOwn(this.attempt, this.#files);
  }

  /** Everything that a question may look at, and the host. */
  #onAll(question: Question): Dependence {
    const all = this.#onOwn().addAll(question);
    all.isOfHost = true;
    return all;
  }

  /** Everything that the questions may look at which the call may have put, and the host. */
  #onHypotheses(given: Given): Dependence {
    const all = this.#onAll(this.#kernel.question(this.attempt, given));
    for (const question of hypotheses(this.#kernel, this.attempt, given)) {
      all.addAll(question);
      const { file } = question;
      if (file !== undefined && this.#kernel.file(file.id) === file) all.files.push(file.id);
    }
    return all;
  }
}

/** Whether the ids of iommufd objects that an event makes follow from those that there are. */
function derivesIds({ type, data }: Placed<Fact>): boolean {
  if (type === 'device.obtained' || type === 'container.set') return true;
  return ('id' in data && data.id === null) || ('hwpt' in data && data.hwpt === null);
}

/** What checks ask that look only at the caller's own files. */
const ofOwn = new Set<Check['asks']>(['descriptor', 'deviceFile', 'groupFile']);
