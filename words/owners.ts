/**
 * Phrases for owners, holders, processes and files.
 *
 * @module
 */
import { KERNEL_PID } from '../processes/process-table.ts';
import type { FileView, Holder, Owner } from '../projections/shapes.ts';
import type { Cell } from './columns.ts';
import { counted } from './moments.ts';

/** A process: `qemu[4711]`, `pid 4711` without a name, `?` without both. */
export function processWords(pid: number | null, comm: string | null): string {
  const isNamed = comm !== null && comm !== `pid ${pid}`;
  if (pid === null || pid >= KERNEL_PID) return isNamed ? comm : '?';
  if (!isNamed) return `pid ${pid}`;
  return `${comm}[${pid}]`;
}

/** Holders in one line, each process once: `P1[101] fd 3, 4; P2[102] mapping`. */
export function holdersWords(holders: readonly Holder[]): string {
  const byHolder = Map.groupBy(holders, (holder) => holderName(holder));
  const words = [...byHolder].map(([name, held]) => {
    const places = held.flatMap((holder) => placeOf(holder));
    return places.length === 0 ? name : `${name} ${places.join(', ').replaceAll(', fd ', ', ')}`;
  });
  return words.length === 0 ? '-' : words.join('; ');
}

/** One row for each holder: process, descriptor or mapping, file, and control group if known. */
export function holderRows(holders: readonly Holder[]): string[][] {
  return holders.map((holder) => [
    holderName(holder),
    placeOf(holder).join(', '),
    holder.via === 'kernel' || holder.file === null ? '' : `file ${holder.file}`,
    holder.cgroup ?? '',
  ]);
}

/** Open files with their holders: `f8 by P1[101] fd 3; f9 by P2[102] mapping`. */
export function filesWords(files: readonly FileView[]): string {
  return files.map(({ file, holders }) => `${file} by ${holdersWords(holders)}`).join('; ') || '-';
}

/** How many groups are left out: `3 groups without a VFIO driver are not shown`. */
export function hiddenWords(count: number): string {
  return `${counted(count, 'group')} without a VFIO driver ${count === 1 ? 'is' : 'are'} not shown`;
}

/** An owner: `iommufd f8`, `nobody`, `nobody (assumed)`. */
export function ownerWords({ kind, file, certainty }: Owner): string {
  return certainty === undefined
    ? ownerName(kind, file)
    : `${ownerName(kind, file)} (${certainty})`;
}

function ownerName(kind: Owner['kind'], file: Owner['file']): string {
  switch (kind) {
    case 'none':
      return 'nobody';
    case 'kernel':
      return 'kernel drivers';
    case 'container':
      return `container of group file ${file}`;
    case 'iommufd':
      return `iommufd ${file}`;
    case 'unknown':
      return 'unknown';
  }
}

/** An owner as a cell; an unknown owner is coloured. */
export function ownerCell(owner: Owner): Cell {
  const text = ownerWords(owner);
  return owner.kind === 'unknown' ? { text, tone: 'unknown' } : text;
}

function holderName({ via, file, pid, comm }: Holder): string {
  // A waiter has no file.
  const isKernel = via === 'queue' && pid === null && comm === null && file !== null;
  if (isKernel) return 'the kernel (no descriptor seen)';
  return via === 'kernel' ? `file ${file}` : processWords(pid, comm);
}

function placeOf({ via, fd }: Holder): string[] {
  if (via === 'fd') return fd === null ? ['a descriptor'] : [`fd ${fd}`];
  return via === 'mapping' ? ['mapping'] : [];
}
