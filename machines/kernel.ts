/**
 * A host as its kernel sees it: takes events, moves the machines, judges and explains attempts.
 *
 * Events are taken in the order of the log. What an event implies (the release of a file that
 * nothing holds any more, the end of an unbind that waited for it) is derived here and in
 * `consequences.ts`, never read from the log.
 *
 * @module
 */
import { certaintyOf } from '../events/evidence.ts';
import type { Attempt, DataOf, Fact, Placed } from '../events/vocabulary.ts';
import { fileOpenedBy, type FileId } from '../processes/process-table.ts';
import { machineNames, type MachineName } from './admission.ts';
import { callOf, rowOf } from '../operations/table.ts';
import { addressSpaceEndedBy, effectOf } from '../processes/effects.ts';
import { evict } from './incomplete-evidence.ts';
import { changeHost } from './host-changes.ts';
import type { ObservedCause } from './causes.ts';
import type { Question } from './check.ts';
import { explainRefused } from './explanation.ts';
import type { Given } from './concerns.ts';
import type { ContradictionReason } from './contradiction.ts';
import {
  groupPath,
  otherFile,
  type DeviceFile,
  type GroupFile,
  type OpenFile,
} from './instances.ts';
import { completed, hypotheses, isComplete, isFileShown } from './unshown-arguments.ts';
import { HostState } from './host-state.ts';
import { judge, objection, type Explanation, type Refusal } from './judge.ts';
import { isBeyondJudging, questionOf } from './operations.ts';
import { UNSHOWN } from './unshown.ts';
import { endUnbinds, release } from './consequences.ts';

/** A host that takes events. Code outside of `machines/` sees it as a `LiveHost`. */
export class Kernel extends HostState {
  /** The next event and its question, from `asked` until an event is taken. */
  #next: { readonly event: Placed<Fact>; readonly question: Question | null } | null = null;

  /**
   * Judges an attempt in the current state. Null if it is admitted, or may be for some value of
   * what the evidence does not show. If every value is refused, the refusal of the first one.
   */
  judge(attempt: Attempt): Refusal | null {
    return this.#refusalOf(attempt, (question) => judge(this.rules, question));
  }

  /** As `judge`, for an attempt that was observed to pass (`objection` in `judge.ts`). */
  objection(attempt: Attempt): Refusal | null {
    return this.#refusalOf(attempt, (question) => objection(this.rules, question));
  }

  /**
   * As `judge`, for an attempt that was refused for a known cause: the first refusal with that
   * cause, among the arguments that it may have had. `given`: files in the place of those behind
   * its descriptors.
   */
  judgeAs(attempt: Attempt, cause: ObservedCause, given?: Given): Refusal | null {
    const ask = (question: Question) => judge(this.rules, question);
    if (!isComplete(attempt)) {
      const answers = hypotheses(this, attempt, given).map(ask);
      const found = answers.find((answer) => answer?.cause === cause);
      if (found != null) return found;
    }
    return this.#refusalOf(attempt, ask, given);
  }

  #refusalOf(
    attempt: Attempt,
    ask: (question: Question) => Refusal | null,
    given?: Given,
  ): Refusal | null {
    const question = this.question(attempt, given);
    if (isBeyondJudging(question, attempt)) return null;
    if (isComplete(attempt)) return ask(question);
    // The file's open may not have been recorded.
    if (this.isAssumed && !isFileShown(attempt)) return null;
    const answers = hypotheses(this, attempt, given).map((asked) =>
      isBeyondJudging(asked, attempt) ? null : ask(asked),
    );
    return answers.includes(null) ? null : (answers[0] ?? null);
  }

  /** Explains a recorded refusal in the current state. */
  explain(refused: DataOf<'operation.refused'>): Explanation {
    return explainRefused(this, refused);
  }

  /** Whether the host and the owner of the group are known well enough to judge a question. */
  knows({ group }: Question): boolean {
    return this.isKnown && group?.unknownSince == null;
  }

  /** As `knows`, and the group of the device is known, too. */
  knowsAll(question: Question): boolean {
    return this.knows(question) && question.device?.group !== null;
  }

  /** The question that an attempt puts in the current state. */
  question(attempt: Attempt, given?: Given): Question {
    const { event, question = null } = this.#next ?? {};
    if (event?.data === attempt && question !== null && given === undefined) return question;
    return questionOf(this, completed(attempt), given);
  }

  /**
   * The question that the next event of the log puts: that of the call that passed or was refused.
   * Null if it is no call. It is looked up once, however often it is asked for before `take`.
   */
  asked(event: Placed<Fact>): Question | null {
    if (this.#next?.event !== event) this.#next = { event, question: this.#lookUp(event) };
    return this.#next.question;
  }

  #lookUp(event: Placed<Fact>): Question | null {
    if (event.type === 'operation.refused') return questionOf(this, completed(event.data));
    const called = callOf(event);
    if (called === null) return null;
    const { id, hwpt } = called.passed;
    const opened = fileOpenedBy(event);
    const given = opened === null ? { id, hwpt } : { id, hwpt, file: opened };
    return questionOf(this, completed(called.call), given);
  }

  /** Takes the next event of the log; one that the rules do not admit becomes a contradiction. */
  take(event: Placed<Fact>): void {
    this.position = event.position;
    this.forgetTouched();
    this.certainty = certaintyOf(event);
    this.processes.event = event;
    if (this.isAssumed) this.#evictFor(event);
    // Looked up before the process table changes: the call saw the descriptors as they were.
    const question = event.type === 'operation.refused' ? null : this.asked(event);
    this.#next = null;
    const unheld = this.processes.take(event);
    this.#endAddressSpace(event);
    if (question === null) changeHost(this, event);
    else this.#happen(event, question, fileOpenedBy(event));
    for (const id of unheld) release(this, id);
  }

  /** Tells the iommufds that have noted the address space which an event ends, if it ends one. */
  #endAddressSpace(event: Fact): void {
    const pid = addressSpaceEndedBy(event);
    if (pid === null) return;
    for (const id of this.openFiles.mappedBy(pid)) {
      const file = this.file(id);
      if (file?.kind === 'iommufd') this.put('iommufd', file, { type: 'mapper.gone', pid });
    }
    this.openFiles.forgetMapper(pid);
  }

  /** The boot was not recorded: files that would have blocked a call that passed are evicted. */
  #evictFor(event: Placed<Fact>): void {
    this.#next = null;
    const called = callOf(event);
    if (called !== null) evict(this, called.call);
  }

  /** A call passed: every machine that it concerns takes its event, or none does. */
  #happen(event: Placed<Fact>, question: Question, opened: FileId | null): void {
    const reason = this.#against(event, question);
    const { group, device, leavesDoubt = false } = question;
    if (reason !== null) {
      this.contradict(reason, group ?? device?.group ?? null);
      if (reason.kind === 'other-group' && device?.group) this.doubt(device.group);
      if (opened !== null) this.addFile(otherFile(opened, pathOf(event)));
      return;
    }
    for (const name of machineNames) {
      const [told, instance] = [question.events[name], question[name]];
      if (told === undefined || instance === undefined) continue;
      this.put(name, instance, told);
      if (setsState.has(told.type) && 'isFound' in instance) instance.isFound = false;
    }
    if (opened !== null) this.#open(event, opened, question);
    this.#hold(question);
    const { iommufd, events } = question;
    const { iommufd: told } = events;
    if (told?.type === 'mapper.noted' && iommufd !== undefined) {
      this.openFiles.noteMapper(told.pid, iommufd.id);
    }
    if (leavesDoubt && group !== undefined) this.doubt(group);
  }

  /** Why a call cannot have passed as the host is known; null if it can. */
  #against({ type }: Placed<Fact>, question: Question): ContradictionReason | null {
    if (isWithoutContext(question)) return { kind: 'no-context', event: type };
    const { device, groupFile, group } = question;
    const other = groupFile === undefined ? null : (device?.group ?? null);
    if (device !== undefined && group !== undefined && other !== null && other !== group) {
      const [seen, expected] = [group.group, other.group];
      return { kind: 'other-group', device: device.device, seen, expected };
    }
    const machine = this.#refusing(question);
    if (machine === null) return null;
    return { kind: 'not-admitted', machine, state: question[machine]?.state, event: type };
  }

  /** The first machine that does not admit its event; null if all do. */
  #refusing(question: Question): MachineName | null {
    for (const name of machineNames) {
      const [told, instance] = [question.events[name], question[name]];
      if (told === undefined || instance === undefined) continue;
      if (!this.admits(name, instance, told)) return name;
    }
    return null;
  }

  /** Pins the context that a call gave to a file, or releases the one that it took away. */
  #hold({ call, groupFile, deviceFile, container, iommufd }: Question): void {
    const { context } = rowOf(call.operation);
    const [file, given] = [groupFile ?? deviceFile, container ?? iommufd];
    if (context === 'given' && file && given) this.pin(file, given);
    if (context !== 'taken' || file === undefined) return;
    for (const kept of this.unpin(file)) release(this, kept);
    if (file.kind === 'group') endUnbinds(this, file.group);
  }

  #open({ type, data }: Placed<Fact>, id: FileId, question: Question): void {
    const found = this.isAssumed && this.certainty !== 'observed' ? { isFound: true } : {};
    const opened = { id, pins: new Set<FileId>(), pinnedBy: new Set<FileId>(), ...found };
    const { device, group, groupFile } = question;
    const { opens } = effectOf(type);
    if (opens === 'container' || opens === 'iommufd') {
      this.addFile({ ...opened, kind: opens, ...this.fresh(opens) } as OpenFile);
    } else if (opens === 'group' && group !== undefined) {
      this.addFile({ ...opened, kind: opens, group, ...this.fresh('groupFile') });
    } else if (opens === 'device' && device !== undefined) {
      const file: DeviceFile = { ...opened, kind: opens, device, ...this.fresh('deviceFile') };
      this.addFile(file);
      if (groupFile !== undefined) this.#grant(file, groupFile);
    } else {
      if (opens !== 'path') this.contradict({ kind: 'no-node', event: type });
      this.addFile(otherFile(id, pathOf({ type, data } as Placed<Fact>)));
    }
  }

  /**
   * A device's file got from a group keeps the group's file alive, or the iommufd of the device.
   */
  #grant(file: DeviceFile, groupFile: GroupFile): void {
    this.put('deviceFile', file, { type: 'file.granted' });
    const { iommufd } = file.device.record;
    const kept = iommufd === null ? groupFile : this.file(iommufd);
    if (kept !== undefined) this.pin(file, kept);
  }
}

/** Events after which the state of a file is known, whatever it was before. */
const setsState = new Set(['container.set', 'container.unset', 'device.bound', 'iommu.set']);

/** The path of an opened file that no machine takes. */
function pathOf({ type, data }: Placed<Fact>): string {
  if (effectOf(type).opens === 'group' && 'group' in data) return groupPath(String(data.group));
  return 'path' in data ? data.path : type;
}

/** Whether the context that a call gave to a file is not open, or is no context at all. */
function isWithoutContext({ call, deviceFile, groupFile, container, iommufd }: Question): boolean {
  const { context, descriptors } = rowOf(call.operation);
  if (context !== 'given' || (deviceFile ?? groupFile) === undefined) return false;
  if ((container ?? iommufd) !== undefined) return false;
  // A descriptor that is not shown may be any.
  return descriptors.every((name) => (call as Readonly<Record<string, unknown>>)[name] !== UNSHOWN);
}
