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
  const from = hold[HOLD.from]!;
  return {
    ...holderIn(standing, codes, row, file),
    since: hold[HOLD.since]!,
    from: from === 0 ? null : from - 1,
    number: hold[HOLD.number]!,
  };
}

/** As `holdIn`, without what it takes to tell where the hold came from. */
export function holderIn(
  standing: Standing,
  codes: Codes,
  row: number,
  file: FileId,
): ProcessHolder {
  const { cells, width } = standing.holds;
  const fd = cells[row * width + HOLD.fd]!;
  return {
    ...namesIn(standing, codes, cells[row * width + HOLD.process]!),
    via: fd === 0 ? 'mapping' : 'fd',
    fd: fd === 0 ? null : codes.numbers.at(fd - 1),
    file,
  };
}

/** The process in a row, without what it holds. */
export function processIn(
  standing: Standing,
  codes: Codes,
  row: number,
): Pick<ProcessAt, 'pid' | 'comm' | 'cgroup' | 'vm'> {
  const { cells, width } = standing.processes;
  const vm = vmIn(cells[row * width + PROCESS.vm]!, codes);
  return { ...namesIn(standing, codes, row), vm };
}

/** The virtual machine that a cell of a process names (`PROCESS.vm`). */
function vmIn(cell: number, { texts }: Codes): ProcessAt['vm'] {
  return cell === 0 ? null : cell === 1 ? false : texts.at(cell - 2);
}

function namesIn(
  { processes }: Standing,
  { numbers, texts }: Codes,
  row: number,
): Pick<ProcessAt, 'pid' | 'comm' | 'cgroup'> {
  const { cells, width } = processes;
  const at = row * width;
  const cgroup = cells[at + PROCESS.cgroup]!;
  return {
    pid: numbers.at(cells[at + PROCESS.pid]! - 1),
    comm: texts.at(cells[at + PROCESS.comm]!),
    cgroup: cgroup === 0 ? null : texts.at(cgroup - 1),
  };
}

export function holderOf({ pid, comm, cgroup, via, fd, file }: HoldAt): ProcessHolder {
  return { pid, comm, cgroup, via, fd, file };
}

/** Compares rows of holds by pid, then by descriptor. */
export function byPlace({ holds, processes }: Standing, { numbers }: Codes) {
  const { cells, width } = holds;
  const pidOf = (row: number) => {
    const process = cells[row * width + HOLD.process]!;
    return numbers.at(processes.cells[process * processes.width]! - 1);
  };
  const fdOf = (row: number) => {
    const fd = cells[row * width + HOLD.fd]!;
    return fd === 0 ? Infinity : numbers.at(fd - 1);
  };
  const number = (row: number) => cells[row * width + HOLD.number]!;
  return (a: number, b: number): number =>
    pidOf(a) - pidOf(b) || fdOf(a) - fdOf(b) || number(a) - number(b);
}
