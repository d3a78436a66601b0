/**
 * The format `strace`, versions 4.x to 7.x: `strace -f -y -ttt` and most other options.
 *
 * A call becomes a sighting when it returns, and an exit when the process and its descriptors are gone.
 * There are two exceptions. An unbind is a sighting when it begins, too, because it may block. A fork
 * becomes one early if its child acts before it returns.
 *
 * @module
 */
import { EvidenceError } from '../importer.ts';
import type { Clock, Deed, Parser, Sighting } from '../sighting.ts';
import { copied } from '../source.ts';
import { argsBegun, callAt, excerpt, withoutNames } from './call.ts';
import { callKinds, forked, sharesIn, type CallKind } from './calls.ts';
import { Leader } from './leader.ts';
import { Threads, type Thread } from './threads.ts';
import { LineTimes } from './times.ts';

const NONE: readonly Sighting[] = [];

const UNFINISHED = '<unfinished ...>';
const RESUMED = ' resumed>';
const DETACHED = ' <detached ...>';
const processTold = /^(?:\^C)?(?:strace: )?Process (\d+) (attached|detached|suspended|resumed)/;
/** At Ctrl-C, after what was printed of a call. */
const detachedAtEnd = /(?:^|strace: )Process (\d+) detached$/;
const LONGEST_CALL = 2 ** 16;
/** Calls with less text, in characters, may all be unfinished at once. */
const SHORT_CALL = 2 ** 10;
/** The most text of all unfinished calls, if one of them is longer. */
const MOST_UNFINISHED = 2 ** 24;

const OPEN = 40;
const GREATER = 62;
const LESS = 60;
const PLUS = 43;
const MINUS = 45;
const QUESTION = 63;
/** That of `attached` and `detached`. */
const LAST_OF_ATTACHED = 100;

export function straceParser(): Parser {
  return new StraceParser();
}

/** Whether a first line may be output of strace. */
export function looksLikeStrace(line: string): boolean {
  const leader = new Leader();
  leader.read(line);
  const rest = line.slice(leader.end);
  if (/^(?:\+\+\+ .* \+\+\+|--- .* ---)$/.test(rest)) return true;
  if (/^(?:strace: |Process \d+ (?:attached|detached))/.test(rest)) return true;
  if (/^<\.\.\. \w+ resumed>/.test(rest)) return true;
  if (!/^(?:[a-z_]\w*|\?{3,4})\(/.test(rest)) return false;
  return /\)\s+= (?:\?|-?\d)/.test(rest) || rest.endsWith(' ...>') || rest.endsWith(' attached');
}

class StraceParser implements Parser {
  readonly #leader = new Leader();
  readonly #times = new LineTimes();
  readonly #threads = new Threads();
  /** The time of the current line. */
  #at: number | null = null;
  #current: Thread | null = null;
  /** Forks whose children acted before they returned. */
  #early: Sighting[] = [];
  /** The first part of a call that a message of strace interrupts. */
  #broken: string | null = null;
  #isSummary = false;

  get clock(): Clock {
    return this.#times.clock;
  }

  line(text: string): readonly Sighting[] {
    const broken = this.#broken;
    this.#broken = null;
    const isContinued = broken !== null && /^(?:[,)\]}|]| <| =>|child_stack=)/.test(text);
    const sightings = this.#read(isContinued ? broken + text : text);
    return this.#early.length === 0 ? sightings : [...this.#early.splice(0), ...sightings];
  }

  end(): readonly Sighting[] {
    const sightings: Sighting[] = [];
    for (const { tid, ending } of this.#threads) {
      if (ending === null) continue;
      const { whole, at } = ending;
      sightings.push({ did: 'exit', whole, signal: null, tid, pid: null, comm: null, at });
    }
    return sightings;
  }

  #read(text: string): readonly Sighting[] {
    if (text.charCodeAt(text.length - 1) === LAST_OF_ATTACHED && this.#isBroken(text)) return NONE;
    const leader = this.#leader;
    leader.read(text);
    const at = leader.end;
    if (leader.isImpossible) throw new EvidenceError(`there is no such time: ${excerpt(text)}`);
    if (text.charCodeAt(text.length - 1) === GREATER && text.endsWith(DETACHED)) {
      // Alone, it ends a call that the message of strace has interrupted.
      if (text.length - DETACHED.length <= at) return NONE;
      this.#at = this.#times.take(leader);
      return this.#detach(this.#thread(false));
    }
    if (text.charCodeAt(text.length - 1) === LAST_OF_ATTACHED) {
      const left = this.#leftIn(text);
      if (left !== null) return this.#detach(left);
    }
    const nameEnd = pastName(text, at);
    if (nameEnd > at && text.charCodeAt(nameEnd) === OPEN) return this.#call(text, at, nameEnd);
    switch (text.charCodeAt(at)) {
      case LESS:
        return this.#resumed(text, at);
      case PLUS:
        return this.#gone(text, at);
      case MINUS:
        return this.#signal(text, at);
      case QUESTION:
        if (text.startsWith('???', at)) return NONE;
        break;
    }
    if (this.#isRemark(text, at)) return NONE;
    throw foreign(text);
  }

  #call(text: string, from: number, nameEnd: number): readonly Sighting[] {
    this.#at = this.#times.take(this.#leader);
    const thread = this.#thread(false);
    if (thread.begun?.kind.forks === true && thread.tid !== null) this.#threads.finish(thread);
    const kind = callKinds.get(text.slice(from, nameEnd));
    if (kind === undefined) return NONE;
    const isOurs = kind.may?.(text, nameEnd + 1) ?? true;
    if (kind.ends !== undefined) {
      thread.ending = { whole: kind.ends === 'process', at: this.#at };
      return NONE;
    }
    thread.child = null;
    if (text.charCodeAt(text.length - 1) === GREATER && text.endsWith(UNFINISHED)) {
      return this.#begun(thread, kind, isOurs ? text.slice(nameEnd + 1) : null);
    }
    return isOurs ? this.#complete(thread, kind, text, nameEnd + 1) : NONE;
  }

  /** Notes a call that is unfinished when another thread acts. */
  #begun(thread: Thread, kind: CallKind, unfinished: string | null): readonly Sighting[] {
    const text = unfinished === null ? null : copied(unfinished.slice(0, -UNFINISHED.length));
    const length = text?.length ?? 0;
    if (length > SHORT_CALL && length + this.#threads.unfinishedText() > MOST_UNFINISHED) {
      this.#threads.finish(thread);
      throw new EvidenceError(`${kind.name} is too long, with all calls that are unfinished`);
    }
    this.#threads.begin(thread, { kind, text });
    if (text === null || kind.begun === undefined) return NONE;
    return this.#shown(kind.begun(argsBegun(text)), thread);
  }

  #resumed(text: string, from: number): readonly Sighting[] {
    if (text.startsWith('<unfinished', from)) return NONE;
    const nameEnd = pastName(text, from + 5);
    const end = nameEnd + RESUMED.length;
    if (!text.startsWith('<... ', from) || !text.startsWith(RESUMED, nameEnd)) {
      throw foreign(text);
    }
    this.#at = this.#times.take(this.#leader);
    const thread = this.#thread(true);
    const name = text.slice(from + 5, nameEnd);
    const kind = callKinds.get(name);
    if (kind === undefined || kind.ends !== undefined) return NONE;
    const { begun } = thread;
    if (begun?.kind !== kind) {
      if (kind.isUnnoticed === true) return NONE;
      throw new EvidenceError(`${name} is resumed, but its beginning is missing`);
    }
    const rest = text.slice(end);
    if (rest.endsWith(UNFINISHED)) {
      if ((begun.text?.length ?? 0) > LONGEST_CALL) throw new EvidenceError(`${name} is too long`);
      const more = rest.slice(0, -UNFINISHED.length);
      const text = begun.text === null ? null : copied(begun.text + more);
      this.#threads.begin(thread, { kind, text });
      return NONE;
    }
    this.#threads.finish(thread);
    return begun.text === null ? NONE : this.#complete(thread, kind, begun.text + rest, 0);
  }

  #complete(thread: Thread, kind: CallKind, text: string, from: number): readonly Sighting[] {
    if (isLost(text)) return NONE;
    const call = callAt(text, from);
    if (kind.forks !== true) {
      return this.#shown(kind.deed({ ...call, args: withoutNames(call.args) }), thread);
    }
    const deed = forked(kind.name, call);
    const { child } = thread;
    thread.child = null;
    if (deed === null || deed.child === child) return NONE;
    // The child may have the number of a process that has ended.
    const before = this.#threads.get(deed.child);
    const gone = before === undefined || before.ending === null ? NONE : this.#exit(before, null);
    this.#threads.add(deed.child);
    return [...gone, ...this.#shown(deed, thread)];
  }

  /** Reads `+++ exited with 0 +++` and `+++ killed by SIGSEGV (core dumped) +++`. */
  #gone(text: string, from: number): readonly Sighting[] {
    if (!text.startsWith('+++ ', from)) throw foreign(text);
    this.#at = this.#times.take(this.#leader);
    const thread = this.#thread(true);
    const [, executor] = /^superseded by execve in pid (\d+)/.exec(text.slice(from + 4)) ?? [];
    if (executor !== undefined) return this.#superseded(thread, Number(executor));
    const [, signal] = /^killed by (\w+)/.exec(text.slice(from + 4)) ?? [];
    return this.#exit(thread, signal ?? null);
  }

  /** A thread that calls execve becomes the first thread of its process. */
  #superseded(first: Thread, number: number): readonly Sighting[] {
    const executor = this.#threads.get(number);
    first.ending = null;
    if (executor === undefined || executor === first) return NONE;
    first.begun = executor.begun;
    return this.#exit(executor, null);
  }

  #exit(thread: Thread, signal: string | null): readonly Sighting[] {
    this.#threads.remove(thread);
    const whole = signal !== null || thread.ending?.whole === true;
    return this.#shown({ did: 'exit', whole, signal }, thread);
  }

  /** Reads a signal. SIGCHLD shows the end of a child, even of one that strace does not follow. */
  #signal(text: string, from: number): readonly Sighting[] {
    if (!text.startsWith('--- ', from)) {
      if (text.startsWith('------ ', from) && this.#isSummary) return NONE;
      throw foreign(text);
    }
    this.#at = this.#times.take(this.#leader);
    this.#thread(false);
    if (!text.startsWith('--- SIGCHLD ', from)) return NONE;
    const [, number] = /\bsi_pid=(\d+)/.exec(text) ?? [];
    const child = this.#threads.get(Number(number));
    if (child === undefined || !/\bCLD_(?:EXITED|KILLED|DUMPED)\b/.test(text)) return NONE;
    const [, signal = null] = /\bCLD_(?:KILLED|DUMPED)\b.*\bsi_status=(SIG\w+)/.exec(text) ?? [];
    child.ending ??= { whole: true, at: this.#at };
    return this.#exit(child, signal);
  }

  #thread(isResumed: boolean): Thread {
    return (this.#current = this.#threads.of(this.#leader.tid, isResumed, this.#born));
  }

  readonly #born = ({ tid, begun }: Thread, child: number): void => {
    if (begun === null) return;
    const shares = sharesIn(begun.kind.name, argsBegun(begun.text ?? ''));
    const who = { tid, pid: null, comm: null, at: this.#at };
    this.#early.push({ did: 'fork', child, childComm: null, shares, ...who });
  };

  #shown(deed: Deed | null, thread: Thread): readonly Sighting[] {
    if (deed === null) return NONE;
    const comm = thread === this.#current ? this.#leader.comm : null;
    return [{ ...deed, tid: thread.tid, pid: null, comm, at: this.#at } as Sighting];
  }

  /** The thread from which strace detaches by a message at the end of a line; null if it is none, or of another. */
  #leftIn(text: string): Thread | null {
    const [, number] = detachedAtEnd.exec(text) ?? [];
    if (number === undefined) return null;
    const [only, ...others] = this.#threads;
    const isOnly = others.length === 0 && only?.tid === null;
    return this.#threads.get(Number(number)) ?? (isOnly ? only : null);
  }

  #detach(thread: Thread): readonly Sighting[] {
    this.#threads.remove(thread);
    return this.#shown({ did: 'detach' }, thread);
  }

  /** Whether a message interrupts the call: `clone(flags=SIGCHLDstrace: Process 123 attached`. */
  #isBroken(text: string): boolean {
    if (!text.endsWith(' attached')) return false;
    const begin = text.lastIndexOf('Process ');
    const number = begin === -1 ? NaN : Number(text.slice(begin + 8, -' attached'.length));
    if (!Number.isInteger(number)) return false;
    const by = text.slice(0, begin).endsWith('strace: ') ? begin - 'strace: '.length : begin;
    const call = text.slice(0, by);
    if (!call.includes('(') && !call.includes('<... ')) return false;
    if (call.length > LONGEST_CALL) return true;
    this.#broken = call;
    return true;
  }

  /** Whether a line is not a call: a message of strace, a stack (-k), or the summary (-C). */
  #isRemark(text: string, at: number): boolean {
    if (at === text.length || this.#isSummary) return true;
    if (text.startsWith('% time ', at)) return (this.#isSummary = true);
    const [, number, what] = processTold.exec(text.slice(at, at + 80)) ?? [];
    if (what === 'attached') this.#threads.announce(Number(number));
    return (
      what !== undefined ||
      text.startsWith('strace: ', at) ||
      text.startsWith('[ Process PID=', at) ||
      text.startsWith(' > ') ||
      // The rest of a call into which the program has written its own output.
      /^\)\s*= (?:\?|-?\d)/.test(text) ||
      text.trim() === ''
    );
  }
}

function foreign(text: string): EvidenceError {
  return new EvidenceError(`not a line of strace: ${excerpt(text)}`);
}

/** Whether strace lost the process before the call returned. */
function isLost(text: string): boolean {
  return text.charCodeAt(text.length - 1) === GREATER && text.endsWith('No such process>');
}

/** The index after the name of a system call. */
function pastName(text: string, from: number): number {
  let at = from;
  for (;;) {
    const code = text.charCodeAt(at);
    const isLetter = (code >= 97 && code <= 122) || code === 95;
    if (!isLetter && !(at > from && code >= 48 && code <= 57)) return at;
    at++;
  }
}
