/**
 * `ToldStatements`: the refusals and claims that were told already. One refusal is told several times: by QEMU and
 * by libvirt, by a log and by a traceback, by each program that hands a message on.
 *
 * @module
 */
import type { Stamp } from '../wrappers/times.ts';

/** What was told, and when and by whom it was done. */
export interface Telling {
  /** Equal for statements that may be one. */
  readonly kind: string;
  /** What it is about; null: not named. */
  readonly group: string | null;
  readonly device: string | null;
  readonly pid: number | null;
  /** From the outermost to the innermost. */
  readonly stamps: readonly Stamp[];
  readonly line: number;
}

/** The number of lines in which a statement without an exact time may be told again. */
const REACH = 64;
/** The number of statements of a kind that are remembered. */
const MOST = 256;
const MOST_KINDS = 256;
/** Times that are no farther apart, in microseconds, are one. */
const SAME = 1000;

export class ToldStatements {
  readonly #told = new Map<string, Telling[]>();
  #last = -REACH;

  /** Whether a statement may still be told again, as of a line. */
  isOpen(line: number): boolean {
    return line - this.#last < REACH;
  }

  /** Forgets statements without an exact time: another attempt follows. */
  forget(): void {
    for (const [kind, all] of this.#told) {
      const exact = all.filter(({ stamps }) => stamps.some(isExact));
      if (exact.length === 0) this.#told.delete(kind);
      else
        this.#told.set(
          kind,
          exact.map((one) => ({ ...one, line: -REACH })),
        );
    }
    this.#last = -REACH;
  }

  /** Whether a statement was told before. It is remembered. */
  has(statement: Telling): boolean {
    const { kind, line } = statement;
    this.#last = line;
    const all = this.#told.get(kind) ?? [];
    if (all.some((one) => isOne(one, statement))) return true;
    all.push(statement);
    if (all.length > MOST) all.shift();
    this.#told.delete(kind);
    this.#told.set(kind, all);
    if (this.#told.size > MOST_KINDS) {
      for (const [oldest] of this.#told) {
        this.#told.delete(oldest);
        break;
      }
    }
    return false;
  }
}

/** Where times or processes differ, they are two. */
function isOne(before: Telling, after: Telling): boolean {
  if (before.pid !== null && after.pid !== null && before.pid !== after.pid) return false;
  if (!isAboutOne(before, after)) return false;
  const isNear = after.line - before.line < REACH;
  const pair = innermostOfOneClock(before.stamps, after.stamps);
  if (pair === null) return isNear;
  const [first, second] = pair;
  if (Math.abs(first.at - second.at) > SAME) return false;
  return isNear || isExact(first);
}

/** Whether one of them names all that the other names. */
function isAboutOne(a: Telling, b: Telling): boolean {
  return names(a, b) || names(b, a);
}

function names(more: Telling, less: Telling): boolean {
  return (
    (less.group === null || less.group === more.group) &&
    (less.device === null || less.device === more.device)
  );
}

function innermostOfOneClock(
  a: readonly Stamp[],
  b: readonly Stamp[],
): readonly [Stamp, Stamp] | null {
  for (const stamp of a.toReversed()) {
    const other = b.findLast(({ clock }) => clock === stamp.clock);
    if (other !== undefined) return [stamp, other];
  }
  return null;
}

/** Whether a time is precise enough to tell two attempts apart. */
function isExact({ at }: Stamp): boolean {
  return at % 1_000_000 !== 0;
}
