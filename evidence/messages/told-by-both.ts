/**
 * `ToldByBoth`: changes of a driver that were refused, of which the kernel and a program tell. They are one
 * refusal, though another command stands between: `dmesg`.
 *
 * @module
 */
import type { Stamp } from '../wrappers/times.ts';

/** A refusal as one of the two tells of it. */
export interface DriverRefusal {
  readonly by: 'kernel' | 'program';
  readonly device: string;
  /** Null: not shown. */
  readonly driver: string | null;
  readonly errno: string;
  readonly stamps: readonly Stamp[];
  readonly line: number;
}

/** The number of lines in which the other one tells of it. */
const REACH = 64;
/** Times that are farther apart, in microseconds, are of two refusals. */
const SAME = 5_000_000;

export class ToldByBoth {
  #waiting: readonly DriverRefusal[] = [];

  /** Whether the other one has told of a refusal. If not, it is remembered. */
  has(refusal: DriverRefusal): boolean {
    const near = this.#waiting.filter(({ line }) => refusal.line - line < REACH);
    const at = near.findIndex((one) => isSame(one, refusal));
    this.#waiting = at < 0 ? [...near, refusal] : near.toSpliced(at, 1);
    return at >= 0;
  }
}

function isSame(one: DriverRefusal, other: DriverRefusal): boolean {
  if (one.by === other.by || one.device !== other.device || one.errno !== other.errno) return false;
  const { driver } = one;
  if (driver !== null && other.driver !== null && driver !== other.driver) return false;
  return !one.stamps.some(({ clock, at }) =>
    other.stamps.some((stamp) => stamp.clock === clock && Math.abs(stamp.at - at) > SAME),
  );
}
