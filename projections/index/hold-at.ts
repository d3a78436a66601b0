/**
 * Decodes holds and processes from the rows of a standing.
 *
 * @module
 */
import type { ProcessAt } from '../../machines/host-at.ts';
import type { FileId, ProcessHolder } from '../../processes/process-table.ts';
import type { Codes } from './codes.ts';
import { HOLD, PROCESS, rowOf, type Standing } from './standing.ts';

/** A descriptor or mapping that holds a file, and the hold that it was copied from. */
export interface HoldAt extends ProcessHolder {
  /** Position of the event that made it. */
  readonly since: number;
  /**
   * Number of the hold that it was copied from (dup, fork, pass, mmap); null for the open itself.
   */
  readonly from: number | null;
  /** Its number among all holds since the first event, from 0. */
  readonly number: number;
}

/** The hold in a row; `file` is the file that it holds. */
export function holdIn(standing: Standing, codes: Codes, row: number, file: FileId): HoldAt {
  const hold = rowOf(standing.holds, row);
  const fd = hold[HOLD.fd]!;
  const from = hold[HOLD.from]!;
  return {
    ...processIn(standing, codes, hold[HOLD.process]!),
    via: fd === 0 ? 'mapping' : 'fd',
    fd: fd === 0 ? null : codes.numbers.at(fd - 1),
    file,
    since: hold[HOLD.since]!,
    from: from === 0 ? null : from - 1,
    number: hold[HOLD.number]!,
  };
}

export function processIn(
  { processes }: Standing,
  { numbers, texts }: Codes,
  row: number,
): Pick<ProcessAt, 'pid' | 'comm' | 'cgroup'> {
  const process = rowOf(processes, row);
  const cgroup = process[PROCESS.cgroup]!;
  return {
    pid: numbers.at(process[PROCESS.pid]! - 1),
    comm: texts.at(process[PROCESS.comm]!),
    cgroup: cgroup === 0 ? null : texts.at(cgroup - 1),
  };
}

export function holderOf({ pid, comm, cgroup, via, fd, file }: HoldAt): ProcessHolder {
  return { pid, comm, cgroup, via, fd, file };
}

export function byPlace(a: HoldAt, b: HoldAt): number {
  return a.pid - b.pid || (a.fd ?? Infinity) - (b.fd ?? Infinity) || a.number - b.number;
}
