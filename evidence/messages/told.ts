/**
 * The refusals and claims that were told already. One refusal is told several times: by QEMU and by
 * libvirt, by a log and by a traceback, by each program that hands a message on. `ToldStatements` knows
 * those of one source, `ToldAnywhere` those of all sources of an import.
 *
 * @module
 */
import type { Operation } from '../../events/vocabulary.ts';
import type { Deed } from '../sighting.ts';
import type { Stamp } from '../wrappers/times.ts';
import { remember } from './names.ts';

type ToldClaim = Omit<Extract<Deed, { did: 'claim' }>, 'did'>;

/** What was told, and when and by whom it was done. */
export interface Telling {
  /** Equal for statements that may be one. */
  readonly kind: string;
  /** What it is about; null: not named. */
  readonly group: string | null;
  readonly device: string | null;
  readonly pid: number | null;
  /** The host that wrote the line. */
  readonly host: string | null;
  readonly cause: string | null;
  readonly driver: string | null;
  /** Who was refused, in a claim. Left out: not named. */
  readonly claimant?: string | null;
  /** From the outermost to the innermost. */
  readonly stamps: readonly Stamp[];
  readonly line: number;
}

/** What a statement is about if it names nothing. */
export const UNNAMED = { group: null, device: null, cause: null, driver: null, pid: null } as const;

/** The kind of a refusal. */
export function refusalKind({
  operation,
  errno,
}: {
  readonly operation: Operation;
  readonly errno: string | null;
}): string {
  return `${operation} ${errno}`;
}

/** The kind of an assignment of a device: all that it says, but who was refused. */
export function claimKind({
  outcome,
  device,
  group,
  claimant,
  manager,
  reason,
}: ToldClaim): string {
  const { name = null, uuid = null } = outcome === 'refused' ? {} : (claimant ?? {});
  return JSON.stringify([outcome, device, group ?? null, name, uuid, manager, reason]);
}

/** Who was refused, in a claim; null: not named. */
export function refusedIn({ outcome, claimant }: ToldClaim): string | null {
  return outcome === 'refused' ? (claimant?.name ?? null) : null;
}

/** The number of lines in which a statement without an exact time may be told again. */
const REACH = 64;
/** The number of statements of a kind that are remembered. */
const MOST = 256;
const MOST_KINDS = 256;
/** Times that are no farther apart, in microseconds, are one. */
export const SAME = 1000;

/** Statements by kind. The oldest are forgotten. */
class Tellings {
  readonly #byKind = new Map<string, Telling[]>();

  /** Whether a statement was told before. From now on it is remembered with all that both name. */
  has(telling: Telling): boolean {
    const all = this.#byKind.get(telling.kind) ?? [];
    const at = all.findIndex((one) => isOne(one, telling));
    if (at < 0) return false;
    all[at] = together(all[at]!, telling);
    return true;
  }

  add(telling: Telling): void {
    const all = this.#byKind.get(telling.kind) ?? [];
    all.push(telling);
    if (all.length > MOST) all.shift();
    remember(this.#byKind, telling.kind, all, MOST_KINDS);
  }

  /** Forgets the lines of all: only an exact time can tell that one is told again. */
  forgetLines(): void {
    for (const [kind, all] of this.#byKind) {
      this.#byKind.set(kind, all.filter(isLasting).map(withoutLine));
    }
  }
}

/** The statements with an exact time in all sources of an import. */
export class ToldAnywhere {
  readonly #told = new Tellings();

  /** Whether a statement with an exact time was told before. It is remembered. */
  has(telling: Telling): boolean {
    const lasting = withoutLine(telling);
    if (this.#told.has(lasting)) return true;
    this.#told.add(lasting);
    return false;
  }
}

/** The statements of one source. */
export class ToldStatements {
  readonly #here = new Tellings();
  #last = -REACH;

  /** Whether a statement may still be told again without an exact time, as of a line. */
  isOpen(line: number): boolean {
    return line - this.#last < REACH;
  }

  /** Another command follows: what has no exact time is told anew. */
  forget(): void {
    this.#here.forgetLines();
    this.#last = -REACH;
  }

  /** Whether a statement was told before. It is remembered. */
  has(telling: Telling): boolean {
    this.#last = telling.line;
    if (this.#here.has(telling)) return true;
    this.#here.add(telling);
    return false;
  }
}

/** One statement, with what two tellings of it name. */
function together(before: Telling, after: Telling): Telling {
  const clocks = new Set(before.stamps.map(({ clock }) => clock));
  return {
    kind: before.kind,
    group: before.group ?? after.group,
    device: before.device ?? after.device,
    pid: before.pid ?? after.pid,
    host: before.host ?? after.host,
    cause: before.cause ?? after.cause,
    driver: before.driver ?? after.driver,
    claimant: before.claimant ?? after.claimant ?? null,
    stamps: [...before.stamps, ...after.stamps.filter(({ clock }) => !clocks.has(clock))],
    line: before.line,
  };
}

/** Whether another source can be seen to tell the same: by an exact time. */
export function isLasting({ stamps }: Telling): boolean {
  return stamps.some(isExact);
}

function withoutLine(telling: Telling): Telling {
  return { ...telling, line: -Infinity };
}

/** Whether two tellings are of one statement. Where times or processes differ, they are two. */
export function isOne(before: Telling, after: Telling): boolean {
  if (named.some((what) => isOther(before[what], after[what]))) return false;
  if (!isAboutOne(before, after)) return false;
  const isNear = after.line - before.line < REACH;
  const pair = innermostOfOneClock(before.stamps, after.stamps);
  if (pair === null) return isNear;
  const [first, second] = pair;
  if (Math.abs(first.at - second.at) > SAME) return false;
  return isNear || isExact(first);
}

const named = ['pid', 'host', 'cause', 'driver', 'claimant'] as const;

function isOther(one: Named, other: Named): boolean {
  return one != null && other != null && one !== other;
}

type Named = number | string | null | undefined;

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
