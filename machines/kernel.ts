/**
 * A host as its kernel sees it: every machine where the events have brought it.
 *
 * Facts are taken in the order of the log. What they imply (the release of a file that nobody holds
 * any more, the end of an unbind that waited for it) is worked out here and stands nowhere else.
 *
 * @module
 */
import type { Attempt, DataOf, Fact, Placed } from '../events/vocabulary.ts';
import { fileOpenedBy, type FileId } from '../processes/process-table.ts';
import { machineNames, type MachineName } from './admission.ts';
import type { RecordedCall } from '../operations/row.ts';
import { callOf, rowOf } from '../operations/table.ts';
import { effectOf } from '../processes/effects.ts';
import { evict } from './doubt.ts';
import { changeHost } from './host-changes.ts';
import { isCause, type ObservedCause } from './causes.ts';
import type { Question } from './check.ts';
import type { ContradictionReason } from './contradiction.ts';
import { groupPath, otherFile, type DeviceFile, type GroupFile, type OpenFile } from './host.ts';
import { completed, hypotheses, isComplete, isFileShown } from './unshown-arguments.ts';
import { HostState } from './host-state.ts';
import { explain, isOfItself, judge, objection, onlyCause, type Refusal } from './judge.ts';
import { isBeyondJudging, questionOf } from './operations.ts';
import { NAMELESS, UNSHOWN } from './unshown.ts';
import { release } from './consequences.ts';

/** Why an attempt was refused, and the refusal by the rules where they name one. */
export interface Explanation {
  readonly cause: ObservedCause;
  readonly refusal: Refusal | null;
}

export class Kernel extends HostState {
  /**
   * What the rules say of an attempt as things stand: the refusal, or null where it is admitted, or
   * may be with what the evidence does not show of it. Where it would be refused in any case, and not
   * each time for the same reason, the first of them.
   */
  judge(attempt: Attempt): Refusal | null {
    return this.#refusalOf(attempt, (question) => judge(this.rules, question));
  }

  /** What the rules have against an attempt that was seen to pass, whatever way it took. */
  objection(attempt: Attempt): Refusal | null {
    return this.#refusalOf(attempt, (question) => objection(this.rules, question));
  }

  /** As `judge`, of an attempt that was refused for a cause: with what it may have had for that. */
  judgeAs(attempt: Attempt, cause: ObservedCause): Refusal | null {
    if (isComplete(attempt)) return this.judge(attempt);
    const answers = hypotheses(this, attempt).map((question) => judge(this.rules, question));
    return answers.find((answer) => answer?.cause === cause) ?? this.judge(attempt);
  }

  #refusalOf(attempt: Attempt, ask: (question: Question) => Refusal | null): Refusal | null {
    if (isBeyondJudging(this.question(attempt), attempt)) return null;
    if (isComplete(attempt)) return ask(questionOf(this, attempt));
    // There may be files that nobody has seen to be opened.
    if (this.isAssumed && !isFileShown(attempt)) return null;
    const answers = hypotheses(this, attempt).map((asked) =>
      isBeyondJudging(asked, attempt) ? null : ask(asked),
    );
    return answers.includes(null) ? null : (answers[0] ?? null);
  }

  /** What explains an attempt that was seen to be refused, as things stand. */
  explain(refused: DataOf<'operation.refused'>): Explanation {
    const { errno, cause } = refused;
    const found = this.#explanationOf(refused, errno);
    // Of a host that was not seen whole, it may as well be a device cgroup.
    if (this.isAssumed && found.cause === 'needs-cap-sys-rawio')
      return { ...found, cause: 'unknown' };
    if (found.cause !== 'unknown' || cause === undefined || !isCause(cause)) return found;
    return { cause, refusal: null };
  }

  #explanationOf(attempt: Attempt, errno: string): Explanation {
    const { rules } = this;
    if (!isFileShown(attempt)) return this.#explanationOnAnyFile(attempt, errno);
    const question = this.question(attempt);
    const isKnown = this.knows(question) && !isBeyondJudging(question, attempt);
    if (question.group?.isInDoubt === true && !isBeyondJudging(question, attempt)) {
      const found = this.#explanationInDoubt(attempt, question, errno);
      if (found !== null) return found;
    }
    if (isKnown && isComplete(attempt)) {
      const found = explain(rules, question, errno);
      if (found.cause !== 'unknown' || !this.isAssumed) return found;
    }
    // Who owns without a name may be the one that is asked for, or another.
    const isNameless = question.group?.record.owner === NAMELESS;
    const { context } = rowOf(attempt.operation);
    const isUnseen = context === 'given' && question.argument === undefined;
    const isOpen = !isComplete(attempt) || isNameless || isUnseen;
    const may = isKnown && isOpen ? hypotheses(this, attempt) : [];
    const refusals = may
      .map((asked) => judge(rules, asked))
      .filter((refusal) => refusal?.errno === errno);
    const [refusal = null, ...others] = refusals;
    if (refusal !== null && others.every((other) => other?.cause === refusal.cause)) {
      return { cause: refusal.cause, refusal };
    }
    return { cause: onlyCause(rules, attempt.operation, errno) ?? 'unknown', refusal: null };
  }

  /** A call on any file that it may have been made on: all that agree with the errno have to agree. */
  #explanationOnAnyFile(attempt: Attempt, errno: string): Explanation {
    const may = hypotheses(this, attempt);
    const canTell = (asked: Question): boolean =>
      this.knows(asked) && asked.group?.isInDoubt !== true && !isBeyondJudging(asked, attempt);
    // There may be files that nobody has seen to be opened.
    if (this.isAssumed || !may.every(canTell)) {
      return { cause: onlyCause(this.rules, attempt.operation, errno) ?? 'unknown', refusal: null };
    }
    const found = may
      .map((asked) => explain(this.rules, asked, errno))
      .filter(({ cause }) => cause !== 'unknown');
    const [first] = found;
    if (first === undefined || found.some(({ cause }) => cause !== first.cause)) {
      return { cause: 'unknown', refusal: null };
    }
    const isSure = found.every(({ refusal }) => isSameBlocker(refusal, first.refusal));
    return isSure || first.refusal === null
      ? first
      : { ...first, refusal: { ...first.refusal, blocker: null } };
  }

  /** Who was seen to be in the way is, whoever else there may be; and a call may fail by itself. */
  #explanationInDoubt(attempt: Attempt, question: Question, errno: string): Explanation | null {
    const may = isComplete(attempt) ? [question] : hypotheses(this, attempt);
    const refusals = may
      .map((asked) => judge(this.rules, asked))
      .filter((refusal) => refusal?.errno === errno);
    const [refusal = null] = refusals;
    const isSure = refusals.every(
      (other) =>
        other !== null &&
        other.cause === refusal?.cause &&
        ((other.blocker?.file ?? null) !== null ||
          isOfItself(this.rules, attempt.operation, other)),
    );
    return refusal === null || !isSure ? null : { cause: refusal.cause, refusal };
  }

  /** Whether enough is known of what a question is about for rules to say anything. */
  knows({ group }: Question): boolean {
    return this.isKnown && group?.unknownSince == null;
  }

  /** Whether everything is known of what a question is about. */
  knowsAll(question: Question): boolean {
    return this.knows(question) && question.device?.group !== null;
  }

  /** What an attempt concerns as things stand. */
  question(attempt: Attempt): Question {
    return questionOf(this, completed(attempt));
  }

  /** Takes the next event of the log. */
  take(event: Placed<Fact>): void {
    this.position = event.position;
    this.forgetTouched();
    this.certainty = event.data.evidence?.certainty ?? 'observed';
    const called = callOf(event);
    const opened = fileOpenedBy(event);
    // Looked up before descriptors move: the call saw them as they were.
    const question = called === null ? null : this.#asked(called, opened);
    const unheld = this.processes.take(event);
    if (question === null) changeHost(this, event);
    else this.#happen(event, question, opened);
    for (const id of unheld) release(this, id);
  }

  /** What a call has put that passed, on a host that those have left who would have stood in its way. */
  #asked({ call, passed: { id, hwpt } }: RecordedCall, opened: FileId | null): Question {
    if (this.isAssumed) evict(this, call);
    const given = opened === null ? { id, hwpt } : { id, hwpt, file: opened };
    return questionOf(this, completed(call), given);
  }

  /** A call has succeeded: every machine that it concerns takes the event, or none does. */
  #happen(event: Placed<Fact>, question: Question, opened: FileId | null): void {
    const against = isWithoutContext(question) ? 'nothing' : this.#against(question);
    if (against === null) {
      for (const name of machineNames) {
        const [told, instance] = [question.events[name], question[name]];
        if (told !== undefined && instance !== undefined) this.put(name, instance, told);
      }
      if (opened !== null) this.#open(event, opened, question);
      this.#hold(question);
      const { group, leavesDoubt = false } = question;
      if (leavesDoubt && group !== undefined) this.doubt(group);
      return;
    }
    const reason: ContradictionReason =
      against === 'nothing'
        ? { kind: 'no-context', event: event.type }
        : {
            kind: 'not-admitted',
            machine: against,
            state: question[against]?.state,
            event: event.type,
          };
    this.contradict(reason, question.group ?? question.device?.group ?? null);
    if (opened !== null) this.addFile(otherFile(opened, pathOf(event)));
  }

  /** The first machine that does not admit what it would be told; null where all do. */
  #against(question: Question): MachineName | null {
    for (const name of machineNames) {
      const [told, instance] = [question.events[name], question[name]];
      if (told === undefined || instance === undefined) continue;
      if (!this.admits(name, instance, told)) return name;
    }
    return null;
  }

  /** What a call has one file keep alive through another. */
  #hold({ call, groupFile, deviceFile, container, iommufd }: Question): void {
    const { context } = rowOf(call.operation);
    const [file, given] = [groupFile ?? deviceFile, container ?? iommufd];
    if (context === 'given' && file && given) this.pin(file, given);
    if (context === 'taken' && file) for (const kept of this.unpin(file)) release(this, kept);
  }

  #open({ type, data }: Placed<Fact>, id: FileId, question: Question): void {
    const opened = { id, pins: new Set<FileId>(), pinnedBy: new Set<FileId>() };
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

  /** A file got from a group keeps the group's file in a container, and the iommufd otherwise. */
  #grant(file: DeviceFile, groupFile: GroupFile): void {
    this.put('deviceFile', file, { type: 'file.granted' });
    const { iommufd } = file.device.record;
    const kept = iommufd === null ? groupFile : this.file(iommufd);
    if (kept !== undefined) this.pin(file, kept);
  }
}

/** What a file that no machine takes was opened as. */
function pathOf({ type, data }: Placed<Fact>): string {
  if (effectOf(type).opens === 'group' && 'group' in data) return groupPath(String(data.group));
  return 'path' in data ? data.path : type;
}

function isSameBlocker(a: Refusal | null, b: Refusal | null): boolean {
  const [one, other] = [a?.blocker ?? null, b?.blocker ?? null];
  return one?.file === other?.file && one?.driver === other?.driver;
}

/** Whether evidence has a file bound or put into something that is not there, or is no context. */
function isWithoutContext({ call, deviceFile, groupFile, container, iommufd }: Question): boolean {
  const { context, descriptors } = rowOf(call.operation);
  if (context !== 'given' || (deviceFile ?? groupFile) === undefined) return false;
  if ((container ?? iommufd) !== undefined) return false;
  // One that is not shown may be any.
  return descriptors.every((name) => (call as Readonly<Record<string, unknown>>)[name] !== UNSHOWN);
}
