/**
 * `ListedFiles`: files that listings show as open. A listing shows no open, and so no order of opens.
 *
 * @module
 */
import type { Files } from './files.ts';
import { isOf } from './shown.ts';
import type { Seen, Traced, TracedProcesses } from './traced.ts';

/** A listing: the number of its command, and its time in microseconds, if shown. */
export interface ListingMoment {
  readonly listing: number | undefined;
  readonly at: number | null;
}

/** Listings by one command are of one moment if their times are no farther apart, in microseconds. */
const ONE_MOMENT = 1_000_000;

export class ListedFiles {
  readonly #processes: TracedProcesses;
  readonly #files: Files;

  constructor(processes: TracedProcesses, files: Files) {
    this.#processes = processes;
    this.#files = files;
  }

  /**
   * Tells of the file at a path. A group is open once at a time: what listings of one moment show of it
   * is one file, and a file that an earlier one showed is gone.
   */
  tell(process: Traced, fd: number, path: string, listed: ListingMoment): void {
    const there = process.descriptors.get(fd);
    if (there !== undefined) {
      if (isOf(there.seen, path)) there.seen.listed = listed;
      return;
    }
    const known = this.#groupAt(path);
    if (known?.listed !== undefined && isOneMoment(known.listed, listed)) {
      this.#files.share(known, process, fd, 'group-opens-once');
      return;
    }
    const gone = known === undefined ? [] : this.#processes.holds(known);
    for (const hold of gone) this.#files.close(hold.process, hold.fd, 'group-opens-once');
    const seen = this.#files.find(process, fd, path, 'found-open');
    if (seen !== null) seen.listed = listed;
  }

  /** The file of a group, by the path of its node, that a listing has shown. */
  #groupAt(path: string): Seen | undefined {
    for (const { descriptors } of this.#processes.all()) {
      for (const { seen } of descriptors.values()) {
        if (seen.kind === 'group' && seen.listed !== undefined && isOf(seen, path)) return seen;
      }
    }
    return undefined;
  }
}

function isOneMoment(one: ListingMoment, other: ListingMoment): boolean {
  const apart = Math.abs((one.at ?? 0) - (other.at ?? 0));
  return one.listing === other.listing && apart <= ONE_MOMENT;
}
