/**
 * The threads of a trace: what each of them has begun, and who a line is of that names none.
 *
 * @module
 */
import type { CallKind } from './calls.ts';

/** A call that has not come back. */
interface Begun {
  readonly kind: CallKind;
  /** Its arguments so far; null where they show nothing of ours. */
  readonly text: string | null;
}

export interface Thread {
  /** Null for the one that strace, as long as there was no other, did not number. */
  readonly tid: number | null;
  begun: Begun | null;
  /** It has called exit, or exit_group. */
  ending: { readonly whole: boolean; readonly at: number | null } | null;
  /** The child told of before its fork came back. */
  child: number | null;
}

export class Threads {
  readonly #byNumber = new Map<number, Thread>();
  /** Threads that a fork has not come back to. */
  readonly #forking = new Set<Thread>();
  /** The one that lines without a number are of. */
  #unnumbered: Thread | null = null;
  /** The number that it has in lines that have one, once they are seen. */
  #number: number | null = null;
  #last: Thread | null = null;
  #lastNumber = -1;

  *[Symbol.iterator](): Iterator<Thread> {
    if (this.#unnumbered !== null && this.#number === null) yield this.#unnumbered;
    yield* this.#byNumber.values();
  }

  /** The thread of a line; `born` hears of one that must have come from a fork still under way. */
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

  /** A thread that is told of before it does something. */
  add(number: number): void {
    if (!this.#byNumber.has(number)) this.#byNumber.set(number, newThread(number));
    this.#last = null;
  }

  /** Told by strace: of a child whose fork is under way its parent is known only then. */
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

  begin(thread: Thread, begun: Begun): void {
    thread.begun = begun;
    if (begun.kind.forks === true && thread.child === null) this.#forking.add(thread);
  }

  finish(thread: Thread): void {
    thread.begun = null;
    this.#forking.delete(thread);
  }

  /** strace numbers lines only while there are several threads. */
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
