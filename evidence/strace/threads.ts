/**
 * `Threads`: the threads of a trace with their unfinished calls. Finds the thread of a line without a
 * tid.
 *
 * @module
 */
import type { CallKind } from './calls.ts';

/** A call that has not returned. */
interface Begun {
  readonly kind: CallKind;
  /** Its arguments so far; null if the call does not matter. */
  readonly text: string | null;
}

export interface Thread {
  /** Null for the only thread so far: strace prints no number for it. */
  readonly tid: number | null;
  begun: Begun | null;
  /** Set when it calls exit or exit_group (`whole`). */
  ending: { readonly whole: boolean; readonly at: number | null } | null;
  /** The child that acted before its fork returned. */
  child: number | null;
}

export class Threads {
  readonly #byNumber = new Map<number, Thread>();
  /** Threads whose fork has not returned. */
  readonly #forking = new Set<Thread>();
  /** The thread of lines without a number. */
  #unnumbered: Thread | null = null;
  /** The number of that thread, once a line shows it. */
  #number: number | null = null;
  #last: Thread | null = null;
  #lastNumber = -1;

  *[Symbol.iterator](): Iterator<Thread> {
    if (this.#unnumbered !== null && this.#number === null) yield this.#unnumbered;
    yield* this.#byNumber.values();
  }

  /** The thread of a line. `born` is called for a new one whose fork has not returned yet. */
  of(number: number, isResumed: boolean, born: (parent: Thread, child: number) => void): Thread {
    if (number === this.#lastNumber && this.#last !== null) return this.#last;
    const thread =
      number === -1
        ? this.#withoutNumber()
        : (this.#byNumber.get(number) ?? this.#appeared(number, isResumed, born));
    this.#last = thread;
    this.#lastNumber = number;
    return thread;
  }

  get(number: number): Thread | undefined {
    return this.#byNumber.get(number);
  }

  /** Adds a thread before its first line. */
  add(number: number): void {
    if (!this.#byNumber.has(number)) this.#byNumber.set(number, newThread(number));
    this.#last = null;
  }

  /** Adds a thread that strace has attached. Not during a fork: the first line shows its parent. */
  announce(number: number): void {
    if (this.#forking.size === 0) this.add(number);
  }

  remove(thread: Thread): void {
    this.#forking.delete(thread);
    this.#last = null;
    if (thread === this.#unnumbered) {
      if (this.#number !== null) this.#byNumber.delete(this.#number);
      this.#unnumbered = null;
      this.#number = null;
    } else if (thread.tid !== null) this.#byNumber.delete(thread.tid);
  }

  /** Notes the unfinished call of a thread. */
  begin(thread: Thread, begun: Begun): void {
    thread.begun = begun;
    if (begun.kind.forks === true && thread.child === null) this.#forking.add(thread);
  }

  /** The text of all unfinished calls, in characters. */
  unfinishedText(): number {
    let sum = 0;
    for (const { begun } of this) sum += begun?.text?.length ?? 0;
    return sum;
  }

  finish(thread: Thread): void {
    thread.begun = null;
    this.#forking.delete(thread);
  }

  /** The thread of a line without a number. strace numbers lines only if there are several threads. */
  #withoutNumber(): Thread {
    if (this.#unnumbered !== null) return this.#unnumbered;
    if (this.#byNumber.size === 1) for (const only of this.#byNumber.values()) return only;
    this.#number = null;
    return (this.#unnumbered = newThread(null));
  }

  #appeared(
    number: number,
    isResumed: boolean,
    born: (parent: Thread, child: number) => void,
  ): Thread {
    const first = this.#unnumbered;
    if (first !== null && this.#number === null && (first.begun === null || isResumed)) {
      this.#number = number;
      this.#byNumber.set(number, first);
      return first;
    }
    const thread = newThread(number);
    this.#byNumber.set(number, thread);
    const [parent] = this.#forking;
    if (parent !== undefined && this.#forking.size === 1) {
      this.#forking.clear();
      parent.child = number;
      born(parent, number);
    }
    return thread;
  }
}

function newThread(tid: number | null): Thread {
  return { tid, begun: null, ending: null, child: null };
}
